//! Sees to it that no more is decided at once than the machine can do, and says so where more is asked.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::refused::Refused;

/// How long an invocation waits for its turn: a fifth of the time that Cognito gives a try.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many may decide at once: a decision is work of a processor, and its deadline is one of wall time.
pub(crate) fn threads() -> u32 {
    available_parallelism().map_or(1, |threads| u32::try_from(threads.get()).unwrap_or(u32::MAX))
}

/// The invocations that are under way: decided just now, or waiting for it.
pub(super) struct Work {
    most: u32,
    under_way: Arc<Semaphore>,
    deciding: Arc<Semaphore>,
}

/// The leave to decide one event.
pub(super) struct Turn {
    _under_way: OwnedSemaphorePermit,
    _deciding: OwnedSemaphorePermit,
}

impl Work {
    pub(super) fn new(most: u32) -> Self {
        let permits = |count: u32| Arc::new(Semaphore::new(count as usize));
        Self { most, under_way: permits(most), deciding: permits(threads()) }
    }

    /// Waits for the turn of an invocation.
    pub(super) async fn turn(&self) -> Result<Turn, Refused> {
        let too_many = |_| Refused::too_many(self.most);
        let under_way = self.under_way.clone().try_acquire_owned().map_err(too_many)?;
        match timeout(PATIENCE, self.deciding.clone().acquire_owned()).await {
            Ok(Ok(deciding)) => Ok(Turn { _under_way: under_way, _deciding: deciding }),
            _ => Err(Refused::busy("the decisions before this one take too long")),
        }
    }

    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        (self.most as usize).saturating_sub(self.under_way.available_permits())
    }

    /// Waits until none is.
    pub(super) async fn none_left(&self) {
        let _ = self.under_way.acquire_many(self.most).await;
    }
}
