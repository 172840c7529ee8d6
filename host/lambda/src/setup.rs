//! Reads the host's configuration and brings in the policy set of the package.

use std::env;
use std::time::Instant;

use cogwit_core::config::Config;
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, MOST_COMPILED_AT_START, PolicySet, Source};

use crate::environment::Environment;
use crate::log::say;

/// The folder of the package that holds the policy set, unless `COGWIT_POLICIES` names another source.
const POLICIES: &str = "policies";

/// The host's settings, or every mistake in them.
pub(crate) fn config() -> Result<Config, Vec<String>> {
    Config::of_process().map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// What decides: a policy set, or the reason why there is none. Without one the host answers all the same, and refuses.
pub(crate) type Serving = Result<PolicySet, String>;

/// Brings the policy set in.
pub(crate) fn serving(config: &Config, environment: &Environment) -> Serving {
    let since = Instant::now();
    let serving = load(config, environment);
    match &serving {
        Ok(set) => {
            for finding in &set.warnings {
                say(&format!("warning: {finding}"));
            }
            let count = set.policies.len();
            say(&format!("serving `{}` ({count} policies), ready in {} us", set.name, since.elapsed().as_micros()));
        }
        Err(reason) => say(&format!("error: no policy set can serve, so every event is refused\n{reason}")),
    }
    serving
}

fn load(config: &Config, environment: &Environment) -> Serving {
    let own = environment.task_root.join(POLICIES);
    let text = config.policies.clone().unwrap_or_else(|| own.to_string_lossy().into_owned());
    let source = Source::parse(&text).map_err(|error| error.to_string())?;
    // Machine code from elsewhere than the package would be somebody else's program.
    let package = if config.policies.is_none() { source.read_own() } else { source.read() };
    let package = package.map_err(|error| error.to_string())?;
    let engine = Engine::new(environment.concurrency, config.caps.limits.memory).map_err(|error| error.to_string())?;
    let admission = Admission::new(engine).compiling_at_most(MOST_COMPILED_AT_START);
    admission
        .admit(&package, &config.caps, |name| env::var(name).ok())
        .map_err(|error| format!("{source} cannot be loaded\n{error}"))
}
