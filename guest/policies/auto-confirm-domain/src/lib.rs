//! Confirms a sign-up whose e-mail is of the domain in the attribute `custom:domain`.
//!
//! **Set `domains`.** Both attributes are written by whoever signs up. Without the setting, anyone confirms an address that
//! is not theirs by sending a `custom:domain` to match; with it, the domain must also be one of yours.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `domains` | the domains that may confirm themselves, separated by commas | empty: any, which the policy warns of |
//!
//! Domains are compared without regard to ASCII case. An e-mail that is missing or malformed is not confirmed.

use cogwit_sdk::pre_sign_up::{Event, PreSignUp, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, email, export, log};

/// The policy.
pub struct AutoConfirmDomain;
export!(AutoConfirmDomain: pre_sign_up, settings);

impl PreSignUp for AutoConfirmDomain {
    fn decide(event: Event) -> Result<Response, Denial> {
        let confirm = event.attribute("email").and_then(email::domain).is_some_and(|domain| {
            let domains = settings::list("domains", "");
            event.attribute("custom:domain").is_some_and(|registered| registered.eq_ignore_ascii_case(domain))
                && (domains.is_empty() || domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain)))
        });
        Ok(Response { auto_confirm_user: Some(confirm), ..Response::default() })
    }
}

impl Settings for AutoConfirmDomain {
    fn validate() -> Result<(), String> {
        settings::only(&["domains"])?;
        let domains = settings::list("domains", "");
        if domains.is_empty() {
            log::warn(
                "`domains` is empty: the client writes both `email` and `custom:domain`, so anyone can confirm any \
                 address; list the domains that are yours",
            );
        }
        email::check_domains("domains", &domains)
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn confirms(domains: &str, email: &str, registered: &str) -> bool {
        let event = Event::default().with_attribute("email", email).with_attribute("custom:domain", registered);
        let run = World::default().setting("domains", domains).run(|| AutoConfirmDomain::decide(event));
        run.value.unwrap().auto_confirm_user.unwrap()
    }

    #[test]
    fn compares_the_domain_after_the_last_at_sign_without_case() {
        assert!(confirms("", "testuser@example.com", "example.com"));
        assert!(confirms("", "a@b@EXAMPLE.com", "Example.COM"));
        assert!(!confirms("", "testuser@example.org", "example.com"));
        assert!(!confirms("", "testuser@sub.example.com", "example.com"));
    }

    #[test]
    fn a_malformed_email_is_not_confirmed() {
        for email in ["", "testuser", "testuser@", "@example.com"] {
            assert!(!confirms("", email, "example.com"), "{email}");
        }
        assert!(!confirms("", "testuser@", ""));
        let run = World::default().run(|| AutoConfirmDomain::decide(Event::default()));
        assert_eq!(run.value.unwrap().auto_confirm_user, Some(false));
    }

    #[test]
    fn a_list_of_domains_must_hold_it_too() {
        assert!(confirms("example.org, EXAMPLE.com", "testuser@example.com", "example.com"));
        assert!(!confirms("example.org", "testuser@example.com", "example.com"));
    }

    #[test]
    fn an_empty_list_is_warned_of() {
        let run = World::default().run(AutoConfirmDomain::validate);
        assert_eq!(run.value, Ok(()));
        assert_eq!(run.logs.len(), 1);
        let run = World::default().setting("domains", "example.com").run(AutoConfirmDomain::validate);
        assert_eq!((run.value, run.logs.len()), (Ok(()), 0));
    }

    #[test]
    fn an_address_in_the_list_is_refused() {
        assert!(World::default().setting("domains", "a@example.com").run(AutoConfirmDomain::validate).value.is_err());
    }
}
