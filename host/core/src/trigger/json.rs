//! Writes members of `response` as JSON.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::Hash;

use super::Checked;
use crate::text::quote;

/// A text.
pub(super) fn text(text: &str) -> String {
    // A text is always JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// A list of texts.
pub(super) fn texts(texts: &[String]) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

/// A map of texts.
pub(super) fn map(entries: &[(String, String)]) -> String {
    object(entries.iter().map(|(name, value)| (name.as_str(), text(value))))
}

/// An object of members that are JSON already.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = "{".to_owned();
    for (place, (name, json)) in members.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(out, "{comma}{}:{json}", text(name));
    }
    out + "}"
}

/// Both maps as one, each key once: a later value takes the place of an earlier one.
pub(super) fn united<N: Clone + Eq + Hash, V>(entries: impl IntoIterator<Item = (N, V)>) -> Vec<(N, V)> {
    let mut places = HashMap::new();
    let mut united: Vec<(N, V)> = Vec::new();
    for (name, value) in entries {
        let place = *places.entry(name.clone()).or_insert(united.len());
        match united.get_mut(place) {
            Some((_, earlier)) => *earlier = value,
            None => united.push((name, value)),
        }
    }
    united
}

/// A map as it will be written, in an order that two can be compared by.
pub(super) fn sorted<V>(entries: Vec<(String, V)>) -> Vec<(String, V)> {
    let mut united = united(entries);
    united.sort_by(|(one, _), (other, _)| one.cmp(other));
    united
}

/// What [`united`] makes of two maps, where either may be missing.
pub(super) fn united_maps<V>(
    earlier: Option<Vec<(String, V)>>,
    later: Option<Vec<(String, V)>>,
) -> Option<Vec<(String, V)>> {
    match (earlier, later) {
        (Some(earlier), Some(later)) => Some(united(earlier.into_iter().chain(later))),
        (one, other) => other.or(one),
    }
}

/// Both lists as one, each text once.
pub(super) fn united_lists(earlier: Option<Vec<String>>, later: Option<Vec<String>>) -> Option<Vec<String>> {
    match (earlier, later) {
        (Some(mut earlier), Some(later)) => {
            let mut known: HashSet<_> = earlier.iter().cloned().collect();
            earlier.extend(later.into_iter().filter(|text| known.insert(text.clone())));
            Some(earlier)
        }
        (one, other) => other.or(one),
    }
}

/// The longest name and value of an attribute, in characters, as the API has them.
const MOST_NAME: usize = 32;
const MOST_VALUE: usize = 2048;

/// Holds attributes that a user shall get against the API's limits.
pub(super) fn check_attributes(checked: &mut Checked, member: &'static str, attributes: &[(String, String)]) {
    for (name, value) in attributes {
        let bare = name.strip_prefix("custom:").unwrap_or(name);
        if bare.is_empty() || name.chars().count() > MOST_NAME {
            checked.refuse(
                member,
                format!("Cognito refuses the attribute {}: a name has 1 to {MOST_NAME} characters", quote(name)),
            );
        }
        if value.chars().count() > MOST_VALUE {
            checked.refuse(member, format!("Cognito refuses {} of more than {MOST_VALUE} characters", quote(name)));
        }
    }
}
