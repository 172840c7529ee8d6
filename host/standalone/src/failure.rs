//! Is how a command ends without a result, and its exit code.

use std::process::ExitCode;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};

/// Exit codes of every command.
pub(crate) mod exit {
    /// Allowed; or the command did what it was asked.
    pub(crate) const ALLOW: u8 = 0;
    /// Denied by a policy.
    pub(crate) const DENY: u8 = 1;
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

impl Failure {
    pub(crate) fn usage(error: impl ToString) -> Self {
        Self { code: exit::USAGE, text: error.to_string() }
    }

    pub(crate) fn could_not_run(error: impl ToString) -> Self {
        Self { code: exit::COULD_NOT_RUN, text: error.to_string() }
    }

    /// Prints one `error:` for each line of thought, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("{}: {}", styled("error", AnsiColor::Red), self.text);
        ExitCode::from(self.code)
    }
}

/// `text` in bold and a colour, where the terminal shows it.
pub(crate) fn styled(text: &str, color: AnsiColor) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{text}{style:#}")
}
