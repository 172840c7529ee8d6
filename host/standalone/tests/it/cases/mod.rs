//! Tests policies by cases: `cogwit test`.

mod choice;
mod discovery;
mod errors;
mod expect;
mod output;
mod overlay;
pub(crate) mod probes;
mod update;
mod watch;
