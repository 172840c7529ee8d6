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
    /// The files of cases, each once.
    pub(super) files: BTreeSet<PathBuf>,
    /// The folders that were searched.
    pub(super) folders: BTreeSet<PathBuf>,
}

/// Searches files and folders; no path means this folder.
pub(super) fn find(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    let here = [PathBuf::from(".")];
    for path in if paths.is_empty() { &here } else { paths } {
        match path.extension().and_then(OsStr::to_str) {
            _ if path.is_dir() => search(path, &mut found)?,
            _ if !path.exists() => {
                return Err(Failure::could_not_run(format!("cannot read `{}`: there is no such file", path.display())));
            }
            Some("toml") if path.file_name() == Some(OsStr::new(SET)) => {
                search(path.parent().unwrap_or(Path::new("")), &mut found)?;
            }
            Some("toml") => drop(found.files.insert(path.clone())),
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
        let entry =
            entry.map_err(|error| Failure::could_not_run(format!("cannot search `{}`: {error}", folder.display())))?;
        // As a user would write it.
        let path = entry.path().strip_prefix(".").unwrap_or(entry.path()).to_owned();
        if entry.file_type().is_dir() {
            found.folders.insert(entry.path().to_owned());
        } else if entry.file_name() == SET {
            found.files.extend(named_by(&path));
        } else if is_case_file(&path) {
            found.files.insert(path);
        }
    }
    Ok(())
}

/// Neither hidden folders nor what builds leave behind.
fn is_searched(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_left_out = name.starts_with('.') || ["target", "node_modules"].contains(&&*name);
    entry.depth() == 0 || !entry.file_type().is_dir() || !is_left_out
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
