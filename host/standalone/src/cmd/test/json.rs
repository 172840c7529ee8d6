//! Prints results as one JSON object, for scripts.

use std::io;
use std::time::Duration;

use cogwit_core::case::{ID, Mismatch};
use cogwit_core::store::Side;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::runner::{Done, Outcome, Ran};
use super::text::Counts;
use crate::report;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    passed: usize,
    failed: usize,
    could_not_run: usize,
    not_run: usize,
    millis: u128,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    file: String,
    name: String,
    status: &'static str,
    micros: u128,
    /// Of a case that candidates could answer: which of both the rest is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mismatches: Vec<Missed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What `cogwit run --format json` prints.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Missed {
    key: &'static str,
    expected: Value,
    actual: Value,
}

pub(super) fn document(done: &[Done], elapsed: Duration) -> io::Result<String> {
    let Counts { passed, failed, could_not_run, not_run } = Counts::of(done);
    let cases = done.iter().map(case).collect::<io::Result<_>>()?;
    let document = Document { passed, failed, could_not_run, not_run, millis: elapsed.as_millis(), cases };
    serde_json::to_string(&document).map_err(io::Error::other)
}

fn case(done: &Done) -> io::Result<Case> {
    let missed = |it: &Mismatch| Missed { key: it.key, expected: it.expected.clone(), actual: it.actual.clone() };
    let report = |Ran { set, event, checked }: &Ran| {
        let json = report::json(set, event, &checked.decision, ID)?;
        // A secret that was a number leaves no JSON behind: then member by member.
        RawValue::from_string(set.secrets().mask(&json))
            .or_else(|_| {
                let json = serde_json::from_str(&json)?;
                to_raw_value(&set.secrets().mask_json(json))
            })
            .map_err(io::Error::other)
    };
    Ok(Case {
        file: done.file.display().to_string(),
        name: done.title.clone(),
        status: match done.outcome {
            Outcome::Passed(_) => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::CouldNotRun(_) => "could-not-run",
            Outcome::NotRun(_) => "not-run",
        },
        micros: done.elapsed.as_micros(),
        side: done.ran().and_then(|ran| ran.checked.side).map(Side::word),
        mismatches: done.ran().iter().flat_map(|ran| &ran.checked.mismatches).map(missed).collect(),
        error: match &done.outcome {
            Outcome::CouldNotRun(error) => Some(error.clone()),
            _ => None,
        },
        report: done.ran().map(report).transpose()?,
    })
}
