//! Gives a policy what it may ask of its host: one file for each interface.

mod config;
mod logging;
mod raw_event;

use wasmtime::component::Linker;

use super::context::Context;

pub(super) use logging::Log;

/// The interfaces that every policy may import, with the version that this host has. A prerelease matches exactly.
pub(super) const FOR_ALL: [(&str, &str); 3] = [config::NAME, logging::NAME, raw_event::NAME];

/// A linker with the interfaces that every policy may import.
pub(super) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Context>> {
    let mut linker = Linker::new(engine);
    config::add_to(&mut linker)?;
    logging::add_to(&mut linker)?;
    raw_event::add_to(&mut linker)?;
    Ok(linker)
}

fn full_name((interface, version): (&str, &str)) -> String {
    format!("{interface}@{version}")
}
