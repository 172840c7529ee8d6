//! Is the server: accepts connections, judges each request, and tells the test what came.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use http::{HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};

use super::asked::Asked;
use super::bucket::{Bucket, Object};
pub(crate) use super::fault::Fault;
use super::fault::{Cut, Outgoing, Rule, send};
use super::refusal::Refusal;
use super::signature;

/// The servers of all tests. Two threads, so that one which sends without end holds up no other.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// One S3. Dropped, it ends, with every connection.
pub(crate) struct S3 {
    address: SocketAddr,
    state: Arc<State>,
    port: Mutex<Port>,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Decoded. Empty: the bucket itself, which was to be listed (GET) or to lose many objects (POST).
    pub(crate) key: String,
    /// None: there was no answer.
    pub(crate) status: Option<u16>,
    /// Whether it had an `If-Match` or an `If-None-Match`.
    pub(crate) conditional: bool,
    /// The part that it asked for.
    pub(crate) range: Option<String>,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    requests: AtomicU64,
}

#[derive(Default)]
struct Inner {
    bucket: Bucket,
    seen: Vec<Seen>,
    /// The newest last.
    rules: Vec<Arc<Rule>>,
}

/// Open, or held without listening, so that nobody else gets it.
struct Port {
    open: Option<Listening>,
    held: Option<TcpSocket>,
}

struct Listening {
    task: JoinHandle<()>,
    /// Says no more once every connection is gone.
    gone: Receiver<()>,
}

impl S3 {
    pub(crate) const BUCKET: &str = "releases";
    pub(crate) const ACCESS_KEY: &str = "test";
    pub(crate) const SECRET_KEY: &str = "secret";
    pub(crate) const REGION: &str = "eu-north-1";

    /// Starts one with an empty bucket.
    pub(crate) fn start() -> Self {
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        let (address, state) = (socket.local_addr().unwrap(), Arc::new(State::default()));
        let open = Some(Listening::on(socket, &state));
        Self { address, state, port: Mutex::new(Port { open, held: None }) }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables by which a client finds it.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", Self::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET_KEY.to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state.inner().bucket.objects.get(key).map(|object| object.bytes.to_vec())
    }

    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.state.inner().bucket.objects.insert(key.to_owned(), Object::new(bytes));
    }

    pub(crate) fn remove(&self, key: &str) {
        self.state.inner().bucket.objects.remove(key);
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.state.inner().bucket.objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// Everything in the bucket.
    pub(crate) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.state.inner();
        inner.bucket.objects.iter().map(|(key, object)| (key.clone(), object.bytes.to_vec())).collect()
    }

    /// Makes this everything in the bucket.
    pub(crate) fn restore(&self, all: BTreeMap<String, Vec<u8>>) {
        self.state.inner().bucket.objects = all.into_iter().map(|(key, bytes)| (key, Object::new(bytes))).collect();
    }

    /// Every request so far, in the order of their answers.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.inner().seen.clone()
    }

    pub(crate) fn forget_requests(&self) {
        self.state.inner().seen.clear();
    }

    /// Whether it answers a GET in full, although its condition says that nothing changed.
    pub(crate) fn ignore_conditions(&self, ignore: bool) {
        self.state.inner().bucket.ignores_conditions = ignore;
    }

    /// Lets every request meet a fault, until [`S3::heal`].
    pub(crate) fn fail(&self, fault: Fault) {
        self.fail_on(|_, _| true, fault);
    }

    /// Lets the requests meet a fault that `applies` is for, until [`S3::heal`]. Of several faults, the newest counts.
    /// `applies` is called before the request does anything, and may itself change what is in the bucket.
    pub(crate) fn fail_on(&self, applies: impl Fn(&Method, &str) -> bool + Send + Sync + 'static, fault: Fault) {
        self.state.inner().rules.push(Arc::new(Rule::new(applies, fault)));
    }

    /// Takes all faults back.
    pub(crate) fn heal(&self) {
        self.state.inner().rules.clear();
    }

    /// Ends all connections and refuses new ones, from the moment that this returns.
    pub(crate) fn stop_listening(&self) {
        let mut port = self.port.lock().unwrap();
        if let Some(open) = port.open.take() {
            // First, or another program could take the port in between.
            port.held = Some(bound(self.address));
            open.end();
        }
    }

    /// Listens on the same port as before.
    pub(crate) fn listen_again(&self) {
        let mut port = self.port.lock().unwrap();
        if let Some(held) = port.held.take() {
            port.open = Some(Listening::on(held, &self.state));
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if let Some(open) = self.port.get_mut().ok().and_then(|port| port.open.take()) {
            open.task.abort();
        }
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

impl Listening {
    fn on(socket: TcpSocket, state: &Arc<State>) -> Self {
        let _runtime = RUNTIME.enter();
        let (alive, gone) = channel();
        let task = RUNTIME.spawn(accept(alive, socket.listen(1024).unwrap(), state.clone()));
        Self { task, gone }
    }

    fn end(self) {
        self.task.abort();
        // An error: nobody is left who could say anything.
        while self.gone.recv().is_ok() {}
    }
}

/// `alive` goes with the last connection.
async fn accept(alive: Sender<()>, listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(alive.clone(), stream, state.clone()));
    }
}

async fn serve(_alive: Sender<()>, stream: TcpStream, state: Arc<State>) {
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| answer(state.clone(), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else { return };
    if let Some(Cut::Reset) = error.source().and_then(|cut| cut.downcast_ref()) {
        drop(connection.into_parts().io.into_inner().set_zero_linger());
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Outgoing>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut::Close)?.to_bytes();
    let asked = Asked::new(parts, body);
    match state.meets(&asked) {
        Some(Fault::Reset) => {
            state.inner().note(&asked, None);
            Err(Cut::Reset)
        }
        Some(Fault::Hang) => {
            state.inner().note(&asked, None);
            std::future::pending().await
        }
        Some(lost @ Fault::LoseAnswer) => {
            state.answer(&asked, Some(&lost));
            Err(Cut::Close)
        }
        fault => Ok(state.answer(&asked, fault.as_ref())),
    }
}

impl State {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn meets(&self, asked: &Asked) -> Option<Fault> {
        let rules = self.inner().rules.clone();
        rules.iter().rev().find_map(|rule| rule.meets(&asked.method, asked.key()))
    }

    fn answer(&self, asked: &Asked, fault: Option<&Fault>) -> Response<Outgoing> {
        let id = format!("{:016X}", self.requests.fetch_add(1, Ordering::SeqCst));
        let mut inner = self.inner();
        let answer = match fault {
            Some(Fault::Status(status)) => Err(Refusal::with_status(*status)),
            _ => signature::check(asked).and_then(|()| match fault {
                Some(Fault::Replace(bytes)) if asked.reads() => inner.bucket.read(asked, &Object::new(bytes.clone())),
                _ => inner.bucket.answer(asked),
            }),
        };
        let mut answer = answer.unwrap_or_else(|refusal| refusal.answer(&asked.path, &id));
        answer.headers_mut().insert("x-amz-request-id", HeaderValue::from_str(&id).unwrap());
        let sent = send(answer, asked.reads(), fault);
        inner.note(asked, Some(sent.status().as_u16()).filter(|_| !matches!(fault, Some(Fault::LoseAnswer))));
        sent
    }
}

impl Inner {
    fn note(&mut self, asked: &Asked, status: Option<u16>) {
        let conditional = ["if-match", "if-none-match"].iter().any(|name| asked.headers.contains_key(*name));
        let (method, key) = (asked.method.clone(), asked.key().to_owned());
        let range = asked.header("range").map(str::to_owned);
        self.seen.push(Seen { method, key, status, conditional, range });
    }
}
