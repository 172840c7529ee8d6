//! Records which e-mails are due, and refuses those to the domains of test accounts.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `test-domains` | e-mail domains, separated by commas | none, which the policy warns of |
//!
//! **A pool with this trigger sends no e-mail itself, and neither does the policy.** Somebody else
//! has to decrypt the code and deliver it: without that, nobody gets a code any more.

use cogwit_sdk::custom_email_sender::{CustomEmailSender, Event};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: custom_email_sender, settings);

impl CustomEmailSender for Policy {
    /// Takes note of one e-mail that is due.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along: `metadata("key")`. The
    /// fields behind them are public. `code()` is encrypted, and no policy can read it. A notice of
    /// a risky sign-in has none, and its attributes are what is known of that sign-in.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// This trigger has nothing to set, and Cognito does not wait for an answer: a refusal is
    /// recorded, and the user never sees it.
    fn decide(event: Event) -> Result<(), Denial> {
        if event.trigger_source() == "CustomEmailSender_AccountTakeOverNotification" {
            let action = event.attribute("ACCOUNT_TAKE_OVER_ACTION");
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            let action = action.unwrap_or("unknown");
            log::warn(format!("a notice of a risky sign-in is due: {action}"));
            return Ok(());
        }
        let Some(domain) = event.attribute("email").and_then(email::domain) else {
            return Err(refusal("there is no e-mail address"));
        };
        // Settings are text, from the entry of this policy in policies.toml.
        let test = settings::list("test-domains", "");
        if test.iter().any(|one| one.eq_ignore_ascii_case(domain)) {
            return Err(refusal("it is a test account"));
        }
        log::info(format!("an e-mail is due: {}", event.trigger_source()));
        Ok(())
    }
}

/// A refusal has a message for users, though this trigger shows it to nobody, and a reason for the
/// operator's reports and records.
fn refusal(reason: &str) -> Denial {
    Denial::new("No e-mail is sent").because(reason)
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves,
    /// and what is logged here as a warning is a warning about the set.
    fn validate() -> Result<(), String> {
        settings::only(&["test-domains"])?;
        let domains = settings::list("test-domains", "");
        if domains.is_empty() {
            log::warn("`test-domains` is empty, so no e-mail is refused");
        }
        email::check_domains("test-domains", &domains)
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
            .setting("test-domains", "test.example.com")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn e_mails_that_are_due_are_recorded() {
        let event = Event::default().with_trigger_source("CustomEmailSender_SignUp");
        let run = decide(event.with_attribute("email", "kaia@example.com"));
        let line = "an e-mail is due: CustomEmailSender_SignUp".to_owned();
        assert_eq!((run.value, run.logs), (Ok(()), vec![(Level::Info, line)]));
    }

    #[test]
    fn test_accounts_and_odd_addresses_are_refused() {
        for address in ["", "kaia", "kaia@Test.example.com"] {
            let run = decide(Event::default().with_attribute("email", address));
            assert!(run.value.unwrap_err().reason.is_some(), "{address}");
            assert!(run.logs.is_empty());
        }
        assert!(decide(Event::default()).value.is_err());
    }

    #[test]
    fn a_risky_sign_in_is_pointed_to() {
        let event = Event::default()
            .with_trigger_source("CustomEmailSender_AccountTakeOverNotification")
            .with_attribute("ACCOUNT_TAKE_OVER_ACTION", "BLOCK");
        let run = decide(event);
        let line = "a notice of a risky sign-in is due: BLOCK".to_owned();
        assert_eq!((run.value, run.logs), (Ok(()), vec![(Level::Warn, line)]));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate)
        };
        assert_eq!(validate("test-domains", "example.com").value, Ok(()));
        assert!(validate("test-domain", "example.com").value.is_err());
        assert!(validate("test-domains", "@example.com").value.is_err());
        assert_eq!(validate("test-domains", "").logs.len(), 1);
    }
}
