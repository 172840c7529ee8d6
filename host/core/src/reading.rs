//! Reads TOML so that one mistake does not hide the next.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

/// The most mistakes that are told of one text.
const MOST: usize = 100;

/// What `text` says, and what is wrong with it, line by line. A part that cannot be read is passed over, so that the rest
/// is read too. None where nothing is left to read.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> (Option<T>, Vec<String>) {
    let mut errors = Vec::new();
    let value = match DeTable::parse(text) {
        Ok(table) => read_table(text, table, &mut errors),
        Err(error) => return (None, vec![with_hint(&error)]),
    };
    // The parser goes by the names of the keys.
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    (value, errors.iter().map(with_hint).collect())
}

fn read_table<T: DeserializeOwned>(text: &str, mut table: Spanned<DeTable<'_>>, errors: &mut Vec<Error>) -> Option<T> {
    // What was passed over, and what was meant by it, is not missing.
    let mut passed_over: Vec<String> = Vec::new();
    while errors.len() < MOST {
        match T::deserialize(Deserializer::from(table.clone())) {
            Ok(value) => return Some(value),
            Err(mut error) => {
                error.set_input(Some(text));
                let (span, meant) = (error.span(), meant(&error));
                if !passed_over.iter().any(|key| error.message() == format!("missing field `{key}`")) {
                    errors.push(error);
                }
                passed_over.extend(meant);
                passed_over.push(take(table.get_mut(), &span?)?);
            }
        }
    }
    None
}

/// Takes away the key, the value or the item of a list that stands at `span`. Gives the key, or nothing for an item.
fn take(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let at = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span).map(|(key, _)| key.clone());
    if let Some(key) = at {
        table.remove(&key);
        return Some(key.get_ref().to_string());
    }
    table.iter_mut().find_map(|(_, value)| take_inside(value, span))
}

fn take_inside(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => take(table, span),
        DeValue::Array(items) => {
            if items.iter().any(|item| item.span() == *span) {
                *items = items.iter().filter(|item| item.span() != *span).cloned().collect();
                return Some(String::new());
            }
            items.iter_mut().find_map(|item| take_inside(item, span))
        }
        _ => None,
    }
}

/// The parser's text; for an unknown word, with the one that was meant.
fn with_hint(error: &Error) -> String {
    let text = error.to_string();
    match meant(error) {
        Some(known) => format!("{}\ndid you mean `{known}`?", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

/// For an unknown word, the nearest of those that the parser's message names.
fn meant(error: &Error) -> Option<String> {
    let mut quoted = error.message().strip_prefix("unknown ")?.split('`').skip(1).step_by(2);
    nearest(quoted.next()?, quoted).map(str::to_owned)
}

/// The word of `known` that is most like `word`, if one is alike at all.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
