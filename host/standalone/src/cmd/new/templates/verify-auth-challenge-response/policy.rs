//! Holds the answer to a challenge against what create auth challenge kept for it.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `parameter` | the private parameter that holds the right answer | `digits` |
//!
//! Blanks and `-` in an answer do not count. How often somebody may answer, define auth challenge
//! says.

use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::verify_auth_challenge_response::{Event, Response, VerifyAuthChallengeResponse};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: verify_auth_challenge_response, settings);

impl VerifyAuthChallengeResponse for Policy {
    /// Judges the answer to one challenge.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, the `answer()`, what create auth challenge kept:
    /// `private_parameter("name")`, and what the app sent along: `metadata("key")`. The fields
    /// behind them are public. Where `is_nobody()` there is no such user, and the answer must not
    /// show it. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// Right or wrong, define auth challenge is called next, and chooses what becomes of it. A
    /// refusal ends the sign-in with a message.
    fn decide(event: Event) -> Result<Response, Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let parameter = settings::text("parameter", "digits");
        let expected = event.private_parameter(&parameter).unwrap_or_default();
        if expected.is_empty() {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is, and what the answer is.
            log::info("there is no right answer");
        }
        // Without a right answer every answer is wrong: also the empty one.
        let right = !expected.is_empty() && plain(event.answer()) == plain(expected);
        // Whoever does not exist is never right.
        Ok(Response::of(right && !event.is_nobody()))
    }
}

/// A text without what people write to keep digits apart.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect()
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["parameter"])?;
        match settings::text("parameter", "digits").as_str() {
            "" => Err("`parameter` is empty: write one, such as `digits`".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn is_right(event: Event) -> bool {
        let run = World::default().run(|| Policy::decide(event));
        run.value.unwrap().answer_correct.unwrap()
    }

    fn asked(expected: &str, answer: &str) -> Event {
        let event = Event::default().with_private_parameter("digits", expected);
        event.with_answer(answer)
    }

    #[test]
    fn the_answer_is_what_was_kept() {
        for answer in ["407", "4 0 7", "4-0-7\n"] {
            assert!(is_right(asked("407", answer)), "{answer}");
        }
        for answer in ["", "40", "4077", "704"] {
            assert!(!is_right(asked("407", answer)), "{answer}");
        }
    }

    #[test]
    fn without_a_right_answer_every_answer_is_wrong() {
        assert!(!is_right(asked("", "")) && !is_right(Event::default()));
        assert!(!is_right(Event::default().with_answer("407")));
    }

    #[test]
    fn nobody_is_never_right() {
        let event = Event {
            user_not_found: Some(true),
            ..asked("407", "407")
        };
        assert!(!is_right(event));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate).value
        };
        assert_eq!(validate("parameter", "pin"), Ok(()));
        assert!(validate("parameters", "pin").is_err());
        assert!(validate("parameter", "").is_err());
    }
}
