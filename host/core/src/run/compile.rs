//! Compiles a component, once its outline is known to be harmless.

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use super::engine::Engine;
use super::native::Native;
use super::shape::ShapeError;
use crate::text::one_line;

/// How deep components may stand in components. Tools nest one deep, for their shims.
const DEPTH: usize = 4;

/// Compiles a component, or takes its machine code, and says whether components inside of it have code of their own. None of
/// its code runs.
pub(super) fn compile(engine: &Engine, bytes: &[u8], native: Option<&Native>) -> Result<(Component, bool), ShapeError> {
    let composed = check(bytes)?;
    let component = match native {
        Some(native) => native.component(engine, bytes).map_err(ShapeError::Native)?,
        None => Component::new(&engine.wasmtime, bytes)
            .map_err(|error| ShapeError::Invalid(one_line(&format!("{error:#}"))))?,
    };
    Ok((component, composed))
}

/// Refuses what is no component, or not harmless to compile, and says whether code stands below the outermost component.
pub(super) fn check(bytes: &[u8]) -> Result<bool, ShapeError> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(ShapeError::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => check_outline(bytes),
        _ => Err(ShapeError::NotWasm),
    }
}

/// Walks the sections, nested ones included, without recursion, and says whether code stands below the outermost component.
///
/// The compiler needs memory that grows with the square of the nesting, so that has a bound.
fn check_outline(bytes: &[u8]) -> Result<bool, ShapeError> {
    let (mut depth, mut composed) = (0, false);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| ShapeError::Invalid(one_line(&error.to_string())))? {
            Payload::ComponentSection { .. } if depth == DEPTH => return Err(ShapeError::Nested(DEPTH)),
            Payload::ComponentSection { .. } => depth += 1,
            Payload::ModuleSection { .. } => {
                composed |= depth > 0;
                depth += 1;
            }
            // The outermost component ends too.
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(composed)
}
