//! Is what the commands share.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use cogwit_core::config::Config;
use serde::Serialize;
use wasm_metadata::Payload;

use crate::failure::Failure;
use crate::output::{data, out};

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object, for scripts.
    Json,
}

impl Format {
    /// What whoever looks at standard output can read: a person, or a program.
    pub(crate) fn of_stdout() -> Self {
        if std::io::stdout().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// What the help of a command says of a channel.
pub(super) const CHANNEL: &str = "The channel, such as s3://bucket/prefix#prod or file:///folder#prod";

/// The host's settings from the environment.
pub(super) fn config_from_env() -> Result<Config, Failure> {
    Config::of_process()
        .map_err(|errors| Failure::usage(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// How long ago something was, in its two largest units.
pub(super) fn age(time: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(time).unwrap_or_default().as_secs();
    let unit = if seconds >= 86_400 {
        3600
    } else if seconds >= 3600 {
        60
    } else {
        1
    };
    humantime::format_duration(Duration::from_secs(seconds - seconds % unit)).to_string()
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

/// Prints what a command found: as one JSON object, or as text for people.
pub(super) fn print<T: Serialize>(format: Format, found: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    let written = match format {
        Format::Json => data(&(serde_json::to_string(found).map_err(Failure::could_not_run)? + "\n")),
        Format::Text => out(&(text(found) + "\n")),
    };
    written.map_err(Failure::unwritable)
}
