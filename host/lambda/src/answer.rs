//! Decides one invocation, lets policies look on once it is answered, and writes its record.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cogwit_core::record::{Record, Setting};
use cogwit_core::release::Serving;
use cogwit_core::reply::ErrorType;
use cogwit_core::run::Chance;
use cogwit_core::{Call, Decision};
use lambda_runtime::{Context, LambdaInvocation};

use crate::function::Inner;
use crate::log;

/// What is kept of Lambda's own time for the answer to be posted.
const RESERVE: Duration = Duration::from_millis(100);

/// What the Runtime API is told.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// The function error that it is; none: it is the reply.
    pub(crate) error: Option<ErrorType>,
}

/// An event that was decided.
pub(crate) struct Decided {
    decision: Decision,
    serving: Arc<Serving>,
    time: SystemTime,
    elapsed: Duration,
    cold: bool,
}

impl Decided {
    /// Decides an event that came at `since`. Whatever happens in there, there is an answer.
    pub(crate) fn by(inner: &Inner, invocation: &LambdaInvocation, since: Instant) -> Self {
        let (time, cold, serving) = (SystemTime::now(), inner.is_cold(), inner.live.serving());
        let call = call(inner, invocation, time);
        let decision = inner.live.decide(&serving, &call);
        Self { decision, serving, time, elapsed: since.elapsed(), cold }
    }

    /// Whether policies look on once it is answered.
    pub(crate) fn is_watched(&self) -> bool {
        self.decision.is_watched
    }

    pub(crate) fn answer(&self) -> Answer {
        let error = self.decision.reply.as_ref().err().map(|refusal| refusal.error_type);
        Answer { body: self.decision.body().into_owned(), error }
    }

    /// Lets policies look on.
    pub(crate) fn look_on(&mut self, inner: &Inner, invocation: &LambdaInvocation) {
        self.decision.shadows = inner.live.look_on(&self.serving, &call(inner, invocation, self.time), &self.decision);
    }

    /// Writes the record.
    pub(crate) fn record(&self, inner: &Inner, invocation: &LambdaInvocation) {
        let setting = Setting {
            function: &inner.environment.function,
            time: self.time,
            elapsed: self.elapsed,
            cold: self.cold,
            trace: invocation.context.xray_trace_id.as_deref(),
            masking: &inner.settings.config.masking,
            serving: &self.serving,
        };
        let set = inner.live.set(&self.serving, self.time).ok();
        log::record(&Record::line(set, &call(inner, invocation, self.time), &self.decision, &setting));
    }
}

/// What is asked of the policies.
fn call<'a>(inner: &Inner, invocation: &'a LambdaInvocation, now: SystemTime) -> Call<'a> {
    let context = &invocation.context;
    Call {
        trigger: inner.settings.config.trigger,
        end: left(context).and_then(|left| Instant::now().checked_add(left)),
        ..Call::new(&invocation.body, &context.request_id, Chance { now, seed: None })
    }
}

/// What is left of an invocation's time. A deadline that is past tells nothing: Lambda would have ended this already, and
/// emulators write what they like there.
pub(crate) fn left(context: &Context) -> Option<Duration> {
    let left = context.deadline().duration_since(SystemTime::now()).ok()?;
    Some(left.saturating_sub(RESERVE))
}
