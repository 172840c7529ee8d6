//! Is what both forms of pre token generation share: names of claims that tokens do not get, and groups.

use std::collections::HashSet;

use super::{Checked, json};
use crate::run::GroupOverrideDetails;
use crate::text::quote;

/// Claims that no function can change, as the developer guide lists them.
const PROTECTED: [&str; 22] = [
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "client_id",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
    "username",
    "version",
    "cognito:username",
    "cognito:user_status",
];

/// The claims with Cognito's prefix that can be changed.
const CHANGEABLE: [&str; 3] = ["cognito:groups", "cognito:roles", "cognito:preferred_role"];

/// Whether Cognito ignores or refuses a claim that it protects, the developer guide does not say.
pub(super) fn check_claim(checked: &mut Checked, token: &str, name: &str) {
    let of_cognito = name.starts_with("cognito:") && !CHANGEABLE.contains(&name);
    if PROTECTED.contains(&name) || of_cognito || (token == "ID" && name == "aud") {
        checked.warn("protected-claim", format!("the claim {} of the {token} token cannot be changed", quote(name)));
    } else if name.starts_with("dev:") {
        checked.warn("protected-claim", format!("the claim {} can only be suppressed", quote(name)));
    }
}

/// Nor does it say what becomes of a protected claim that is suppressed. Roles go with the groups.
pub(super) fn check_suppressed(checked: &mut Checked, token: &str, names: &Option<Vec<String>>) {
    let with_groups = names.iter().flatten().any(|name| name == "cognito:groups");
    for name in names.iter().flatten() {
        let is_role = ["cognito:roles", "cognito:preferred_role"].contains(&name.as_str());
        if is_role && !with_groups {
            let text =
                format!("the claim `{name}` of the {token} token stays, unless `cognito:groups` is suppressed too");
            checked.warn("ignored", text);
        } else if !name.starts_with("dev:") {
            check_claim(checked, token, name);
        }
    }
}

/// The claims that are added, each once, without those that are suppressed.
pub(super) fn kept<'a, V>(
    claims: &'a Option<Vec<(String, V)>>,
    suppressed: &Option<Vec<String>>,
) -> Option<Vec<(&'a str, &'a V)>> {
    let suppressed: HashSet<_> = suppressed.iter().flatten().map(String::as_str).collect();
    let mut kept = json::united(claims.as_ref()?.iter().map(|(name, value)| (name.as_str(), value)));
    kept.retain(|(name, _)| !suppressed.contains(name));
    Some(kept)
}

/// Groups that are overridden by nothing are gone.
pub(super) fn check_groups(checked: &mut Checked, groups: Option<&GroupOverrideDetails>) {
    if groups.is_some_and(|it| it.groups_to_override.as_ref().is_none_or(Vec::is_empty)) {
        checked.warn(
            "no-groups",
            "`groupOverrideDetails` names no groups, which may take the user's groups out of the tokens",
        );
    }
}

/// `groupOverrideDetails` as JSON.
pub(super) fn groups(groups: &GroupOverrideDetails) -> String {
    let members = [
        ("groupsToOverride", groups.groups_to_override.as_deref().map(json::texts)),
        ("iamRolesToOverride", groups.iam_roles_to_override.as_deref().map(json::texts)),
        ("preferredRole", groups.preferred_role.as_deref().map(json::text)),
    ];
    json::object(members.into_iter().filter_map(|(name, json)| Some((name, json?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_cannot_be_changed_are_named() {
        let warns = |token, name| {
            let mut checked = Checked::default();
            check_claim(&mut checked, token, name);
            !checked.warnings.is_empty()
        };
        for name in ["sub", "cognito:username", "cognito:anything", "exp", "dev:custom:x", "aud"] {
            assert!(warns("ID", name), "{name}");
        }
        for name in ["tier", "cognito:groups", "email", "custom:tier"] {
            assert!(!warns("ID", name), "{name}");
        }
        assert!(!warns("access", "aud"));
    }
}
