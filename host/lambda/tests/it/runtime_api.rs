//! Is Lambda's Runtime API on a port of this machine: hands events out, takes answers, and holds every answer to the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

const BASE: &str = "/2018-06-01/runtime/";

/// The servers of all tests.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// An event on its way to the host.
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) body: Bytes,
    /// How long Lambda gives the function.
    pub(crate) time: Duration,
    /// Headers beside those that every event has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What the Runtime API says to the answer; none: it hangs up.
    pub(crate) status: Option<StatusCode>,
}

/// What the host posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Below `/2018-06-01/runtime/`.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Post {
    /// The header by which Lambda counts function errors.
    pub(crate) fn error_type(&self) -> Option<&str> {
        self.headers.get("lambda-runtime-function-error-type").map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One Runtime API, for one host.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    sender: UnboundedSender<Invocation>,
    events: tokio::sync::Mutex<UnboundedReceiver<Invocation>>,
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What came to pass.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) posts: Vec<Post>,
    /// What the host did that it must not.
    pub(crate) wrongs: Vec<String>,
    /// How often the host asked for an event.
    pub(crate) asked: usize,
    /// The most events that were out at once.
    pub(crate) most_at_once: usize,
    /// Every sentence that a policy may tell the user.
    declared: BTreeSet<String>,
    /// How every other sentence begins that a policy may tell.
    starts: Vec<String>,
    /// Events that were handed out and have no answer yet, with what their answers are told.
    out: BTreeMap<String, Option<StatusCode>>,
}

impl RuntimeApi {
    pub(crate) fn start() -> Self {
        let (sender, events) = unbounded_channel();
        let state = Arc::new(State { sender, events: events.into(), seen: Mutex::default(), changed: Condvar::new() });
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let server = RUNTIME.spawn(accept(listener, state.clone()));
        Self { address, state, server }
    }

    pub(crate) fn deliver(&self, invocation: Invocation) {
        self.state.sender.send(invocation).unwrap();
    }

    /// Says what a policy may tell the user; whatever else is told must be the neutral sentence.
    pub(crate) fn declare(&self, message: &str) {
        self.state.seen().declared.insert(message.to_owned());
    }

    /// Says how sentences begin that a policy may tell the user.
    pub(crate) fn declare_start(&self, start: &str) {
        self.state.seen().starts.push(start.to_owned());
    }

    /// Waits for what `find` looks for, but only for a while.
    pub(crate) fn wait<T>(&self, patience: Duration, find: impl Fn(&Seen) -> Option<T>) -> Option<T> {
        let seen = self.state.seen();
        let (seen, _) = self.state.changed.wait_timeout_while(seen, patience, |seen| find(seen).is_none()).unwrap();
        find(&seen)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.state.seen()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let state = state.clone();
        let service = service_fn(move |request| answer(state.clone(), request));
        tokio::spawn(async move { drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await) });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().strip_prefix(BASE).unwrap_or_default().to_owned();
    if request.method() == Method::GET && path == "invocation/next" {
        return Ok(state.next().await);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let status = state.take(&parts.method, Post { path, headers: parts.headers, body });
    let status = status.ok_or(io::ErrorKind::ConnectionAborted)?;
    let taken = Response::builder().status(status).header("content-type", "application/json");
    Ok(taken.body(Full::from("{\"status\":\"OK\"}\n")).unwrap())
}

impl State {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// The long poll.
    async fn next(&self) -> Response<Full<Bytes>> {
        self.seen().asked += 1;
        self.changed.notify_all();
        let invocation = self.events.lock().await.recv().await.unwrap();
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + invocation.time;
        let mut response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &invocation.id)
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:login")
            .header("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
        for (name, value) in invocation.headers {
            response = response.header(name, value);
        }
        let mut seen = self.seen();
        if seen.out.insert(invocation.id.clone(), invocation.status).is_some() {
            seen.wrongs.push(format!("{} was out already", invocation.id));
        }
        seen.most_at_once = seen.most_at_once.max(seen.out.len());
        response.body(Full::new(invocation.body)).unwrap()
    }

    fn take(&self, method: &Method, post: Post) -> Option<StatusCode> {
        let mut seen = self.seen();
        let status = match post.path.split('/').collect::<Vec<_>>().as_slice() {
            _ if method != Method::POST => Err(format!("{method} instead of POST")),
            ["init", "error"] => Ok(Some(StatusCode::ACCEPTED)),
            ["invocation", id, "response" | "error"] => {
                seen.out.remove(*id).ok_or_else(|| "no event with this id is out".to_owned())
            }
            _ => Err("no such path".to_owned()),
        };
        let status = status.and_then(|status| seen.judge(&post).map(|()| status));
        let status = status.unwrap_or_else(|wrong| {
            seen.wrongs.push(format!("{wrong}: {post:?}"));
            Some(StatusCode::BAD_REQUEST)
        });
        seen.posts.push(post);
        self.changed.notify_all();
        status
    }
}

impl Seen {
    /// What holds for every answer, whatever the test is about: above all, that it tells the user nothing of the inside.
    fn judge(&self, post: &Post) -> Result<(), String> {
        let expect = |is: bool, what: &str| if is { Ok(()) } else { Err(what.to_owned()) };
        let header = |name: &str| post.headers.get(name).and_then(|value| value.to_str().ok());
        expect(header("content-type") == Some("application/json"), "no content type of JSON")?;
        if post.path.ends_with("/response") {
            expect(post.error_type().is_none(), "a reply with an error type")?;
            return expect(!post.body.trim_ascii().is_empty() && &post.body[..] != b"null", "an empty reply");
        }
        let body: Value = serde_json::from_slice(&post.body).map_err(|error| error.to_string())?;
        let members = body.as_object().map(|body| body.keys().map(String::as_str).collect::<Vec<_>>());
        expect(body["errorType"].as_str() == post.error_type(), "the error types differ")?;
        let message = body["errorMessage"].as_str().unwrap_or_default();
        let neutral = |reference: &str| format!("The request could not be completed, reference {reference}");
        let Some(id) = post.path.strip_prefix("invocation/").and_then(|path| path.strip_suffix("/error")) else {
            expect(members.as_deref() == Some(&["errorMessage", "errorType", "stackTrace"]), "other members")?;
            expect(post.error_type() == Some("Runtime.InitError"), "another error type")?;
            return expect(message == neutral("the log of the function"), "the message is not neutral");
        };
        expect(members.as_deref() == Some(&["errorMessage", "errorType"]), "other members")?;
        let types = ["Function.PolicyDenied", "Function.PolicyFault", "Function.EventRefused"];
        expect(post.error_type().is_some_and(|it| types.contains(&it)), "an unknown error type")?;
        let denied = post.error_type() == Some(types[0]);
        let declared = self.declared.contains(message) || self.starts.iter().any(|start| message.starts_with(start));
        expect(message == neutral(id) || denied && declared, "a message that nobody declared")
    }
}
