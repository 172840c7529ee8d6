//! Adds what makes CloudWatch read metrics out of a record: its embedded metric format.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde::Serialize;

use crate::store::Side;
use crate::{PolicyRun, Shadow, Verdict};

/// The namespace of the metrics.
const NAMESPACE: &str = "cogwit";

/// The metrics of a decision, with their units: members of the record, beside its other members.
const METRICS: [Metric; 11] = [
    metric("Decisions", "Count"),
    metric("Denials", "Count"),
    metric("Faults", "Count"),
    metric("Unmatched", "Count"),
    metric("ColdStarts", "Count"),
    metric("Fuel", "Count"),
    metric("Duration", "Microseconds"),
    metric("SetAge", "Seconds"),
    metric("Fallback", "Count"),
    metric("Reverted", "Count"),
    metric("Faulty", "Count"),
];

/// The metrics of a decision of which a policy with a candidate had a part. Only there, since each metric has its price.
const OF_SIDES: [Metric; 6] = [
    metric("CandidateRuns", "Count"),
    metric("CandidateDenials", "Count"),
    metric("CandidateFaults", "Count"),
    metric("StableRuns", "Count"),
    metric("StableDenials", "Count"),
    metric("StableFaults", "Count"),
];

/// The metrics of a decision that policies looked on at.
const OF_SHADOWS: [Metric; 3] =
    [metric("ShadowRuns", "Count"), metric("ShadowDiffers", "Count"), metric("ShadowFaults", "Count")];

/// Each metric is counted for the function, and for each of its triggers.
const DIMENSIONS: [&[&str]; 2] = [&["function"], &["function", "trigger"]];

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

const fn metric(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit }
}

/// The member `_aws` of a record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Embedded {
    timestamp: u128,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 2],
    metrics: Vec<&'static Metric>,
}

impl Embedded {
    /// The directive for these values at a time, in milliseconds since 1970.
    pub(super) fn at(timestamp: u128, values: &Values) -> Self {
        let of_sides = values.sides.iter().flat_map(|_| &OF_SIDES);
        let of_shadows = values.shadows.iter().flat_map(|_| &OF_SHADOWS);
        let metrics = METRICS.iter().chain(of_sides).chain(of_shadows).collect();
        let directive = Directive { namespace: NAMESPACE, dimensions: DIMENSIONS, metrics };
        Self { timestamp, cloud_watch_metrics: [directive] }
    }
}

/// The values of the metrics.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Values {
    pub(super) decisions: u64,
    pub(super) denials: u64,
    pub(super) faults: u64,
    pub(super) unmatched: u64,
    pub(super) cold_starts: u64,
    pub(super) fuel: u64,
    pub(super) duration: u64,
    pub(super) set_age: u64,
    pub(super) fallback: u64,
    pub(super) reverted: u64,
    pub(super) faulty: u64,
    #[serde(flatten)]
    pub(super) sides: Option<Sides>,
    #[serde(flatten)]
    pub(super) shadows: Option<Shadows>,
}

/// How the runs of policies with a candidate went, by side.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Sides {
    candidate_runs: u64,
    candidate_denials: u64,
    candidate_faults: u64,
    stable_runs: u64,
    stable_denials: u64,
    stable_faults: u64,
}

impl Sides {
    /// Counts. None: no policy that ran has a candidate.
    pub(super) fn of(runs: &[PolicyRun]) -> Option<Self> {
        runs.iter().any(|run| run.side.is_some()).then(|| {
            let of = |side, word: Option<&str>| {
                let runs = runs.iter().filter(|run| run.side == Some(side));
                runs.filter(|run| word.is_none_or(|word| run.verdict.word() == word)).count() as u64
            };
            Self {
                candidate_runs: of(Side::Candidate, None),
                candidate_denials: of(Side::Candidate, Some("deny")),
                candidate_faults: of(Side::Candidate, Some("fault")),
                stable_runs: of(Side::Stable, None),
                stable_denials: of(Side::Stable, Some("deny")),
                stable_faults: of(Side::Stable, Some("fault")),
            }
        })
    }
}

/// How the runs of policies that look on went.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shadows {
    shadow_runs: u64,
    shadow_differs: u64,
    shadow_faults: u64,
}

impl Shadows {
    /// Counts. None: none looked on.
    pub(super) fn of(shadows: &[Shadow]) -> Option<Self> {
        (!shadows.is_empty()).then(|| {
            let count = |is_it: &dyn Fn(&Shadow) -> bool| shadows.iter().filter(|it| is_it(it)).count() as u64;
            Self {
                shadow_runs: count(&|_| true),
                shadow_differs: count(&|shadow| !shadow.agrees()),
                shadow_faults: count(&|shadow| matches!(shadow.run.verdict, Verdict::Fault(_))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_value() {
        let values = Values {
            decisions: 1,
            denials: 0,
            faults: 0,
            unmatched: 0,
            cold_starts: 0,
            fuel: 7,
            duration: 9,
            set_age: 0,
            fallback: 0,
            reverted: 0,
            faulty: 0,
            sides: Some(Sides::default()),
            shadows: Some(Shadows::default()),
        };
        let embedded = Embedded::at(0, &values);
        let values = serde_json::to_value(values).unwrap();
        let names: Vec<_> = values.as_object().unwrap().keys().map(String::as_str).collect();
        let [directive] = embedded.cloud_watch_metrics;
        let mut metrics: Vec<_> = directive.metrics.iter().map(|metric| metric.name).collect();
        metrics.sort_unstable();
        assert_eq!(names, metrics);
    }
}
