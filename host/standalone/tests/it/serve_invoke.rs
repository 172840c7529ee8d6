//! Calls functions as AWS's clients do: by every name, in every way that the Invoke API has.

use serde_json::Value;

use crate::http::{Answer, Request};
use crate::server::{DENY, EVENT, Server};
use crate::support::{ALLOW, SIGN_IN};

/// Of two policies: `yes` lets everyone in, `no` nobody.
fn two() -> Server {
    Server::of_probes(&[("yes", ALLOW), ("no", DENY)])
}

fn one() -> Server {
    Server::of_probes(&[("yes", ALLOW)])
}

/// Which policies of the set ran.
fn ran(record: &Value) -> Vec<&str> {
    record["policies"].as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn is_allowed(answer: &Answer, event: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, event));
    assert_eq!(answer.header("x-amz-function-error"), None);
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
}

#[test]
fn a_function_is_named_in_every_way_that_aws_knows() {
    let server = one();
    for name in [
        "my-pre",
        "my-pre%3Alive",
        "my-pre:live",
        "my-pre:%24LATEST",
        "my-pre?Qualifier=live",
        "my-pre?Qualifier=%24LATEST",
        "my-pre?Qualifier=",
        "my-pre:live?Qualifier=live",
        "my%2Dpre",
        "123456789012%3Afunction%3Amy-pre",
        "arn:aws:lambda:eu-west-1:123456789012:function:my-pre",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Amy-pre%3Alive",
        "arn%3Aaws%3Alambda%3Alocal%3A000000000000%3Afunction%3Amy-pre?Qualifier=7",
    ] {
        let answer = server.invoke(name, EVENT);
        is_allowed(&answer, EVENT);
        let record = server.record(&answer.id());
        assert_eq!((&record["function"], ran(&record)), (&"my-pre".into(), vec!["yes"]), "{name}");
    }
}

#[test]
fn our_own_name_leaves_the_decision_to_one_policy() {
    let server = two();
    let decided = |answer: Answer| {
        let record = server.record(&answer.id());
        (record["decision"].as_str().unwrap().to_owned(), ran(&record).join(" "))
    };
    let is = |decision: &str, ran: &str| (decision.to_owned(), ran.to_owned());
    for name in ["cogwit:yes", "cogwit%3Ayes", "cogwit?Qualifier=yes", "cogwit:yes?Qualifier=yes"] {
        assert_eq!(decided(server.invoke(name, EVENT)), is("allow", "yes"), "{name}");
    }
    assert_eq!(decided(server.ask(&Request::post("/decide/yes", EVENT))), is("allow", "yes"));
    assert_eq!(decided(server.invoke("cogwit:no", EVENT)), is("deny", "no"));
    assert_eq!(decided(server.ask(&Request::post("/decide/no", EVENT))), is("deny", "no"));
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:cogwit:live";
    for name in
        ["cogwit", "cogwit:$LATEST", arn, "function:cogwit:yes", "other:yes", "other?Qualifier=no", "cogwit2:yes"]
    {
        assert_eq!(decided(server.invoke(name, EVENT)), is("deny", "yes no"), "{name}");
    }
    assert_eq!(decided(server.ask(&Request::post("/decide", EVENT))), is("deny", "yes no"));
    assert_eq!(decided(server.invoke("cogwit:yes", SIGN_IN)), is("allow", ""));
}

#[test]
fn a_policy_that_the_set_has_not_is_no_function() {
    let server = two();
    let none = "Function not found: cogwit:none; the set has yes, no";
    for request in [
        Request::invoke("cogwit:none", EVENT),
        Request::invoke("cogwit:none", EVENT).header("x-amz-invocation-type", "Event"),
        Request::invoke("cogwit:none", EVENT).header("x-amz-invocation-type", "DryRun"),
        Request::invoke("cogwit?Qualifier=none", EVENT),
        Request::post("/decide/none", EVENT),
    ] {
        let answer = server.ask(&request);
        answer.is_error(404, "ResourceNotFoundException");
        assert_eq!(answer.json()["Message"], none);
        assert_eq!(answer.id().len(), 36);
    }
    assert_eq!(server.stdout(), "");
}

#[test]
fn what_names_no_function_is_refused() {
    let server = one();
    let long = "a".repeat(10_000);
    for name in [
        "",
        "a%20b",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2f..",
        "%00",
        "a%0d%0ax-evil:%20yes",
        "%ff%fe",
        "%",
        "%zz",
        "a:b:c",
        ":",
        "a:",
        "arn:aws:s3:::bucket",
        "a?Qualifier=b%2Fc",
        "a:one?Qualifier=two",
        "a?Qualifier=one&Qualifier=two",
        "a?Qualifier=%ff",
        &long,
    ] {
        let answer = server.invoke(name, EVENT);
        answer.is_error(400, "InvalidParameterValueException");
        assert!(answer.body.len() < 1_000, "{name}: {}", answer.text());
        assert_eq!(answer.header("x-evil"), None);
    }
    assert_eq!(server.stdout(), "");
    is_allowed(&server.invoke("a", EVENT), EVENT);
}

#[test]
fn an_invocation_is_waited_for_or_not_or_only_tried() {
    let server = two();
    let as_type = |kind: &str| server.ask(&Request::invoke("cogwit:no", EVENT).header("x-amz-invocation-type", kind));
    for kind in ["RequestResponse", ""] {
        let answer = as_type(kind);
        assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")));
        assert_eq!(answer.text(), r#"{"errorType":"Function.PolicyDenied","errorMessage":"one"}"#);
    }
    let answer = as_type("Event");
    assert_eq!((answer.status, answer.text().as_str()), (202, ""));
    assert_eq!(answer.header("x-amz-function-error"), None);
    assert_eq!(server.record(&answer.id())["decision"], "deny");

    let before = server.stdout();
    let answer = as_type("DryRun");
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    for kind in ["event", "Sometimes", "Event, DryRun", "\u{1F980}"] {
        as_type(kind).is_error(400, "InvalidParameterValueException");
    }
    assert_eq!((server.stdout(), server.counted("cogwit_decisions_total", "")), (before, 3));
}

#[test]
fn the_end_of_the_log_comes_with_the_answer_if_it_is_wanted() {
    let flood = format!("{} {DENY}", "(call $log)".repeat(100));
    let server = Server::of_probes(&[("yes", ALLOW), ("flood", &flood)]);
    let asked = |name: &str, log: &str| server.ask(&Request::invoke(name, EVENT).header("x-amz-log-type", log));
    let answer = asked("cogwit:yes", "Tail");
    let (id, log) = (answer.id(), answer.log());
    assert!(log.starts_with(&format!("START RequestId: {id} Version: $LATEST\n{{\"id\":\"{id}\"")), "{log}");
    assert!(log.contains(&format!("\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: ")), "{log}");
    let record: Value = serde_json::from_str(log.lines().nth(1).unwrap()).unwrap();
    assert_eq!(record, server.record(&id));

    let answer = asked("cogwit:flood", "Tail");
    assert!(server.record(&answer.id()).to_string().len() > 5_000);
    assert_eq!(answer.log().len(), 4_096);
    assert!(answer.log().contains(&format!("\nREPORT RequestId: {}", answer.id())));

    for log in ["None", ""] {
        assert_eq!(asked("cogwit:yes", log).header("x-amz-log-result"), None);
    }
    asked("cogwit:yes", "Head").is_error(400, "InvalidParameterValueException");
}

#[test]
fn a_client_may_say_of_its_event_and_of_itself_what_it_likes() {
    let server = one();
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-type", "binary/octet-stream"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "text/plain; charset=utf-16"),
        ("content-type", ""),
        ("authorization", "AWS4-HMAC-SHA256 Credential=local/20261123/local/lambda/aws4_request"),
        ("authorization", "Bearer"),
        ("x-amz-security-token", "junk"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-client-context", "e30="),
        ("accept-encoding", "gzip"),
    ] {
        is_allowed(&server.ask(&Request::invoke("my-pre", EVENT).header(name, value)), EVENT);
    }
}

#[test]
fn no_event_is_an_empty_one() {
    let server = one();
    is_allowed(&server.invoke("my-pre", ""), "{}");
    is_allowed(&server.ask(&Request::of("POST", "/2015-03-31/functions/a/invocations")), "{}");
    assert_eq!(server.ask(&Request::post("/decide", "")).text(), "{}");
}

#[test]
fn what_is_no_json_reaches_no_function() {
    let server = one();
    let texts: [&[u8]; 6] = [b"{\"cut", b"event", b"\xff\xfe{\0}\0", b"{\"userName\":\"\xc3\"}", b"{} {}", b"\0"];
    for text in texts {
        for request in [Request::invoke("my-pre", text), Request::post("/decide", text)] {
            let answer = server.ask(&request);
            answer.is_error(400, "InvalidRequestContentException");
            assert_eq!(answer.header("x-amz-executed-version"), None);
        }
    }
    for text in ["[]", "null", "7", "\"event\""] {
        let answer = server.invoke("my-pre", text);
        assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")), "{text}");
        assert_eq!(answer.json()["errorType"], "Function.EventRefused");
    }
}

#[test]
fn the_trace_stands_in_the_record() {
    let server = one();
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let traced = |trace: &str| {
        let answer = server.ask(&Request::invoke("my-pre", EVENT).header("x-amzn-trace-id", trace));
        server.record(&answer.id())["trace"].clone()
    };
    assert_eq!(traced(trace), trace);
    assert_eq!(traced(""), Value::Null);
    assert_eq!(traced(&"a".repeat(10_000)), "a".repeat(160));
    assert_eq!(traced("\"}\\u0000"), "\"}\\u0000");
}

#[test]
fn other_methods_and_paths_are_refused() {
    let server = one();
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let answer = server.ask(&Request::of(method, "/2015-03-31/functions/my-pre/invocations"));
        answer.is_error(405, "UnknownOperationException");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
    for path in ["/", "/2015-03-31/functions/", "/2014-11-13/x", "/decide/a/b"] {
        for request in [Request::get(path), Request::post(path, EVENT)] {
            server.ask(&request).is_error(404, "UnknownOperationException");
        }
    }
    for path in ["/healthz", "/readyz", "/metrics", "/status"] {
        assert_eq!(server.get(path).status, 200, "{path}");
        assert_eq!(server.ask(&Request::post(path, EVENT)).status, 405, "{path}");
    }
    let mut head = server.connection();
    head.send(Request::of("HEAD", "/2015-03-31/functions/my-pre/invocations").header("connection", "close").bytes())
        .unwrap();
    let head = String::from_utf8(head.rest()).unwrap();
    assert!(head.starts_with("HTTP/1.1 405 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert_eq!(server.stdout(), "");
}
