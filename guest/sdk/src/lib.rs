//! Is what the author of a cogwit policy depends on.
//!
//! A policy implements the trait of each trigger that it answers and exports itself:
//!
//! ```
//! use cogwit_sdk::pre_sign_up::{Event, PreSignUp, Response};
//! use cogwit_sdk::{Denial, export};
//!
//! struct StaffOnly;
//! export!(StaffOnly: pre_sign_up);
//!
//! impl PreSignUp for StaffOnly {
//!     fn decide(event: Event) -> Result<Response, Denial> {
//!         match event.attribute("email") {
//!             Some(email) if email.ends_with("@example.com") => Ok(Response::default()),
//!             _ => Err(Denial::new("Only staff may sign up").because("e-mail is not one of example.com")),
//!         }
//!     }
//! }
//! ```
//!
//! Every decision runs in a fresh instance: statics start anew, and what one decision allocates, the next never sees.
//! A policy is plain Rust, so `cargo test` runs its unit tests natively; [`testing`] stands in for the host.
//!
//! The crate's features: `allocator` (on by default) installs an allocator for the length of one decision.

// The macros of `wit_bindgen` name this crate from inside and from the author's crate alike.
extern crate self as cogwit_sdk;

// A trait for each trigger.
pub mod pre_sign_up;
pub mod post_confirmation;
pub mod pre_authentication;
pub mod post_authentication;
pub mod define_auth_challenge;
pub mod create_auth_challenge;
pub mod verify_auth_challenge_response;
pub mod pre_token_generation;
pub mod pre_token_generation_v2;
pub mod user_migration;
pub mod custom_message;
pub mod custom_email_sender;
pub mod custom_sms_sender;
pub mod inbound_federation;

// What a policy asks of its host.
pub mod settings;
pub mod log;
pub mod raw_event;
pub mod clock;
pub mod random;
pub mod email;
mod denial;
mod host;

// What makes a crate a component.
mod alloc;
mod event;
mod export;
mod panic;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
#[doc(hidden)]
pub mod bindings;

#[doc(hidden)]
pub use wit_bindgen;

pub use bindings::imports::cogwit::triggers::challenges::Challenge;
pub use bindings::imports::cogwit::triggers::groups::{GroupConfiguration, GroupOverrideDetails};
pub use bindings::imports::cogwit::triggers::types::{Denial, Header};
