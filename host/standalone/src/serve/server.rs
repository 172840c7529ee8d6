//! Takes connections, as many as there is room for, and ends without losing a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::app::App;
use super::connection::Connections;
use crate::failure::Failure;

/// How long connections are still taken after the word to end.
const LAST_CALL: Duration = Duration::from_millis(250);

/// How long what was sent over them may still be on its way to be read.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// How long the last answers may take, and whoever looks on by then: what a decision may. With the last records that is less than
/// those who end programs wait.
const MOST_ENDING: Duration = Duration::from_secs(6);

/// How long a caller waits for a place before those are asked to leave who hold one for nothing.
const CROWDED: Duration = Duration::from_millis(100);

/// The file handles that are left for other things than connections.
const OTHER_HANDLES: u64 = 64;

/// The most connections at once, whatever the system allows. Each may hold 128 KiB that nobody else counts.
const MOST_CONNECTIONS: u64 = 4_096;

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
        let places = Arc::new(Semaphore::new(most as usize));
        let (closing, closed) = watch::channel(false);
        let connections = Connections::new(app.clone(), closed);
        let mut accept = Box::pin(accept(listener, places.clone(), connections));
        tokio::select! {
            () = accept.as_mut() => {}
            _ = ends.recv() => {}
        }
        app.end();
        let end = Instant::now() + MOST_ENDING;
        let answered = async {
            let _ = timeout(LAST_CALL, accept.as_mut()).await;
            drop(accept);
            sleep(ON_ITS_WAY).await;
            closing.send_replace(true);
            let _ = places.acquire_many(most).await;
            app.work.none_left().await;
        };
        let answered = tokio::select! {
            answered = timeout_at(end, answered) => answered.is_ok(),
            _ = ends.recv() => return false,
        };
        // No answer hangs on those who look on; records do.
        tokio::select! {
            _ = timeout_at(end, app.shadows.none_left()) => {}
            _ = ends.recv() => {}
        }
        answered
    }
}

/// Takes connections as long as there are places. Further ones wait in the system's queue.
async fn accept(listener: TcpListener, places: Arc<Semaphore>, connections: Connections) {
    loop {
        let Some(place) = place(&places, &connections.crowd).await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // The client went away, or the system has no room for now.
            Err(_) => {
                sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let connections = connections.clone();
        tokio::spawn(async move {
            let _place = place;
            connections.serve(stream).await;
        });
    }
}

/// Waits for a place. Meanwhile those who ask nothing are told to leave theirs.
async fn place(places: &Arc<Semaphore>, crowd: &Notify) -> Option<OwnedSemaphorePermit> {
    loop {
        match timeout(CROWDED, places.clone().acquire_owned()).await {
            Ok(place) => return place.ok(),
            Err(_) => crowd.notify_waiters(),
        }
    }
}

/// As many connections as the system allows handles, once it was asked for as many as it gives.
fn most_connections() -> u32 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(MOST_CONNECTIONS + OTHER_HANDLES);
    let raised = current.is_some_and(|current| current < wanted)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
    let handles = if raised { wanted } else { current.unwrap_or(wanted) };
    let most = handles.saturating_sub(OTHER_HANDLES).clamp(16, MOST_CONNECTIONS);
    u32::try_from(most).unwrap_or(u32::MAX)
}
