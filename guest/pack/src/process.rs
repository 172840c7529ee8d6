//! Running other programs: their output as text, their failure as an error.

use std::process::{Command, Output};

use crate::{Error, Result};

/// Runs a command and gives its standard output, trimmed. A failure carries what it wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.output().map_err(|source| cannot_start(command, source))?;
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    if status.success() {
        return Ok(stdout);
    }
    let why = if stderr.is_empty() { status.to_string() } else { stderr };
    Err(Error::Command { command: line(command), why })
}

/// Runs a command whose own progress the user sees.
pub(crate) fn visibly(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|source| cannot_start(command, source))?;
    if status.success() { Ok(()) } else { Err(Error::Command { command: line(command), why: status.to_string() }) }
}

fn cannot_start(command: &Command, source: std::io::Error) -> Error {
    Error::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
