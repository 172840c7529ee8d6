//! Adds what makes CloudWatch read metrics out of a record: its embedded metric format.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde::Serialize;

/// The namespace of the metrics.
const NAMESPACE: &str = "cogwit";

/// The metrics of a decision, with their units: members of the record, beside its other members.
const METRICS: [Metric; 9] = [
    metric("Decisions", "Count"),
    metric("Denials", "Count"),
    metric("Faults", "Count"),
    metric("Unmatched", "Count"),
    metric("ColdStarts", "Count"),
    metric("Fuel", "Count"),
    metric("Duration", "Microseconds"),
    metric("SetAge", "Seconds"),
    metric("Fallback", "Count"),
];

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
    metrics: [Metric; 9],
}

impl Embedded {
    /// The directive at a time, in milliseconds since 1970.
    pub(super) fn at(timestamp: u128) -> Self {
        let directive = Directive { namespace: NAMESPACE, dimensions: DIMENSIONS, metrics: METRICS };
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
        };
        let values = serde_json::to_value(values).unwrap();
        let names: Vec<_> = values.as_object().unwrap().keys().map(String::as_str).collect();
        let mut metrics: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        metrics.sort_unstable();
        assert_eq!(names, metrics);
    }
}
