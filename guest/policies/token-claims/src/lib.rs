//! Puts a user's attributes and groups into tokens, takes claims out of them, and gives groups their scopes.
//!
//! One component answers both forms of pre token generation. Events of version 1 have neither scopes nor claims of the access
//! token: there the ID token gets the claims, and a list as text with commas.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `claims` | what becomes a claim, such as `tenant=custom:tenant, locale=locale` | empty |
//! | `groups-claim` | the claim that gets the user's groups | none |
//! | `suppress` | claims that the ID token shall not have | empty |
//! | `group-scopes` | scopes of groups, such as `finance=ledger/read ledger/write, ops=ops/all` | empty |
//!
//! An attribute that a client may write is what the client says: name only such as administrators or the identity provider set.

use cogwit_sdk::pre_token_generation::{self as v1, PreTokenGeneration};
use cogwit_sdk::pre_token_generation_v2::{self as v2, PreTokenGenerationV2};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct TokenClaims;
export!(TokenClaims: pre_token_generation, pre_token_generation_v2, settings);

impl PreTokenGeneration for TokenClaims {
    fn decide(event: v1::Event) -> Result<v1::Response, Denial> {
        let mut response = v1::Response::default();
        for (claim, attribute) in settings::pairs("claims").flatten() {
            if let Some(value) = event.attribute(&attribute) {
                response = response.with_claim(&claim, value);
            }
        }
        if let Some(claim) = groups_claim().filter(|_| !event.groups().is_empty()) {
            response = response.with_claim(&claim, event.groups().join(","));
        }
        Ok(settings::list("suppress", "").iter().fold(response, |response, claim| response.without_claim(claim)))
    }
}

impl PreTokenGenerationV2 for TokenClaims {
    fn decide(event: v2::Event) -> Result<v2::Response, Denial> {
        let mut response = v2::Response::default();
        for (claim, attribute) in settings::pairs("claims").flatten() {
            if let Some(value) = event.attribute(&attribute) {
                response = response.with_id_claim(&claim, value).with_access_claim(&claim, value);
            }
        }
        if let Some(claim) = groups_claim().filter(|_| !event.groups().is_empty()) {
            let groups = event.groups().to_vec();
            response = response.with_id_claim(&claim, groups.clone()).with_access_claim(&claim, groups);
        }
        for claim in settings::list("suppress", "") {
            response = response.without_id_claim(&claim);
        }
        for (group, scopes) in settings::pairs("group-scopes").flatten() {
            if event.groups().contains(&group) {
                let new = scopes.split_whitespace().filter(|scope| !event.scopes.iter().any(|had| had == scope));
                response = new.fold(response, |response, scope| response.with_scope(scope));
            }
        }
        Ok(response)
    }
}

impl Settings for TokenClaims {
    fn validate() -> Result<(), String> {
        settings::only(&["claims", "groups-claim", "suppress", "group-scopes"])?;
        for key in ["claims", "group-scopes"] {
            if let Some(entry) = settings::pairs(key).find_map(Result::err) {
                return Err(format!("`{key}` has the entry `{entry}`: write NAME=VALUE, with commas between"));
            }
        }
        Ok(())
    }
}

fn groups_claim() -> Option<String> {
    Some(settings::text("groups-claim", "")).filter(|claim| !claim.is_empty())
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::pre_token_generation_v2::ClaimValue;
    use cogwit_sdk::testing::World;

    use super::*;

    fn world() -> World {
        World::default()
            .setting("claims", "tenant=custom:tenant, locale=locale")
            .setting("groups-claim", "teams")
            .setting("suppress", "email")
            .setting("group-scopes", "finance=ledger/read ledger/write, ops=ops/all")
    }

    #[test]
    fn an_id_token_gets_attributes_and_groups() {
        let event = v1::Event::default().with_attribute("custom:tenant", "fjord-42").with_group("a").with_group("b");
        let response = world().run(|| <TokenClaims as PreTokenGeneration>::decide(event)).value.unwrap();
        let expected = v1::Response::default().with_claim("tenant", "fjord-42").with_claim("teams", "a,b");
        assert_eq!(response, expected.without_claim("email"));
    }

    #[test]
    fn both_tokens_get_claims_and_groups_get_their_scopes() {
        let mut event = v2::Event::default().with_attribute("locale", "nb-NO").with_group("finance");
        event.scopes.push("ledger/read".to_owned());
        let response = world().run(|| <TokenClaims as PreTokenGenerationV2>::decide(event)).value.unwrap();
        let id = response.id_token_generation.unwrap();
        let claims = id.claims_to_add_or_override.unwrap();
        assert_eq!(claims[0], ("locale".to_owned(), ClaimValue::from("nb-NO")));
        assert_eq!(claims[1], ("teams".to_owned(), ClaimValue::Strings(vec!["finance".to_owned()])));
        assert_eq!(id.claims_to_suppress.unwrap(), ["email"]);
        let access = response.access_token_generation.unwrap();
        assert_eq!(access.scopes_to_add.unwrap(), ["ledger/write"]);
    }

    #[test]
    fn nobody_gets_nothing() {
        let response = World::default().run(|| <TokenClaims as PreTokenGenerationV2>::decide(v2::Event::default()));
        assert_eq!(response.value.unwrap(), v2::Response::default());
    }

    #[test]
    fn an_entry_that_says_nothing_is_refused() {
        for claims in ["tenant", "=a", "a="] {
            let refused = World::default().setting("claims", claims).run(TokenClaims::validate).value;
            assert!(refused.unwrap_err().contains("write NAME=VALUE"), "{claims}");
        }
        world().run(TokenClaims::validate).value.unwrap();
    }
}
