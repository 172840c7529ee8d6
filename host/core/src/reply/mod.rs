//! Writes what Cognito is told: the event with what the policies set, or a refusal.

mod splice;
mod refusal;

pub use refusal::{ErrorType, Refusal, seen_by_caller};
pub(crate) use splice::{SpliceError, splice};
