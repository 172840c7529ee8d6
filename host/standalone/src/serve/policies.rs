//! Brings in what is served: a channel that is followed, or files, which may be watched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cogwit_core::case;
use cogwit_core::config::Config;
use cogwit_core::release::{Live, Place, Refreshed, Root, Setup, Trust};
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
        if let From::Channel(place) = &from
            && config.following.trust == Trust::default()
        {
            return Err(Failure::usage(format!(
                "COGWIT_TRUSTED_KEYS is not set, so nothing of `{place}` could be served: set it to the public key that the channel is signed with"
            )));
        }
        // What is new is tried in a slot of its own, so that no decision waits for it.
        let engine = Engine::new(threads() + 1, config.caps.limits.memory).map_err(Failure::could_not_run)?;
        Ok(Self { from, config: config.clone(), admission: Admission::new(engine.clone()), engine })
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
            Err(reason) => output::report(&format!("error: {reason}\n")),
            Ok(set) => warn(set),
        }
        Ok(Live::fixed(set))
    }

    async fn follow(&self, place: &Place) -> Result<Live, Failure> {
        let usual =
            etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("cogwit").join("serve"));
        let setup = Setup {
            place: place.clone(),
            following: self.config.following.clone(),
            access: match place.root {
                Root::S3 { .. } => access().await,
                Root::Folder(_) => Default::default(),
            },
            caps: self.config.caps.clone(),
            admission: Admission::new(self.engine.clone()),
            cache: self.config.cache.folder(usual),
            own: None,
            env: variable,
            say: |text| output::report(&format!("{text}\n")),
        };
        Live::follow(setup, STORE_AT_START, || None).await.map_err(Failure::could_not_run)
    }

    /// Reads and admits files, with the cases that the set names.
    fn admit(&self, source: &Source) -> Result<PolicySet, String> {
        let package = source.read().map_err(|error| error.to_string())?;
        let tests = source.tests(&package.document);
        match case::admit(&self.admission, (&package, &tests), &self.config.caps, variable, None) {
            (Some(set), problems) if problems.is_empty() => Ok(set),
            (_, problems) => {
                let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
                Err(format!("{source} cannot be loaded\n{}", problems.join("\n")))
            }
        }
    }

    /// The files that are to be watched, if they can be.
    fn files(&self) -> Result<&Source, Failure> {
        match &self.from {
            From::Files(source @ (Source::Document(_) | Source::Components(_))) => Ok(source),
            From::Files(_) => Err(Failure::usage("the built-in set does not change: name one with `--policies`")),
            From::Channel(_) => Err(Failure::usage("a channel is followed without `--watch`")),
        }
    }

    /// Watches the files, if they can be: from before they are read, so that no change goes unseen.
    pub(crate) fn watched(&self) -> Result<Watched, Failure> {
        let mut watched = Watched::new()?;
        watched.look_at(looked_at(self.files()?).iter())?;
        Ok(watched)
    }

    /// Serves what the files hold whenever they change. A set that cannot be loaded leaves what served before.
    pub(crate) fn watch(&self, mut watched: Watched, live: Arc<Live>) {
        let Ok(source) = self.files() else { return };
        loop {
            let changed = watched.wait();
            if let Err(failure) = watched.look_at(looked_at(source).iter()) {
                output::report(&format!("error: {failure}\n"));
            }
            let told = match live.offer(self.admit(source)) {
                Refreshed::Unchanged => continue,
                Refreshed::Swapped => {
                    live.serving().set.iter().for_each(|set| warn(set));
                    "it serves now".to_owned()
                }
                Refreshed::Failed(reason) if live.serving().set.is_ok() => {
                    format!("error: {reason}; what served before serves on")
                }
                Refreshed::Failed(reason) => format!("error: {reason}"),
            };
            output::report(&format!("{} changed: {told}\n", changed.join(", ")));
        }
    }
}

/// Tells the operator what admission found in a set that serves.
fn warn(set: &PolicySet) {
    set.warnings.iter().for_each(|finding| output::report(&format!("warning: {finding}\n")));
}

/// The files that a set is made of, whether they are there or not. Of a document that cannot be read, only its own file is known.
fn looked_at(source: &Source) -> Vec<PathBuf> {
    let mut files = match source {
        Source::Document(path) => vec![path.clone()],
        Source::Components(paths) => paths.clone(),
        Source::Embedded { .. } => Vec::new(),
    };
    if let Source::Document(path) = source
        && let Ok(document) = read_document(path)
    {
        let folder = path.parent().unwrap_or(Path::new(""));
        files.extend(document.policies.iter().map(|policy| folder.join(&policy.component)));
        files.extend(test_files(path, &document).map(|(_, file)| file));
    }
    files
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
