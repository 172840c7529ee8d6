//! Adapts the trigger pre sign-up.

use super::request::header;
use super::{Checked, Conflict, Member, Warning};
use crate::event::{Event, EventError, Object};
use crate::run::pre_sign_up as wit;

const CONFIRM: &str = "autoConfirmUser";
const VERIFY_EMAIL: &str = "autoVerifyEmail";
const VERIFY_PHONE: &str = "autoVerifyPhone";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        validation_data: event.request_map("validationData")?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}

/// Of each member, the last who sets it counts.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    Ok(wit::Response {
        auto_confirm_user: later.auto_confirm_user.or(earlier.auto_confirm_user),
        auto_verify_email: later.auto_verify_email.or(earlier.auto_verify_email),
        auto_verify_phone: later.auto_verify_phone.or(earlier.auto_verify_phone),
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    [
        (CONFIRM, response.auto_confirm_user),
        (VERIFY_EMAIL, response.auto_verify_email),
        (VERIFY_PHONE, response.auto_verify_phone),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(Member { name, json: value?.to_string() }))
    .collect()
}

/// The rules of the developer guide's page on the pre sign-up trigger. That who is verified must be confirmed too, the live
/// service said in 2018; a federated user needs no confirmation.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    let source = event.header.trigger_source.as_deref();
    if source == Some("PreSignUp_AdminCreateUser") {
        if !members(response).is_empty() {
            let text = "Cognito ignores the response of `PreSignUp_AdminCreateUser`";
            checked.warnings.push(Warning::new("ignored", text));
        }
        return checked;
    }
    // Most decisions verify nothing, and need no second look at the event.
    if ![response.auto_verify_email, response.auto_verify_phone].contains(&Some(true)) {
        return checked;
    }
    let attributes = event.request_map("userAttributes").unwrap_or_default();
    let has = |name| attributes.iter().rev().find(|(key, _)| key == name).is_some_and(|(_, value)| !value.is_empty());
    let sent = event.response.and_then(|json| Object::parse(json, "`response`").ok());
    let confirmed = response.auto_confirm_user.unwrap_or(sent.is_some_and(|it| it.get(CONFIRM) == Some("true")));
    for (member, wanted, attribute) in [
        (VERIFY_EMAIL, response.auto_verify_email, "email"),
        (VERIFY_PHONE, response.auto_verify_phone, "phone_number"),
    ] {
        if wanted != Some(true) {
            continue;
        }
        if !has(attribute) {
            checked.refused = Some((member, format!("Cognito refuses `{member}` for a user without `{attribute}`")));
        } else if !confirmed && source != Some("PreSignUp_ExternalProvider") {
            checked.refused = Some((member, format!("Cognito refuses `{member}` without `{CONFIRM}`")));
        }
        let text =
            format!("`{member}` takes the alias `{attribute}` from an account that has it, where it is an alias");
        checked.warnings.push(Warning::new("moves-alias", text));
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_of(event: &str, confirm: Option<bool>, email: Option<bool>) -> (Vec<&'static str>, Option<&'static str>) {
        let event = Event::parse(event.as_bytes()).unwrap();
        let response = wit::Response { auto_confirm_user: confirm, auto_verify_email: email, auto_verify_phone: None };
        let checked = check(&event, &response);
        let codes = checked.warnings.iter().map(|warning| warning.code).collect();
        (codes, checked.refused.map(|(member, _)| member))
    }

    const WITH_EMAIL: &str = r#"{"request":{"userAttributes":{"email":"a@b.example"}}}"#;

    #[test]
    fn verifying_warns_and_needs_the_attribute_and_a_confirmation() {
        assert_eq!(check_of(WITH_EMAIL, Some(true), Some(true)), (vec!["moves-alias"], None));
        assert_eq!(check_of("{}", Some(true), Some(true)).1, Some(VERIFY_EMAIL));
        assert_eq!(check_of(WITH_EMAIL, None, Some(true)).1, Some(VERIFY_EMAIL));
        assert_eq!(check_of("{}", None, Some(false)), (vec![], None));
        let confirmed = r#"{"request":{"userAttributes":{"email":"a@b.example"}},"response":{"autoConfirmUser":true}}"#;
        assert_eq!(check_of(confirmed, None, Some(true)).1, None);
    }

    #[test]
    fn what_an_administrator_creates_is_not_held_to_it() {
        let event = r#"{"triggerSource":"PreSignUp_AdminCreateUser"}"#;
        assert_eq!(check_of(event, None, Some(true)), (vec!["ignored"], None));
        assert_eq!(check_of(event, None, None), (vec![], None));
    }

    #[test]
    fn later_wins_member_by_member() {
        let of = |confirm, email| wit::Response {
            auto_confirm_user: confirm,
            auto_verify_email: email,
            auto_verify_phone: None,
        };
        let merged = merge(of(Some(true), Some(true)), of(Some(false), None)).unwrap();
        assert_eq!((merged.auto_confirm_user, merged.auto_verify_email), (Some(false), Some(true)));
    }
}
