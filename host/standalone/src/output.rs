//! Writes to the terminal or wherever the streams lead: text with colour only on a terminal, data byte for byte.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cogwit_core::text::lines;

/// Writes text for people to standard output.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(lines(text).as_bytes())?;
    stdout.flush()
}

/// Writes what programs read to standard output: JSON, XML, HTML.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a report to standard error. Where nobody reads it, the result still counts.
pub(crate) fn report(text: &str) {
    let _ = anstream::stderr().write_all(lines(text).as_bytes());
}

/// `text` in bold and a colour, where the terminal shows it.
pub(crate) fn styled(text: &str, color: AnsiColor) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{text}{style:#}")
}
