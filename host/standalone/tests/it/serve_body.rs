//! Sends bodies of every size, in every way that HTTP has, over connections that last or do not.

use std::thread;

use crate::http::{Answer, Connection, Request};
use crate::server::{EVENT, Server};
use crate::support::ALLOW;

const INVOKE: &str = "/2015-03-31/functions/my-pre/invocations";

/// The most bytes of an event that is waited for, and of one that is not.
const MOST: usize = 6 << 20;
const MOST_LATER: usize = 1 << 20;

fn server() -> Server {
    Server::of_probes(&[("yes", ALLOW)])
}

/// An event of this many bytes.
fn event(bytes: usize) -> String {
    let event = |pad: &str| format!(r#"{{"triggerSource":"PreSignUp_SignUp","pad":"{pad}"}}"#);
    event(&"x".repeat(bytes - event("").len()))
}

/// A request whose body comes in chunks.
fn chunked(event: &str) -> Vec<u8> {
    let mut request = Request::of("POST", INVOKE).header("transfer-encoding", "chunked").bytes();
    for chunk in event.as_bytes().chunks(100_000) {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    request
}

/// Sends a head that asks whether to go on, and the body once it may.
fn asks_first(connection: &mut Connection, event: &str) -> Answer {
    let request = Request::post(INVOKE, event).header("expect", "100-continue").bytes();
    let (head, body) = request.split_at(request.len() - event.len());
    connection.send(head).unwrap();
    assert_eq!(connection.any_answer().unwrap().status, 100);
    connection.send(body).unwrap();
    connection.answer().unwrap()
}

fn in_every_way(server: &Server, event: &str) -> [Answer; 3] {
    let mut by_chunks = server.connection();
    by_chunks.send(chunked(event)).unwrap();
    [server.invoke("my-pre", event), by_chunks.answer().unwrap(), asks_first(&mut server.connection(), event)]
}

#[test]
fn an_event_may_have_6_mib_and_not_a_byte_more() {
    let server = server();
    let most = event(MOST);
    for answer in in_every_way(&server, &most) {
        assert!(answer.status == 200 && answer.text() == most, "{}", answer.status);
    }
    for answer in in_every_way(&server, &event(MOST + 1)) {
        answer.is_error(413, "RequestTooLargeException");
    }
    server.ask(&Request::post("/decide", event(MOST + 1))).is_error(413, "RequestTooLargeException");
}

#[test]
fn an_event_that_is_decided_later_may_have_1_mib() {
    let server = server();
    let later = |bytes| Request::invoke("my-pre", event(bytes)).header("x-amz-invocation-type", "Event");
    let answer = server.ask(&later(MOST_LATER));
    assert_eq!((answer.status, &server.record(&answer.id())["decision"]), (202, &"allow".into()));
    server.ask(&later(MOST_LATER + 1)).is_error(413, "RequestTooLargeException");
}

#[test]
fn a_client_that_sends_on_and_on_is_told_to_stop() {
    let server = server();
    let mut connection = server.connection();
    let mut sending = connection.another();
    let sender = thread::spawn(move || {
        let head = Request::of("POST", INVOKE).header("transfer-encoding", "chunked").bytes();
        sending.send(head).unwrap();
        let chunk = [b"10000\r\n", [b'x'; 1 << 16].as_slice(), b"\r\n"].concat();
        while sending.send(&chunk).is_ok() {}
    });
    connection.answer().unwrap().is_error(413, "RequestTooLargeException");
    sender.join().unwrap();
    assert_eq!(server.invoke("my-pre", EVENT).text(), EVENT);
}

#[test]
fn few_large_events_come_at_once_and_small_ones_pass_them() {
    let server = server();
    let large = Request::invoke("my-pre", event(70_000));
    let mut held = Vec::new();
    let hold = || {
        let (mut connection, bytes) = (server.connection(), large.bytes());
        connection.send(&bytes[..bytes.len() - 1]).unwrap();
        connection
    };
    let refused = loop {
        held.push(hold());
        let answer = server.ask(&large);
        if answer.status != 200 {
            break answer;
        }
        assert!(held.len() < 100, "any number of large events comes at once");
    };
    refused.is_error(429, "TooManyRequestsException");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(held.len() >= 16, "{}", held.len());
    assert_eq!(server.invoke("my-pre", event(60_000)).status, 200);
    for mut connection in held {
        connection.send("}").unwrap();
        assert!([200, 408, 429].contains(&connection.answer().unwrap().status));
    }
    assert_eq!(server.ask(&large).status, 200);
}

#[test]
fn a_connection_lasts_as_long_as_its_client_wants() {
    let server = server();
    let mut lasting = server.connection();
    for _ in 0..200 {
        let answer = lasting.ask(&Request::invoke("my-pre", EVENT)).unwrap();
        assert_eq!((answer.text().as_str(), answer.header("connection")), (EVENT, None));
    }
    lasting.ask(&Request::invoke("my-pre", "{\"cut")).unwrap().is_error(400, "InvalidRequestContentException");
    let last = lasting.ask(&Request::invoke("my-pre", EVENT).header("connection", "close")).unwrap();
    assert_eq!((last.text().as_str(), last.header("connection")), (EVENT, Some("close")));
    assert_eq!(lasting.rest(), b"");
}

#[test]
fn a_client_of_http_1_0_is_answered_and_left() {
    let server = server();
    let old = |request: Request| String::from_utf8(request.bytes()).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
    let mut connection = server.connection();
    connection.send(old(Request::invoke("my-pre", EVENT))).unwrap();
    let answer = String::from_utf8(connection.rest()).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with(&format!("\r\n\r\n{EVENT}")), "{answer}");
    let mut connection = server.connection();
    connection.send(old(Request::of("POST", INVOKE))).unwrap();
    assert!(connection.rest().ends_with(b"\r\n\r\n{}"));
}

#[test]
fn requests_that_do_not_wait_for_answers_are_answered_in_their_order() {
    let server = server();
    let event = |number: usize| format!(r#"{{"triggerSource":"PreSignUp_SignUp","number":{number}}}"#);
    let all: Vec<u8> = (0..100).flat_map(|number| Request::invoke("my-pre", event(number)).bytes()).collect();
    let mut connection = server.connection();
    connection.send(all).unwrap();
    for number in 0..100 {
        assert_eq!(connection.answer().unwrap().text(), event(number));
    }
}

#[test]
fn a_client_that_says_it_has_nothing_more_to_send_is_answered() {
    let server = server();
    let mut connection = server.connection();
    connection.send(Request::invoke("my-pre", EVENT).bytes()).unwrap();
    connection.finish().unwrap();
    assert_eq!(connection.answer().unwrap().text(), EVENT);
    assert_eq!(connection.rest(), b"");
}
