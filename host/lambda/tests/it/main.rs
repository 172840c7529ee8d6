//! Holds the Lambda host to its promises, from outside: every test starts the program, and is its Runtime API.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

mod channel;
mod events;
mod faults;
mod host;
mod package;
#[path = "../../../tests/probe.rs"]
mod probe;
mod record;
mod refused;
mod revert;
mod runtime_api;
#[path = "../../../tests/s3/mod.rs"]
#[expect(dead_code, reason = "no host writes to the store")]
mod s3;
#[path = "../../../tests/scenario.rs"]
mod scenario;
mod scenarios;
mod secrets;
mod shadows;
mod sides;
#[path = "../../../tests/split.rs"]
mod split;
mod start;
mod store;
mod swap;
mod variables;
