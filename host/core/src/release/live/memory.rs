//! Remembers what a host saw of its channel, from one refresh to the next.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::{Following, Serving};
use crate::release::{ChannelError, Verified, Version};
use crate::store::PolicySet;
use crate::text::one_line;

/// How long a release that was refused is not tried again.
const REFUSED: Duration = Duration::from_secs(10 * 60);

/// How often a release may run out of time, until it counts as refused.
const MAX_UNJUDGED: u32 = 10;

/// How many different reasons are remembered.
const MOST_TOLD: usize = 16;

/// What is remembered from one refresh to the next.
#[derive(Default)]
pub(super) struct Memory {
    /// The channel's object, as it was read last.
    pub(super) version: Option<Version>,
    /// What the channel names, as long as it does not serve yet.
    pub(super) pending: Option<Verified>,
    /// The release that was refused, why, and until when that is not tried again. It is named by its digest, so it would be
    /// refused again; one whose checks ran out of time is not remembered here.
    rejected: Option<(String, String, Instant)>,
    /// The release that ran out of time last, and how often it did.
    unjudged: Option<(String, u32)>,
    /// The channel with the highest sequence that was seen.
    pub(super) newest: Option<Verified>,
    /// What the operator was told since the store was followed last.
    pub(super) told: Vec<String>,
    /// Whether what serves is still to be kept.
    pub(super) unkept: bool,
    /// When the store is to be asked again.
    pub(super) due: Option<SystemTime>,
}

impl Memory {
    /// The lowest sequence that is followed.
    pub(super) fn floor(&self, following: &Following) -> u64 {
        self.newest.as_ref().map(|newest| newest.payload.sequence).unwrap_or_default().max(following.min_sequence)
    }

    /// Refuses what is of another set, and what is older than what was seen.
    pub(super) fn allow(&self, verified: &Verified, following: &Following) -> Result<(), ChannelError> {
        let payload = &verified.payload;
        let pinned = self.newest.as_ref().map(|newest| &newest.payload.set);
        if let Some(expected) = following.set.as_ref().or(pinned).filter(|expected| **expected != payload.set) {
            let found = one_line(&payload.set);
            return Err(ChannelError::OtherSet { found, expected: expected.clone() });
        }
        let floor = self.floor(following);
        if payload.sequence < floor {
            return Err(ChannelError::Replayed { found: payload.sequence, floor });
        }
        let forked = |newest: &Verified| newest.payload.sequence == payload.sequence && newest.payload != *payload;
        if self.newest.as_ref().is_some_and(forked) {
            return Err(ChannelError::Forked(payload.sequence));
        }
        Ok(())
    }

    /// The set that is wanted, where it still lives: the release was signed again, or is the one that served before.
    pub(super) fn at_hand(&self, wanted: &Verified, before: &Serving) -> Option<Arc<PolicySet>> {
        let current = before.channel.as_ref().and(before.set.as_ref().ok());
        let previous = before.previous.as_ref().map(|previous| &previous.set);
        current.into_iter().chain(previous).find(|set| set.digest == wanted.payload.release).cloned()
    }

    pub(super) fn why_rejected(&self, wanted: &str) -> Option<String> {
        let (_, reason, _) =
            self.rejected.as_ref().filter(|(release, _, until)| release == wanted && *until > Instant::now())?;
        Some(reason.clone())
    }

    /// Whether the operator was not told this yet.
    pub(super) fn is_news(&mut self, reason: &str) -> bool {
        if self.told.iter().any(|told| told == reason) {
            return false;
        }
        // Somebody who changes the reason each time is heard, but not remembered for ever.
        self.told.truncate(MOST_TOLD - 1);
        self.told.insert(0, reason.to_owned());
        true
    }

    /// Notes that the checks of a release ran out of time, and refuses it where that happened too often.
    pub(super) fn leave_unjudged(&mut self, release: &str, reason: &str) {
        let known = self.unjudged.take().filter(|(known, _)| known == release);
        match known.map_or(1, |(_, times)| times + 1) {
            MAX_UNJUDGED.. => self.reject(release, reason),
            times => self.unjudged = Some((release.to_owned(), times)),
        }
    }

    pub(super) fn reject(&mut self, release: &str, reason: &str) {
        self.rejected = Some((release.to_owned(), reason.to_owned(), Instant::now() + REFUSED));
    }
}
