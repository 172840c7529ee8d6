//! Decides one event and prints what the Lambda function would return.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use cogwit_core::config::Config;
use cogwit_core::event::{MAX_EVENT_BYTES, Trigger};
use cogwit_core::policy::{Document, PolicyDocument, SettingValue, UnknownCapability};
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, PolicySet, Source};
use cogwit_core::{Call, Decision, Outcome, decide};

use super::common::{Format, config_from_env};
use crate::embedded::{DEFAULT_SET, EXAMPLE_EVENT};
use crate::failure::{Failure, exit};
use crate::store::Policies;
use crate::{output, report};

/// Decides one Cognito event, as the Lambda function would
///
/// Standard output is exactly what the Lambda function would return: the event with what the policies set, or a function
/// error. Standard error is a report: the decision, what each policy said and used, warnings, log lines, and the sentence
/// that Cognito's caller would see.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  allowed
  1  denied by a policy
  2  the command line or a COGWIT_* variable is wrong
  3  a policy broke, whatever was answered
  4  could not run: an event that cannot be read, or a set that cannot be loaded

Examples:
  cogwit run                                   the built-in example through the built-in set
  cogwit run event.json --policies policies/   your event through your set
  cogwit run --policies s3://acme-policies/login#prod    through what a channel serves
  cogwit run - --policy a.wasm --policy b.wasm --setting a.minimum-length=8 <event.json")]
pub(crate) struct Args {
    /// The event's file, or - for standard input [default: a built-in example]
    event: Option<PathBuf>,
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
    /// The trigger of an event that has no triggerSource
    #[arg(long, value_name = "NAME")]
    trigger: Option<Trigger>,
    /// json: one object with reply and report on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The time that policies see, such as 2026-11-22T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_rfc3339_weak)]
    now: Option<SystemTime>,
    /// Where policies' random numbers start, so that they repeat [default: the operating system's]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// The decision's id [default: random]
    #[arg(long, value_parser = id)]
    id: Option<String>,
}

/// An id is shown to users, so it is short and plain.
fn id(text: &str) -> Result<String, String> {
    match text.chars().all(|c| c.is_ascii_graphic()) && (1..=128).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("write 1 to 128 ASCII characters without blanks".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config_from_env()?;
    let source = source(args, &config)?;
    let mut package = source.read()?;
    for setting in &args.setting {
        lay_over(&mut package.document, setting)?;
    }
    for grant in &args.grant {
        add_grant(&mut package.document, grant)?;
    }
    let engine = Engine::new(1, config.caps.limits.memory).map_err(Failure::could_not_run)?;
    let env = |name: &str| std::env::var(name).ok();
    let set = Admission::new(engine)
        .admit(&package, &config.caps, env)
        .map_err(|error| Failure::could_not_run(format!("{source} cannot be loaded\n{error}")))?;
    let event = event(args.event.as_deref())?;
    let id = args.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let chance = Chance { now: args.now.unwrap_or_else(SystemTime::now), seed: args.seed };
    let call =
        Call { event: &event, id: &id, trigger: args.trigger.or(config.trigger), policy: None, end: None, chance };
    let decision = decide(&set, &call);
    print(args.format, &set, &decision, &id).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(code(&decision)))
}

fn source(args: &Args, config: &Config) -> Result<Policies, Failure> {
    match &args.policies {
        Some(text) => Policies::open(text, config),
        None if args.policy.is_empty() => Ok(Policies::Local(DEFAULT_SET)),
        None => Ok(Policies::Local(Source::Components(args.policy.clone()))),
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

fn event(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    // One byte more than Lambda delivers, so that the line can say that there is more.
    let most = MAX_EVENT_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    match path {
        None => return Ok(EXAMPLE_EVENT.to_vec()),
        Some(path) if path == Path::new("-") => io::stdin().take(most).read_to_end(&mut bytes),
        Some(path) => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    }
    .map_err(|error| {
        let name = path.unwrap_or(Path::new("-")).display();
        Failure::could_not_run(format!("cannot read the event `{name}`: {error}; check the path"))
    })?;
    Ok(bytes)
}

fn print(format: Format, set: &PolicySet, decision: &Decision, id: &str) -> io::Result<()> {
    if format == Format::Json {
        return output::out(&format!("{}\n", report::json(set, decision, id)?));
    }
    // Not through the colours: these are the event's bytes.
    let mut stdout = io::stdout().lock();
    let reply = decision.body();
    stdout.write_all(&reply)?;
    if stdout.is_terminal() && !reply.ends_with(b"\n") {
        writeln!(stdout)?;
    }
    stdout.flush()?;
    output::report(&report::text(&set.name, &set.warnings, decision));
    Ok(())
}

fn code(decision: &Decision) -> u8 {
    match decision.outcome {
        Outcome::EventRefused(_) => exit::COULD_NOT_RUN,
        Outcome::Fault(_) => exit::FAULT,
        _ if decision.faults().next().is_some() => exit::FAULT,
        Outcome::Deny => exit::DENY,
        Outcome::Allow | Outcome::Unmatched => exit::ALLOW,
    }
}
