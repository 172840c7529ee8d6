//! Brings in what is served: a channel that is followed, or files, which may be watched.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cogwit_core::case;
use cogwit_core::config::Config;
use cogwit_core::policy::PolicyDocument;
use cogwit_core::release::{Live, Place, Refreshed, Setup};
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, PolicySet, Source, read_document, test_files};
use etcetera::BaseStrategy as _;

use super::work::threads;
use crate::embedded::DEFAULT_SET;
use crate::failure::Failure;
use crate::output;
use crate::store::access;
use crate::watch::Watched;

/// How long a start waits for the store.
const STORE_AT_START: Duration = Duration::from_secs(5);

/// Where the policies come from.
pub(crate) struct Policies {
    from: From,
    config: Config,
    engine: Engine,
    /// What admits files; it knows the components of what serves.
    admission: Admission,
}

enum From {
    Channel(Place),
    Files(Source),
}

impl Policies {
    /// The policies that a command line or `COGWIT_POLICIES` names, else the built-in set.
    pub(crate) fn new(text: Option<&str>, config: &Config) -> Result<Self, Failure> {
        let from = match text.or(config.policies.as_deref()) {
            None => From::Files(DEFAULT_SET),
            Some(text) if Place::is_meant_by(text) => From::Channel(text.parse().map_err(Failure::usage)?),
            Some(text) => From::Files(Source::parse(text).map_err(Failure::could_not_run)?),
        };
        if let From::Channel(place) = &from {
            config.following.check(place).map_err(Failure::usage)?;
        }
        // What is new is tried in a slot of its own, and so is what looks on, so that no decision waits for it.
        let engine = Engine::new(threads() + 2, config.caps.limits.memory).map_err(Failure::could_not_run)?;
        let admission = Admission::new(engine.clone()).serving().parting_by(config.rollout_key.clone());
        Ok(Self { from, config: config.clone(), admission, engine })
    }

    /// Begins to serve. A channel that cannot be followed yet is asked again and again; files must be right, unless they are
    /// `watched`.
    pub(crate) async fn serve(&self, watched: bool) -> Result<Live, Failure> {
        let source = match &self.from {
            From::Channel(place) => return self.follow(place).await,
            From::Files(source) => source,
        };
        let set = self.admit(source);
        match &set {
            Err(reason) if !watched => return Err(Failure::could_not_run(reason)),
            Err(reason) => say(&format!("error: {reason}\nevery event is refused until a change mends it")),
            Ok(set) => tell("", set),
        }
        Ok(Live::fixed(set))
    }

    async fn follow(&self, place: &Place) -> Result<Live, Failure> {
        let usual =
            etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("cogwit").join("serve"));
        let setup = Setup {
            place: place.clone(),
            following: self.config.following.clone(),
            access: access(&place.root).await,
            caps: self.config.caps.clone(),
            admission: Admission::new(self.engine.clone()).serving().parting_by(self.config.rollout_key.clone()),
            cache: self.config.cache.folder(usual),
            own: None,
            env: variable,
            say,
        };
        Live::follow(setup, STORE_AT_START, || None).await.map_err(Failure::could_not_run)
    }

    /// Reads and admits files, with the cases that the set names.
    fn admit(&self, source: &Source) -> Result<PolicySet, String> {
        let package = source.read().map_err(|error| error.to_string())?;
        let tests = source.tests(&package.document);
        case::admit_to_serve(&self.admission, (&package, &tests), &self.config.caps, variable, None)
            .map_err(|reason| format!("{source} cannot be loaded\n{reason}"))
    }

    /// Begins to watch the files, before they are read for the first time.
    pub(crate) fn watched(&self) -> Result<Watched, Failure> {
        let source = match &self.from {
            From::Files(source @ (Source::Document(_) | Source::Components(_))) => source,
            From::Files(_) => {
                return Err(Failure::usage("the built-in set does not change: name one with `--policies`"));
            }
            From::Channel(_) => return Err(Failure::usage("a channel is followed without `--watch`")),
        };
        let mut watched = Watched::new()?;
        look_at(source, &mut watched)?;
        Ok(watched)
    }

    /// Serves what the files hold whenever they change. A set that cannot be loaded leaves what served before.
    pub(crate) fn watch(&self, mut watched: Watched, live: &Live) {
        let From::Files(source) = &self.from else { return };
        loop {
            let changed = watched.wait();
            if let Err(failure) = look_at(source, &mut watched) {
                say(&format!("error: {failure}"));
            }
            let admitted = catch_unwind(AssertUnwindSafe(|| self.admit(source)));
            let admitted = admitted.unwrap_or_else(|_| Err("the host panicked over it; its log says where".to_owned()));
            let refreshed = live.offer(admitted);
            let changed = changed.join(", ");
            match (refreshed, &live.serving().set) {
                (Refreshed::Unchanged, _) | (Refreshed::Swapped, Err(_)) => {}
                (Refreshed::Swapped, Ok(set)) => {
                    tell(&format!("{changed} changed: "), set);
                }
                (Refreshed::Failed(reason), set) => {
                    let goes_on = if set.is_ok() { "; what served before serves on" } else { "" };
                    say(&format!("{changed} changed: error: {reason}{goes_on}"));
                }
            }
        }
    }
}

/// Looks at the files of a set, and at their folders: one that is made anew is another one.
fn look_at(source: &Source, watched: &mut Watched) -> Result<(), Failure> {
    let files = files(source);
    watched.look_at(files.iter())?;
    watched.look_at_folders(files.iter().filter_map(|file| Some(std::path::absolute(file).ok()?.parent()?.to_owned())))
}

/// The files that a set is made of, whether they are there or not. Of a document that cannot be read, only its own file is known.
fn files(source: &Source) -> Vec<PathBuf> {
    let mut files = match source {
        Source::Document(path) => vec![path.clone()],
        Source::Components(paths) => paths.clone(),
        Source::Embedded { .. } => Vec::new(),
    };
    if let Source::Document(path) = source
        && let Ok(document) = read_document(path)
    {
        let folder = path.parent().unwrap_or(Path::new(""));
        files.extend(document.policies.iter().flat_map(PolicyDocument::components).map(|(file, _)| folder.join(file)));
        files.extend(test_files(path, &document).map(|(_, file)| file));
    }
    files
}

/// Tells what serves now and why, and what its operator should know.
fn tell(why: &str, set: &PolicySet) {
    let policies: Vec<_> = set.policies.iter().map(|policy| policy.name.as_str()).collect();
    say(&format!("{why}serving `{}`: {}", set.name, policies.join(", ")));
    set.warnings.iter().for_each(|finding| say(&format!("warning: {finding}")));
}

fn say(text: &str) {
    output::report(&format!("{text}\n"));
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
