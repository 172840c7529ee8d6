//! Holds an event of each trigger source as Cognito sends it, with invented values.

use super::{Event, Trigger};
use crate::reading::nearest;
use crate::text::one_line;

macro_rules! examples {
    ($($source:literal),+ $(,)?) => {
        &[$(($source, include_str!(concat!("examples/", $source, ".json")))),+]
    };
}

/// Every trigger source that Cognito has, in the order of the developer guide.
const EXAMPLES: &[(&str, &str)] = examples![
    "PreSignUp_SignUp",
    "PreSignUp_AdminCreateUser",
    "PreSignUp_ExternalProvider",
    "PostConfirmation_ConfirmSignUp",
    "PostConfirmation_ConfirmForgotPassword",
    "PreAuthentication_Authentication",
    "PostAuthentication_Authentication",
    "DefineAuthChallenge_Authentication",
    "CreateAuthChallenge_Authentication",
    "VerifyAuthChallengeResponse_Authentication",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_Authentication",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_RefreshTokens",
    "TokenGeneration_ClientCredentials",
    "UserMigration_Authentication",
    "UserMigration_ForgotPassword",
    "CustomMessage_SignUp",
    "CustomMessage_AdminCreateUser",
    "CustomMessage_ResendCode",
    "CustomMessage_ForgotPassword",
    "CustomMessage_UpdateUserAttribute",
    "CustomMessage_VerifyUserAttribute",
    "CustomMessage_Authentication",
    "CustomEmailSender_SignUp",
    "CustomEmailSender_Authentication",
    "CustomEmailSender_ForgotPassword",
    "CustomEmailSender_ResendCode",
    "CustomEmailSender_UpdateUserAttribute",
    "CustomEmailSender_VerifyUserAttribute",
    "CustomEmailSender_AdminCreateUser",
    "CustomEmailSender_AccountTakeOverNotification",
    "CustomSMSSender_SignUp",
    "CustomSMSSender_Authentication",
    "CustomSMSSender_ForgotPassword",
    "CustomSMSSender_ResendCode",
    "CustomSMSSender_UpdateUserAttribute",
    "CustomSMSSender_VerifyUserAttribute",
    "CustomSMSSender_AdminCreateUser",
    "InboundFederation_ExternalProvider",
];

/// A trigger source without an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no trigger source: write one of Cognito's, such as `{alike}`")]
pub struct NoExample {
    found: String,
    alike: &'static str,
}

/// The event that Cognito sends for a trigger source: its members, the response that it begins with, and null or nothing
/// where the call gave nothing.
///
/// # Errors
///
/// [`NoExample`] names the source that is most like it.
pub fn example(source: &str) -> Result<&'static str, NoExample> {
    let found = EXAMPLES.iter().find(|(name, _)| *name == source);
    found.map(|(_, json)| *json).ok_or_else(|| NoExample {
        found: one_line(source),
        alike: nearest(source, EXAMPLES.iter().map(|(name, _)| *name)).unwrap_or("PreSignUp_SignUp"),
    })
}

/// The trigger sources of the examples, each with its trigger.
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
            let event = Event::parse(json.as_bytes()).unwrap();
            assert_eq!(event.header.trigger_source.as_deref(), Some(*source));
            // Cognito waits for no answer of these.
            assert_eq!(event.response.is_none(), source.contains("Sender_"), "{source}");
        }
        assert!(example("PreSignup_Signup").unwrap_err().to_string().ends_with("such as `PreSignUp_SignUp`"));
    }
}
