//! Tells how a decision came about: as text for people, as JSON for scripts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use anstyle::AnsiColor;
use bytesize::ByteSize;
use cogwit_core::run::{Consumed, Fuel, LogLine, Usage, WASMTIME};
use cogwit_core::store::{Finding, PolicySet, Side};
use cogwit_core::text::one_line;
use cogwit_core::trigger::Member;
use cogwit_core::{Decision, Outcome, PolicyRun, Redactor, Verdict};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::output::styled;

/// The report as text, with colours: what the set named `set` decided of an event, and what its operator should know.
pub(crate) fn text(set: &str, findings: &[Finding], event: &[u8], decision: &Decision) -> String {
    let mut out = String::new();
    let (word, color) = match decision.outcome {
        Outcome::Allow | Outcome::Unmatched => ("allow", AnsiColor::Green),
        Outcome::Deny => ("deny", AnsiColor::Yellow),
        Outcome::Fault(_) => ("fault", AnsiColor::Red),
        Outcome::EventRefused(_) => ("event refused", AnsiColor::Red),
    };
    let trigger = decision.trigger.map_or("no trigger", |trigger| trigger.name());
    line(&mut out, format_args!("{}: {trigger} by the set `{set}`", styled(word, color)));
    out.push_str(&runs(event, decision));
    for finding in findings {
        line(&mut out, format_args!("{}: {finding}", styled("warning", AnsiColor::Yellow)));
    }
    out.push_str(&findings_of(decision));
    line(&mut out, format_args!("the caller sees: {}", one_line(&seen(decision))));
    out
}

/// How each policy ran: a line for its verdict, and one for each line of its log.
pub(crate) fn runs(event: &[u8], decision: &Decision) -> String {
    let mut out = String::new();
    let secrets = secrets(event);
    let answering = decision.runs.iter().map(|run| (run, said(&run.verdict, &secrets)));
    let looking_on = decision.shadows.iter().map(|shadow| {
        let said = said(&shadow.run.verdict, &secrets);
        let differs = match shadow.agrees() {
            true => "agrees".to_owned(),
            false => format!("differs: {}", shadow.differs.join(", ")),
        };
        (&shadow.run, format!("(looks on) {differs}; {said}"))
    });
    let all: Vec<_> = answering.chain(looking_on).map(|(run, said)| (named(run), run, said)).collect();
    let width = all.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    for (name, run, said) in all {
        line(&mut out, format_args!("  {name:width$}  {said}  ({})", used(&run.usage)));
        for entry in &run.logs.lines {
            line(&mut out, format_args!("  {:width$}  {}", "", logged(entry)));
        }
        if run.logs.dropped > 0 {
            line(&mut out, format_args!("  {:width$}  log: {} lines dropped at the limit", "", run.logs.dropped));
        }
    }
    out
}

/// A policy, and which of both it is where it has a candidate.
fn named(run: &PolicyRun) -> String {
    format!("{}{}", run.policy, Side::label(run.side))
}

/// What the operator should know of a decision.
pub(crate) fn findings_of(decision: &Decision) -> String {
    let mut out = String::new();
    for warning in &decision.warnings {
        line(
            &mut out,
            format_args!("{}: {}: {}", styled("warning", AnsiColor::Yellow), warning.code, one_line(&warning.text)),
        );
    }
    if let Some(error) = error(&decision.outcome) {
        line(&mut out, format_args!("{}: {}", styled("error", AnsiColor::Red), one_line(&error)));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn error(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Fault(text) => Some(text.clone()),
        Outcome::EventRefused(error) => Some(error.to_string()),
        _ => None,
    }
}

fn seen(decision: &Decision) -> String {
    match &decision.reply {
        Ok(_) => "no message, the operation goes on".to_owned(),
        Err(refusal) => refusal.seen_by_caller(decision.trigger),
    }
}

fn secrets(event: &[u8]) -> Redactor {
    Redactor::secrets_of(&String::from_utf8_lossy(event))
}

/// What a policy set, as JSON. What is secret of it, and what it repeats of the event's secrets, is in the reply alone.
fn shown(member: &Member, secrets: &Redactor) -> String {
    match Redactor::covers(member.name) {
        true => "\"***\"".to_owned(),
        false => secrets.mask(&member.json),
    }
}

fn said(verdict: &Verdict, secrets: &Redactor) -> String {
    match verdict {
        Verdict::Allow(members) if members.is_empty() => "allow, nothing set".to_owned(),
        Verdict::Allow(members) => {
            let set: Vec<_> = members
                .iter()
                .map(|member| format!("{} = {}", member.name, one_line(&shown(member, secrets))))
                .collect();
            format!("allow, {}", set.join(", "))
        }
        Verdict::Deny { message, reason: None } => format!("deny, {message:?}"),
        Verdict::Deny { message, reason: Some(reason) } => format!("deny, {message:?}, because {reason:?}"),
        Verdict::Fault(fault) => format!("{}, {}", styled("fault", AnsiColor::Red), one_line(&fault.to_string())),
    }
}

fn used(usage: &Usage) -> String {
    let Fuel { units, at_least } = usage.fuel;
    let micros = (usage.instantiate + usage.call).as_micros();
    let consumed = match usage.consumed {
        Consumed { clock: false, random: false } => "",
        Consumed { clock: true, random: false } => ", used the clock",
        Consumed { clock: false, random: true } => ", used random numbers",
        Consumed { clock: true, random: true } => ", used the clock and random numbers",
    };
    let least = if at_least { "at least " } else { "" };
    format!("{least}{units} fuel, {}, {micros} us{consumed}", ByteSize::b(usage.memory))
}

fn logged(entry: &LogLine) -> String {
    // One line stays one line, whatever a policy writes.
    let message = entry.message.escape_debug();
    match entry.context.as_str() {
        "" => format!("log {}: {message}", entry.level),
        context => format!("log {} [{}]: {message}", entry.level, context.escape_debug()),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    decision: &'static str,
    id: &'a str,
    set: &'a str,
    trigger: Option<&'static str>,
    reply: Box<RawValue>,
    caller_sees: Option<String>,
    error: Option<String>,
    policies: Vec<Policy<'a>>,
    /// Those that look on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shadows: Vec<Shadow<'a>>,
    warnings: Vec<Warning<'a>>,
    wasmtime: &'static str,
}

#[derive(Serialize)]
struct Warning<'a> {
    code: &'a str,
    policy: Option<&'a str>,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    name: &'a str,
    sha256: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(flatten)]
    verdict: Said<'a>,
    fuel: u64,
    fuel_at_least: bool,
    memory_bytes: u64,
    consumed_clock: bool,
    consumed_random: bool,
    instantiate_micros: u128,
    call_micros: u128,
    log: Vec<Logged<'a>>,
    log_lines_dropped: u64,
}

#[derive(Serialize)]
struct Shadow<'a> {
    #[serde(flatten)]
    run: Policy<'a>,
    agrees: bool,
    differs: &'a [&'static str],
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase", tag = "verdict")]
enum Said<'a> {
    Allow { set: BTreeMap<&'static str, Box<RawValue>> },
    Deny { message: &'a str, reason: Option<&'a str> },
    Fault { kind: &'static str, text: String },
}

#[derive(Serialize)]
struct Logged<'a> {
    level: String,
    context: &'a str,
    message: &'a str,
}

/// The report as one JSON object, with the reply inside as it is but for blanks around it.
pub(crate) fn json(set: &PolicySet, event: &[u8], decision: &Decision, id: &str) -> io::Result<String> {
    let reply = match &decision.reply {
        Ok(event) => RawValue::from_string(String::from_utf8_lossy(event).into_owned()).map_err(io::Error::other)?,
        Err(refusal) => to_raw_value(refusal).map_err(io::Error::other)?,
    };
    let secrets = secrets(event);
    let of_set = set.warnings.iter().map(|finding| Warning {
        code: "admission",
        policy: finding.policy.as_deref(),
        text: &finding.text,
    });
    let of_decision = decision.warnings.iter().map(|it| Warning { code: it.code, policy: None, text: &it.text });
    let report = Report {
        decision: decision.outcome.word(),
        id,
        set: &set.name,
        trigger: decision.trigger.map(|trigger| trigger.name()),
        reply,
        caller_sees: decision.reply.is_err().then(|| seen(decision)),
        error: error(&decision.outcome),
        policies: decision.runs.iter().map(|run| policy(run, &secrets)).collect(),
        shadows: decision
            .shadows
            .iter()
            .map(|it| Shadow { run: policy(&it.run, &secrets), agrees: it.agrees(), differs: &it.differs })
            .collect(),
        warnings: of_set.chain(of_decision).collect(),
        wasmtime: WASMTIME,
    };
    serde_json::to_string(&report).map_err(io::Error::other)
}

fn policy<'a>(run: &'a PolicyRun, secrets: &Redactor) -> Policy<'a> {
    let log = run.logs.lines.iter();
    Policy {
        name: &run.policy,
        sha256: &run.digest,
        side: run.side.map(Side::word),
        verdict: match &run.verdict {
            Verdict::Allow(members) => {
                // A number that was secret is no JSON any more.
                let value = |member| RawValue::from_string(shown(member, secrets)).or_else(|_| to_raw_value("***"));
                let set = members.iter().filter_map(|member| Some((member.name, value(member).ok()?)));
                Said::Allow { set: set.collect() }
            }
            Verdict::Deny { message, reason } => Said::Deny { message, reason: reason.as_deref() },
            Verdict::Fault(fault) => Said::Fault { kind: fault.kind(), text: fault.to_string() },
        },
        fuel: run.usage.fuel.units,
        fuel_at_least: run.usage.fuel.at_least,
        memory_bytes: run.usage.memory,
        consumed_clock: run.usage.consumed.clock,
        consumed_random: run.usage.consumed.random,
        instantiate_micros: run.usage.instantiate.as_micros(),
        call_micros: run.usage.call.as_micros(),
        log: log
            .map(|line| Logged { level: line.level.to_string(), context: &line.context, message: &line.message })
            .collect(),
        log_lines_dropped: run.logs.dropped,
    }
}
