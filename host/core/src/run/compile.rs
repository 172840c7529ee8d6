//! Compiles a component, once it is known that this takes a bounded time.

use wasmtime::component::Component;

use super::cost::estimate;
use super::engine::Engine;
use super::native::Native;
use super::shape::ShapeError;

/// Compiles a component, or takes its machine code. None of its code runs.
pub(super) fn compile(engine: &Engine, bytes: &[u8], native: Option<&Native>) -> Result<Component, ShapeError> {
    match native {
        Some(native) => native.component(engine, bytes).map_err(ShapeError::Native),
        None => {
            estimate(bytes)?;
            Component::new(&engine.wasmtime, bytes).map_err(ShapeError::invalid)
        }
    }
}
