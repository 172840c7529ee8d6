//! Is how a command ends without a result, and its exit code.

use std::fmt;
use std::process::ExitCode;

use anstyle::AnsiColor;

use crate::output;

/// Exit codes of every command.
pub(crate) mod exit {
    /// Allowed; or the command did what it was asked.
    pub(crate) const ALLOW: u8 = 0;
    /// Denied by a policy.
    pub(crate) const DENY: u8 = 1;
    /// What the command was to make did not come about.
    pub(crate) const FAILED: u8 = 1;
    /// The command line or a `COGWIT_*` variable is wrong.
    pub(crate) const USAGE: u8 = 2;
    /// A policy broke.
    pub(crate) const FAULT: u8 = 3;
    /// Could not run: an event that cannot be read, or a set that cannot be loaded.
    pub(crate) const COULD_NOT_RUN: u8 = 4;
}

/// Why a command ended without a result.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
}

/// What is wrong, without its exit code.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Failure {
    pub(crate) fn usage(error: impl ToString) -> Self {
        Self { code: exit::USAGE, text: error.to_string() }
    }

    pub(crate) fn failed(error: impl ToString) -> Self {
        Self { code: exit::FAILED, text: error.to_string() }
    }

    pub(crate) fn could_not_run(error: impl ToString) -> Self {
        Self { code: exit::COULD_NOT_RUN, text: error.to_string() }
    }

    /// Standard output could not be written.
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
    pub(crate) fn unwritable(error: std::io::Error) -> Self {
        Self::could_not_run(format!("cannot write the result: {error}; check where standard output leads"))
    }

    /// Prints the error, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        output::report(&format!("{}: {}\n", output::styled("error", AnsiColor::Red), self.text));
        ExitCode::from(self.code)
    }
}
