//! Refuses sign-ups whose user name is shorter than the setting `minimum-length`.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `minimum-length` | the shortest name that is allowed, 1 to 128 | 5 |
//!
//! Length counts Unicode scalar values, as Python's `len` does. JavaScript's `length` counts UTF-16 units: there a name of
//! three emoji has length 6, here 3. An absent name counts as empty.

use cogwit_sdk::pre_sign_up::{Event, PreSignUp, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct DenyShortUsername;
export!(DenyShortUsername: pre_sign_up, settings);

/// The shortest name that is allowed. Cognito itself takes 1 to 128 characters.
fn minimum() -> Result<usize, String> {
    match settings::parsed("minimum-length", 5)? {
        minimum @ 1..=128 => Ok(minimum),
        other => Err(format!("`minimum-length` is `{other}`: write a number from 1 to 128")),
    }
}

impl PreSignUp for DenyShortUsername {
    #[expect(clippy::panic, reason = "settings that were not validated are a fault, not a denial")]
    fn decide(event: Event) -> Result<Response, Denial> {
        let minimum = minimum().unwrap_or_else(|error| panic!("{error}"));
        if event.user_name().chars().count() < minimum {
            return Err(Denial::new(format!(
                "Cannot register users with username less than the minimum length of {minimum}"
            )));
        }
        Ok(Response::default())
    }
}

impl Settings for DenyShortUsername {
    fn validate() -> Result<(), String> {
        settings::only(&["minimum-length"])?;
        minimum().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn decide(world: World, name: &str) -> Result<Response, String> {
        let event = Event::default().with_user_name(name);
        world.run(|| DenyShortUsername::decide(event)).value.map_err(|denial| denial.message)
    }

    #[test]
    fn counts_unicode_scalar_values() {
        assert!(decide(World::default(), "rroe").is_err());
        assert_eq!(decide(World::default(), "rroe2"), Ok(Response::default()));
        assert_eq!(decide(World::default(), "日本語日本"), Ok(Response::default()));
        assert!(decide(World::default(), "😀😀😀").is_err());
    }

    #[test]
    fn an_absent_name_counts_as_empty() {
        assert!(World::default().run(|| DenyShortUsername::decide(Event::default())).value.is_err());
    }

    #[test]
    fn the_message_names_the_minimum_in_force() {
        assert_eq!(
            decide(World::default().setting("minimum-length", "8"), "rroe2"),
            Err("Cannot register users with username less than the minimum length of 8".to_owned())
        );
    }

    #[test]
    fn settings_are_checked() {
        for wrong in ["five", "", "0", "129", "-1"] {
            let run = World::default().setting("minimum-length", wrong).run(DenyShortUsername::validate);
            assert!(run.value.unwrap_err().contains("minimum-length"), "{wrong}");
        }
        assert_eq!(World::default().run(DenyShortUsername::validate).value, Ok(()));
    }
}
