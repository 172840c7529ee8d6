//! Is Lambda's Invoke API on a port of this machine, for tests: one function, that answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::Value;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Which one it is, from 1.
    pub(crate) nth: usize,
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn source(&self) -> String {
        self.event()["triggerSource"].as_str().unwrap().to_owned()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// The event, as it came.
    Echo,
    /// The event with this response.
    Response(Value),
    /// A function error with this body.
    FunctionError(String),
    /// These bytes.
    Raw(String),
    /// Nothing.
    Hang,
    /// A body that comes by the byte.
    Drip,
    /// A body without end.
    Endless,
}

/// One endpoint. Its threads end with the test.
pub(crate) struct Lambda {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Lambda {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Request>>>::default());
        let (shared, answer) = (seen.clone(), Arc::new(answer));
        spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (shared.clone(), answer.clone());
                spawn(move || serve(&stream.unwrap(), &seen, answer.as_ref()));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers one request, and closes the connection.
fn serve(mut stream: &TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let Some(line) = lines.next() else { return };
    let headers: Vec<String> = lines.collect();
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let request = {
        let mut seen = seen.lock().unwrap();
        let nth = seen.len() + 1;
        seen.push(Request { nth, line, headers, body });
        seen.last().unwrap().clone()
    };
    let ok = |headers: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
    };
    let sent = match answer(&request) {
        Reply::Echo => ok("", std::str::from_utf8(&request.body).unwrap()),
        Reply::Response(response) => {
            let mut event = request.event();
            event["response"] = response;
            ok("", &event.to_string())
        }
        Reply::FunctionError(body) => ok("X-Amz-Function-Error: Unhandled\r\n", &body),
        Reply::Raw(raw) => raw,
        Reply::Hang => return sleep(Duration::from_secs(30)),
        Reply::Drip => return drip(stream, b"{", Duration::from_millis(50)),
        Reply::Endless => return drip(stream, &[b' '; 1 << 16], Duration::ZERO),
    };
    // Whoever asked may be gone.
    let _ = stream.write_all(sent.as_bytes());
}

fn drip(mut stream: &TcpStream, bytes: &[u8], pause: Duration) {
    let mut next = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    while next.is_ok() {
        next = stream.write_all(bytes);
        sleep(pause);
    }
}
