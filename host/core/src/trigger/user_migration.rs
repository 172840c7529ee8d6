//! Adapts the trigger user migration.

use super::request::header;
use super::{Checked, Conflict, Member, agreed, agreed_map, json};
use crate::event::{Event, EventError};
use crate::run::user_migration as wit;
use wit::{DeliveryMedium, FinalUserStatus, MessageAction};

const ATTRIBUTES: &str = "userAttributes";
const STATUS: &str = "finalUserStatus";
const ACTION: &str = "messageAction";
const MEDIUMS: &str = "desiredDeliveryMediums";
const FORCE: &str = "forceAliasCreation";
const SMS_MFA: &str = "enableSMSMFA";

/// The attributes by which a user may sign in beside the name.
const ALIASES: [&str; 3] = ["email", "phone_number", "preferred_username"];

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        password: event.request_text("password"),
        validation_data: event.request_map("validationData")?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}

/// Policies that vouch for one user have to agree on who that is.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    Ok(wit::Response {
        user_attributes: agreed_map(ATTRIBUTES, earlier.user_attributes, later.user_attributes)?,
        final_user_status: agreed(STATUS, earlier.final_user_status, later.final_user_status)?,
        message_action: agreed(ACTION, earlier.message_action, later.message_action)?,
        desired_delivery_mediums: agreed(MEDIUMS, earlier.desired_delivery_mediums, later.desired_delivery_mediums)?,
        force_alias_creation: agreed(FORCE, earlier.force_alias_creation, later.force_alias_creation)?,
        enable_sms_mfa: agreed(SMS_MFA, earlier.enable_sms_mfa, later.enable_sms_mfa)?,
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    let status = |status| match status {
        FinalUserStatus::Confirmed => "CONFIRMED",
        FinalUserStatus::ResetRequired => "RESET_REQUIRED",
    };
    let medium = |medium: &DeliveryMedium| match medium {
        DeliveryMedium::Email => "EMAIL".to_owned(),
        DeliveryMedium::Sms => "SMS".to_owned(),
    };
    let mediums = |mediums: &Vec<_>| json::texts(&mediums.iter().map(medium).collect::<Vec<_>>());
    let attributes = |entries: &Vec<_>| json::map(&json::united(entries.clone()));
    [
        (ATTRIBUTES, response.user_attributes.as_ref().map(attributes)),
        (STATUS, response.final_user_status.map(|it| json::text(status(it)))),
        (ACTION, response.message_action.map(|MessageAction::Suppress| json::text("SUPPRESS"))),
        (MEDIUMS, response.desired_delivery_mediums.as_ref().map(mediums)),
        (FORCE, response.force_alias_creation.map(|force| force.to_string())),
        (SMS_MFA, response.enable_sms_mfa.map(|enable| enable.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, json)| Some(Member { name, json: json? }))
    .collect()
}

/// The rules of the developer guide's page on the migrate user trigger. Of a name that fits nowhere it does not say what becomes.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    let attributes = response.user_attributes.as_deref().unwrap_or_default();
    if attributes.is_empty() {
        if !members(response).is_empty() {
            checked.warn("ignored", format!("without `{ATTRIBUTES}` Cognito creates nobody"));
        }
        return checked;
    }
    let get = |name: &str| attributes.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let is_true = |name: &str| get(name) == Some("true");
    json::check_attributes(&mut checked, ATTRIBUTES, attributes);
    let forgot = event.header.trigger_source.as_deref() == Some("UserMigration_ForgotPassword");
    let email = get("email").is_some() && is_true("email_verified");
    if forgot && !email && !(get("phone_number").is_some() && is_true("phone_number_verified")) {
        let text = "Cognito sends a forgotten password's code only to a verified e-mail or phone: set `email` and `email_verified`, or those of the phone";
        checked.refuse(ATTRIBUTES, text);
    }
    if response.enable_sms_mfa == Some(true) && get("phone_number").is_none() {
        checked.refuse(SMS_MFA, format!("Cognito refuses `{SMS_MFA}` for a user without `phone_number`"));
    }
    let typed = event.header.user_name.as_deref();
    let other = get("username").is_some_and(|name| Some(name) != typed);
    if get("username").is_none() && typed.is_some() && get("preferred_username") == typed {
        checked.warn("username", "the user typed the alias `preferred_username`, which needs a `username` beside it");
    } else if other && !ALIASES.iter().any(|alias| get(alias) == typed) {
        let text =
            "`username` is not what the user typed, and no `email`, `phone_number` or `preferred_username` is that";
        checked.warn("username", text);
    }
    if response.force_alias_creation == Some(true) {
        checked.warn("moves-alias", format!("`{FORCE}` takes e-mail and phone aliases from an account that has them"));
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(attributes: &[(&str, &str)]) -> wit::Response {
        let attributes: Vec<_> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        wit::Response {
            user_attributes: Some(attributes),
            final_user_status: None,
            message_action: None,
            desired_delivery_mediums: None,
            force_alias_creation: None,
            enable_sms_mfa: None,
        }
    }

    fn check_of(event: &str, response: &wit::Response) -> (Vec<&'static str>, Option<&'static str>) {
        let checked = check(&Event::parse(event.as_bytes()).unwrap(), response);
        (checked.warnings.iter().map(|it| it.code).collect(), checked.refused.map(|(member, _)| member))
    }

    #[test]
    fn every_member_is_written_in_cognitos_words() {
        let all = wit::Response {
            final_user_status: Some(FinalUserStatus::Confirmed),
            message_action: Some(MessageAction::Suppress),
            desired_delivery_mediums: Some(vec![DeliveryMedium::Email, DeliveryMedium::Sms]),
            force_alias_creation: Some(false),
            enable_sms_mfa: Some(false),
            ..response(&[("email", "a@b.example")])
        };
        let json: Vec<_> = members(&all).into_iter().map(|member| member.json).collect();
        assert_eq!(
            json,
            [r#"{"email":"a@b.example"}"#, "\"CONFIRMED\"", "\"SUPPRESS\"", r#"["EMAIL","SMS"]"#, "false", "false"]
        );
    }

    #[test]
    fn policies_have_to_agree() {
        let (one, other) = (response(&[("email", "a")]), response(&[("email", "b")]));
        assert_eq!(merge(one.clone(), other).unwrap_err(), Conflict(ATTRIBUTES));
        merge(one.clone(), one).unwrap();
    }

    #[test]
    fn the_rules_of_the_guide_hold() {
        let forgot = r#"{"triggerSource":"UserMigration_ForgotPassword","userName":"ina"}"#;
        assert_eq!(check_of(forgot, &response(&[("email", "a@b.example")])), (vec![], Some(ATTRIBUTES)));
        let verified = response(&[("email", "a@b.example"), ("email_verified", "true")]);
        assert_eq!(check_of(forgot, &verified), (vec![], None));
        let mfa = wit::Response { enable_sms_mfa: Some(true), ..response(&[("email", "a@b.example")]) };
        assert_eq!(check_of("{}", &mfa), (vec![], Some(SMS_MFA)));
        let typed = r#"{"userName":"a@b.example"}"#;
        assert_eq!(check_of(typed, &response(&[("username", "ina"), ("email", "a@b.example")])), (vec![], None));
        assert_eq!(check_of(typed, &response(&[("username", "ina")])), (vec!["username"], None));
        let force = wit::Response { force_alias_creation: Some(true), ..response(&[("a", "b")]) };
        assert_eq!(check_of("{}", &force), (vec!["moves-alias"], None));
        let nobody = wit::Response { user_attributes: None, force_alias_creation: Some(true), ..response(&[]) };
        assert_eq!(check_of("{}", &nobody), (vec!["ignored"], None));
    }
}
