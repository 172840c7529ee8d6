//! Links what every policy may import.

use wasmtime::component::Linker;

use super::{config, logging, raw_event};
use crate::run::context::Context;

/// The interfaces that every policy may import, in the version that this host has.
pub(in crate::run) const FOR_ALL: [&str; 3] = [config::NAME, logging::NAME, raw_event::NAME];

/// A linker with the interfaces that every policy may import.
pub(in crate::run) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Context>> {
    let mut linker = Linker::new(engine);
    config::add_to(&mut linker)?;
    logging::add_to(&mut linker)?;
    raw_event::add_to(&mut linker)?;
    Ok(linker)
}
