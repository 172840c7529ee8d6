//! Speaks each trigger's language: one adapter for each, with four duties.
//!
//! - `lower`: the event's JSON into the record of the WIT interface;
//! - `merge`: what several policies want changed, by the trigger's rules, where later usually wins;
//! - `members`: what is wanted, as members of `response`;
//! - `check`: what Cognito is known to refuse, to ignore, or to do that an operator should know.

mod pre_sign_up;
mod pre_authentication;

mod adapters;
mod header;
mod response;

pub(crate) use adapters::{check, lower, members, merge};
pub(crate) use response::Checked;
pub use response::{Member, Warning};
