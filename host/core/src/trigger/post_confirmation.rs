//! Adapts the trigger post confirmation, which has no output.

use super::request::header;
use crate::event::{Event, EventError};
use crate::run::post_confirmation as wit;

pub(super) use super::nothing::{check, members, merge};

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}
