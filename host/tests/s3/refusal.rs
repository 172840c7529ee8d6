//! Says no as S3 does: a status, and a code in XML.

use http::{Response, StatusCode};
use hyper::body::Bytes;

/// What S3 does not do.
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn access_denied() -> Self {
        Self::new(403, "AccessDenied", "Access Denied")
    }

    pub(super) fn no_such_bucket() -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist")
    }

    pub(super) fn no_such_key() -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.")
    }

    pub(super) fn precondition_failed() -> Self {
        Self::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    }

    /// What this server does not know of S3.
    pub(super) fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("the S3 of these tests has no {what}"))
    }

    /// The refusal that most often comes with a status.
    pub(super) fn with_status(status: u16) -> Self {
        match status {
            403 => Self::access_denied(),
            404 => Self::no_such_key(),
            409 => Self::new(409, "ConditionalRequestConflict", "A conflicting operation occurred; try again"),
            412 => Self::precondition_failed(),
            429 | 503 => Self::new(status, "SlowDown", "Please reduce your request rate."),
            500.. => Self::new(status, "InternalError", "We encountered an internal error. Please try again."),
            _ => Self::new(status, "InvalidRequest", "The request is not valid."),
        }
    }

    pub(super) fn answer(self, resource: &str, request: &str) -> Response<Bytes> {
        let Self { status, code, message } = self;
        let (message, resource) = (escape(&message), escape(resource));
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <Resource>{resource}</Resource><RequestId>{request}</RequestId></Error>"
        );
        let mut response = xml_answer(xml);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }
}

pub(super) fn xml_answer(xml: String) -> Response<Bytes> {
    Response::builder().header("content-type", "application/xml").body(xml.into()).unwrap()
}

/// A text as XML has it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\r', "&#13;")
}
