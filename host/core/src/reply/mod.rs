//! Writes what Cognito is told: the event with what the policies set, or a refusal.

mod splice;
mod refusal;

pub use refusal::{ErrorType, Refusal};
pub(crate) use splice::splice;
