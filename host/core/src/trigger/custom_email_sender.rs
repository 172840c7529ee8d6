//! Adapts the trigger custom e-mail sender, which has no output.

use super::request::header;
use crate::event::{Event, EventError};
use crate::run::custom_email_sender as wit;

pub(super) use super::nothing::{check, members, merge};

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        request_type: event.request_text("type"),
        code: event.request_text("code"),
        user_attributes: event.request_map("userAttributes")?,
        client_metadata: event.request_map("clientMetadata")?,
    })
}
