//! Links every WASI function that a component imports: first as a refusal, then ours over it.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};

use super::{cli, clocks, filesystem, io, random};
use crate::run::context::Context;
use crate::run::fault::NotGiven;

/// The packages of WASI that are given, with what all of their versions share.
pub(in crate::run) const PACKAGES: [(&str, &str); 6] = [
    ("wasi:cli/", "0.2"),
    ("wasi:clocks/", "0.2"),
    ("wasi:filesystem/", "0.2"),
    ("wasi:io/", "0.2"),
    ("wasi:random/", "0.2"),
    ("wasi:sockets/", "0.2"),
];

/// What a package adds to the interface of this name.
type Adder = fn(&mut LinkerInstance<'_, Context>, &str) -> wasmtime::Result<()>;

const ADDERS: [Adder; 5] = [cli::add_to, clocks::add_to, filesystem::add_to, io::add_to, random::add_to];

/// Links the WASI interfaces that `component` imports, under the very versions that it names.
pub(in crate::run) fn add_to(linker: &mut Linker<Context>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    linker.allow_shadowing(true);
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let Some((interface, _)) = name.split_once('@').filter(|_| PACKAGES.iter().any(|(it, _)| name.starts_with(it)))
        else {
            continue;
        };
        let mut linked = linker.instance(name)?;
        for (item, export) in instance.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => refuse(&mut linked, name, item)?,
                ComponentItem::Resource(_) => linked.resource(item, resource(item), |_, _| Ok(()))?,
                _ => {}
            }
        }
        ADDERS.iter().try_for_each(|add| add(&mut linked, interface))?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

fn refuse(linked: &mut LinkerInstance<'_, Context>, interface: &str, function: &str) -> wasmtime::Result<()> {
    let text = format!("called `{function}` of `{interface}`, which the locked-down WASI does not have");
    linked.func_new(function, move |_, _, _, _| Err(NotGiven(text.clone()).into()))
}

/// The type of a resource by its name, so that two interfaces that share one mean the same.
fn resource(name: &str) -> ResourceType {
    match name {
        "error" => ResourceType::host::<io::Error>(),
        "input-stream" => ResourceType::host::<io::InputStream>(),
        "output-stream" => ResourceType::host::<io::OutputStream>(),
        "pollable" => ResourceType::host::<io::Pollable>(),
        "descriptor" => ResourceType::host::<filesystem::Descriptor>(),
        "terminal-input" => ResourceType::host::<cli::TerminalInput>(),
        "terminal-output" => ResourceType::host::<cli::TerminalOutput>(),
        // Those of files and sockets, of which nobody ever gets one.
        _ => ResourceType::host::<()>(),
    }
}
