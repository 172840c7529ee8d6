//! Pre token generation, events of versions 2 and 3: changes claims of both tokens, and scopes, before they are signed.

use crate::bindings::pre_token_generation_v2::exports::cogwit::triggers::pre_token_generation_v2::Guest;
pub use crate::bindings::pre_token_generation_v2::exports::cogwit::triggers::pre_token_generation_v2::{
    AccessTokenGeneration, ClaimValue, Event, IdTokenGeneration, Response,
};
use crate::{Denial, event};

/// Answers the trigger `PreTokenGenerationV2`.
pub trait PreTokenGenerationV2 {
    /// Changes the tokens, or refuses them. `Response::default()` changes nothing.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::exported!(PreTokenGenerationV2, Response);
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
    pub fn with_id_claim(mut self, name: &str, value: impl Into<ClaimValue>) -> Self {
        let token = self.id_token_generation.get_or_insert_default();
        token.claims_to_add_or_override.get_or_insert_default().push((name.to_owned(), value.into()));
        self
    }

    /// Takes a claim out of the ID token.
    #[must_use]
    pub fn without_id_claim(mut self, name: &str) -> Self {
        let token = self.id_token_generation.get_or_insert_default();
        token.claims_to_suppress.get_or_insert_default().push(name.to_owned());
        self
    }

    /// Sets a claim of the access token.
    #[must_use]
    pub fn with_access_claim(mut self, name: &str, value: impl Into<ClaimValue>) -> Self {
        let token = self.access_token_generation.get_or_insert_default();
        token.claims_to_add_or_override.get_or_insert_default().push((name.to_owned(), value.into()));
        self
    }

    /// Gives the access token a scope.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        self.access_token_generation
            .get_or_insert_default()
            .scopes_to_add
            .get_or_insert_default()
            .push(scope.to_owned());
        self
    }

    /// Takes a scope from the access token.
    #[must_use]
    pub fn without_scope(mut self, scope: &str) -> Self {
        let token = self.access_token_generation.get_or_insert_default();
        token.scopes_to_suppress.get_or_insert_default().push(scope.to_owned());
        self
    }
}

impl From<&str> for ClaimValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Vec<String>> for ClaimValue {
    fn from(texts: Vec<String>) -> Self {
        Self::Strings(texts)
    }
}

// The values of a claim have no default, so that the generated types have none either.
macro_rules! default {
    ($type:ty: $($field:ident),+) => {
        impl Default for $type {
            fn default() -> Self {
                Self { $($field: Default::default()),+ }
            }
        }
    };
}
default!(Event: header, user_attributes, group_configuration, scopes, client_metadata);
default!(Response: id_token_generation, access_token_generation, group_override_details);
default!(IdTokenGeneration: claims_to_add_or_override, claims_to_suppress);
default!(AccessTokenGeneration: claims_to_add_or_override, claims_to_suppress, scopes_to_add, scopes_to_suppress);
