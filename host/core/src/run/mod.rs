//! Runs a policy: compiled once, then a fresh instance for every event, under four limits.
//!
//! [`Prepared`] is costly and shared, and nothing changes it; an instance serves one event and is dropped, so no state
//! survives a decision and a trap retires only its own instance. No type of `wasmtime` leaves this folder.

mod bindings;
mod engine;
mod native;
mod compile;
mod shape;
mod version;
mod prepared;
mod instance;
mod context;
mod limiter;
mod chance;
mod imports;
mod usage;
mod fault;

pub use bindings::has_interface;
pub(crate) use bindings::{Denial, Header, Request, Response, interfaces, pre_authentication, pre_sign_up};
pub use chance::{Chance, Consumed};
pub use engine::{Engine, EngineError, FINGERPRINT, WASMTIME};
pub use fault::{Fault, Key};
pub use imports::Need;
pub(crate) use instance::{End, Ran, World};
pub use native::{Native, NativeError};
pub use prepared::Prepared;
pub use shape::{Import, Shape, ShapeError, WIT_VERSION};
pub(crate) use usage::CUT;
pub use usage::{Fuel, LogLevel, LogLine, Logs, Usage};
