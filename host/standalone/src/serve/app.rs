//! Is what a request is for, by its path, and what every request shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cogwit_core::config::Config;
use cogwit_core::release::Live;
use tokio::sync::watch;
use tokio::time::sleep;

use super::body::Bodies;
use super::invoke::invoke;
use super::metrics::Metrics;
use super::plain::{decide, decide_by};
use super::records::Records;
use super::refused::Refused;
use super::status;
use super::token::Token;
use super::web::{Hosts, check_origin};
use super::work::Work;

/// How long a request may take to come once the server is about to end.
const LAST_CALL: Duration = Duration::from_secs(1);

/// What every request shares.
pub(crate) struct App {
    pub(super) live: Arc<Live>,
    pub(super) config: Config,
    pub(super) token: Option<Token>,
    /// The hosts that a request may name where no token is asked for.
    hosts: Hosts,
    pub(super) records: Records,
    pub(super) metrics: Metrics,
    pub(super) bodies: Bodies,
    pub(super) work: Work,
    /// Those who look on at what was decided.
    pub(super) shadows: Work,
    pub(super) since: SystemTime,
    /// Whether an event came before.
    warm: AtomicBool,
    /// Whether the server is about to end.
    ending: watch::Sender<bool>,
}

impl App {
    /// Decides by what `live` serves.
    pub(crate) fn new(
        live: Arc<Live>,
        config: Config,
        token: Option<Token>,
        hosts: Hosts,
        records: Records,
        work: Work,
        shadows: Work,
    ) -> Self {
        Self {
            live,
            config,
            token,
            hosts,
            records,
            metrics: Metrics::default(),
            bodies: Bodies::new(),
            work,
            shadows,
            since: SystemTime::now(),
            warm: AtomicBool::new(false),
            ending: watch::Sender::new(false),
        }
    }

    /// Whether this is the first event.
    pub(super) fn is_cold(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }

    /// Refuses a request, whose body is read all the same: a client that is still sending does not hear an answer.
    async fn refuse(&self, request: Request, refused: Refused) -> Response {
        self.bodies.discard(request.into_body()).await;
        refused.into_response()
    }

    /// From now on callers are told to come back over a new connection, which finds another server.
    pub(super) fn end(&self) {
        self.ending.send_replace(true);
    }

    pub(super) fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Waits until the server has been about to end for so long that what did not come by now is not waited for.
    pub(super) async fn last_call(&self) {
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
        sleep(LAST_CALL).await;
    }
}

/// Who answers what.
pub(super) fn router(app: Arc<App>) -> Router {
    let open = Router::new().route("/healthz", get(status::healthz)).route("/readyz", get(status::readyz));
    let guarded = Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/decide", post(decide))
        .route("/decide/{policy}", post(decide_by))
        .route("/metrics", get(status::metrics))
        .route("/status", get(status::status))
        .method_not_allowed_fallback(no_method);
    // Where there is no token, no request pays for the guard.
    let guarded = match &app.token {
        Some(_) => guarded.layer(from_fn_with_state(app.clone(), guard)),
        None => guarded,
    };
    let all = guarded.merge(open).fallback(no_path);
    all.layer(from_fn_with_state(app.clone(), keep_web_out)).with_state(app)
}

/// Refuses requests of web pages, on every path. Where a token is asked for, a request may name any host.
async fn keep_web_out(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let hosts = if app.token.is_none() { app.hosts.check(&request) } else { Ok(()) };
    match hosts.and_then(|()| check_origin(&request)) {
        Ok(()) => next.run(request).await,
        Err(refused) => app.refuse(request, refused).await,
    }
}

/// Turns those away who do not show the token.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match &app.token {
        Some(token) if !token.is_shown(request.headers()) => app.refuse(request, Refused::token()).await,
        _ => next.run(request).await,
    }
}

async fn no_method(State(app): State<Arc<App>>, request: Request) -> Response {
    app.refuse(request, Refused::no_method()).await
}

async fn no_path(State(app): State<Arc<App>>, request: Request) -> Response {
    app.refuse(request, Refused::no_path()).await
}
