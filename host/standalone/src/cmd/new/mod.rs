//! Makes a crate for a policy that builds, tests and packs at once. Start at `command`.

/// From the command line to the files.
mod command;
/// What a crate may be called.
mod name;
/// Where the crate gets the SDK from.
mod sdk;
/// What is written into it.
mod template;

pub(crate) use command::{Args, run};
