//! Adapts the trigger pre token generation, events of version 1.

use super::request::{group_configuration, header};
use super::{Checked, Conflict, Member, claims, json};
use crate::event::{Event, EventError};
use crate::run::pre_token_generation as wit;

const DETAILS: &str = "claimsOverrideDetails";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        group_configuration: group_configuration(event)?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}

/// Claims go together, of one name the later; what somebody suppresses is suppressed; groups are of the last who sets them.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    Ok(wit::Response {
        claims_to_add_or_override: json::united_maps(
            earlier.claims_to_add_or_override,
            later.claims_to_add_or_override,
        ),
        claims_to_suppress: json::united_lists(earlier.claims_to_suppress, later.claims_to_suppress),
        group_override_details: later.group_override_details.or(earlier.group_override_details),
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    let added = claims::kept(&response.claims_to_add_or_override, &response.claims_to_suppress);
    let written =
        |claims: Vec<(_, &String)>| json::object(claims.into_iter().map(|(name, value)| (name, json::text(value))));
    let details: Vec<_> = [
        ("claimsToAddOrOverride", added.map(written)),
        ("claimsToSuppress", response.claims_to_suppress.as_deref().map(json::texts)),
        ("groupOverrideDetails", response.group_override_details.as_ref().map(claims::groups)),
    ]
    .into_iter()
    .filter_map(|(name, json)| Some((name, json?)))
    .collect();
    if details.is_empty() { Vec::new() } else { vec![Member { name: DETAILS, json: json::object(details) }] }
}

/// Claims that Cognito protects are warned of: whether it ignores or refuses them, the developer guide does not say. So are
/// roles that are suppressed without the groups, which stay, and groups that are overridden by none, which go.
pub(super) fn check(_: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    for (name, _) in response.claims_to_add_or_override.iter().flatten() {
        claims::check_claim(&mut checked, "ID", name);
    }
    claims::check_suppressed(&mut checked, "ID", &response.claims_to_suppress);
    claims::check_groups(&mut checked, response.group_override_details.as_ref());
    checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::GroupOverrideDetails;

    fn response(claims: &[(&str, &str)], suppressed: &[&str]) -> wit::Response {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let suppressed = suppressed.iter().map(|name| (*name).to_owned()).collect();
        wit::Response {
            claims_to_add_or_override: Some(claims),
            claims_to_suppress: Some(suppressed),
            group_override_details: None,
        }
    }

    fn json(response: &wit::Response) -> String {
        members(response).remove(0).json
    }

    #[test]
    fn claims_go_together_and_what_is_suppressed_is_not_added() {
        let merged =
            merge(response(&[("a", "1"), ("b", "1")], &["x"]), response(&[("b", "2"), ("x", "3")], &["x", "y"]));
        assert_eq!(
            json(&merged.unwrap()),
            r#"{"claimsToAddOrOverride":{"a":"1","b":"2"},"claimsToSuppress":["x","y"]}"#
        );
    }

    #[test]
    fn groups_are_of_the_last_who_sets_them_as_a_whole() {
        let groups = |group: &str| wit::Response {
            claims_to_add_or_override: None,
            claims_to_suppress: None,
            group_override_details: Some(GroupOverrideDetails {
                groups_to_override: Some(vec![group.to_owned()]),
                iam_roles_to_override: None,
                preferred_role: None,
            }),
        };
        let merged = merge(groups("a"), groups("b")).unwrap();
        assert_eq!(json(&merged), r#"{"groupOverrideDetails":{"groupsToOverride":["b"]}}"#);
    }

    #[test]
    fn nothing_set_leaves_what_cognito_sent() {
        let none =
            wit::Response { claims_to_add_or_override: None, claims_to_suppress: None, group_override_details: None };
        assert!(members(&none).is_empty());
    }
}
