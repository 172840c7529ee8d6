//! Is a policy's component, compiled, linked and looked up once, and shared by every decision.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime::component::InstancePre;

use super::bindings::{Denial, Indices, Request, Response, exports};
use super::compile::compile;
use super::context::Context;
use super::engine::Engine;
use super::fault::WrongTypes;
use super::imports;
use super::instance::{Ran, World, run};
use super::native::Native;
use super::shape::{Import, Shape, ShapeError};
use crate::event::Trigger;
use crate::policy::{Capability, Settings};
use crate::redact::{PolicyText, of_component};

/// A component that is ready to run. Nothing about it changes from here on.
pub struct Prepared {
    pub(super) engine: Engine,
    pub(super) pre: InstancePre<Context>,
    triggers: Indices,
    settings: Option<exports::settings::GuestIndices>,
    answers: Vec<Trigger>,
    imports: Vec<Import>,
    /// The text that it was built with.
    text: Arc<[u8]>,
}

impl Prepared {
    /// Compiles a component, or takes its machine code, and finds its interfaces, linked with what it may import. None of its
    /// code runs.
    ///
    /// # Errors
    ///
    /// Where the bytes are no component, and all that they ask for and this host does not give.
    pub fn new(
        engine: &Engine,
        bytes: &[u8],
        native: Option<&Native>,
        granted: &BTreeSet<Capability>,
    ) -> Result<Self, Vec<ShapeError>> {
        let invalid = |error: wasmtime::Error| vec![ShapeError::invalid(error)];
        let shape = Shape::read(bytes).map_err(|error| vec![error])?;
        let answers = shape.answers(granted)?;
        let component = compile(engine, bytes, native).map_err(|error| vec![error])?;
        let linker = imports::linker(&component, granted).map_err(invalid)?;
        let pre = linker.instantiate_pre(&component).map_err(invalid)?;
        let triggers = Indices::find(&pre, &answers).map_err(invalid)?;
        let settings = shape
            .settings
            .is_some()
            .then(|| exports::settings::GuestIndices::new(&pre))
            .transpose()
            .map_err(invalid)?;
        Ok(Self {
            engine: engine.clone(),
            pre,
            triggers,
            settings,
            answers,
            imports: shape.imports,
            text: of_component(bytes).into(),
        })
    }

    /// The triggers that it answers.
    pub fn answers(&self) -> &[Trigger] {
        &self.answers
    }

    /// What it imports.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// What a policy of this component with these settings writes of its own.
    pub(crate) fn text_with(&self, settings: &Arc<Settings>) -> PolicyText {
        PolicyText::new(self.text.clone(), settings.clone())
    }

    /// Asks the policy for its verdict, in a fresh instance.
    pub(crate) fn decide(&self, request: &Request, world: &World<'_>) -> Ran<Result<Response, Denial>> {
        run(self, world, |store, instance| self.triggers.decide(store, instance, request))
    }

    /// Checks the types of every trigger interface and has the policy check its settings, in a fresh instance.
    pub(crate) fn check(&self, world: &World<'_>) -> Ran<Result<(), String>> {
        run(self, world, |mut store, instance| {
            self.triggers.check(&mut store, instance).map_err(WrongTypes::new)?;
            let Some(settings) = &self.settings else { return Ok(Ok(())) };
            settings.load(&mut store, instance).map_err(WrongTypes::new)?.call_validate(&mut store)
        })
    }
}
