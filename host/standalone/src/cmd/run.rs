//! Decides one event and prints what the Lambda function would return.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use cogwit_core::event::{MAX_EVENT_BYTES, Trigger};
use cogwit_core::run::Chance;
use cogwit_core::store::{PolicySet, Side};
use cogwit_core::{Call, Decision, Outcome, decide, shadow};

use super::common::{Format, config_from_env};
use super::set::SetArgs;
use crate::embedded::EXAMPLE_EVENT;
use crate::failure::{Failure, exit};
use crate::{output, report};

/// Decides one Cognito event, as the Lambda function would
///
/// Standard output is exactly what the Lambda function would return: the event with what the policies set, or a function
/// error. Standard error is a report: the decision, what each policy said and used, what those that look on make of it,
/// warnings, log lines, and the sentence that Cognito's caller would see.
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
    #[command(flatten)]
    set: SetArgs,
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
    /// Which of a policy and its candidate answers, where there is one: stable or candidate [default: the user's]
    #[arg(long, value_parser = side)]
    side: Option<Side>,
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

fn side(text: &str) -> Result<Side, String> {
    let sides = [Side::Stable, Side::Candidate];
    sides.into_iter().find(|side| side.word() == text).ok_or_else(|| "write stable or candidate".to_owned())
}

/// Refuses a side that answers nobody.
fn answers(set: &PolicySet, side: Side) -> Result<(), Failure> {
    let candidates = || set.policies.iter().filter_map(|policy| policy.candidate.as_ref());
    let wrong = |reason| Err(Failure::usage(format!("--side {}: {reason}", side.word())));
    match side {
        _ if candidates().next().is_none() => wrong(format!("no policy of the set `{}` has a candidate", set.name)),
        Side::Candidate if candidates().all(|it| it.rollout == 0) => {
            wrong("the `rollout` of every candidate is 0, so that it answers nobody: try it with 1".to_owned())
        }
        _ => Ok(()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let config = config_from_env()?;
    let set = args.set.admit(&config)?;
    if let Some(side) = args.side {
        answers(&set, side)?;
    }
    let event = event(args.event.as_deref())?;
    let id = args.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let chance = Chance { now: args.now.unwrap_or_else(SystemTime::now), seed: args.seed };
    let call = Call {
        trigger: args.trigger.or(config.trigger),
        bucket: args.side.map(Side::bucket),
        ..Call::new(&event, &id, chance)
    };
    let mut decision = decide(&set, &call);
    decision.shadows = shadow(&set, &call, &decision);
    print(args.format, &set, &event, &decision, &id).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(code(&decision)))
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

fn print(format: Format, set: &PolicySet, event: &[u8], decision: &Decision, id: &str) -> io::Result<()> {
    if format == Format::Json {
        return output::data(&format!("{}\n", report::json(set, event, decision, id)?));
    }
    // Not through the colours: these are the event's bytes.
    let mut stdout = io::stdout().lock();
    let reply = decision.body();
    stdout.write_all(&reply)?;
    if stdout.is_terminal() && !reply.ends_with(b"\n") {
        writeln!(stdout)?;
    }
    stdout.flush()?;
    output::report(&report::text(&set.name, &set.warnings, event, decision));
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
