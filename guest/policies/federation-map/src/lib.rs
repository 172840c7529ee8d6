//! Maps what an identity provider says of a user to the profile that the pool keeps: named claims, cleaned, and nothing else. Users of
//! a tenant that is not known are refused.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `attributes` | what becomes an attribute, such as `email=email, custom:tenant=tid, name=displayName` | empty: all is kept |
//! | `lowercase` | attributes that are written in lower case, such as `email` | `email` |
//! | `providers` | the providers that this is for, by their names in the pool | all |
//! | `tenant-claim` | the claim that names the tenant | none |
//! | `tenants` | the tenants whose users may come in | empty: all |
//!
//! A claim is looked for in the ID token, then in the userinfo, then in the SAML assertion. A claim that is missing or empty is left
//! out, and Cognito drops what is left out: name every attribute that the pool requires. Where all are missing, the user is refused.

use cogwit_sdk::inbound_federation::{Event, InboundFederation, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct FederationMap;
export!(FederationMap: inbound_federation, settings);

impl InboundFederation for FederationMap {
    fn decide(event: Event) -> Result<Response, Denial> {
        let providers = settings::list("providers", "");
        if !providers.is_empty() && !providers.iter().any(|provider| provider == event.provider()) {
            return Ok(Response::default());
        }
        check_tenant(&event)?;
        let lowercase = settings::list("lowercase", "email");
        let pairs: Vec<_> = settings::pairs("attributes").flatten().collect();
        let mut response = Response::default();
        for (attribute, claim) in &pairs {
            let value = event.claim(claim).map(str::trim).filter(|value| !value.is_empty());
            response = match value {
                Some(value) if lowercase.contains(attribute) => {
                    response.with_attribute(attribute, value.to_lowercase())
                }
                Some(value) => response.with_attribute(attribute, value),
                None => response,
            };
        }
        // Cognito takes an empty map for leave to keep all that the provider said.
        if response == Response::default() && !pairs.is_empty() {
            return Err(Denial::new("Your identity provider says too little about you").because("no claim is there"));
        }
        Ok(response)
    }
}

impl Settings for FederationMap {
    fn validate() -> Result<(), String> {
        settings::only(&["attributes", "lowercase", "providers", "tenant-claim", "tenants"])?;
        if let Some(entry) = settings::pairs("attributes").find_map(Result::err) {
            return Err(format!("`attributes` has the entry `{entry}`: write ATTRIBUTE=CLAIM, with commas between"));
        }
        match (settings::text("tenant-claim", "").is_empty(), settings::list("tenants", "").is_empty()) {
            (true, false) => Err("`tenants` needs `tenant-claim`, the claim that names the tenant".to_owned()),
            (false, true) => Err("`tenant-claim` needs `tenants`, or it would let everyone in".to_owned()),
            _ => Ok(()),
        }
    }
}

fn check_tenant(event: &Event) -> Result<(), Denial> {
    let tenants = settings::list("tenants", "");
    let tenant = event.claim(&settings::text("tenant-claim", "")).unwrap_or_default();
    if tenants.is_empty() || tenants.iter().any(|known| known == tenant) {
        return Ok(());
    }
    let reason = format!("tenant `{tenant}` of provider `{}`", event.provider());
    Err(Denial::new("Your organization has no access here").because(reason))
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn world() -> World {
        World::default()
            .setting("attributes", "email=email, custom:tenant=tid, name=displayName")
            .setting("tenant-claim", "tid")
            .setting("tenants", "fjord-42, berg-7")
    }

    fn event() -> Event {
        Event::default()
            .with_provider("Northwind")
            .with_claim("tid", "fjord-42")
            .with_claim("email", " Mira@Northwind.Example ")
    }

    #[test]
    fn claims_become_a_clean_profile() {
        let response = world().run(|| FederationMap::decide(event())).value.unwrap();
        let expected = Response::default().with_attribute("email", "mira@northwind.example");
        assert_eq!(response, expected.with_attribute("custom:tenant", "fjord-42"));
    }

    #[test]
    fn an_unknown_tenant_is_refused() {
        for event in [event().with_claim("tid", "other"), Event::default()] {
            let denial = world().run(|| FederationMap::decide(event)).value.unwrap_err();
            assert_eq!(denial.message, "Your organization has no access here");
        }
    }

    #[test]
    fn other_providers_are_left_alone() {
        let response =
            world().setting("providers", "Okta").run(|| FederationMap::decide(event().with_claim("tid", "other")));
        assert_eq!(response.value.unwrap(), Response::default());
    }

    #[test]
    fn half_a_rule_is_refused() {
        for (key, value) in [("tenants", "a"), ("tenant-claim", "tid"), ("attributes", "email")] {
            World::default().setting(key, value).run(FederationMap::validate).value.unwrap_err();
        }
        world().run(FederationMap::validate).value.unwrap();
    }
}
