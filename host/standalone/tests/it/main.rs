//! Holds the command line to its promises, from outside: every test starts the program itself.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

mod cases;
mod config;
mod event;
mod faults;
mod grants;
mod inspect;
mod keygen;
mod new;
#[cfg(unix)]
mod pack;
mod program;
mod readme;
mod refused;
mod run;
#[path = "../../../tests/scenario.rs"]
mod scenario;
mod scenarios;
mod settings;
mod streams;
mod support;
mod validate;
