//! Reads the lock beside a set's components: what each of them is, and the machine code made of it.

use std::path::Path;

use serde::Deserialize;

use super::SourceError;
use super::files::{read_regular, text};
use super::folders::{Folders, MAX_TEXT_BYTES};
use crate::digest::sha256;
use crate::reading::shortened;
use crate::run::Native;

/// The largest machine code that is read, in bytes. It has up to ten times the size of its component.
pub(crate) const MAX_NATIVE_BYTES: u64 = 256 << 20;

/// What `cargo pack` and `cogwit pack` wrote of the components that it built.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    component: Vec<Locked>,
    #[serde(default)]
    native: Vec<LockedNative>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    file: String,
    sha256: String,
}

/// Machine code of a component, in a file beside it.
#[derive(Debug, Deserialize)]
struct LockedNative {
    component: String,
    file: String,
    target: String,
    engine: String,
    sha256: String,
}

impl Lock {
    /// Reads a lock. One that is not there promises nothing.
    pub(super) fn read(path: &Path) -> Result<Self, SourceError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        // The message may hold a part of the file.
        let reason = |error: toml::de::Error| match Folders::of_set(path).is_outside(path) {
            true => "it is a link to a file outside its folder, and not a lock".to_owned(),
            false => shortened(error.message()),
        };
        let text = text(path, read_regular(path, MAX_TEXT_BYTES)?)?;
        toml::from_str(&text).map_err(|error| SourceError::Lock { path: path.to_owned(), reason: reason(error) })
    }

    /// A component that the lock does not list was built by something else; the document may still pin it.
    pub(super) fn check(&self, file: &str, bytes: &[u8]) -> Result<(), String> {
        let found = sha256(bytes);
        let locked = self.component.iter().find(|locked| Path::new(&locked.file) == Path::new(file));
        match locked {
            Some(locked) if !locked.sha256.eq_ignore_ascii_case(&found) => {
                Err(format!("`{file}` has the digest {found}, not {}", locked.sha256))
            }
            _ => Ok(()),
        }
    }

    /// The machine code of a component for this host, from the lock's folder. None where the lock lists none.
    pub(super) fn native(&self, component: &str, folder: &Path) -> Option<Result<Native, String>> {
        let target = Native::target();
        let it = self.native.iter().find(|it| it.component == component && it.target == target)?;
        let read = read_regular(&folder.join(&it.file), MAX_NATIVE_BYTES).map_err(|error| error.to_string());
        let checked =
            |bytes| Native::checked(bytes, &it.engine, &it.sha256).map_err(|error| format!("`{}`: {error}", it.file));
        Some(read.and_then(checked))
    }
}
