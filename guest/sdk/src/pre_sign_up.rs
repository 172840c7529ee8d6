//! Pre sign-up: decides before Cognito creates a user.

use std::marker::PhantomData;

use crate::bindings::pre_sign_up::exports::cogwit::triggers::pre_sign_up::Guest;
pub use crate::bindings::pre_sign_up::exports::cogwit::triggers::pre_sign_up::{Event, Response};
use crate::{Denial, event, panic};

/// Answers the trigger `PreSignUp`.
pub trait PreSignUp {
    /// Allows the sign-up with the response, or refuses it. `Response::default()` changes nothing.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::header!(Event);
event::map!(Event, attribute, with_attribute, user_attributes, "`request.userAttributes`");
event::map!(Event, validation, with_validation, validation_data, "`request.validationData`");
event::map!(Event, metadata, with_metadata, client_metadata, "`request.clientMetadata`");

#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

impl<P: PreSignUp> Exported<P> {
    #[doc(hidden)]
    pub const fn checked() {}
}

impl<P: PreSignUp> Guest for Exported<P> {
    fn decide(event: Event) -> Result<Response, Denial> {
        panic::report();
        P::decide(event)
    }
}
