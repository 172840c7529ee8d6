//! Decides by what serves.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Live, Serving};
use crate::{Call, Decision, decide};

impl Live {
    /// Decides one event by the set of `serving`, if that may decide at the time of the call. Whatever happens in there, there is
    /// a decision.
    pub fn decide(&self, serving: &Serving, call: &Call<'_>) -> Decision {
        let decided = catch_unwind(AssertUnwindSafe(|| match self.set(serving, call.chance.now) {
            Ok(set) => decide(set, call),
            Err(reason) => Decision::fault(call.id, &reason),
        }));
        decided.unwrap_or_else(|_| Decision::fault(call.id, "the host panicked; its log says where"))
    }
}
