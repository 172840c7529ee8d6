//! Finds many values in a text at once, in time linear in the text.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::noncontiguous::NFA;

/// A value that must not be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) text: String,
    /// Whether the operator configured it. Such a value is removed wherever it stands. All others come with an event, where a
    /// caller may have chosen them.
    pub(super) is_configured: bool,
}

/// Values, and the automaton that finds them once something was written.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) values: Vec<Value>,
    /// `None`: there are no values, or more than an automaton can hold.
    automaton: OnceLock<Option<NFA>>,
}

impl Matcher {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self { values, automaton: OnceLock::new() }
    }

    /// The places of values in `text`, apart and in order. Of the values that end at one place the longest counts that
    /// `is_hidden`; places that overlap become one, so that no rest of a value stays.
    pub(super) fn find(&self, text: &str, is_hidden: impl Fn(&Value, Range<usize>) -> bool) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let Some(automaton) = self.automaton() else { return found };
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return found };
        for (at, byte) in text.bytes().enumerate() {
            state = automaton.next_state(Anchored::No, state, byte);
            if !automaton.is_match(state) {
                continue;
            }
            // A state lists its own value first, and then those that are ends of it: from the longest to the shortest.
            let ending = (0..automaton.match_len(state)).filter_map(|index| {
                let value = self.values.get(automaton.match_pattern(state, index).as_usize())?;
                Some((value, at + 1 - value.text.len()..at + 1))
            });
            let Some((_, hidden)) = ending.into_iter().find(|(value, place)| is_hidden(value, place.clone())) else {
                continue;
            };
            let mut start = hidden.start;
            while let Some(last) = found.last().filter(|last| start < last.end) {
                start = start.min(last.start);
                found.pop();
            }
            found.push(start..at + 1);
        }
        found
    }

    fn automaton(&self) -> Option<&NFA> {
        let texts = || self.values.iter().map(|value| &value.text);
        let make = || if self.values.is_empty() { None } else { NFA::new(texts()).ok() };
        self.automaton.get_or_init(make).as_ref()
    }

    /// The length of the longest end of `text` that begins a value, in bytes.
    pub(super) fn begun_at_end(&self, text: &str) -> usize {
        self.values.iter().map(|value| overlap(text.as_bytes(), value.text.as_bytes())).max().unwrap_or_default()
    }
}

/// The length of the longest end of `text` that is a start of `value` and not all of it: by Knuth, Morris and Pratt, in time
/// linear in `value`.
fn overlap(text: &[u8], value: &[u8]) -> usize {
    let longest = value.len().saturating_sub(1).min(text.len());
    let end = text.get(text.len() - longest..).unwrap_or_default();
    // For each length of a start of the value: how long its longest end is that is a start too.
    let mut borders = vec![0; value.len()];
    let extend = |borders: &[usize], mut length: usize, byte: u8| {
        while length > 0 && value.get(length) != Some(&byte) {
            length = borders.get(length - 1).copied().unwrap_or_default();
        }
        if value.get(length) == Some(&byte) { length + 1 } else { 0 }
    };
    let mut length = 0;
    for (at, byte) in value.iter().enumerate().skip(1) {
        length = extend(&borders, length, *byte);
        if let Some(border) = borders.get_mut(at) {
            *border = length;
        }
    }
    end.iter().fold(0, |length, byte| extend(&borders, length, *byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(values: &[&str]) -> Matcher {
        let values = values.iter().map(|text| Value { text: (*text).to_owned(), is_configured: true });
        Matcher::new(values.collect())
    }

    proptest! {
        #[test]
        fn every_byte_of_every_value_is_found_and_no_other(
            values in prop::collection::hash_set("[ab]{1,4}", 0..6),
            text in "[abc]{0,40}",
        ) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let mut hidden = vec![false; text.len()];
            for value in &values {
                for at in (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(value.as_bytes())) {
                    hidden[at..at + value.len()].fill(true);
                }
            }
            let found = matcher(&values).find(&text, |_, _| true);
            let is_found: Vec<_> = (0..text.len()).map(|at| found.iter().any(|it| it.contains(&at))).collect();
            prop_assert_eq!(is_found, hidden);
        }

        #[test]
        fn the_longest_begun_value_at_an_end_is_found(value in "[ab]{1,6}", text in "[ab]{0,12}") {
            let begun = (0..value.len()).rev().find(|length| text.as_bytes().ends_with(&value.as_bytes()[..*length])).unwrap();
            prop_assert_eq!(overlap(text.as_bytes(), value.as_bytes()), begun);
        }
    }
}
