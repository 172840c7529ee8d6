//! Holds the core to its promises, from outside.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests fail loudly"
)]

mod buckets;
mod candidates;
mod capabilities;
mod corpus;
mod determinism;
mod fidelity;
mod flows;
mod hostile_store;
mod house;
mod limits;
mod live;
mod many;
mod members;
mod native;
mod publish;
mod reference;
mod refused;
mod revert;
mod rules;
#[path = "../../../tests/s3/mod.rs"]
mod s3;
mod s3_server;
#[path = "../../../tests/scenario.rs"]
#[expect(dead_code, reason = "the hosts' tests use the rest")]
mod scenario;
mod scenarios;
mod secrets;
mod shadows;
mod ship;
mod signed;
#[path = "../../../tests/split.rs"]
mod split;
mod support;
mod weather;
