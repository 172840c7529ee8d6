//! Tests policies by cases: `cogwit test`.

mod discovery;
mod expect;
mod output;
mod overlay;
mod probes;
