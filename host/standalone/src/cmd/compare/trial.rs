//! Adds up what both sides of a policy answered under one set.

use std::time::SystemTime;

use super::difference::Share;
use super::record::{Run, Side, Verdict};

/// How both sides answered at the same time, of users that were parted alike: each step of a rollout is a set of its own.
#[derive(Debug)]
pub(super) struct Trial {
    /// When the first of the answers was given.
    pub(super) first: SystemTime,
    pub(super) stable: Answers,
    pub(super) candidate: Answers,
}

/// How a side answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    runs: u64,
    denials: u64,
    faults: u64,
    /// The component that ran.
    digest: Option<String>,
    /// Whether there were several: those of a folder may change, and its set remains what its document says.
    mixed: bool,
}

impl Trial {
    pub(super) fn since(time: SystemTime) -> Self {
        Self { first: time, stable: Answers::default(), candidate: Answers::default() }
    }

    /// Counts a run, where it is of a side.
    pub(super) fn add(&mut self, run: &Run, time: SystemTime) {
        self.first = self.first.min(time);
        match run.side() {
            Side::Stable => self.stable.add(run),
            Side::Candidate => self.candidate.add(run),
            Side::Shadow | Side::Alone => {}
        }
    }
}

impl Answers {
    fn add(&mut self, run: &Run) {
        self.runs += 1;
        self.denials += u64::from(run.verdict == Verdict::Deny);
        self.faults += u64::from(run.verdict == Verdict::Fault);
        self.mixed |= *self.digest.get_or_insert_with(|| run.digest.to_string()) != *run.digest;
    }

    /// The component, if it was one alone.
    pub(super) fn component(&self) -> Option<&str> {
        self.digest.as_deref().filter(|_| !self.mixed)
    }

    pub(super) fn denials(&self) -> Share {
        Share { count: self.denials, of: self.runs }
    }

    pub(super) fn faults(&self) -> Share {
        Share { count: self.faults, of: self.runs }
    }
}
