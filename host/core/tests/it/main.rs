//! Holds the core to its promises, from outside.

mod fidelity;
mod house;
mod limits;
mod refused;
#[path = "../../../tests/scenario.rs"]
mod scenario;
mod scenarios;
mod support;
