//! Adapts the trigger pre authentication, which has no output.

use super::request::header;
use crate::event::{Event, EventError};
use crate::run::pre_authentication as wit;

pub(super) use super::nothing::{check, members, merge};

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        validation_data: event.request_map("validationData")?,
        user_not_found: event.request_bool("userNotFound")?,
    })
}
