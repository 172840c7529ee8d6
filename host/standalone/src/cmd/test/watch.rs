//! Runs the cases again whenever a file that they depend on changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::command::Round;
use super::runner::Runner;
use crate::failure::Failure;
use crate::output;

/// Programs write a file in several steps. The round begins when nothing happened for this long.
const QUIET: Duration = Duration::from_millis(30);

/// Runs rounds until interrupted. A round that fails is told of and waits for the next change.
pub(super) fn forever(
    mut runner: Runner,
    mut round: impl FnMut(&mut Runner) -> Result<Round, Failure>,
) -> Result<ExitCode, Failure> {
    let (sender, changes) = mpsc::channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Ok(event) = event
            && !matches!(event.kind, EventKind::Access(_))
        {
            let _ = sender.send(event.paths);
        }
    });
    let mut watched = Watched { watcher: watcher.map_err(cannot_watch)?, folders: BTreeSet::new() };
    // Before the first round, so that no change falls between the two.
    watched.add([PathBuf::from(".")])?;
    loop {
        match round(&mut runner) {
            Ok(Round { found, looked_at, .. }) => {
                let beside = found.files.iter().chain(&looked_at).filter_map(|file| file.parent().map(Path::to_owned));
                watched.add(found.folders.iter().cloned().chain(beside))?;
            }
            Err(failure) => drop(failure.report()),
        }
        output::report("waiting for changes, Ctrl-C ends\n");
        let changed = wait(&changes);
        output::report(&format!("\n{} changed\n", changed.join(", ")));
    }
}

/// Waits for a change and for the quiet after it. Gives the names of the files.
fn wait(changes: &Receiver<Vec<PathBuf>>) -> Vec<String> {
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    // The watcher, which lives as long as this, never hangs up.
    paths.extend(changes.recv().unwrap_or_default());
    while let Ok(more) = changes.recv_timeout(QUIET) {
        paths.extend(more);
    }
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    paths.iter().filter_map(name).collect()
}

fn cannot_watch(error: notify::Error) -> Failure {
    Failure::could_not_run(format!("cannot watch for changes: {error}"))
}

/// The folders that are watched. Folders, not files: editors put a new file in the place of the old one.
struct Watched {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl Watched {
    fn add(&mut self, folders: impl IntoIterator<Item = PathBuf>) -> Result<(), Failure> {
        for folder in folders {
            let folder = if folder == Path::new("") { PathBuf::from(".") } else { folder };
            if folder.is_dir() && !self.folders.contains(&folder) {
                self.watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(cannot_watch)?;
                self.folders.insert(folder);
            }
        }
        Ok(())
    }
}
