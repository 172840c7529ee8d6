//! Is the record of one decision.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::Masking;
use super::mask::{Mask, member};
use super::metrics::{Embedded, Shadows, Sides, Values};
use super::set::Set;
use crate::event::Event;
use crate::policy::Mode;
use crate::release::Serving;
use crate::run::{WASMTIME, WIT_VERSION};
use crate::store::{PolicySet, Side};
use crate::{Call, Decision, Outcome, PolicyRun, Shadow, Verdict};

/// What is enough for most lines, in bytes.
const USUAL_LINE: usize = 2 << 10;

/// What a host knows of a decision beside the decision.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The Lambda function, or what stands for it.
    pub function: &'a str,
    /// When it was decided.
    pub time: SystemTime,
    /// How long it took, from the event's bytes to the reply's.
    pub elapsed: Duration,
    /// Whether it was the first of this process.
    pub cold: bool,
    /// The trace that it belongs to.
    pub trace: Option<&'a str>,
    /// What is shown of persons.
    pub masking: &'a Masking,
    /// What served when it was decided.
    pub serving: &'a Serving,
}

/// The record of one decision. It holds no value of the event's secret members and, unless masking is off, none that tells of a
/// person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    id: &'a str,
    time: String,
    /// `error` where somebody has to look, `warning` where somebody should, else `info`.
    level: &'static str,
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    trigger: &'static str,
    source: Option<String>,
    pool: Option<String>,
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    /// Those that answered, in order, and then those that looked on.
    policies: Vec<Policy<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    unwatched: bool,
    set: Option<Set<'a>>,
    cold: bool,
    versions: Versions,
    #[serde(flatten)]
    metrics: Values,
    #[serde(rename = "_aws")]
    embedded: Embedded,
}

#[derive(Debug, Serialize)]
struct Warning {
    code: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    name: &'a str,
    digest: &'a str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    verdict: &'static str,
    /// Of one that looks on: why it would refuse. Of those who answer, the record itself says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of one that looks on: whether it makes the same of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    agrees: Option<bool>,
    /// What it makes of it otherwise: `denies`, `allows`, `faults`, or members of `response`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differs: &'a [&'static str],
    /// The members of `response` that it set; not their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    set: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    fuel: u64,
    #[serde(skip_serializing_if = "is_false")]
    fuel_at_least: bool,
    memory_bytes: u64,
    instantiate_micros: u128,
    call_micros: u128,
    release_micros: u128,
    #[serde(skip_serializing_if = "is_false")]
    consumed_clock: bool,
    #[serde(skip_serializing_if = "is_false")]
    consumed_random: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log: Vec<Logged>,
    #[serde(skip_serializing_if = "is_zero")]
    log_lines_dropped: u64,
}

#[derive(Debug, Serialize)]
struct Fault {
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Logged {
    level: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    context: String,
    message: String,
}

#[derive(Debug, Serialize)]
struct Versions {
    cogwit: &'static str,
    wit: &'static str,
    wasmtime: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl<'a> Record<'a> {
    /// Writes down a decision. Without a set, the host decided.
    pub fn of(set: Option<&'a PolicySet>, call: &Call<'a>, decision: &'a Decision, setting: &Setting<'a>) -> Self {
        let event = Event::parse(call.event).ok();
        let header = event.as_ref().map(|event| &event.header);
        let mut mask = Mask::new(call.event, set, setting.masking);
        let since_1970 = setting.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let metrics = values(decision, setting);
        Self {
            id: call.id,
            time: humantime::format_rfc3339_millis(setting.time).to_string(),
            level: level(&metrics, decision, setting),
            function: setting.function,
            trace: setting.trace,
            trigger: decision.trigger.map_or("none", |trigger| trigger.name()),
            source: member(header.and_then(|header| header.trigger_source.as_deref())),
            pool: member(header.and_then(|header| header.user_pool_id.as_deref())),
            client: member(header.and_then(|header| header.client_id.as_deref())),
            user: header.and_then(|header| setting.masking.user(header.user_name.as_deref()?)),
            decision: decision.outcome.word(),
            reason: decision.runs.iter().find_map(|run| Some(mask.sentence(run.verdict.reason()?, &run.text))),
            error: match &decision.outcome {
                Outcome::Fault(text) => Some(mask.error(text, &decision.runs)),
                Outcome::EventRefused(error) => Some(mask.host_text(&error.to_string())),
                _ => None,
            },
            warnings: decision
                .warnings
                .iter()
                .map(|it| Warning { code: it.code, text: mask.host_text(&it.text) })
                .collect(),
            policies: {
                let answered = decision.runs.iter().map(|run| (run, None));
                let looked_on = decision.shadows.iter().map(|shadow| (&shadow.run, Some(shadow)));
                answered.chain(looked_on).map(|(run, shadow)| policy(run, shadow, &mut mask)).collect()
            },
            unwatched: decision.is_unwatched(),
            set: Set::of(set, setting.serving, setting.time),
            cold: setting.cold,
            versions: Versions { cogwit: env!("CARGO_PKG_VERSION"), wit: WIT_VERSION, wasmtime: WASMTIME },
            embedded: Embedded::at(since_1970.as_millis(), &metrics),
            metrics,
        }
    }

    /// Writes down a decision as one line of JSON. Whatever an event brings, its answer does not fail over its record: that is empty
    /// then.
    pub fn line(set: Option<&PolicySet>, call: &Call<'_>, decision: &Decision, setting: &Setting<'_>) -> String {
        let line = || {
            let mut line = Vec::with_capacity(USUAL_LINE);
            let written = serde_json::to_writer(&mut line, &Record::of(set, call, decision, setting));
            written.ok().and_then(|()| String::from_utf8(line).ok()).unwrap_or_default()
        };
        catch_unwind(AssertUnwindSafe(line)).unwrap_or_default()
    }
}

fn values(decision: &Decision, setting: &Setting<'_>) -> Values {
    Values {
        decisions: 1,
        denials: u64::from(decision.outcome == Outcome::Deny),
        faults: u64::from(decision.is_broken()),
        unmatched: u64::from(decision.is_unmatched()),
        cold_starts: u64::from(setting.cold),
        fuel: decision.fuel(),
        duration: u64::try_from(setting.elapsed.as_micros()).unwrap_or(u64::MAX),
        set_age: setting.serving.unconfirmed(setting.time).as_secs(),
        fallback: u64::from(setting.serving.is_fallback()),
        reverted: u64::from(setting.serving.reverted.is_some()),
        faulty: u64::from(setting.serving.is_faulty()),
        sides: Sides::of(&decision.runs),
        shadows: Shadows::of(&decision.shadows),
    }
}

fn level(metrics: &Values, decision: &Decision, setting: &Setting<'_>) -> &'static str {
    let unsure = setting.serving.problem.is_some() || setting.serving.is_expired(setting.time);
    if metrics.faults + metrics.fallback + metrics.reverted + metrics.faulty > 0 {
        "error"
    } else if unsure || !decision.warnings.is_empty() {
        "warning"
    } else {
        "info"
    }
}

fn policy<'a>(run: &'a PolicyRun, shadow: Option<&'a Shadow>, mask: &mut Mask<'_>) -> Policy<'a> {
    let usage = &run.usage;
    let lines = mask.lines(&run.logs, &run.text).into_iter();
    let log: Vec<_> =
        lines.map(|(level, context, message)| Logged { level: level.to_string(), context, message }).collect();
    let left_out = run.logs.lines.len().saturating_sub(log.len()) as u64;
    Policy {
        name: &run.policy,
        digest: &run.digest,
        mode: if shadow.is_some() { Mode::Shadow } else { Mode::Enforce }.word(),
        side: run.side.map(Side::word),
        log,
        verdict: run.verdict.word(),
        reason: shadow.and_then(|_| run.verdict.reason()).map(|reason| mask.sentence(reason, &run.text)),
        agrees: shadow.map(Shadow::agrees),
        differs: shadow.map(|shadow| &*shadow.differs).unwrap_or_default(),
        set: match &run.verdict {
            Verdict::Allow(members) => members.iter().map(|member| member.name).collect(),
            _ => Vec::new(),
        },
        fault: match &run.verdict {
            Verdict::Fault(fault) => Some(Fault { kind: fault.kind(), text: mask.fault(fault, &run.text) }),
            _ => None,
        },
        fuel: usage.fuel.units,
        fuel_at_least: usage.fuel.at_least,
        memory_bytes: usage.memory,
        instantiate_micros: usage.instantiate.as_micros(),
        call_micros: usage.call.as_micros(),
        release_micros: usage.release.as_micros(),
        consumed_clock: usage.consumed.clock,
        consumed_random: usage.consumed.random,
        log_lines_dropped: run.logs.dropped + left_out,
    }
}
