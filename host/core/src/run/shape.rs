//! Reads what a component asks for and offers, before any of its code runs.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Parser, Payload, ValidPayload, Validator};

use super::cost::estimate;
use super::engine::Engine;
use super::imports::{FOR_ALL, Need, need};
use super::native::NativeError;
use super::version::{interface, is_version_of};
use crate::event::Trigger;
use crate::policy::Capability;
use crate::text::one_line;

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
    /// Whether components inside of it have code of their own.
    pub composed: bool,
    /// The interface by which it checks its own settings, as named.
    pub settings: Option<String>,
}

/// One import of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name, with the version.
    pub name: String,
    /// What the host has to do about it.
    pub need: Need,
}

/// Why a file is no policy for this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// No WebAssembly at all.
    #[error("not WebAssembly: a component begins with the bytes `\\0asm`; build one with `cogwit pack`")]
    NotWasm,
    /// A core module.
    #[error(
        "a core WebAssembly module, not a component: turn it into one with `wasm-tools component new`, or build with `cogwit pack`"
    )]
    CoreModule,
    /// Not valid, or more than the engine takes.
    #[error("the component is not valid here: {0}; build it again")]
    Invalid(String),
    /// Machine code that cannot be used.
    #[error("its machine code cannot be used: {0}")]
    Native(NativeError),
    /// Too large to be compiled where time is short, and without machine code.
    #[error(
        "it has {size} bytes and no machine code for this host{because}, which compiles {most} bytes at most: make it with `cogwit native`"
    )]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The most that this host compiles, in bytes.
        most: usize,
        /// Why machine code that there is cannot be used, in parentheses; else empty.
        because: String,
    },
    /// Components in components, deeper than any tool nests them.
    #[error("it nests components more than {0} deep: build it with `cogwit pack` or `wasm-tools component new`")]
    Nested(usize),
    /// A function that takes too long to compile.
    #[error("its core function {index} has {found} {what}, and this host compiles at most {max}: split the function")]
    CostlyFunction {
        /// The function's index in its core module.
        index: usize,
        /// What was counted.
        what: &'static str,
        /// How many there are, or how many were counted until it was too much.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// A component that takes too long to compile.
    #[error(
        "it has {found} {what}, and this host compiles at most {max}: build it smaller, such as with optimization for size"
    )]
    Costly {
        /// What was counted.
        what: &'static str,
        /// How many there are, or how many were counted until it was too much.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// A component that takes too long to compile where time is short.
    #[error(
        "compiling it takes {cost} units of work, and of the {max} that this host spends on a set when it starts {left} are left: make it with `cogwit native`"
    )]
    CostlyAtStart {
        /// What it costs, in units.
        cost: u64,
        /// What other components of the set left, in units.
        left: u64,
        /// The limit for a set, in units.
        max: u64,
    },
    /// It is still being compiled. This judges nothing.
    #[error("it takes more than {} s to compile here; it is tried again, and with `--native` it need not be compiled", limit.as_secs())]
    SlowToCompile {
        /// How long its caller waited.
        limit: Duration,
    },
    /// Another component is still being compiled, for a caller that gave up. This judges nothing.
    #[error("it is not compiled while another component is, which takes long; it is tried again")]
    CompilerBusy,
    /// Components with code inside the component. What they pass each other, the engine copies and transcodes for them, and
    /// fuel does not count that: only the deadline bounds it.
    #[error(
        "it holds components with code of their own, whose copying no fuel counts: build it as one component or, for a language runtime, add `capabilities = [\"wasi\"]` to the policy"
    )]
    Composed,
    /// An import that this host does not give.
    #[error(
        "it imports `{0}`, which this host does not give: build the policy without it (policies in Rust: for wasm32-unknown-unknown)"
    )]
    Import(String),
    /// An import that the set has to grant and did not.
    #[error(
        "it imports `{}`, which {} not granted: if it may have {}, add `capabilities = [\"{capability}\"]` to the policy",
        imports.join("`, `"),
        if imports.len() == 1 { "is" } else { "are" },
        if imports.len() == 1 { "it" } else { "them" }
    )]
    NotGranted {
        /// The imports.
        imports: Vec<String>,
        /// What to grant.
        capability: Capability,
    },
    /// An interface of another version.
    #[error("it was built for `{found}`, but this host has `{ours}`: build it for that version, or use a newer host")]
    Version {
        /// The interface, with its version.
        found: String,
        /// The interface of this host.
        ours: String,
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

impl ShapeError {
    /// Whether this judges nothing, since the time was too short.
    pub(crate) fn is_of_time(&self) -> bool {
        matches!(self, Self::SlowToCompile { .. } | Self::CompilerBusy)
    }
}

/// How deep components may stand in components. Tools nest one deep, for their shims.
const DEPTH: usize = 4;

impl ShapeError {
    pub(super) fn invalid(error: impl fmt::Display) -> Self {
        // With its cause, where it has one.
        Self::Invalid(one_line(&format!("{error:#}")))
    }
}

impl Shape {
    /// Reads the types of a component, without its code.
    ///
    /// The compiler needs memory that grows with the square of the nesting, so that has a bound.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ShapeError> {
        match bytes.get(..8) {
            Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => return Err(ShapeError::CoreModule),
            Some([0, b'a', b's', b'm', ..]) => {}
            _ => return Err(ShapeError::NotWasm),
        }
        let mut validator = Validator::new();
        let (mut depth, mut composed, mut types) = (0, false, None);
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(ShapeError::invalid)?;
            match &payload {
                Payload::ComponentSection { .. } if depth == DEPTH => return Err(ShapeError::Nested(DEPTH)),
                Payload::ComponentSection { .. } => depth += 1,
                Payload::ModuleSection { .. } => {
                    composed |= depth > 0;
                    depth += 1;
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section.clone() {
                        imports.push(import.map_err(ShapeError::invalid)?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section.clone() {
                        exports.push(export.map_err(ShapeError::invalid)?.name.name);
                    }
                }
                // The outermost component ends too.
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if let ValidPayload::End(ended) = validator.payload(&payload).map_err(ShapeError::invalid)? {
                types = Some(ended);
            }
        }
        let types_only = |name: &str| {
            let types = types.as_ref()?;
            match types.component_item_for_import(name)?.ty {
                ComponentEntityType::Instance(id) => {
                    let mut exports = types[id].exports.values();
                    Some(exports.all(|item| matches!(item.ty, ComponentEntityType::Type { .. })))
                }
                ComponentEntityType::Type { .. } => Some(true),
                _ => Some(false),
            }
        };
        let imports = imports.into_iter().map(|name| {
            let need = if types_only(name) == Some(true) { Need::Nothing } else { need(name) };
            Import { name: one_line(name), need }
        });
        let ours: Vec<&str> = exports.into_iter().filter_map(|name| name.strip_prefix(PACKAGE)).collect();
        let (settings, triggers): (Vec<_>, Vec<_>) = ours.into_iter().partition(|name| interface(name) == SETTINGS);
        Ok(Self {
            composed,
            imports: imports.collect(),
            triggers: triggers.into_iter().map(one_line).collect(),
            settings: settings.into_iter().next().map(one_line),
        })
    }

    /// The triggers that the component answers, if this host can serve it with what is granted.
    ///
    /// # Errors
    ///
    /// Every import and export that this host cannot serve.
    pub fn answers(&self, granted: &BTreeSet<Capability>) -> Result<Vec<Trigger>, Vec<ShapeError>> {
        let mut errors: Vec<_> = self.imports.iter().filter(|it| it.need == Need::Refused).map(refused).collect();
        for capability in Capability::ALL {
            let needs = |import: &&Import| import.need == Need::Capability(capability);
            let imports: Vec<_> = self.imports.iter().filter(needs).map(|import| import.name.clone()).collect();
            if !imports.is_empty() && !granted.contains(&capability) && !granted.contains(&Capability::Wasi) {
                errors.push(ShapeError::NotGranted { imports, capability });
            }
        }
        if self.composed && !granted.contains(&Capability::Wasi) {
            errors.push(ShapeError::Composed);
        }
        errors.extend(self.settings.as_ref().and_then(|settings| check_version(settings, SETTINGS).err()));
        let mut triggers = Vec::new();
        for name in &self.triggers {
            trigger(name).map_or_else(|error| errors.push(error), |trigger| triggers.push(trigger));
        }
        if self.triggers.is_empty() {
            errors.push(ShapeError::NoTrigger);
        }
        if errors.is_empty() { Ok(triggers) } else { Err(errors) }
    }
}

/// Why an import is refused: it is of another version, or not known at all.
fn refused(import: &Import) -> ShapeError {
    let name = &import.name;
    match FOR_ALL.iter().find(|given| interface(name) == interface(given)) {
        Some(ours) => ShapeError::Version { found: name.clone(), ours: (*ours).to_owned() },
        None => ShapeError::Import(name.clone()),
    }
}

/// The trigger of an exported interface, such as `pre-sign-up@0.1.0`.
fn trigger(name: &str) -> Result<Trigger, ShapeError> {
    let known: Option<Trigger> = interface(name).parse().ok();
    let trigger = known.ok_or_else(|| ShapeError::UnknownInterface(format!("{PACKAGE}{name}")))?;
    check_version(name, trigger.name()).map(|()| trigger)
}

/// Whether an exported interface is of the version that this host speaks.
fn check_version(name: &str, interface: &str) -> Result<(), ShapeError> {
    let ours = format!("{interface}@{WIT_VERSION}");
    match is_version_of(name, &ours) {
        true => Ok(()),
        false => Err(ShapeError::Version { found: format!("{PACKAGE}{name}"), ours: format!("{PACKAGE}{ours}") }),
    }
}

impl Engine {
    /// Reads the shape of a component without compiling it.
    ///
    /// # Errors
    ///
    /// Where the bytes are not a component, or cost too much to compile.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Shape, ShapeError> {
        let shape = Shape::read(bytes)?;
        estimate(bytes).map(|_| shape)
    }

    /// What a component costs to compile, in units of work. It is the same on every machine.
    ///
    /// # Errors
    ///
    /// Where the bytes are not a component, or cost more than any host compiles.
    pub fn compile_cost(&self, bytes: &[u8]) -> Result<u64, ShapeError> {
        Shape::read(bytes)?;
        estimate(bytes)
    }
}
