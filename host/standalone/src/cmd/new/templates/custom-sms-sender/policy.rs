//! Records which text messages are due, and refuses those to countries that are not ours.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `prefixes` | what numbers begin with, such as `+47, +46` | none: it must be set |
//!
//! Text messages to numbers that cost their sender dearly are a common fraud.
//!
//! **A pool with this trigger sends no text message itself, and neither does the policy.** Somebody
//! else has to decrypt the code and deliver it: without that, nobody gets a code any more.

use cogwit_sdk::custom_sms_sender::{CustomSmsSender, Event};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: custom_sms_sender, settings);

impl CustomSmsSender for Policy {
    /// Takes note of one text message that is due.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("phone_number")`, and what the app sent along:
    /// `metadata("key")`. The fields behind them are public. `code()` is encrypted, and no policy
    /// can read it. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// This trigger has nothing to set, and Cognito does not wait for an answer: a refusal is
    /// recorded, and the user never sees it.
    fn decide(event: Event) -> Result<(), Denial> {
        let number = event.attribute("phone_number").unwrap_or_default();
        // Settings are text, from the entry of this policy in policies.toml.
        let prefixes = settings::list("prefixes", "");
        let Some(prefix) = prefixes.iter().find(|&prefix| number.starts_with(prefix)) else {
            // A refusal has a message for users, though this trigger shows it to nobody, and a
            // reason for the operator's reports and records.
            let denial = Denial::new("No text message is sent");
            return Err(denial.because("the number is not of our countries"));
        };
        // For the operator: the report of `cogwit run` shows it, and the user never sees it.
        // Keep out what says who the user is.
        let source = event.trigger_source();
        log::info(format!("a text message to {prefix} is due: {source}"));
        Ok(())
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["prefixes"])?;
        let prefixes = settings::list("prefixes", "");
        if prefixes.is_empty() {
            return Err("`prefixes` is empty: write one, such as `+47`".into());
        }
        match prefixes.iter().find(|prefix| !is_prefix(prefix)) {
            Some(odd) => Err(format!("`prefixes` holds `{odd}`: write one such as `+47`")),
            None => Ok(()),
        }
    }
}

/// Whether numbers, which Cognito keeps as `+` and digits, can begin with it.
fn is_prefix(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event) -> Run<Result<(), Denial>> {
        let world = World::default().setting("prefixes", "+47, +1202");
        world.run(|| Policy::decide(event))
    }

    #[test]
    fn messages_that_are_due_are_recorded() {
        let event = Event::default().with_trigger_source("CustomSMSSender_SignUp");
        let run = decide(event.with_attribute("phone_number", "+12025550193"));
        assert_eq!(run.value, Ok(()));
        let line = "a text message to +1202 is due: CustomSMSSender_SignUp";
        assert!(run.logs.iter().map(|(_, text)| text).eq([line]));
    }

    #[test]
    fn other_countries_are_refused() {
        for number in ["", "+1", "+12035550193", "4790000000", "+882100000"] {
            let run = decide(Event::default().with_attribute("phone_number", number));
            assert!(run.value.unwrap_err().reason.is_some(), "{number}");
            assert!(run.logs.is_empty());
        }
        assert!(decide(Event::default()).value.is_err());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting("prefixes", "+47");
            world.setting(key, value).run(Policy::validate).value
        };
        assert_eq!(validate("prefixes", "+47, +1202"), Ok(()));
        for (key, value) in [
            ("prefix", "+47"),
            ("prefixes", ","),
            ("prefixes", "47"),
            ("prefixes", "+"),
            ("prefixes", "+47 +46"),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
