//! Runs the cases again whenever a file that they depend on changes.

use std::path::PathBuf;
use std::process::ExitCode;

use super::find::{Found, find};
use crate::failure::Failure;
use crate::output;
use crate::watch::Watched;

/// Runs rounds until interrupted; `round` gives the files that its cases looked at. A round that fails is told of and waits
/// for the next change.
pub(super) fn forever(
    paths: &[PathBuf],
    mut round: impl FnMut(&Found) -> Result<Vec<PathBuf>, Failure>,
) -> Result<ExitCode, Failure> {
    let mut watched = Watched::new()?;
    watched.add([PathBuf::from(".")])?;
    loop {
        if let Err(failure) = find_watched(paths, &mut watched).and_then(|found| {
            let looked_at = round(&found)?;
            watched.look_at(found.files.keys().chain(&looked_at))
        }) {
            failure.report();
        }
        output::report("waiting for changes, Ctrl-C ends\n");
        let changed = watched.wait();
        output::report(&format!("\n{} changed\n", changed.join(", ")));
    }
}

/// Finds the cases, with every folder watched before its files are read.
fn find_watched(paths: &[PathBuf], watched: &mut Watched) -> Result<Found, Failure> {
    loop {
        let found = find(paths)?;
        if !watched.add(found.folders.iter().cloned())? {
            return Ok(found);
        }
    }
}
