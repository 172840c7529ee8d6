//! Makes texts fit for a record: without what tells of a person, and no longer than a log takes.

use super::Masking;
use crate::redact::{OwnText, PolicyText, Redactor};
use crate::run::{CUT, Fault, LogLevel, Logs};
use crate::store::PolicySet;
use crate::text::one_line;
use crate::{PolicyRun, Verdict};

/// The longest member of an event's header, in characters.
const MOST_OF_A_MEMBER: usize = 256;
/// The longest sentence, in characters.
const MOST_OF_A_SENTENCE: usize = 2_048;
/// The most bytes of log in one record. CloudWatch cuts a line of more than 256 KiB, and reads no metrics from what is left;
/// in JSON a byte can take up to six.
const MOST_OF_LOGS: usize = 32 << 10;

/// Takes out of texts what tells of a person, in one record.
pub(super) struct Mask<'a> {
    event: &'a str,
    set: Option<&'a PolicySet>,
    masking: &'a Masking,
    /// Looked for only where somebody wrote something.
    found: Option<Redactor>,
    room: usize,
}

impl<'a> Mask<'a> {
    pub(super) fn new(event: &'a [u8], set: Option<&'a PolicySet>, masking: &'a Masking) -> Self {
        let event = std::str::from_utf8(event).unwrap_or_default();
        Self { event, set, masking, found: None, room: MOST_OF_LOGS }
    }

    /// A sentence that a policy wrote.
    pub(super) fn sentence(&mut self, text: &str, own: &PolicyText) -> String {
        short(&self.line(text, &own.open()), MOST_OF_A_SENTENCE)
    }

    /// A sentence that the host wrote.
    pub(super) fn host_text(&mut self, text: &str) -> String {
        short(&self.redactor().mask_host_text(text), MOST_OF_A_SENTENCE)
    }

    /// What is said of a fault in the host's words, but for what a policy said when it panicked.
    pub(super) fn fault(&mut self, fault: &Fault, own: &PolicyText) -> String {
        match fault {
            Fault::Trap { trap, panic: Some(panic) } => {
                let panic = Some(self.sentence(panic, own));
                Fault::Trap { trap: trap.clone(), panic }.to_string()
            }
            Fault::Verdict(_) | Fault::Types(_) | Fault::Value(_) | Fault::Refused(_) => {
                self.host_text(&fault.to_string())
            }
            // These name limits, and nothing that came with the event.
            _ => fault.to_string(),
        }
    }

    /// Why a decision failed: in the words of the fault that ended it, if one did, of the last policy that ran.
    pub(super) fn error(&mut self, text: &str, runs: &[PolicyRun]) -> String {
        let faulted = runs.iter().rev().find_map(|run| match &run.verdict {
            Verdict::Fault(fault) => Some((text.strip_suffix(&fault.to_string())?, fault, run)),
            _ => None,
        });
        match faulted {
            Some((start, fault, run)) => start.to_owned() + &self.fault(fault, &run.text),
            None => self.host_text(text),
        }
    }

    /// The lines of a policy's log, each as its level, context and message, until there is no room for more.
    pub(super) fn lines(&mut self, logs: &Logs, own: &PolicyText) -> Vec<(LogLevel, String, String)> {
        let own = own.open();
        let mut room = self.room;
        let lines = logs.lines.iter().filter_map(|line| {
            // A context was cut if its message was.
            let context = match line.message.strip_suffix(CUT) {
                Some("") => self.line(&(line.context.clone() + CUT), &own).trim_end_matches(CUT).to_owned(),
                _ => self.line(&line.context, &own),
            };
            let message = self.line(&line.message, &own);
            room = room.checked_sub(context.len() + message.len())?;
            Some((line.level, context, message))
        });
        let lines = lines.collect();
        self.room = room;
        lines
    }

    /// A text that may have been cut at the log's limit.
    fn line(&mut self, text: &str, own: &OwnText) -> String {
        match text.strip_suffix(CUT) {
            Some(start) => self.redactor().mask_cut_policy_text(start, own) + CUT,
            None => self.redactor().mask_policy_text(text, own),
        }
    }

    fn redactor(&mut self) -> &Redactor {
        self.found.get_or_insert_with(|| {
            // These were taken out before, and left the rest of what they stood in.
            let secrets = Redactor::secrets_of(self.event);
            let secrets = self.set.into_iter().fold(secrets, |all, set| all.and(set.secrets()));
            self.masking.of(self.event).after(&secrets).and(&secrets)
        })
    }
}

/// A member of the event's header.
pub(super) fn member(value: Option<&str>) -> Option<String> {
    value.map(|value| short(value, MOST_OF_A_MEMBER))
}

/// What went wrong with the store, which no event has a part in.
pub(super) fn problem(text: &str) -> String {
    short(&one_line(text), MOST_OF_A_SENTENCE)
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + CUT,
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run::LogLine;

    const EVENT: &[u8] = br#"{"userName":"fuel","request":{"password":"hunter22"}}"#;

    fn own(text: &str) -> PolicyText {
        PolicyText::new(Arc::from(text.as_bytes()), Arc::default())
    }

    #[test]
    fn words_stay_whatever_a_user_is_called_and_what_was_put_in_goes() {
        let masking = Masking::default();
        let mut mask = Mask::new(EVENT, None, &masking);
        let fault = Fault::Fuel { limit: 7 };
        assert_eq!(mask.fault(&fault, &own("")), fault.to_string());
        assert_eq!(mask.sentence("out of fuel: fuel", &own("out of fuel: ")), "out of fuel: ***");
        assert_eq!(mask.sentence("out of fuel", &own("")), "out of ***");
        assert_eq!(mask.host_text("the event has the fuel `hunter22` twice"), "the event has the fuel `***` twice");
        let panic = Some("no fuel for fuel".to_owned());
        let trap = Fault::Trap { trap: String::new(), panic };
        assert_eq!(mask.fault(&trap, &own("no fuel for ")), "trapped: no fuel for ***");
    }

    #[test]
    fn what_is_long_is_cut_and_what_has_no_room_is_left_out() {
        let masking = Masking::default();
        let mut mask = Mask::new(b"{}", None, &masking);
        assert_eq!(member(Some(&"é".repeat(300))).unwrap().chars().count(), 256 + CUT.len());
        assert_eq!(mask.host_text(&"x".repeat(9_000)).len(), 2_048 + CUT.len());
        let line = |size| LogLine { level: LogLevel::Info, context: String::new(), message: "x".repeat(size) };
        let logs = Logs { lines: vec![line(30 << 10), line(3 << 10), line(1 << 10)], dropped: 0 };
        let kept: Vec<_> = mask.lines(&logs, &own("")).iter().map(|(.., message)| message.len()).collect();
        assert_eq!(kept, [30 << 10, 1 << 10]);
    }
}
