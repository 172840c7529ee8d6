//! Decides one invocation, and writes its record.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::http::HeaderMap;
use cogwit_core::event::{Event, EventError};
use cogwit_core::record::{Record, Setting};
use cogwit_core::release::Serving;
use cogwit_core::reply::ErrorType;
use cogwit_core::run::Chance;
use cogwit_core::{Call, Decision, Outcome};

use super::app::App;
use super::body::Read;
use super::function::{Function, LATEST};
use super::headers::{trace, wants_log};
use super::refused::Refused;
use super::work::UnderWay;
use crate::cmd::Format;
use crate::report;

/// How long an answer may take: what Cognito waits for one, less what the way back takes.
const PATIENCE: Duration = Duration::from_millis(4_900);

/// An event to decide.
pub(super) struct Invocation {
    function: Function,
    body: Read,
    id: String,
    trace: Option<String>,
    wants_log: bool,
    since: Instant,
}

impl Invocation {
    pub(super) fn new(function: Function, id: &str, headers: &HeaderMap, mut body: Read) -> Result<Self, Refused> {
        // Lambda hands a call without a payload to the function as an empty object.
        if body.bytes.is_empty() {
            body.bytes = b"{}".to_vec();
        }
        let (trace, wants_log) = (trace(headers), wants_log(headers)?);
        Ok(Self { function, body, id: id.to_owned(), trace, wants_log, since: Instant::now() })
    }

    /// Refuses what is no JSON where the decision itself comes too late for that.
    pub(super) fn check(&self) -> Result<(), Refused> {
        match Event::parse(&self.body.bytes) {
            Err(error) if is_no_json(&error) => Err(no_json(&error)),
            _ => Ok(()),
        }
    }
}

/// What came of it.
pub(super) struct Answer {
    pub(super) body: Read,
    /// The function error that it is; none: it is the reply.
    pub(super) error: Option<ErrorType>,
    /// What decided: the channel's sequence, if there is one.
    pub(super) version: String,
    /// Its lines of the log, if they are wanted.
    pub(super) log: Option<String>,
}

impl App {
    /// Has an event decided once its turn has come.
    pub(super) fn begin(
        self: &Arc<Self>,
        invocation: Invocation,
    ) -> Result<UnderWay<Result<Answer, Refused>>, Refused> {
        let app = self.clone();
        self.work.begin(move || app.decide(invocation))
    }

    /// Decides an event by what serves now.
    fn decide(&self, invocation: Invocation) -> Result<Answer, Refused> {
        let (time, cold) = (SystemTime::now(), self.is_cold());
        let serving = self.live.serving();
        let function = &invocation.function;
        let call = Call {
            event: &invocation.body.bytes,
            id: &invocation.id,
            trigger: self.config.trigger,
            policy: function.policy.as_deref(),
            bucket: None,
            end: invocation.since.checked_add(PATIENCE),
            chance: Chance { now: time, seed: None },
        };
        // A set that was swapped since the caller was let in may have lost the policy.
        let decision = match has_policy(&serving, function) {
            Ok(()) => self.live.decide(&serving, &call),
            Err(refused) => Decision::fault(call.id, &refused.to_string()),
        };
        let setting = Setting {
            function: &function.name,
            time,
            elapsed: invocation.since.elapsed(),
            cold,
            trace: invocation.trace.as_deref(),
            masking: &self.config.masking,
            serving: &serving,
            unwatched: false,
        };
        self.metrics.decided(&decision, setting.elapsed);
        let version = version(&serving);
        let line = self.record(&call, &decision, &setting, invocation.wants_log);
        let log = line.map(|line| tail(&invocation.id, &version, &line, setting.elapsed));
        match &decision.outcome {
            Outcome::EventRefused(error) if is_no_json(error) => Err(no_json(error)),
            _ => {
                let error = decision.reply.as_ref().err().map(|refusal| refusal.error_type);
                let body = Read { bytes: decision.body().into_owned(), leave: invocation.body.leave };
                Ok(Answer { body, error, version, log })
            }
        }
    }

    /// Writes the record, and gives it as a line if it is wanted.
    fn record(&self, call: &Call<'_>, decision: &Decision, setting: &Setting<'_>, wanted: bool) -> Option<String> {
        let set = self.live.set(setting.serving, setting.time).ok();
        let line = || Record::line(set, call, decision, setting);
        match self.records.format {
            Format::Json => {
                let line = line();
                let kept = wanted.then(|| line.clone());
                self.records.write(line + "\n");
                kept
            }
            Format::Text => {
                let name = set.map_or("none", |set| set.name.as_str());
                let time = humantime::format_rfc3339_seconds(setting.time);
                let report = report::text(name, &[], call.event, decision);
                self.records.write(format!("{time}  {}  {}\n{report}\n", setting.function, call.id));
                wanted.then(line)
            }
        }
    }
}

/// Lambda asks no function about what is no JSON.
fn is_no_json(error: &EventError) -> bool {
    matches!(error, EventError::NotJson { .. } | EventError::NotUtf8 { .. })
}

fn no_json(error: &EventError) -> Refused {
    Refused::content(format!("Could not parse request body into json: {error}"))
}

/// Refuses a function that stands for a policy which the set does not have.
pub(super) fn has_policy(serving: &Serving, function: &Function) -> Result<(), Refused> {
    let (Some(wanted), Ok(set)) = (&function.policy, &serving.set) else { return Ok(()) };
    let names: Vec<_> = set.policies.iter().map(|policy| policy.name.as_str()).collect();
    if names.contains(&wanted.as_str()) { Ok(()) } else { Err(Refused::no_policy(wanted, &names)) }
}

/// What `X-Amz-Executed-Version` says.
pub(super) fn version(serving: &Serving) -> String {
    serving.sequence().map_or_else(|| LATEST.to_owned(), |sequence| sequence.to_string())
}

/// The lines of the log that Lambda keeps of an invocation.
fn tail(id: &str, version: &str, record: &str, elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    format!(
        "START RequestId: {id} Version: {version}\n{record}\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\n"
    )
}
