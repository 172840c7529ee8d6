//! Finds the values of an event that must not be written, and takes them out of texts.

use std::collections::BTreeSet;

use super::forms::{forms_of, forms_of_json};
use super::text::{text, unescape};

/// Members whose values nobody may read in a log, wherever in the event they stand.
const SECRET: [&str; 9] = [
    "password",
    "challengeAnswer",
    "privateChallengeParameters",
    "challengeMetadata",
    "code",
    "tokenResponse",
    "idToken",
    "samlResponse",
    "FEEDBACK_TOKEN",
];

/// What the links of an account-takeover notification begin with.
const ONE_CLICK: &str = "ONE_CLICK_";

/// Members whose values tell of a person.
const PERSONAL: [&str; 5] = ["userAttributes", "validationData", "clientMetadata", "attributes", "userName"];

/// Shorter values tell of nobody, and taking them out would make a text unreadable.
const LEAST: usize = 4;

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

/// The most values that are looked for, and their most bytes. An event that has more would cost the host more than a decision
/// does, so there whole texts are taken out.
const MOST_VALUES: usize = 1_000;
const MOST_BYTES: usize = 256 << 10;

/// Values that are taken out of every text that a policy wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: Vec<String>,
    too_many: bool,
}

impl Secrets {
    /// The secret values of an event: passwords, codes, answers, private parameters, tokens.
    pub fn of(event: &str) -> Self {
        Self::collect(event, Self::covers, |value| !value.is_empty())
    }

    /// Those of four characters or more: what a user reads has to stay readable, and should not tell by its gaps what is secret.
    pub(crate) fn told(event: &str) -> Self {
        Self::collect(event, Self::covers, |value| value.chars().count() >= LEAST)
    }

    /// Whether the values of the member with this name are secret.
    pub fn covers(name: &str) -> bool {
        SECRET.contains(&name) || name.starts_with(ONE_CLICK)
    }

    /// The values that tell of a person: attributes, metadata and user name, of four characters or more.
    pub fn personal(event: &str) -> Self {
        let tells = |value: &str| value.chars().count() >= LEAST && !STATES.contains(&value);
        Self::collect(event, |name| PERSONAL.contains(&name), tells)
    }

    fn collect(event: &str, is_wanted: impl Fn(&str) -> bool, tells: impl Fn(&str) -> bool) -> Self {
        let (mut values, mut bytes) = (BTreeSet::new(), 0);
        leaves(event, is_wanted, |json| {
            bytes += json.len();
            let Some(value) = text(json).filter(|_| values.len() <= MOST_VALUES && bytes <= MOST_BYTES) else { return };
            if tells(&value) && !["true", "false"].contains(&&*value) {
                values.extend(forms_of_json(json).into_iter().flatten());
            }
        });
        let too_many = values.len() > MOST_VALUES || bytes > MOST_BYTES;
        Self { too_many, ..Self::sorted(values) }
    }

    /// Texts that are secret by themselves.
    pub(crate) fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::sorted(texts.into_iter().flat_map(forms_of).collect())
    }

    fn sorted(values: BTreeSet<String>) -> Self {
        let mut values: Vec<_> = values.into_iter().filter(|value| !value.trim().is_empty()).collect();
        // A value that holds another must go first, or its rest would stay.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { too_many: false, values }
    }

    /// Both, as one: where a value of one stands in a value of the other, the longer goes first.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let values = self.values.iter().chain(&other.values).cloned().collect();
        Self { too_many: self.too_many || other.too_many, ..Self::sorted(values) }
    }

    /// These values, and what is left of them in a text that lost `others` before.
    #[must_use]
    pub(crate) fn after(mut self, others: &Self) -> Self {
        let left = self.values.iter().map(|value| others.mask(value.clone()));
        let left: Vec<_> = left.filter(|value| !value.replace("***", "").trim().is_empty()).collect();
        self.values.extend(left);
        Self { too_many: self.too_many, ..Self::sorted(self.values.into_iter().collect()) }
    }

    /// `text` with every value replaced by `***`.
    pub fn mask(&self, text: String) -> String {
        if self.too_many && !text.is_empty() {
            return "***".to_owned();
        }
        self.values
            .iter()
            .fold(text, |text, value| if text.contains(value) { text.replace(value, "***") } else { text })
    }

    /// `text`, which was cut at its end, with every value replaced, and without the start of one that the cut went through.
    pub fn mask_cut(&self, text: String) -> String {
        let mut text = self.mask(text);
        let half = |value: &String| {
            value
                .char_indices()
                .map(|(at, _)| at)
                .rev()
                .find(|at| value.get(..*at).is_some_and(|start| text.ends_with(start)))
        };
        let longest = self.values.iter().filter_map(half).max().unwrap_or_default();
        text.truncate(text.len() - longest);
        text
    }
}

/// Calls `each` for every string and number below a wanted member, as its JSON text. Does not recurse, however deep the event is.
fn leaves<'a>(json: &'a str, is_wanted: impl Fn(&str) -> bool, mut each: impl FnMut(&'a str)) {
    let (mut depth, mut rest) = (0_usize, json);
    // The depth around the outermost wanted value that the walk is inside of.
    let mut inside = None;
    let mut next_is_wanted = false;
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at_checked(length(rest)).unwrap_or((rest, ""));
        rest = after;
        match first {
            '"' if is_key(after) => next_is_wanted = inside.is_none() && is_wanted(&unescape(token)),
            '{' | '[' => {
                if std::mem::take(&mut next_is_wanted) {
                    inside = Some(depth);
                }
                depth += 1;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                inside = inside.filter(|around| *around < depth);
            }
            '"' | '-' | '0'..='9' if std::mem::take(&mut next_is_wanted) || inside.is_some() => each(token),
            't' | 'f' | 'n' => next_is_wanted = false,
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

    fn masked(event: &str, text: &str) -> String {
        Secrets::of(event).mask(text.to_owned())
    }

    #[test]
    fn secret_members_are_found_wherever_they_stand() {
        let event = r#"{"a":{"password":"pw"},"privateChallengeParameters":{"answer":"42","more":[{"x":"deep"},7.5]},
            "session":[{"challengeMetadata":"meta","challengeName":"CUSTOM"}],"ONE_CLICK_LINK_VALID":"link","b":"plain"}"#;
        assert_eq!(
            masked(event, "pw 42 deep 7.5 meta link plain CUSTOM answer"),
            "*** *** *** *** *** *** plain CUSTOM answer"
        );
    }

    #[test]
    fn a_value_is_found_as_it_is_as_it_stands_and_as_it_is_quoted() {
        let event = r#"{"password":"p\"\u00e9\\x","code":null,"idToken":{"a":{"b":"tok"}},"after":"kept"}"#;
        assert_eq!(masked(event, r#"p"é\x and p\"\u00e9\\x and p\"é\\x, tok, kept"#), "*** and *** and ***, ***, kept");
    }

    #[test]
    fn short_and_plain_values_tell_of_nobody() {
        let event =
            r#"{"userName":"rroe","request":{"userAttributes":{"a":"xyz","email_verified":"true","name":"Ingrid"}}}"#;
        let masked = Secrets::personal(event).mask("rroe xyz true Ingrid".to_owned());
        assert_eq!(masked, "*** xyz true ***");
    }

    #[test]
    fn what_a_user_reads_keeps_its_short_words() {
        let event = r#"{"request":{"idToken":{"locale":"no","tries":"2"},"challengeAnswer":"4071"}}"#;
        let told = Secrets::told(event).mask("no access: 4071 is wrong, 2 tries left".to_owned());
        assert_eq!(told, "no access: *** is wrong, 2 tries left");
    }

    #[test]
    fn the_state_of_a_user_tells_of_nobody_and_hides_no_word() {
        let event = r#"{"password":"CONFIRMED","userAttributes":{"cognito:user_status":"CONFIRMED","name":"Ingrid"}}"#;
        assert_eq!(Secrets::personal(event).mask("confirmed: Ingrid".to_owned()), "confirmed: ***");
        assert_eq!(masked(event, "CONFIRMED"), "***");
    }

    #[test]
    fn too_many_values_take_the_whole_text_out() {
        let many: Vec<_> = (0..2_000).map(|number| format!("\"k{number}\":\"value{number}\"")).collect();
        let event = format!("{{\"clientMetadata\":{{{}}}}}", many.join(","));
        assert_eq!(Secrets::personal(&event).mask("hello".to_owned()), "***");
        assert_eq!(Secrets::of(&event).mask("hello".to_owned()), "hello");
    }

    #[test]
    fn a_value_that_holds_another_goes_whole_whoever_knows_it() {
        let event = Secrets::of(r#"{"password":" s3cr3t-abcd-Pass "}"#);
        let both = event.and(&Secrets::of_texts(["abcd"]));
        assert_eq!(both.mask("is s3cr3t-abcd-Pass, s3cr3t-abcd-pass or abcd".to_owned()), "is ***,***or ***");
        let personal = Secrets::personal(r#"{"userName":"kaia1980@example.com"}"#);
        let secret = Secrets::of(r#"{"password":"kaia1980"}"#);
        let text = secret.mask("kaia1980@example.com".to_owned());
        assert_eq!(personal.after(&secret).mask(text), "***");
    }

    #[test]
    fn depth_and_broken_texts_do_no_harm() {
        let deep = format!("{{\"password\":{}\"pw\"{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(masked(&deep, "pw"), "***");
        for broken in ["", "{", "\"", "{\"password\":", "{\"password\":\"é", "é\u{0}-"] {
            masked(broken, "x");
        }
    }
}
