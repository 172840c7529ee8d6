//! Finds the files of cases.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cogwit_core::store::Source;
use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files of cases, each once, as a user would write them.
    pub(super) files: BTreeSet<PathBuf>,
    /// The folders that were searched.
    pub(super) folders: BTreeSet<PathBuf>,
    /// The same files, by the one path that each has.
    known: BTreeSet<PathBuf>,
}

impl Found {
    fn add(&mut self, file: &Path) {
        let file = file.strip_prefix(".").unwrap_or(file);
        if self.known.insert(file.canonicalize().unwrap_or_else(|_| file.to_owned())) {
            self.files.insert(file.to_owned());
        }
    }
}

/// Searches files and folders; no path means this folder.
pub(super) fn find(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    let here = [PathBuf::from(".")];
    for path in if paths.is_empty() { &here } else { paths } {
        match path.extension().and_then(OsStr::to_str) {
            _ if path.is_dir() => search(path, &mut found)?,
            _ if !path.exists() => {
                let text = format!("cannot read `{}`: there is no such file or folder; check the path", path.display());
                return Err(Failure::could_not_run(text));
            }
            Some("toml") if path.file_name() == Some(OsStr::new(SET)) => {
                search(path.parent().unwrap_or(Path::new("")), &mut found)?;
            }
            Some("toml") => found.add(path),
            _ => {
                let text = format!("`{}` holds no cases: name a .toml file or a folder", path.display());
                return Err(Failure::usage(text));
            }
        }
    }
    Ok(found)
}

pub(super) const SET: &str = "policies.toml";

fn search(folder: &Path, found: &mut Found) -> Result<(), Failure> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_searched) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads back, or nowhere.
            Err(error) if error.path().is_some_and(Path::is_symlink) => continue,
            Err(error) => {
                return Err(Failure::could_not_run(format!("cannot search `{}`: {error}", folder.display())));
            }
        };
        if entry.file_type().is_dir() {
            found.folders.insert(entry.path().to_owned());
        } else if entry.file_name() == SET {
            named_by(entry.path()).iter().for_each(|file| found.add(file));
        } else if is_case_file(entry.path()) {
            found.add(entry.path());
        }
    }
    Ok(())
}

/// Neither what is hidden nor what builds leave behind.
fn is_searched(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_built = entry.file_type().is_dir() && ["target", "node_modules"].contains(&&*name);
    entry.depth() == 0 || !(name.starts_with('.') || is_built)
}

fn is_case_file(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let in_cases = path.parent().and_then(Path::file_name) == Some(OsStr::new("cases"));
    name == "case.toml" || name.ends_with(".case.toml") || (in_cases && name.ends_with(".toml"))
}

/// The files that the `tests` of a set's policies name. A set that cannot be read is told of by the cases that it decides.
fn named_by(set: &Path) -> Vec<PathBuf> {
    let folder = set.parent().unwrap_or(Path::new(""));
    let package = Source::Document(set.to_owned()).read();
    package.map(|package| package.tests.iter().map(|tests| folder.join(&tests.file)).collect()).unwrap_or_default()
}
