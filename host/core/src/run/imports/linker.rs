//! Links what a policy may import: what every policy may, and what its set granted.

use std::collections::BTreeSet;

use wasmtime::component::{Component, Linker};

use super::need::{Need, need};
use super::{config, logging, raw_event, wasi};
use crate::policy::Capability;
use crate::run::context::Context;
use crate::run::version::interface;

/// A linker with what `component` imports and was granted.
pub(in crate::run) fn linker(
    component: &Component,
    granted: &BTreeSet<Capability>,
) -> wasmtime::Result<Linker<Context>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    config::add_to(&mut linker)?;
    logging::add_to(&mut linker)?;
    raw_event::add_to(&mut linker)?;
    if granted.contains(&Capability::Wasi) {
        wasi::add_to(&mut linker, component)?;
        return Ok(linker);
    }
    for (name, _) in component.component_type().imports(engine) {
        match need(name) {
            Need::Capability(Capability::Clock) => wasi::add_clock(&mut linker.instance(name)?, interface(name))?,
            Need::Capability(Capability::Random) => wasi::add_random(&mut linker.instance(name)?, interface(name))?,
            _ => {}
        }
    }
    Ok(linker)
}
