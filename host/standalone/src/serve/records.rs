//! Writes records to standard output on a thread of its own: whoever reads them slowly holds up no answer.

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::cmd::Format;
use crate::failure::Failure;
use crate::output;

/// How many records may wait to be written.
const MOST_WAITING: usize = 1024;

/// How long the writer rests after it wrote: under load it writes many at a time, and nobody has to wake it for each.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the end of the program waits for the last of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where records go. Dropped, it writes what waits.
pub(crate) struct Records {
    pub(crate) format: Format,
    waiting: Option<SyncSender<String>>,
    /// Hung up once everything is written.
    written: Mutex<Receiver<()>>,
    dropped: Arc<AtomicU64>,
}

impl Records {
    /// Begins to write.
    pub(crate) fn new(format: Format) -> Result<Self, Failure> {
        let (waiting, records) = sync_channel(MOST_WAITING);
        let (end, written) = channel();
        let dropped = Arc::<AtomicU64>::default();
        let lost = dropped.clone();
        let writer = std::thread::Builder::new().name("cogwit-records".to_owned()).spawn(move || {
            write(&records, &lost);
            drop::<Sender<()>>(end);
        });
        writer.map_err(|error| Failure::could_not_run(format!("no thread for the records: {error}")))?;
        Ok(Self { format, waiting: Some(waiting), written: Mutex::new(written), dropped })
    }

    /// Has a record written. Where nobody takes them, it is dropped and counted: a log-in does not fail for it.
    pub(super) fn write(&self, record: String) {
        let sent = self.waiting.as_ref().map(|waiting| waiting.try_send(record));
        if let Some(Err(TrySendError::Full(_))) = sent
            && self.dropped.fetch_add(1, Ordering::Relaxed) == 0
        {
            output::report("error: standard output is read too slowly, so records are dropped; /metrics counts them\n");
        }
    }

    /// How many records were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.waiting = None;
        let written = self.written.get_mut().unwrap_or_else(PoisonError::into_inner);
        if written.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            output::report("error: the last records are not written: standard output is read too slowly\n");
        }
    }
}

/// Writes what comes, and hands it on whenever nothing waits. What cannot be written is counted, and told of once.
fn write(records: &Receiver<String>, lost: &AtomicU64) {
    let mut out = BufWriter::new(anstream::stdout());
    let mut told = false;
    while let Ok(record) = records.recv() {
        let mut count = 1;
        let mut written = out.write_all(record.as_bytes());
        while let Ok(record) = records.try_recv() {
            count += 1;
            written = written.and_then(|()| out.write_all(record.as_bytes()));
        }
        match written.and_then(|()| out.flush()) {
            Ok(()) => told = false,
            Err(error) => {
                lost.fetch_add(count, Ordering::Relaxed);
                if !told {
                    told = true;
                    output::report(&format!(
                        "error: records cannot be written: {error}; the answers go on without them\n"
                    ));
                }
                // Without what it holds: parts of that may have been written.
                let _ = std::mem::replace(&mut out, BufWriter::new(anstream::stdout())).into_parts();
            }
        }
        sleep(PAUSE);
    }
}
