//! Asks for three digits of the user's customer number, at places that change each time.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `attribute` | where the number is; hide it from app clients | `custom:customer` |
//! | `length` | how many digits a number has | 8 |
//!
//! It needs `capabilities = ["random"]` in policies.toml. The trigger define auth challenge chooses
//! when to ask: after the password, and a few times at most. Verify auth challenge response judges
//! the answer.

use cogwit_sdk::create_auth_challenge::{CreateAuthChallenge, Event, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log, random};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: create_auth_challenge, settings);

/// How many digits are asked for.
const ASKED: usize = 3;

impl CreateAuthChallenge for Policy {
    /// Makes one challenge, after define auth challenge chose `CUSTOM_CHALLENGE`.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("email")`, and what the app sent along with its last answer:
    /// `metadata("key")`. The fields behind them are public. `session` lists the challenges so far,
    /// the oldest first. Where `is_nobody()` there is no such user, and the answer must not show
    /// it. `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// The app gets the public parameters, and only verify auth challenge response gets the private
    /// ones. `challenge_metadata` stands in the `session` of later calls. A refusal ends the
    /// sign-in with a message.
    fn decide(event: Event) -> Result<Response, Denial> {
        // Settings are text, from the entry of this policy in policies.toml.
        let attribute = settings::text("attribute", "custom:customer");
        let number = event.attribute(&attribute).unwrap_or_default();
        let places = places();
        let digits: Option<String> = places
            .iter()
            .map(|place| number.chars().nth(place - 1))
            .collect();
        if digits.is_none() {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::warn("the user has no number of that length");
        }
        let asked: Vec<_> = places.iter().map(usize::to_string).collect();
        // Without a number no answer is right, and who asks cannot tell.
        let response = Response::default()
            .with_public("places", asked.join(","))
            .with_private("digits", digits.unwrap_or_default());
        Ok(Response {
            challenge_metadata: Some("CUSTOMER_NUMBER".to_owned()),
            ..response
        })
    }
}

/// Different places in a number, from 1, in order. The random numbers are fit for secrets.
fn places() -> Vec<usize> {
    let mut left: Vec<usize> = (1..=length().unwrap_or(8)).collect();
    let chosen = random::bytes::<ASKED>();
    let mut places: Vec<_> = chosen
        .iter()
        .map(|&byte| left.remove(usize::from(byte) % left.len()))
        .collect();
    places.sort_unstable();
    places
}

fn length() -> Result<usize, String> {
    match settings::parsed("length", 8)? {
        length @ 4..=20 => Ok(length),
        other => Err(format!("`length` is `{other}`: write 4 to 20")),
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["attribute", "length"])?;
        length()?;
        match settings::text("attribute", "custom:customer").as_str() {
            "" => Err("`attribute` is empty: write one, such as `custom:customer`".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event, random: &[u8]) -> Run<Result<Response, Denial>> {
        let world = World::default().random(random);
        world.run(|| Policy::decide(event))
    }

    /// The parameters that are asked for and kept.
    fn parameters(run: Run<Result<Response, Denial>>) -> (String, String) {
        let response = run.value.unwrap();
        let value = |parameters: Option<Vec<(String, String)>>| parameters.unwrap().remove(0).1;
        (
            value(response.public_challenge_parameters),
            value(response.private_challenge_parameters),
        )
    }

    #[test]
    fn digits_are_asked_for() {
        for (random, places, digits) in [
            ([0, 0, 0], "1,2,3", "407"),
            ([7, 0, 13], "1,3,8", "476"),
            ([255, 255, 255], "4,5,8", "186"),
        ] {
            let event = Event::default().with_attribute("custom:customer", "40718226");
            let asked = parameters(decide(event, &random));
            assert_eq!(asked, (places.to_owned(), digits.to_owned()));
        }
    }

    #[test]
    fn every_place_is_asked_for_once() {
        for byte in 0..=u8::MAX {
            let mut places = World::default().random(&[byte]).run(places).value;
            places.dedup();
            assert_eq!(places.len(), ASKED, "{byte}");
            assert!(places.iter().all(|place| (1..=8).contains(place)));
        }
    }

    #[test]
    fn without_a_number_no_answer_is_right() {
        for number in ["", "407"] {
            let event = Event::default().with_attribute("custom:customer", number);
            let run = decide(event, &[7]);
            assert_eq!(run.logs.len(), 1);
            assert_eq!(parameters(run), ("1,3,8".to_owned(), String::new()));
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting(key, value);
            world.run(Policy::validate).value
        };
        assert_eq!(validate("length", "12"), Ok(()));
        for (key, value) in [
            ("lenght", "8"),
            ("length", "3"),
            ("length", "eight"),
            ("attribute", ""),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
