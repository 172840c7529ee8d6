//! Pre authentication: decides a sign-in before the password is checked.

use std::marker::PhantomData;

pub use crate::bindings::pre_authentication::exports::cogwit::triggers::pre_authentication::Event;
use crate::bindings::pre_authentication::exports::cogwit::triggers::pre_authentication::Guest;
use crate::{Denial, event, panic};

/// Answers the trigger `PreAuthentication`.
pub trait PreAuthentication {
    /// Allows the sign-in, or refuses it.
    fn decide(event: Event) -> Result<(), Denial>;
}

event::header!(Event);
event::map!(Event, attribute, with_attribute, user_attributes, "`request.userAttributes`");
event::map!(Event, validation, with_validation, validation_data, "`request.validationData`");

#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

impl<P: PreAuthentication> Exported<P> {
    #[doc(hidden)]
    pub const fn checked() {}
}

impl<P: PreAuthentication> Guest for Exported<P> {
    fn decide(event: Event) -> Result<(), Denial> {
        panic::report();
        P::decide(event)
    }
}
