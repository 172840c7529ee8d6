//! Is the policy set that a command decides with, put together on its command line.

use std::path::PathBuf;

use cogwit_core::config::Config;
use cogwit_core::policy::{Document, PolicyDocument, SettingValue, UnknownCapability};
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, PolicySet, Source};

use crate::embedded::DEFAULT_SET;
use crate::failure::Failure;
use crate::store::Policies;

#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    /// A policy set: a folder with a policies.toml, a policies.toml, a .wasm file, or a channel [default: the built-in set]
    #[arg(long, value_name = "SOURCE", conflicts_with = "policy")]
    policies: Option<String>,
    /// A component to run under the name of its file; repeat it for a chain
    #[arg(long, value_name = "FILE.wasm")]
    policy: Vec<PathBuf>,
    /// A setting, laid over those of the set
    #[arg(long, value_name = "NAME.KEY=VALUE")]
    setting: Vec<String>,
    /// A capability of a policy: clock, random or wasi
    #[arg(long, value_name = "NAME.CAPABILITY")]
    grant: Vec<String>,
}

impl SetArgs {
    /// The set, if a host with these variables would serve it.
    pub(super) fn admit(&self, config: &Config) -> Result<PolicySet, Failure> {
        let source = self.source(config)?;
        let mut package = source.read()?;
        for setting in &self.setting {
            lay_over(&mut package.document, setting)?;
        }
        for grant in &self.grant {
            add_grant(&mut package.document, grant)?;
        }
        let engine = Engine::new(1, config.caps.limits.memory).map_err(Failure::could_not_run)?;
        let env = |name: &str| std::env::var(name).ok();
        Admission::new(engine)
            .parting_by(config.rollout_key.clone())
            .admit(&package, &config.caps, env)
            .map_err(|error| Failure::could_not_run(format!("{source} cannot be loaded\n{error}")))
    }

    fn source(&self, config: &Config) -> Result<Policies, Failure> {
        match &self.policies {
            Some(text) => Policies::open(text, config),
            None if self.policy.is_empty() => Ok(Policies::Local(DEFAULT_SET)),
            None => Ok(Policies::Local(Source::Components(self.policy.clone()))),
        }
    }
}

/// Lays `NAME.KEY=VALUE` over the document.
fn lay_over(document: &mut Document, setting: &str) -> Result<(), Failure> {
    let wrong = |reason: &str| Failure::usage(format!("--setting `{setting}`: {reason}; write NAME.KEY=VALUE"));
    let (path, value) = setting.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
    let (policy, key) = named(document, path).map_err(|reason| wrong(&reason))?;
    policy.settings.insert(key.to_owned(), SettingValue::Text(value.to_owned()));
    Ok(())
}

/// Adds `NAME.CAPABILITY` to the document.
fn add_grant(document: &mut Document, grant: &str) -> Result<(), Failure> {
    let wrong = |reason: String| Failure::usage(format!("--grant `{grant}`: {reason}; write NAME.CAPABILITY"));
    let (policy, name) = named(document, grant).map_err(wrong)?;
    policy.capabilities.insert(name.parse().map_err(|error: UnknownCapability| wrong(error.to_string()))?);
    Ok(())
}

/// The policy of `NAME.REST`, and the rest. Names may hold dots, so the policies' own names decide where the rest begins.
fn named<'a, 'b>(document: &'a mut Document, path: &'b str) -> Result<(&'a mut PolicyDocument, &'b str), String> {
    let names: Vec<_> = document.policies.iter().map(|policy| format!("`{}`", policy.name)).collect();
    let rest = |policy: &PolicyDocument| {
        path.strip_prefix(policy.name.as_str())?.strip_prefix('.').filter(|it| !it.is_empty())
    };
    let found = document.policies.iter_mut().filter_map(|policy| rest(policy).map(|rest| (policy, rest)));
    found
        .max_by_key(|(policy, _)| policy.name.len())
        .ok_or_else(|| format!("no policy has that name, the set has {}", names.join(", ")))
}
