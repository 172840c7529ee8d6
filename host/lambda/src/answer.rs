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
use crate::looking::Looking;

/// What is kept of Lambda's own time for the answer to be posted.
const RESERVE: Duration = Duration::from_millis(100);

/// What the Runtime API is told.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// The function error that it is; none: it is the reply.
    pub(crate) error: Option<ErrorType>,
}

/// An event that was decided. Dropped, it writes its record.
pub(crate) struct Decided {
    inner: Arc<Inner>,
    invocation: Arc<LambdaInvocation>,
    decision: Decision,
    serving: Arc<Serving>,
    time: SystemTime,
    elapsed: Duration,
    cold: bool,
}

impl Decided {
    /// Decides an event that came at `since`. Whatever happens in there, there is an answer.
    pub(crate) fn by(inner: Arc<Inner>, invocation: Arc<LambdaInvocation>, since: Instant) -> Self {
        let (time, cold, serving) = (SystemTime::now(), inner.is_cold(), inner.live.serving());
        let call = call(&inner, &invocation, time, left(&invocation.context));
        let decision = inner.live.decide(&serving, &call);
        Self { inner, invocation, decision, serving, time, elapsed: since.elapsed(), cold }
    }

    /// What its caller is told, and the event itself where policies look on once that was posted.
    pub(crate) fn answered(self) -> (Answer, Option<Self>) {
        let error = self.decision.reply.as_ref().err().map(|refusal| refusal.error_type);
        let answer = Answer { body: self.decision.body().into_owned(), error };
        let may_wait = self.inner.looking.is_none() || Looking::takes(&self.invocation.body);
        let is_watched = self.decision.is_watched && may_wait;
        (answer, is_watched.then_some(self))
    }

    /// Lets policies look on, for as long as is left.
    pub(crate) fn look_on(mut self, left: Option<Duration>) {
        let call = call(&self.inner, &self.invocation, self.time, left);
        self.decision.shadows = self.inner.live.look_on(&self.serving, &call, &self.decision);
    }
}

impl Drop for Decided {
    fn drop(&mut self) {
        let Inner { environment, settings, live, .. } = &*self.inner;
        let setting = Setting {
            function: &environment.function,
            time: self.time,
            elapsed: self.elapsed,
            cold: self.cold,
            trace: self.invocation.context.xray_trace_id.as_deref(),
            masking: &settings.config.masking,
            serving: &self.serving,
        };
        let call = call(&self.inner, &self.invocation, self.time, None);
        log::record(&Record::line(live.set(&self.serving, self.time).ok(), &call, &self.decision, &setting));
    }
}

/// What is asked of the policies, with what is left of their time.
fn call<'a>(inner: &Inner, invocation: &'a LambdaInvocation, now: SystemTime, left: Option<Duration>) -> Call<'a> {
    Call {
        trigger: inner.settings.config.trigger,
        end: left.and_then(|left| Instant::now().checked_add(left)),
        ..Call::new(&invocation.body, &invocation.context.request_id, Chance { now, seed: None })
    }
}

/// What is left of an invocation's time. A deadline that is past tells nothing: Lambda would have ended this already, and
/// emulators write what they like there.
pub(crate) fn left(context: &Context) -> Option<Duration> {
    let left = context.deadline().duration_since(SystemTime::now()).ok()?;
    Some(left.saturating_sub(RESERVE))
}
