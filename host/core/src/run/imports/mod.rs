//! Gives a policy what it may ask of its host: one file for each interface.

mod config;
mod logging;
mod raw_event;
mod wasi;
mod need;
mod linker;

pub(super) use linker::linker;
pub(super) use logging::Log;
pub use need::Need;
pub(super) use need::{FOR_ALL, need};
