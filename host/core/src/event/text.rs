//! Turns one JSON value into the text that a policy sees.

use std::borrow::Cow;

/// What stands at the start of a JSON value, in words for a message.
pub(super) fn kind(json: &str) -> &'static str {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The text of a value: a string unescaped, null as none, anything else as its JSON.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first() {
        Some(b'"') => Some(unescape(json)),
        Some(b'n') => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// A JSON string without quotes and escapes. A surrogate that stands alone, which Rust's strings and WIT's cannot hold,
/// becomes U+FFFD as in JavaScript's `toWellFormed`; the raw event still has it.
pub(crate) fn unescape(json: &str) -> Cow<'_, str> {
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(json);
    if !plain.contains('\\') {
        return Cow::Borrowed(plain);
    }
    match serde_json::from_str(json) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Owned(serde_json::from_str(&without_lone_surrogates(json)).unwrap_or_default()),
    }
}

fn without_lone_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let unit = code_unit(escape);
        let (length, text) = match unit {
            Some(0xD800..=0xDBFF) if matches!(escape.get(6..).and_then(code_unit), Some(0xDC00..=0xDFFF)) => {
                (12, escape.get(..12))
            }
            Some(0xD800..=0xDFFF) => (6, Some("\u{FFFD}")),
            Some(_) => (6, escape.get(..6)),
            None => (2, escape.get(..2)),
        };
        out.push_str(text.unwrap_or(escape));
        rest = escape.get(length..).unwrap_or_default();
    }
    out + rest
}

/// The UTF-16 unit of an escape such as `\ud83d` at the start of `text`.
fn code_unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_lose_their_escapes() {
        assert_eq!(text(r#""a\nb\u00e9\/""#).unwrap(), "a\nbé/");
        assert_eq!(text(r#""plain""#).unwrap(), "plain");
        assert_eq!(text(r#""""#).unwrap(), "");
    }

    #[test]
    fn other_values_keep_their_json() {
        assert_eq!(text("1E2").unwrap(), "1E2");
        assert_eq!(text("true").unwrap(), "true");
        assert_eq!(text(r#"[ "a" ]"#).unwrap(), r#"[ "a" ]"#);
        assert_eq!(text("null"), None);
    }

    #[test]
    fn a_lone_surrogate_is_replaced_and_a_pair_is_kept() {
        assert_eq!(text(r#""a\ud83d\ude00b""#).unwrap(), "a😀b");
        assert_eq!(text(r#""a\ud83db\\\ude00\n\ud83d\ude00""#).unwrap(), "a\u{FFFD}b\\\u{FFFD}\n😀");
        assert_eq!(text(r#""\ud83d\ud83d\ude00""#).unwrap(), "\u{FFFD}😀");
    }
}
