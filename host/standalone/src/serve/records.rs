//! Writes records to standard output on a thread of its own: whoever reads them slowly holds up no answer.

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::cmd::Format;
use crate::failure::Failure;
use crate::output;

/// How many bytes of records may wait to be written.
const MOST_WAITING: usize = 8 << 20;

/// How long the writer rests after it wrote: under load it writes many at a time, and nobody has to wake it for each.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the end of the program waits for the last of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where records go. Dropped, it writes what waits.
pub(crate) struct Records {
    pub(crate) format: Format,
    waiting: Option<Sender<String>>,
    /// Hung up once everything is written.
    written: Mutex<Receiver<()>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// The bytes that wait.
    waiting: AtomicUsize,
    /// The records that were not written.
    dropped: AtomicU64,
}

impl Records {
    /// Begins to write.
    pub(crate) fn new(format: Format) -> Result<Self, Failure> {
        let (waiting, records) = channel();
        let (end, written) = channel();
        let counts = Arc::<Counts>::default();
        let counted = counts.clone();
        let writer = std::thread::Builder::new().name("cogwit-records".to_owned()).spawn(move || {
            write(&records, &counted, format);
            drop::<Sender<()>>(end);
        });
        writer.map_err(|error| Failure::could_not_run(format!("no thread for the records: {error}")))?;
        Ok(Self { format, waiting: Some(waiting), written: Mutex::new(written), counts })
    }

    /// Has a record written. Where nobody takes them, it is dropped and counted: a log-in does not fail for it.
    pub(super) fn write(&self, record: String) {
        let size = record.len();
        let waits = self.counts.waiting.fetch_add(size, Ordering::Relaxed) + size;
        let sent = waits <= MOST_WAITING && self.waiting.as_ref().is_some_and(|waiting| waiting.send(record).is_ok());
        if !sent {
            self.counts.waiting.fetch_sub(size, Ordering::Relaxed);
            if self.counts.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
                output::report(
                    "error: standard output is read too slowly, so records are dropped; /metrics counts them\n",
                );
            }
        }
    }

    /// How many records were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
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
fn write(records: &Receiver<String>, counts: &Counts, format: Format) {
    let mut out = stdout(format);
    let mut told = false;
    while let Ok(record) = records.recv() {
        let (mut count, mut written) = (0, Ok(()));
        for record in std::iter::once(record).chain(records.try_iter()) {
            count += 1;
            written = written.and_then(|()| out.write_all(record.as_bytes()));
            counts.waiting.fetch_sub(record.len(), Ordering::Relaxed);
        }
        match written.and_then(|()| out.flush()) {
            Ok(()) => told = false,
            Err(error) => {
                counts.dropped.fetch_add(count, Ordering::Relaxed);
                if !told {
                    told = true;
                    output::report(&format!(
                        "error: records cannot be written: {error}; the answers go on without them\n"
                    ));
                }
                // Without what it holds: parts of that may have been written, so what comes begins a new line.
                let _ = std::mem::replace(&mut out, stdout(format)).into_parts();
                let _ = out.write_all(b"\n");
            }
        }
        sleep(PAUSE);
    }
}

/// JSON goes out as it is; a report has colours only on a terminal.
fn stdout(format: Format) -> BufWriter<Box<dyn Write>> {
    BufWriter::new(match format {
        Format::Json => Box::new(std::io::stdout()),
        Format::Text => Box::new(anstream::stdout()),
    })
}
