//! Finds the files of cases.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cogwit_core::store::{Folders, read_document, test_files};
use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files of cases, each once, as a user would write them, with the folders whose files they may name.
    pub(super) files: BTreeMap<PathBuf, Folders>,
    /// The folders that were searched.
    pub(super) folders: BTreeSet<PathBuf>,
    /// The policy sets that cannot tell their cases, and why: some would not be run, and nobody would see.
    pub(super) broken: BTreeMap<PathBuf, String>,
    /// The same files, by the one path that each has.
    known: BTreeSet<PathBuf>,
}

impl Found {
    fn add(&mut self, file: &Path, folders: &Folders) {
        let file = file.strip_prefix(".").unwrap_or(file);
        if self.known.insert(file.canonicalize().unwrap_or_else(|_| file.to_owned())) {
            self.files.insert(file.to_owned(), folders.clone());
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
            Some("toml") => found.add(path, &Folders::of_cases(path.parent().unwrap_or(Path::new("")))),
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
    let folders = Folders::of_cases(folder);
    let is_cases = folder.canonicalize().is_ok_and(|folder| folder.file_name() == Some(OsStr::new("cases")));
    let is_case = |path: &Path| is_case_file(path.strip_prefix(folder).unwrap_or(path), is_cases);
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_searched) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads back, or nowhere: an editor's lock file, say.
            Err(error) if error.path().is_some_and(|path| path.is_symlink() && !is_case(path)) => continue,
            Err(error) => {
                return Err(Failure::could_not_run(format!("cannot search `{}`: {error}", folder.display())));
            }
        };
        if entry.file_type().is_dir() {
            found.folders.insert(entry.path().to_owned());
        } else if entry.file_name() == SET {
            add_named_by(entry.path(), found);
        } else if is_case(entry.path()) {
            found.add(entry.path(), &folders);
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

/// Whether a file below the folder that is searched is one of cases. `in_cases`: that folder is itself named so.
fn is_case_file(path: &Path, in_cases: bool) -> bool {
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let in_cases = in_cases || path.parent().is_some_and(|folder| folder.iter().any(|name| name == "cases"));
    !name.starts_with('.')
        && (name == "case.toml" || name.ends_with(".case.toml") || (in_cases && name.ends_with(".toml")))
}

/// Adds the files that the `tests` of a set's policies name.
fn add_named_by(set: &Path, found: &mut Found) {
    let document = read_document(set);
    let errors = match &document {
        Ok(document) => document.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    if !errors.is_empty() {
        found.broken.insert(set.strip_prefix(".").unwrap_or(set).to_owned(), errors);
    }
    let folders = Folders::of_set(set);
    for document in document.iter() {
        test_files(set, document).for_each(|(_, file)| found.add(&file, &folders));
    }
}
