//! Reads what a component asks for and offers, before any of its code runs.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::engine::Engine;
use super::has_interface;
use super::imports::FOR_ALL;
use crate::event::Trigger;

/// The version of `cogwit:triggers` that this host speaks.
pub const WIT_VERSION: &str = "0.1.0";

const PACKAGE: &str = "cogwit:triggers/";
const SETTINGS: &str = "settings";

/// What a component imports and exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its imports in order.
    pub imports: Vec<Import>,
    /// The trigger interfaces that it exports, as named: with their version.
    pub triggers: Vec<String>,
    /// Whether it checks its own settings.
    pub settings: bool,
}

/// One import of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name, with the version.
    pub name: String,
    /// What the host has to do about it.
    pub need: Need,
}

/// What an import needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it only names types.
    Nothing,
    /// An interface that every policy may import.
    Given,
    /// An interface that this host does not give.
    Refused,
}

/// Why a file is no policy for this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// No WebAssembly at all.
    #[error("not WebAssembly: a component begins with the bytes `\\0asm`; build one with `cargo pack`")]
    NotWasm,
    /// A core module.
    #[error(
        "a core WebAssembly module, not a component: turn it into one with `wasm-tools component new`, or build with `cargo pack`"
    )]
    CoreModule,
    /// Not valid, or more than the engine takes.
    #[error("the component is not valid here: {0}; build it again")]
    Invalid(String),
    /// An import that this host does not give.
    #[error(
        "it imports `{0}`, which this host does not give: build the policy without it (policies in Rust: for wasm32-unknown-unknown)"
    )]
    Import(String),
    /// An interface of another version.
    #[error(
        "it was built for `{found}`, but this host has version {WIT_VERSION}: build it with an SDK of that version, or use a newer host"
    )]
    Version {
        /// The interface, with the version.
        found: String,
    },
    /// A trigger interface that this host does not know.
    #[error("it exports `{0}`, which is no trigger interface of this host: use a newer host")]
    UnknownInterface(String),
    /// No trigger interface.
    #[error(
        "it exports no trigger interface, so it would never run: export one, such as `cogwit:triggers/pre-sign-up@{WIT_VERSION}`"
    )]
    NoTrigger,
}

/// Compiles a component.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, ShapeError> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => return Err(ShapeError::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => {}
        _ => return Err(ShapeError::NotWasm),
    }
    Component::new(&engine.wasmtime, bytes).map_err(|error| ShapeError::Invalid(printable(&format!("{error:#}"))))
}

/// A text that a component may have had a hand in, on one line and without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Shape {
    pub(super) fn of(component: &Component, engine: &Engine) -> Self {
        let ty = component.component_type();
        let imports = ty.imports(&engine.wasmtime).map(|(name, item)| {
            let types_only = match &item.ty {
                ComponentItem::ComponentInstance(instance) => {
                    instance.exports(&engine.wasmtime).all(|(_, export)| matches!(export.ty, ComponentItem::Type(_)))
                }
                ComponentItem::Type(_) => true,
                _ => false,
            };
            let need = match name {
                _ if types_only => Need::Nothing,
                name if FOR_ALL.iter().any(|given| is_version_of(name, given)) => Need::Given,
                _ => Need::Refused,
            };
            Import { name: printable(name), need }
        });
        let imports = imports.collect();
        let ours: Vec<&str> = ty.exports(&engine.wasmtime).filter_map(|(name, _)| name.strip_prefix(PACKAGE)).collect();
        let (settings, triggers): (Vec<_>, Vec<_>) = ours.into_iter().partition(|name| interface(name) == SETTINGS);
        Self { imports, triggers: triggers.into_iter().map(printable).collect(), settings: !settings.is_empty() }
    }

    /// The triggers that the component answers, if this host can serve it.
    ///
    /// # Errors
    ///
    /// The first import or export that this host cannot serve.
    pub fn answers(&self) -> Result<Vec<Trigger>, ShapeError> {
        if let Some(import) = self.imports.iter().find(|import| import.need == Need::Refused) {
            let known = FOR_ALL.iter().any(|given| interface(&import.name) == interface(given));
            return Err(match known {
                true => ShapeError::Version { found: import.name.clone() },
                false => ShapeError::Import(import.name.clone()),
            });
        }
        let triggers: Vec<_> = self.triggers.iter().map(|name| trigger(name)).collect::<Result<_, _>>()?;
        if triggers.is_empty() { Err(ShapeError::NoTrigger) } else { Ok(triggers) }
    }
}

/// The trigger of an exported interface, such as `pre-sign-up@0.1.0`.
fn trigger(name: &str) -> Result<Trigger, ShapeError> {
    let known = interface(name).parse().ok().filter(|trigger| has_interface(*trigger));
    let trigger = known.ok_or_else(|| ShapeError::UnknownInterface(format!("{PACKAGE}{name}")))?;
    match is_version_of(name, &format!("{trigger}@{WIT_VERSION}")) {
        true => Ok(trigger),
        false => Err(ShapeError::Version { found: format!("{PACKAGE}{name}") }),
    }
}

/// The name without its version.
fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

/// Whether `given` answers to `asked`: the same interface, and the same track or, for a prerelease, the same version.
fn is_version_of(asked: &str, given: &str) -> bool {
    let (Some((theirs, version)), Some((ours, our_version))) = (asked.split_once('@'), given.split_once('@')) else {
        return false;
    };
    let wanted = track(version);
    theirs == ours && (version == our_version || (wanted.is_some() && wanted == track(our_version)))
}

/// What two versions must share to be compatible: `0.1` of 0.1.7, `2` of 2.3.4. None for a prerelease and for 0.0.x.
fn track(version: &str) -> Option<&str> {
    let (major, rest) = version.split_once('.')?;
    let (minor, patch) = rest.split_once('.')?;
    let plain = [major, minor, patch].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    match (plain, major, minor) {
        (false, ..) | (_, "0", "0") => None,
        (_, "0", _) => version.get(..major.len() + 1 + minor.len()),
        _ => Some(major),
    }
}

impl Engine {
    /// Reads the shape of a component without preparing it to run.
    ///
    /// # Errors
    ///
    /// Where the bytes are no valid component.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Shape, ShapeError> {
        Ok(Shape::of(&compile(self, bytes)?, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_track() {
        for (name, given, same) in [
            ("a:b/c@0.1.7", "0.1.0", true),
            ("a:b/c@0.2.0", "0.1.0", false),
            ("a:b/c@2.5.0", "2.0.1", true),
            ("a:b/c@0.0.2", "0.0.1", false),
            ("a:b/c@0.1.0-draft", "0.1.0-draft", true),
            ("a:b/c@0.1.0-draft", "0.1.0", false),
            ("a:b/c", "0.1.0", false),
            ("a:b/cc@0.1.0", "0.1.0", false),
        ] {
            assert_eq!(is_version_of(name, &format!("a:b/c@{given}")), same, "{name} {given}");
        }
    }
}
