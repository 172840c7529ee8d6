//! Is the function that a pool calls: a policy set in this process, or one behind an endpoint.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use cogwit_core::event::Trigger;
use cogwit_core::run::Chance;
use cogwit_core::store::PolicySet;
use cogwit_core::{Call, decide};

use super::endpoint::Endpoint;
use super::exception::Exception;
use crate::failure::Failure;
use crate::report;

pub(super) enum Function {
    Here(Box<PolicySet>),
    There(Endpoint),
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(set) => write!(formatter, "the set `{}`", set.name),
            Self::There(endpoint) => endpoint.fmt(formatter),
        }
    }
}

/// What came of one try.
pub(super) struct Tried {
    pub(super) answer: Answer,
    /// How policies of this process decided.
    pub(super) report: Option<Report>,
}

/// What came of one try, as far as the pool knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Output(Vec<u8>),
    FunctionError {
        error_type: String,
        error_message: String,
    },
    /// Lambda did not call the function, for a reason that it has a name for.
    Refused(String),
    /// Nobody answered, in time or whole.
    Silence(String),
    /// Nobody was there.
    NoConnection(String),
}

/// How a decision came about.
pub(super) struct Report {
    pub(super) text: String,
    pub(super) json: String,
    /// A policy broke, whatever was decided.
    pub(super) broke: bool,
}

impl Function {
    /// Gives it an event, once.
    pub(super) fn invoke(&self, event: &str, patience: Duration) -> Result<Tried, Failure> {
        match self {
            Self::Here(set) => here(set, event, patience),
            Self::There(endpoint) => Ok(Tried { answer: endpoint.invoke(event, patience), report: None }),
        }
    }
}

fn here(set: &PolicySet, event: &str, patience: Duration) -> Result<Tried, Failure> {
    let (since, id) = (Instant::now(), uuid::Uuid::new_v4().to_string());
    let chance = Chance { now: SystemTime::now(), seed: None };
    let end = since.checked_add(patience);
    let decision = decide(set, &Call { end, ..Call::new(event.as_bytes(), &id, chance) });
    let report = Report {
        text: report::runs(event.as_bytes(), &decision) + &report::findings_of(&decision),
        json: report::json(set, event.as_bytes(), &decision, &id).map_err(Failure::could_not_run)?,
        broke: decision.faults().next().is_some(),
    };
    let answer = match decision.reply {
        _ if since.elapsed() >= patience => Answer::late(patience),
        Ok(output) => Answer::Output(output),
        Err(refusal) => Answer::FunctionError {
            error_type: refusal.error_type.name().to_owned(),
            error_message: refusal.error_message,
        },
    };
    Ok(Tried { answer, report: Some(report) })
}

impl Answer {
    /// The time is over.
    pub(super) fn late(patience: Duration) -> Self {
        Self::Silence(format!("no answer in {}", humantime::format_duration(patience)))
    }

    /// Whether Cognito tries again.
    pub(super) fn is_retried(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::NoConnection(_))
    }

    /// The output, or what Cognito's caller sees.
    pub(super) fn output(&self, trigger: Trigger) -> Result<&[u8], Exception> {
        match self {
            Self::Output(output) => Ok(output),
            Self::FunctionError { error_type, error_message } => {
                Err(Exception::of_function(trigger, error_type, error_message))
            }
            Self::Refused(reason) => Err(Exception::of_invocation(trigger, reason)),
            Self::Silence(_) | Self::NoConnection(_) => {
                Err(Exception::of_invocation(trigger, "Socket timeout while invoking Lambda function"))
            }
        }
    }
}
