//! Adapts the trigger pre authentication, which has no output.

use super::header::header;
use super::{Checked, Member};
use crate::event::{Event, EventError};
use crate::run::pre_authentication as wit;

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        validation_data: event.request_map("validationData")?,
        user_not_found: event.request_bool("userNotFound")?,
    })
}

pub(super) fn merge((): (), (): ()) {}

pub(super) fn members((): &()) -> Vec<Member> {
    Vec::new()
}

pub(super) fn check(_: &Event<'_>, (): &()) -> Checked {
    Checked::default()
}
