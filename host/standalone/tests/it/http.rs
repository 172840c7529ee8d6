//! Speaks HTTP/1.1 over a plain connection: as a good client does, or byte by byte as a bad one.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Long enough for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request with its headers, and a body or none.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::of("GET", path)
    }

    pub(crate) fn post(path: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        Self { body: body.clone(), ..Self::of("POST", path).header("content-length", &body.len().to_string()) }
    }

    /// An event for a function of this name, which may be followed by a query.
    pub(crate) fn invoke(name: &str, event: impl AsRef<[u8]>) -> Self {
        let (name, query) = name.split_once('?').map_or((name, String::new()), |(name, it)| (name, format!("?{it}")));
        Self::post(&format!("/2015-03-31/functions/{name}/invocations{query}"), event)
    }

    pub(crate) fn of(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n"), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), b"\r\n", self.body.as_slice()].concat()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name}");
        first
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The request's id.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.header("x-amzn-requestid").unwrap().to_owned()
    }

    /// The end of the log.
    #[track_caller]
    pub(crate) fn log(&self) -> String {
        String::from_utf8(STANDARD.decode(self.header("x-amz-log-result").unwrap()).unwrap()).unwrap()
    }

    /// It is this error of the Invoke API.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, kind: &str) {
        assert_eq!((self.status, self.header("x-amzn-errortype")), (status, Some(kind)), "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        let by = if status < 500 { "User" } else { "Service" };
        let message = if status == 404 { "Message" } else { "message" };
        let body = self.json();
        assert!(body["Type"] == by && body[message].as_str().is_some_and(|message| !message.is_empty()), "{body}");
        assert_eq!(self.header("x-amz-function-error"), None);
    }
}

/// One connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// The same connection, for another thread.
    pub(crate) fn another(&self) -> Self {
        Self(BufReader::new(self.0.get_ref().try_clone().unwrap()))
    }

    /// Sends no more, but reads on.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.0.get_mut().shutdown(Shutdown::Write)
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(request.bytes())?;
        self.answer()
    }

    /// Reads an answer, but for those that say to go on.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let answer = self.any_answer()?;
            if answer.status >= 200 {
                return Ok(answer);
            }
        }
    }

    /// Reads an answer, even one that only says to go on. The body of one to HEAD has to be left to the caller.
    pub(crate) fn any_answer(&mut self) -> io::Result<Answer> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let mut answer = Answer { status: status.ok_or_else(|| cut(&first))?, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body.resize(length, 0);
        self.0.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| cut(&line))
    }

    /// Reads until the server ends the connection, and gives what came.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("it does not end: {error}"),
            _ => rest,
        }
    }
}

/// What is wrong with an answer that is not whole; or that did not even begin.
fn cut(line: &str) -> io::Error {
    let kind = if line.is_empty() { ErrorKind::ConnectionAborted } else { ErrorKind::UnexpectedEof };
    io::Error::new(kind, format!("the answer was cut after `{line}`"))
}
