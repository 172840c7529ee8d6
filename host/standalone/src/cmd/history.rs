//! Lists what a channel named, the newest first.

use std::process::ExitCode;
use std::time::SystemTime;

use anstyle::AnsiColor;
use cogwit_core::release::Place;
use cogwit_core::text::one_line;
use serde::Serialize;

use super::common::{CHANNEL, Format, age, config_from_env, print};
use crate::failure::{Failure, exit};
use crate::output::styled;
use crate::store::{Said, Signature, Store, failure, no_channel};

/// Lists what a channel named, the newest first
///
/// Without `COGWIT_TRUSTED_KEYS` nothing of it is checked, and who can write to the store can have made it up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  listed
  2  the command line or a COGWIT_* variable is wrong
  4  there is no such channel, or the store cannot be used

Examples:
  cogwit history s3://acme-policies/login#prod
  cogwit diff s3://acme-policies/login#prod@7 s3://acme-policies/login#prod")]
pub(crate) struct Args {
    #[arg(help = CHANNEL)]
    channel: Place,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    most: usize,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct History {
    place: String,
    entries: Vec<Entry>,
    /// What is wrong with the channel, by what this machine saw and what the history has.
    problem: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    sequence: u64,
    current: bool,
    issued: String,
    #[serde(skip)]
    age: String,
    set: String,
    release: String,
    key: Option<String>,
    signature: Signature,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config_from_env()?;
    let trust = &config.following.trust;
    let store = Store::open(&args.channel)?;
    let place = &store.place;
    let standing = store.wait(store.bucket.standing(place, trust)).map_err(|error| failure(&error))?;
    let current = Said::read(&standing.object, trust, place).ok();
    // One more, since the current one is mostly there too.
    let past = store.bucket.past(place, args.most.saturating_add(1), |object| Said::read(object, trust, place).ok());
    let past = store.wait(past).map_err(|error| failure(&error))?;
    if standing.channel.is_none() && past.is_empty() {
        return Err(no_channel(&store.place));
    }
    let now = current.as_ref().map(|said| said.channel.clone());
    let past = past.into_iter().filter(|said| Some(&said.channel) != now.as_ref()).map(|said| entry(&said, false));
    let mut entries: Vec<_> = current.iter().map(|said| entry(said, true)).chain(past).collect();
    entries.sort_by_key(|entry| (std::cmp::Reverse(entry.sequence), !entry.current));
    entries.truncate(args.most);
    let checked = store.check((&standing, trust), &config, false)?;
    let problem = checked.problem().map(ToString::to_string);
    print(args.format, &History { place: place.to_string(), entries, problem }, text)?;
    Ok(ExitCode::from(exit::ALLOW))
}

fn entry(said: &Said, current: bool) -> Entry {
    let payload = &said.payload;
    Entry {
        sequence: payload.sequence,
        current,
        issued: humantime::format_rfc3339_seconds(payload.issued).to_string(),
        age: age(payload.issued, SystemTime::now()),
        set: payload.set.clone(),
        release: payload.release.clone(),
        key: said.key().map(str::to_owned),
        signature: said.signature(),
    }
}

fn text(it: &History) -> String {
    let width = it.entries.iter().map(|entry| entry.sequence.to_string().len()).max().unwrap_or_default();
    let line = |entry: &Entry| {
        let signature = match entry.signature {
            Signature::Trusted => format!("by the key {}", entry.key.as_deref().unwrap_or_default()),
            Signature::Unsigned => "not signed".to_owned(),
            Signature::NotChecked => "not checked: set COGWIT_TRUSTED_KEYS".to_owned(),
            Signature::Refused => styled("the signature does not hold, or is not trusted", AnsiColor::Red),
        };
        let mark = if entry.current { "*" } else { " " };
        let Entry { sequence, issued, age, set, release, .. } = entry;
        let (set, release) = (one_line(set), one_line(release));
        format!("{mark} {sequence:>width$}  {issued} ({age} ago)  {release:.12}  {set}  {signature}")
    };
    let problem = it.problem.iter().map(|problem| format!("{}: {problem}", styled("warning", AnsiColor::Red)));
    it.entries.iter().map(line).chain(problem).collect::<Vec<_>>().join("\n")
}
