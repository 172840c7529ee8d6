//! Counts what was decided, for Prometheus.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use cogwit_core::release::Serving;
use cogwit_core::{Decision, Shadow};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::app::App;

/// What [`Metrics::text`] is, as HTTP says it.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper ends of the buckets of times, in seconds: from a small policy to what Cognito waits for.
const BUCKETS: [f64; 12] = [5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.1, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDecision {
    trigger: &'static str,
    decision: &'static str,
}

/// `policy`, `verdict`, and of a policy with a candidate `side`.
type ByVerdict = Vec<(&'static str, Cow<'static, str>)>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByAgreement {
    policy: String,
    verdict: &'static str,
    agrees: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTrigger {
    trigger: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSet {
    set: String,
    digest: String,
}

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    invocations: Family<ByStatus, Counter>,
    decisions: Family<ByDecision, Counter>,
    policies: Family<ByVerdict, Counter>,
    shadows: Family<ByAgreement, Counter>,
    unwatched: Counter,
    unmatched: Counter,
    faults: Counter,
    fuel: Counter,
    duration: Family<ByTrigger, Histogram>,
    now: Now,
}

/// What is looked at when somebody asks.
#[derive(Default)]
struct Now {
    ready: Gauge,
    set: Family<OfSet, Gauge>,
    sequence: Gauge<u64, AtomicU64>,
    known: Gauge<u64, AtomicU64>,
    age: Gauge<u64, AtomicU64>,
    fallback: Gauge,
    reverted: Gauge,
    faulty: Gauge,
    problem: Gauge,
    under_way: Gauge<i64, AtomicI64>,
    dropped: Gauge<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut it = Self {
            registry: Registry::with_prefix("cogwit"),
            invocations: Family::default(),
            decisions: Family::default(),
            policies: Family::default(),
            shadows: Family::default(),
            unwatched: Counter::default(),
            unmatched: Counter::default(),
            faults: Counter::default(),
            fuel: Counter::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            now: Now::default(),
        };
        let (registry, now) = (&mut it.registry, &it.now);
        registry.register("invocations", "Requests for a decision by HTTP status", it.invocations.clone());
        registry.register("decisions", "Decisions by trigger", it.decisions.clone());
        registry.register("policy_runs", "Runs of policies by what they said", it.policies.clone());
        registry.register("shadow_runs", "Runs of policies that look on by whether they agree", it.shadows.clone());
        registry.register("unwatched", "Decisions that policies were to look on at, and did not", it.unwatched.clone());
        registry.register("unmatched", "Decisions that no policy had a part in", it.unmatched.clone());
        registry.register("faults", "Decisions in which something broke", it.faults.clone());
        registry.register("fuel", "Fuel of all policies", it.fuel.clone());
        registry.register_with_unit("decision", "From event to reply", Unit::Seconds, it.duration.clone());
        registry.register("ready", "1 where decisions are made by a set", now.ready.clone());
        registry.register("set", "1 for the set that serves", now.set.clone());
        registry.register("set_sequence", "The channel's sequence that serves", now.sequence.clone());
        registry.register("set_known_sequence", "The highest sequence that was seen", now.known.clone());
        registry.register_with_unit("set_age", "Since the store confirmed the set", Unit::Seconds, now.age.clone());
        registry.register("set_fallback", "1 where something newer is known than serves", now.fallback.clone());
        registry.register("set_reverted", "1 where the server left what the channel names", now.reverted.clone());
        registry.register("set_faulty", "1 where the set breaks too often", now.faulty.clone());
        registry.register("set_problem", "1 where the set could not be renewed", now.problem.clone());
        registry.register("invocations_under_way", "Decided just now, or waiting for it", now.under_way.clone());
        registry.register("records_dropped", "Records that nobody took", now.dropped.clone());
        it
    }
}

impl Metrics {
    /// Counts a decision.
    pub(super) fn decided(&self, decision: &Decision, took: Duration) {
        let trigger = decision.trigger.map_or("none", |trigger| trigger.name());
        self.decisions.get_or_create(&ByDecision { trigger, decision: decision.outcome.word() }).inc();
        self.duration.get_or_create(&ByTrigger { trigger }).observe(took.as_secs_f64());
        self.fuel.inc_by(decision.fuel());
        self.faults.inc_by(decision.is_broken().into());
        self.unmatched.inc_by(decision.is_unmatched().into());
        for run in &decision.runs {
            let mut by = vec![("policy", run.policy.clone().into()), ("verdict", run.verdict.word().into())];
            by.extend(run.side.map(|side| ("side", side.word().into())));
            self.policies.get_or_create(&by).inc();
        }
    }

    /// Counts what those who looked on at a decision made of it.
    pub(super) fn looked_on(&self, shadows: &[Shadow]) {
        for shadow in shadows {
            let agrees = if shadow.agrees() { "true" } else { "false" };
            let by = ByAgreement { policy: shadow.run.policy.clone(), verdict: shadow.run.verdict.word(), agrees };
            self.shadows.get_or_create(&by).inc();
        }
    }

    /// Counts a decision that nobody looked on at though policies are there for it.
    pub(super) fn unwatched(&self) {
        self.unwatched.inc();
    }

    /// Counts an answer to a request for a decision.
    pub(super) fn answered(&self, status: StatusCode) {
        self.invocations.get_or_create(&ByStatus { status: status.as_u16() }).inc();
    }

    /// Everything as text.
    pub(super) fn text(&self, app: &App, serving: &Serving, now: SystemTime) -> String {
        self.now.look(app, serving, now);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Now {
    fn look(&self, app: &App, serving: &Serving, now: SystemTime) {
        self.ready.set(app.is_ready(serving, now).is_ok().into());
        self.set.clear();
        if let Ok(set) = &serving.set {
            let of = OfSet { set: set.name.clone(), digest: set.digest.clone() };
            self.set.get_or_create(&of).set(1);
        }
        self.sequence.set(serving.sequence().unwrap_or_default());
        self.known.set(serving.known.unwrap_or_default());
        self.age.set(serving.unconfirmed(now).as_secs());
        self.fallback.set(serving.is_fallback().into());
        self.reverted.set(serving.reverted.is_some().into());
        self.faulty.set(serving.is_faulty().into());
        self.problem.set(serving.problem.is_some().into());
        self.under_way.set(i64::try_from(app.work.under_way()).unwrap_or(i64::MAX));
        self.dropped.set(app.records.dropped());
    }
}
