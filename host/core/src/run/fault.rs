//! Names what broke in a run, and which limit to raise where one was hit.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use wasmtime::Trap;

use super::limiter::MemoryHit;
use super::usage::{LogLevel, Logs};
use crate::policy::Limits;
use crate::text::one_line;

/// What broke in a run. A fault is never shown to the user: the texts are the operator's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Out of fuel.
    #[error("ran out of fuel: used all {limit} units; raise the limit `fuel` if the policy is right to work that long")]
    Fuel {
        /// The limit, in units.
        limit: u64,
    },
    /// Out of time.
    #[error("ran for {ran:?}, past its {limit:?}; raise the limit `{key}` if the policy is right to take that long")]
    Deadline {
        /// How long it had.
        limit: Duration,
        /// How long it ran.
        ran: Duration,
        /// Which limit that was.
        key: Key,
    },
    /// Too much memory.
    #[error("asked for {asked} bytes of memory, more than its {limit} ({show}); raise the limit `memory` if it needs them", show = ByteSize::b(*limit))]
    Memory {
        /// The limit, in bytes.
        limit: u64,
        /// What it asked for in all, in bytes.
        asked: u64,
    },
    /// Too much data in the verdict or in a call to the host.
    #[error(
        "passed more than {limit} bytes to the host at once; raise the limit `output` if the policy is right to say that much"
    )]
    Output {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The stack overflowed.
    #[error("overflowed its stack: the policy calls itself too deeply")]
    Stack,
    /// A trap.
    #[error("trapped: {}", panic.as_ref().unwrap_or(trap))]
    Trap {
        /// The engine's words, such as "wasm `unreachable` instruction executed".
        trap: String,
        /// What the policy's panic hook logged.
        panic: Option<String>,
    },
    /// An interface has other types than this host's.
    #[error("an interface has the right name but other types: {0}; build the policy against the WIT of this host")]
    Types(String),
    /// A value that is no value of its type, or anything else that the engine refused.
    #[error("passed a value that cannot be taken: {0}; the component is broken, build it again")]
    Value(String),
    /// It asked for what it is not given.
    #[error("{0}")]
    Refused(String),
    /// A verdict that Cognito would refuse.
    #[error("answered what cannot be passed on: {0}")]
    Verdict(String),
}

/// Which limit ended a run that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The policy's own.
    Deadline,
    /// The set's, for the whole chain.
    ChainDeadline,
    /// The function's timeout, which only the host can raise.
    Host,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deadline => "deadline",
            Self::ChainDeadline => "chain-deadline",
            Self::Host => "timeout of the Lambda function",
        })
    }
}

/// The deadline passed. Raised into the guest from the clock's callback.
#[derive(Debug, thiserror::Error)]
#[error("the deadline passed")]
pub(super) struct DeadlineHit {
    pub(super) limit: Duration,
    pub(super) ran: Duration,
    pub(super) key: Key,
}

/// An interface did not have the types that the host expects.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongTypes(String);

impl WrongTypes {
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
    pub(super) fn new(error: wasmtime::Error) -> Self {
        Self(one_line(&format!("{error:#}")))
    }
}

/// A call to the host asked for what it does not give. Raised into the guest.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotGiven(pub(super) String);

impl NotGiven {
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
    pub(super) fn because(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

/// What wasmtime 48 says when a value is over the data limit. It has no type that could be asked for, so this is the one
/// place that compares a text; `a_result_over_the_limit` in the tests holds it.
const OVER_OUTPUT: &str = "fuel allocated for hostcalls has been exhausted";

impl From<&DeadlineHit> for Fault {
    fn from(hit: &DeadlineHit) -> Self {
        Self::Deadline { limit: hit.limit, ran: hit.ran, key: hit.key }
    }
}

impl Fault {
    pub(super) fn of(error: &wasmtime::Error, limits: &Limits, logs: &Logs) -> Self {
        if let Some(hit) = error.downcast_ref::<DeadlineHit>() {
            return hit.into();
        }
        if let Some(hit) = error.downcast_ref::<MemoryHit>() {
            return Self::Memory { limit: limits.memory, asked: hit.asked };
        }
        if let Some(WrongTypes(text)) = error.downcast_ref() {
            return Self::Types(text.clone());
        }
        if let Some(NotGiven(text)) = error.downcast_ref() {
            return Self::Refused(one_line(text));
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Self::Fuel { limit: limits.fuel },
            Some(Trap::StackOverflow) => Self::Stack,
            Some(trap) => Self::Trap { trap: trap.to_string(), panic: panic(logs) },
            None if format!("{error:#}").contains(OVER_OUTPUT) => Self::Output { limit: limits.output },
            None => Self::Value(one_line(&error.root_cause().to_string())),
        }
    }

    /// A word for records and tests.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fuel { .. } => "fuel",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::Output { .. } => "output",
            Self::Stack => "stack",
            Self::Trap { .. } => "trap",
            Self::Types(_) => "types",
            Self::Value(_) => "value",
            Self::Refused(_) => "refused",
            Self::Verdict(_) => "verdict",
        }
    }
}

/// What the SDK's panic hook wrote last.
fn panic(logs: &Logs) -> Option<String> {
    let line = logs.lines.last()?;
    (line.level == LogLevel::Critical && line.context == "panic").then(|| one_line(&line.message))
}
