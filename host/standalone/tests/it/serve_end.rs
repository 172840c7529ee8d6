//! Ends the server in the middle of its work: what was accepted is answered and recorded.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::http::{Answer, Connection, Request};
use crate::server::{EVENT, LOOP, PATIENT, Server, eventually};
use crate::support::{ALLOW, Folder};

/// Less than a server that is told to end waits before it ends the connections that ask nothing.
const AT_ONCE: Duration = Duration::from_millis(200);

/// A client that sends one request after the other for as long as the server takes connections.
struct Client<'a> {
    server: &'a Server,
    answered: &'a AtomicUsize,
    /// Connections that the system took, but the server did not: the listener ended first.
    untaken: &'a AtomicUsize,
    /// The ids of what was answered.
    ids: Vec<String>,
}

impl Client<'_> {
    fn run(mut self) -> Vec<String> {
        while let Ok(connection) = Connection::to(self.server.address) {
            if !self.until_its_end(connection) {
                break;
            }
        }
        self.ids
    }

    /// Asks over one connection until the server says that it closes it. False: it was never taken.
    fn until_its_end(&mut self, mut connection: Connection) -> bool {
        let mut last: Option<Instant> = None;
        loop {
            let (late, kind) = (last.is_some_and(|last| last.elapsed() > AT_ONCE), ["RequestResponse", "Event"]);
            let request = Request::invoke("a", EVENT).header("x-amz-invocation-type", kind[self.ids.len() % 2]);
            match connection.ask(&request) {
                Ok(answer) => {
                    // A machine that does other work too may not come to it in time, and says so.
                    assert!([200, 202, 429].contains(&answer.status), "{answer:?}");
                    self.ids.extend(Some(answer.id()).filter(|_| answer.status != 429));
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    last = Some(Instant::now());
                    if answer.header("connection") == Some("close") {
                        assert_eq!(connection.rest(), b"");
                        return true;
                    }
                }
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::UnexpectedEof, "an answer was cut: {error}");
                    assert!(last.is_none() || late, "a request was lost: {error}");
                    self.untaken.fetch_add(usize::from(last.is_none()), Ordering::Relaxed);
                    return false;
                }
            }
        }
    }
}

#[test]
fn under_load_every_request_that_was_taken_is_answered_and_recorded() {
    let server = Server::of_probes(&[("yes", ALLOW)]);
    let (answered, untaken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ids: Vec<_> = thread::scope(|scope| {
        let client = || Client { server: &server, answered: &answered, untaken: &untaken, ids: Vec::new() }.run();
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        eventually(|| (answered.load(Ordering::Relaxed) > 200).then_some(()));
        server.signal(Signal::TERM);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(server.ends().code(), Some(0));
    assert!(ids.len() > 200, "{}", ids.len());
    // Of eight clients: on a machine that does other work too, some connections come between the last that was taken and the end.
    assert!(untaken.load(Ordering::Relaxed) < 4, "{untaken:?}");
    ids.iter().for_each(|id| assert_eq!(server.record(id)["decision"], "allow"));
    assert_eq!(server.said(""), 2, "{}", server.stderr());
}

/// A policy that takes until its deadline, and one that does not.
fn slow() -> Server {
    let limits = PATIENT.replace("[limits]", "[limits]\nfuel = 5_000_000_000").replace("2 s", "700 ms");
    Server::start(Folder::new().with_probes(&limits, &[("slow", LOOP), ("yes", ALLOW)]).serve())
}

#[test]
fn what_is_being_decided_is_waited_for_on_either_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = slow();
        let later = Request::invoke("cogwit:slow", EVENT).header("x-amz-invocation-type", "Event");
        let id = server.ask(&later).id();
        let mut waiting = server.connection();
        waiting.ask(&Request::get("/healthz")).unwrap();
        waiting.send(Request::invoke("cogwit:slow", EVENT).bytes()).unwrap();
        server.signal(signal);
        let answer = waiting.answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert_eq!(answer.json()["errorType"], "Function.PolicyFault");
        assert_eq!(server.ends().code(), Some(0));
        assert_eq!(server.record(&id)["decision"], "fault");
        assert!(Connection::to(server.address).is_err());
    }
}

/// Asks whether it is ready, again and again, until the answer is the last of its connection.
fn last_word(mut connection: Connection) -> Option<Answer> {
    loop {
        let answer = connection.ask(&Request::get("/readyz")).ok()?;
        if answer.header("connection") == Some("close") {
            return Some(answer);
        }
        assert_eq!((answer.status, answer.text().as_str()), (200, "ready\n"));
    }
}

#[test]
fn while_it_ends_it_is_not_ready_and_a_second_signal_ends_it_at_once() {
    let server = slow();
    let mut unfinished = server.connection();
    let request = Request::invoke("a", EVENT).bytes();
    unfinished.send(&request[..request.len() - 1]).unwrap();
    let words: Vec<_> = thread::scope(|scope| {
        let askers: Vec<_> = (0..4).map(|_| scope.spawn(|| last_word(server.connection()))).collect();
        server.signal(Signal::TERM);
        askers.into_iter().filter_map(|asker| asker.join().unwrap()).collect()
    });
    assert!(!words.is_empty());
    for word in words {
        assert_eq!((word.status, word.text().as_str()), (503, "not ready\n"));
    }
    eventually(|| Connection::to(server.address).is_err().then_some(()));
    let since = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(1));
    assert!(since.elapsed() < Duration::from_secs(5), "it took {:?}", since.elapsed());
}

#[test]
fn connections_that_ask_nothing_hold_nothing_up() {
    let server = Server::of_probes(&[("yes", ALLOW)]);
    let fresh: Vec<_> = (0..20).map(|_| server.connection()).collect();
    let mut used = server.connection();
    used.ask(&Request::invoke("a", EVENT)).unwrap();
    let since = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(5), "it took {:?}", since.elapsed());
    fresh.into_iter().chain([used]).for_each(|connection| assert_eq!(connection.rest(), b""));
}
