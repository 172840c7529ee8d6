//! Brings in the users of another directory as they sign in: whoever knows the password of which the list holds an Argon2 verifier.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `users` | the list, an entry on each line: `NAME VERIFIER ATTRIBUTE=VALUE...`; give it as `{ env = "COGWIT_SECRET_…" }` | empty |
//! | `reset` | `yes` has every user choose a new password | `no` |
//!
//! A verifier is in the PHC format, such as `$argon2id$v=19$m=7168,t=1,p=1$…`, of the same cost for all; in a value `%20` is a
//! blank and `%25` a percent sign, as in addresses of the web.
//! Argon2 is made to cost memory and time, so the policy needs more of both than others, for itself alone:
//!
//! ```toml
//! limits = { memory = "32 MiB", fuel = 500_000_000, deadline = "1 s" }
//! ```
//!
//! A name that is not in the list costs as much as a wrong password and ends alike: nobody is vouched for, and Cognito tells of a
//! user who does not exist. A forgotten password is answered for users with a verified e-mail.

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::user_migration::{Event, FinalUserStatus, MessageAction, Response, UserMigration};
use cogwit_sdk::{Denial, export, log};
use percent_encoding::percent_decode_str;

/// The policy.
pub struct ImportUsers;
export!(ImportUsers: user_migration, settings);

/// The most memory of a verifier, in KiB, and its most passes: beyond, no limit would be enough.
const MOST_MEMORY: u32 = 65_536;
const MOST_PASSES: u32 = 10;

impl UserMigration for ImportUsers {
    fn decide(event: Event) -> Result<Response, Denial> {
        let users = settings::text("users", "");
        let entries: Vec<_> = entries(&users).filter_map(Result::ok).collect();
        let known = entries.iter().find(|entry| entry.name == event.user_name());
        let forgot = event.trigger_source() == "UserMigration_ForgotPassword";
        let vouched = if forgot {
            known.is_some_and(|entry| entry.has_verified_email())
        } else {
            // The first verifier stands in for one that is not there, so that the answer takes as long.
            let verifier = known.or(entries.first()).is_some_and(|entry| entry.is_password(event.password()));
            known.is_some() && verifier
        };
        let Some(entry) = known.filter(|_| vouched) else {
            log::info("nobody is vouched for");
            return Ok(Response::default());
        };
        let resets = forgot || settings::text("reset", "no") == "yes";
        let status = if resets { FinalUserStatus::ResetRequired } else { FinalUserStatus::Confirmed };
        let response = Response {
            final_user_status: Some(status),
            message_action: Some(MessageAction::Suppress),
            ..Response::default()
        };
        Ok(entry
            .attributes
            .iter()
            .fold(response, |response, (name, value)| response.with_attribute(name, value.as_str())))
    }
}

impl Settings for ImportUsers {
    fn validate() -> Result<(), String> {
        settings::only(&["users", "reset"])?;
        if !["yes", "no"].contains(&settings::text("reset", "no").as_str()) {
            return Err("`reset` is neither `yes` nor `no`".to_owned());
        }
        let users = settings::text("users", "");
        let entries = entries(&users).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = entries.first() else {
            log::warn("`users` is empty, so nobody is vouched for");
            return Ok(());
        };
        if entries.iter().any(|entry| entry.cost() != first.cost()) {
            return Err(
                "`users` has verifiers of different cost, which would tell who is in it: make them alike".to_owned()
            );
        }
        // Where the limits are too low for one, they are found out here.
        first.is_password("");
        Ok(())
    }
}

/// A user of the other directory.
struct Entry<'a> {
    name: &'a str,
    verifier: PasswordHash,
    attributes: Vec<(&'a str, String)>,
}

impl Entry<'_> {
    fn is_password(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), &self.verifier).is_ok()
    }

    /// What checking a password costs, by algorithm and parameters.
    fn cost(&self) -> (String, String) {
        (self.verifier.algorithm.to_string(), self.verifier.params.to_string())
    }

    fn has_verified_email(&self) -> bool {
        let has = |name| self.attributes.iter().any(|(known, _)| *known == name);
        has("email") && self.attributes.iter().any(|(name, value)| *name == "email_verified" && value == "true")
    }
}

/// The users of the list; or what is wrong with a line, without the line itself, which is secret.
fn entries(users: &str) -> impl Iterator<Item = Result<Entry<'_>, String>> {
    let lines = users.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(place, line)| entry(line).ok_or_else(|| wrong(place + 1)))
}

fn wrong(line: usize) -> String {
    format!(
        "line {line} of `users` is no user: write NAME VERIFIER ATTRIBUTE=VALUE..., with a verifier of Argon2 of up to {MOST_MEMORY} KiB and {MOST_PASSES} passes"
    )
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let mut words = line.split_whitespace();
    let (name, verifier) = (words.next()?, PasswordHash::new(words.next()?).ok()?);
    let params = Params::try_from(&verifier).ok()?;
    if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES || verifier.hash.is_none() {
        return None;
    }
    let pair = |word: &'_ str| {
        let (name, value) = word.split_once('=')?;
        Some((name.len(), percent_decode_str(value).decode_utf8().ok()?.into_owned()))
    };
    let attributes = words.map(|word| pair(word).and_then(|(end, value)| Some((word.get(..end)?, value))));
    Some(Entry { name, verifier, attributes: attributes.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::CustomizedPasswordHasher as _;
    use argon2::{Algorithm, Version};
    use cogwit_sdk::testing::World;

    use super::*;

    fn verifier(password: &str) -> String {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let params = Params::new(64, 1, 1, None).unwrap();
        argon2
            .hash_password_customized(password.as_bytes(), b"salt-of-16-bytes", None, None, params)
            .unwrap()
            .to_string()
    }

    fn world() -> World {
        let users = format!(
            "ina {} email=ina@example.com email_verified=true name=Ina%20Berg phone_number=+4712345678\n\nola {}\n",
            verifier("hemmelig 1"),
            verifier("annet")
        );
        World::default().setting("users", &users)
    }

    fn vouched(name: &str, password: Option<&str>) -> Response {
        let source = if password.is_some() { "UserMigration_Authentication" } else { "UserMigration_ForgotPassword" };
        let event = Event { password: password.map(str::to_owned), ..Event::default() };
        let event = event.with_user_name(name).with_trigger_source(source);
        world().run(|| ImportUsers::decide(event)).value.unwrap()
    }

    #[test]
    fn whoever_knows_the_password_is_brought_in() {
        let response = vouched("ina", Some("hemmelig 1"));
        assert_eq!(response.final_user_status, Some(FinalUserStatus::Confirmed));
        let attributes = response.user_attributes.unwrap();
        assert_eq!(attributes.len(), 4);
        assert_eq!(attributes[3], ("phone_number".to_owned(), "+4712345678".to_owned()));
        assert_eq!(attributes[2], ("name".to_owned(), "Ina Berg".to_owned()));
    }

    #[test]
    fn nobody_else_is_vouched_for() {
        for (name, password) in [("ina", "annet"), ("ola", "hemmelig 1"), ("nobody", "hemmelig 1"), ("ina", "")] {
            assert_eq!(vouched(name, Some(password)), Response::default(), "{name}");
        }
    }

    #[test]
    fn a_forgotten_password_needs_a_verified_email() {
        assert_eq!(vouched("ina", None).final_user_status, Some(FinalUserStatus::ResetRequired));
        assert_eq!(vouched("ola", None), Response::default());
        assert_eq!(vouched("nobody", None), Response::default());
    }

    #[test]
    fn a_line_that_is_wrong_is_named_and_not_shown() {
        let good = verifier("x");
        for line in [
            "ina",
            "ina secret",
            &format!("ina {good} email"),
            "ina $argon2id$v=19$m=999999,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ",
        ] {
            let refused = World::default().setting("users", &format!("\n{line}")).run(ImportUsers::validate).value;
            let told = refused.unwrap_err();
            assert!(told.starts_with("line 2 of `users`") && !told.contains("secret"), "{told}");
        }
        world().run(ImportUsers::validate).value.unwrap();
    }

    #[test]
    fn verifiers_cost_the_same() {
        let users = format!("ina {}\nola {}", verifier("x"), verifier("x").replace("m=64", "m=128"));
        let refused = World::default().setting("users", &users).run(ImportUsers::validate).value.unwrap_err();
        assert!(refused.contains("different cost"), "{refused}");
    }

    #[test]
    fn a_sign_in_without_a_password_vouches_for_nobody() {
        let event = Event::default().with_user_name("ina").with_trigger_source("UserMigration_Authentication");
        assert_eq!(world().run(|| ImportUsers::decide(event)).value.unwrap(), Response::default());
    }
}
