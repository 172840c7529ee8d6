//! Reads the host's configuration, and brings in what it serves: the policy set of the package, or a channel that it follows.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use cogwit_core::config::Config;
use cogwit_core::release::{Access, Live, Place, Setup};
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, MOST_COMPILED_AT_START, PolicySet, Source};

use crate::environment::Environment;
use crate::log::say;

/// The folder of the package that holds the policy set, unless `COGWIT_POLICIES` names another source. Where that is a channel,
/// the host starts from this folder while the store is out of reach.
const POLICIES: &str = "policies";

/// What a folder of a policy set has.
const DOCUMENT: &str = "policies.toml";

/// The one folder of a function that can be written to.
const CACHE: &str = "/tmp/cogwit";

/// How long a start waits for the store: most of the second that a start may take, because a log-in may wait for it.
const STORE_AT_START: Duration = Duration::from_millis(800);

/// How the host is set up.
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// The channel that is followed, if one is.
    pub(crate) place: Option<Place>,
}

impl Settings {
    /// The host's settings, or every mistake in them.
    pub(crate) fn read() -> Result<Self, Vec<String>> {
        let (config, place) = (Config::of_process(), place());
        let mut mistakes = Vec::new();
        if let Err(errors) = &config {
            mistakes.extend(errors.iter().map(ToString::to_string));
        }
        match (&config, &place) {
            (_, Err(error)) => mistakes.push(format!("COGWIT_POLICIES: {error}")),
            (Ok(config), Ok(Some(place))) => mistakes.extend(config.following.check(place).err()),
            _ => {}
        }
        match (config, place) {
            (Ok(config), Ok(place)) if mistakes.is_empty() => Ok(Self { config, place }),
            _ => Err(mistakes),
        }
    }

    /// Brings in what is served. Without a set the host answers all the same, and refuses.
    ///
    /// # Errors
    ///
    /// Where the client of the store cannot be set up as the variables say.
    pub(crate) async fn live(&self, environment: &Environment) -> Result<Live, String> {
        let since = Instant::now();
        let own = environment.task_root.join(POLICIES);
        let live = match &self.place {
            None => Live::fixed(self.fixed(&own, environment)),
            Some(place) => self.follow(place.clone(), &own, environment).await?,
        };
        match &live.serving().set {
            Ok(set) => {
                let count = set.policies.len();
                let took = since.elapsed().as_micros();
                say(&format!("serving `{}` ({count} policies), ready in {took} us", set.name));
            }
            Err(reason) => say(&format!("error: no policy set can serve, so every event is refused\n{reason}")),
        }
        Ok(live)
    }

    fn fixed(&self, own: &Path, environment: &Environment) -> Result<PolicySet, String> {
        let text = self.config.policies.clone().unwrap_or_else(|| own.to_string_lossy().into_owned());
        if self.config.policies.is_none() && is_store(own) && !own.join(DOCUMENT).is_file() {
            return Err(
                "the package holds the copy of a release store, which serves only with its channel: set COGWIT_POLICIES to it, such as s3://bucket/prefix#prod".to_owned(),
            );
        }
        let source = Source::parse(&text).map_err(|error| error.to_string())?;
        // Machine code from elsewhere than the package would be somebody else's program.
        self.admit(&source, self.config.policies.is_none(), self.engine(slots(environment))?)
    }

    async fn follow(&self, place: Place, own: &Path, environment: &Environment) -> Result<Live, String> {
        // What is new is tried in a slot of its own, so that no decision waits for it.
        let engine = match self.engine(slots(environment) + 1) {
            Ok(engine) => engine,
            Err(error) => return Ok(Live::fixed(Err(error))),
        };
        let setup = Setup {
            place,
            following: self.config.following.clone(),
            access: Access::default(),
            caps: self.config.caps.clone(),
            admission: admission(engine.clone(), &self.config),
            cache: self.config.cache.folder(Some(CACHE.into())),
            own: Some(own.to_owned()).filter(|own| is_store(own)),
            env: variable,
            say,
        };
        let plain = own.join(DOCUMENT);
        let last = || plain.is_file().then(|| self.admit(&Source::Document(plain), true, engine));
        Live::follow(setup, STORE_AT_START, last).await.map_err(|error| format!("COGWIT_POLICIES: {error}"))
    }

    /// Reads and admits a set that no channel named.
    fn admit(&self, source: &Source, own: bool, engine: Engine) -> Result<PolicySet, String> {
        let package = if own { source.read_own() } else { source.read() };
        let package = package.map_err(|error| error.to_string())?;
        let set = admission(engine, &self.config).admit(&package, &self.config.caps, variable);
        let set = set.map_err(|error| format!("{source} cannot be loaded\n{error}"))?;
        for finding in &set.warnings {
            say(&format!("warning: {finding}"));
        }
        Ok(set)
    }

    fn engine(&self, slots: u32) -> Result<Engine, String> {
        Engine::new(slots, self.config.caps.limits.memory).map_err(|error| error.to_string())
    }
}

/// How many policies run at once: one for each event, and where several events come at once, one that looks on beside them.
fn slots(environment: &Environment) -> u32 {
    match environment.concurrency {
        1 => 1,
        most => most + 1,
    }
}

/// The channel that `COGWIT_POLICIES` names, unless it names something else.
fn place() -> Result<Option<Place>, String> {
    let text = env::var("COGWIT_POLICIES").ok().filter(|text| Place::is_meant_by(text));
    text.map(|text| text.parse()).transpose().map_err(|error: cogwit_core::release::PlaceError| error.to_string())
}

/// Whether a folder is the copy of a release store.
fn is_store(folder: &Path) -> bool {
    folder.join("channels").is_dir()
}

fn admission(engine: Engine, config: &Config) -> Admission {
    Admission::new(engine).compiling_at_most(MOST_COMPILED_AT_START).serving().parting_by(config.rollout_key.clone())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
