//! Is what serves at one moment: a set, where it comes from, and how sure the host is of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Following;
use super::revert::{Previous, Reverted};
use super::tally::Tally;
use crate::release::Verified;
use crate::store::PolicySet;

/// What serves. A host takes it once for each decision, so that everything said of the decision is of one moment.
#[derive(Clone)]
#[non_exhaustive]
pub struct Serving {
    /// The set; or the reason why there is none.
    pub set: Result<Arc<PolicySet>, String>,
    /// The name of the channel that the host follows; none: it follows none.
    pub follows: Option<Arc<str>>,
    /// When the host began to serve.
    pub since: SystemTime,
    /// The channel that named the set. None: a set that no channel named, such as the one in a host's package.
    pub channel: Option<Verified>,
    /// The highest sequence that was seen, or the least that is followed where that is higher; 0: none yet. None where the host
    /// follows no channel.
    pub known: Option<u64>,
    /// When the store last said that this is what is to be served, or that there is nothing newer than what the host left; none:
    /// not yet.
    pub confirmed: Option<SystemTime>,
    /// When the store was last asked; none: not yet.
    pub refreshed: Option<SystemTime>,
    /// Why the store was not followed when it was last asked.
    pub problem: Option<String>,
    /// What the host left by itself, as long as the channel says nothing new; none: it left nothing.
    pub reverted: Option<Reverted>,
    /// What the set decided since it began to serve.
    pub(super) tally: Arc<Tally>,
    /// What served before, as long as it is kept.
    pub(super) previous: Option<Previous>,
    /// The releases that served before, the last first.
    pub(super) left: Vec<String>,
}

impl Serving {
    /// A set that no channel named.
    pub(super) fn of(set: Result<Arc<PolicySet>, String>) -> Self {
        Self {
            set,
            follows: None,
            since: SystemTime::now(),
            channel: None,
            known: None,
            confirmed: None,
            refreshed: None,
            problem: None,
            reverted: None,
            tally: Arc::default(),
            previous: None,
            left: Vec::new(),
        }
    }

    /// The set, if it may decide now; else what the operator should know.
    ///
    /// # Errors
    ///
    /// Where there is none, or the host was told not to decide by one that is out of date.
    pub(super) fn checked(&self, following: Option<&Following>, now: SystemTime) -> Result<&Arc<PolicySet>, String> {
        let set = self.set.as_ref().map_err(Clone::clone)?;
        let Some(following) = following else { return Ok(set) };
        if following.deny_expired && self.is_expired(now) {
            return Err("the channel is expired, and COGWIT_ON_EXPIRED=deny: publish again".to_owned());
        }
        if following.deny_fallback && self.age(now).is_none_or(|age| age > following.max_staleness) {
            let problem = self.problem.as_deref().unwrap_or("it was not asked");
            return Err(format!("the store does not confirm the set, and COGWIT_FALLBACK=deny: {problem}"));
        }
        Ok(set)
    }

    /// How long ago the store confirmed the set; none: never.
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        // A clock that went back is no reason to worry.
        self.confirmed.map(|confirmed| now.duration_since(confirmed).unwrap_or_default())
    }

    /// How long the host decides without the store's word: since the store last confirmed the set, or where it never did, since the
    /// host began to serve. Nothing where no channel is followed.
    pub fn unconfirmed(&self, now: SystemTime) -> Duration {
        let unconfirmed = || now.duration_since(self.confirmed.unwrap_or(self.since)).unwrap_or_default();
        self.follows.as_ref().map(|_| unconfirmed()).unwrap_or_default()
    }

    /// Whether something newer is known than what serves; or a channel is followed, and none of its sets serves.
    pub fn is_fallback(&self) -> bool {
        self.known.is_some_and(|known| self.sequence().is_none_or(|sequence| sequence < known))
    }

    /// Whether the set broke too often since it began to serve: in five decisions at least, and in one of twenty.
    pub fn is_faulty(&self) -> bool {
        self.tally.is_faulty()
    }

    /// Whether the channel should have been published again by `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.payload.is_expired(now))
    }

    /// The channel's sequence.
    pub fn sequence(&self) -> Option<u64> {
        self.channel.as_ref().map(|channel| channel.payload.sequence)
    }
}
