//! Has tokens made, as the last step of every sign-in, and tells what is changed of them.

use std::collections::BTreeMap;

use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde::Deserialize;
use serde_json::Value;

use super::pool::{Pool, Stop};
use super::response::{Response, object};

/// Has the tokens made, and tells what a function changes of them.
pub(super) fn issue(pool: &mut Pool<'_>, source: &'static str, metadata: Option<String>) -> Result<(), Stop> {
    let told = changes(pool, source, metadata)?;
    told.iter().try_for_each(|line| pool.note(line))
}

/// Fires the trigger in the form that the pool's function takes.
fn changes(pool: &mut Pool<'_>, source: &'static str, metadata: Option<String>) -> Result<Vec<String>, Stop> {
    let no_groups = r#"{"groupsToOverride":[],"iamRolesToOverride":[],"preferredRole":null}"#;
    let groups = ("request.groupConfiguration", Some(no_groups.to_owned()));
    let metadata = ("request.clientMetadata", metadata);
    if pool.has(Trigger::PreTokenGenerationV2) {
        let V2 { claims_and_scope_override_details: details } =
            pool.fire(Trigger::PreTokenGenerationV2, source, &[groups, metadata])?;
        let details = details.unwrap_or_default();
        let id = details.id_token_generation.unwrap_or_default().told("ID");
        let access = details.access_token_generation.unwrap_or_default().told("access");
        let groups = details.group_override_details.map(told_of_both);
        return Ok(id.chain(access).chain(groups).collect());
    }
    let first_form = [
        ("version", Some(r#""1""#.to_owned())),
        ("request.scopes", None),
        ("response", Some(r#"{"claimsOverrideDetails":null}"#.to_owned())),
        groups,
        metadata,
    ];
    let V1 { claims_override_details: details } = pool.fire(Trigger::PreTokenGeneration, source, &first_form)?;
    let mut details = details.unwrap_or_default();
    let groups = details.group_override_details.take().map(told_of_both);
    Ok(details.told("ID").chain(groups).collect())
}

fn told_of_both(groups: Groups) -> String {
    format!("both tokens: {}", one_line(&groups.told()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct V1 {
    #[serde(deserialize_with = "object")]
    claims_override_details: Option<Claims<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct V2 {
    #[serde(deserialize_with = "object")]
    claims_and_scope_override_details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    #[serde(deserialize_with = "object")]
    id_token_generation: Option<Claims<Value>>,
    #[serde(deserialize_with = "object")]
    access_token_generation: Option<Claims<Value>>,
    #[serde(deserialize_with = "object")]
    group_override_details: Option<Groups>,
}

/// What a function changes of a token. In the first form, values are strings, there are no scopes, and the groups stand here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound = "V: Deserialize<'de> + Default")]
struct Claims<V> {
    claims_to_add_or_override: Option<BTreeMap<String, V>>,
    claims_to_suppress: Option<Vec<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<Vec<String>>,
    #[serde(deserialize_with = "object")]
    group_override_details: Option<Groups>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Groups {
    groups_to_override: Option<Vec<String>>,
    iam_roles_to_override: Option<Vec<String>>,
    preferred_role: Option<String>,
}

impl Response for V1 {}
impl Response for V2 {}

impl<V: Into<Value>> Claims<V> {
    /// A line for each change of a token. What is both added and suppressed is suppressed.
    fn told(self, token: &str) -> impl Iterator<Item = String> {
        let suppressed = self.claims_to_suppress.unwrap_or_default();
        let added = self.claims_to_add_or_override.unwrap_or_default().into_iter();
        let added = added.filter(|(name, _)| !suppressed.contains(name)).map(|(name, value)| {
            let value: Value = value.into();
            format!("claim {name} = {value}")
        });
        let mut changes: Vec<_> = added.collect();
        changes.extend(suppressed.iter().map(|name| format!("without the claim {name}")));
        changes.extend(self.scopes_to_add.iter().flatten().map(|scope| format!("scope {scope}")));
        changes.extend(self.scopes_to_suppress.iter().flatten().map(|scope| format!("without the scope {scope}")));
        changes.into_iter().map(move |change| one_line(&format!("the {token} token: {change}")))
    }
}

impl Groups {
    fn told(self) -> String {
        let [groups, roles] = [self.groups_to_override, self.iam_roles_to_override].map(Option::unwrap_or_default);
        let preferred = self.preferred_role.unwrap_or_else(|| "none".to_owned());
        format!("groups {groups:?}, roles {roles:?}, preferred role {preferred}")
    }
}
