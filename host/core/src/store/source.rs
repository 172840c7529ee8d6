//! Reads a policy set from where it lies: built in, a folder, or bare components.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use serde::{Deserialize, Serialize};

use super::files::{read_file, read_regular, text};
use super::folders::{Folders, MAX_TEXT_BYTES};
use super::lock::Lock;
use crate::case::CaseFile;
use crate::policy::{Document, DocumentError, PolicyDocument};
use crate::run::Native;
use crate::text::one_line;

/// The largest component that is read, in bytes. One in an interpreted language has up to 20 MiB.
pub(crate) const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// The largest event or reply of a case, in bytes: more than Lambda delivers, so that a case can show what becomes of it.
const MAX_CASE_BYTES: u64 = 16 << 20;

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
    /// Why components that the document names are missing: admission says so with everything else that is wrong.
    pub missing: BTreeMap<String, String>,
    /// Machine code of the components for this host, as far as there is some that may be trusted; or why it cannot be used.
    pub native: BTreeMap<String, Result<Native, String>>,
}

impl Package {
    /// A document and its components, and nothing else.
    pub fn of(document: Document, components: BTreeMap<String, Vec<u8>>) -> Self {
        Self { document, components, missing: BTreeMap::new(), native: BTreeMap::new() }
    }
}

/// A file of cases that a policy names in its `tests`.
#[derive(Debug, Clone)]
pub struct Tests {
    /// The policy.
    pub policy: String,
    /// The file, relative to the document.
    pub file: String,
    /// What it holds.
    pub cases: CaseFile,
}

/// A file of cases as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestTexts {
    /// The policy that must pass them.
    pub policy: String,
    /// The file, relative to the document.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The files that it names, relative to its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

impl TestTexts {
    /// Reads the cases.
    pub fn parse(&self) -> Tests {
        let absent = |name: &str| format!("`{name}` did not come with the release: publish it anew");
        let read = |name: &str| self.files.get(name).map(|text| text.clone().into_bytes()).ok_or_else(|| absent(name));
        Tests { policy: self.policy.clone(), file: self.file.clone(), cases: CaseFile::parse(&self.text, &read) }
    }
}

/// Why a policy set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The kind of source is not known.
    #[error("`{0}` is no policy set: name a folder with a policies.toml, a policies.toml, or a .wasm file")]
    Unknown(String),
    /// A file could not be read.
    #[error("cannot read `{path}`: {reason}; check the path", path = shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file that is no text.
    #[error("`{path}` is no text: {reason}; write it in UTF-8", path = shown(path))]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where it is none.
        reason: FromUtf8Error,
    },
    /// A file is too large.
    #[error("`{path}` has more than {most} bytes, which is the most that is read: make it smaller", path = shown(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        most: u64,
    },
    /// A file that a set or a case may not read.
    #[error("`{path}` is outside {folders}: move it there, and name it by its new path", path = shown(path))]
    Outside {
        /// The file.
        path: PathBuf,
        /// What may be read.
        folders: &'static str,
    },
    /// A document that has errors, and is a link to a file elsewhere: its errors would tell what that holds.
    #[error("`{path}` is not a policy set without errors, and is a link to a file outside its folder, so the errors are not shown: copy the file to see them", path = shown(path))]
    Link {
        /// The file.
        path: PathBuf,
    },
    /// Nothing of the document can be read.
    #[error("`{path}`: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reasons: Vec<DocumentError>,
    },
    /// The lock is wrong.
    #[error("`{path}`: {reason}; write it anew with `cogwit pack`")]
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

fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { .. } => formatter.write_str("the built-in set"),
            Self::Document(path) => write!(formatter, "`{}`", shown(path)),
            Self::Components(paths) => {
                let names: Vec<_> = paths.iter().map(|path| format!("`{}`", shown(path))).collect();
                formatter.write_str(&names.join(", "))
            }
        }
    }
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

    /// Reads the set, and leaves machine code beside it alone: whoever can write that runs as this host does.
    ///
    /// # Errors
    ///
    /// What cannot be read.
    pub fn read(&self) -> Result<Package, SourceError> {
        self.read_with(false)
    }

    /// Reads a set that came with the host's own program, and that only those can write who can write the program: the machine
    /// code that its lock lists is taken in too.
    ///
    /// # Errors
    ///
    /// What cannot be read.
    pub fn read_own(&self) -> Result<Package, SourceError> {
        self.read_with(true)
    }

    /// Reads the cases that the policies of the set must pass.
    pub fn tests(&self, document: &Document) -> Vec<Tests> {
        let Self::Document(path) = self else { return Vec::new() };
        let folder = path.parent().unwrap_or(Path::new(""));
        let folders = Folders::of_set(path);
        let read = |(policy, path): (&str, PathBuf)| Tests {
            policy: policy.to_owned(),
            file: path.strip_prefix(folder).unwrap_or(&path).display().to_string(),
            cases: match path.is_file() {
                true => read_cases(&path, &folders),
                // A pattern without a file is an error, or a typing mistake would go unseen.
                false => CaseFile {
                    errors: vec![match folders.is_outside(&without_wildcards(&path)) {
                        true => format!("`tests` names files outside {folders}: move them there, and correct it"),
                        false => "`tests` names no file: correct it, or add the cases".to_owned(),
                    }],
                    ..CaseFile::default()
                },
            },
        };
        test_files(path, document).map(read).collect()
    }

    /// The texts of the cases that the policies of the set must pass, and of the files that they name: what travels with them.
    ///
    /// # Errors
    ///
    /// What cannot be read, is no text, or is outside the document's folder: who wrote a set does not thereby publish what
    /// else is on the machine of whoever publishes it.
    pub fn test_texts(&self, tests: &[Tests]) -> Result<Vec<TestTexts>, SourceError> {
        let Self::Document(path) = self else { return Ok(Vec::new()) };
        let folder = path.parent().unwrap_or(Path::new(""));
        let folders = Folders::of_set(path);
        let read = |tests: &Tests| {
            let path = folder.join(&tests.file);
            let text = folders.read_text(&path)?;
            let beside = path.parent().unwrap_or(Path::new(""));
            let files = tests.cases.files.iter().map(|name| Ok((name.clone(), folders.read_text(&beside.join(name))?)));
            let files = files.collect::<Result<_, SourceError>>()?;
            Ok(TestTexts { policy: tests.policy.clone(), file: tests.file.clone(), text, files })
        };
        tests.iter().map(read).collect()
    }

    fn read_with(&self, own: bool) -> Result<Package, SourceError> {
        match self {
            Self::Embedded { document, components } => Ok(Package::of(
                parse(Path::new("policies.toml"), document)?,
                components.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
            )),
            Self::Document(path) => read_set(path, own),
            Self::Components(paths) => {
                let mut names = Vec::new();
                let mut components = BTreeMap::new();
                for path in paths {
                    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                    if components.insert(name.clone(), read_file(path, MAX_COMPONENT_BYTES)?).is_some() {
                        return Err(SourceError::Twice(name));
                    }
                    names.push(name);
                }
                let document = Document::of_components(names.into_iter().map(|name| (name.clone(), name)));
                Ok(Package::of(document, components))
            }
        }
    }
}

fn read_set(path: &Path, own: bool) -> Result<Package, SourceError> {
    let document = read_document(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let lock_path = folder.join("policies.lock");
    let lock = Lock::read(&lock_path)?;
    let mut package = Package::of(document, BTreeMap::new());
    let names: Vec<_> = package
        .document
        .policies
        .iter()
        .flat_map(PolicyDocument::components)
        .map(|(file, _)| file.to_owned())
        .collect();
    for name in &names {
        let read = read_regular(&folder.join(name), MAX_COMPONENT_BYTES);
        let checked = read.and_then(|bytes| match lock.check(name, &bytes) {
            Ok(()) => Ok(bytes),
            Err(reason) => Err(SourceError::Lock { path: lock_path.clone(), reason }),
        });
        match checked {
            Ok(bytes) => drop(package.components.insert(name.clone(), bytes)),
            Err(error) => drop(package.missing.insert(name.clone(), error.to_string())),
        }
        if own {
            package.native.extend(lock.native(name, folder).map(|native| (name.clone(), native)));
        }
    }
    Ok(package)
}

/// The document at a path, without its components.
///
/// # Errors
///
/// Where nothing of it can be read.
pub fn read_document(path: &Path) -> Result<Document, SourceError> {
    let document = parse(path, &text(path, read_regular(path, MAX_TEXT_BYTES)?)?);
    let has_errors = document.as_ref().map_or(true, |document| !document.errors.is_empty());
    match has_errors && Folders::of_set(path).is_outside(path) {
        true => Err(SourceError::Link { path: path.to_owned() }),
        false => document,
    }
}

/// The files of cases that the policies of the document at `path` name, each with its policy; for a pattern without a file, or
/// with one outside the document's folder, the pattern: what else there is outside is not told.
pub fn test_files<'a>(path: &'a Path, document: &'a Document) -> impl Iterator<Item = (&'a str, PathBuf)> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let folders = Folders::of_set(path);
    let root = glob::Pattern::escape(&folder.to_string_lossy());
    let named = document.policies.iter().flat_map(|policy| policy.tests.iter().map(|it| (policy.name.as_str(), it)));
    named.flat_map(move |(policy, pattern)| {
        let paths = glob::glob(&Path::new(&root).join(pattern).to_string_lossy()).into_iter().flatten().flatten();
        // The search ends at the first path outside.
        let inside: Option<Vec<_>> = paths.map(|path| (!folders.is_outside(&path)).then_some(path)).collect();
        let mut files: Vec<_> = inside.unwrap_or_default().into_iter().filter(|path| path.is_file()).collect();
        files.sort();
        if files.is_empty() {
            files.push(folder.join(pattern));
        }
        files.into_iter().map(move |file| (policy, file))
    })
}

/// The part of a pattern before its first wildcard.
fn without_wildcards(pattern: &Path) -> PathBuf {
    pattern.iter().take_while(|part| !part.to_string_lossy().contains(['*', '?', '['])).collect()
}

/// Reads a file of cases and the files that it names, which are relative to it and inside `folders`.
pub fn read_cases(path: &Path, folders: &Folders) -> CaseFile {
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |name: &str| folders.read(&folder.join(name), MAX_CASE_BYTES).map_err(|error| error.to_string());
    match folders.read_text(path) {
        Ok(text) => CaseFile::parse(&text, &read),
        Err(error) => CaseFile { errors: vec![error.to_string()], ..CaseFile::default() },
    }
}

fn parse(path: &Path, text: &str) -> Result<Document, SourceError> {
    Document::parse(text).map_err(|reasons| SourceError::Document { path: path.to_owned(), reasons })
}
