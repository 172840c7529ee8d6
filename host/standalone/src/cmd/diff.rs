//! Tells what is different between two policy sets, wherever they lie.

use std::process::ExitCode;

use cogwit_core::config::Config;
use cogwit_core::release::{ChainError, NativeCode, Place, Release};
use cogwit_core::store::Source;
use serde::Serialize;

use super::common::{Format, config_from_env, print};
use crate::changes::{Change, changes, lines};
use crate::failure::{Failure, exit};
use crate::output::report;
use crate::store::{Found, Reference, Store};

/// Tells what is different between two policy sets: policies, settings, limits, capabilities, components, conditions, cases
///
/// Each is a local set (a folder with a policies.toml, a policies.toml, or a .wasm file), a channel, or a release that a channel
/// named: CHANNEL@SEQUENCE or CHANNEL@DIGEST with 8 or more digits. Channels are checked with `COGWIT_TRUSTED_KEYS`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A line that begins with + is only in the second, with - only in the first, with ~ in both but not the same.

Exit codes:
  0  no difference
  1  they differ
  2  the command line or a COGWIT_* variable is wrong
  4  one of them cannot be read, or a channel serves something older than what this machine saw

Examples:
  cogwit diff s3://acme-policies/login#prod policies/
  cogwit diff s3://acme-policies/login#prod@7 s3://acme-policies/login#prod")]
pub(crate) struct Args {
    /// What it was
    before: String,
    /// What it is
    after: String,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Diff {
    before: String,
    after: String,
    changes: Vec<Change>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config_from_env()?;
    let (before, after) = (release(&args.before, &config)?, release(&args.after, &config)?);
    let both_published = Place::is_meant_by(&args.before) && Place::is_meant_by(&args.after);
    let changes = changes(&before, &after, both_published);
    let code = if changes.is_empty() { exit::ALLOW } else { exit::FAILED };
    let diff = Diff { before: args.before.clone(), after: args.after.clone(), changes };
    print(args.format, &diff, |it| match it.changes.as_slice() {
        [] => "no difference".to_owned(),
        changes => lines(changes).join("\n"),
    })?;
    Ok(ExitCode::from(code))
}

/// The release that a text names, or that a local set would become.
fn release(text: &str, config: &Config) -> Result<Release, Failure> {
    if !Place::is_meant_by(text) {
        return local(text);
    }
    let reference: Reference = text.parse().map_err(Failure::usage)?;
    let store = Store::open(&reference.place)?;
    let found = match &reference.wanted {
        Some(_) => store.named(&reference, config)?,
        None => current(&store, config)?,
    };
    store.release(&found.digest)
}

/// The release that a channel serves, if this machine saw nothing newer.
fn current(store: &Store, config: &Config) -> Result<Found, Failure> {
    let trust = &config.following.trust;
    let standing = store.standing(trust)?;
    let found = store.followed(&standing, config)?;
    match store.check((&standing, trust), config, false)?.doubt {
        None => {}
        Some(doubt @ ChainError::Unknown { .. }) => report(&format!("note: `{}`: {doubt}\n", store.place)),
        Some(doubt) => {
            return Err(Failure::could_not_run(format!(
                "the channel `{}` is not compared: {doubt}; to compare it all the same, name its sequence, such as `{0}@7`",
                store.place
            )));
        }
    }
    Ok(found)
}

/// The release that a local set would become.
pub(super) fn local(text: &str) -> Result<Release, Failure> {
    let source = Source::parse(text).map_err(Failure::could_not_run)?;
    let package = source.read().map_err(Failure::could_not_run)?;
    let written = package.document.errors.iter().map(ToString::to_string);
    let wrong: Vec<_> = written.chain(package.missing.values().cloned()).collect();
    if !wrong.is_empty() {
        return Err(Failure::could_not_run(format!("{source} cannot be compared\n{}", wrong.join("\n"))));
    }
    let texts = source.test_texts(&source.tests(&package.document)).map_err(Failure::could_not_run)?;
    Release::of(&package, texts, &NativeCode::new()).map_err(Failure::could_not_run)
}
