//! Gives a policy what it may ask of its host: one file for each interface.

mod config;
mod logging;
mod raw_event;
mod linker;

pub(super) use linker::{FOR_ALL, linker};
pub(super) use logging::Log;
