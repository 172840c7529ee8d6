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

use crate::answer::{Decided, left};
use crate::asking::Asking;
use crate::environment::Environment;
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
    /// Whether an invocation came before.
    warm: AtomicBool,
    api: RuntimeApi,
}

impl Function {
    pub(crate) fn new(environment: Environment, settings: Settings, live: Live, api: RuntimeApi) -> Self {
        let (live, warm) = (Arc::new(live), AtomicBool::new(false));
        let asking = Asking::of(live.clone());
        Self(Arc::new(Inner { environment, settings, live, asking, warm, api }))
    }
}

impl Inner {
    /// Does work of a processor for an invocation: on this thread, where nothing else waits for it.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        invocation: &Arc<LambdaInvocation>,
        work: impl FnOnce(&Self, &LambdaInvocation) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        if self.environment.concurrency == 1 {
            return Ok(work(self, invocation));
        }
        let (inner, invocation) = (self.clone(), invocation.clone());
        spawn_blocking(move || work(&inner, &invocation)).await
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
            let (decided, answer) = inner
                .work(&invocation, move |inner, invocation| {
                    let decided = Decided::by(inner, invocation, since);
                    if !decided.is_watched() {
                        decided.record(inner, invocation);
                    }
                    let answer = decided.answer();
                    (Some(decided).filter(|decided| decided.is_watched()), answer)
                })
                .await?;
            let posted = inner.api.post(&invocation, answer).await;
            if let Some(mut decided) = decided {
                inner
                    .work(&invocation, move |inner, invocation| {
                        decided.look_on(inner, invocation);
                        decided.record(inner, invocation);
                    })
                    .await?;
            }
            posted?;
            match inner.environment.concurrency {
                // Before the next event is asked for: until then Lambda lets this process run.
                1 => inner.asking.after(left(&invocation.context)).await,
                _ => drop(tokio::spawn(async move { inner.asking.after(None).await })),
            }
            Ok(())
        })
    }
}
