//! Takes values out of texts: out of JSON, out of a policy's own sentences, and out of the host's.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::encodings::encodings_of;
use super::matcher::{Matcher, Value};
use super::own_text::OwnText;
use super::values::{self, MIN_CHARS};

/// What stands in place of a value.
const MASK: &str = "***";

/// What is written where an event has more values than can be looked for.
const TOO_MANY: &str = "(not shown: the event has too many values to look for)";

/// Values that must not be written, and the one way to take them out of a text.
///
/// Values that the operator configured as secret are removed wherever they stand. What came with an event may have been chosen by
/// a caller, who must not decide what an operator can read. So such a value of fewer than four characters is only removed where it
/// stands alone, and none is removed from the words that a policy was built with or that the host itself writes.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Those of one source each. A source that many decisions share is prepared once.
    matchers: Vec<Arc<Matcher>>,
    /// Whether the event has more values than are looked for.
    overflows: bool,
}

impl Redactor {
    /// The secret values of an event: passwords, codes, answers, private parameters, tokens.
    pub fn secrets_of(event: &str) -> Self {
        Self::of_event(values::secret(event, 1))
    }

    /// Those of four characters or more. What a user reads has to stay readable, and its gaps should not tell what is secret.
    pub(crate) fn long_secrets_of(event: &str) -> Self {
        Self::of_event(values::secret(event, MIN_CHARS))
    }

    /// The values that tell of a person: attributes, metadata and user name, of four characters or more.
    pub(crate) fn personal_values_of(event: &str) -> Self {
        Self::of_event(values::personal(event))
    }

    /// Values that the operator configured as secret.
    pub fn configured<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: BTreeSet<_> = values.into_iter().flat_map(encodings_of).collect();
        let values = values.into_iter().filter(|value| !value.trim().is_empty());
        Self::new(values.map(|text| Value { text, is_configured: true }), false)
    }

    /// Whether the values of the member with this name are secret, where Cognito chose the name.
    pub fn covers(name: &str) -> bool {
        values::is_secret(name)
    }

    fn of_event(found: Option<BTreeSet<String>>) -> Self {
        let overflows = found.is_none();
        let values = found.into_iter().flatten();
        Self::new(values.map(|text| Value { text, is_configured: false }), overflows)
    }

    fn new(values: impl Iterator<Item = Value>, overflows: bool) -> Self {
        let values: Vec<_> = values.collect();
        let matchers = if values.is_empty() { Vec::new() } else { vec![Arc::new(Matcher::new(values))] };
        Self { matchers, overflows }
    }

    /// The values of both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.matchers.extend(other.matchers.iter().cloned());
        self.overflows |= other.overflows;
        self
    }

    /// The values of many as of one source.
    pub(crate) fn all<'a>(redactors: impl IntoIterator<Item = &'a Self>) -> Self {
        let values: BTreeSet<_> = redactors.into_iter().flat_map(Self::values).collect();
        Self::new(values.into_iter().cloned(), false)
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.matchers.iter().flat_map(|matcher| &matcher.values)
    }

    /// These values, and what is left of them in a text that lost the values of `others` before.
    #[must_use]
    pub(crate) fn after(self, others: &Self) -> Self {
        let left = self.values().map(|value| Value { text: others.mask(&value.text), ..*value });
        let left = left.filter(|value| !value.text.replace(MASK, "").trim().is_empty());
        let left = Self::new(left.collect::<BTreeSet<_>>().into_iter(), false);
        self.and(&left)
    }

    /// `text` without the values: for data such as JSON, of which nobody knows who wrote it.
    pub fn mask(&self, text: &str) -> String {
        match self.overflows && !text.is_empty() {
            true => TOO_MANY.to_owned(),
            false => replace(text, self.places(text, |_| true)),
        }
    }

    /// JSON without the values.
    pub fn mask_json(&self, json: Json) -> Json {
        match json {
            Json::String(text) => self.mask(&text).into(),
            Json::Number(number) => match number.to_string() {
                text if self.mask(&text) == text => Json::Number(number),
                _ => MASK.into(),
            },
            Json::Array(items) => items.into_iter().map(|item| self.mask_json(item)).collect(),
            Json::Object(members) => {
                members.into_iter().map(|(name, value)| (self.mask(&name), self.mask_json(value))).collect()
            }
            plain => plain,
        }
    }

    /// A text that a policy wrote, without the values that it put in.
    pub(crate) fn mask_policy_text(&self, text: &str, own: &OwnText) -> String {
        match self.overflows {
            true => self.mask_other_words(text, own),
            false => replace(text, self.places(text, |place| !own.has(text, place))),
        }
    }

    /// The same of a text that was cut at its end. A value that the cut went through is removed too.
    pub(crate) fn mask_cut_policy_text(&self, text: &str, own: &OwnText) -> String {
        let begun = self.matchers.iter().map(|matcher| matcher.begun_at_end(text)).max();
        let whole = text.len() - begun.unwrap_or_default();
        self.mask_policy_text(text.get(..whole).unwrap_or_default(), own)
    }

    /// A text that the host wrote, without the values that it put in, which stand between backticks or quotation marks.
    pub(crate) fn mask_host_text(&self, text: &str) -> String {
        let quoted = quoted(text);
        let touches = |place: &Range<usize>| {
            let after = quoted.partition_point(|it| it.end <= place.start);
            quoted.get(after).is_some_and(|it| it.start < place.end)
        };
        let mut places = self.places(text, |place| touches(&place));
        places.extend(quoted.iter().filter(|_| self.overflows).cloned());
        replace(text, places)
    }

    /// Keeps the words that are the policy's own, where the values are too many to look for.
    fn mask_other_words(&self, text: &str, own: &OwnText) -> String {
        let mut start = 0;
        let words = text.split_inclusive(' ').map(|word| {
            let place = start..start + word.trim_end_matches(|c: char| c == ' ' || c.is_ascii_punctuation()).len();
            start += word.len();
            place
        });
        let mut places: Vec<_> = words.filter(|place| !place.is_empty() && !own.has(text, place.clone())).collect();
        places.extend(self.places(text, |_| true));
        replace(text, places)
    }

    /// The places of values; of those that came with the event, where `is_put_in`.
    fn places(&self, text: &str, is_put_in: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
        let is_hidden = |value: &Value, place: Range<usize>| {
            value.is_configured || (is_a_word(text, &value.text, &place) && is_put_in(place))
        };
        self.matchers.iter().flat_map(|matcher| matcher.find(text, is_hidden)).collect()
    }
}

impl PartialEq for Redactor {
    fn eq(&self, other: &Self) -> bool {
        self.overflows == other.overflows && self.values().eq(other.values())
    }
}

impl Eq for Redactor {}

/// Whether a value stands by itself; a long one always does.
fn is_a_word(text: &str, value: &str, place: &Range<usize>) -> bool {
    let before = text.get(..place.start).and_then(|before| before.chars().next_back());
    let after = text.get(place.end..).and_then(|after| after.chars().next());
    value.chars().nth(MIN_CHARS - 1).is_some() || ![before, after].into_iter().flatten().any(char::is_alphanumeric)
}

/// What stands between backticks or quotation marks.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let mut quoted = Vec::new();
    let mut open = None;
    for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '`' | '"')) {
        match open {
            None => open = Some((at + 1, c)),
            Some((start, mark)) if mark == c => {
                quoted.push(start..at);
                open = None;
            }
            Some(_) => {}
        }
    }
    quoted.extend(open.map(|(start, _)| start..text.len()));
    quoted
}

/// `text` with a mask for each place.
fn replace(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_by_key(|place| place.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for place in places.iter().filter(|place| !place.is_empty()) {
        if place.start >= from {
            out.push_str(text.get(from..place.start).unwrap_or_default());
            out.push_str(MASK);
        }
        from = from.max(place.end);
    }
    out + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::redact::PolicyText;

    fn masked(event: &str, text: &str) -> String {
        Redactor::secrets_of(event).mask(text)
    }

    fn own(text: &str) -> OwnText {
        PolicyText::new(Arc::from(text.as_bytes()), Arc::default()).open()
    }

    /// Metadata of more values than are looked for.
    fn many() -> String {
        let entries: Vec<_> = (0..1_001).map(|number| format!("\"k{number}\":\"value{number}\"")).collect();
        format!("{{\"clientMetadata\":{{{}}}}}", entries.join(","))
    }

    #[test]
    fn a_value_is_removed_as_it_is_as_it_stands_and_as_it_is_quoted() {
        let event = r#"{"password":"p\"\u00e9\\x","code":null,"idToken":{"a":{"b":"tok"}},"after":"kept"}"#;
        let text = r#"p"é\x and p\"\u00e9\\x and p\"é\\x, tok, kept"#;
        assert_eq!(masked(event, text), "*** and *** and ***, ***, kept");
    }

    #[test]
    fn a_short_value_is_only_removed_where_it_stands_alone() {
        let event = r#"{"request":{"attributes":{"idToken":{"groups":["a"],"tries":"2"}},"challengeAnswer":"4071"}}"#;
        assert_eq!(masked(event, r#"{"email":"a@b.c","groups":["a"]}"#), r#"{"email":"***@b.c","groups":["***"]}"#);
        assert_eq!(masked(event, r#"{"email":"kaia@example.com"}"#), r#"{"email":"kaia@example.com"}"#);
        let told = Redactor::long_secrets_of(event).mask("no access: 4071 is wrong, 2 tries left");
        assert_eq!(told, "no access: *** is wrong, 2 tries left");
        let configured = Redactor::configured(["a"]);
        assert_eq!(configured.mask("kaia"), "k***i***");
    }

    #[test]
    fn a_value_that_holds_another_goes_whole_whoever_knows_it() {
        let both = Redactor::secrets_of(r#"{"password":" s3cr3t-abcd-Pass "}"#).and(&Redactor::configured(["abcd"]));
        assert_eq!(both.mask("is s3cr3t-abcd-Pass, s3cr3t-abcd-pass or abcd"), "is ***,***or ***");
        let personal = Redactor::personal_values_of(r#"{"userName":"kaia1980@example.com"}"#);
        let secret = Redactor::secrets_of(r#"{"password":"kaia1980"}"#);
        let text = secret.mask("kaia1980@example.com");
        assert_eq!(personal.after(&secret).mask(&text), "***");
    }

    #[test]
    fn a_caller_cannot_take_words_out_of_a_policys_sentence() {
        let own = own("unknown invitation code\0try to guess");
        for chosen in
            [r#""invitation""#, r#""unknown invitation code""#, r#""code""#, r#""unknown", "idToken": "code""#]
        {
            let event = format!("{{\"password\": {chosen}}}");
            let masked = Redactor::secrets_of(&event).mask_policy_text("unknown invitation code", &own);
            assert_eq!(masked, "unknown invitation code", "{chosen}");
        }
        let event = r#"{"password":"code"}"#;
        let masked = Redactor::secrets_of(event).mask_policy_text("unknown invitation code: code", &own);
        assert_eq!(masked, "unknown invitation code: ***");
        let configured = Redactor::configured(["invitation"]);
        assert_eq!(configured.mask_policy_text("unknown invitation code", &own), "unknown *** code");
    }

    #[test]
    fn a_caller_cannot_take_words_out_of_the_hosts_sentences() {
        let redactor = Redactor::secrets_of(r#"{"password":"claim","code":"s3`cret"}"#);
        let text = "the claim `claim` is \"claim\", not `s3`cret`";
        assert_eq!(redactor.mask_host_text(text), "the claim `***` is \"***\", not `***`");
    }

    #[test]
    fn too_many_values_leave_the_words_that_nobody_put_in() {
        let redactor = Redactor::personal_values_of(&many()).and(&Redactor::configured(["hush"]));
        let own = own("unknown invitation code");
        assert_eq!(
            redactor.mask_policy_text("unknown invitation code of value7", &own),
            "unknown invitation code *** ***"
        );
        assert_eq!(redactor.mask_host_text("the claim `value7` is hush"), "the claim `***` is ***");
        assert_eq!(redactor.mask("value7"), TOO_MANY);
        assert_eq!(redactor.mask(""), "");
    }

    #[test]
    fn the_start_of_a_value_at_a_cut_is_removed() {
        let redactor = Redactor::secrets_of(r#"{"password":"hunter22"}"#);
        assert_eq!(redactor.mask_cut_policy_text("it is hunter", &own("")), "it is ");
        assert_eq!(redactor.mask_cut_policy_text("it is hunter22", &own("")), "it is ***");
    }

    #[test]
    fn json_loses_values_in_names_texts_and_numbers() {
        let redactor = Redactor::configured(["hush", "4071"]);
        let masked = redactor.mask_json(json!({ "hush": ["a hush", 4071, true], "b": { "c": 40.5 } }));
        assert_eq!(masked, json!({ "***": ["a ***", "***", true], "b": { "c": 40.5 } }));
    }
}
