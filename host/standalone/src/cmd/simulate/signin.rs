//! Plays a sign-in with a password: InitiateAuth, to the tokens.

use std::collections::BTreeMap;

use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde::Deserialize;
use serde_json::Value;

use super::command::EXIT_CODES;
use super::exception::Exception;
use super::options::Options;
use super::pool::{Pool, Stop, map_or_null};
use super::response::{Nothing, Response, object};
use super::user::Medium;

/// Plays a sign-in with a password, to the tokens
///
/// Fires `PreAuthentication_Authentication`, which gets the client metadata as `validationData`; then, the password being right,
/// `PostAuthentication_Authentication` and `TokenGeneration_Authentication`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate signin --client-id 6f1vq0d8n3r5t2jc9hm4sbe7pa --client-metadata device=px-90
  cogwit simulate signin --user nobody --user-not-found
  cogwit simulate signin --endpoint http://127.0.0.1:9000 --format json"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    /// The pool has no such user, and hides that (`PreventUserExistenceErrors`)
    #[arg(long)]
    user_not_found: bool,
}

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    pool.call = "InitiateAuth";
    let (nobody, validation) = (args.user_not_found, map_or_null(&args.options.client_metadata));
    if nobody {
        pool.user.given.clear();
    } else {
        pool.user.status = Some("CONFIRMED");
        pool.user.verified.extend([Medium::Email, Medium::Phone]);
    }
    // A pool that does not hide who is there leaves the member out.
    let not_found = ("request.userNotFound", nobody.then(|| "true".to_owned()));
    let changes = [("request.validationData", validation), not_found];
    match pool.fire(Trigger::PreAuthentication, "PreAuthentication_Authentication", &changes) {
        // Nobody may learn from the answer that there is no such user; that is why the function is asked at all.
        Ok(Nothing {}) if nobody => return Err(Exception::wrong_password().into()),
        Ok(Nothing {}) => {}
        Err(stop) => return Err(stop),
    }
    pool.note("the password is right")?;
    // The metadata of InitiateAuth does not go further than the first trigger.
    let Nothing {} = pool.fire(Trigger::PostAuthentication, "PostAuthentication_Authentication", &[])?;
    let told = tokens(pool)?;
    told.iter().try_for_each(|line| pool.note(line))
}

/// Has the tokens made, in the form that the pool's function takes, and tells what it changes of them.
fn tokens(pool: &mut Pool<'_>) -> Result<Vec<String>, Stop> {
    let source = "TokenGeneration_Authentication";
    let no_groups = r#"{"groupsToOverride":[],"iamRolesToOverride":[],"preferredRole":null}"#;
    let groups = ("request.groupConfiguration", Some(no_groups.to_owned()));
    if pool.has(Trigger::PreTokenGenerationV2) {
        let V2 { claims_and_scope_override_details: details } =
            pool.fire(Trigger::PreTokenGenerationV2, source, &[groups])?;
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
