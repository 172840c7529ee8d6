//! Is what a request is for, by its path, and what every request shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cogwit_core::config::Config;
use cogwit_core::release::Live;

use super::body::Bodies;
use super::invoke::invoke;
use super::metrics::Metrics;
use super::plain::decide;
use super::refused::Refused;
use super::status;
use super::token::Token;
use super::work::Work;
use crate::serve::Records;

/// What every request shares.
pub(crate) struct App {
    pub(super) live: Arc<Live>,
    pub(super) config: Config,
    pub(super) token: Option<Token>,
    pub(super) records: Records,
    pub(super) metrics: Metrics,
    pub(super) bodies: Bodies,
    pub(super) work: Work,
    pub(super) since: SystemTime,
    /// Whether an event came before.
    warm: AtomicBool,
    /// Whether the server is about to end.
    ending: AtomicBool,
}

impl App {
    /// Decides by what `live` serves.
    pub(crate) fn new(live: Arc<Live>, config: Config, token: Option<Token>, records: Records, work: Work) -> Self {
        Self {
            live,
            config,
            token,
            records,
            metrics: Metrics::default(),
            bodies: Bodies::new(),
            work,
            since: SystemTime::now(),
            warm: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// Whether this is the first event.
    pub(super) fn is_cold(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }

    /// From now on callers are told to come back over a new connection, which finds another server.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}

/// Who answers what.
pub(super) fn router(app: Arc<App>) -> Router {
    let open = Router::new().route("/healthz", get(status::healthz)).route("/readyz", get(status::readyz));
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/decide", post(decide))
        .route("/decide/{policy}", post(decide))
        .route("/metrics", get(status::metrics))
        .route("/status", get(status::status))
        .method_not_allowed_fallback(async || Refused::no_method())
        .layer(from_fn_with_state(app.clone(), guard))
        .merge(open)
        .fallback(async || Refused::no_path())
        .layer(from_fn_with_state(app.clone(), last_words))
        .with_state(app)
}

/// Turns those away who do not show the token.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match &app.token {
        Some(token) if !token.is_shown(request.headers()) => Refused::token().into_response(),
        _ => next.run(request).await,
    }
}

/// Ends a connection with its answer, once the server is about to end.
async fn last_words(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if app.is_ending() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
