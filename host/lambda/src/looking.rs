//! Lets policies look on where events come at once: at one after the other, on a thread that yields to whoever answers.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use crate::answer::Decided;

/// How many answered events wait for those who look on; at further ones nobody does.
const MOST: usize = 64;

/// The most bytes of an event that waits. All of them together have to be kept.
const MOST_BYTES: usize = 64 << 10;

/// The events that wait for the thread.
pub(crate) struct Looking(SyncSender<Decided>);

impl Looking {
    /// Starts the thread. Where none is to be had, nobody looks on, and the records say so.
    pub(crate) fn start() -> Self {
        let (sender, waiting) = sync_channel::<Decided>(MOST);
        let look = move || {
            // Where that cannot be, it takes its share. Linux counts a thread as a process here.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::setpriority_process(None, 19);
            // Their events were answered, so that they have a time of their own.
            waiting.into_iter().for_each(|decided| decided.look_on(None));
        };
        let _ = thread::Builder::new().name("cogwit-looker".to_owned()).spawn(look);
        Self(sender)
    }

    /// Whether such an event may wait.
    pub(crate) fn takes(event: &[u8]) -> bool {
        event.len() <= MOST_BYTES
    }

    /// Has policies look on at an answered event once its turn has come.
    pub(crate) fn take(&self, decided: Decided) {
        // What finds no room comes back, and is written as it is dropped.
        let _ = self.0.try_send(decided);
    }
}
