//! Speaks Lambda's Invoke API, the way in which Cognito, its emulators and every AWS client call a function.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cogwit_core::event::MAX_EVENT_BYTES;
use serde::Deserialize;

use super::app::App;
use super::decide::{Answer, Invocation, has_policy, version};
use super::function::Function;
use super::headers::Kind;
use super::refused::Refused;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// The most of the log that goes with an answer, in bytes: the end of it.
const MOST_LOG: usize = 4096;

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

/// Answers `POST /2015-03-31/functions/{name}/invocations`.
pub(super) async fn invoke(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let id = uuid::Uuid::new_v4().to_string();
    let name = name.map_err(|error| Refused::parameter(error.body_text()));
    let parameters = parameters.map_err(|error| Refused::parameter(error.body_text()));
    let function = name.and_then(|Path(name)| Function::read(&name, parameters?.0.qualifier.as_deref()));
    let answered = answer(&app, function, &id, &headers, body).await;
    counted(&app, &id, answered)
}

/// The answer with the id of its request, once it is counted.
pub(super) fn counted(app: &App, id: &str, answered: Result<Response, Refused>) -> Response {
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    app.metrics.answered(response.status());
    insert(response.headers_mut(), REQUEST_ID, id);
    response
}

async fn answer(
    app: &Arc<App>,
    function: Result<Function, Refused>,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let kind = Kind::read(headers);
    // Before anything is refused: a client that is still sending does not hear it.
    let most = kind.as_ref().map_or(MAX_EVENT_BYTES, |kind| kind.most_bytes());
    let body = app.bodies.read(body, most, app.last_call()).await?;
    let (function, kind) = (function?, kind?);
    let serving = app.live.serving();
    has_policy(&serving, &function)?;
    let invocation = Invocation::new(function, id, headers, body)?;
    if kind != Kind::RequestResponse {
        invocation.check()?;
    }
    match kind {
        Kind::DryRun => Ok(told(StatusCode::NO_CONTENT, &version(&serving))),
        Kind::Event => app.begin(invocation).map(|_| told(StatusCode::ACCEPTED, &version(&serving))),
        Kind::RequestResponse => app.begin(invocation)?.done().await?.map(reply),
    }
}

/// An answer without a body.
fn told(status: StatusCode, version: &str) -> Response {
    let mut response = status.into_response();
    insert(response.headers_mut(), EXECUTED_VERSION, version);
    response
}

/// What the function answered: status 200, whether it answered with an error or not.
pub(super) fn reply(answer: Answer) -> Response {
    let mut response = Body::from(Bytes::from_owner(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert(headers, EXECUTED_VERSION, &answer.version);
    if answer.error.is_some() {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    if let Some(log) = answer.log {
        let log = log.as_bytes();
        let tail = log.get(log.len().saturating_sub(MOST_LOG)..).unwrap_or_default();
        insert(headers, LOG_RESULT, &STANDARD.encode(tail));
    }
    response
}

/// What is made of ids, numbers and base64 is always fit for a header.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
}
