//! Is a policy set that serves: everything compiled, checked and resolved, and nothing that changes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{OnFault, Trigger, Unmatched};
use crate::policy::{Limits, Settings, When};
use crate::run::Prepared;

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
    /// What becomes of a decision when it faults. None: by trigger.
    pub on_fault: Option<OnFault>,
    /// What one run may use.
    pub limits: Limits,
    /// Its settings.
    pub settings: Arc<Settings>,
    /// The component. Policies of one component share it.
    pub prepared: Arc<Prepared>,
}

impl PolicySet {
    /// The triggers that any of its policies answers, sorted.
    pub fn answers(&self) -> BTreeSet<Trigger> {
        self.policies.iter().flat_map(|policy| policy.triggers.iter().copied()).collect()
    }
}
