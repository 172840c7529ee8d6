//! Plays a sign-in at another identity provider, through managed login, to the tokens.

use std::collections::BTreeMap;

use cogwit_core::event::Trigger;
use serde::Deserialize;
use serde_json::{Value, json};

use super::command::EXIT_CODES;
use super::options::{Entry, Options, entry};
use super::pool::{Change, Pool, Stop, text};
use super::response::{Nothing, Response};
use super::signin::finish;
use super::signup;
use super::tokens;
use super::user::Medium;

/// Plays a sign-in at another identity provider, to the tokens
///
/// Fires `InboundFederation_ExternalProvider`; then, at the first sign-in, `PreSignUp_ExternalProvider`,
/// `PostConfirmation_ConfirmSignUp` and `TokenGeneration_HostedAuth`; at any other, `PreAuthentication_Authentication`,
/// `PostAuthentication_Authentication` and `TokenGeneration_HostedAuth`. The user is `<provider>_<--user>`. Of client metadata
/// managed login knows nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate federated --claim groups=finance --claim email=mira@northwind.example
  cogwit simulate federated --provider Okta --provider-type SAML --again"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    /// The provider's name in the pool
    #[arg(long, value_name = "NAME", default_value = "Northwind", value_parser = provider)]
    provider: String,
    /// What the provider is
    #[arg(long, value_name = "TYPE", default_value = "OIDC", value_parser = TYPES)]
    provider_type: String,
    /// A claim of the provider's ID token, or of its SAML response; repeat it. The user's attributes and `sub` are there too
    #[arg(long, value_name = "NAME=VALUE", value_parser = entry)]
    claim: Vec<Entry>,
    /// The user was here before
    #[arg(long)]
    again: bool,
}

const TYPES: [&str; 6] = ["OIDC", SAML, "Facebook", "Google", "SignInWithApple", "LoginWithAmazon"];
const SAML: &str = "SAML";

fn provider(name: &str) -> Result<String, String> {
    let wrong = |c: char| c == '_' || c.is_whitespace() || c.is_control();
    match (1..=32).contains(&name.chars().count()) && !name.contains(wrong) {
        true => Ok(name.to_owned()),
        false => Err("Cognito takes 1 to 32 characters without blanks and `_`".to_owned()),
    }
}

/// What inbound federation may answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mapped {
    user_attributes_to_map: Option<BTreeMap<String, String>>,
}

impl Response for Mapped {}

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    pool.call = "managed login";
    pool.user.name = format!("{}_{}", args.provider, args.options.user);
    pool.user.status = args.again.then_some(STATUS);
    let said = said(args, &mut pool.user.given);
    let mapped: Mapped = pool.fire(Trigger::InboundFederation, "InboundFederation_ExternalProvider", &said)?;
    if let Some(attributes) = mapped.user_attributes_to_map.filter(|map| !map.is_empty()) {
        pool.user.given = attributes;
        pool.note("these are all attributes of the user from now on")?;
    }
    if args.again {
        return come_again(args, pool);
    }
    let answer: signup::Answer =
        pool.fire(Trigger::PreSignUp, "PreSignUp_ExternalProvider", &before_creation(&pool.user.given))?;
    pool.user.verified.extend(answer.verifies());
    pool.user.status = Some(STATUS);
    pool.user.given.insert("identities".to_owned(), identities(args));
    let Nothing {} = pool.fire(Trigger::PostConfirmation, "PostConfirmation_ConfirmSignUp", &[])?;
    tokens::issue(pool, TOKENS, None)
}

const STATUS: &str = "EXTERNAL_PROVIDER";
const TOKENS: &str = "TokenGeneration_HostedAuth";

fn come_again(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    pool.user.given.insert("identities".to_owned(), identities(args));
    let validation = ("request.validationData", Some("{}".to_owned()));
    let Nothing {} = pool.fire(Trigger::PreAuthentication, "PreAuthentication_Authentication", &[validation])?;
    finish(pool, TOKENS, None)
}

/// What the provider says of the user. The pool maps each attribute from the claim of its name. The provider's tokens are
/// those of the example.
fn said(args: &Args, attributes: &mut BTreeMap<String, String>) -> Vec<Change<'static>> {
    let mut claims = attributes.clone();
    claims.insert("sub".to_owned(), args.options.user.clone());
    claims.extend(args.claim.iter().cloned());
    for (name, value) in attributes {
        if let Some(claim) = claims.get(name) {
            value.clone_from(claim);
        }
    }
    let claims = json!(claims).to_string();
    let own = [
        ("request.userAttributes", None),
        ("request.providerName", text(&args.provider)),
        ("request.providerType", text(&args.provider_type)),
    ];
    let of_type = match args.provider_type == SAML {
        true => vec![("request.attributes", None), ("request.attributes.samlResponse", Some(claims))],
        false => {
            vec![("request.attributes.idToken", Some(claims)), ("request.attributes.userInfo", Some("{}".to_owned()))]
        }
    };
    own.into_iter().chain(of_type).collect()
}

/// What was seen in events beside the attributes that are mapped, while there is no user yet.
fn before_creation(attributes: &BTreeMap<String, String>) -> Vec<Change<'static>> {
    let aliases = ["request.userAttributes.cognito:email_alias", "request.userAttributes.cognito:phone_number_alias"];
    let mut changes: Vec<_> = aliases.into_iter().map(|path| (path, text(""))).collect();
    if !attributes.contains_key(Medium::Email.verified()) {
        changes.push(("request.userAttributes.email_verified", text("false")));
    }
    changes
}

/// The attribute in which the pool keeps where the user comes from: a list as a text. The date is no particular one.
fn identities(args: &Args) -> String {
    let identity: Value = json!({
        "userId": args.options.user,
        "providerName": args.provider,
        "providerType": args.provider_type,
        "issuer": null,
        "primary": true,
        "dateCreated": 1_733_040_000_123_u64,
    });
    json!([identity]).to_string()
}
