//! Is the function: takes each invocation as it came, has it answered, and posts the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};

use cogwit_core::config::Config;
use lambda_runtime::tower::Service;
use lambda_runtime::{Error, LambdaInvocation};
use tokio::task::spawn_blocking;

use crate::answer::Answer;
use crate::environment::Environment;
use crate::runtime_api::RuntimeApi;
use crate::setup::Serving;

/// Answers invocations. Clones share everything.
#[derive(Clone)]
pub(crate) struct Function(Arc<Inner>);

/// What is the same for every invocation.
pub(crate) struct Inner {
    pub(crate) environment: Environment,
    pub(crate) config: Config,
    pub(crate) serving: Serving,
    /// Whether an invocation came before.
    warm: AtomicBool,
    api: RuntimeApi,
}

impl Function {
    pub(crate) fn new(environment: Environment, config: Config, serving: Serving, api: RuntimeApi) -> Self {
        Self(Arc::new(Inner { environment, config, serving, warm: AtomicBool::new(false), api }))
    }
}

impl Inner {
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
            let invocation = Arc::new(invocation);
            let answer = match inner.environment.concurrency {
                // Nothing else waits for this thread.
                1 => Answer::to(&inner, &invocation),
                _ => {
                    let (inner, invocation) = (inner.clone(), invocation.clone());
                    spawn_blocking(move || Answer::to(&inner, &invocation)).await?
                }
            };
            inner.api.post(&invocation, answer).await
        })
    }
}
