//! Makes machine code of a component ahead of time, and takes it back in.
//!
//! Compiling takes tens of milliseconds, which a cold Lambda function does not have; loading what was compiled before takes
//! well under one.

use std::fmt;

use wasmtime::component::Component;

use super::cost::estimate;
use super::engine::{Engine, FINGERPRINT};
use super::shape::{Shape, ShapeError};
use crate::digest::sha256;
use crate::text::one_line;

/// Machine code of one component, whose digest was checked.
#[derive(Clone)]
pub struct Native(Vec<u8>);

/// Why machine code is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NativeError {
    /// Made for another engine.
    #[error("it was made by the engine `{found}`, and this host has `{FINGERPRINT}`: make it anew")]
    Engine {
        /// The engine that it names.
        found: String,
    },
    /// Not the bytes that were promised.
    #[error("it has the digest {found}, not {promised}: make it anew")]
    Digest {
        /// The digest that was promised.
        promised: String,
        /// The digest of the bytes.
        found: String,
    },
    /// Made of another component, such as the one that stood in its place before.
    #[error("it was made of another component: make it anew")]
    Component,
    /// Refused by the engine.
    #[error("the engine refuses it: {0}; make it anew")]
    Refused(String),
}

impl fmt::Debug for Native {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Native({} bytes)", self.0.len())
    }
}

impl Native {
    /// The target that this host's machine code is for.
    pub fn target() -> String {
        target_lexicon::HOST.to_string()
    }

    /// Takes machine code in, if the engine that made it is this one and its digest is the promised one. Whoever promises must
    /// be trusted as the host's own program is: a wrong bit in these bytes is a wrong instruction.
    ///
    /// # Errors
    ///
    /// Where engine or digest are others.
    pub fn checked(bytes: Vec<u8>, engine: &str, promised: &str) -> Result<Self, NativeError> {
        if engine != FINGERPRINT {
            return Err(NativeError::Engine { found: one_line(engine) });
        }
        let found = sha256(&bytes);
        match found == promised {
            true => Ok(Self(bytes)),
            false => Err(NativeError::Digest { promised: one_line(promised), found }),
        }
    }

    /// The component that it is of, if that is the one with these bytes. A lock says it of a file name only, and whoever
    /// writes a lock may forget that the file is another one by now.
    #[expect(unsafe_code, reason = "the one place where trusted machine code is taken in")]
    pub(super) fn component(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, NativeError> {
        let code = self.0.strip_prefix(sha256(bytes).as_bytes()).ok_or(NativeError::Component)?;
        // SAFETY: `deserialize` runs what the bytes say as machine code, so they must be what `precompile` gave. A `Native` is
        // only made by `checked`, which holds its bytes to a digest. Two ask for that: `Source::read_own`, for the lock of a set
        // that came with the host's own program, and `release::fetch`, for a release whose channel a trusted key signed; who
        // has that key may run machine code here, as who builds the host's package may. The bytes were read whole into memory
        // that is ours before the digest was taken, so nobody changes them afterwards. What another engine made, `FINGERPRINT`
        // keeps out, here and in wasmtime's own header.
        let component = unsafe { Component::deserialize(&engine.wasmtime, code) };
        component.map_err(|error| NativeError::Refused(one_line(&format!("{error:#}"))))
    }
}

impl Engine {
    /// The machine code of a component, for [`Native::target`] and the engine [`FINGERPRINT`]. Before it stands the digest of
    /// the component that it is of.
    ///
    /// # Errors
    ///
    /// Where the bytes are no valid component.
    pub fn precompile(&self, bytes: &[u8]) -> Result<Vec<u8>, ShapeError> {
        Shape::read(bytes)?;
        estimate(bytes)?;
        let native = self.wasmtime.precompile_component(bytes).map_err(ShapeError::invalid)?;
        Ok([sha256(bytes).as_bytes(), native.as_slice()].concat())
    }
}
