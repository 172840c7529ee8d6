//! Confirms every sign-up, and counts its e-mail and phone number as verified where they are present.
//!
//! **Verifying moves an alias.** Where users sign in with an e-mail or a phone number as an alias, auto-verify gives the
//! alias to the new user and takes it from the account that had it. Nobody has proved that the address is theirs.
//!
//! A user whom an administrator creates is left alone: there Cognito ignores all three flags. No settings.

use cogwit_sdk::pre_sign_up::{Event, PreSignUp, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct AutoConfirmVerify;
export!(AutoConfirmVerify: pre_sign_up, settings);

impl PreSignUp for AutoConfirmVerify {
    fn decide(event: Event) -> Result<Response, Denial> {
        if event.trigger_source() == "PreSignUp_AdminCreateUser" {
            return Ok(Response::default());
        }
        let present = |name| event.attribute(name).is_some_and(|value| !value.is_empty()).then_some(true);
        Ok(Response {
            auto_confirm_user: Some(true),
            auto_verify_email: present("email"),
            auto_verify_phone: present("phone_number"),
        })
    }
}

impl Settings for AutoConfirmVerify {
    fn validate() -> Result<(), String> {
        settings::only(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(event: Event) -> Response {
        AutoConfirmVerify::decide(event).unwrap()
    }

    #[test]
    fn verifies_what_is_present() {
        let event = Event::default().with_attribute("email", "user@example.com");
        let response =
            Response { auto_confirm_user: Some(true), auto_verify_email: Some(true), auto_verify_phone: None };
        assert_eq!(decide(event), response);
        assert_eq!(decide(Event::default().with_attribute("phone_number", "")).auto_verify_phone, None);
        assert_eq!(
            decide(Event::default().with_attribute("phone_number", "+12065550100")).auto_verify_phone,
            Some(true)
        );
    }

    #[test]
    fn leaves_users_of_an_administrator_alone() {
        let event = Event::default().with_attribute("email", "user@example.com");
        assert_eq!(decide(event.with_trigger_source("PreSignUp_AdminCreateUser")), Response::default());
    }
}
