//! Names Cognito's triggers, with what differs between them in one table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::Event;

/// What becomes of a decision when a policy faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFault {
    /// The user is refused with a neutral sentence.
    Deny,
    /// The policy contributes nothing and the chain goes on.
    Allow,
}

/// What becomes of an event that no policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmatched {
    /// The event goes back as it came: Cognito's default behaviour.
    Unchanged,
    /// A fault, since Cognito's default would break the flow or lose a message.
    Fault,
}

/// A trigger kind of a user pool. Pre token generation has two: its events of version 1, and those of versions 2 and 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are Cognito's own names")]
pub enum Trigger {
    PreSignUp,
    PostConfirmation,
    PreAuthentication,
    PostAuthentication,
    DefineAuthChallenge,
    CreateAuthChallenge,
    VerifyAuthChallengeResponse,
    PreTokenGeneration,
    PreTokenGenerationV2,
    UserMigration,
    CustomMessage,
    CustomEmailSender,
    CustomSmsSender,
    InboundFederation,
}

/// What the table knows of one trigger.
struct Row {
    trigger: Trigger,
    /// The name of its WIT interface.
    name: &'static str,
    /// The name that Cognito's error texts use: the key of `LambdaConfig`.
    cognito: &'static str,
    /// What stands before the `_` of its trigger sources. The second spelling is one that AWS's guide uses by mistake.
    sources: &'static [&'static str],
    on_fault: OnFault,
    unmatched: Unmatched,
}

const fn row(
    trigger: Trigger,
    name: &'static str,
    cognito: &'static str,
    sources: &'static [&'static str],
    on_fault: OnFault,
    unmatched: Unmatched,
) -> Row {
    Row { trigger, name, cognito, sources, on_fault, unmatched }
}

use OnFault::{Allow, Deny};
use Trigger::*;
use Unmatched::{Fault, Unchanged};

#[rustfmt::skip]
const TABLE: [Row; 14] = [
    row(PreSignUp, "pre-sign-up", "PreSignUp", &["PreSignUp"], Deny, Unchanged),
    row(PostConfirmation, "post-confirmation", "PostConfirmation", &["PostConfirmation"], Allow, Unchanged),
    row(PreAuthentication, "pre-authentication", "PreAuthentication", &["PreAuthentication"], Deny, Unchanged),
    row(PostAuthentication, "post-authentication", "PostAuthentication", &["PostAuthentication"], Allow, Unchanged),
    row(DefineAuthChallenge, "define-auth-challenge", "DefineAuthChallenge", &["DefineAuthChallenge"], Deny, Fault),
    row(CreateAuthChallenge, "create-auth-challenge", "CreateAuthChallenge", &["CreateAuthChallenge"], Deny, Fault),
    row(VerifyAuthChallengeResponse, "verify-auth-challenge-response", "VerifyAuthChallengeResponse", &["VerifyAuthChallengeResponse", "VerifyAuthChallenge"], Deny, Fault),
    row(PreTokenGeneration, "pre-token-generation", "PreTokenGeneration", &["TokenGeneration"], Deny, Unchanged),
    row(PreTokenGenerationV2, "pre-token-generation-v2", "PreTokenGenerationV2_0", &[], Deny, Unchanged),
    row(UserMigration, "user-migration", "UserMigration", &["UserMigration"], Deny, Unchanged),
    row(CustomMessage, "custom-message", "CustomMessage", &["CustomMessage"], Allow, Unchanged),
    row(CustomEmailSender, "custom-email-sender", "CustomEmailSender", &["CustomEmailSender"], Deny, Fault),
    row(CustomSmsSender, "custom-sms-sender", "CustomSMSSender", &["CustomSMSSender", "CustomSmsSender"], Deny, Fault),
    row(InboundFederation, "inbound-federation", "InboundFederation", &["InboundFederation"], Deny, Unchanged),
];

impl Trigger {
    /// The trigger of an event, by its `triggerSource`. Open to sources that Cognito has yet to invent.
    ///
    /// A token generation event is of the second form if `version` is 2 or 3, or if it has a member that only that form has.
    ///
    /// # Errors
    ///
    /// The trigger source, where it belongs to no trigger. An event without one is `Ok(None)`.
    pub fn of(event: &Event<'_>) -> Result<Option<Self>, UnknownTrigger> {
        let Some(source) = event.header.trigger_source.as_deref() else { return Ok(None) };
        let prefix = source.split_once('_').map(|(prefix, _)| prefix);
        match TABLE.iter().find(|row| prefix.is_some_and(|prefix| row.sources.contains(&prefix))) {
            Some(row) if row.trigger == PreTokenGeneration && is_second_form(event) => Ok(Some(PreTokenGenerationV2)),
            Some(row) => Ok(Some(row.trigger)),
            None => Err(UnknownTrigger(source.to_owned())),
        }
    }

    /// Every trigger.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.trigger)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.trigger == self)
    }

    /// The name of the trigger's WIT interface, such as `pre-sign-up`.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The name in Cognito's error texts, such as `PreSignUp`.
    pub fn cognito_name(self) -> &'static str {
        self.row().map_or("", |row| row.cognito)
    }

    /// Whether Cognito goes on without waiting for an answer.
    pub fn is_asynchronous(self) -> bool {
        matches!(self, CustomEmailSender | CustomSmsSender)
    }

    /// Whether it is a step of a custom sign-in, which cannot go on without an answer.
    pub fn is_challenge(self) -> bool {
        matches!(self, DefineAuthChallenge | CreateAuthChallenge | VerifyAuthChallengeResponse)
    }

    /// The trigger with the same sources, but events of another version.
    pub fn other_form(self) -> Option<Self> {
        match self {
            PreTokenGeneration => Some(PreTokenGenerationV2),
            PreTokenGenerationV2 => Some(PreTokenGeneration),
            _ => None,
        }
    }

    /// What becomes of a decision when a policy faults, unless the policy says otherwise.
    pub fn on_fault(self) -> OnFault {
        self.row().map_or(Deny, |row| row.on_fault)
    }

    /// What becomes of an event that no policy answers, unless the set says otherwise.
    pub fn unmatched(self) -> Unmatched {
        self.row().map_or(Fault, |row| row.unmatched)
    }
}

fn is_second_form(event: &Event<'_>) -> bool {
    matches!(event.header.version.as_deref(), Some("2" | "3"))
        || event.request.get("scopes").is_some()
        || event.response.is_some_and(|json| {
            super::Object::parse(json, "`response`").is_ok_and(|it| it.get("claimsAndScopeOverrideDetails").is_some())
        })
}

/// A name that belongs to no trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no trigger: write one of {names}", names = names())]
pub struct UnknownTrigger(pub String);

fn names() -> String {
    TABLE.iter().map(|row| format!("`{}`", row.name)).collect::<Vec<_>>().join(", ")
}

impl FromStr for Trigger {
    type Err = UnknownTrigger;

    fn from_str(name: &str) -> Result<Self, UnknownTrigger> {
        let row = TABLE.iter().find(|row| row.name == name);
        row.map(|row| row.trigger).ok_or_else(|| UnknownTrigger(name.to_owned()))
    }
}

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<Trigger>, UnknownTrigger> {
        Trigger::of(&Event::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn sources_are_told_by_their_prefix() {
        assert_eq!(of(r#"{"triggerSource":"PreSignUp_SignUp"}"#), Ok(Some(PreSignUp)));
        assert_eq!(of(r#"{"triggerSource":"PreSignUp_NotYetInvented"}"#), Ok(Some(PreSignUp)));
        assert_eq!(
            of(r#"{"triggerSource":"VerifyAuthChallenge_Authentication"}"#),
            Ok(Some(VerifyAuthChallengeResponse))
        );
        assert_eq!(of(r#"{"triggerSource":null}"#), Ok(None));
        for unknown in ["PreSignUp", "", "Nothing_Known", "_"] {
            assert!(of(&format!(r#"{{"triggerSource":"{unknown}"}}"#)).is_err(), "{unknown}");
        }
    }

    #[test]
    fn token_generation_has_two_forms() {
        for (rest, trigger) in [
            (r#""version":"1""#, PreTokenGeneration),
            (r#""version":"2""#, PreTokenGenerationV2),
            (r#""version":3"#, PreTokenGenerationV2),
            (r#""request":{"scopes":[]}"#, PreTokenGenerationV2),
            (r#""response":{"claimsAndScopeOverrideDetails":null}"#, PreTokenGenerationV2),
            (r#""response":{"claimsOverrideDetails":null}"#, PreTokenGeneration),
        ] {
            assert_eq!(of(&format!(r#"{{"triggerSource":"TokenGeneration_HostedAuth",{rest}}}"#)), Ok(Some(trigger)));
        }
    }

    #[test]
    fn every_trigger_has_its_row_and_is_found_by_name() {
        for trigger in Trigger::all() {
            assert_eq!(trigger.name().parse(), Ok(trigger));
        }
        assert!("pre-signup".parse::<Trigger>().unwrap_err().to_string().contains("`pre-sign-up`"));
    }
}
