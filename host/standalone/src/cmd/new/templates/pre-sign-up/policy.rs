//! Confirms a sign-up with an e-mail of our own domains, and refuses every other one.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `domains` | the e-mail domains that may sign up, separated by commas | none: it must be set |
//!
//! Whom an administrator creates, the policy lets pass.

use cogwit_sdk::pre_sign_up::{Event, PreSignUp, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: pre_sign_up, settings);

impl PreSignUp for Policy {
    /// Decides one sign-up, before Cognito creates the user.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, and what came along with
    /// the request: `attribute("email")`, `validation("key")`, `metadata("key")`. The fields behind
    /// them are public. Whoever signs up wrote them all, and nobody has verified them yet.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    fn decide(event: Event) -> Result<Response, Denial> {
        if event.trigger_source() == "PreSignUp_AdminCreateUser" {
            // Allows, and leaves the response as Cognito sent it.
            return Ok(Response::default());
        }
        let Some(domain) = event.attribute("email").and_then(email::domain) else {
            return Err(refusal("there is no e-mail address"));
        };
        // Settings are text, from the entry of this policy in policies.toml.
        let ours = settings::list("domains", "");
        if !ours.iter().any(|one| one.eq_ignore_ascii_case(domain)) {
            return Err(refusal(&format!("{domain} is not one of ours")));
        }
        // For the operator: the report of `cogwit run` shows it, and the user never sees it.
        // Keep out what says who the user is.
        log::info(format!("{domain} is one of ours"));
        // What stays `None` goes back as Cognito sent it. A confirmed user needs no code by mail, so
        // nobody has proved that the address is theirs: leave the member out to have it proved.
        Ok(Response {
            auto_confirm_user: Some(true),
            ..Response::default()
        })
    }
}

/// A refusal has two texts. The message is what the user reads: one sentence, without a full stop,
/// since Cognito adds one. The reason is for the operator, and only the reports and records have it.
fn refusal(reason: &str) -> Denial {
    Denial::new("Only staff may sign up").because(reason)
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["domains"])?;
        let domains = settings::list("domains", "");
        if domains.is_empty() {
            return Err("`domains` is empty: write one, such as `example.com`".into());
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
    fn decide(event: Event) -> Run<Result<Response, Denial>> {
        World::default()
            .setting("domains", "example.com, example.org")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn our_domains_are_confirmed() {
        for address in ["kaia@example.com", "kaia@Example.ORG"] {
            let run = decide(Event::default().with_attribute("email", address));
            assert_eq!(
                run.value.unwrap().auto_confirm_user,
                Some(true),
                "{address}"
            );
            assert_eq!(run.logs.first().unwrap().0, Level::Info);
        }
    }

    #[test]
    fn others_are_refused() {
        for address in ["", "kaia", "kaia@elsewhere.example", "kaia@not-example.com"] {
            let denial = decide(Event::default().with_attribute("email", address))
                .value
                .unwrap_err();
            assert_eq!(denial.message, "Only staff may sign up", "{address}");
            assert!(denial.reason.is_some());
        }
        assert!(decide(Event::default()).value.is_err());
    }

    #[test]
    fn an_administrator_may_create_anyone() {
        let event = Event::default().with_trigger_source("PreSignUp_AdminCreateUser");
        assert_eq!(decide(event).value, Ok(Response::default()));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting("domains", "example.com");
            world.setting(key, value).run(Policy::validate).value
        };
        assert_eq!(validate("domains", "example.com"), Ok(()));
        for (key, value) in [
            ("domain", "example.com"),
            ("domains", ","),
            ("domains", "*.example.com"),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
