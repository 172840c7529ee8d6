//! Create auth challenge: makes the challenge that define auth challenge chose.

use crate::bindings::create_auth_challenge::exports::cogwit::triggers::create_auth_challenge::Guest;
pub use crate::bindings::create_auth_challenge::exports::cogwit::triggers::create_auth_challenge::{Event, Response};
use crate::{Denial, event};

/// Answers the trigger `CreateAuthChallenge`.
pub trait CreateAuthChallenge {
    /// Makes the challenge, or refuses with a message.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::exported!(CreateAuthChallenge, Response);
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
    /// Adds a parameter that the client gets.
    #[must_use]
    pub fn with_public(mut self, name: &str, value: impl Into<String>) -> Self {
        self.public_challenge_parameters.get_or_insert_default().push((name.to_owned(), value.into()));
        self
    }

    /// Adds a parameter that only verify auth challenge response gets.
    #[must_use]
    pub fn with_private(mut self, name: &str, value: impl Into<String>) -> Self {
        self.private_challenge_parameters.get_or_insert_default().push((name.to_owned(), value.into()));
        self
    }
}
