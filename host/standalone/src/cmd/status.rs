//! Tells what a channel says, and whether a host would follow it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anstyle::AnsiColor;
use cogwit_core::config::Config;
use cogwit_core::policy::Mode;
use cogwit_core::release::{Place, Release, StoreError};
use cogwit_core::text::one_line;
use serde::Serialize;

use super::common::{CHANNEL, Format, age, config_from_env, print};
use super::diff::local;
use crate::changes::{Change, changes, lines};
use crate::failure::{Failure, exit};
use crate::output::styled;
use crate::store::{Checked, Said, Seen, Signature, Store, no_channel, unfollowed};

/// Tells what a channel says: which release, since when, signed by whom, whether all of it is there
///
/// Without `COGWIT_TRUSTED_KEYS` it tells the same, but that the signature was not checked. With a local set it also tells what
/// is different there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What --export writes is for whoever wants to check the signature without cogwit:
  minisign -Vm DIR/payload.json -P RWQ...

Exit codes:
  0  a host with these COGWIT_* variables would follow the channel
  1  it would not: the signature is not trusted, the release is not complete, or it is of another set or
     an older sequence; or this machine or the history has a newer or another one
  2  the command line or a COGWIT_* variable is wrong
  4  there is no such channel, or it cannot be read

Examples:
  COGWIT_TRUSTED_KEYS=$(tail -1 cogwit.pub) cogwit status s3://acme-policies/login#prod
  cogwit status s3://acme-policies/login#prod policies/")]
pub(crate) struct Args {
    #[arg(help = CHANNEL)]
    channel: Place,
    /// A local policy set to compare with: a folder with a policies.toml, a policies.toml, or a .wasm file
    source: Option<String>,
    /// Write payload.json and payload.json.minisig into this folder
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    place: String,
    followed: bool,
    set: String,
    channel: String,
    release: String,
    sequence: u64,
    issued: String,
    age_seconds: u64,
    #[serde(skip)]
    age: String,
    expires: Option<String>,
    expired: bool,
    key: Option<String>,
    signature: Signature,
    /// What this machine had seen of the channel before; none where it had not.
    seen: Option<Memory>,
    /// Whether every object of the release is there, as it was published.
    complete: bool,
    policies: usize,
    /// How many of a hundred users a policy's candidate answers.
    candidates: BTreeMap<String, u8>,
    /// The policies that only look on.
    shadows: Vec<String>,
    components: usize,
    native: usize,
    cases: usize,
    /// Why a host would not follow it.
    problems: Vec<String>,
    /// What is different in the local set.
    changes: Option<Vec<Change>>,
}

/// What this machine saw of a channel.
#[derive(Serialize)]
struct Memory {
    sequence: u64,
    release: String,
    time: String,
}

impl From<&Seen> for Memory {
    fn from(seen: &Seen) -> Self {
        Self { sequence: seen.newest.sequence, release: seen.release.clone(), time: seen.time.clone() }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config_from_env()?;
    let local = args.source.as_deref().map(local).transpose()?;
    let store = Store::open(&args.channel)?;
    let trust = &config.following.trust;
    let standing = store.standing(trust)?;
    let checked = store.check((&standing, trust), &config, false)?;
    if standing.channel.is_none() {
        let problem = checked.problem().map(|problem| format!("\n{problem}")).unwrap_or_default();
        return Err(Failure::could_not_run(format!("{}{problem}", no_channel(&store.place))));
    }
    // Of one that is too large, nothing was read.
    let said = match &standing.channel {
        Some(Err(error)) if standing.object.is_empty() => Err(error.clone()),
        _ => Said::read(&standing.object, trust, &store.place),
    };
    let said = said.map_err(|error| Failure::could_not_run(format!("the channel `{}`: {error}", store.place)))?;
    if let Some(folder) = &args.export {
        export(folder, &said)?;
    }
    let status = status(&store, (&said, &checked), local.as_ref(), &config);
    print(args.format, &status, text)?;
    Ok(ExitCode::from(if status.followed { exit::ALLOW } else { exit::FAILED }))
}

fn status(store: &Store, (said, checked): (&Said, &Checked), local: Option<&Release>, config: &Config) -> Status {
    let payload = &said.payload;
    let (found, lacking) = match store.wait(store.bucket.release(&payload.release)) {
        Ok(release) => {
            let lacking = store.wait(store.bucket.lacking(&release));
            (Some(release), lacking.iter().map(StoreError::to_string).collect())
        }
        Err(error) => (None, vec![error.to_string()]),
    };
    let now = SystemTime::now();
    let expired = payload.is_expired(now);
    let denied = expired && config.following.deny_expired;
    let signer = said.signer.as_ref().err().filter(|_| said.signature() != Signature::NotChecked);
    let mut problems: Vec<String> = signer.map(ToString::to_string).into_iter().collect();
    if said.signature() == Signature::NotChecked {
        problems.push(
            "its signature was not checked: set COGWIT_TRUSTED_KEYS to the public key that it is signed with"
                .to_owned(),
        );
    }
    let unfollowed = unfollowed(payload, config).err().map(|error| error.to_string());
    problems.extend(unfollowed.or_else(|| checked.problem().map(ToString::to_string)));
    problems.extend(denied.then(|| "it is expired, and COGWIT_ON_EXPIRED=deny: publish again".to_owned()));
    let complete = lacking.is_empty();
    problems.extend(lacking);
    let release = found.as_ref();
    let policies = release.map(|release| release.policies.policies.as_slice()).unwrap_or_default();
    let native = |release: &Release| release.components.iter().map(|component| component.native.len()).sum();
    Status {
        place: store.place.to_string(),
        followed: problems.is_empty(),
        set: payload.set.clone(),
        channel: payload.channel.clone(),
        release: payload.release.clone(),
        sequence: payload.sequence,
        issued: time(payload.issued),
        age_seconds: now.duration_since(payload.issued).unwrap_or_default().as_secs(),
        age: age(payload.issued, now),
        expires: payload.expires.map(time),
        expired,
        key: said.key().map(str::to_owned),
        signature: said.signature(),
        seen: checked.seen.as_ref().map(Into::into),
        complete,
        policies: policies.len(),
        candidates: policies.iter().filter_map(|it| Some((it.name.clone(), it.candidate.as_ref()?.rollout))).collect(),
        shadows: policies.iter().filter(|it| it.mode == Mode::Shadow).map(|it| it.name.clone()).collect(),
        components: release.map_or(0, |release| release.components.len()),
        native: release.map_or(0, native),
        cases: release.map_or(0, |release| release.cases.len()),
        problems,
        changes: release.zip(local).map(|(release, local)| changes(release, local, false)),
    }
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Writes what minisign checks.
fn export(folder: &Path, said: &Said) -> Result<(), Failure> {
    if said.channel.signature.is_empty() {
        return Err(Failure::failed("the channel is not signed, so there is nothing that minisign could check"));
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| {
            Failure::could_not_run(format!("cannot write `{}`: {error}; name another folder", path.display()))
        })
    };
    write("payload.json", &said.channel.payload)?;
    write("payload.json.minisig", &said.channel.signature)
}

fn text(it: &Status) -> String {
    // Nobody vouches for these, as long as no signature holds.
    let (set, channel, release) = (one_line(&it.set), one_line(&it.channel), one_line(&it.release));
    let key = one_line(it.key.as_deref().unwrap_or("none"));
    let mut lines = vec![
        it.place.clone(),
        format!("  set       {set}"),
        format!("  channel   {channel}"),
        format!("  release   {release}"),
        format!("  sequence  {}", it.sequence),
        format!("  issued    {} ({} ago)", it.issued, it.age),
    ];
    lines.extend(it.expires.as_ref().map(|expires| match it.expired {
        true => format!("  expires   {expires}, {}: publish again", styled("expired", AnsiColor::Yellow)),
        false => format!("  expires   {expires}"),
    }));
    lines.push(match it.signature {
        Signature::Trusted => format!("  signed    by the key {key}, which is trusted"),
        Signature::Unsigned => "  signed    by nobody, which COGWIT_ALLOW_UNSIGNED allows".to_owned(),
        Signature::NotChecked => {
            format!("  signed    by the key {key}, as it says; not checked")
        }
        Signature::Refused => format!("  signed    {}", styled("not by who is trusted", AnsiColor::Red)),
    });
    lines.push(match &it.seen {
        Some(seen) => format!("  seen      sequence {} by this machine, {}", seen.sequence, seen.time),
        None => "  seen      nothing by this machine before".to_owned(),
    });
    let (policies, components) =
        (count(it.policies, "policy", "policies"), count(it.components, "component", "components"));
    let native = if it.native == 0 {
        "no machine code".to_owned()
    } else {
        count(it.native, "piece of machine code", "pieces of machine code")
    };
    let cases = count(it.cases, "file of cases", "files of cases");
    lines.push(match it.complete {
        true => format!("  holds     {policies}, {components}, {native}, {cases}: complete"),
        false => format!("  holds     {policies}, {components}: {}", styled("not complete", AnsiColor::Red)),
    });
    let rollouts: Vec<_> =
        it.candidates.iter().map(|(name, rollout)| format!("{} for {rollout} of 100 users", one_line(name))).collect();
    let shadows: Vec<_> = it.shadows.iter().map(|name| one_line(name)).collect();
    for (what, named) in [("rollout ", rollouts), ("looks on", shadows)].iter().filter(|(_, named)| !named.is_empty()) {
        lines.push(format!("  {what}  {}", named.join(", ")));
    }
    lines.extend(it.problems.iter().map(|problem| format!("  {}   {problem}", styled("refused", AnsiColor::Red))));
    match it.changes.as_deref() {
        None => {}
        Some([]) => lines.push("  local     no difference".to_owned()),
        Some(changes) => {
            lines.push("  local".to_owned());
            lines.extend(self::lines(changes).iter().map(|line| format!("  {line}")));
        }
    }
    lines.push(match it.followed {
        true => format!("{}: a host with these variables follows it", styled("followed", AnsiColor::Green)),
        false => format!("{}: a host with these variables does not follow it", styled("not followed", AnsiColor::Red)),
    });
    lines.join("\n")
}

fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("one {one}") } else { format!("{number} {many}") }
}
