//! Refuses sign-ins of users whose tenant is suspended, once they have proved who they are.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `suspended` | tenants, separated by commas | none, which the policy warns of |
//! | `attribute` | the attribute that names a user's tenant | `custom:tenant` |
//!
//! Before the password is checked, the trigger pre authentication could refuse them too, and would
//! tell strangers which tenant a user is of. Here only the users themselves learn of it.

use cogwit_sdk::post_authentication::{Event, PostAuthentication};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: post_authentication, settings);

impl PostAuthentication for Policy {
    /// Decides one sign-in, after Cognito checked it and before it makes tokens.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along with its answer to a
    /// challenge: `metadata("key")`. The fields behind them are public, and so is
    /// `new_device_used`, which means something only where the pool remembers devices.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// This trigger has nothing to set. A refusal fails the sign-in, and no tokens are made.
    fn decide(event: Event) -> Result<(), Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let suspended = settings::list("suspended", "");
        let attribute = settings::text("attribute", "custom:tenant");
        let Some(tenant) = event.attribute(&attribute) else {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::info("the user has no tenant");
            return Ok(());
        };
        if !suspended.iter().any(|one| one == tenant) {
            return Ok(());
        }
        // A refusal has two texts. The message is what the user reads: one sentence, without a full
        // stop, since Cognito adds one. The reason is for the operator's reports and records.
        Err(Denial::new("Your organization is suspended").because("the tenant is suspended"))
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves,
    /// and what is logged here as a warning is a warning about the set.
    fn validate() -> Result<(), String> {
        settings::only(&["suspended", "attribute"])?;
        if settings::list("suspended", "").is_empty() {
            log::warn("`suspended` is empty, so every tenant may sign in");
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
    fn decide(event: Event) -> Run<Result<(), Denial>> {
        World::default()
            .setting("suspended", "berg-7, fjord-42")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn suspended_tenants_are_refused() {
        let run = decide(Event::default().with_attribute("custom:tenant", "fjord-42"));
        let denial = run.value.unwrap_err();
        assert_eq!(denial.message, "Your organization is suspended");
        assert!(denial.reason.is_some());
    }

    #[test]
    fn others_may_sign_in() {
        for tenant in ["fjord-4", "fjord-421", ""] {
            let run = decide(Event::default().with_attribute("custom:tenant", tenant));
            assert_eq!(run.value, Ok(()), "{tenant}");
        }
        let run = decide(Event::default());
        assert_eq!((run.value, run.logs.len()), (Ok(()), 1));
    }

    #[test]
    fn the_attribute_is_a_setting() {
        let event = Event::default().with_attribute("custom:shop", "12");
        let world = World::default().setting("suspended", "12");
        let run = world.setting("attribute", "custom:shop");
        assert!(run.run(|| Policy::decide(event)).value.is_err());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate)
        };
        assert_eq!(validate("suspended", "a,b").value, Ok(()));
        assert!(validate("suspend", "a").value.is_err());
        assert!(validate("attribute", "").value.is_err());
        assert_eq!(validate("suspended", "").logs.len(), 1);
    }
}
