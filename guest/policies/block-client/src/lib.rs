//! Refuses sign-ins from the app clients that the setting `blocked-clients` lists.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `blocked-clients` | app client ids, separated by commas; empty entries are ignored | a placeholder that no client has |

use cogwit_sdk::pre_authentication::{Event, PreAuthentication};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct BlockClient;
export!(BlockClient: pre_authentication, settings);

const PLACEHOLDER: &str = "<user pool app client id to be blocked>";

impl PreAuthentication for BlockClient {
    fn decide(event: Event) -> Result<(), Denial> {
        match event.client_id() {
            Some(id) if settings::list("blocked-clients", PLACEHOLDER).iter().any(|blocked| blocked == id) => {
                Err(Denial::new("Cannot authenticate users from this user pool app client").because(id))
            }
            _ => Ok(()),
        }
    }
}

impl Settings for BlockClient {
    fn validate() -> Result<(), String> {
        settings::only(&["blocked-clients"])
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn decide(blocked: &str, event: Event) -> Result<(), Denial> {
        World::default().setting("blocked-clients", blocked).run(|| BlockClient::decide(event)).value
    }

    #[test]
    fn refuses_a_listed_client_only() {
        let denial = decide(" a1,,b2 ", Event::default().with_client_id("b2")).unwrap_err();
        assert_eq!(denial.message, "Cannot authenticate users from this user pool app client");
        assert_eq!(decide("a1,b2", Event::default().with_client_id("b")), Ok(()));
    }

    #[test]
    fn an_absent_client_is_not_listed() {
        assert_eq!(decide("a1,", Event::default()), Ok(()));
        assert_eq!(decide(",", Event::default().with_client_id("")), Ok(()));
    }

    #[test]
    fn the_default_is_the_placeholder() {
        let event = Event::default().with_client_id(PLACEHOLDER);
        assert!(World::default().run(|| BlockClient::decide(event)).value.is_err());
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(World::default().setting("blocked-client", "a1").run(BlockClient::validate).value.is_err());
    }
}
