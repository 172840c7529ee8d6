//! Speaks each trigger's language: one adapter for each, with four duties.
//!
//! - `lower`: the event's JSON into the record of the WIT interface;
//! - `merge`: what several policies want changed, by the trigger's rules: later wins, or they have to agree;
//! - `members`: what is wanted, as members of `response`;
//! - `check`: what Cognito is known to refuse, to ignore, or to do that an operator should know.

mod pre_sign_up;
mod post_confirmation;
mod pre_authentication;
mod post_authentication;
mod define_auth_challenge;
mod create_auth_challenge;
mod verify_auth_challenge_response;
mod pre_token_generation;
mod pre_token_generation_v2;
mod user_migration;
mod custom_message;
mod custom_email_sender;
mod custom_sms_sender;
mod inbound_federation;

mod adapters;
mod request;
mod nothing;
mod claims;
mod json;
mod response;

pub(crate) use adapters::{check, lower, members, merge};
pub(crate) use response::{Checked, Conflict};
pub use response::{Member, Warning};
use response::{agreed, agreed_map};
