//! Reads what an invocation's headers say.

use axum::http::{HeaderMap, HeaderName};

use super::refused::{Refused, shown};

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// What is to become of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its answer is waited for.
    RequestResponse,
    /// It is decided after the caller was told that it came.
    Event,
    /// Nothing is decided.
    DryRun,
}

impl Kind {
    /// What the headers say; without a word on it, the answer is waited for.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        match text(headers, &INVOCATION_TYPE).unwrap_or("RequestResponse") {
            "RequestResponse" => Ok(Self::RequestResponse),
            "Event" => Ok(Self::Event),
            "DryRun" => Ok(Self::DryRun),
            other => Err(no_such("invocationType", other, "Event, RequestResponse, DryRun")),
        }
    }

    /// The most bytes of an event, as Lambda has it.
    pub(super) fn most_bytes(self) -> usize {
        match self {
            Self::Event => 1 << 20,
            Self::RequestResponse | Self::DryRun => cogwit_core::event::MAX_EVENT_BYTES,
        }
    }
}

/// Whether the end of the log goes with the answer.
pub(super) fn wants_log(headers: &HeaderMap) -> Result<bool, Refused> {
    match text(headers, &LOG_TYPE).unwrap_or("None") {
        "None" => Ok(false),
        "Tail" => Ok(true),
        other => Err(no_such("logType", other, "None, Tail")),
    }
}

/// The trace that an invocation belongs to.
pub(super) fn trace(headers: &HeaderMap) -> Option<String> {
    text(headers, &TRACE_ID).map(shown)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // One that is no text is none of the words either.
    headers.get(name).map(|value| value.to_str().unwrap_or("?")).filter(|text| !text.is_empty())
}

fn no_such(at: &str, value: &str, known: &str) -> Refused {
    Refused::parameter(format!(
        "1 validation error detected: Value '{}' at '{at}' failed to satisfy constraint: Member must satisfy enum value set: [{known}]",
        shown(value)
    ))
}
