//! Says what a run used and wrote.

use std::fmt;
use std::time::Duration;

use super::chance::Consumed;

/// What a run used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Fuel of the run, instantiation included.
    pub fuel: Fuel,
    /// The largest total of the memories and tables, in bytes.
    pub memory: u64,
    /// What it learned that is not in the event.
    pub consumed: Consumed,
    /// Wall time of store and instantiation.
    pub instantiate: Duration,
    /// Wall time of the call.
    pub call: Duration,
    /// Wall time of letting go of the instance.
    pub release: Duration,
}

/// Fuel used. A unit is about one WebAssembly instruction of this wasmtime version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuel {
    /// The units.
    pub units: u64,
    /// After most faults the engine knows only that at least these units were used.
    pub at_least: bool,
}

/// What a run logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// The lines in order.
    pub lines: Vec<LogLine>,
    /// Lines that were dropped because a limit was reached; the line before them may be cut.
    pub dropped: u64,
}

/// What a line ends with that was cut because a limit was reached.
pub(crate) const CUT: &str = " [cut]";

/// One line of a policy's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How serious it is.
    pub level: LogLevel,
    /// What the policy groups its lines by; often empty.
    pub context: String,
    /// The text.
    pub message: String,
}

/// The levels of `wasi:logging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the interface's own names")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        })
    }
}
