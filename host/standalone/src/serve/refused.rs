//! Is what the Invoke API answers where no function ran, in the shape that AWS's clients read.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors>

use std::fmt;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cogwit_core::text::one_line;
use serde_json::json;

/// The header by which clients tell the errors apart.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// The most characters of a caller's own text in a message.
const MOST_SHOWN: usize = 160;

/// An error of the Invoke API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

/// What is wrong.
impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Refused {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    /// Something in the path or the headers.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    /// The body is no JSON, or did not come.
    pub(super) fn content(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    /// The body did not come in time.
    pub(super) fn slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "InvalidRequestContentException", "the body did not come in time")
    }

    /// The body has more than `most` bytes.
    pub(super) fn too_large(most: usize) -> Self {
        let message = format!("Request must be smaller than {most} bytes for the InvokeFunction operation");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }

    /// The set has no policy of this name.
    pub(super) fn no_policy(name: &str, has: &[&str]) -> Self {
        let message = format!(
            "Function not found: cogwit:{}; the set has {}",
            shown(name),
            if has.is_empty() { "no policy".to_owned() } else { has.join(", ") }
        );
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    /// There is nothing at this path.
    pub(super) fn no_path() -> Self {
        let message = "there is nothing here: POST an event to /2015-03-31/functions/NAME/invocations or /decide, or GET /healthz, /readyz, /metrics or /status";
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }

    /// There is something at this path, but not for this method.
    pub(super) fn no_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "UnknownOperationException",
            "an event is POSTed, the rest is for GET",
        )
    }

    /// As many decide as may.
    pub(super) fn too_many(most: u32) -> Self {
        let message = format!("Rate Exceeded: {most} invocations are under way, the most that `--concurrency` allows");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message)
    }

    /// Its turn did not come, or there is no room for its body.
    pub(super) fn busy(message: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", format!("Rate Exceeded: {message}"))
    }

    /// The token is missing or another.
    pub(super) fn token() -> Self {
        let message = "the token is missing or wrong: send COGWIT_SERVE_TOKEN as `Authorization: Bearer TOKEN`, or from an AWS client as its session token";
        Self::new(StatusCode::UNAUTHORIZED, "UnrecognizedClientException", message)
    }

    /// The request names a host that this server does not answer for.
    pub(super) fn host_header(problem: &str) -> Self {
        let message = format!(
            "refused, as a web page could have made this request: {problem}; use localhost, a loopback address or the host of `--listen`, or start the server with `--allow-host NAME` or with COGWIT_SERVE_TOKEN"
        );
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    /// A page makes the request.
    pub(super) fn web_page() -> Self {
        let message = "refused, as a web page makes this request: it has an Origin or a Sec-Fetch-Site header; send it from a program, or open the address itself";
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    /// The host broke.
    pub(super) fn host() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", "the host broke; its log says where")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let by = if self.status.is_server_error() { "Service" } else { "User" };
        // AWS's own spelling differs from error to error, and its clients read just that.
        let body = match self.status {
            StatusCode::NOT_FOUND | StatusCode::INTERNAL_SERVER_ERROR => json!({ "Type": by, "Message": self.message }),
            StatusCode::TOO_MANY_REQUESTS => json!({
                "Type": by,
                "message": self.message,
                "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
            }),
            _ => json!({ "Type": by, "message": self.message }),
        };
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.kind));
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => None,
        };
        response
    }
}

/// A caller's own text, short and on one line.
pub(super) fn shown(text: &str) -> String {
    one_line(text).chars().take(MOST_SHOWN).collect()
}
