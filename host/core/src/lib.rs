//! Is the line from a Cognito event to a reply. Start at [`decide`], which tells all of it.
//!
//! ```text
//! event    parse the envelope, keep the raw bytes
//! store    a policy set, read and admitted before it serves
//! route    which of its policies answer this event, in which order
//! run      a fresh instance under fuel, deadline, memory and data limits
//! trigger  lower the request to WIT, merge the verdicts, check them against Cognito's rules
//! reply    splice what was set into `response`, or refuse
//! ```
//!
//! The hosts use what is public here and nothing else. `event`, `policy`, `route` and `reply` know no engine and no clock.

mod decide;
mod decision;
mod verdict;
mod shadow;
pub mod text;
pub mod digest;
mod reading;
pub mod event;
mod redact;
pub mod policy;
pub mod store;
pub mod route;
pub mod run;
pub mod trigger;
pub mod reply;
pub mod record;
pub mod release;
pub mod config;
pub mod case;

pub use decide::decide;
pub use decision::{Call, Decision, Outcome};
pub use redact::Redactor;
pub use shadow::{Shadow, shadow};
pub use verdict::{PolicyRun, Verdict};
