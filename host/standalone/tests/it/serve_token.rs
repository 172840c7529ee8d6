//! Asks callers for the token, and keeps it to itself.

use crate::http::Request;
use crate::program::{cogwit, stderr, stdout};
use crate::server::{EVENT, PATIENT, Server};
use crate::support::{ALLOW, Folder};

const TOKEN: &str = "5b1d0c6a-HEMMELIG-77ce4f91";

fn guarded() -> Server {
    let folder = Folder::new().with_probes(PATIENT, &[("yes", ALLOW)]);
    Server::on("0.0.0.0", folder.serve().env("COGWIT_SERVE_TOKEN", TOKEN))
}

/// Everything that may not be known to whoever comes by.
fn closed() -> Vec<Request> {
    let large = "x".repeat(60_000);
    vec![
        Request::invoke("my-pre", EVENT),
        Request::invoke("my-pre", large),
        Request::invoke("cogwit:none", EVENT),
        Request::get("/2015-03-31/functions/my-pre/invocations"),
        Request::post("/decide", EVENT),
        Request::post("/decide/yes", EVENT),
        Request::get("/metrics"),
        Request::get("/status"),
        Request::post("/status", ""),
    ]
}

#[test]
fn where_others_can_reach_it_it_does_not_start_without_a_token() {
    for (address, token) in [("0.0.0.0:0", ""), ("[::]:0", ""), ("192.0.2.1:80", "")] {
        let serve = cogwit("serve").args(["--listen", address]).env("COGWIT_SERVE_TOKEN", token);
        let told = stderr(&serve.ends(2).stdout_eq(""));
        assert!(told.contains("set COGWIT_SERVE_TOKEN") && told.contains("openssl rand -hex 32"), "{told}");
        assert!(told.contains("or listen on 127.0.0.1"), "{told}");
    }
    for token in ["short-HEMMELIG", "with a blank HEMMELIG", "with-a-letter-HEMMELIG-ø"] {
        let told = stderr(&cogwit("serve").env("COGWIT_SERVE_TOKEN", token).ends(2).stdout_eq(""));
        assert!(told.contains("COGWIT_SERVE_TOKEN is too easy to guess, or no header can hold it"), "{told}");
        assert!(!told.contains("HEMMELIG"), "{told}");
    }
}

#[test]
fn without_the_token_there_is_nothing_but_health() {
    let server = guarded();
    let wrong = TOKEN.to_lowercase();
    for (name, value) in [
        ("x-nothing", TOKEN.to_owned()),
        ("authorization", format!("Bearer {wrong}")),
        ("authorization", format!("Bearer {TOKEN}x")),
        ("authorization", format!("Basic {TOKEN}")),
        ("authorization", TOKEN.to_owned()),
        ("authorization", "Bearer".to_owned()),
        ("authorization", "Bearer \u{f8}".to_owned()),
        ("x-amz-security-token", wrong.clone()),
        ("cookie", TOKEN.to_owned()),
    ] {
        for request in closed() {
            let answer = server.ask(&request.header(name, &value));
            answer.is_error(401, "UnrecognizedClientException");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.stdout(), "");
}

#[test]
fn with_the_token_there_is_everything_and_it_is_shown_nowhere() {
    let server = guarded();
    let signed = "AWS4-HMAC-SHA256 Credential=a/20261123/eu-west-1/lambda/aws4_request, Signature=b";
    let mut seen = String::new();
    for (name, value) in [
        ("authorization", format!("Bearer {TOKEN}")),
        ("authorization", format!("bearer {TOKEN}")),
        ("x-amz-security-token", TOKEN.to_owned()),
    ] {
        let shown = |request: Request| server.ask(&request.header(name, &value));
        assert_eq!(shown(Request::invoke("my-pre", EVENT)).text(), EVENT);
        assert_eq!(shown(Request::post("/decide", EVENT)).text(), EVENT);
        let traced = Request::invoke("my-pre", EVENT).header("x-amz-log-type", "Tail");
        seen += &shown(traced).log();
        for path in ["/status", "/metrics"] {
            let answer = shown(Request::get(path));
            assert_eq!(answer.status, 200, "{path}");
            seen += &answer.text();
        }
        shown(Request::invoke("cogwit:none", EVENT)).is_error(404, "ResourceNotFoundException");
    }
    let of_aws = Request::invoke("my-pre", EVENT).header("authorization", signed).header("x-amz-security-token", TOKEN);
    assert_eq!(server.ask(&of_aws).text(), EVENT);
    let config = cogwit("config").env("COGWIT_SERVE_TOKEN", TOKEN).ends(0);
    for text in [seen, server.stdout(), server.stderr(), stdout(&config), stderr(&config)] {
        assert!(!text.contains("HEMMELIG"), "{text}");
    }
    assert!(stdout(&config).contains("COGWIT_SERVE_TOKEN"));
}
