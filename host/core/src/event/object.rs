//! Reads one JSON object as the ordered list of its members, each with its raw text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::EventError;
use super::text::{kind, text, unescape};

/// The members of one JSON object: (name, JSON text of the value), in order, repeats included.
///
/// Values are slices of the input, so a value's place can be found again in the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    /// Reads `json`, which `member` names in errors. Null counts as an empty object, and so does an empty array, which some
    /// tools write for one.
    ///
    /// # Errors
    ///
    /// [`EventError::WrongType`] where `json` is valid but no object, [`EventError::NotJson`] where it is not valid.
    pub fn parse(json: &'a str, member: &str) -> Result<Self, EventError> {
        let not_json = |error: serde_json::Error| EventError::NotJson { reason: error.to_string() };
        if json.trim_start().starts_with('{') {
            return serde_json::from_str(json).map_err(not_json);
        }
        let value: &RawValue = serde_json::from_str(json).map_err(not_json)?;
        let empty = value.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if value.get() == "null" || empty.is_some_and(|inside| inside.trim().is_empty()) {
            return Ok(Self::default());
        }
        Err(EventError::WrongType { member: member.to_owned(), found: kind(json), expected: "an object" })
    }

    /// The raw JSON of the member `name`; of a repeated one the last, as every common parser reads it.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, json)| *json)
    }

    /// The member `name` as text: see [`crate::event`] for what becomes of other types.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, json)| (name.as_ref(), *json))
    }

    /// The members as names and texts. A member whose value is null is left out, and so is one that null overrides.
    pub fn entries(&self) -> Vec<(String, String)> {
        let last: HashMap<_, _> = self.iter().collect();
        let present = self.iter().filter(|(name, _)| last.get(name) != Some(&"null"));
        present.filter_map(|(name, json)| Some((name.to_owned(), text(json)?.into_owned()))).collect()
    }
}

/// Reads a list, item by item as JSON text. Null counts as an empty one.
///
/// # Errors
///
/// [`EventError::WrongType`] where `json`, which `member` names, is valid but no list.
pub fn list<'a>(json: &'a str, member: &str) -> Result<Vec<&'a str>, EventError> {
    let items: Option<Vec<&RawValue>> = match json.trim_start().as_bytes().first() {
        Some(b'[' | b'n') => {
            serde_json::from_str(json).map_err(|error| EventError::NotJson { reason: error.to_string() })?
        }
        _ => return Err(EventError::WrongType { member: member.to_owned(), found: kind(json), expected: "an array" }),
    };
    Ok(items.unwrap_or_default().into_iter().map(RawValue::get).collect())
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((unescape(name.get()), value.get()));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_repeats_and_text() {
        let object = Object::parse(r#" { "b" : 1E2, "a":"x", "\u0062": -0 } "#, "it").unwrap();
        assert_eq!(object.iter().collect::<Vec<_>>(), [("b", "1E2"), ("a", "\"x\""), ("b", "-0")]);
        assert_eq!(object.get("b"), Some("-0"));
    }

    #[test]
    fn null_takes_an_entry_away_wherever_it_stands_last() {
        let entries = |json| Object::parse(json, "it").unwrap().entries();
        assert_eq!(entries(r#"{"a":"x","a":null}"#), []);
        assert_eq!(entries(r#"{"a":null,"a":"x"}"#), [("a".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn null_and_an_empty_array_count_as_empty() {
        for json in ["null", " {} ", "[]", "[ ]"] {
            assert_eq!(Object::parse(json, "it"), Ok(Object::default()), "{json}");
        }
    }

    #[test]
    fn other_types_are_named() {
        for (json, found) in [("[1]", "an array"), ("\"x\"", "a string"), ("-1", "a number"), ("true", "a boolean")] {
            let error = Object::parse(json, "`request`").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`request` is {found}, but Cognito sends an object: correct the event")
            );
        }
        assert!(matches!(Object::parse("nul", "it"), Err(EventError::NotJson { .. })));
    }

    #[test]
    fn nesting_does_not_overflow_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Object::parse(&deep, "it").unwrap().get("a").unwrap().len(), 200_000);
    }
}
