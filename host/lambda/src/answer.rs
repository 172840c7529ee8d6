//! Decides one invocation and writes its record.

use std::time::{Duration, Instant, SystemTime};

use cogwit_core::Call;
use cogwit_core::record::{Record, Setting};
use cogwit_core::reply::ErrorType;
use cogwit_core::run::Chance;
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

impl Answer {
    /// Decides an event that came at `since`, and writes the record. Whatever happens in there, there is an answer.
    pub(crate) fn to(inner: &Inner, invocation: &LambdaInvocation, since: Instant) -> Self {
        let (time, cold) = (SystemTime::now(), inner.is_cold());
        let context = &invocation.context;
        let call = Call {
            event: &invocation.body,
            id: &context.request_id,
            trigger: inner.settings.config.trigger,
            policy: None,
            bucket: None,
            end: left(context).and_then(|left| Instant::now().checked_add(left)),
            chance: Chance { now: time, seed: None },
        };
        let serving = inner.live.serving();
        let decision = inner.live.decide(&serving, &call);
        let setting = Setting {
            function: &inner.environment.function,
            time,
            elapsed: since.elapsed(),
            cold,
            trace: context.xray_trace_id.as_deref(),
            masking: &inner.settings.config.masking,
            serving: &serving,
            unwatched: false,
        };
        log::record(&Record::line(inner.live.set(&serving, time).ok(), &call, &decision, &setting));
        Self {
            error: decision.reply.as_ref().err().map(|refusal| refusal.error_type),
            body: decision.body().into_owned(),
        }
    }
}

/// What is left of an invocation's time. A deadline that is past tells nothing: Lambda would have ended this already, and
/// emulators write what they like there.
pub(crate) fn left(context: &Context) -> Option<Duration> {
    let left = context.deadline().duration_since(SystemTime::now()).ok()?;
    Some(left.saturating_sub(RESERVE))
}
