//! Points the operator to new users with an e-mail of certain domains.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `domains` | the e-mail domains, separated by commas | none, which the policy warns of |
//!
//! Somebody who only has a new password is not new, and is passed over.

use cogwit_sdk::post_confirmation::{Event, PostConfirmation};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: post_confirmation, settings);

impl PostConfirmation for Policy {
    /// Takes note of one confirmation, after Cognito confirmed the user.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along: `metadata("key")`. The
    /// fields behind them are public. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// This trigger has nothing to set. A refusal is reported to the caller, but undoes nothing:
    /// the user stays confirmed. Cognito may call again for the same user, and it never calls for
    /// users whom an administrator creates.
    fn decide(event: Event) -> Result<(), Denial> {
        if event.trigger_source() == "PostConfirmation_ConfirmForgotPassword" {
            return Ok(());
        }
        // Settings are text, from the entry of this policy in policies.toml.
        let watched = settings::list("domains", "");
        let domain = event.attribute("email").and_then(email::domain);
        if let Some(domain) =
            domain.filter(|domain| watched.iter().any(|one| one.eq_ignore_ascii_case(domain)))
        {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::warn(format!("a new user of {domain}"));
        }
        Ok(())
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves,
    /// and what is logged here as a warning is a warning about the set.
    fn validate() -> Result<(), String> {
        settings::only(&["domains"])?;
        let domains = settings::list("domains", "");
        if domains.is_empty() {
            log::warn("`domains` is empty, so nobody is pointed to");
        }
        email::check_domains("domains", &domains)
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::log::Level;
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event) -> Run<Result<(), Denial>> {
        World::default()
            .setting("domains", "example.com, example.org")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn users_of_the_domains_are_pointed_to() {
        let run = decide(Event::default().with_attribute("email", "kaia@Example.ORG"));
        let line = (Level::Warn, "a new user of Example.ORG".to_owned());
        assert_eq!((run.value, run.logs), (Ok(()), vec![line]));
    }

    #[test]
    fn others_are_passed_over() {
        for address in ["", "kaia", "kaia@elsewhere.example"] {
            let run = decide(Event::default().with_attribute("email", address));
            assert!(run.value.is_ok() && run.logs.is_empty(), "{address}");
        }
        assert!(decide(Event::default()).logs.is_empty());
    }

    #[test]
    fn a_new_password_is_passed_over() {
        let event = Event::default()
            .with_trigger_source("PostConfirmation_ConfirmForgotPassword")
            .with_attribute("email", "kaia@example.com");
        assert!(decide(event).logs.is_empty());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate)
        };
        assert_eq!(validate("domains", "example.com").value, Ok(()));
        assert!(validate("domain", "example.com").value.is_err());
        assert!(validate("domains", "@example.com").value.is_err());
        assert_eq!(validate("domains", "").logs.len(), 1);
    }
}
