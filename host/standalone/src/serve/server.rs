//! Takes connections, sees to it that none of them is a burden to the others, and ends without losing a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::app::{App, router};
use crate::failure::Failure;

/// How long a connection may be without a whole head of a request, and how long a client may leave an answer unread.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of a request's head.
const MOST_HEAD: usize = 64 << 10;

/// How long requests are still taken after the word to end: what was sent before is answered.
const LAST_CALL: Duration = Duration::from_millis(250);

/// How long the last answers may take: what a decision may, and no longer than those who end programs wait.
const MOST_ENDING: Duration = Duration::from_secs(8);

/// How long a connection without a question is waited for after that.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The file handles that are left for other things than connections.
const OTHER_HANDLES: u64 = 64;

/// The most connections at once, whatever the system allows.
const MOST_CONNECTIONS: u64 = 16_384;

/// A server that listens.
pub(crate) struct Server {
    listener: TcpListener,
    app: Arc<App>,
    most: u32,
}

impl Server {
    /// Listens.
    pub(crate) async fn bind(address: SocketAddr, app: App) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::could_not_run(format!("cannot listen on {address}: {error}; choose another with `--listen`"))
        })?;
        Ok(Self { listener, app: Arc::new(app), most: most_connections() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        self.listener.local_addr().map_err(Failure::could_not_run)
    }

    /// Serves until the first word of `ends`, and then until everything is answered that was accepted, or until the second word.
    /// Gives whether everything was.
    pub(crate) async fn run(self, mut ends: Receiver<()>) -> bool {
        let Self { listener, app, most } = self;
        let connections = Arc::new(Semaphore::new(most as usize));
        let (closing, closed) = watch::channel(false);
        let answers = Answers { router: TowerToHyperService::new(router(app.clone())), app: app.clone() };
        let accept = {
            let connections = connections.clone();
            async move {
                loop {
                    // Further ones wait in the system's queue.
                    let Ok(place) = connections.clone().acquire_owned().await else { return };
                    let stream = match listener.accept().await {
                        Ok((stream, _)) => stream,
                        // The client went away, or the system has no room for now.
                        Err(_) => {
                            sleep(Duration::from_millis(10)).await;
                            continue;
                        }
                    };
                    let (answers, closed) = (answers.clone(), closed.clone());
                    tokio::spawn(async move {
                        let _place = place;
                        serve(stream, answers, closed).await;
                    });
                }
            }
        };
        let mut accept = Box::pin(accept);
        tokio::select! {
            () = accept.as_mut() => {}
            _ = ends.recv() => {}
        }
        app.end();
        let answered = async {
            let _ = timeout(LAST_CALL, accept.as_mut()).await;
            drop(accept);
            closing.send_replace(true);
            let _ = connections.acquire_many(most).await;
            app.work.none_left().await;
        };
        tokio::select! {
            answered = timeout(MOST_ENDING, answered) => answered.is_ok(),
            _ = ends.recv() => false,
        }
    }
}

/// What every connection asks.
#[derive(Clone)]
struct Answers {
    router: TowerToHyperService<Router>,
    app: Arc<App>,
}

impl Answers {
    /// Answers a request, and ends its connection once the server is about to end.
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let mut response = self.router.call(request).await?;
        if self.app.is_ending() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// Serves one connection until it ends, or until `closed` and the answer to what it asked.
async fn serve(stream: TcpStream, answers: Answers, mut closed: watch::Receiver<bool>) {
    // An answer is one small write: waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(PATIENCE));
    // Requests whose answer is being made.
    let asked = AtomicUsize::new(0);
    let service = service_fn(|request| {
        let (answers, asked) = (answers.clone(), &asked);
        async move {
            asked.fetch_add(1, Ordering::Relaxed);
            let answered = answers.answer(request).await;
            asked.fetch_sub(1, Ordering::Relaxed);
            answered
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MOST_HEAD)
        // A client that has nothing more to send may still read.
        .half_close(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    // How a connection ends is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closed.wait_for(|closed| *closed) => connection.as_mut().graceful_shutdown(),
    }
    // Half a head of a request is nothing to wait for, nor is an answer that nobody reads.
    while timeout(LAST_WORDS, connection.as_mut()).await.is_err() && asked.load(Ordering::Relaxed) > 0 {}
}

/// As many connections as the system allows handles, once it was asked for as many as it gives.
fn most_connections() -> u32 {
    #[cfg(unix)]
    let handles = {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(u64::MAX).min(MOST_CONNECTIONS + OTHER_HANDLES);
        let raised = current.is_some_and(|current| current < wanted)
            && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
        if raised { wanted } else { current.unwrap_or(wanted) }
    };
    #[cfg(not(unix))]
    let handles = u64::MAX;
    let most = handles.saturating_sub(OTHER_HANDLES).clamp(16, MOST_CONNECTIONS);
    u32::try_from(most).unwrap_or(u32::MAX)
}
