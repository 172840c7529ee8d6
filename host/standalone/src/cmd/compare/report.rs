//! Is what was found, policy by policy and side by side.

use std::fmt;

use cogwit_core::text::one_line;
use serde::Serialize;

use super::counts::{Counts, Group, Key, Span};
use super::difference::Difference;
use super::lines::At;
use super::record::Side;
use super::tally::Tally;
use super::trial::Trial;

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    pub(super) records: u64,
    #[serde(flatten)]
    pub(super) span: Option<Span>,
    pub(super) decisions: &'a Tally,
    /// The sets that decided, by their digests: each may have other settings.
    pub(super) sets: &'a Tally,
    /// Decisions that policies were to look on at, and did not.
    pub(super) unwatched: u64,
    /// Runs of policies that are not told of, since they have no candidate and do not look on.
    pub(super) others: u64,
    pub(super) unreadable: &'a Unreadable,
    /// Runs that are not counted, or not compared, since there are too many policies, components and sets.
    pub(super) left_out: u64,
    pub(super) policies: Vec<Policy<'a>>,
}

/// The lines that are no records.
#[derive(Debug, Default, Serialize)]
pub(super) struct Unreadable {
    pub(super) lines: u64,
    pub(super) first: Option<First>,
}

/// The first of them.
#[derive(Debug, Serialize)]
pub(super) struct First {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) reason: String,
}

impl Unreadable {
    pub(super) fn add(&mut self, at: At<'_>, reason: &str) {
        self.lines += 1;
        self.first.get_or_insert_with(|| First {
            file: at.file.to_owned(),
            line: at.line,
            reason: format!("{reason:.200}"),
        });
    }
}

impl fmt::Display for First {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", one_line(&self.file), self.line, one_line(&self.reason))
    }
}

/// How the sides of a policy did.
#[derive(Debug, Serialize)]
pub(super) struct Policy<'a> {
    pub(super) name: &'a str,
    pub(super) sides: Vec<Part<'a>>,
    /// By the first of their records.
    pub(super) comparisons: Vec<Comparison<'a>>,
}

/// How one component did on one side.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Part<'a> {
    pub(super) side: Side,
    pub(super) digest: &'a str,
    #[serde(flatten)]
    pub(super) group: &'a Group,
}

/// A candidate beside what answered the others under the same set.
#[derive(Debug, Serialize)]
pub(super) struct Comparison<'a> {
    pub(super) set: &'a str,
    pub(super) stable: &'a str,
    pub(super) candidate: &'a str,
    pub(super) denials: Difference,
    pub(super) faults: Difference,
}

impl<'a> Report<'a> {
    pub(super) fn of(counts: &'a Counts, unreadable: &'a Unreadable) -> Self {
        // The groups of a policy stand together.
        let groups: Vec<_> = counts.groups.iter().collect();
        Self {
            records: counts.records,
            span: counts.span,
            decisions: &counts.decisions,
            sets: &counts.sets,
            unwatched: counts.unwatched,
            others: counts.others,
            unreadable,
            left_out: counts.left_out,
            policies: groups
                .chunk_by(|(a, _), (b, _)| a.policy == b.policy)
                .filter_map(|groups| Policy::of(groups, counts))
                .collect(),
        }
    }

    /// Whether a policy looked on, or a candidate was compared.
    pub(super) fn says_something(&self) -> bool {
        self.policies.iter().any(|policy| {
            !policy.comparisons.is_empty() || policy.sides.iter().any(|part| part.group.differing.is_some())
        })
    }

    /// Whether a policy that looks on disagrees with an answer, or a candidate does otherwise than by chance.
    pub(super) fn differs(&self) -> bool {
        self.policies.iter().any(|policy| {
            policy.sides.iter().any(|part| part.group.differing.is_some_and(|differing| differing > 0))
                || policy.comparisons.iter().any(|it| !it.denials.may_be_chance || !it.faults.may_be_chance)
        })
    }
}

impl<'a> Policy<'a> {
    fn of(groups: &[(&'a Key, &'a Group)], counts: &'a Counts) -> Option<Self> {
        let name = groups.first().map(|(key, _)| key.policy.as_str())?;
        let part = |(key, group): &(&'a Key, &'a Group)| Part { side: key.side, digest: &key.digest, group };
        let trials = counts.trials.range((name.to_owned(), String::new())..);
        let mut trials: Vec<_> = trials.take_while(|((policy, _), _)| policy == name).collect();
        trials.sort_by_key(|(_, trial)| trial.first);
        let comparisons = trials.into_iter().filter_map(|((_, set), trial)| Comparison::of(set, trial)).collect();
        Some(Self { name, sides: groups.iter().map(part).collect(), comparisons })
    }
}

impl Policy<'_> {
    /// Whether it has a candidate, and still nothing can be said of it.
    pub(super) fn is_not_compared(&self) -> bool {
        let has_sides = self.sides.iter().any(|part| [Side::Stable, Side::Candidate].contains(&part.side));
        has_sides && self.comparisons.is_empty()
    }
}

impl<'a> Comparison<'a> {
    /// None, unless one component answered on each side.
    fn of(set: &'a str, trial: &'a Trial) -> Option<Self> {
        let (stable, candidate) = (&trial.stable, &trial.candidate);
        Some(Self {
            set,
            stable: stable.component()?,
            candidate: candidate.component()?,
            denials: Difference::of(stable.denials(), candidate.denials()),
            faults: Difference::of(stable.faults(), candidate.faults()),
        })
    }
}

/// What people read of a digest.
pub(super) fn short(digest: &str) -> String {
    format!("{:.12}", one_line(digest))
}
