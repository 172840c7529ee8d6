//! Reads the body of a request: up to a size, within a time, and with little memory for many at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cogwit_core::event::MAX_EVENT_BYTES;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::refused::Refused;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a body that nobody asked for is read.
const DISCARDED: Duration = Duration::from_secs(2);

/// What every connection may send, in bytes: no event that Cognito sends comes near it.
const SMALL: usize = 64 << 10;

/// How many bodies may be larger at once.
const MOST_LARGE: usize = 16;

/// Reads bodies.
pub(super) struct Bodies {
    large: Arc<Semaphore>,
}

/// A body.
#[derive(Default)]
pub(super) struct Read {
    pub(super) bytes: Vec<u8>,
    /// Its leave to be large, which goes on to the answer: that is as large.
    pub(super) leave: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self { large: Arc::new(Semaphore::new(MOST_LARGE)) }
    }

    /// Reads a body of up to `most` bytes. Of a larger one, as much again is read and thrown away: a client that is still sending
    /// does not see an answer. After `last_call` it is not waited for.
    pub(super) async fn read(
        &self,
        body: Body,
        most: usize,
        last_call: impl Future<Output = ()>,
    ) -> Result<Read, Refused> {
        tokio::select! {
            read = self.collect(body, most) => read,
            () = sleep(PATIENCE) => Err(Refused::slow()),
            () = last_call => Err(Refused::slow()),
        }
    }

    /// Reads a body that nobody asked for, and throws it away.
    pub(super) async fn discard(&self, body: Body) {
        let _ = timeout(DISCARDED, self.collect(body, 0)).await;
    }

    async fn collect(&self, mut body: Body, most: usize) -> Result<Read, Refused> {
        let mut read = Read::default();
        let mut came = 0;
        let mut refused = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refused::content(format!("the body did not come whole: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            came += data.len();
            if came > SMALL && read.leave.is_none() && refused.is_none() {
                match self.large.clone().try_acquire_owned() {
                    Ok(leave) => read.leave = Some(leave),
                    Err(_) => refused = Some(Refused::busy("too many events of more than 64 KiB come at once")),
                }
            }
            if came > most {
                refused = Some(Refused::too_large(most));
            }
            if refused.is_some() {
                read = Read::default();
                if came > 2 * most.max(MAX_EVENT_BYTES) {
                    break;
                }
            } else {
                read.bytes.extend_from_slice(&data);
            }
        }
        refused.map_or(Ok(read), Err)
    }
}
