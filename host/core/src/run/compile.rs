//! Compiles a component, once its outline is known to be harmless.

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use super::engine::Engine;
use super::shape::ShapeError;
use crate::text::one_line;

/// How deep components may stand in components. Tools nest one deep, for their shims.
const DEPTH: usize = 4;

/// Compiles a component. Its code does not run.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, ShapeError> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => return Err(ShapeError::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => {}
        _ => return Err(ShapeError::NotWasm),
    }
    check_outline(bytes)?;
    Component::new(&engine.wasmtime, bytes).map_err(|error| ShapeError::Invalid(one_line(&format!("{error:#}"))))
}

/// Walks the sections, nested ones included, without recursion.
///
/// The compiler needs memory that grows with the square of the nesting. And what two components pass each other, the engine
/// copies and transcodes for them, which costs no fuel; so code may stand in the outermost component only.
fn check_outline(bytes: &[u8]) -> Result<(), ShapeError> {
    // For each part that has begun and not ended: whether it is a component.
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| ShapeError::Invalid(one_line(&error.to_string())))? {
            Payload::ComponentSection { .. } if open.len() == DEPTH => return Err(ShapeError::Nested(DEPTH)),
            Payload::ModuleSection { .. } if !open.is_empty() => return Err(ShapeError::Composed),
            Payload::ComponentSection { .. } => open.push(true),
            Payload::ModuleSection { .. } => open.push(false),
            Payload::End(_) => drop(open.pop()),
            _ => {}
        }
    }
    Ok(())
}
