//! Makes texts fit for a record: without what tells of a person, and no longer than a log takes.

use super::Masking;
use crate::event::Secrets;
use crate::run::{CUT, Fault, LogLine};
use crate::store::{Policy, PolicySet};
use crate::text::one_line;

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
    found: Option<Secrets>,
    room: usize,
}

impl<'a> Mask<'a> {
    pub(super) fn new(event: &'a [u8], set: Option<&'a PolicySet>, masking: &'a Masking) -> Self {
        let event = std::str::from_utf8(event).unwrap_or_default();
        Self { event, set, masking, found: None, room: MOST_OF_LOGS }
    }

    /// A sentence that a policy wrote.
    pub(super) fn sentence(&mut self, text: &str) -> String {
        short(&self.text(text.to_owned()), MOST_OF_A_SENTENCE)
    }

    /// What is said of a fault: in the host's own words, unless the policy had a part in them.
    pub(super) fn fault(&mut self, fault: &Fault, text: &str) -> String {
        match fault {
            Fault::Trap { panic: Some(_), .. } | Fault::Verdict(_) => self.sentence(text),
            _ => self.plain(text),
        }
    }

    /// What the host said of an event: without the event's secrets, which may stand where nobody expects them.
    pub(super) fn plain(&self, text: &str) -> String {
        short(&Secrets::of(self.event).mask(text.to_owned()), MOST_OF_A_SENTENCE)
    }

    /// The context and the message of a line of log. None where there is no room for it.
    pub(super) fn line(&mut self, line: &LogLine) -> Option<(String, String)> {
        // A context was cut if its message was.
        let context = match line.message.strip_suffix(CUT) {
            Some("") => self.text(line.context.clone() + CUT).trim_end_matches(CUT).to_owned(),
            _ => self.text(line.context.clone()),
        };
        let message = self.text(line.message.clone());
        self.room = self.room.checked_sub(context.len() + message.len())?;
        Some((context, message))
    }

    fn text(&mut self, text: String) -> String {
        let found = self.found.get_or_insert_with(|| {
            // These were taken out before, and left the rest of what they stood in.
            let policies = self.set.iter().flat_map(|set| &set.policies).flat_map(Policy::sides);
            let secrets = policies.fold(Secrets::of(self.event), |all, policy| all.and(policy.settings.secrets()));
            self.masking.of(self.event).after(&secrets)
        });
        match text.strip_suffix(CUT) {
            Some(start) => found.mask_cut(start.to_owned()) + CUT,
            None => found.mask(text),
        }
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
    use super::*;
    use crate::run::LogLevel;

    const EVENT: &[u8] = br#"{"userName":"fuel","request":{"password":"hunter22"}}"#;

    #[test]
    fn the_hosts_own_words_stay_whatever_a_user_is_called() {
        let masking = Masking::default();
        let mut mask = Mask::new(EVENT, None, &masking);
        let fault = Fault::Fuel { limit: 7 };
        assert_eq!(mask.fault(&fault, &fault.to_string()), fault.to_string());
        assert_eq!(mask.sentence("out of fuel"), "out of ***");
        assert_eq!(mask.plain("the event has the member `hunter22` twice"), "the event has the member `***` twice");
    }

    #[test]
    fn what_is_long_is_cut_and_what_has_no_room_is_left_out() {
        let masking = Masking::default();
        let mut mask = Mask::new(b"{}", None, &masking);
        assert_eq!(member(Some(&"é".repeat(300))).unwrap().chars().count(), 256 + CUT.len());
        assert_eq!(mask.sentence(&"x".repeat(9_000)).len(), 2_048 + CUT.len());
        let line = |size| LogLine { level: LogLevel::Info, context: String::new(), message: "x".repeat(size) };
        assert!(mask.line(&line(30 << 10)).is_some());
        assert!(mask.line(&line(3 << 10)).is_none());
    }
}
