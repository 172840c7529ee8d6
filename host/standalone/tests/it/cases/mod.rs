//! Tests policies by cases: `cogwit test`.

mod expect;
mod output;
mod probes;
