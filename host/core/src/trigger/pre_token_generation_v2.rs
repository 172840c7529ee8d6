//! Adapts the trigger pre token generation, events of versions 2 and 3.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::request::{group_configuration, header, texts};
use super::{Checked, Conflict, Member, claims, json};
use crate::event::{Event, EventError};
use crate::run::pre_token_generation_v2 as wit;
use crate::text::quote;
use wit::{AccessTokenGeneration, ClaimValue, IdTokenGeneration};

const DETAILS: &str = "claimsAndScopeOverrideDetails";

/// Claims of the ID token that take no lists and objects, as the developer guide has it.
const SIMPLE: [&str; 4] = ["phone_number_verified", "email_verified", "updated_at", "address"];

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    let scopes = event.request.get("scopes");
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        group_configuration: group_configuration(event)?,
        scopes: scopes.map_or(Ok(Vec::new()), |json| texts(json, "`request.scopes`"))?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}

/// Claims go together, of one name the later; what somebody suppresses is suppressed; groups are of the last who sets them.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    let id = |earlier: IdTokenGeneration, later: IdTokenGeneration| IdTokenGeneration {
        claims_to_add_or_override: json::united_maps(
            earlier.claims_to_add_or_override,
            later.claims_to_add_or_override,
        ),
        claims_to_suppress: json::united_lists(earlier.claims_to_suppress, later.claims_to_suppress),
    };
    let access = |earlier: AccessTokenGeneration, later: AccessTokenGeneration| AccessTokenGeneration {
        claims_to_add_or_override: json::united_maps(
            earlier.claims_to_add_or_override,
            later.claims_to_add_or_override,
        ),
        claims_to_suppress: json::united_lists(earlier.claims_to_suppress, later.claims_to_suppress),
        scopes_to_add: json::united_lists(earlier.scopes_to_add, later.scopes_to_add),
        scopes_to_suppress: json::united_lists(earlier.scopes_to_suppress, later.scopes_to_suppress),
    };
    Ok(wit::Response {
        id_token_generation: both(earlier.id_token_generation, later.id_token_generation, id),
        access_token_generation: both(earlier.access_token_generation, later.access_token_generation, access),
        group_override_details: later.group_override_details.or(earlier.group_override_details),
    })
}

fn both<T>(earlier: Option<T>, later: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (earlier, later) {
        (Some(earlier), Some(later)) => Some(merge(earlier, later)),
        (earlier, later) => later.or(earlier),
    }
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    let id = |token: &IdTokenGeneration| {
        json::object(present([
            (
                "claimsToAddOrOverride",
                claims::kept(&token.claims_to_add_or_override, &token.claims_to_suppress).map(object),
            ),
            ("claimsToSuppress", token.claims_to_suppress.as_deref().map(json::texts)),
        ]))
    };
    let access = |token: &AccessTokenGeneration| {
        json::object(present([
            (
                "claimsToAddOrOverride",
                claims::kept(&token.claims_to_add_or_override, &token.claims_to_suppress).map(object),
            ),
            ("claimsToSuppress", token.claims_to_suppress.as_deref().map(json::texts)),
            ("scopesToAdd", kept_scopes(token).map(|scopes| json::texts(&scopes))),
            ("scopesToSuppress", token.scopes_to_suppress.as_deref().map(json::texts)),
        ]))
    };
    let details = present([
        ("idTokenGeneration", response.id_token_generation.as_ref().map(id)),
        ("accessTokenGeneration", response.access_token_generation.as_ref().map(access)),
        ("groupOverrideDetails", response.group_override_details.as_ref().map(claims::groups)),
    ]);
    if details.is_empty() { Vec::new() } else { vec![Member { name: DETAILS, json: json::object(details) }] }
}

fn present<const N: usize>(members: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    members.into_iter().filter_map(|(name, json)| Some((name, json?))).collect()
}

/// The scopes that are added, without those that are suppressed.
fn kept_scopes(token: &AccessTokenGeneration) -> Option<Vec<String>> {
    let suppressed: HashSet<_> = token.scopes_to_suppress.iter().flatten().collect();
    let scopes = token.scopes_to_add.as_ref()?.iter();
    Some(scopes.filter(|scope| !suppressed.contains(scope)).cloned().collect())
}

fn object(claims: Vec<(&str, &ClaimValue)>) -> String {
    json::object(claims.into_iter().map(|(name, value)| (name, written(value))))
}

/// A claim's value as JSON. What a policy writes as JSON stands as it is written.
fn written(value: &ClaimValue) -> String {
    match value {
        ClaimValue::String(text) => json::text(text),
        ClaimValue::Boolean(value) => value.to_string(),
        ClaimValue::Integer(value) => value.to_string(),
        ClaimValue::Number(value) => serde_json::to_string(value).unwrap_or_default(),
        ClaimValue::Strings(list) => json::texts(list),
        ClaimValue::Json(text) => text.clone(),
    }
}

/// A scope holds no space; `aud` of an access token is the app client's id; `phone_number_verified`, `email_verified`, `updated_at`
/// and `address` of the ID token are no lists or objects. Claims that Cognito protects are warned of, and so are a claim that is
/// null, roles that are suppressed without the groups, which stay, and groups that are overridden by none, which go.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    if let Some(token) = &response.id_token_generation {
        for (name, value) in
            claims::kept(&token.claims_to_add_or_override, &token.claims_to_suppress).into_iter().flatten()
        {
            check_claim(&mut checked, "ID", name, value);
            if SIMPLE.contains(&name) && is_complex(value) {
                checked.refuse(DETAILS, format!("Cognito refuses a list or an object as `{name}` of the ID token"));
            }
        }
        claims::check_suppressed(&mut checked, "ID", &token.claims_to_suppress);
    }
    if let Some(token) = &response.access_token_generation {
        let client = event.header.client_id.as_deref().map(json::text);
        for (name, value) in
            claims::kept(&token.claims_to_add_or_override, &token.claims_to_suppress).into_iter().flatten()
        {
            check_claim(&mut checked, "access", name, value);
            if name == "aud" && client.as_deref() != Some(written(value).trim()) {
                checked.refuse(DETAILS, "Cognito takes `aud` of an access token only where it is the app client's id");
            }
        }
        for scope in kept_scopes(token).iter().flatten().filter(|scope| scope.contains(' ')) {
            checked.refuse(DETAILS, format!("Cognito refuses the scope {}, which holds a space", quote(scope)));
        }
        claims::check_suppressed(&mut checked, "access", &token.claims_to_suppress);
    }
    claims::check_groups(&mut checked, response.group_override_details.as_ref());
    checked
}

fn check_claim(checked: &mut Checked, token: &str, name: &str, value: &ClaimValue) {
    claims::check_claim(checked, token, name);
    match value {
        ClaimValue::Number(value) if !value.is_finite() => {
            checked.refuse(DETAILS, format!("the claim {} is {value}, which JSON does not have", quote(name)));
        }
        ClaimValue::Json(text) if serde_json::from_str::<&RawValue>(text).is_err() => {
            checked.refuse(DETAILS, format!("the claim {} is no JSON", quote(name)));
        }
        ClaimValue::Json(text) if text.trim() == "null" => {
            let text = format!(
                "the claim {} of the {token} token is null, which the developer guide does not name",
                quote(name)
            );
            checked.warn("null-claim", text);
        }
        _ => {}
    }
}

fn is_complex(value: &ClaimValue) -> bool {
    match value {
        ClaimValue::Strings(_) => true,
        ClaimValue::Json(text) => text.trim_start().starts_with(['{', '[']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(claims: Vec<(&str, ClaimValue)>, suppressed: &[&str], scopes: &[&str]) -> wit::Response {
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        let token = AccessTokenGeneration {
            claims_to_add_or_override: Some(claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            claims_to_suppress: texts(suppressed),
            scopes_to_add: texts(scopes),
            scopes_to_suppress: None,
        };
        wit::Response { id_token_generation: None, access_token_generation: Some(token), group_override_details: None }
    }

    fn id(name: &str, value: ClaimValue) -> wit::Response {
        let claims = Some(vec![(name.to_owned(), value)]);
        let token = IdTokenGeneration { claims_to_add_or_override: claims, claims_to_suppress: None };
        wit::Response { id_token_generation: Some(token), access_token_generation: None, group_override_details: None }
    }

    fn json(response: &wit::Response) -> String {
        members(response).remove(0).json
    }

    #[test]
    fn every_kind_of_value_is_written_as_it_is() {
        let claims = vec![
            ("text", ClaimValue::String("a\"b".to_owned())),
            ("flag", ClaimValue::Boolean(true)),
            ("most", ClaimValue::Integer(i64::MAX)),
            ("half", ClaimValue::Number(0.5)),
            ("list", ClaimValue::Strings(vec!["x".to_owned()])),
            ("huge", ClaimValue::Json("1.7976931348623157E308".to_owned())),
            ("nested", ClaimValue::Json("{ \"a\": [1] }".to_owned())),
        ];
        assert_eq!(
            json(&access(claims, &[], &[])),
            r#"{"accessTokenGeneration":{"claimsToAddOrOverride":{"text":"a\"b","flag":true,"most":9223372036854775807,"half":0.5,"list":["x"],"huge":1.7976931348623157E308,"nested":{ "a": [1] }},"claimsToSuppress":[],"scopesToAdd":[]}}"#
        );
    }

    #[test]
    fn tokens_are_merged_member_by_member() {
        let one = access(vec![("a", ClaimValue::Integer(1)), ("b", ClaimValue::Integer(1))], &[], &["read"]);
        let other = access(vec![("b", ClaimValue::Integer(2))], &["a"], &["read", "write"]);
        let merged = merge(merge(one, other).unwrap(), id("c", ClaimValue::Boolean(false))).unwrap();
        assert_eq!(
            json(&merged),
            r#"{"idTokenGeneration":{"claimsToAddOrOverride":{"c":false}},"accessTokenGeneration":{"claimsToAddOrOverride":{"b":2},"claimsToSuppress":["a"],"scopesToAdd":["read","write"]}}"#
        );
    }

    #[test]
    fn what_cognito_refuses_is_refused() {
        let refused = |response: &wit::Response| {
            let event = Event::parse(br#"{"callerContext":{"clientId":"app"}}"#).unwrap();
            check(&event, response).refused.is_some()
        };
        let text = |text: &str| ClaimValue::String(text.to_owned());
        for response in [
            id("address", ClaimValue::Strings(vec![])),
            id("updated_at", ClaimValue::Json("{}".to_owned())),
            id("x", ClaimValue::Json("{".to_owned())),
            id("x", ClaimValue::Json("1 2".to_owned())),
            id("x", ClaimValue::Number(f64::NAN)),
            access(vec![("aud", text("other"))], &[], &[]),
            access(vec![], &[], &["two words"]),
        ] {
            assert!(refused(&response), "{response:?}");
        }
        for response in [
            id("address", text("x")),
            id("x", ClaimValue::Json("null".to_owned())),
            access(vec![("aud", text("app"))], &[], &[]),
        ] {
            assert!(!refused(&response), "{response:?}");
        }
    }
}
