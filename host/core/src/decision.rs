//! Is what goes into a decision and what comes out of it.

use std::borrow::Cow;
use std::time::Instant;

use crate::event::{EventError, Trigger};
use crate::reply::{ErrorType, Refusal};
use crate::run::{Chance, Clock, Fault, Response};
use crate::shadow::Shadow;
use crate::trigger::Warning;
use crate::verdict::{PolicyRun, Verdict};

/// One event to decide.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The event, as it came.
    pub event: &'a [u8],
    /// The decision's id: what a neutral refusal refers to.
    pub id: &'a str,
    /// The trigger of an event that does not say it.
    pub trigger: Option<Trigger>,
    /// The only policy that may answer, by its name. None: all that answer the event.
    pub policy: Option<&'a str>,
    /// The bucket of the user where a candidate answers a part of them, 0 to 100: see [`crate::store::Side::bucket`]. None: by the rollout key.
    pub bucket: Option<u8>,
    /// When the host itself must have answered.
    pub end: Option<Instant>,
    /// The time and the random numbers that policies get.
    pub chance: Chance,
    /// What deadlines are measured by: [`Instant::now`], or where nobody waits, [`crate::run::processor_time`].
    pub clock: Clock,
}

impl<'a> Call<'a> {
    /// An event that says its trigger, for every policy and side that answers it, and for as long as the set allows.
    pub fn new(event: &'a [u8], id: &'a str, chance: Chance) -> Self {
        Self { event, id, trigger: None, policy: None, bucket: None, end: None, chance, clock: Instant::now }
    }
}

/// What was decided, what Cognito is told, and how it came about.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// What Cognito is told: the event to return, or the function error.
    pub reply: Result<Vec<u8>, Refusal>,
    /// The trigger, once it is known.
    pub trigger: Option<Trigger>,
    /// The policies that ran, in order.
    pub runs: Vec<PolicyRun>,
    /// Whether policies look on, once the answer is given.
    pub is_watched: bool,
    /// What those made of it, once they were asked by [`crate::shadow`].
    pub shadows: Vec<Shadow>,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
    /// What the policies wanted together.
    pub(crate) answer: Option<Response>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed, with what the policies set. Policies that faulted may have been passed over.
    Allow,
    /// Allowed, since no policy answers the event.
    Unmatched,
    /// A policy refused.
    Deny,
    /// A policy broke, or none answers an event that needs one. The text is the operator's.
    Fault(String),
    /// The event could not be read.
    EventRefused(EventError),
}

impl Outcome {
    /// The decision in a word, for records and tests: `allow`, `deny`, `fault` or `event-refused`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow | Self::Unmatched => "allow",
            Self::Deny => "deny",
            Self::Fault(_) => "fault",
            Self::EventRefused(_) => "event-refused",
        }
    }
}

impl Decision {
    /// A refusal that the host decides itself, because it cannot ask the policies. The text is the operator's.
    pub fn fault(id: &str, text: &str) -> Self {
        let reply = Err(Refusal::neutral(ErrorType::PolicyFault, id));
        Self {
            outcome: Outcome::Fault(text.to_owned()),
            reply,
            trigger: None,
            runs: Vec::new(),
            is_watched: false,
            shadows: Vec::new(),
            warnings: Vec::new(),
            answer: None,
        }
    }

    /// What broke, in the order in which the policies ran.
    pub fn faults(&self) -> impl DoubleEndedIterator<Item = &Fault> {
        self.runs.iter().filter_map(|run| match &run.verdict {
            Verdict::Fault(fault) => Some(fault),
            _ => None,
        })
    }

    /// Whether something broke, whatever was decided.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Fault(_) | Outcome::EventRefused(_)) || self.faults().next().is_some()
    }

    /// Whether no policy answered the event, whatever became of it.
    pub fn is_unmatched(&self) -> bool {
        match self.outcome {
            Outcome::Unmatched => true,
            Outcome::Fault(_) => self.runs.is_empty() && self.trigger.is_some(),
            _ => false,
        }
    }

    /// Whether policies were to look on, and did not: yet, or for want of time.
    pub fn is_unwatched(&self) -> bool {
        self.is_watched && self.shadows.is_empty()
    }

    /// Why a policy refused, in its words for the operator.
    pub fn reason(&self) -> Option<&str> {
        self.runs.iter().find_map(|run| run.verdict.reason())
    }

    /// The fuel of all policies together, in units.
    pub fn fuel(&self) -> u64 {
        self.runs.iter().map(|run| run.usage.fuel.units).sum()
    }

    /// What the Lambda function returns: the event, or the function error as JSON.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.reply {
            Ok(event) => Cow::Borrowed(event),
            Err(refusal) => Cow::Owned(refusal.to_json()),
        }
    }
}
