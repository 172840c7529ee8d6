//! Finds the values of an event that must not be written.

use std::collections::BTreeSet;

use super::encodings::encodings_of_json;
use crate::event::{text, unescape};

/// Members whose values nobody may read, wherever Cognito puts them.
const SECRET: [&str; 8] = [
    "password",
    "challengeAnswer",
    "privateChallengeParameters",
    "challengeMetadata",
    "code",
    "tokenResponse",
    "idToken",
    "samlResponse",
];

/// Secret attributes of the notification of an account takeover: the token, and what the names of its links begin with.
const FEEDBACK_TOKEN: &str = "FEEDBACK_TOKEN";
const ONE_CLICK: &str = "ONE_CLICK_";

/// Members whose values tell of a person.
const PERSONAL: [&str; 5] = ["userAttributes", "validationData", "clientMetadata", "attributes", "userName"];

/// The states that a user may be in, which Cognito puts among the attributes. They tell of nobody, and are words of every day.
const STATES: [&str; 8] = [
    "UNCONFIRMED",
    "CONFIRMED",
    "ARCHIVED",
    "COMPROMISED",
    "UNKNOWN",
    "RESET_REQUIRED",
    "FORCE_CHANGE_PASSWORD",
    "EXTERNAL_PROVIDER",
];

/// A value of fewer characters tells of nobody, and its removal would make a sentence unreadable.
pub(super) const MIN_CHARS: usize = 4;

/// The most values that are looked for, and the most bytes of their encodings: to find them takes some 30 ms then.
const MAX_VALUES: usize = 1_000;
const MAX_BYTES: usize = 512 << 10;

/// Whether the values of the member with this name are secret, where Cognito chose the name.
pub(super) fn is_secret(name: &str) -> bool {
    SECRET.contains(&name) || is_secret_attribute(name)
}

fn is_secret_attribute(name: &str) -> bool {
    name == FEEDBACK_TOKEN || name.starts_with(ONE_CLICK)
}

/// Who chose the names of an object's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Cognito,
    Attributes,
    /// A name makes nothing secret here, or a caller could choose what an operator reads.
    Caller,
}

impl Names {
    /// Who chose the names below the member `name` of an object.
    fn below(self, name: &str) -> Self {
        match (self, name) {
            (Self::Caller, _) | (_, "clientMetadata" | "validationData") => Self::Caller,
            (_, "userAttributes") => Self::Attributes,
            _ => self,
        }
    }
}

/// The secret values of an event in every encoding: passwords, codes, answers, private parameters, tokens. `None`: too many.
pub(super) fn secret(event: &str, min_chars: usize) -> Option<BTreeSet<String>> {
    let is_wanted = |names: Names, name: &str| match names {
        Names::Cognito => is_secret(name),
        Names::Attributes => is_secret_attribute(name),
        Names::Caller => false,
    };
    collect(event, is_wanted, |value| value.chars().count() >= min_chars)
}

/// The values that tell of a person: attributes, metadata and user name. `None`: too many.
pub(super) fn personal(event: &str) -> Option<BTreeSet<String>> {
    let tells = |value: &str| value.chars().count() >= MIN_CHARS && !STATES.contains(&value);
    collect(event, |_, name| PERSONAL.contains(&name), tells)
}

fn collect(
    event: &str,
    is_wanted: impl Fn(Names, &str) -> bool,
    tells: impl Fn(&str) -> bool,
) -> Option<BTreeSet<String>> {
    let (mut values, mut bytes) = (BTreeSet::new(), 0);
    leaves(event, is_wanted, |json| {
        if values.len() > MAX_VALUES || bytes > MAX_BYTES {
            return;
        }
        if !text(json).is_some_and(|value| tells(&value) && !["true", "false"].contains(&&*value)) {
            return;
        }
        // An encoding is not shorter than a small part of its value: what is too long is not encoded first.
        bytes += if json.len() > MAX_BYTES { json.len() } else { 0 };
        for value in encodings_of_json(json).filter(|_| bytes <= MAX_BYTES).into_iter().flatten() {
            if !value.trim().is_empty() && !values.contains(&value) {
                bytes += value.len();
                values.insert(value);
            }
        }
    });
    (values.len() <= MAX_VALUES && bytes <= MAX_BYTES).then_some(values)
}

/// Calls `each` for every string and number below a wanted member, as its JSON text. Does not recurse, however deep the event is.
fn leaves<'a>(json: &'a str, is_wanted: impl Fn(Names, &str) -> bool, mut each: impl FnMut(&'a str)) {
    let mut rest = json;
    // Each object and list around: who chose its names, and whether it is wanted.
    let mut around = Vec::new();
    // The same of the value that comes next, where a name stands before it.
    let mut named = None;
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at_checked(length(rest)).unwrap_or((rest, ""));
        rest = after;
        let (names, inside) = around.last().copied().unwrap_or((Names::Cognito, false));
        match first {
            '"' if is_key(after) => {
                let name = unescape(token);
                named = Some((names.below(&name), inside || is_wanted(names, &name)));
            }
            '{' | '[' => around.push(named.take().unwrap_or((names, inside))),
            '}' | ']' => drop(around.pop()),
            '"' | '-' | '0'..='9' if named.take().map_or(inside, |(_, wanted)| wanted) => each(token),
            't' | 'f' | 'n' => named = None,
            _ => {}
        }
    }
}

/// The length of the token at the start of a JSON text, in bytes.
fn length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let until = |ends: fn(&u8) -> bool| bytes.iter().position(ends).unwrap_or(bytes.len());
    match bytes.first() {
        Some(b'"') => {
            let mut escaped = false;
            let end = bytes.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            end.map_or(bytes.len(), |end| end + 2)
        }
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => until(|byte| b",]} \t\r\n".contains(byte)).max(1),
        _ => json.chars().next().map_or(0, char::len_utf8),
    }
}

/// Whether what stands before `after` is the name of a member.
fn is_key(after: &str) -> bool {
    after.trim_start().starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(event: &str) -> Vec<String> {
        secret(event, 1).unwrap().into_iter().collect()
    }

    #[test]
    fn secret_members_are_found_wherever_cognito_puts_them() {
        let event = r#"{"a":{"password":"pw"},"privateChallengeParameters":{"answer":"42","more":[{"x":"deep"},7.5]},
            "session":[{"challengeMetadata":"meta","challengeName":"CUSTOM"}],"ONE_CLICK_LINK_VALID":"link","b":"plain",
            "request":{"userAttributes":{"FEEDBACK_TOKEN":"fb","name":"x"},"attributes":{"idToken":{"y":"tok"}}}}"#;
        assert_eq!(secrets(event), ["42", "7.5", "deep", "fb", "link", "meta", "pw", "tok"]);
    }

    #[test]
    fn names_that_a_caller_chose_make_nothing_secret() {
        let event = r#"{"request":{"clientMetadata":{"code":"invitation","ONE_CLICK_0":"a","x":[{"password":"b"}]},
            "validationData":{"password":"c"},"userAttributes":{"code":"d"},"code":"secret"}}"#;
        assert_eq!(secrets(event), ["secret"]);
        let personal: Vec<_> = personal(event).unwrap().into_iter().collect();
        assert_eq!(personal, ["invitation"]);
    }

    #[test]
    fn short_and_plain_values_and_the_state_of_a_user_tell_of_nobody() {
        let event = r#"{"userName":"rroe","request":{"userAttributes":{"a":"xyz","email_verified":"true","name":"Ingrid",
            "cognito:user_status":"CONFIRMED"}}}"#;
        let found: Vec<_> = personal(event).unwrap().into_iter().collect();
        assert_eq!(found, ["Ingrid", "ingrid", "rroe"]);
        assert_eq!(secrets(r#"{"password":"CONFIRMED"}"#), ["CONFIRMED", "confirmed"]);
    }

    #[test]
    fn what_is_too_much_to_look_for_is_told() {
        let many = |prefix: &str| {
            let entries: Vec<_> = (0..2_000).map(|number| format!("\"{prefix}{number}\":\"value{number}\"")).collect();
            format!("{{\"clientMetadata\":{{{}}}}}", entries.join(","))
        };
        assert_eq!(personal(&many("k")), None);
        assert_eq!(secrets(&many("ONE_CLICK_")), Vec::<String>::new());
        assert_eq!(personal(&format!("{{\"userName\":\"{}\"}}", "é".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn depth_and_broken_texts_do_no_harm() {
        let deep = format!("{{\"password\":{}\"pw\"{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(secrets(&deep), ["pw"]);
        for broken in ["", "{", "\"", "{\"password\":", "{\"password\":\"é", "é\u{0}-", "]]]}", "{\"password\":]"] {
            secrets(broken);
        }
    }
}
