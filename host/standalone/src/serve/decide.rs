//! Decides one invocation, lets policies look on once it is answered, and writes its record.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::http::HeaderMap;
use cogwit_core::config::Config;
use cogwit_core::event::{Event, EventError};
use cogwit_core::record::{Record, Setting};
use cogwit_core::release::Serving;
use cogwit_core::reply::ErrorType;
use cogwit_core::run::Chance;
use cogwit_core::store::PolicySet;
use cogwit_core::text::lines;
use cogwit_core::{Call, Decision, Outcome};
use tokio::sync::OwnedSemaphorePermit;

use super::app::App;
use super::body::Read;
use super::function::{Function, LATEST};
use super::headers::{trace, wants_log};
use super::refused::Refused;
use super::work::UnderWay;
use crate::cmd::Format;
use crate::report;

/// How long an answer may take: what Cognito waits for one, less what the way back takes. Those who look on have as long.
const PATIENCE: Duration = Duration::from_millis(4_900);

/// How long an answered event waits for those who look on. Its record waits with it.
const MOST_WAITING: Duration = Duration::from_secs(2);

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

    /// What is asked of the policies.
    fn call(&self, config: &Config, now: SystemTime) -> Call<'_> {
        Call {
            trigger: config.trigger,
            policy: self.function.policy.as_deref(),
            end: self.since.checked_add(PATIENCE),
            ..Call::new(&self.body.bytes, &self.id, Chance { now, seed: None })
        }
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
    pub(super) body: Reply,
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
    fn decide(self: Arc<Self>, invocation: Invocation) -> Result<Answer, Refused> {
        let mut decided = Decided::by(self, invocation);
        if let Outcome::EventRefused(error) = &decided.decision.outcome
            && is_no_json(error)
        {
            return Err(no_json(error));
        }
        let error = decided.decision.reply.as_ref().err().map(|refusal| refusal.error_type);
        let version = version(&decided.serving);
        let log = decided.invocation.wants_log.then(|| decided.tail(&version));
        let bytes = match &mut decided.decision.reply {
            Ok(event) => mem::take(event),
            Err(refusal) => refusal.to_json(),
        };
        let leave = decided.invocation.body.leave.take();
        // Where many wait for that already, nobody looks on, and the record says so. Nor does anybody at a large event, which
        // would have to be kept beyond its leave.
        let is_watched = decided.decision.is_watched && leave.is_none() && decided.app.shadows.has_room();
        let body = Reply { bytes, _leave: leave, decided: is_watched.then_some(decided) };
        Ok(Answer { body, error, version, log })
    }
}

/// The bytes of an answer. They are let go of once they are written, and then policies may look on.
pub(super) struct Reply {
    bytes: Vec<u8>,
    /// The event's leave to be large: its answer is as large.
    _leave: Option<OwnedSemaphorePermit>,
    /// Where policies look on.
    decided: Option<Decided>,
}

impl AsRef<[u8]> for Reply {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(decided) = self.decided.take() {
            let (app, answered) = (decided.app.clone(), Instant::now());
            // Where others were faster, its record is written all the same.
            let _ = app.shadows.begin(move || decided.look_on(answered));
        }
    }
}

/// An event that was decided. Dropped, it writes its record.
struct Decided {
    app: Arc<App>,
    invocation: Invocation,
    serving: Arc<Serving>,
    decision: Decision,
    time: SystemTime,
    elapsed: Duration,
    cold: bool,
}

impl Decided {
    fn by(app: Arc<App>, invocation: Invocation) -> Self {
        let (time, cold, serving) = (SystemTime::now(), app.is_cold(), app.live.serving());
        let call = invocation.call(&app.config, time);
        // A set that was swapped since the caller was let in may have lost the policy.
        let decision = match has_policy(&serving, &invocation.function) {
            Ok(()) => app.live.decide(&serving, &call),
            Err(refused) => Decision::fault(call.id, &refused.to_string()),
        };
        let elapsed = invocation.since.elapsed();
        app.metrics.decided(&decision, elapsed);
        Self { app, invocation, serving, decision, time, elapsed, cold }
    }

    /// Lets policies look on at what was answered then, unless it waited too long or the server is about to end.
    fn look_on(mut self, answered: Instant) {
        let now = Instant::now();
        if now.duration_since(answered) <= MOST_WAITING && !self.app.is_ending() {
            let call = self.invocation.call(&self.app.config, self.time);
            // They have a time of their own.
            let call = Call { end: now.checked_add(PATIENCE), ..call };
            self.decision.shadows = self.app.live.look_on(&self.serving, &call, &self.decision);
            self.app.metrics.looked_on(&self.decision.shadows);
        }
    }

    /// The record as a line of JSON.
    fn line(&self) -> String {
        let call = self.invocation.call(&self.app.config, self.time);
        let setting = Setting {
            function: &self.invocation.function.name,
            time: self.time,
            elapsed: self.elapsed,
            cold: self.cold,
            trace: self.invocation.trace.as_deref(),
            masking: &self.app.config.masking,
            serving: &self.serving,
        };
        Record::line(self.set(), &call, &self.decision, &setting)
    }

    /// The lines of the log that Lambda keeps of an invocation. Nobody looked on by then.
    fn tail(&mut self, version: &str) -> String {
        let is_watched = mem::take(&mut self.decision.is_watched);
        let (id, record) = (&self.invocation.id, self.line());
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        let tail = format!(
            "START RequestId: {id} Version: {version}\n{record}\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\n"
        );
        self.decision.is_watched = is_watched;
        tail
    }

    /// The set that decided.
    fn set(&self) -> Option<&PolicySet> {
        self.app.live.set(&self.serving, self.time).ok()
    }
}

impl Drop for Decided {
    fn drop(&mut self) {
        let record = match self.app.records.format {
            Format::Json => self.line(),
            Format::Text => {
                let name = self.set().map_or("none", |set| set.name.as_str());
                let time = humantime::format_rfc3339_seconds(self.time);
                let report = report::text(name, &[], &self.invocation.body.bytes, &self.decision);
                lines(&format!("{time}  {}  {}\n{report}", self.invocation.function.name, self.invocation.id))
            }
        };
        self.app.records.write(record + "\n");
        if self.decision.is_unwatched() {
            self.app.metrics.unwatched();
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
