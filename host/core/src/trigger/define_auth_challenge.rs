//! Adapts the trigger define auth challenge.

use super::request::{header, session};
use super::{Checked, Conflict, Member, json};
use crate::event::{Event, EventError};
use crate::run::define_auth_challenge as wit;
use crate::text::quote;

const CHALLENGE: &str = "challengeName";
const ISSUE: &str = "issueTokens";
const FAIL: &str = "failAuthentication";

/// The challenges that the developer guide lets a function choose. Those of MFA are Cognito's own to insert.
const KNOWN: [&str; 2] = ["CUSTOM_CHALLENGE", "PASSWORD_VERIFIER"];

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        session: session(event)?,
        client_metadata: event.request_map("clientMetadata")?,
        user_not_found: event.request_bool("userNotFound")?,
    })
}

/// Tokens are issued only if nobody is against it, and whoever ends the sign-in ends it.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    let both = |earlier: Option<bool>, later: Option<bool>, merged: fn(bool, bool) -> bool| match (earlier, later) {
        (Some(earlier), Some(later)) => Some(merged(earlier, later)),
        _ => later.or(earlier),
    };
    Ok(wit::Response {
        challenge_name: later.challenge_name.or(earlier.challenge_name),
        issue_tokens: both(earlier.issue_tokens, later.issue_tokens, |one, other| one && other),
        fail_authentication: both(earlier.fail_authentication, later.fail_authentication, |one, other| one || other),
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    let fails = response.fail_authentication == Some(true);
    let issue = response.issue_tokens.filter(|issue| !(fails && *issue));
    [
        (CHALLENGE, response.challenge_name.as_deref().map(json::text)),
        (ISSUE, issue.map(|issue| issue.to_string())),
        (FAIL, response.fail_authentication.map(|fail| fail.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, json)| Some(Member { name, json: json? }))
    .collect()
}

/// The developer guide does not say what counts where tokens are asked for beside the end or a challenge, for a user who does
/// not exist, or without any step, nor what becomes of a challenge that it does not name.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    let issues = response.issue_tokens == Some(true);
    if issues && response.fail_authentication == Some(true) {
        checked.warn("tokens-and-end", format!("`{FAIL}` is true, so `{ISSUE}` is left out"));
    }
    if issues && response.challenge_name.is_some() {
        checked.warn("tokens-and-challenge", format!("`{ISSUE}` is true beside a `{CHALLENGE}`: choose one of them"));
    }
    if issues && event.request_bool("userNotFound") == Ok(Some(true)) {
        checked.warn("user-not-found", format!("`{ISSUE}` is true for a user who does not exist"));
    }
    if let Some(name) = response.challenge_name.as_deref().filter(|name| !KNOWN.contains(name)) {
        let text = format!(
            "`{CHALLENGE}` is {}, which the developer guide does not name: write {}",
            quote(name),
            KNOWN.join(" or ")
        );
        checked.warn("challenge-name", text);
    }
    if response.challenge_name.is_none() && !issues && response.fail_authentication != Some(true) {
        checked.warn("no-step", "no policy chose a step, and what Cognito does then is not documented");
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(challenge: Option<&str>, issue: Option<bool>, fail: Option<bool>) -> wit::Response {
        wit::Response { challenge_name: challenge.map(str::to_owned), issue_tokens: issue, fail_authentication: fail }
    }

    fn merged(earlier: wit::Response, later: wit::Response) -> Vec<(&'static str, String)> {
        members(&merge(earlier, later).unwrap()).into_iter().map(|member| (member.name, member.json)).collect()
    }

    #[test]
    fn tokens_need_everyone_and_the_end_needs_one() {
        let (yes, no, end) =
            (response(None, Some(true), None), response(None, Some(false), None), response(None, None, Some(true)));
        assert_eq!(merged(yes.clone(), no.clone()), [(ISSUE, "false".to_owned())]);
        assert_eq!(merged(no, yes.clone()), [(ISSUE, "false".to_owned())]);
        assert_eq!(merged(yes.clone(), yes.clone()), [(ISSUE, "true".to_owned())]);
        assert_eq!(merged(end.clone(), yes.clone()), [(FAIL, "true".to_owned())]);
        assert_eq!(merged(end, response(None, None, Some(false))), [(FAIL, "true".to_owned())]);
        let challenges =
            (response(Some("PASSWORD_VERIFIER"), None, None), response(Some("CUSTOM_CHALLENGE"), None, None));
        assert_eq!(merged(challenges.0, challenges.1), [(CHALLENGE, "\"CUSTOM_CHALLENGE\"".to_owned())]);
    }

    #[test]
    fn what_cannot_be_meant_is_found() {
        let check_of = |event: &str, response: &wit::Response| {
            let checked = check(&Event::parse(event.as_bytes()).unwrap(), response);
            (checked.warnings.iter().map(|it| it.code).collect::<Vec<_>>(), checked.refused.map(|(member, _)| member))
        };
        let tokens = response(None, Some(true), Some(true));
        assert_eq!(check_of("{}", &tokens), (vec!["tokens-and-end"], None));
        let nobody = r#"{"request":{"userNotFound":true}}"#;
        assert_eq!(check_of(nobody, &response(None, Some(true), None)), (vec!["user-not-found"], None));
        let both = response(Some("CUSTOM_CHALLENGE"), Some(true), None);
        assert_eq!(check_of("{}", &both), (vec!["tokens-and-challenge"], None));
        assert_eq!(check_of("{}", &response(Some("SMS_MFA"), None, None)), (vec!["challenge-name"], None));
        assert_eq!(check_of("{}", &response(None, None, None)), (vec!["no-step"], None));
        assert_eq!(check_of("{}", &response(None, Some(false), Some(false))), (vec!["no-step"], None));
        assert_eq!(check_of("{}", &response(Some("CUSTOM_CHALLENGE"), None, None)), (vec![], None));
    }
}
