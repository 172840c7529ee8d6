//! Puts the user's tenant into the ID token as a claim of its own.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `attribute` | where the tenant is; no app client may write it | `custom:tenant` |
//! | `claim` | the claim that gets it | `tenant` |
//!
//! It answers events of version 1, which a pool sends where this is the version of its trigger.
//! They change the ID token only; the trigger pre token generation v2 changes the access token too.

use cogwit_sdk::pre_token_generation::{Event, PreTokenGeneration, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: pre_token_generation, settings);

impl PreTokenGeneration for Policy {
    /// Changes the claims of one user's tokens, before Cognito signs them: at a sign-in, and each
    /// time that tokens are refreshed.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, the user's `groups()`, and what the app sent along
    /// with its answer to a challenge: `metadata("key")`. The fields behind them are public.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// `with_claim` sets a claim of the ID token, `without_claim` takes one out, and
    /// `group_override_details` replaces the groups of both tokens. Cognito never changes claims
    /// such as `sub`, `iss` or most that begin with `cognito:`. A refusal makes no tokens at all.
    fn decide(event: Event) -> Result<Response, Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let attribute = settings::text("attribute", "custom:tenant");
        let Some(tenant) = event.attribute(&attribute) else {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::info("the user has no tenant");
            // Changes nothing, and leaves the response as Cognito sent it.
            return Ok(Response::default());
        };
        Ok(Response::default().with_claim(&claim(), tenant))
    }
}

fn claim() -> String {
    settings::text("claim", "tenant")
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["attribute", "claim"])?;
        let claim = claim();
        if claim.is_empty() || claim.starts_with("cognito:") || claim == "sub" {
            return Err(format!(
                "`claim` is `{claim}`: write one that is not Cognito's, such as `tenant`"
            ));
        }
        match settings::text("attribute", "custom:tenant").as_str() {
            "" => Err("`attribute` is empty: write one, such as `custom:tenant`".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event) -> Run<Result<Response, Denial>> {
        let world = World::default().setting("claim", "shop");
        world.run(|| Policy::decide(event))
    }

    #[test]
    fn the_tenant_becomes_a_claim() {
        let run = decide(Event::default().with_attribute("custom:tenant", "fjord-42"));
        let expected = Response::default().with_claim("shop", "fjord-42");
        assert_eq!(run.value, Ok(expected));
    }

    #[test]
    fn who_has_no_tenant_gets_no_claim() {
        let run = decide(Event::default().with_attribute("tenant", "fjord-42"));
        assert_eq!(run.value, Ok(Response::default()));
        assert_eq!(run.logs.len(), 1);
    }

    #[test]
    fn the_attribute_is_a_setting() {
        let event = Event::default().with_attribute("locale", "nb-NO");
        let world = World::default().setting("attribute", "locale");
        let expected = Response::default().with_claim("tenant", "nb-NO");
        assert_eq!(world.run(|| Policy::decide(event)).value, Ok(expected));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate).value
        };
        assert_eq!(validate("claim", "shop"), Ok(()));
        for (key, value) in [
            ("claims", "shop"),
            ("claim", ""),
            ("claim", "cognito:username"),
            ("attribute", ""),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
