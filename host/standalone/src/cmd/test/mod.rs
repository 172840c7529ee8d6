//! Runs cases: events, each with what is expected of its decision.

mod command;
mod find;
mod subject;
mod runner;
mod text;
mod json;
mod junit;
mod update;
mod watch;

pub(crate) use command::{Args, run};
