//! Lets in users of known e-mail domains from an identity provider, and keeps only what is named.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `domains` | the e-mail domains that may come in, separated by commas | none: it must be set |
//! | `attributes` | the claims to keep beside `email` | `given_name, family_name` |
//!
//! Name every attribute that the pool requires.

use cogwit_sdk::inbound_federation::{Event, InboundFederation, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: inbound_federation, settings);

impl InboundFederation for Policy {
    /// Maps what an identity provider says of one user, at every federated sign-in, before Cognito
    /// creates or updates the profile.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the `provider()` by its
    /// name in the pool, its `provider_type()`, such as `OIDC` or `SAML`, and what it says:
    /// `claim("email")` looks in the ID token, then in the userinfo, then in the SAML assertion.
    /// The fields behind them are public; the tokens among them are secret.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// The attributes of the response are the whole profile: Cognito drops those that are left out.
    /// `Response::default()` leaves it to the pool's own mapping. A refusal fails the sign-in.
    fn decide(event: Event) -> Result<Response, Denial> {
        let address = event.claim("email").unwrap_or_default().to_lowercase();
        let Some(domain) = email::domain(&address) else {
            return Err(refusal("there is no e-mail address"));
        };
        if event.claim("email_verified") == Some("false") {
            return Err(refusal("the e-mail address is not verified"));
        }
        // Settings are text, from the entry of this policy in policies.toml.
        let domains = settings::list("domains", "");
        if !domains.iter().any(|one| one.eq_ignore_ascii_case(domain)) {
            return Err(refusal(&format!("{domain} is not known")));
        }
        let mut response = Response::default().with_attribute("email", address.as_str());
        for name in settings::list("attributes", "given_name, family_name") {
            match event.claim(&name) {
                Some(value) => response = response.with_attribute(&name, value),
                // For the operator: the report of `cogwit run` shows it, and the user never sees
                // it. Keep out what says who the user is.
                None => log::info(format!("the provider does not say `{name}`")),
            }
        }
        Ok(response)
    }
}

/// A refusal has two texts. The message is what the user reads: one sentence, without a full stop,
/// since Cognito adds one. The reason is for the operator, and only the reports and records have
/// it.
fn refusal(reason: &str) -> Denial {
    Denial::new("Your organization has no access").because(reason)
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["domains", "attributes"])?;
        let domains = settings::list("domains", "");
        if domains.is_empty() {
            return Err("`domains` is empty: write one, such as `example.com`".into());
        }
        email::check_domains("domains", &domains)
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event) -> Run<Result<Response, Denial>> {
        World::default()
            .setting("domains", "example.com")
            .setting("attributes", "name, locale")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn only_what_is_named_is_kept() {
        let event = Event::default()
            .with_claim("email", "Kaia@Example.com")
            .with_claim("name", "Kaia")
            .with_claim("picture", "https://example.com/kaia.png");
        let run = decide(event);
        let expected = Response::default()
            .with_attribute("email", "kaia@example.com")
            .with_attribute("name", "Kaia");
        assert_eq!((run.value, run.logs.len()), (Ok(expected), 1));
    }

    #[test]
    fn others_are_refused() {
        for address in ["", "kaia", "kaia@elsewhere.example"] {
            let run = decide(Event::default().with_claim("email", address));
            let denial = run.value.unwrap_err();
            assert_eq!(
                denial.message, "Your organization has no access",
                "{address}"
            );
            assert!(denial.reason.is_some());
        }
        assert!(decide(Event::default()).value.is_err());
    }

    #[test]
    fn an_address_that_is_not_verified_says_nothing() {
        let event = Event::default().with_claim("email", "kaia@example.com");
        for (verified, let_in) in [("true", true), ("false", false)] {
            let event = event.clone().with_claim("email_verified", verified);
            assert_eq!(decide(event).value.is_ok(), let_in, "{verified}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting("domains", "example.com");
            world.setting(key, value).run(Policy::validate).value
        };
        assert_eq!(validate("attributes", "name"), Ok(()));
        for (key, value) in [
            ("domain", "example.com"),
            ("domains", ","),
            ("domains", "*.example.com"),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
