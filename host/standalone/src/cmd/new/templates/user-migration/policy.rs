//! Brings in the users of another directory as they reset their passwords.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `users` | who may come, such as `kaia=kaia@example.com, …` | none, which the policy warns of |
//!
//! The policy knows no passwords, so a sign-in fails as for any user who does not exist; the app
//! then offers to reset the password. Cognito mails a code to the address of the list, and creates
//! the user. Give a list that nobody shall read as `{ env = "COGWIT_SECRET_USERS" }`.

use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::user_migration::{Event, MessageAction, Response, UserMigration};
use cogwit_sdk::{Denial, email, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: user_migration, settings);

impl UserMigration for Policy {
    /// Vouches for one user whom the pool does not know, or does not.
    ///
    /// The event has `user_name()`, which is what the user typed, `client_id()` and
    /// `trigger_source()`, and what the app sent along: `validation("key")` at a sign-in, or
    /// `metadata("key")`. `password()` is what the user typed: keep it out of every log. The fields
    /// behind them are public. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// A response with attributes has Cognito create the user: with the password that was typed
    /// where `final_user_status` says `Confirmed`, else a new one is asked for. Without attributes
    /// nobody is created, and a refusal ends alike: Cognito replaces its message by its own.
    fn decide(event: Event) -> Result<Response, Denial> {
        if event.trigger_source() != "UserMigration_ForgotPassword" {
            // Vouches for nobody, and leaves the response as Cognito sent it.
            return Ok(Response::default());
        }
        // Settings are text, from the entry of this policy in policies.toml.
        let users = settings::list("users", "");
        let mut users = users.iter().filter_map(|entry| entry.split_once('='));
        let Some((_, address)) = users.find(|(name, _)| name.trim() == event.user_name()) else {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::info("nobody of that name is in the list");
            return Ok(Response::default());
        };
        // The code that resets the password goes to verified addresses only: the list vouches for
        // them.
        let response = Response::default()
            .with_attribute("email", address.trim())
            .with_attribute("email_verified", "true");
        // Without it Cognito would welcome the user with a message of its own.
        Ok(Response {
            message_action: Some(MessageAction::Suppress),
            ..response
        })
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves,
    /// and what is logged here as a warning is a warning about the set.
    fn validate() -> Result<(), String> {
        settings::only(&["users"])?;
        let users = settings::list("users", "");
        if users.is_empty() {
            log::warn("`users` is empty, so nobody is brought in");
        }
        match users.iter().position(|entry| !is_user(entry)) {
            // The entry itself may be secret.
            Some(place) => Err(format!(
                "entry {} of `users` is no user: write one such as `kaia=kaia@example.com`",
                place + 1
            )),
            None => Ok(()),
        }
    }
}

fn is_user(entry: &str) -> bool {
    entry.split_once('=').is_some_and(|(name, address)| {
        !name.trim().is_empty() && email::domain(address.trim()).is_some()
    })
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(source: &str, name: &str) -> Run<Result<Response, Denial>> {
        let event = Event::default()
            .with_trigger_source(source)
            .with_user_name(name);
        World::default()
            .setting("users", "kaia=kaia@example.com, ola = ola@example.org")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn users_of_the_list_are_brought_in() {
        let response = decide("UserMigration_ForgotPassword", "ola").value.unwrap();
        assert_eq!(response.message_action, Some(MessageAction::Suppress));
        let expected = [("email", "ola@example.org"), ("email_verified", "true")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(response.user_attributes.unwrap(), expected);
    }

    #[test]
    fn nobody_else_is() {
        for name in ["", "Ola", "ola@example.org", "kai"] {
            let run = decide("UserMigration_ForgotPassword", name);
            assert_eq!(run.value, Ok(Response::default()), "{name}");
            assert_eq!(run.logs.len(), 1);
        }
    }

    #[test]
    fn a_sign_in_vouches_for_nobody() {
        let run = decide("UserMigration_Authentication", "kaia");
        assert_eq!(run.value, Ok(Response::default()));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate)
        };
        assert_eq!(validate("users", "a=a@example.com").value, Ok(()));
        assert!(validate("user", "a=a@example.com").value.is_err());
        for odd in ["a", "=a@example.com", "a=", "a=example.com"] {
            let refused = validate("users", &format!("b=b@example.com, {odd}")).value;
            assert!(
                refused.unwrap_err().starts_with("entry 2 of `users`"),
                "{odd}"
            );
        }
        assert_eq!(validate("users", "").logs.len(), 1);
    }
}
