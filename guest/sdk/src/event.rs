//! Gives every trigger's event the same accessors, so that policies read alike.

/// The value of `key`; of a repeated key the last one, as every common JSON parser reads it.
pub(crate) fn last<'a>(entries: &'a [(String, String)], key: &str) -> Option<&'a str> {
    entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// The members of the header that policies ask for most.
macro_rules! header {
    ($event:ty) => {
        impl $event {
            /// The user's name; empty where the event has none.
            pub fn user_name(&self) -> &str {
                self.header.user_name.as_deref().unwrap_or_default()
            }

            /// The app client's id.
            pub fn client_id(&self) -> Option<&str> {
                self.header.client_id.as_deref()
            }

            /// Why the trigger fired, such as `PreSignUp_AdminCreateUser`; empty where the event does not say.
            pub fn trigger_source(&self) -> &str {
                self.header.trigger_source.as_deref().unwrap_or_default()
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $event {
            /// Sets the user's name, in a test.
            pub fn with_user_name(mut self, name: &str) -> Self {
                self.header.user_name = Some(name.to_owned());
                self
            }

            /// Sets the app client's id, in a test.
            pub fn with_client_id(mut self, id: &str) -> Self {
                self.header.client_id = Some(id.to_owned());
                self
            }

            /// Sets why the trigger fired, in a test.
            pub fn with_trigger_source(mut self, source: &str) -> Self {
                self.header.trigger_source = Some(source.to_owned());
                self
            }
        }
    };
}

/// A getter for one map of the request, and what sets an entry of it in a test.
macro_rules! map {
    ($event:ty, $get:ident, $with:ident, $field:ident, $member:literal) => {
        impl $event {
            #[doc = concat!("The entry `key` of ", $member, "; of a repeated key the last one.")]
            pub fn $get(&self, key: &str) -> Option<&str> {
                crate::event::last(&self.$field, key)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $event {
            #[doc = concat!("Adds an entry to ", $member, ", in a test.")]
            pub fn $with(mut self, key: &str, value: &str) -> Self {
                self.$field.push((key.to_owned(), value.to_owned()));
                self
            }
        }
    };
}

/// What `export!` makes of a type that has the trigger's trait.
macro_rules! exported {
    ($answers:ident, $response:ty) => {
        #[doc(hidden)]
        pub struct Exported<P>(std::marker::PhantomData<P>);

        impl<P: $answers> Exported<P> {
            #[doc(hidden)]
            pub const fn checked() {}
        }

        impl<P: $answers> Guest for Exported<P> {
            fn decide(event: Event) -> Result<$response, Denial> {
                crate::panic::report();
                P::decide(event)
            }
        }
    };
}

/// A text of the request, and what sets it in a test.
macro_rules! text {
    ($event:ty, $get:ident, $with:ident, $field:ident, $member:literal) => {
        impl $event {
            #[doc = concat!($member, "; empty where the event has none.")]
            pub fn $get(&self) -> &str {
                self.$field.as_deref().unwrap_or_default()
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $event {
            #[doc = concat!("Sets ", $member, ", in a test.")]
            pub fn $with(mut self, text: &str) -> Self {
                self.$field = Some(text.to_owned());
                self
            }
        }
    };
}

pub(crate) use {exported, header, map, text};

#[cfg(test)]
mod tests {
    use crate::pre_sign_up::Event;

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        let event = Event::default().with_attribute("email", "a@x.example").with_attribute("email", "b@x.example");
        assert_eq!(event.attribute("email"), Some("b@x.example"));
        assert_eq!(event.attribute("phone_number"), None);
    }
}
