//! Is the function: takes each invocation as it came, has it answered, and posts the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};
use std::time::Instant;

use cogwit_core::release::Live;
use lambda_runtime::tower::Service;
use lambda_runtime::{Error, LambdaInvocation};
use tokio::task::{JoinError, spawn_blocking};

use crate::answer::{Answer, Decided, left};
use crate::asking::Asking;
use crate::environment::Environment;
use crate::looking::Looking;
use crate::runtime_api::RuntimeApi;
use crate::setup::Settings;

/// Answers invocations. Clones share everything.
#[derive(Clone)]
pub(crate) struct Function(Arc<Inner>);

/// What is the same for every invocation.
pub(crate) struct Inner {
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    pub(crate) live: Arc<Live>,
    asking: Asking,
    /// Where policies look on beside the decisions that follow; none: before the next event is asked for.
    pub(crate) looking: Option<Looking>,
    /// Whether an invocation came before.
    warm: AtomicBool,
    api: RuntimeApi,
}

impl Function {
    pub(crate) fn new(environment: Environment, settings: Settings, live: Live, api: RuntimeApi) -> Self {
        let (live, warm) = (Arc::new(live), AtomicBool::new(false));
        let asking = Asking::of(live.clone());
        let looking = (environment.concurrency > 1).then(Looking::start);
        Self(Arc::new(Inner { environment, settings, live, asking, looking, warm, api }))
    }
}

impl Inner {
    /// Decides an event that came at `since`: on this thread, where nothing else waits for it.
    async fn decide(
        self: &Arc<Self>,
        invocation: &Arc<LambdaInvocation>,
        since: Instant,
    ) -> Result<(Answer, Option<Decided>), JoinError> {
        let (inner, invocation) = (self.clone(), invocation.clone());
        let decide = move || Decided::by(inner, invocation, since).answered();
        match self.environment.concurrency {
            1 => Ok(decide()),
            _ => spawn_blocking(decide).await,
        }
    }

    /// Whether this is the first invocation of the process.
    pub(crate) fn is_cold(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }
}

impl Service<LambdaInvocation> for Function {
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            let since = Instant::now();
            let invocation = Arc::new(invocation);
            inner.asking.before(left(&invocation.context)).await;
            let (answer, watched) = inner.decide(&invocation, since).await?;
            // Where that fails, nobody was answered, so nobody looks on.
            inner.api.post(&invocation, answer).await?;
            match &inner.looking {
                // Before the next event is asked for: until then Lambda lets this process run. Whoever looks on may take all of
                // that time, so the store comes first: what it has may be rid of them.
                None => {
                    inner.asking.after(left(&invocation.context)).await;
                    watched.into_iter().for_each(|decided| decided.look_on(left(&invocation.context)));
                }
                Some(looking) => {
                    watched.into_iter().for_each(|decided| looking.take(decided));
                    let inner = inner.clone();
                    tokio::spawn(async move { inner.asking.after(None).await });
                }
            }
            Ok(())
        })
    }
}
