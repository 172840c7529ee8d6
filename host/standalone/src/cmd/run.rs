//! Decides one event and prints what the Lambda function would return.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cogwit_core::event::{MAX_EVENT_BYTES, Trigger};
use cogwit_core::policy::{Document, SettingValue};
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, Package, PolicySet, Source};
use cogwit_core::{Call, Decision, Outcome, Verdict, decide};

use super::common::{Format, config_from_env};
use crate::embedded::{DEFAULT_SET, EXAMPLE_EVENT};
use crate::failure::{Failure, exit};
use crate::report;

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
  cogwit run - --policy a.wasm --policy b.wasm --setting a.minimum-length=8 <event.json")]
pub(crate) struct Args {
    /// The event's file, or - for standard input [default: a built-in example]
    event: Option<PathBuf>,
    /// A policy set: a folder with a policies.toml, a policies.toml, or a .wasm file [default: the built-in set]
    #[arg(long, value_name = "SOURCE", conflicts_with = "policy")]
    policies: Option<String>,
    /// A component to run under the name of its file; repeat it for a chain
    #[arg(long, value_name = "FILE.wasm")]
    policy: Vec<PathBuf>,
    /// A setting, laid over those of the set
    #[arg(long, value_name = "NAME.KEY=VALUE")]
    setting: Vec<String>,
    /// The trigger of an event that has no triggerSource
    #[arg(long, value_name = "NAME")]
    trigger: Option<Trigger>,
    /// json: one object with reply and report on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
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
    let source = source(args)?;
    let mut package = source.read().map_err(Failure::could_not_run)?;
    for setting in &args.setting {
        lay_over(&mut package, setting)?;
    }
    let engine = Engine::new(1, config.caps.limits.memory).map_err(Failure::could_not_run)?;
    let env = |name: &str| std::env::var(name).ok();
    let set = Admission::new(engine)
        .admit(&package, &config.caps, env)
        .map_err(|error| Failure::could_not_run(format!("the policy set cannot be loaded\n{error}")))?;
    let event = event(args.event.as_deref())?;
    let id = args.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let call = Call { event: &event, id: &id, trigger: args.trigger.or(config.trigger), end: None };
    let decision = decide(&set, &call);
    print(args.format, &set, &decision, &id)
        .map_err(|error| Failure::could_not_run(format!("cannot print: {error}")))?;
    Ok(ExitCode::from(code(&decision)))
}

fn source(args: &Args) -> Result<Source, Failure> {
    match &args.policies {
        Some(text) => Source::parse(text).map_err(Failure::could_not_run),
        None if args.policy.is_empty() => Ok(DEFAULT_SET),
        None => Ok(Source::Components(args.policy.clone())),
    }
}

/// Lays `NAME.KEY=VALUE` over the document. Names may hold dots, so the policies' own names decide where the key begins.
fn lay_over(package: &mut Package, setting: &str) -> Result<(), Failure> {
    let malformed = || Failure::usage(format!("--setting `{setting}`: write NAME.KEY=VALUE"));
    let (path, value) = setting.split_once('=').ok_or_else(malformed)?;
    let document: &mut Document = &mut package.document;
    let names: Vec<_> = document.policies.iter().map(|policy| format!("`{}`", policy.name)).collect();
    let keyed = document.policies.iter_mut().filter_map(|policy| {
        let key = path.strip_prefix(policy.name.as_str())?.strip_prefix('.')?.to_owned();
        (!key.is_empty()).then_some((policy, key))
    });
    let Some((policy, key)) = keyed.max_by_key(|(policy, _)| policy.name.len()) else {
        return Err(Failure::usage(format!(
            "--setting `{setting}`: no policy has that name, the set has {}; write NAME.KEY=VALUE",
            names.join(", ")
        )));
    };
    policy.settings.insert(key, SettingValue::Text(value.to_owned()));
    Ok(())
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
    let mut stdout = io::stdout().lock();
    if format == Format::Json {
        return writeln!(stdout, "{}", report::json(set, decision, id)?);
    }
    let reply = decision.reply.as_ref().map_or_else(|refusal| refusal.to_json(), Clone::clone);
    stdout.write_all(&reply)?;
    if stdout.is_terminal() && !reply.ends_with(b"\n") {
        writeln!(stdout)?;
    }
    stdout.flush()?;
    anstream::eprint!("{}", report::text(set, decision));
    Ok(())
}

fn code(decision: &Decision) -> u8 {
    let faulted = decision.runs.iter().any(|run| matches!(run.verdict, Verdict::Fault(_)));
    match decision.outcome {
        Outcome::EventRefused(_) => exit::COULD_NOT_RUN,
        Outcome::Fault(_) => exit::FAULT,
        _ if faulted => exit::FAULT,
        Outcome::Deny => exit::DENY,
        Outcome::Allow | Outcome::Unmatched => exit::ALLOW,
    }
}
