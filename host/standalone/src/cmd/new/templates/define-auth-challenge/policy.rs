//! Asks for the password and then for a challenge of our own, which may be tried a few times.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `attempts` | how many answers to the challenge may be wrong before the sign-in ends | 3 |
//!
//! The triggers create auth challenge and verify auth challenge response make the challenge and
//! judge its answers; this one chooses the steps.

use cogwit_sdk::define_auth_challenge::{DefineAuthChallenge, Event, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Challenge, Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: define_auth_challenge, settings);

/// The name of every challenge of our own.
const OURS: &str = "CUSTOM_CHALLENGE";

/// The challenge by which Cognito checks the password.
const PASSWORD: &str = "PASSWORD_VERIFIER";

impl DefineAuthChallenge for Policy {
    /// Chooses the next step of one custom sign-in: when it begins, and after each answer.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along with an answer:
    /// `metadata("key")`. The fields behind them are public. `session` lists the challenges so far,
    /// the oldest first; it is empty, or has only `SRP_A`, when the sign-in begins. Where
    /// `is_nobody()` there is no such user, and the answer must not show it.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// `Response::challenge()` has create auth challenge called, `Response::tokens()` signs the
    /// user in, and `Response::end()` ends the sign-in. What Cognito asks for by itself, such as a
    /// code by SMS, it puts between the steps: never choose that. A refusal ends the sign-in with a
    /// message.
    fn decide(event: Event) -> Result<Response, Denial> {
        // Look at a challenge's name as well as at its result: challenges of every kind have one.
        let is_ours = |step: &&Challenge| step.challenge_name == OURS;
        let (ours, others): (Vec<_>, Vec<_>) = event.session.iter().partition(is_ours);
        if others.iter().any(|step| !is_right(step)) {
            return Ok(Response::end());
        }
        if !others.iter().any(|step| step.challenge_name == PASSWORD) {
            return Ok(first(event.session.last()));
        }
        // Whoever does not exist walks the same steps as everybody, and is never signed in.
        if ours.last().is_some_and(|last| is_right(last)) && !event.is_nobody() {
            return Ok(Response::tokens());
        }
        Ok(match ours.len() < attempts() {
            true => Response::challenge(),
            false => Response::end(),
        })
    }
}

fn is_right(step: &Challenge) -> bool {
    step.challenge_result == Some(true)
}

/// Has Cognito check the password, where the app began with it.
fn first(last: Option<&Challenge>) -> Response {
    if last.is_none_or(|last| last.challenge_name != "SRP_A") {
        // For the operator: the report of `cogwit run` shows it, and the user never sees it.
        // Keep out what says who the user is.
        log::info("the app began without a password");
        return Response::end();
    }
    Response {
        challenge_name: Some(PASSWORD.to_owned()),
        ..Response::challenge()
    }
}

/// Settings are text, from the entry of this policy in policies.toml. `validate` refuses what is no
/// number.
fn attempts() -> usize {
    settings::parsed("attempts", 3).unwrap_or(1)
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["attempts"])?;
        match settings::parsed("attempts", 3)? {
            1..=10 => Ok(()),
            other => Err(format!("`attempts` is `{other}`: write 1 to 10")),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(steps: &[(&str, bool)], nobody: bool) -> Response {
        let step = |&(name, result): &(&str, bool)| Challenge {
            challenge_name: name.to_owned(),
            challenge_result: Some(result),
            challenge_metadata: None,
        };
        let event = Event {
            session: steps.iter().map(step).collect(),
            user_not_found: nobody.then_some(true),
            ..Event::default()
        };
        let world = World::default().setting("attempts", "2");
        world.run(|| Policy::decide(event)).value.unwrap()
    }

    const BEGUN: (&str, bool) = ("SRP_A", true);
    const KNOWN: (&str, bool) = (PASSWORD, true);
    const RIGHT: (&str, bool) = (OURS, true);
    const WRONG: (&str, bool) = (OURS, false);

    #[test]
    fn the_password_comes_first() {
        let first = decide(&[BEGUN], false);
        assert_eq!(first.challenge_name.as_deref(), Some(PASSWORD));
        assert_eq!(first.issue_tokens, Some(false));
        assert_eq!(decide(&[BEGUN, KNOWN], false), Response::challenge());
        let with_code = [BEGUN, KNOWN, ("SMS_MFA", true)];
        assert_eq!(decide(&with_code, false), Response::challenge());
        for steps in [
            &[][..],
            &[RIGHT],
            &[BEGUN, RIGHT],
            &[BEGUN, (PASSWORD, false)],
            &[BEGUN, KNOWN, ("SMS_MFA", false), RIGHT],
        ] {
            assert_eq!(decide(steps, false), Response::end(), "{steps:?}");
        }
    }

    #[test]
    fn a_right_answer_signs_in_and_wrong_ones_are_counted() {
        for (answers, next) in [
            (&[RIGHT][..], Response::tokens()),
            (&[WRONG], Response::challenge()),
            (&[WRONG, RIGHT], Response::tokens()),
            (&[WRONG, WRONG], Response::end()),
        ] {
            let steps = [&[BEGUN, KNOWN], answers].concat();
            assert_eq!(decide(&steps, false), next, "{answers:?}");
        }
    }

    #[test]
    fn nobody_walks_the_same_steps_and_is_never_signed_in() {
        for answers in [&[][..], &[WRONG], &[WRONG, WRONG]] {
            let steps = [&[BEGUN, KNOWN], answers].concat();
            assert_eq!(decide(&steps, true), decide(&steps, false), "{answers:?}");
        }
        assert_eq!(decide(&[BEGUN, KNOWN, RIGHT], true), Response::challenge());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate).value
        };
        assert_eq!(validate("attempts", "10"), Ok(()));
        for (key, value) in [("attempt", "3"), ("attempts", "0"), ("attempts", "many")] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
