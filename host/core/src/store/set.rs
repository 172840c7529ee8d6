//! Is a policy set that serves: everything compiled, checked and resolved, and nothing that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Header, OnFault, Trigger, Unmatched};
use crate::policy::{Limits, Mode, Settings, When};
use crate::redact::Redactor;
use crate::run::Prepared;

use super::rollout::{Side, bucket};

/// An admitted policy set: what [`crate::store::Admission`] gives, and nobody else.
#[non_exhaustive]
pub struct PolicySet {
    /// Its name.
    pub name: String,
    /// The digest of its document.
    pub digest: String,
    /// Its policies, in the order in which they run.
    pub policies: Vec<Policy>,
    /// What becomes of an event that no policy answers. None: by trigger.
    pub unmatched: Option<Unmatched>,
    /// The wall time of a whole chain.
    pub chain_deadline: Duration,
    /// What its operator should know.
    pub warnings: Vec<super::Finding>,
    /// The values of every policy's secret settings.
    pub(crate) secrets: Redactor,
    /// The key by which users are parted between a policy and its candidate.
    pub(super) rollout_key: String,
    /// Where to look for the policies that answer a trigger.
    pub(super) index: BTreeMap<Trigger, Index>,
    /// Where to look for those that only look on.
    pub(super) shadows: BTreeMap<Trigger, Index>,
}

/// An admitted policy.
#[non_exhaustive]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The digest of its component, in hexadecimal.
    pub digest: String,
    /// The triggers that it answers.
    pub triggers: Vec<Trigger>,
    /// Which of their events.
    pub when: When,
    /// Whether it answers, or only looks on.
    pub mode: Mode,
    /// What becomes of a decision when it faults. None: by trigger.
    pub on_fault: Option<OnFault>,
    /// What one run may use.
    pub limits: Limits,
    /// Its settings.
    pub settings: Arc<Settings>,
    /// The component. Policies of one component share it.
    pub prepared: Arc<Prepared>,
    /// What stands in for it for some users.
    pub candidate: Option<Box<Candidate>>,
}

/// What stands in for a policy for some of its users.
#[non_exhaustive]
pub struct Candidate {
    /// The policy that it would be by itself.
    pub policy: Policy,
    /// Of a hundred users, how many it answers.
    pub rollout: u8,
}

/// The policies of one trigger, by their places in the set: those that have a condition of one value, by that value, so that a
/// set of a thousand app clients costs an event no more than a set of ten.
#[derive(Default)]
pub(super) struct Index {
    by_client: BTreeMap<String, Vec<usize>>,
    by_pool: BTreeMap<String, Vec<usize>>,
    others: Vec<usize>,
}

impl Index {
    /// Indexes the policies of a set that are in this mode.
    pub(super) fn of(policies: &[Policy], mode: Mode) -> BTreeMap<Trigger, Self> {
        let mut all = BTreeMap::<Trigger, Self>::new();
        for (place, policy) in policies.iter().enumerate().filter(|(_, policy)| policy.mode == mode) {
            for trigger in policy.triggers.iter().copied().collect::<BTreeSet<_>>() {
                all.entry(trigger).or_default().add(place, &policy.when);
            }
        }
        all
    }

    fn add(&mut self, place: usize, when: &When) {
        let (values, by) = match when {
            When { client_id: Some(clients), .. } => (clients, &mut self.by_client),
            When { user_pool_id: Some(pools), .. } => (pools, &mut self.by_pool),
            _ => return self.others.push(place),
        };
        for value in values.iter().collect::<BTreeSet<_>>() {
            by.entry(value.clone()).or_default().push(place);
        }
    }

    /// The places of policies that may answer an event, in the set's order. Those left out do not.
    fn candidates(&self, header: &Header<'_>) -> Vec<usize> {
        let found = |by: &BTreeMap<String, Vec<usize>>, value: Option<&str>| -> Vec<usize> {
            value.and_then(|value| by.get(value)).cloned().unwrap_or_default()
        };
        let mut places = found(&self.by_client, header.client_id.as_deref());
        places.extend(found(&self.by_pool, header.user_pool_id.as_deref()));
        places.extend(&self.others);
        places.sort_unstable();
        places
    }
}

impl Policy {
    /// The policy and its candidate.
    pub fn sides(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.candidate.iter().map(|candidate| &candidate.policy))
    }
}

impl PolicySet {
    /// The triggers that any of its policies answers, sorted.
    pub fn answers(&self) -> BTreeSet<Trigger> {
        self.index.keys().copied().collect()
    }

    /// The values of every policy's secret settings, which must not be written.
    pub fn secrets(&self) -> &Redactor {
        &self.secrets
    }

    /// The policies that answer an event of a trigger, in the set's order.
    pub(crate) fn answering(&self, trigger: Trigger, header: &Header<'_>) -> Vec<&Policy> {
        self.matching(&self.index, trigger, header)
    }

    /// The policies that look on at an event of a trigger, in the set's order.
    pub(crate) fn looking_on(&self, trigger: Trigger, header: &Header<'_>) -> Vec<&Policy> {
        self.matching(&self.shadows, trigger, header)
    }

    fn matching(&self, index: &BTreeMap<Trigger, Index>, trigger: Trigger, header: &Header<'_>) -> Vec<&Policy> {
        let places = index.get(&trigger).map(|index| index.candidates(header)).unwrap_or_default();
        let candidates = places.into_iter().filter_map(|place| self.policies.get(place));
        candidates.filter(|policy| policy.when.matches(header)).collect()
    }

    /// The side of a policy that answers an event, and which of both it is. None where it has no candidate.
    pub(crate) fn side<'a>(
        &self,
        policy: &'a Policy,
        header: &Header<'_>,
        given: Option<u8>,
    ) -> (&'a Policy, Option<Side>) {
        let Some(candidate) = &policy.candidate else { return (policy, None) };
        let bucket = given.unwrap_or_else(|| bucket(&self.rollout_key, &policy.name, header));
        if bucket < candidate.rollout {
            (&candidate.policy, Some(Side::Candidate))
        } else {
            (policy, Some(Side::Stable))
        }
    }
}
