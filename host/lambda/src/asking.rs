//! Asks the store what is to be served, where no answer waits for that, or only for a while.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cogwit_core::release::Live;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// Asks the store, one question after the other. Clones share everything.
#[derive(Clone)]
pub(crate) struct Asking {
    live: Arc<Live>,
    turn: Arc<Mutex<()>>,
}

impl Asking {
    pub(crate) fn of(live: Arc<Live>) -> Self {
        Self { live, turn: Arc::default() }
    }

    /// Before a decision: asks where the set went unconfirmed for too long. The decision waits for the half of what is left of its
    /// time at most, and never longer than the operator allows.
    pub(crate) async fn before(&self, left: Option<Duration>) {
        if !self.live.is_stale(SystemTime::now()) {
            return;
        }
        let budget = self.live.budget();
        let most = left.map_or(budget, |left| budget.min(left / 2));
        let asked = async {
            let turn = self.turn.clone().lock_owned().await;
            // Somebody else may have asked meanwhile.
            if self.live.is_stale(SystemTime::now()) {
                self.ask(turn, most).await;
            }
        };
        let _ = timeout(most, asked).await;
    }

    /// After an answer was posted: asks where it is time to, for as long as Lambda would not end the function for it.
    pub(crate) async fn after(&self, left: Option<Duration>) {
        if let Some(turn) = self.turn.clone().try_lock_owned().ok().filter(|_| self.live.is_due(SystemTime::now())) {
            self.ask(turn, left.unwrap_or_else(|| self.live.budget())).await;
        }
    }

    /// Asks for a while. What does not come to its end by then does so while the next event is waited for or decided; and if it
    /// panics, it is alone in that.
    async fn ask(&self, turn: OwnedMutexGuard<()>, most: Duration) {
        // What is left over is for admitting what was read.
        let budget = self.live.budget().min(most.mul_f64(0.9));
        let live = self.live.clone();
        let asking = tokio::spawn(async move {
            let _turn = turn;
            live.refresh(budget).await
        });
        let _ = timeout(most, asking).await;
    }
}
