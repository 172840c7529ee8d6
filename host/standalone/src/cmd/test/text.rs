//! Prints results for people.

use std::time::Duration;

use anstyle::AnsiColor;
use cogwit_core::case::Mismatch;
use cogwit_core::event::pretty;
use cogwit_core::store::Side;
use cogwit_core::text::one_line;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::runner::{Done, Outcome, Ran};
use crate::output::styled;
use crate::report;

/// One case: a line, and for one that did not pass why.
pub(super) fn case(done: &Done) -> String {
    let name = one_line(&done.name());
    match &done.outcome {
        Outcome::Passed(_) => format!("{}    {name}\n", styled("ok", AnsiColor::Green)),
        Outcome::NotRun(_) => format!("{}  {name}\n", styled("----", AnsiColor::Yellow)),
        Outcome::CouldNotRun(error) => {
            format!("{} {name}\n{}", styled("error", AnsiColor::Red), indented(error))
        }
        Outcome::Failed(ran) => {
            let side = Side::label(ran.checked.side);
            format!("{}  {name}{side}\n{}", styled("FAIL", AnsiColor::Red), indented(&why(ran)))
        }
    }
}

/// What was expected and did not come, and the report of the decision: policies, log, and what the caller sees.
pub(super) fn why(ran: &Ran) -> String {
    let told = ran.checked.mismatches.iter().map(mismatch).collect::<String>();
    told + &report::text(&ran.set.name, &ran.set.warnings, &ran.event, &ran.checked.decision)
}

fn mismatch(it: &Mismatch) -> String {
    match it.key {
        key @ ("response" | "exact-response" | "reply" | "reply-file") => {
            format!("{key}, expected (-) and given (+):\n{}", diff(&json(&it.expected), &json(&it.actual)))
        }
        _ => one_line(&it.to_string()) + "\n",
    }
}

/// A value, a line for each member. A reply comes as its text.
fn json(value: &Value) -> String {
    match value {
        Value::String(text) => pretty(text),
        value => pretty(&value.to_string()),
    }
}

fn diff(expected: &str, actual: &str) -> String {
    if expected == actual {
        return "  the same JSON in other bytes: only blanks around values, or line ends, differ\n".to_owned();
    }
    let diff = TextDiff::from_lines(expected, actual);
    let lines = diff.iter_all_changes().map(|change| {
        let line = one_line(change.value().trim_end_matches('\n'));
        match change.tag() {
            ChangeTag::Delete => styled(&format!("- {line}"), AnsiColor::Red),
            ChangeTag::Insert => styled(&format!("+ {line}"), AnsiColor::Green),
            ChangeTag::Equal => format!("  {line}"),
        }
    });
    lines.map(|line| format!("  {line}\n")).collect()
}

/// The last line.
pub(super) fn summary(done: &[Done], elapsed: Duration) -> String {
    let Counts { passed, failed, could_not_run, not_run } = Counts::of(done);
    let mut parts = vec![format!("{passed} passed")];
    let more = [(failed, "failed"), (could_not_run, "could not run"), (not_run, "not run")];
    parts.extend(more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let color = if failed + could_not_run > 0 { AnsiColor::Red } else { AnsiColor::Green };
    format!("{} in {} ms\n", styled(&parts.join(", "), color), elapsed.as_millis())
}

/// How many cases came to what.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) could_not_run: usize,
    pub(super) not_run: usize,
}

impl Counts {
    pub(super) fn of(done: &[Done]) -> Self {
        let mut counts = Self::default();
        for done in done {
            *match done.outcome {
                Outcome::Passed(_) => &mut counts.passed,
                Outcome::Failed(_) => &mut counts.failed,
                Outcome::CouldNotRun(_) => &mut counts.could_not_run,
                Outcome::NotRun(_) => &mut counts.not_run,
            } += 1;
        }
        counts
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}
