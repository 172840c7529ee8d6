//! Goes back to the set before where what serves breaks too often, if the operator wants that.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::tally::{Count, Tally};
use super::{Following, Live, Serving};
use crate::release::{Payload, Verified};
use crate::store::{PolicySet, Side};
use crate::{Decision, Outcome, Verdict};

/// How long the set that served before is kept, for an instant way back.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// How many releases that were left are remembered.
const MOST_LEFT: usize = 16;

/// What served before, which is kept for a while.
#[derive(Clone)]
pub(super) struct Previous {
    pub(super) set: Arc<PolicySet>,
    channel: Verified,
    tally: Arc<Tally>,
    until: Instant,
    /// Whether a host may go back to it by itself: the store had named it, and it was not left for an earlier one, as bad as
    /// that may be.
    is_way_back: bool,
}

/// What a host left by itself, because it broke too often.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Reverted {
    /// The digest of its release, in hexadecimal.
    pub release: String,
    /// The channel's sequence that named it.
    pub sequence: u64,
    /// What the operator should know of it.
    #[serde(skip)]
    pub(super) reason: String,
}

impl Reverted {
    /// Whether a channel still names it. A new sequence is a new word, also for the same release.
    pub(super) fn is_named_by(&self, payload: &Payload) -> bool {
        self.release == payload.release && self.sequence == payload.sequence
    }
}

impl Live {
    /// Counts a decision by the set of `serving`. With the one that makes its faults too many, the operator is told, and where
    /// he wants that, the set before takes its place again, before any other decision by it is counted.
    pub(super) fn count(&self, serving: &Serving, decision: &Decision) {
        // What is no event breaks every set, and an event that no policy answers breaks none.
        if matches!(decision.outcome, Outcome::EventRefused(_)) || decision.is_unmatched() {
            return;
        }
        let told = serving.tally.count(decision.is_broken(), |count| {
            let channel = self.channel.as_ref()?;
            let Count { decisions, faults } = count;
            let last = decision.runs.iter().rev().find_map(|run| match &run.verdict {
                Verdict::Fault(fault) => {
                    Some(format!(" (last `{}`{}: {})", run.policy, Side::label(run.side), fault.kind()))
                }
                _ => None,
            });
            let last = last.unwrap_or_default();
            let broke = format!("{} broke in {faults} of its first {decisions} decisions{last}", serving.named());
            Some((channel.say, self.leave(serving, &broke, &channel.following)))
        });
        if let Some((say, told)) = told.flatten() {
            say(&format!("error: {told}"));
        }
    }

    /// Leaves the set of `serving` if it may, and says what there is to say of it.
    fn leave(&self, serving: &Serving, broke: &str, following: &Following) -> String {
        if !following.auto_revert {
            return format!(
                "{broke}: go back by `cogwit rollback`; with COGWIT_AUTO_REVERT=on, hosts do so themselves"
            );
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current.tally, &serving.tally) {
            return format!("{broke}; another set serves by now");
        }
        let Some(back) = current.back(broke, following, Instant::now()) else {
            return format!("{broke}, and no set from before is at hand: go back by `cogwit rollback`");
        };
        *current = Arc::new(back);
        current.problem.clone().unwrap_or_default()
    }
}

impl Serving {
    /// What served before, serving again. None where it was too long ago, broke too often itself, or must not decide; where the
    /// store never said that it was to serve; and where the operator went back from it.
    fn back(&self, broke: &str, following: &Following, now: Instant) -> Option<Self> {
        let previous = self.previous.as_ref().filter(|it| it.is_way_back && it.until > now && !it.tally.is_faulty())?;
        let left = &self.channel.as_ref()?.payload;
        let mut back = Self {
            set: Ok(previous.set.clone()),
            channel: Some(previous.channel.clone()),
            tally: Arc::default(),
            previous: None,
            ..self.clone()
        };
        let reason = format!(
            "{broke}, so {} serves again until the channel has a new sequence: `cogwit rollback` confirms it, and `cogwit publish` brings something better",
            back.named()
        );
        back.problem = Some(reason.clone());
        back.reverted = Some(Reverted { release: left.release.clone(), sequence: left.sequence, reason });
        back.checked(Some(following), SystemTime::now()).is_ok().then_some(back)
    }

    /// Lets a set take the place of what serves, which is then kept for a while. A set that was only signed again goes on.
    pub(super) fn swap(&mut self, set: Arc<PolicySet>, channel: Verified, now: Instant) {
        if !self.set.as_ref().is_ok_and(|before| Arc::ptr_eq(before, &set)) {
            let is_way_back = self.confirmed.is_some() && !self.left.contains(&channel.payload.release);
            let named = self.set.as_ref().ok().zip(self.channel.as_ref());
            self.previous = named.map(|(before, channel)| Previous {
                set: before.clone(),
                channel: channel.clone(),
                tally: self.tally.clone(),
                until: now + KEPT,
                is_way_back,
            });
            self.left.truncate(MOST_LEFT - 1);
            self.left.splice(..0, self.channel.as_ref().map(|channel| channel.payload.release.clone()));
            self.tally = Arc::default();
        }
        (self.set, self.channel, self.reverted) = (Ok(set), Some(channel), None);
    }

    /// Lets go of what served before, once nobody is likely to want it back.
    pub(super) fn let_go(&mut self, now: Instant) {
        self.previous.take_if(|previous| previous.until <= now);
    }

    /// Whether what the host went back to by itself must not decide any more, so that what it left is better than nothing.
    pub(super) fn is_back_in_vain(&self, following: &Following, now: SystemTime) -> bool {
        self.reverted.is_some() && following.deny_expired && self.is_expired(now)
    }

    fn named(&self) -> String {
        let name = self.set.as_ref().map(|set| set.name.as_str()).unwrap_or_default();
        match &self.channel {
            Some(Verified { payload, .. }) => {
                format!("`{name}` of release {:.12}, sequence {},", payload.release, payload.sequence)
            }
            None => format!("`{name}` of no sequence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::RwLock;

    use super::*;
    use crate::policy::{Caps, Document};
    use crate::release::Channel;
    use crate::run::Engine;
    use crate::store::{Admission, Package};

    fn set() -> Arc<PolicySet> {
        let text = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\n";
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies-wasm/auto-confirm-domain.wasm");
        let components = BTreeMap::from([("it.wasm".to_owned(), std::fs::read(file).unwrap())]);
        let package = Package::of(Document::parse(text).unwrap(), components);
        let caps = Caps::default();
        let admission = Admission::new(Engine::new(1, caps.limits.memory).unwrap());
        Arc::new(admission.admit(&package, &caps, |_| None).unwrap())
    }

    fn channel(sequence: u64, expires: Option<SystemTime>) -> Verified {
        let payload = Payload {
            schema: 1,
            set: "it".to_owned(),
            channel: "prod".to_owned(),
            release: sequence.to_string().repeat(64),
            sequence,
            issued: SystemTime::UNIX_EPOCH,
            key: None,
            previous: None,
            expires,
        };
        Verified { payload, key: None, object: Channel { payload: String::new(), signature: String::new() } }
    }

    fn served(expires: Option<SystemTime>, now: Instant) -> Serving {
        let confirmed = Some(SystemTime::now());
        let mut serving = Serving { channel: Some(channel(1, expires)), confirmed, ..Serving::of(Ok(set())) };
        serving.swap(set(), channel(2, None), now);
        serving
    }

    #[test]
    fn what_served_before_is_kept_for_ten_minutes() {
        let now = Instant::now();
        let (soon, late) = (now + Duration::from_secs(599), now + Duration::from_secs(600));
        let mut serving = served(None, now);
        let back = |serving: &Serving, now| serving.back("it broke", &Following::default(), now);
        assert_eq!(back(&serving, soon).unwrap().sequence(), Some(1));
        assert!(back(&serving, late).is_none());
        serving.let_go(soon);
        assert!(serving.previous.is_some());
        serving.let_go(late);
        assert!(serving.previous.is_none());
    }

    #[test]
    fn what_the_store_never_confirmed_is_no_way_back() {
        let now = Instant::now();
        let mut serving = Serving { channel: Some(channel(1, None)), ..Serving::of(Ok(set())) };
        serving.swap(set(), channel(2, None), now);
        assert!(serving.previous.is_some() && serving.back("it broke", &Following::default(), now).is_none());
    }

    #[test]
    fn what_the_operator_went_back_from_is_no_way_back() {
        let now = Instant::now();
        let back = |serving: &Serving| serving.back("it broke", &Following::default(), now).map(|it| it.sequence());
        let mut serving = served(None, now);
        let (first, second) = (serving.previous.as_ref().unwrap().set.clone(), serving.set.clone().unwrap());
        assert_eq!(back(&serving), Some(Some(1)));
        // The release of sequence 1 again.
        let again = |sequence| {
            let payload = Payload { sequence, ..channel(1, None).payload };
            Verified { payload, ..channel(1, None) }
        };
        serving.swap(first.clone(), again(3), now);
        assert!(Arc::ptr_eq(&serving.previous.as_ref().unwrap().set, &second) && back(&serving).is_none());
        serving.swap(first, again(4), now);
        assert!(back(&serving).is_none());
        // What comes next is new.
        serving.swap(set(), channel(5, None), now);
        assert_eq!(back(&serving), Some(Some(4)));
    }

    #[test]
    fn releases_that_were_left_are_remembered_in_bounds() {
        let mut serving = served(None, Instant::now());
        let sets = [set(), serving.set.clone().unwrap()];
        let taken = (3..99).zip(sets.iter().cycle());
        taken.for_each(|(sequence, set)| serving.swap(set.clone(), channel(sequence, None), Instant::now()));
        assert_eq!((serving.left.len(), &serving.left[0]), (MOST_LEFT, &"97".repeat(64)));
    }

    #[test]
    fn each_look_at_the_store_lets_go_of_what_is_too_long_ago() {
        let long_ago = Instant::now().checked_sub(KEPT).unwrap();
        for (since, is_kept) in [(Instant::now(), true), (long_ago, false)] {
            let live = Live { current: RwLock::new(Arc::new(served(None, since))), channel: None };
            live.take_over(Ok(None), 0, SystemTime::now());
            assert_eq!(live.serving().previous.is_some(), is_kept);
        }
    }

    #[test]
    fn what_broke_too_often_since_it_was_left_is_no_way_back() {
        let now = Instant::now();
        let serving = served(None, now);
        let Some(previous) = &serving.previous else { panic!("nothing is kept") };
        (0..5).for_each(|_| {
            previous.tally.count(true, |_| ());
        });
        assert!(serving.back("it broke", &Following::default(), now).is_none());
    }

    #[test]
    fn a_set_that_must_not_decide_is_no_way_back() {
        let now = Instant::now();
        let serving = served(Some(SystemTime::UNIX_EPOCH), now);
        let strict = Following { deny_expired: true, ..Following::default() };
        assert!(serving.back("it broke", &strict, now).is_none());
        assert!(serving.back("it broke", &Following::default(), now).is_some());
    }
}
