//! Sees to it that no more is decided at once than the machine can do, and says so where more is asked.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::refused::Refused;

/// How long an invocation waits for its turn: a fifth of the time that Cognito gives a try.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many may decide at once: a decision is work of a processor, and its deadline is one of wall time.
pub(crate) fn threads() -> u32 {
    available_parallelism().map_or(1, |threads| u32::try_from(threads.get()).unwrap_or(u32::MAX))
}

/// The threads that decide, and their queue: one that is done takes what is next, and no connection waits for them.
pub(crate) fn deciders() -> io::Result<Runtime> {
    Builder::new_current_thread().thread_name("cogwit-decider").max_blocking_threads(threads() as usize).build()
}

/// The thread on which policies look on. It yields to whatever has an answer to make.
pub(crate) fn lookers() -> io::Result<Runtime> {
    let yielding = || {
        // Where that cannot be, it takes its share. Linux counts a thread as a process here.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, 19);
    };
    Builder::new_current_thread().thread_name("cogwit-looker").max_blocking_threads(1).on_thread_start(yielding).build()
}

/// The invocations that are under way: decided just now, or waiting for it.
pub(crate) struct Work {
    most: u32,
    under_way: Arc<Semaphore>,
    deciders: Handle,
}

type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// Something that is under way.
pub(super) struct UnderWay<T> {
    /// What is to be done, until somebody takes it.
    waiting: Arc<Mutex<Option<Job<T>>>>,
    done: JoinHandle<Option<T>>,
}

impl Work {
    /// Takes up to `most` at once.
    pub(crate) fn new(most: u32, deciders: Handle) -> Self {
        Self { most, under_way: Arc::new(Semaphore::new(most as usize)), deciders }
    }

    /// Has something done once its turn has come, even if nobody waits for it.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<UnderWay<T>, Refused> {
        let place = self.under_way.clone().try_acquire_owned().map_err(|_| Refused::too_many(self.most))?;
        let job: Job<T> = Box::new(move || {
            let _place = place;
            work()
        });
        let waiting = Arc::new(Mutex::new(Some(job)));
        let taken = waiting.clone();
        let done = self.deciders.spawn_blocking(move || take(&taken).map(|job| job()));
        Ok(UnderWay { waiting, done })
    }

    /// Whether one more would be taken.
    pub(super) fn has_room(&self) -> bool {
        self.under_way.available_permits() > 0
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

impl<T> UnderWay<T> {
    /// What came of it. Where its turn does not come in time, nothing does.
    pub(super) async fn done(mut self) -> Result<T, Refused> {
        let done = match timeout(PATIENCE, &mut self.done).await {
            Ok(done) => done,
            Err(_) if take(&self.waiting).is_some() => {
                return Err(Refused::busy("the decisions before this one take too long"));
            }
            Err(_) => self.done.await,
        };
        done.ok().flatten().ok_or_else(Refused::host)
    }
}

/// Takes what is to be done, if it is still there.
fn take<T>(waiting: &Mutex<Option<Job<T>>>) -> Option<Job<T>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::sleep;

    use super::*;

    /// Has something asked of work that takes up to three at once for each thread.
    fn with_work<T>(ask: impl AsyncFnOnce(&Work) -> T) -> T {
        let deciders = deciders().unwrap();
        let work = Work::new(3 * threads(), deciders.handle().clone());
        Builder::new_current_thread().enable_time().build().unwrap().block_on(ask(&work))
    }

    #[test]
    fn what_breaks_leaves_its_place() {
        with_work(async |work| {
            for _ in 0..10 * threads() {
                let broke = work.begin(|| -> u8 { panic!("on purpose") }).unwrap();
                assert_eq!(broke.done().await, Err(Refused::host()));
            }
            assert_eq!(work.begin(|| 7).unwrap().done().await, Ok(7));
            work.none_left().await;
        });
    }

    #[test]
    fn more_than_the_most_is_refused_at_once() {
        with_work(async |work| {
            let slow = || sleep(Duration::from_millis(100));
            let begun: Vec<_> = (0..3 * threads()).map(|_| work.begin(slow).unwrap()).collect();
            assert_eq!(work.begin(|| ()).err(), Some(Refused::too_many(3 * threads())));
            for slow in begun {
                assert_eq!(slow.done().await, Ok(()));
            }
        });
    }

    #[test]
    fn what_waits_too_long_for_its_turn_is_never_done() {
        let was_done = Arc::new(AtomicBool::new(false));
        with_work(async |work| {
            let slow: Vec<_> =
                (0..threads()).map(|_| work.begin(|| sleep(PATIENCE + Duration::from_millis(500))).unwrap()).collect();
            let done = was_done.clone();
            let late = work.begin(move || done.store(true, Ordering::Relaxed)).unwrap();
            assert!(matches!(late.done().await, Err(refused) if refused != Refused::host()));
            for slow in slow {
                assert_eq!(slow.done().await, Ok(()));
            }
            work.none_left().await;
        });
        assert!(!was_done.load(Ordering::Relaxed));
    }
}
