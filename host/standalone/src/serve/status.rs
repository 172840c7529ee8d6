//! Is what the server tells of itself: whether it lives, whether it decides, by what, and how often.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cogwit_core::release::{Reverted, Serving};
use cogwit_core::run::{WASMTIME, WIT_VERSION};
use serde::Serialize;

use super::app::App;
use super::metrics::CONTENT_TYPE;

/// Answers `GET /healthz`: it answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers `GET /readyz`: whether events may come here. Why not is for `/status`.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    match app.is_ready(&app.live.serving(), SystemTime::now()) {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

/// Answers `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.text(&app, &app.live.serving(), SystemTime::now());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

/// Answers `GET /status`.
pub(super) async fn status(State(app): State<Arc<App>>) -> Response {
    let serving = app.live.serving();
    Json(Status::of(&app, &serving, SystemTime::now())).into_response()
}

impl App {
    /// Whether events are decided here.
    ///
    /// # Errors
    ///
    /// Why they are not.
    pub(super) fn is_ready(&self, serving: &Serving, now: SystemTime) -> Result<(), String> {
        if self.is_ending() {
            return Err("the server is about to end".to_owned());
        }
        self.live.set(serving, now).map(drop)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    ready: bool,
    /// Why it is not ready.
    reason: Option<String>,
    since: String,
    set: Option<Set<'a>>,
    channel: Option<Channel<'a>>,
    /// Why the set could not be renewed when that was last tried.
    problem: Option<&'a str>,
    invocations_under_way: usize,
    records_dropped: u64,
    versions: Versions,
}

#[derive(Serialize)]
struct Set<'a> {
    name: &'a str,
    digest: &'a str,
    /// Whether it breaks too often.
    faulty: bool,
    policies: Vec<Policy<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Policy<'a> {
    name: &'a str,
    digest: &'a str,
    triggers: Vec<&'static str>,
    mode: &'static str,
    candidate: Option<Candidate<'a>>,
}

#[derive(Serialize)]
struct Candidate<'a> {
    digest: &'a str,
    rollout: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Channel<'a> {
    name: &'a str,
    sequence: Option<u64>,
    known: Option<u64>,
    key: Option<&'a str>,
    age_seconds: Option<u64>,
    refreshed: Option<String>,
    expired: bool,
    fallback: bool,
    /// What the server left by itself, because it broke too often.
    reverted: Option<&'a Reverted>,
}

#[derive(Serialize)]
struct Versions {
    cogwit: &'static str,
    wit: &'static str,
    wasmtime: &'static str,
}

impl<'a> Status<'a> {
    fn of(app: &App, serving: &'a Serving, now: SystemTime) -> Self {
        let ready = app.is_ready(serving, now);
        Self {
            ready: ready.is_ok(),
            reason: ready.err(),
            since: time(app.since),
            set: serving.set.as_ref().ok().map(|set| Set {
                name: &set.name,
                digest: &set.digest,
                faulty: serving.is_faulty(),
                policies: set.policies.iter().map(policy).collect(),
                warnings: set.warnings.iter().map(ToString::to_string).collect(),
            }),
            channel: serving.follows.as_deref().map(|name| Channel {
                name,
                sequence: serving.sequence(),
                known: serving.known,
                key: serving.channel.as_ref().and_then(|channel| channel.key.as_deref()),
                age_seconds: serving.age(now).map(|age| age.as_secs()),
                refreshed: serving.refreshed.map(time),
                expired: serving.is_expired(now),
                fallback: serving.is_fallback(),
                reverted: serving.reverted.as_ref(),
            }),
            problem: serving.problem.as_deref(),
            invocations_under_way: app.work.under_way(),
            records_dropped: app.records.dropped(),
            versions: Versions { cogwit: env!("CARGO_PKG_VERSION"), wit: WIT_VERSION, wasmtime: WASMTIME },
        }
    }
}

fn policy(policy: &cogwit_core::store::Policy) -> Policy<'_> {
    let triggers = policy.triggers.iter().map(|trigger| trigger.name()).collect();
    let candidate = policy.candidate.as_ref();
    let candidate = candidate.map(|it| Candidate { digest: &it.policy.digest, rollout: it.rollout });
    Policy { name: &policy.name, digest: &policy.digest, triggers, mode: policy.mode.word(), candidate }
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
