//! Decides by what serves.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Live, Serving};
use crate::{Call, Decision, Shadow, decide, shadow};

impl Live {
    /// Decides one event by the set of `serving`, if that may decide at the time of the call. Whatever happens in there, there is
    /// a decision.
    pub fn decide(&self, serving: &Serving, call: &Call<'_>) -> Decision {
        let set = match self.set(serving, call.chance.now) {
            Ok(set) => set,
            Err(reason) => return Decision::fault(call.id, &reason),
        };
        let decided = catch_unwind(AssertUnwindSafe(|| decide(set, call)));
        let decision = decided.unwrap_or_else(|_| Decision::fault(call.id, "the host panicked; its log says where"));
        self.count(serving, &decision);
        decision
    }

    /// Lets the policies look on that do, at what `serving` decided. For hosts to call once the answer is given.
    pub fn look_on(&self, serving: &Serving, call: &Call<'_>, decision: &Decision) -> Vec<Shadow> {
        let looked = catch_unwind(AssertUnwindSafe(|| match self.set(serving, call.chance.now) {
            Ok(set) => shadow(set, call, decision),
            Err(_) => Vec::new(),
        }));
        looked.unwrap_or_default()
    }
}
