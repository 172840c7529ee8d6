//! Waits for files to change.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use notify::event::{CreateKind, RemoveKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::failure::Failure;

/// Programs write a file in several steps. A change has come when nothing happened for this long.
const QUIET: Duration = Duration::from_millis(30);

fn cannot_watch(error: notify::Error) -> Failure {
    Failure::could_not_run(format!("cannot watch for changes: {error}"))
}

/// What is watched: folders, since editors put a new file in the place of the old one.
pub(crate) struct Watched {
    watcher: RecommendedWatcher,
    changes: Receiver<Event>,
    folders: BTreeSet<PathBuf>,
    /// The names of the files that the last round looked at.
    names: BTreeSet<OsString>,
    /// Folders that matter themselves, whatever else lies beside them.
    themselves: BTreeSet<PathBuf>,
}

impl Watched {
    /// Watches this folder.
    pub(crate) fn new() -> Result<Self, Failure> {
        let (sender, changes) = mpsc::channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Ok(event) = event
                && !matches!(event.kind, EventKind::Access(_))
            {
                let _ = sender.send(event);
            }
        });
        let watcher = watcher.map_err(cannot_watch)?;
        Ok(Self { watcher, changes, folders: BTreeSet::new(), names: BTreeSet::new(), themselves: BTreeSet::new() })
    }

    /// Takes these for the files that a change of matters.
    pub(crate) fn look_at<'a>(&mut self, files: impl Iterator<Item = &'a PathBuf> + Clone) -> Result<(), Failure> {
        self.names = files.clone().filter_map(|file| file.file_name().map(OsStr::to_owned)).collect();
        self.add(files.filter_map(|file| file.parent().map(Path::to_owned))).map(drop)
    }

    /// Takes these for folders that matter when they are made anew. Of what lies beside them, nothing does.
    pub(crate) fn look_at_folders(&mut self, folders: impl IntoIterator<Item = PathBuf>) -> Result<(), Failure> {
        self.themselves = folders.into_iter().collect();
        let around: Vec<_> = self.themselves.iter().filter_map(|folder| folder.parent().map(Path::to_owned)).collect();
        self.add(around).map(drop)
    }

    /// Whether some of the folders were not watched before.
    pub(crate) fn add(&mut self, folders: impl IntoIterator<Item = PathBuf>) -> Result<bool, Failure> {
        let known = self.folders.len();
        for folder in folders {
            let folder = if folder == Path::new("") { PathBuf::from(".") } else { folder };
            if folder.is_dir() && !self.folders.contains(&folder) {
                self.watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(cannot_watch)?;
                self.folders.insert(folder);
            }
        }
        Ok(self.folders.len() > known)
    }

    /// Waits for a change that can matter and for the quiet after it. Gives the names of what changed.
    pub(crate) fn wait(&mut self) -> Vec<String> {
        let mut names = BTreeSet::new();
        let mut quiet: Option<Instant> = None;
        loop {
            let event = match quiet {
                // The watcher, which lives as long as this, never hangs up.
                None => self.changes.recv().ok(),
                Some(at) => self.changes.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
            };
            match event {
                None => return names.into_iter().collect(),
                Some(event) if self.note(&event, &mut names) => quiet = Some(Instant::now() + QUIET),
                Some(_) => {}
            }
        }
    }

    /// Notes the names of what can matter: a TOML file, a file that was looked at, a folder. Anything else may be what this
    /// very command writes, such as the file that its results go to. False where nothing can.
    fn note(&mut self, event: &Event, names: &mut BTreeSet<String>) -> bool {
        let kinds = [EventKind::Create(CreateKind::Folder), EventKind::Remove(RemoveKind::Folder)];
        let is_named = |path: &PathBuf| path.file_name().is_some_and(|name| self.names.contains(name));
        let around = |path: &PathBuf| self.themselves.iter().any(|folder| folder.parent() == path.parent());
        let beside = |path: &PathBuf| around(path) && !self.themselves.contains(path) && !is_named(path);
        if event.paths.iter().all(beside) && !event.need_rescan() {
            return false;
        }
        let is_folder = kinds.contains(&event.kind) || event.paths.iter().any(|path| path.is_dir());
        if is_folder {
            // One that is gone or new is watched no more, even if it has the name of one that was.
            self.folders.clear();
        }
        let matters = |path: &&PathBuf| is_folder || path.extension() == Some(OsStr::new("toml")) || is_named(path);
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let paths: Vec<_> = event.paths.iter().filter(matters).collect();
        names.extend(paths.iter().filter_map(|path| name(path)));
        !paths.is_empty() || event.need_rescan()
    }
}
