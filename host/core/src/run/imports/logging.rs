//! Gives `wasi:logging/logging`: a log that is cut at its limits and says so.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::policy::{Limits, Settings};
use crate::redact::{OwnText, PolicyText, Redactor};
use crate::run::bindings::logging::Level;
use crate::run::context::{Context, charge};
use crate::run::usage::{CUT, LogLevel, LogLine, Logs};

pub(super) const NAME: &str = "wasi:logging/logging@0.1.0-draft";

pub(super) fn add_to(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    linker.instance(NAME)?.func_wrap(
        "log",
        |mut store: StoreContextMut<'_, Context>, (level, context, message): (Level, String, String)| {
            charge(&mut store, context.len() + message.len())?;
            store.data_mut().log.write(LogLine { level: level.into(), context, message }, false);
            Ok(())
        },
    )
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
            Level::Critical => Self::Critical,
        }
    }
}

/// The log of one instance.
pub(in crate::run) struct Log {
    settings: Arc<Settings>,
    raw_event: Arc<str>,
    /// The secret values of event and settings, once there is something to write.
    secrets: Option<Redactor>,
    /// What of the text is the policy's own.
    own: OwnText,
    written: Logs,
    lines_left: u64,
    bytes_left: usize,
    /// What was printed to standard output and standard error and has not ended its line.
    unfinished: [Unfinished; 2],
}

/// A line that was begun.
#[derive(Default)]
struct Unfinished {
    bytes: Vec<u8>,
    /// Whether there was more than the log could take.
    cut: bool,
}

/// Standard output, as the representation of a WASI stream.
pub(in crate::run) const STDOUT: u32 = 0;
/// Standard error.
pub(in crate::run) const STDERR: u32 = 1;

/// The level and context of each.
const STREAMS: [(LogLevel, &str); 2] = [(LogLevel::Info, "stdout"), (LogLevel::Warn, "stderr")];

impl Log {
    pub(in crate::run) fn new(
        limits: &Limits,
        settings: Arc<Settings>,
        raw_event: Arc<str>,
        text: &PolicyText,
    ) -> Self {
        Self {
            settings,
            raw_event,
            secrets: None,
            own: text.open(),
            written: Logs::default(),
            lines_left: limits.log_lines,
            bytes_left: usize::try_from(limits.log_bytes).unwrap_or(usize::MAX),
            unfinished: Default::default(),
        }
    }

    /// Writes a line. `begun`: its message was cut already.
    fn write(&mut self, mut line: LogLine, begun: bool) {
        if self.lines_left == 0 || self.bytes_left == 0 {
            self.written.dropped += 1;
            return;
        }
        let secrets =
            self.secrets.get_or_insert_with(|| Redactor::secrets_of(&self.raw_event).and(self.settings.secrets()));
        // No more is looked at than could be kept.
        let mask = |text: &mut String, begun: bool| {
            let begun = cut(text, self.bytes_left + 1) || begun;
            *text = match begun {
                true => secrets.mask_cut_policy_text(text, &self.own),
                false => secrets.mask_policy_text(text, &self.own),
            };
            begun
        };
        let context_begun = mask(&mut line.context, false);
        let begun = mask(&mut line.message, begun);
        let context_cut = cut(&mut line.context, self.bytes_left) || context_begun;
        self.bytes_left -= line.context.len();
        if cut(&mut line.message, self.bytes_left) || context_cut || begun {
            self.bytes_left = 0;
            line.message.push_str(CUT);
        } else {
            self.bytes_left -= line.message.len();
        }
        self.lines_left -= 1;
        self.written.lines.push(line);
    }

    /// Takes what was printed to a WASI stream: each line is a line of the log.
    pub(in crate::run) fn print(&mut self, stream: u32, mut bytes: &[u8]) {
        let index = usize::from(stream != STDOUT);
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.keep(index, line);
            self.end_line(index);
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(index, bytes);
    }

    fn keep(&mut self, index: usize, bytes: &[u8]) {
        // Never more than the log could still take, and one byte more, so that the cut is seen.
        if let Some(unfinished) = self.unfinished.get_mut(index) {
            let room = (self.bytes_left + 1).saturating_sub(unfinished.bytes.len());
            unfinished.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            unfinished.cut |= bytes.len() > room;
        }
    }

    fn end_line(&mut self, index: usize) {
        if let (Some(line), Some((level, context))) = (self.unfinished.get_mut(index), STREAMS.get(index)) {
            let Unfinished { bytes, cut } = std::mem::take(line);
            let text = String::from_utf8_lossy(&bytes);
            // A cut may go through a character.
            let message = if cut { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &text }.to_owned();
            self.write(LogLine { level: *level, context: (*context).to_owned(), message }, cut);
        }
    }

    pub(in crate::run) fn into_logs(mut self) -> Logs {
        for index in 0..STREAMS.len() {
            if self.unfinished.get(index).is_some_and(|line| !line.bytes.is_empty()) {
                self.end_line(index);
            }
        }
        self.written
    }
}

/// Cuts `text` to `bytes` at most, between characters. True where something was cut.
fn cut(text: &mut String, bytes: usize) -> bool {
    let cut = text.len() > bytes;
    text.truncate(text.floor_char_boundary(bytes));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> LogLine {
        LogLine { level: LogLevel::Info, context: String::new(), message: message.to_owned() }
    }

    fn logged(log_lines: u64, log_bytes: u64, messages: &[&str]) -> (Vec<String>, u64) {
        let limits = Limits { log_lines, log_bytes, ..Limits::default() };
        let text = PolicyText::new(Arc::default(), Arc::default());
        let mut log = Log::new(&limits, Arc::default(), Arc::from(""), &text);
        messages.iter().for_each(|message| log.write(line(message), false));
        let logs = log.into_logs();
        (logs.lines.into_iter().map(|line| line.message).collect(), logs.dropped)
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        assert_eq!(logged(2, 100, &["a", "b", "c", "d"]), (vec!["a".to_owned(), "b".to_owned()], 2));
    }

    #[test]
    fn bytes_beyond_the_limit_are_cut_between_characters() {
        let (lines, dropped) = logged(9, 4, &["a", "日日", "c"]);
        assert_eq!((lines, dropped), (vec!["a".to_owned(), "日 [cut]".to_owned()], 1));
    }
}
