//! Decides for callers that look at an answer's status alone, and know nothing of Lambda's header for function errors.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cogwit_core::event::MAX_EVENT_BYTES;
use cogwit_core::reply::ErrorType;

use super::app::App;
use super::decide::{Invocation, has_policy};
use super::function::Function;
use super::invoke::{counted, reply};
use super::refused::Refused;

/// Answers `POST /decide`: 200 with the event where it is allowed, 403 where it is denied, 500 where something broke.
pub(super) async fn decide(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, Ok(Function::pinning(None)), request).await
}

/// Answers `POST /decide/{policy}`: the same, by one policy.
pub(super) async fn decide_by(
    State(app): State<Arc<App>>,
    policy: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let function = policy.map(|Path(policy)| Function::pinning(Some(policy)));
    let function = function.map_err(|error| Refused::parameter(error.body_text()));
    answer(&app, function, request).await
}

async fn answer(app: &Arc<App>, function: Result<Function, Refused>, request: Request) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let id = uuid::Uuid::new_v4().to_string();
    let answered = async {
        let body = app.bodies.read(body, MAX_EVENT_BYTES, app.last_call()).await?;
        let function = function?;
        has_policy(&app.live.serving(), &function)?;
        let answer = app.begin(Invocation::new(function, &id, &headers, body)?)?.done().await??;
        let status = match answer.error {
            None => StatusCode::OK,
            Some(ErrorType::PolicyDenied) => StatusCode::FORBIDDEN,
            Some(ErrorType::EventRefused) => StatusCode::BAD_REQUEST,
            Some(ErrorType::PolicyFault) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Ok((status, reply(answer)).into_response())
    };
    counted(app, &id, answered.await)
}
