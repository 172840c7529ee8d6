//! Refuses sign-ins from the app clients that are retired.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `retired-clients` | ids of app clients, separated by commas | none, which the policy warns of |

use cogwit_sdk::pre_authentication::{Event, PreAuthentication};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: pre_authentication, settings);

impl PreAuthentication for Policy {
    /// Decides one sign-in, before Cognito checks the password.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along: `validation("key")`. The
    /// fields behind them are public. Where `user_not_found` is `Some(true)` there is no such user,
    /// and the answer must not show it. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    fn decide(event: Event) -> Result<(), Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let retired = settings::list("retired-clients", "");
        let Some(client) = event
            .client_id()
            .filter(|id| retired.iter().any(|one| one == id))
        else {
            // Allows the sign-in. This trigger has nothing to set.
            return Ok(());
        };
        // For the operator: the report of `cogwit run` shows it, and the user never sees it.
        // Keep out what says who the user is.
        log::info("someone still uses a retired app client");
        // A refusal has two texts. The message is what the user reads: one sentence, without a full
        // stop, since Cognito adds one. The reason is for the operator's reports and records.
        let denial = Denial::new("This version of the app is retired, please update it");
        Err(denial.because(format!("app client {client} is retired")))
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves, and
    /// what is logged here as a warning is a warning about the set.
    fn validate() -> Result<(), String> {
        settings::only(&["retired-clients"])?;
        let retired = settings::list("retired-clients", "");
        if retired.is_empty() {
            log::warn("`retired-clients` is empty, so every app client may sign in");
        }
        match retired.iter().find(|id| id.contains(char::is_whitespace)) {
            Some(odd) => Err(format!(
                "`retired-clients` holds `{odd}`: write commas between ids"
            )),
            None => Ok(()),
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
            .setting("retired-clients", "app-of-2019, app-of-2021")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn retired_clients_are_refused() {
        let run = decide(Event::default().with_client_id("app-of-2021"));
        let denial = run.value.unwrap_err();
        assert_eq!(denial.reason.unwrap(), "app client app-of-2021 is retired");
        assert_eq!(run.logs.len(), 1);
    }

    #[test]
    fn others_may_sign_in() {
        for client in ["app-of-2026", "app-of-202", ""] {
            assert_eq!(
                decide(Event::default().with_client_id(client)).value,
                Ok(()),
                "{client}"
            );
        }
        assert_eq!(decide(Event::default()).value, Ok(()));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate)
        };
        assert_eq!(validate("retired-clients", "a,b").value, Ok(()));
        assert!(validate("retired-client", "a").value.is_err());
        assert!(validate("retired-clients", "a b").value.is_err());
        assert_eq!(validate("retired-clients", "").logs.len(), 1);
    }
}
