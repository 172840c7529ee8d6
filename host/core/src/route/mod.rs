//! Chooses: the trigger that an event is of, and the policies that answer it.

mod chain;

pub use chain::{chain, shadows, trigger};
