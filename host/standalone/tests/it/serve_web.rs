//! Keeps web pages from a server on loopback: whatever a page can make a browser send decides nothing and reads nothing.

use crate::http::{Answer, Request};
use crate::program::{cogwit, stderr};
use crate::server::{EVENT, PATIENT, Server};
use crate::support::{ALLOW, Folder};

const TOKEN: &str = "a-token-of-this-test-alone";

fn serve(args: &[&str], token: &str) -> Server {
    let folder = Folder::new().with_probes(PATIENT, &[("yes", ALLOW)]);
    Server::start(folder.serve().args(args).env("COGWIT_SERVE_TOKEN", token))
}

/// A request to each path, and to paths and methods that there are not.
const PATHS: [(&str, &str); 12] = [
    ("POST", "/2015-03-31/functions/my-pre/invocations"),
    ("POST", "/decide"),
    ("POST", "/decide/yes"),
    ("GET", "/status"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/"),
    ("GET", "/decide"),
    ("POST", "/status"),
    ("OPTIONS", "/decide"),
    ("PUT", "/none"),
];

/// Sends a request as it is written; lines after the first are headers.
fn send(server: &Server, head: &str) -> Answer {
    let mut connection = server.connection();
    connection.send(format!("{head}\r\ncontent-length: {}\r\n\r\n{EVENT}", EVENT.len())).unwrap();
    connection.answer().unwrap()
}

fn is_refused(answer: &Answer) {
    answer.is_error(403, "AccessDeniedException");
    let text = answer.text();
    assert!(text.contains("--allow-host NAME") || text.contains("Origin"), "{text}");
}

#[test]
fn without_a_token_only_requests_for_loopback_are_answered_on_every_path() {
    let server = serve(&[], "");
    for (method, path) in PATHS {
        for host in ["host: evil.example", "host: evil.example:9000", "host: localhost\r\nhost: evil.example", "host:"]
        {
            is_refused(&send(&server, &format!("{method} {path} HTTP/1.1\r\n{host}")));
        }
        is_refused(&send(&server, &format!("{method} http://evil.example{path} HTTP/1.1\r\nhost: localhost")));
        for version in ["1.0", "1.1"] {
            is_refused(&send(&server, &format!("{method} {path} HTTP/{version}\r\naccept: */*")));
        }
        let answer = send(&server, &format!("{method} {path} HTTP/1.0\r\nhost: [::1]:1"));
        assert_ne!(answer.status, 403, "{method} {path}");
    }
    assert_eq!(server.counted("cogwit_decisions_total", ""), 3);
}

#[test]
fn requests_of_a_page_are_refused_with_and_without_a_token() {
    for token in ["", TOKEN] {
        let server = serve(&[], token);
        let ask = |request: Request| server.ask(&request.header("authorization", &format!("Bearer {TOKEN}")));
        for (method, path) in PATHS {
            for (name, value) in [
                ("origin", "http://evil.example"),
                ("origin", "null"),
                ("origin", "http://127.0.0.1"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
            ] {
                is_refused(&ask(Request::of(method, path).header(name, value)));
            }
        }
        // An address that somebody types.
        assert_eq!(ask(Request::get("/status").header("sec-fetch-site", "none")).status, 200);
        let metrics = ask(Request::get("/metrics")).text();
        assert!(!metrics.contains("cogwit_decisions_total{"), "{metrics}");
    }
}

#[test]
fn hosts_that_are_allowed_are_answered_as_is_any_host_with_the_token() {
    let decide = |server: &Server, host: &str| {
        send(server, &format!("POST /decide HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\nhost: {host}")).status
    };
    let server = serve(&["--allow-host", "host.docker.internal", "--allow-host", "Two.Example"], "");
    for (host, status) in [("host.docker.internal:9000", 200), ("two.example", 200), ("docker.internal", 403)] {
        assert_eq!(decide(&server, host), status, "{host}");
    }
    assert_eq!(decide(&serve(&[], TOKEN), "evil.example"), 200);
}

#[test]
fn what_is_not_a_host_cannot_be_allowed() {
    for name in ["*", "http://a", "a:9000", ""] {
        let said = stderr(&cogwit("serve").args([&format!("--allow-host={name}")]).ends(2).stdout_eq(""));
        assert!(said.contains("without scheme and port"), "{said}");
    }
}
