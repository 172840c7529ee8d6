//! Holds an event of each trigger source as Cognito sends it, with invented values.

use super::{Event, Trigger};
use crate::text::one_line;

macro_rules! examples {
    ($($source:literal),+ $(,)?) => {
        &[$(($source, include_str!(concat!("examples/", $source, ".json")))),+]
    };
}

/// The sources of the triggers that have an interface.
const EXAMPLES: &[(&str, &str)] = examples![
    "PreSignUp_SignUp",
    "PreSignUp_AdminCreateUser",
    "PreSignUp_ExternalProvider",
    "PreAuthentication_Authentication",
];

/// A trigger source without an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no example of `{found}`: write one of {known}")]
pub struct NoExample {
    found: String,
    known: String,
}

/// The event that Cognito sends for a trigger source: its members, the response that it begins with, and null or nothing
/// where the call gave nothing.
///
/// # Errors
///
/// [`NoExample`] names the sources that have one.
pub fn example(source: &str) -> Result<&'static str, NoExample> {
    let found = EXAMPLES.iter().find(|(name, _)| *name == source);
    found.map(|(_, json)| *json).ok_or_else(|| NoExample {
        found: one_line(source),
        known: EXAMPLES.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    })
}

/// The trigger sources that have an example, each with its trigger.
pub fn examples() -> impl Iterator<Item = (&'static str, Trigger)> {
    EXAMPLES.iter().filter_map(|(source, json)| {
        let event = Event::parse(json.as_bytes()).ok()?;
        Some((*source, Trigger::of(&event).ok()??))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_an_event_of_its_source() {
        assert_eq!(examples().count(), EXAMPLES.len());
        for (source, json) in EXAMPLES {
            assert_eq!(Event::parse(json.as_bytes()).unwrap().header.trigger_source.as_deref(), Some(*source));
        }
        assert!(example("PreSignUp").unwrap_err().to_string().contains("write one of `PreSignUp_SignUp`"));
    }
}
