//! Is what the commands share.

use std::collections::BTreeMap;

use clap::ValueEnum;
use cogwit_core::config::Config;
use wasm_metadata::Payload;

use crate::failure::Failure;

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object, for scripts.
    Json,
}

/// The host's settings from the environment.
pub(super) fn config_from_env() -> Result<Config, Failure> {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Config::from_env(variables)
        .map_err(|errors| Failure::usage(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// What a component says of itself. One without metadata, or with broken metadata, is a component all the same.
pub(super) fn metadata(bytes: &[u8]) -> BTreeMap<&'static str, String> {
    let Ok(payload) = Payload::from_binary(bytes) else { return BTreeMap::new() };
    let own = payload.metadata();
    [
        ("name", own.name.clone()),
        ("version", own.version.as_ref().map(ToString::to_string)),
        ("description", own.description.as_ref().map(ToString::to_string)),
        ("licenses", own.licenses.as_ref().map(ToString::to_string)),
        ("revision", own.revision.as_ref().map(ToString::to_string)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}
