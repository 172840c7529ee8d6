//! Reads the files that a set or a case names, and none outside the folders that it may read.

use std::fmt;
use std::path::{Path, PathBuf};

use super::SourceError;
use super::files::{read_regular, text};

/// The largest document, lock or file of cases, in bytes.
pub(super) const MAX_TEXT_BYTES: u64 = 4 << 20;

/// The folders whose files may be read. Whoever wrote a set or a case does not thereby read what else is on the machine.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Without links.
    real: Vec<PathBuf>,
    /// What messages call them.
    name: &'static str,
}

impl Folders {
    /// The folder of a set's document.
    pub fn of_set(document: &Path) -> Self {
        Self::new("the set's folder", [document.parent().unwrap_or(Path::new(""))])
    }

    /// The working directory and the folder in which cases were looked for.
    pub fn of_cases(folder: &Path) -> Self {
        Self::new("the working directory and the folder of the cases", [Path::new(""), folder])
    }

    fn new<const N: usize>(name: &'static str, folders: [&Path; N]) -> Self {
        // The parent of a file name alone is empty.
        let real = folders.into_iter().filter_map(|folder| Path::new(".").join(folder).canonicalize().ok());
        Self { real: real.collect(), name }
    }

    /// Whether a file exists, but outside, by its own path or by a link.
    pub fn is_outside(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|real| !self.real.iter().any(|folder| real.starts_with(folder)))
    }

    pub(super) fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>, SourceError> {
        match self.is_outside(path) {
            true => Err(SourceError::Outside { path: path.to_owned(), folders: self.name }),
            false => read_regular(path, max),
        }
    }

    pub(super) fn read_text(&self, path: &Path) -> Result<String, SourceError> {
        text(path, self.read(path, MAX_TEXT_BYTES)?)
    }
}

/// What messages call them.
impl fmt::Display for Folders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_file_is_read_where_it_is_inside_whatever_its_path() {
        let top = tempfile::tempdir().unwrap();
        let (set, outside) = (top.path().join("set"), top.path().join("secret"));
        fs::create_dir_all(set.join("cases")).unwrap();
        fs::write(&outside, "hush").unwrap();
        fs::write(set.join("cases/it"), "said").unwrap();
        std::os::unix::fs::symlink("../secret", set.join("link")).unwrap();
        std::os::unix::fs::symlink("..", set.join("up")).unwrap();
        std::os::unix::fs::symlink("cases/it", set.join("inside")).unwrap();
        let folders = Folders::of_set(&set.join("policies.toml"));
        for path in ["cases/it", "cases/../cases/it", "../set/cases/it", "inside", "up/set/inside"] {
            assert_eq!(folders.read_text(&set.join(path)).unwrap(), "said", "{path}");
        }
        assert_eq!(folders.read_text(&set.canonicalize().unwrap().join("cases/it")).unwrap(), "said");
        for path in [outside.to_str().unwrap(), "../secret", "link", "up/secret", "cases/../../secret", "/dev/zero"] {
            let error = folders.read_text(&set.join(path)).unwrap_err();
            assert!(matches!(&error, SourceError::Outside { .. }), "{path}: {error}");
        }
        // A folder of a similar name is another one.
        fs::create_dir(top.path().join("set-2")).unwrap();
        fs::write(top.path().join("set-2/it"), "hush").unwrap();
        assert!(folders.is_outside(&set.join("../set-2/it")));
    }

    #[test]
    #[cfg(unix)]
    fn what_is_not_a_regular_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("pipe", folder.path().join("link")).unwrap();
        let folders = Folders::of_set(&folder.path().join("policies.toml"));
        for path in [&pipe, &folder.path().join("link"), folder.path()] {
            let error = folders.read_text(path).unwrap_err().to_string();
            assert!(error.contains("not a regular file"), "{error}");
        }
    }
}
