//! Define auth challenge: chooses the next step of a custom sign-in.

use crate::bindings::define_auth_challenge::exports::cogwit::triggers::define_auth_challenge::Guest;
pub use crate::bindings::define_auth_challenge::exports::cogwit::triggers::define_auth_challenge::{Event, Response};
use crate::{Denial, event};

/// Answers the trigger `DefineAuthChallenge`.
pub trait DefineAuthChallenge {
    /// Chooses the next step, or refuses with a message.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::exported!(DefineAuthChallenge, Response);
event::header!(Event);
event::map!(Event, attribute, with_attribute, user_attributes, "`request.userAttributes`");
event::map!(Event, metadata, with_metadata, client_metadata, "`request.clientMetadata`");

impl Event {
    /// Whether there is no such user: the answer must not show it.
    pub fn is_nobody(&self) -> bool {
        self.user_not_found == Some(true)
    }
}

impl Response {
    /// Asks for a challenge of our own.
    pub fn challenge() -> Self {
        Self {
            challenge_name: Some("CUSTOM_CHALLENGE".to_owned()),
            issue_tokens: Some(false),
            fail_authentication: Some(false),
        }
    }

    /// Signs the user in.
    pub fn tokens() -> Self {
        Self { challenge_name: None, issue_tokens: Some(true), fail_authentication: Some(false) }
    }

    /// Ends the sign-in.
    pub fn end() -> Self {
        Self { challenge_name: None, issue_tokens: Some(false), fail_authentication: Some(true) }
    }
}
