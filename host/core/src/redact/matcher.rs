//! Finds many values in a text at once, by the algorithm of Aho and Corasick.
//!
//! Its time and memory are linear in the text and in the values. The crate of that name lists in each state every value that ends there, which is quadratic for values that end in one another,
//! and callers choose values. Here a state links to the next shorter value instead.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::OnceLock;

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
    automaton: OnceLock<Automaton>,
}

impl Matcher {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self { values, automaton: OnceLock::new() }
    }

    /// The places of values in `text`, apart and in order. Of the values that end at one place the longest counts that
    /// `is_hidden`; places that overlap become one, so that no rest of a value stays.
    pub(super) fn find(&self, text: &str, is_hidden: impl Fn(&Value, Range<usize>) -> bool) -> Vec<Range<usize>> {
        let automaton = self.automaton();
        let (mut found, mut state) = (Vec::<Range<usize>>::new(), ROOT);
        for (at, byte) in text.bytes().enumerate() {
            state = automaton.next(state, byte);
            let mut ending = automaton.ending(state).filter_map(|index| {
                let value = self.values.get(index)?;
                Some((value, at + 1 - value.text.len()..at + 1))
            });
            let Some((_, hidden)) = ending.find(|(value, place)| is_hidden(value, place.clone())) else { continue };
            let mut start = hidden.start;
            while let Some(last) = found.last().filter(|last| start < last.end) {
                start = start.min(last.start);
                found.pop();
            }
            found.push(start..at + 1);
        }
        found
    }

    /// The length of the longest end of `text` that begins a value and is not a whole one, in bytes.
    pub(super) fn begun_at_end(&self, text: &str) -> usize {
        let automaton = self.automaton();
        let state = text.bytes().fold(ROOT, |state, byte| automaton.next(state, byte));
        automaton.states.get(state).filter(|state| state.value.is_none()).map_or(0, |state| state.depth)
    }

    fn automaton(&self) -> &Automaton {
        self.automaton.get_or_init(|| Automaton::of(&self.values))
    }
}

/// The state in which no value is begun.
const ROOT: usize = 0;

/// A tree of all starts of values, with links from each to the longest end of it that is a start too.
#[derive(Debug)]
struct Automaton {
    states: Vec<State>,
}

/// A start of values.
#[derive(Debug, Default, Clone)]
struct State {
    /// Its last byte, and its length.
    byte: u8,
    depth: usize,
    /// The first of the starts that are longer by a byte, and the next of those that are so beside it.
    child: Option<usize>,
    sibling: Option<usize>,
    /// The longest end of it that is a start too.
    end: usize,
    /// The value that it is.
    value: Option<usize>,
    /// The longest end of it that is a value.
    shorter: Option<usize>,
}

impl Automaton {
    fn of(values: &[Value]) -> Self {
        let mut automaton = Self { states: vec![State::default()] };
        for (index, value) in values.iter().enumerate() {
            let state = value.text.bytes().fold(ROOT, |state, byte| automaton.child_or_new(state, byte));
            if let Some(state) = automaton.states.get_mut(state) {
                state.value = Some(index);
            }
        }
        automaton.link();
        automaton
    }

    fn child(&self, state: usize, byte: u8) -> Option<usize> {
        let mut child = self.states.get(state)?.child;
        while let Some(index) = child {
            let state = self.states.get(index)?;
            if state.byte == byte {
                return Some(index);
            }
            child = state.sibling;
        }
        None
    }

    fn child_or_new(&mut self, parent: usize, byte: u8) -> usize {
        self.child(parent, byte).unwrap_or_else(|| {
            let index = self.states.len();
            if let Some(parent) = self.states.get_mut(parent) {
                let (depth, sibling) = (parent.depth + 1, parent.child.replace(index));
                self.states.push(State { byte, depth, sibling, ..State::default() });
            }
            index
        })
    }

    /// Links each state, the shorter ones first.
    fn link(&mut self) {
        let mut states = VecDeque::from([ROOT]);
        while let Some(parent) = states.pop_front() {
            let Some(State { child, end, .. }) = self.states.get(parent).cloned() else { continue };
            let mut child = child;
            while let Some(index) = child {
                let Some(byte) = self.states.get(index).map(|state| state.byte) else { break };
                let end = if parent == ROOT { ROOT } else { self.next(end, byte) };
                let shorter = self
                    .states
                    .get(end)
                    .and_then(|state| if state.value.is_some() { Some(end) } else { state.shorter });
                let Some(state) = self.states.get_mut(index) else { break };
                (state.end, state.shorter) = (end, shorter);
                child = state.sibling;
                states.push_back(index);
            }
        }
    }

    /// The longest start of a value that ends with `byte`, behind what `state` is.
    fn next(&self, mut state: usize, byte: u8) -> usize {
        loop {
            match (self.child(state, byte), self.states.get(state)) {
                (Some(child), _) => return child,
                (None, Some(at)) if state != ROOT => state = at.end,
                _ => return ROOT,
            }
        }
    }

    /// The values that end where `state` does, the longest first.
    fn ending(&self, state: usize) -> impl Iterator<Item = usize> {
        let first = self.states.get(state).and_then(|it| if it.value.is_some() { Some(state) } else { it.shorter });
        let states = std::iter::successors(first, |state| self.states.get(*state)?.shorter);
        states.filter_map(|state| self.states.get(state)?.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(values: impl IntoIterator<Item = impl Into<String>>) -> Matcher {
        let values = values.into_iter().map(|text| Value { text: text.into(), is_configured: true });
        Matcher::new(values.collect())
    }

    proptest! {
        #[test]
        fn every_byte_of_every_value_is_found_and_no_other(
            values in prop::collection::hash_set("[ab]{1,4}", 0..6),
            text in "[abc]{0,40}",
        ) {
            let mut hidden = vec![false; text.len()];
            for value in &values {
                for at in (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(value.as_bytes())) {
                    hidden[at..at + value.len()].fill(true);
                }
            }
            let found = matcher(values).find(&text, |_, _| true);
            let is_found: Vec<_> = (0..text.len()).map(|at| found.iter().any(|it| it.contains(&at))).collect();
            prop_assert_eq!(is_found, hidden);
        }

        #[test]
        fn values_that_end_at_one_place_come_from_the_longest_to_the_shortest(
            values in prop::collection::hash_set("[ab]{1,4}", 0..6),
            text in "[ab]{1,12}",
        ) {
            let seen = std::cell::RefCell::new(Vec::new());
            matcher(values.clone()).find(&text, |value, place| {
                seen.borrow_mut().push((place.end, value.text.clone()));
                false
            });
            let mut expected: Vec<_> = values.iter().flat_map(|value| {
                let ends = (1..=text.len()).filter(|end| text.as_bytes()[..*end].ends_with(value.as_bytes()));
                ends.map(|end| (end, value.clone())).collect::<Vec<_>>()
            }).collect();
            expected.sort_by_key(|(end, value)| (*end, std::cmp::Reverse(value.len())));
            prop_assert_eq!(seen.into_inner(), expected);
        }

        #[test]
        fn the_longest_begun_value_at_an_end_is_found(value in "[ab]{1,6}", text in "[ab]{0,12}") {
            let begins = |length: &usize| text.as_bytes().ends_with(&value.as_bytes()[..*length]);
            let begun = (0..=value.len()).rev().find(begins).filter(|length| *length < value.len()).unwrap_or_default();
            prop_assert_eq!(matcher([value.as_str()]).begun_at_end(&text), begun);
        }
    }

    #[test]
    fn values_that_end_in_one_another_take_no_more_room_than_others() {
        let values = (0..300).map(|length| "a".repeat(length + 1)).chain(["b".to_owned() + &"a".repeat(200_000)]);
        let matcher = matcher(values);
        let found = matcher.find(&"a".repeat(100_000), |_, _| true);
        assert!(found.len() == 1 && found[0] == (0..100_000));
        assert_eq!(matcher.automaton().states.len(), 200_302);
    }
}
