//! Writes the lines of the function's log: each in one write, so that lines of events that come at once do not mix.

use std::io::{self, Write};

/// Tells the operator, on standard error. Where nobody reads, the answers still count.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Writes a record, on standard output, where CloudWatch looks for metrics.
pub(crate) fn record(line: &str) {
    let _ = io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}
