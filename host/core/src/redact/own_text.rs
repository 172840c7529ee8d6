//! Knows the text that is a policy's own: what its component was built with, and its settings.
//!
//! A caller who chooses the word "invitation" as a value must not take that word out of the policy's sentence "unknown
//! invitation code". So a place where a value stands is kept where the policy was built with the words around it.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use wasmparser::{DataKind, Parser, Payload};

use crate::policy::Settings;

/// The shortest text in a component that could be words, in bytes.
const MIN_TEXT: usize = 6;

/// The most text that is kept of a component, in bytes. An interpreter with its libraries has more; then later texts count as
/// unknown, and values in them are removed.
const MAX_TEXT: usize = 2 << 20;

/// How many characters beside a value have to be the policy's own, on one side of it.
const CONTEXT: usize = 3;

/// The most text that is searched for one run or one record, in bytes: some 10 ms of work. After it, values are removed.
const MAX_SEARCHED: usize = 64 << 20;

/// The text in the data of a component, piece by piece.
pub(crate) fn of_component(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        // A component that cannot be read is refused elsewhere.
        let Ok(Payload::DataSection(section)) = payload else { continue };
        for data in section.into_iter().flatten() {
            if matches!(data.kind, DataKind::Active { .. } | DataKind::Passive) {
                keep_text(data.data, &mut text);
            }
        }
    }
    text
}

/// Keeps what in `data` can be words.
fn keep_text(data: &[u8], text: &mut Vec<u8>) {
    for run in data.utf8_chunks().flat_map(|chunk| chunk.valid().split(|c: char| c.is_control())).map(str::as_bytes) {
        let is_words = run.contains(&b' ') && run.iter().any(u8::is_ascii_alphabetic);
        if is_words && run.len() >= MIN_TEXT && text.len() + run.len() < MAX_TEXT {
            text.extend_from_slice(run);
            // Two pieces are no sentence.
            text.push(0);
        }
    }
}

/// The text of one policy.
#[derive(Clone)]
pub(crate) struct PolicyText {
    component: Arc<[u8]>,
    settings: Arc<Settings>,
}

impl PolicyText {
    /// `component` is what [`of_component`] found.
    pub(crate) fn new(component: Arc<[u8]>, settings: Arc<Settings>) -> Self {
        Self { component, settings }
    }

    /// Opens it for one run or one record.
    pub(crate) fn open(&self) -> OwnText {
        OwnText { text: self.clone(), left: Cell::new(MAX_SEARCHED) }
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings hold secrets.
        formatter.debug_struct("PolicyText").finish_non_exhaustive()
    }
}

/// The text of one policy, with a bound on how much of it is searched.
pub(crate) struct OwnText {
    text: PolicyText,
    left: Cell<usize>,
}

impl OwnText {
    /// Whether what stands at `place` of `text` is the policy's own: words in letters alone, which the policy has in one piece with
    /// what stands beside them, on one side.
    pub(super) fn has(&self, text: &str, place: Range<usize>) -> bool {
        if !text.get(place.clone()).is_some_and(|words| words.chars().all(|c| c.is_ascii_alphabetic() || c == ' ')) {
            return false;
        }
        let before = text.get(..place.start).unwrap_or_default();
        let after = text.get(place.end..).unwrap_or_default();
        if before.is_empty() && after.is_empty() {
            // A sentence; a word by itself is more likely the value.
            return text.contains(' ') && self.contains(text);
        }
        let start = before.char_indices().rev().nth(CONTEXT - 1).map(|(at, _)| at);
        let end = after.char_indices().nth(CONTEXT - 1).map(|(at, last)| place.end + at + last.len_utf8());
        let sides = [start.map(|start| start..place.end), end.map(|end| place.start..end)];
        sides.into_iter().flatten().any(|side| text.get(side).is_some_and(|side| self.contains(side)))
    }

    fn contains(&self, text: &str) -> bool {
        let PolicyText { component, settings } = &self.text;
        let plain = || settings.plain();
        let size = component.len() + plain().map(str::len).sum::<usize>();
        let Some(left) = self.left.get().checked_sub(size) else { return false };
        self.left.set(left);
        let finder = memmem::Finder::new(text);
        finder.find(component).is_some() || plain().any(|value| finder.find(value.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_text(component: &[u8]) -> OwnText {
        PolicyText::new(Arc::from(component), Arc::default()).open()
    }

    fn is_own(text: &str, value: &str) -> bool {
        let own = own_text(b"unknown invitation code\0 of the client\0password is \0the pass is s3same");
        let start = text.find(value).unwrap();
        own.has(text, start..start + value.len())
    }

    #[test]
    fn words_of_a_sentence_are_the_policys_own_and_what_it_puts_in_is_not() {
        for (text, value) in [
            ("unknown invitation code", "invitation"),
            ("unknown invitation code", "code"),
            ("unknown invitation code", "unknown invitation code"),
            ("unknown invitation code of the client abc", "unknown"),
            ("x1 of the client abc", "client"),
        ] {
            assert!(is_own(text, value), "{text}: {value}");
        }
        for (text, value) in [
            ("password is code", "code"),
            ("code", "code"),
            ("the client code of the client", "code"),
            ("unknown invitation code: hunter22", "hunter22"),
            ("the pass is s3same", "s3same"),
        ] {
            assert!(!is_own(text, value), "{text}: {value}");
        }
    }

    #[test]
    fn the_search_is_bounded_and_then_nothing_is_the_policys_own() {
        let own = own_text(&vec![b'x'; MAX_TEXT]);
        let found = (0..100).filter(|_| own.contains("xxxx")).count();
        assert_eq!(found, MAX_SEARCHED / MAX_TEXT);
    }

    #[test]
    fn the_text_of_a_component_is_what_its_data_holds() {
        let wat = r#"(component (core module (memory 1) (data (i32.const 0) "\01\02unknown code\00\03abc\00d\c3\a9j\c3\a0 vu")))"#;
        assert_eq!(of_component(&wat::parse_str(wat).unwrap()), "unknown code\0déjà vu\0".as_bytes());
        assert!(of_component(b"no component").is_empty());
    }
}
