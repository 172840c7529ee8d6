//! Changes single members of a JSON text, for events that are made rather than sent.

use std::fmt;
use std::str::FromStr;

use serde_json::value::RawValue;

use super::Object;
use super::text::kind;
use crate::text::one_line;

/// Where a member stands: `request.userAttributes.email`, or `/request/userAttributes/a.b` (a JSON pointer) where a name has
/// dots. A number is a place in an array.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberPath(Vec<String>);

impl FromStr for MemberPath {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        let steps: Vec<_> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
            None => text.split('.').map(str::to_owned).collect(),
        };
        match steps.iter().any(String::is_empty) || steps.len() > DEPTH {
            true => Err(EditError(format!(
                "`{:.80}` is no path: write one such as `request.userAttributes.email`",
                one_line(text)
            ))),
            false => Ok(Self(steps)),
        }
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&one_line(&self.0.join(".")))
    }
}

/// Why a member could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EditError(String);

impl MemberPath {
    /// `json` with this member set to the JSON text `value`. Objects on the way are made where they are absent or null.
    ///
    /// # Errors
    ///
    /// Where `value` is no JSON, or something on the way can have no members.
    pub fn set(&self, json: &str, value: &str) -> Result<String, EditError> {
        let invalid = |error| EditError(format!("the value of `{self}` is not JSON: {error}; quote a text as \"…\""));
        let value: &RawValue = serde_json::from_str(value).map_err(invalid)?;
        self.changed(json, &self.0, Some(value.get()))
    }

    /// As [`MemberPath::set`], but the members of an object are set one by one, so that others beside them stay. What has no
    /// members gives way to the object.
    ///
    /// # Errors
    ///
    /// As for setting.
    pub fn merge(&self, json: &str, value: &str) -> Result<String, EditError> {
        let members = match Object::parse(value, "it") {
            Ok(object) if self.0.len() < DEPTH && object.iter().next().is_some() => object,
            _ => return self.set(json, value),
        };
        let below = |name: &str| Self(self.0.iter().cloned().chain([name.to_owned()]).collect());
        let merged = members.iter().try_fold(json.to_owned(), |json, (name, value)| below(name).merge(&json, value));
        merged.or_else(|_| self.set(json, value))
    }

    /// `json` without this member, which may be absent.
    ///
    /// # Errors
    ///
    /// Where something on the way can have no members.
    pub fn remove(&self, json: &str) -> Result<String, EditError> {
        self.changed(json, &self.0, None)
    }

    /// `json` with `value` where the steps lead, or without what stands there.
    fn changed(&self, json: &str, steps: &[String], value: Option<&str>) -> Result<String, EditError> {
        let Some((step, rest)) = steps.split_first() else { return Ok(value.unwrap_or(json).to_owned()) };
        let next = |old: Option<&str>| match (old, value) {
            (None, None) => Ok(None),
            (Some(_), None) if rest.is_empty() => Ok(None),
            _ => self.changed(old.unwrap_or("null"), rest, value).map(Some),
        };
        match json.trim_start().chars().next() {
            Some('n') if value.is_none() => Ok(json.to_owned()),
            Some('[') => self.in_array(json, step, next),
            _ => self.in_object(json, step, next),
        }
    }

    fn in_object(
        &self,
        json: &str,
        step: &str,
        next: impl Fn(Option<&str>) -> Result<Option<String>, EditError>,
    ) -> Result<String, EditError> {
        let object = Object::parse(json, "it");
        let object = object.map_err(|_| EditError(format!("`{self}`: {} has no member `{step}`", kind(json))))?;
        let mut members = Vec::new();
        let written = |name: &str, json: &str| format!("{}:{json}", quoted(name));
        for (name, json) in object.iter() {
            match name == step {
                true => members.extend(next(Some(json))?.map(|json| written(name, &json))),
                false => members.push(written(name, json)),
            }
        }
        if object.get(step).is_none() {
            members.extend(next(None)?.map(|json| written(step, &json)));
        }
        Ok(format!("{{{}}}", members.join(",")))
    }

    fn in_array(
        &self,
        json: &str,
        step: &str,
        next: impl Fn(Option<&str>) -> Result<Option<String>, EditError>,
    ) -> Result<String, EditError> {
        let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| EditError(error.to_string()))?;
        let mut texts: Vec<_> = items.iter().map(|item| item.get().to_owned()).collect();
        // One beyond the last adds an item.
        let at = step.parse().ok().filter(|at| *at <= texts.len());
        let at: usize = at
            .ok_or_else(|| EditError(format!("`{self}`: `{step}` is no place in an array of {} items", texts.len())))?;
        let changed = next(texts.get(at).map(String::as_str))?;
        texts.splice(at..(at + 1).min(items.len()), changed);
        Ok(format!("[{}]", texts.join(",")))
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// How deep paths and [`pretty`] go; what is deeper is printed as it is.
const DEPTH: usize = 32;

/// JSON with a line for each member, and every number and text as it was written.
pub fn pretty(json: &str) -> String {
    indented(json, 0)
}

fn indented(json: &str, depth: usize) -> String {
    let json = json.trim();
    let inside = "  ".repeat(depth + 1);
    let lines: Option<Vec<_>> = match json.chars().next() {
        _ if depth >= DEPTH => None,
        Some('{') => Object::parse(json, "it").ok().map(|object| {
            let member =
                |(name, json): (&str, &str)| format!("{inside}{}: {}", quoted(name), indented(json, depth + 1));
            object.iter().map(member).collect()
        }),
        Some('[') => serde_json::from_str::<Vec<&RawValue>>(json)
            .ok()
            .map(|items| items.iter().map(|item| format!("{inside}{}", indented(item.get(), depth + 1))).collect()),
        _ => None,
    };
    match lines {
        Some(lines) if !lines.is_empty() => {
            let (open, close) = if json.starts_with('{') { ('{', '}') } else { ('[', ']') };
            format!("{open}\n{}\n{}{close}", lines.join(",\n"), "  ".repeat(depth))
        }
        _ => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str, path: &str, value: &str) -> Result<String, String> {
        let path: MemberPath = path.parse().map_err(|error: EditError| error.to_string())?;
        path.set(json, value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_member_is_set_where_it_stands_or_at_the_end() {
        let json = r#"{"a":{"b":1E2},"c":null}"#;
        assert_eq!(set(json, "a.b", "2").unwrap(), r#"{"a":{"b":2},"c":null}"#);
        assert_eq!(set(json, "c.d.e", "true").unwrap(), r#"{"a":{"b":1E2},"c":{"d":{"e":true}}}"#);
        assert_eq!(set(json, "/a/x.y~1z", "\"t\"").unwrap(), r#"{"a":{"b":1E2,"x.y/z":"t"},"c":null}"#);
    }

    #[test]
    fn a_place_in_an_array_is_a_number() {
        let json = r#"{"s":[{"n":1},2]}"#;
        assert_eq!(set(json, "s.0.n", "3").unwrap(), r#"{"s":[{"n":3},2]}"#);
        assert_eq!(set(json, "s.2.n", "3").unwrap(), r#"{"s":[{"n":1},2,{"n":3}]}"#);
        assert!(set(json, "s.9", "3").unwrap_err().contains("no place in an array of 2 items"));
        let path: MemberPath = "s.0".parse().unwrap();
        assert_eq!(path.remove(json).unwrap(), r#"{"s":[2]}"#);
    }

    #[test]
    fn a_member_is_taken_away() {
        let path: MemberPath = "a.b".parse().unwrap();
        assert_eq!(path.remove(r#"{"a":{"b":1,"c":2}}"#).unwrap(), r#"{"a":{"c":2}}"#);
        for absent in [r#"{"a":{}}"#, r#"{"a":null}"#, r#"{"c":1}"#] {
            assert_eq!(path.remove(absent).unwrap(), absent);
        }
    }

    #[test]
    fn the_members_of_an_object_are_set_one_by_one() {
        let merged =
            |json: &str, path: &str, value: &str| path.parse::<MemberPath>().unwrap().merge(json, value).unwrap();
        let json = r#"{"a":{"b":1,"c":null}}"#;
        assert_eq!(merged(json, "a", r#"{"b":2,"c":{"x.y":[3]}}"#), r#"{"a":{"b":2,"c":{"x.y":[3]}}}"#);
        assert_eq!(merged(json, "a", "{}"), r#"{"a":{}}"#);
        assert_eq!(merged(json, "a", "null"), r#"{"a":null}"#);
        assert_eq!(merged(json, "a.b", r#"{"c":1}"#), r#"{"a":{"b":{"c":1},"c":null}}"#);
        assert_eq!(merged(r#"{"s":[1]}"#, "s", r#"{"t":2}"#), r#"{"s":{"t":2}}"#);
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        assert!(set("{}", &"a.".repeat(20_000), "1").unwrap_err().len() < 200);
        assert!(set("{}", "a..b", "1").unwrap_err().contains("`a..b` is no path"));
        assert!(set("{}", "a", "x").unwrap_err().contains("the value of `a` is not JSON"));
        assert_eq!(set(r#"{"a":"t"}"#, "a.b", "1").unwrap_err(), "`a.b`: a string has no member `b`");
    }

    #[test]
    fn pretty_keeps_what_is_written() {
        assert_eq!(
            pretty(r#"{"a":[1E2,{}],"b":"\u00e9","c":[]}"#),
            "{\n  \"a\": [\n    1E2,\n    {}\n  ],\n  \"b\": \"\\u00e9\",\n  \"c\": []\n}"
        );
        let deep = "[".repeat(50_000) + &"]".repeat(50_000);
        assert!(pretty(&deep).contains("[[[["));
    }
}
