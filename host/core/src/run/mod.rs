//! Runs a policy: compiled once, then a fresh instance for every event, under four limits.
//!
//! [`Prepared`] is costly and shared, and nothing changes it; an instance serves one event and is dropped, so no state
//! survives a decision and a trap retires only its own instance. No type of `wasmtime` leaves this folder.

mod bindings;
mod engine;
mod native;
mod cost;
mod compile;
mod shape;
mod version;
mod prepared;
mod instance;
mod context;
mod limiter;
mod chance;
mod clock;
mod imports;
mod usage;
mod fault;

pub(crate) use bindings::{
    Challenge, Denial, GroupConfiguration, GroupOverrideDetails, Header, Request, Response, create_auth_challenge,
    custom_email_sender, custom_message, custom_sms_sender, define_auth_challenge, inbound_federation, interfaces,
    post_authentication, post_confirmation, pre_authentication, pre_sign_up, pre_token_generation,
    pre_token_generation_v2, user_migration, verify_auth_challenge_response,
};
pub use chance::{Chance, Consumed};
pub use clock::{Clock, processor_time};
pub use engine::{Engine, EngineError, FINGERPRINT, WASMTIME};
pub use fault::{Fault, Key};
pub use imports::Need;
pub(crate) use instance::{End, Ran, World};
pub use native::{Native, NativeError};
pub use prepared::Prepared;
pub use shape::{Import, Shape, ShapeError, WIT_VERSION};
pub(crate) use usage::CUT;
pub use usage::{Fuel, LogLevel, LogLine, Logs, Usage};
