//! Counts how often something was so, and remembers the first records where it was.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// How many names are told apart. Records may say anything.
const MOST: usize = 100;

/// About how many bytes a name takes, or an id, besides its own.
const ENTRY: usize = 64;

/// What every other name counts as.
const OTHERS: &str = "others";

/// How often each name came.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, Seen>);

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    ids: Vec<String>,
}

/// How often a name came, and the first records that it was in.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) count: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) ids: &'a [String],
}

impl Tally {
    /// Counts a name, keeps the record's id as long as there are fewer than `examples`, and tells about how many bytes that takes.
    pub(super) fn add(&mut self, name: &str, id: &str, examples: usize) -> usize {
        let before = self.0.len();
        let name = if self.0.len() < MOST || self.0.contains_key(name) { name } else { OTHERS };
        let seen = self.0.entry(name.to_owned()).or_default();
        seen.count += 1;
        let is_kept = seen.ids.len() < examples;
        if is_kept {
            seen.ids.push(id.to_owned());
        }
        (self.0.len() - before) * (ENTRY + name.len()) + usize::from(is_kept) * (ENTRY + id.len())
    }

    /// The most frequent first.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        let entries = self.0.iter().map(|(name, seen)| Entry { name, count: seen.count, ids: &seen.ids });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        entries
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.entries())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first_with_its_first_records() {
        let mut tally = Tally::default();
        let names = [("a", "1"), ("b", "2"), ("b", "3"), ("b", "4")];
        let bytes = names.map(|(name, id)| tally.add(name, id, 2));
        assert_eq!(bytes, [2 * ENTRY + 2, 2 * ENTRY + 2, ENTRY + 1, 0]);
        let entries: Vec<_> = tally.entries().iter().map(|it| (it.name, it.count, it.ids.join(" "))).collect();
        assert_eq!(entries, [("b", 3, "2 3".to_owned()), ("a", 1, "1".to_owned())]);
    }

    #[test]
    fn names_without_end_are_counted_together() {
        let mut tally = Tally::default();
        for name in (0..500).chain([7]) {
            tally.add(&format!("{name:03}"), "", 0);
        }
        let counts: Vec<_> = tally.entries().iter().map(|it| (it.name.to_owned(), it.count)).take(2).collect();
        assert_eq!((tally.0.len(), counts), (MOST + 1, vec![(OTHERS.to_owned(), 400), ("007".to_owned(), 2)]));
    }
}
