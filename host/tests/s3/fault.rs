//! Names the faults of a bad day, decides which request meets one, and spoils its answer.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Sleep, sleep};

/// How a request goes wrong. Before the first three and the refusals of `CloseAfter`, nothing comes to pass;
/// before all others, what was asked for does.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An error of this status, with the XML that S3 sends with it.
    Status(u16),
    /// The connection is reset, without an answer.
    Reset,
    /// There never is an answer.
    Hang,
    /// So many requests go through, every later one meets a reset: a client that is cut off.
    CloseAfter(usize),
    /// The request is done, but the connection closed before its answer, as by a server that dies.
    LoseAnswer,
    /// The body comes by so many bytes, with a pause after each.
    Drip {
        /// At once.
        bytes: usize,
        /// The pause.
        every: Duration,
    },
    /// The whole length is promised, and the connection closed after so many bytes of the body, if it has more.
    Truncate(usize),
    /// A read gets so many zeros, and is told their number.
    Oversize(u64),
    /// A read gets zeros without end and without a length.
    Endless,
    /// A read gets these bytes, as though they were the object.
    Replace(Vec<u8>),
}

/// The requests that a fault is for.
pub(super) struct Rule {
    applies: Box<Applies>,
    fault: Fault,
    passed: AtomicUsize,
}

type Applies = dyn Fn(&Method, &str) -> bool + Send + Sync;

impl Rule {
    pub(super) fn new(applies: impl Fn(&Method, &str) -> bool + Send + Sync + 'static, fault: Fault) -> Self {
        Self { applies: Box::new(applies), fault, passed: AtomicUsize::new(0) }
    }

    /// The fault, if this request meets it.
    pub(super) fn meets(&self, method: &Method, key: &str) -> Option<Fault> {
        let applies = (self.applies)(method, key);
        match self.fault {
            _ if !applies => None,
            Fault::CloseAfter(most) => (self.passed.fetch_add(1, Ordering::SeqCst) >= most).then_some(Fault::Reset),
            _ => Some(self.fault.clone()),
        }
    }
}

/// Why the server ends a connection.
#[derive(Debug)]
pub(super) enum Cut {
    Reset,
    Close,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Cut {}

/// The body of an answer, as it leaves.
pub(super) struct Outgoing {
    data: Bytes,
    /// Zeros behind the data.
    zeros: u64,
    /// The most bytes at once.
    step: usize,
    /// The pause after each step.
    every: Option<Duration>,
    pause: Option<Pin<Box<Sleep>>>,
    /// The connection closes behind all of it.
    cut: bool,
}

/// Puts the length to an answer, and spoils it.
pub(super) fn send(answer: Response<Bytes>, reads: bool, fault: Option<&Fault>) -> Response<Outgoing> {
    let (mut head, data) = answer.into_parts();
    let mut length = Some(data.len() as u64);
    let mut body = Outgoing { data, zeros: 0, step: usize::MAX, every: None, pause: None, cut: false };
    match fault {
        Some(Fault::Drip { bytes, every }) => (body.step, body.every) = ((*bytes).max(1), Some(*every)),
        Some(Fault::Truncate(bytes)) if *bytes < body.data.len() => {
            body.data.truncate(*bytes);
            body.cut = true;
            // What was written before leaves in a pause, or it would be dropped with the connection.
            body.every = Some(Duration::from_millis(1));
            body.pause = body.every.map(|every| Box::pin(sleep(every)));
        }
        Some(Fault::Oversize(bytes)) if reads => (head.status, body.data, body.zeros, length) = zeros(Some(*bytes)),
        Some(Fault::Endless) if reads => (head.status, body.data, body.zeros, length) = zeros(None),
        _ => {}
    }
    let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
    if let Some(length) = length.filter(|_| !bodiless) {
        head.headers.insert("content-length", HeaderValue::from(length));
    }
    Response::from_parts(head, body)
}

fn zeros(length: Option<u64>) -> (StatusCode, Bytes, u64, Option<u64>) {
    (StatusCode::OK, Bytes::new(), length.unwrap_or(u64::MAX), length)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        let body = self.get_mut();
        if let Some(pause) = &mut body.pause {
            ready!(pause.as_mut().poll(context));
            body.pause = None;
        }
        let next = if !body.data.is_empty() {
            body.data.split_to(body.step.min(body.data.len()))
        } else if body.zeros > 0 {
            let bytes = usize::try_from(body.zeros).map_or(ZEROS.len(), |zeros| zeros.min(ZEROS.len()));
            body.zeros -= bytes as u64;
            Bytes::from_static(&ZEROS).slice(..bytes)
        } else {
            return Poll::Ready(body.cut.then_some(Err(Cut::Close)));
        };
        body.pause = body.every.map(|every| Box::pin(sleep(every)));
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.zeros == 0 && !self.cut
    }
}
