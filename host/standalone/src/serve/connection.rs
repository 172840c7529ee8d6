//! Serves a connection, and sees to it that it is no burden to the others.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

use super::app::{App, router};

/// How long a connection may be without a whole head of a request, and how long a client may leave an answer unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same while others wait for a place.
const CROWDED: Duration = Duration::from_secs(1);

/// How long a connection without a question is waited for at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The most bytes of a request's head.
const MOST_HEAD: usize = 64 << 10;

/// What all connections have in common.
#[derive(Clone)]
pub(super) struct Connections {
    router: TowerToHyperService<Router>,
    app: Arc<App>,
    /// True once connections are closed with their next answer, or without one.
    closed: watch::Receiver<bool>,
    /// Rung while there are no places left.
    pub(super) crowd: Arc<Notify>,
}

/// What is known of one connection.
struct Asked {
    /// Requests whose answer is being made.
    now: AtomicUsize,
    /// When there was none for the last time.
    idle_since: Mutex<Instant>,
}

impl Connections {
    pub(super) fn new(app: Arc<App>, closed: watch::Receiver<bool>) -> Self {
        Self { router: TowerToHyperService::new(router(app.clone())), app, closed, crowd: Arc::default() }
    }

    /// Serves one connection until it ends, or until all are closed and what it asked is answered.
    pub(super) async fn serve(self, stream: TcpStream) {
        // An answer is one small write: waiting for more would only delay it.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(PATIENCE));
        let asked = Asked { now: AtomicUsize::new(0), idle_since: Mutex::new(Instant::now()) };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(MOST_HEAD)
            // A client that has nothing more to send may still read.
            .half_close(true)
            .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(|request| self.answer(request, &asked)));
        let mut connection = pin!(connection);
        let mut closed = self.closed.clone();
        // What has come is read first. How a connection ends is the client's affair.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            _ = closed.wait_for(|closed| *closed) => connection.as_mut().graceful_shutdown(),
            () = self.crowded_out(&asked) => return,
        }
        // Half a head of a request is nothing to wait for, nor is an answer that nobody reads.
        while timeout(LAST_WORDS, connection.as_mut()).await.is_err() && asked.is_waited_for() {}
    }

    /// Answers a request, and ends its connection once the server is about to end.
    async fn answer(&self, request: Request<Incoming>, asked: &Asked) -> Result<Response, Infallible> {
        asked.now.fetch_add(1, Ordering::Relaxed);
        let mut response = self.router.call(request).await?;
        *asked.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        asked.now.fetch_sub(1, Ordering::Relaxed);
        if self.app.is_ending() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    /// Waits until others need the place of a connection that asks nothing.
    async fn crowded_out(&self, asked: &Asked) {
        loop {
            self.crowd.notified().await;
            let idle_since = *asked.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
            if !asked.is_waited_for() && idle_since.elapsed() > CROWDED {
                return;
            }
        }
    }
}

impl Asked {
    /// Whether an answer is being made.
    fn is_waited_for(&self) -> bool {
        self.now.load(Ordering::Relaxed) > 0
    }
}
