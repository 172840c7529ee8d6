//! Lowers the header, which every typed event has.

use std::borrow::Cow;

use crate::event::Event;
use crate::run::Header;

pub(super) fn header(event: &Event<'_>) -> Header {
    let header = &event.header;
    let owned = |member: &Option<Cow<'_, str>>| member.as_deref().map(str::to_owned);
    Header {
        version: owned(&header.version),
        trigger_source: owned(&header.trigger_source),
        region: owned(&header.region),
        user_pool_id: owned(&header.user_pool_id),
        user_name: owned(&header.user_name),
        client_id: owned(&header.client_id),
        aws_sdk_version: owned(&header.aws_sdk_version),
    }
}
