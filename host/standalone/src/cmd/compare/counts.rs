//! Adds up records: for each policy, by side and component.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::difference::Share;
use super::record::{Record, Run, Side, Verdict};
use super::spread::Spread;
use super::tally::Tally;
use super::trial::Trial;

/// How many groups are told apart, and how many trials: a set has a thousand policies at most. Records may say anything.
const MOST: usize = 2000;

/// How many bytes the groups keep together: some seven hundred buckets each, if there are so many.
const MOST_BYTES: usize = 64 << 20;

/// What is the same for all runs of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) policy: String,
    pub(super) side: Side,
    pub(super) digest: String,
}

/// What records add up to.
#[derive(Debug)]
pub(super) struct Counts {
    /// Whether policies count that have no candidate and do not look on.
    all: bool,
    /// How many records are remembered of each difference and each kind of fault.
    examples: usize,
    pub(super) records: u64,
    pub(super) span: Option<Span>,
    pub(super) decisions: Tally,
    /// The sets that decided, by their digests.
    pub(super) sets: Tally,
    pub(super) unwatched: u64,
    /// Runs of policies without a candidate that do not look on, where those do not count.
    pub(super) others: u64,
    pub(super) groups: BTreeMap<Key, Group>,
    /// About how many bytes the groups keep.
    bytes: usize,
    /// By policy and by the digest of the set.
    pub(super) trials: BTreeMap<(String, String), Trial>,
    /// Runs for which there was no room.
    pub(super) left_out: u64,
}

/// How the runs of a group went.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) runs: u64,
    pub(super) allows: u64,
    pub(super) denials: u64,
    pub(super) faults: u64,
    /// By kind.
    pub(super) fault_kinds: Tally,
    /// Of those that looked on: how many disagree with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) differing: Option<u64>,
    /// In what.
    pub(super) differs: Tally,
    pub(super) fuel: Spread,
    pub(super) micros: Spread,
    /// The most that a run took.
    pub(super) memory_bytes: u64,
}

/// From the first to the last record of something.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Span {
    #[serde(serialize_with = "rfc3339")]
    pub(super) first: SystemTime,
    #[serde(serialize_with = "rfc3339")]
    pub(super) last: SystemTime,
}

impl Counts {
    pub(super) fn new(all: bool, examples: usize) -> Self {
        Self {
            all,
            examples,
            records: 0,
            span: None,
            decisions: Tally::default(),
            sets: Tally::default(),
            unwatched: 0,
            others: 0,
            groups: BTreeMap::new(),
            bytes: 0,
            trials: BTreeMap::new(),
            left_out: 0,
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        self.records += 1;
        self.span.get_or_insert(Span::at(record.time)).include(record.time);
        self.decisions.add(&record.decision, &record.id, 0);
        if let Some(set) = record.set() {
            self.sets.add(set, &record.id, 0);
        }
        self.unwatched += u64::from(record.unwatched);
        for run in &record.policies {
            if run.side() == Side::Alone && !self.all {
                self.others += 1;
            } else if !self.group(run, record) || !self.trial(run, record) {
                self.left_out += 1;
            }
        }
    }

    /// Counts a run in its group, if there is room.
    fn group(&mut self, run: &Run, record: &Record) -> bool {
        let key = Key { policy: run.name.to_string(), side: run.side(), digest: run.digest.to_string() };
        if self.bytes >= MOST_BYTES || self.groups.len() >= MOST && !self.groups.contains_key(&key) {
            return false;
        }
        let group = self.groups.entry(key).or_insert_with(|| Group::since(record.time));
        self.bytes += group.add(run, record, self.examples);
        true
    }

    /// Counts an answer of a side for its set, if there is room.
    fn trial(&mut self, run: &Run, record: &Record) -> bool {
        let (Some(set), Side::Stable | Side::Candidate) = (record.set(), run.side()) else { return true };
        let key = (run.name.to_string(), set.to_owned());
        if self.trials.len() >= MOST && !self.trials.contains_key(&key) {
            return false;
        }
        self.trials.entry(key).or_insert_with(|| Trial::since(record.time)).add(run, record.time);
        true
    }
}

impl Group {
    fn since(time: SystemTime) -> Self {
        Self {
            span: Span::at(time),
            runs: 0,
            allows: 0,
            denials: 0,
            faults: 0,
            fault_kinds: Tally::default(),
            differing: None,
            differs: Tally::default(),
            fuel: Spread::default(),
            micros: Spread::default(),
            memory_bytes: 0,
        }
    }

    /// Counts a run, and tells about how many bytes that takes.
    fn add(&mut self, run: &Run, record: &Record, examples: usize) -> usize {
        let mut bytes = self.fuel.add(run.fuel) + self.micros.add(run.micros());
        self.span.include(record.time);
        self.runs += 1;
        match run.verdict {
            Verdict::Allow => self.allows += 1,
            Verdict::Deny => self.denials += 1,
            Verdict::Fault => self.faults += 1,
        }
        if let Some(kind) = run.fault() {
            bytes += self.fault_kinds.add(kind, &record.id, examples);
        }
        if let Some(differed) = run.differed() {
            *self.differing.get_or_insert_default() += u64::from(differed);
            bytes += run.differs.iter().map(|what| self.differs.add(what, &record.id, examples)).sum::<usize>();
        }
        self.memory_bytes = self.memory_bytes.max(run.memory_bytes);
        bytes
    }

    /// How many of the runs were so.
    pub(super) fn share(&self, count: u64) -> Share {
        Share { count, of: self.runs }
    }
}

impl Span {
    fn at(time: SystemTime) -> Self {
        Self { first: time, last: time }
    }

    fn include(&mut self, time: SystemTime) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_rfc3339_millis(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(set: usize) -> Record {
        let run =
            r#""name":"it","digest":"it","mode":"enforce","side":"stable","verdict":"allow","fuel":7,"memoryBytes":1"#;
        let micros = r#""instantiateMicros":1,"callMicros":1,"releaseMicros":1"#;
        let set = format!(r#""set":{{"digest":"{set}"}}"#);
        let head = r#""id":"it","time":"2026-11-23T08:00:00Z","decision":"allow""#;
        Record::read(format!(r#"{{{head},"policies":[{{{run},{micros}}}],{set}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn of_sets_without_end_some_are_compared() {
        let mut counts = Counts::new(false, 3);
        (0..MOST + 5).chain([0]).for_each(|set| counts.add(&record(set)));
        assert_eq!((counts.trials.len(), counts.groups.len(), counts.left_out), (MOST, 1, 5));
    }

    #[test]
    fn where_no_bytes_are_left_runs_are_left_out() {
        let mut counts = Counts::new(false, 3);
        counts.add(&record(0));
        assert!(counts.bytes > 0);
        counts.bytes = MOST_BYTES;
        counts.add(&record(0));
        let runs: u64 = counts.groups.values().map(|group| group.runs).sum();
        assert_eq!((counts.records, runs, counts.left_out), (2, 1, 1));
    }
}
