//! Decides what Cognito, and through it the user, is told when the answer is no.
//!
//! A denial carries the policy's own sentence. Everything else is one neutral sentence with the decision's id: a trap, a
//! path or a name would end up on a log-in page. See the developer guide, "Lambda triggers": Cognito shows `errorMessage`.

use serde::{Serialize, Serializer};

use crate::event::Trigger;
use crate::text::one_line;
use crate::trigger::Warning;

/// The longest message that is passed on, in characters.
const MAX_MESSAGE: usize = 512;

/// The function error that stands in place of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// What Lambda's metrics count by. Cognito does not show it.
    pub error_type: ErrorType,
    /// What Cognito shows the user, after a prefix and before a full stop.
    pub error_message: String,
}

/// The kinds of function error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// A policy refused.
    PolicyDenied,
    /// A policy broke, or no policy answers an event that needs one.
    PolicyFault,
    /// The event could not be read.
    EventRefused,
}

impl ErrorType {
    /// The name, as Lambda's error types are written: a category and a reason.
    pub fn name(self) -> &'static str {
        match self {
            Self::PolicyDenied => "Function.PolicyDenied",
            Self::PolicyFault => "Function.PolicyFault",
            Self::EventRefused => "Function.EventRefused",
        }
    }
}

impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Refusal {
    /// A policy's refusal: its sentence without control characters and cut to 512, or the neutral one where it is empty.
    pub(crate) fn denied(message: &str, id: &str, warnings: &mut Vec<Warning>) -> Self {
        let plain = one_line(message);
        let sentence = plain.trim();
        if sentence.is_empty() {
            warnings
                .push(Warning::new("empty-message", "the policy's message is empty, so the user sees a neutral one"));
            return Self::neutral(ErrorType::PolicyDenied, id);
        }
        let cut: String = sentence.chars().take(MAX_MESSAGE).collect();
        if cut.len() < sentence.len() {
            let text = format!("the policy's message is longer than {MAX_MESSAGE} characters, so it was cut");
            warnings.push(Warning::new("long-message", text));
        } else if sentence.ends_with('.') {
            let text = "the policy's message ends in a full stop, and Cognito adds another";
            warnings.push(Warning::new("full-stop", text));
        }
        Self { error_type: ErrorType::PolicyDenied, error_message: cut }
    }

    /// A refusal that tells nothing but where to look.
    pub(crate) fn neutral(error_type: ErrorType, id: &str) -> Self {
        Self { error_type, error_message: format!("The request could not be completed, reference {id}") }
    }

    /// The body of the function error.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What whoever called Cognito's API sees.
    pub fn seen_by_caller(&self, trigger: Option<Trigger>) -> String {
        seen_by_caller(trigger, &self.error_message)
    }
}

/// What whoever called Cognito's API sees of a function error: the sentence between Cognito's own words, but for the triggers
/// that Cognito does not wait for, and user migration, whose errors it replaces (as logs of the live service show).
pub fn seen_by_caller(trigger: Option<Trigger>, error_message: &str) -> String {
    match trigger {
        Some(Trigger::CustomEmailSender | Trigger::CustomSmsSender) => {
            "no message, Cognito does not wait for this trigger".to_owned()
        }
        Some(Trigger::UserMigration) => "Exception migrating user in app client".to_owned(),
        Some(trigger) => format!("{} failed with error {error_message}.", trigger.cognito_name()),
        None => format!("The trigger failed with error {error_message}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str) -> (String, Vec<&'static str>) {
        let mut warnings = Vec::new();
        let refusal = Refusal::denied(message, "id-1", &mut warnings);
        (refusal.error_message, warnings.into_iter().map(|warning| warning.code).collect())
    }

    #[test]
    fn a_message_is_made_fit_to_be_shown() {
        assert_eq!(denied("No\r\nway\u{7}"), ("No  way".to_owned(), vec![]));
        assert_eq!(denied("Stop."), ("Stop.".to_owned(), vec!["full-stop"]));
        assert_eq!(
            denied(" \n"),
            ("The request could not be completed, reference id-1".to_owned(), vec!["empty-message"])
        );
        let (message, codes) = denied(&"日".repeat(513));
        assert_eq!((message.chars().count(), codes), (512, vec!["long-message"]));
        assert_eq!(denied(&"日".repeat(512)).1, Vec::<&str>::new());
    }

    #[test]
    fn the_body_has_two_members() {
        let body = Refusal { error_type: ErrorType::PolicyDenied, error_message: "a \"b\"".to_owned() }.to_json();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"errorType":"Function.PolicyDenied","errorMessage":"a \"b\""}"#
        );
    }
}
