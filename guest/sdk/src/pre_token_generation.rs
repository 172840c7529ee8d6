//! Pre token generation, events of version 1: changes claims of the ID token before it is signed.

use crate::bindings::pre_token_generation::exports::cogwit::triggers::pre_token_generation::Guest;
pub use crate::bindings::pre_token_generation::exports::cogwit::triggers::pre_token_generation::{Event, Response};
use crate::{Denial, event};

/// Answers the trigger `PreTokenGeneration`.
pub trait PreTokenGeneration {
    /// Changes the claims, or refuses the tokens. `Response::default()` changes nothing.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::exported!(PreTokenGeneration, Response);
event::header!(Event);
event::map!(Event, attribute, with_attribute, user_attributes, "`request.userAttributes`");
event::map!(Event, metadata, with_metadata, client_metadata, "`request.clientMetadata`");

impl Event {
    /// The user's groups.
    pub fn groups(&self) -> &[String] {
        self.group_configuration.as_ref().map(|groups| groups.groups_to_override.as_slice()).unwrap_or_default()
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Event {
    /// Adds a group of the user, in a test.
    pub fn with_group(mut self, group: &str) -> Self {
        self.group_configuration.get_or_insert_default().groups_to_override.push(group.to_owned());
        self
    }
}

impl Response {
    /// Sets a claim of the ID token.
    #[must_use]
    pub fn with_claim(mut self, name: &str, value: impl Into<String>) -> Self {
        self.claims_to_add_or_override.get_or_insert_default().push((name.to_owned(), value.into()));
        self
    }

    /// Takes a claim out of the ID token.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims_to_suppress.get_or_insert_default().push(name.to_owned());
        self
    }
}
