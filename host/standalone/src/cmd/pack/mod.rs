//! Builds the policy crates of a folder into components. Start at `command`, which tells the whole way.

/// From the folder to the components in their set.
mod command;
/// What is told of each.
mod report;

pub(crate) use command::{Args, run};
