//! Takes over a set that no channel named: one that was made anew while the host serves.

use std::sync::{Arc, PoisonError};

use super::{Live, Refreshed, Serving};
use crate::store::{Policy, PolicySet};

impl Live {
    /// Serves `set` from now on. Where it is a reason instead, what served before serves on, and the reason is its problem, until
    /// a set is offered again.
    pub fn offer(&self, set: Result<PolicySet, String>) -> Refreshed {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut serving = Serving::clone(&current);
        let refreshed = match set {
            Ok(set) => {
                let well = serving.problem.is_none();
                let same = serving.set.as_ref().is_ok_and(|before| is_same(before, &set));
                (serving.set, serving.problem) = (Ok(Arc::new(set)), None);
                if !same {
                    serving.tally = Arc::default();
                }
                if same && well { Refreshed::Unchanged } else { Refreshed::Swapped }
            }
            Err(reason) => {
                serving.set = serving.set.map_err(|_| reason.clone());
                serving.problem = Some(reason.clone());
                Refreshed::Failed(reason)
            }
        };
        *current = Arc::new(serving);
        refreshed
    }
}

/// Whether two sets have the same document and the same components.
fn is_same(one: &PolicySet, other: &PolicySet) -> bool {
    fn components(set: &PolicySet) -> impl Iterator<Item = &str> {
        set.policies.iter().flat_map(Policy::sides).map(|policy| policy.digest.as_str())
    }
    one.digest == other.digest && components(one).eq(components(other))
}
