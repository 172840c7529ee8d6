//! Is what an admission finds: what keeps a set from serving, and what its operator should know.

use std::fmt;

use crate::text::one_line;

/// One thing that an admission found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The policy that it concerns; none: the whole set.
    pub policy: Option<String>,
    /// The thing, the reason and the mend.
    pub text: String,
    /// Whether this judges nothing: it ran out of time, and another try may come out otherwise.
    pub out_of_time: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.policy {
            Some(policy) => write!(formatter, "policy `{policy}`: {}", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

/// A policy set that may not serve, with everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Rejected {
    /// What is wrong, at least one thing.
    pub findings: Vec<Finding>,
}

pub(super) fn finding(policy: Option<&str>, text: &str) -> Finding {
    Finding { policy: policy.map(str::to_owned), text: one_line(text), out_of_time: false }
}

/// Collects what is wrong while the checks go on.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

impl Findings {
    pub(super) fn add(&mut self, policy: Option<&str>, text: impl Into<String>) {
        self.errors.push(finding(policy, &text.into()));
    }

    pub(super) fn warn(&mut self, policy: Option<&str>, text: impl AsRef<str>) {
        self.warnings.push(finding(policy, text.as_ref()));
    }

    /// Takes over what was found of a candidate, where it is not the same as of its policy.
    pub(super) fn add_candidate(&mut self, candidate: Self) {
        for (all, found) in [(&mut self.errors, candidate.errors), (&mut self.warnings, candidate.warnings)] {
            let found: Vec<_> = found.into_iter().filter(|finding| !all.contains(finding)).collect();
            all.extend(found.into_iter().map(|it| Finding { text: format!("its candidate: {}", it.text), ..it }));
        }
    }

    pub(super) fn take_one<T, E: ToString>(&mut self, policy: Option<&str>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(policy, error.to_string())).ok()
    }

    pub(super) fn take<T, E: ToString>(&mut self, policy: Option<&str>, result: Result<T, Vec<E>>) -> Option<T> {
        result.map_err(|errors| errors.iter().for_each(|error| self.add(policy, error.to_string()))).ok()
    }
}
