//! Guards a pool that is not open to everyone: invitation codes, refused e-mail domains, refused app clients.
//!
//! One component answers two triggers, so that one list of refused clients holds for sign-up and sign-in alike.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `invitation-codes` | the codes that let someone sign up, separated by commas | empty: none is asked for |
//! | `invitation-key` | the entry of `validationData` that holds the code | `inviteCode` |
//! | `refused-domains` | e-mail domains that may not sign up, each with its subdomains | empty |
//! | `refused-clients` | app clients that may neither sign up nor sign in | empty |
//!
//! Codes are secrets: give them as `{ env = "COGWIT_SECRET_…" }`. No code is asked of a user whom an administrator creates
//! or whom an identity provider vouches for, since neither can send validation data.

use cogwit_sdk::pre_authentication::{self, PreAuthentication};
use cogwit_sdk::pre_sign_up::{self, PreSignUp, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export};

/// The policy.
pub struct AccessGate;
export!(AccessGate: pre_sign_up, pre_authentication, settings);

impl PreSignUp for AccessGate {
    fn decide(event: pre_sign_up::Event) -> Result<Response, Denial> {
        check_client(event.client_id())?;
        check_domain(event.attribute("email"))?;
        match event.trigger_source() {
            "PreSignUp_AdminCreateUser" | "PreSignUp_ExternalProvider" => {}
            _ => check_invitation(event.validation(&settings::text("invitation-key", "inviteCode")))?,
        }
        Ok(Response::default())
    }
}

impl PreAuthentication for AccessGate {
    fn decide(event: pre_authentication::Event) -> Result<(), Denial> {
        check_client(event.client_id())
    }
}

impl Settings for AccessGate {
    fn validate() -> Result<(), String> {
        settings::only(&["invitation-codes", "invitation-key", "refused-domains", "refused-clients"])?;
        if settings::text("invitation-codes", "-").split(',').all(|code| code.trim().is_empty()) {
            return Err("`invitation-codes` holds no code, so anyone could sign up: add one, or remove it".to_owned());
        }
        email::check_domains("refused-domains", &settings::list("refused-domains", ""))
    }
}

fn check_client(client: Option<&str>) -> Result<(), Denial> {
    match client {
        Some(id) if settings::list("refused-clients", "").iter().any(|refused| refused == id) => {
            Err(Denial::new("This application may not be used here").because(format!("app client {id} is refused")))
        }
        _ => Ok(()),
    }
}

fn check_domain(address: Option<&str>) -> Result<(), Denial> {
    let Some(domain) = address.and_then(email::domain) else { return Ok(()) };
    let domain = domain.to_ascii_lowercase();
    match settings::list("refused-domains", "").iter().map(|refused| refused.to_ascii_lowercase()).find(|refused| {
        domain.strip_suffix(refused.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }) {
        Some(refused) => Err(Denial::new("Sign-up is not open to this e-mail domain").because(refused)),
        None => Ok(()),
    }
}

fn check_invitation(given: Option<&str>) -> Result<(), Denial> {
    let codes = settings::list("invitation-codes", "");
    match given.map(str::trim) {
        _ if codes.is_empty() => Ok(()),
        Some(code) if codes.iter().any(|known| known == code) => Ok(()),
        Some(_) => Err(Denial::new("This invitation code is not valid").because("unknown invitation code")),
        None => Err(Denial::new("Sign-up needs an invitation code").because("no invitation code")),
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn sign_up(event: pre_sign_up::Event) -> Result<Response, String> {
        World::default()
            .setting("invitation-codes", "WREN-7731, FINCH-2")
            .setting("refused-domains", "throwaway.example")
            .setting("refused-clients", "old-app")
            .run(|| <AccessGate as PreSignUp>::decide(event))
            .value
            .map_err(|denial| denial.message)
    }

    fn invited() -> pre_sign_up::Event {
        pre_sign_up::Event::default().with_validation("inviteCode", "WREN-7731")
    }

    #[test]
    fn a_known_code_opens_the_gate() {
        assert_eq!(sign_up(invited()), Ok(Response::default()));
        assert_eq!(sign_up(pre_sign_up::Event::default()), Err("Sign-up needs an invitation code".to_owned()));
        let wrong = pre_sign_up::Event::default().with_validation("inviteCode", "");
        assert_eq!(sign_up(wrong), Err("This invitation code is not valid".to_owned()));
    }

    #[test]
    fn nobody_asks_an_administrator_or_an_identity_provider_for_a_code() {
        for source in ["PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"] {
            assert!(sign_up(pre_sign_up::Event::default().with_trigger_source(source)).is_ok());
        }
    }

    #[test]
    fn a_domain_is_refused_with_its_subdomains() {
        for email in ["a@throwaway.example", "a@mx.Throwaway.Example"] {
            assert!(sign_up(invited().with_attribute("email", email)).is_err(), "{email}");
        }
        assert!(sign_up(invited().with_attribute("email", "a@notthrowaway.example")).is_ok());
    }

    #[test]
    fn a_client_is_refused_by_both_triggers() {
        assert!(sign_up(invited().with_client_id("old-app")).is_err());
        let event = pre_authentication::Event::default().with_client_id("old-app");
        let world = World::default().setting("refused-clients", "old-app");
        assert!(world.run(|| <AccessGate as PreAuthentication>::decide(event)).value.is_err());
    }

    #[test]
    fn settings_that_would_let_everyone_in_are_refused() {
        for (key, value) in [("invitation-codes", " ,"), ("invitation-codes", ""), ("refused-domains", "*.x.example")] {
            assert!(World::default().setting(key, value).run(AccessGate::validate).value.is_err(), "{key} {value}");
        }
        assert_eq!(World::default().run(AccessGate::validate).value, Ok(()));
    }

    #[test]
    fn without_settings_everyone_passes() {
        let run = World::default().run(|| <AccessGate as PreSignUp>::decide(pre_sign_up::Event::default()));
        assert!(run.value.is_ok());
    }
}
