//! Reads TOML so that one mistake does not hide the next.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::text::{lines, one_line};

/// The most mistakes that are told of one text.
const MOST: usize = 100;

/// The most characters of a line of the text, and of the parser's message, that an error shows.
const MAX_SHOWN: usize = 160;

/// What `text` says, and what is wrong with it, line by line. A part that cannot be read is passed over, so that the rest
/// is read too. None where nothing is left to read.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> (Option<T>, Vec<String>) {
    let mut errors = Vec::new();
    let value = match DeTable::parse(text) {
        Ok(table) => read_table(text, table, &mut errors),
        Err(error) => return (None, vec![with_hint(text, &error)]),
    };
    // The parser goes by the names of the keys.
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    (value, errors.iter().map(|error| with_hint(text, error)).collect())
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
fn with_hint(text: &str, error: &Error) -> String {
    let rendered = render(text, error);
    match meant(error) {
        Some(known) => format!("{rendered}\ndid you mean `{known}`?"),
        None => rendered,
    }
}

/// The parser's text, with a long line of the file cut around the error's column.
fn render(text: &str, error: &Error) -> String {
    let whole = error.to_string();
    let message = shortened(error.message());
    let span = error.span().and_then(|span| Some((text.get(..span.start)?, text.get(span.start..)?)));
    let excerpt = whole.trim_end().strip_suffix(error.message()).unwrap_or(&whole);
    let is_short = excerpt.lines().all(|line| line.chars().count() <= MAX_SHOWN) && message == error.message();
    let (Some((before, after)), false) = (span, is_short) else { return lines(whole.trim_end()) };
    let (number, start) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default());
    let column = start.chars().count();
    let shown: String = start.chars().skip(column.saturating_sub(MAX_SHOWN / 4)).collect();
    let rest: String = after.lines().next().unwrap_or_default().chars().take(MAX_SHOWN / 4).collect();
    let (blank, at) = (" ".repeat(number.to_string().len()), " ".repeat(shown.chars().count()));
    let excerpt = one_line(&format!("{shown}{rest}"));
    format!(
        "TOML parse error at line {number}, column {}\n{blank} |\n{number} | {excerpt}\n{blank} | {at}^\n{message}",
        column + 1
    )
}

/// A parser's message, which may hold any part of what it read, at a length that can be read.
pub(crate) fn shortened(message: &str) -> String {
    let is_long = message.chars().count() > 4 * MAX_SHOWN;
    let message: String = lines(message).chars().take(4 * MAX_SHOWN).collect();
    if is_long { message + "..." } else { message }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Shape {
        name: String,
        sizes: Vec<u8>,
        parts: Vec<Part>,
        more: BTreeMap<String, u8>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        length: u8,
    }

    /// The last line of each mistake, with the line that it stands on.
    fn mistakes(errors: &[String]) -> Vec<String> {
        let line = |error: &str| error.split(['e', ',']).find_map(|it| it.strip_prefix(' ')?.parse::<u32>().ok());
        let told = |error: &String| format!("{}: {}", line(error).unwrap(), error.lines().next_back().unwrap());
        errors.iter().map(told).collect()
    }

    #[test]
    fn what_is_right_is_read_and_what_is_wrong_is_told_line_by_line() {
        let text = "zzz = 1\nname = 'it'\nsizes = [1, 'two', 3, 400]\nparts = [{ length = 1 }, { lenght = 2 }, { length = 3, width = 4 }]\n\
                    [more]\nb = -1\na = 5\n";
        let (shape, errors) = read::<Shape>(text);
        let parts = vec![Part { length: 1 }, Part { length: 3 }];
        let more = BTreeMap::from([("a".to_owned(), 5)]);
        assert_eq!(shape.unwrap(), Shape { name: "it".to_owned(), sizes: vec![1, 3], parts, more });
        assert_eq!(
            mistakes(&errors),
            [
                "1: unknown field `zzz`, expected one of `name`, `sizes`, `parts`, `more`",
                "3: invalid type: string \"two\", expected u8",
                "3: invalid value: integer `400`, expected u8",
                "4: did you mean `length`?",
                "4: unknown field `width`, expected `length`",
                "6: invalid value: integer `-1`, expected u8",
            ]
        );
    }

    #[test]
    fn what_is_no_toml_is_one_mistake() {
        let (shape, errors) = read::<Shape>("name = 'a'\nname = 'b'\nzzz = 1");
        assert_eq!((shape, errors.len()), (None, 1));
        assert!(errors[0].contains("duplicate key"), "{}", errors[0]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let padding = "x".repeat(100_000);
        for (text, column) in [
            (format!("zzz = 1 # {padding}"), 1),
            (format!("sizes = [1, 'HERE', '{padding}']"), 13),
            (format!("name = '{padding}' HERE"), 100_011),
            (format!("a = 1\n{padding} = 'HERE'"), 1),
            (format!("name = {padding}"), 8),
        ] {
            let (_, errors) = read::<Shape>(&text);
            let Some(first) = errors.first() else { panic!("{column}") };
            assert!(first.len() < 1_000 && first.contains(&format!(", column {column}\n")), "{first}");
            let excerpt: Vec<_> = first.lines().collect();
            let caret = excerpt[3].find('^').unwrap();
            assert!(excerpt[2].len() > caret && !excerpt[2].contains(&"x".repeat(81)), "{first}");
        }
    }

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        let (_, errors) = read::<Shape>("zzz = '\u{9b}31m\u{202e}'\n");
        assert!(errors[0].contains("zzz = ' 31m '"), "{}", errors[0]);
    }

    #[test]
    fn mistakes_without_end_are_not_all_told() {
        let text: String = (0..1_000).map(|number| format!("key{number} = 1\n")).collect();
        let (shape, errors) = read::<Shape>(&text);
        assert_eq!((shape, errors.len()), (None, MOST));
    }

    #[test]
    fn the_nearest_word_is_one_that_is_alike() {
        let known = ["decision", "message", "max-fuel"];
        for (word, meant) in [("desicion", Some("decision")), ("max_fuel", Some("max-fuel")), ("zzz", None), ("", None)]
        {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
    }
}
