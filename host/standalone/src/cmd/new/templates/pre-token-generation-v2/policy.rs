//! Gives the access tokens of one group's members a scope that others do not get.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `group` | the group | none: it must be set |
//! | `scope` | the scope that its members get | none: it must be set |
//!
//! It answers events of versions 2 and 3, which a pool sends where this is the version of its
//! trigger.

use cogwit_sdk::pre_token_generation_v2::{Event, PreTokenGenerationV2, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: pre_token_generation_v2, settings);

impl PreTokenGenerationV2 for Policy {
    /// Changes the claims and scopes of one user's tokens, before Cognito signs them: at a sign-in,
    /// and each time that tokens are refreshed. Events of version 3 also come for machines, which
    /// have neither attributes nor groups: `TokenGeneration_ClientCredentials`.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, the user's `groups()`, the `scopes` so far, and what
    /// the app sent along with its answer to a challenge: `metadata("key")`. The fields behind them
    /// are public. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// `with_id_claim` and `with_access_claim` set claims: texts, numbers, lists or JSON.
    /// `without_id_claim` takes a claim out, `with_scope` and `without_scope` change the scopes,
    /// and `group_override_details` replaces the groups of both tokens. Cognito never changes
    /// claims such as `sub`, `iss` or most that begin with `cognito:`. A refusal makes no tokens at
    /// all.
    fn decide(event: Event) -> Result<Response, Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let (group, scope) = (settings::text("group", ""), settings::text("scope", ""));
        if !event.groups().contains(&group) || event.scopes.contains(&scope) {
            // Changes nothing, and leaves the response as Cognito sent it.
            return Ok(Response::default());
        }
        // For the operator: the report of `cogwit run` shows it, and the user never sees it.
        // Keep out what says who the user is.
        log::info(format!("a member of {group} gets {scope}"));
        Ok(Response::default().with_scope(&scope))
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["group", "scope"])?;
        if settings::text("group", "").is_empty() {
            return Err("`group` is empty: write the name of a group".into());
        }
        match settings::text("scope", "") {
            scope if scope.is_empty() || scope.contains(char::is_whitespace) => Err(format!(
                "`scope` is `{scope}`: write one scope, such as `orders/read`"
            )),
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
        World::default()
            .setting("group", "clerks")
            .setting("scope", "orders/read")
            .run(|| Policy::decide(event))
    }

    #[test]
    fn members_get_the_scope() {
        let run = decide(Event::default().with_group("all").with_group("clerks"));
        assert_eq!(run.value, Ok(Response::default().with_scope("orders/read")));
        assert_eq!(run.logs.len(), 1);
    }

    #[test]
    fn others_do_not() {
        for group in ["", "clerk", "Clerks"] {
            let run = decide(Event::default().with_group(group));
            assert_eq!(run.value, Ok(Response::default()), "{group}");
        }
        assert_eq!(decide(Event::default()).value, Ok(Response::default()));
    }

    #[test]
    fn who_has_the_scope_needs_no_other() {
        let event = Event {
            scopes: vec!["orders/read".to_owned()],
            ..Event::default().with_group("clerks")
        };
        assert_eq!(decide(event).value, Ok(Response::default()));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting("group", "clerks");
            let world = world.setting("scope", "orders/read");
            world.setting(key, value).run(Policy::validate).value
        };
        assert_eq!(validate("group", "clerks"), Ok(()));
        for (key, value) in [
            ("groups", "clerks"),
            ("group", ""),
            ("scope", ""),
            ("scope", "orders/read orders/write"),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
