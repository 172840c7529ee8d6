//! Gives a language runtime a WASI 0.2 that can do nothing: no files, network, environment or arguments.
//!
//! Written here rather than taken from `wasmtime-wasi` because nothing in it may block: epochs do not reach a host call, and
//! a sleep there would outlast every limit. Every pollable is ready at once, standard output goes to the log, time stands
//! still and random numbers are the operating system's. What is not given is a fault when it is called.

mod stub;
mod cli;
mod clocks;
mod filesystem;
mod io;
mod random;

pub(super) use clocks::{MONOTONIC_CLOCK, WALL_CLOCK, add_clock};
pub(super) use random::{RANDOM, add_random};
pub(super) use stub::{PACKAGES, add_to};
