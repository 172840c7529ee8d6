//! Writes one value in every encoding in which a policy may write it.

use crate::event::text;
use crate::text::{one_line, without_marks};

/// The shortest line of a value that is looked for by itself, in characters. Shorter ones could be any word.
const MIN_LINE: usize = 4;

/// A JSON value as text, as it stands in its event, and both as languages quote them. None where it is null.
pub(super) fn encodings_of_json(json: &str) -> Option<Vec<String>> {
    let value = text(json)?;
    let bare = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json);
    let mut encodings = encodings_of(&value);
    if bare != value {
        encodings.extend(encodings_of(bare));
    }
    Some(encodings)
}

/// A text, its lines, and the text as languages quote it.
pub(super) fn encodings_of(value: &str) -> Vec<String> {
    let mut encodings = vec![value.to_owned()];
    // Policies compare without blanks around, and without regard to case.
    for other in [value.trim(), &value.to_lowercase(), &value.trim().to_lowercase()] {
        if !other.is_empty() && !encodings.iter().any(|known| known == other) {
            encodings.push(other.to_owned());
        }
    }
    if value.chars().all(is_plain) {
        return encodings;
    }
    encodings.extend([
        unquoted(&format!("{value:?}")).to_owned(),
        json(value, false),
        json(value, true),
        python(value),
    ]);
    encodings.push(without_marks(value));
    // What is printed is written line by line, and what a panic says on one line.
    if value.contains(['\n', '\r']) {
        let lines = value.split(['\n', '\r']).filter(|line| line.chars().count() >= MIN_LINE);
        encodings.extend(lines.map(str::to_owned));
    }
    let on_one_line: Vec<_> = encodings.iter().map(|it| one_line(it)).collect();
    encodings.extend(on_one_line);
    encodings
}

/// Whether every language writes the character as it is.
fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\')
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// As in JSON, with every character that is not ASCII escaped or none.
fn json(value: &str, ascii: bool) -> String {
    let quoted = serde_json::to_string(value).unwrap_or_default();
    let plain = unquoted(&quoted);
    if !ascii {
        return plain.to_owned();
    }
    let mut units = [0; 2];
    plain.chars().fold(String::new(), |mut out, c| {
        match c.is_ascii() {
            true => out.push(c),
            false => c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
        out
    })
}

/// As Python's `repr`, which escapes an apostrophe only beside a quotation mark.
fn python(value: &str) -> String {
    let both = value.contains('\'') && value.contains('"');
    value.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' if both => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_has_one_encoding() {
        assert_eq!(encodings_of_json("\"plain text-1\""), Some(vec!["plain text-1".to_owned()]));
        assert_eq!(encodings_of_json("42"), Some(vec!["42".to_owned()]));
        assert_eq!(encodings_of_json("null"), None);
    }

    #[test]
    fn each_language_quotes_in_its_own_way() {
        let encodings = encodings_of("é'\"\u{8}\n\\");
        for encoding in [r#"é'\"\u{8}\n\\"#, r#"é'\"\b\n\\"#, r#"\u00e9'\"\b\n\\"#, r#"é\'"\x08\n\\"#, "é'\"  \\"] {
            assert!(encodings.contains(&encoding.to_owned()), "{encoding}: {encodings:?}");
        }
        assert!(encodings_of("👩").contains(&"\\ud83d\\udc69".to_owned()));
        assert!(encodings_of("first\nno\nthird").contains(&"third".to_owned()));
        assert!(!encodings_of("first\nno\nthird").contains(&"no".to_owned()));
    }

    #[test]
    fn what_stands_in_the_event_is_quoted_too() {
        let encodings = encodings_of_json(r#""a\u00e9""#).unwrap();
        for encoding in ["aé", r"a\u00e9", r"a\\u00e9"] {
            assert!(encodings.contains(&encoding.to_owned()), "{encoding}: {encodings:?}");
        }
    }
}
