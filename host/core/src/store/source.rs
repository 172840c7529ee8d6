//! Reads a policy set from where it lies: built in, a folder, or bare components.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::policy::{Document, DocumentError};

/// The largest component that is read, in bytes. One in an interpreted language has up to 20 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// Where a policy set lies.
#[derive(Debug, Clone)]
pub enum Source {
    /// Built into the program: the document, and each file that it names.
    Embedded {
        /// The text of `policies.toml`.
        document: &'static str,
        /// The components by file name.
        components: &'static [(&'static str, &'static [u8])],
    },
    /// A `policies.toml`, with its components beside it.
    Document(PathBuf),
    /// Components without a document, each under the name of its file.
    Components(Vec<PathBuf>),
}

/// A policy set that was read, but not yet admitted.
#[derive(Debug, Clone)]
pub struct Package {
    /// The document.
    pub document: Document,
    /// The components by the name under which the document has them.
    pub components: BTreeMap<String, Vec<u8>>,
}

/// Why a policy set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The kind of source is not known.
    #[error("`{0}` is no policy set: name a folder with a policies.toml, a policies.toml, or a .wasm file")]
    Unknown(String),
    /// A file could not be read.
    #[error("cannot read `{path}`: {reason}; check the path")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A component is too large.
    #[error(
        "`{path}` has {bytes} bytes, more than the {MAX_COMPONENT_BYTES} that a component may have: build a smaller one"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The document is wrong.
    #[error("`{path}`: {reason}")]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: DocumentError,
    },
    /// The lock is wrong.
    #[error("`{path}`: {reason}; write it anew with `cargo pack`")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two components have the same name.
    #[error("two components have the name `{0}`: rename one of the files")]
    Twice(String),
}

impl Source {
    /// The source that a command line names: a folder, a document, or a component.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unknown`] where it is none of them.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let path = PathBuf::from(text);
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => Ok(Self::Document(path.join("policies.toml"))),
            Some("toml") => Ok(Self::Document(path)),
            Some("wasm") => Ok(Self::Components(vec![path])),
            _ => Err(SourceError::Unknown(text.to_owned())),
        }
    }

    /// Reads the set.
    ///
    /// # Errors
    ///
    /// What cannot be read, and what the lock beside a document does not agree with.
    pub fn read(&self) -> Result<Package, SourceError> {
        match self {
            Self::Embedded { document, components } => Ok(Package {
                document: parse(Path::new("policies.toml"), document)?,
                components: components.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
            }),
            Self::Document(path) => read_document(path),
            Self::Components(paths) => {
                let mut names = Vec::new();
                let mut components = BTreeMap::new();
                for path in paths {
                    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                    if components.insert(name.clone(), read_component(path)?).is_some() {
                        return Err(SourceError::Twice(name));
                    }
                    names.push(name);
                }
                let document = Document::of_components(names.into_iter().map(|name| (name.clone(), name)));
                Ok(Package { document, components })
            }
        }
    }
}

fn read_document(path: &Path) -> Result<Package, SourceError> {
    let text = fs::read_to_string(path).map_err(|reason| SourceError::Unreadable { path: path.to_owned(), reason })?;
    let document = parse(path, &text)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let lock = read_lock(&folder.join("policies.lock"))?;
    let mut components = BTreeMap::new();
    for policy in &document.policies {
        let name = &policy.component;
        if components.contains_key(name) {
            continue;
        }
        let bytes = read_component(&folder.join(name))?;
        if let Some(lock) = &lock {
            lock.check(name, &bytes)
                .map_err(|reason| SourceError::Lock { path: folder.join("policies.lock"), reason })?;
        }
        components.insert(name.clone(), bytes);
    }
    Ok(Package { document, components })
}

fn parse(path: &Path, text: &str) -> Result<Document, SourceError> {
    Document::parse(text).map_err(|reason| SourceError::Document { path: path.to_owned(), reason })
}

fn read_component(path: &Path) -> Result<Vec<u8>, SourceError> {
    let unreadable = |reason| SourceError::Unreadable { path: path.to_owned(), reason };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_COMPONENT_BYTES {
        return Err(SourceError::TooLarge { path: path.to_owned(), bytes });
    }
    fs::read(path).map_err(unreadable)
}

/// What `cargo pack` wrote of the components that it built.
#[derive(Debug, Deserialize)]
struct Lock {
    #[serde(default)]
    component: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    file: String,
    sha256: String,
}

fn read_lock(path: &Path) -> Result<Option<Lock>, SourceError> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map(Some)
            .map_err(|error| SourceError::Lock { path: path.to_owned(), reason: error.message().to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(SourceError::Unreadable { path: path.to_owned(), reason }),
    }
}

impl Lock {
    fn check(&self, file: &str, bytes: &[u8]) -> Result<(), String> {
        let found = sha256(bytes);
        match self.component.iter().find(|locked| locked.file == file) {
            None => Err(format!("it does not list `{file}`")),
            Some(locked) if locked.sha256 != found => {
                Err(format!("`{file}` has the digest {found}, not {}", locked.sha256))
            }
            Some(_) => Ok(()),
        }
    }
}

/// The digest of a component, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
