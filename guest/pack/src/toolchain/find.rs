//! Chooses between the installed compiler and Debian's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use crate::error::{chain, file};
use crate::process::output;
use crate::{Error, Progress, Result, TARGET};

/// Which toolchain to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The installed one if it has the target, else Debian's
    Auto,
    /// The active toolchain, which must have the target
    Installed,
    /// Debian's packages, unpacked into a folder of our own and never installed
    Debian,
}

/// A compiler that can build policies.
#[derive(Debug)]
pub struct Toolchain {
    /// What `rustc -V` says.
    pub version: String,
    pub(crate) rustc: PathBuf,
    /// Set when the compiler brings no standard library for the target, but its source.
    pub(crate) build_std: Option<BuildStd>,
}

/// What building the standard library along with a policy needs.
#[derive(Debug)]
pub(crate) struct BuildStd {
    pub(crate) source: PathBuf,
    pub(crate) linker: PathBuf,
}

impl Toolchain {
    /// Finds the toolchain of `choice` for the workspace in `root`. Debian's is kept in `cache` and fetched at most once.
    pub fn find(choice: Choice, root: &Path, cache: &Path, progress: Progress) -> Result<Self> {
        let not_asked = || Err(Error::Unsuited("not asked for".into()));
        let found = if choice == Choice::Debian { not_asked() } else { installed(root) };
        let installed = match found {
            Ok(toolchain) => return Ok(toolchain),
            Err(error) => chain(&error),
        };
        let found = if choice == Choice::Installed { not_asked() } else { debian::toolchain(cache, progress) };
        found.map_err(|error| Error::NoToolchain { installed, debian: chain(&error) })
    }
}

/// The active toolchain, if it has the target. A workspace may choose its own with a `rust-toolchain.toml`.
fn installed(root: &Path) -> Result<Toolchain> {
    let rustc = PathBuf::from("rustc");
    let version = output(Command::new(&rustc).arg("-V").current_dir(root))?;
    let print = ["--print=target-libdir", "--target", TARGET];
    let folder = output(Command::new(&rustc).args(print).current_dir(root))?;
    let is_core = |name: &str| name.starts_with("libcore-") && name.ends_with(".rlib");
    let has_core = names(Path::new(&folder)).is_ok_and(|names| names.iter().any(|name| is_core(name)));
    if !has_core {
        return Err(Error::Unsuited(format!("`{version}` lacks the target")));
    }
    Ok(Toolchain { version, rustc, build_std: None })
}

/// The names of a folder's entries.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(file("list", folder))?;
    Ok(entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}
