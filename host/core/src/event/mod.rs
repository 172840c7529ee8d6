//! Reads what Cognito sent: the bytes are kept, and views are taken of them.
//!
//! The line from event to reply starts here. Nothing in this folder changes a byte of the event, so whatever is not
//! understood is still echoed as it came.

mod trigger;
mod object;
mod text;
mod envelope;
mod size;
mod error;
mod edit;
mod example;

pub use edit::{EditError, MemberPath, pretty};
pub use envelope::{Event, Header, MAX_EVENT_BYTES};
pub use error::EventError;
pub use example::{NoExample, example, examples};
pub use object::{Object, list};

pub(crate) use text::{text, unescape};
pub use trigger::{OnFault, Trigger, UnknownTrigger, Unmatched};
