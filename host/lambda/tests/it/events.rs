//! Sends what Lambda may send: events that are none, large ones, late ones, several at once.

use std::time::{Duration, Instant};

use crate::host::Host;
use crate::package::Package;

const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","request":{},"response":{}}"#;

/// An endless loop that only Lambda's own time ends.
const LOOP: &str = "[limits]\nfuel = 5_000_000_000\ndeadline = '4 s'\nchain-deadline = '4500 ms'\n";

#[test]
fn what_is_no_event_is_refused_without_a_word_of_it() {
    let host = Host::start(&Package::of_probe("allow", ""));
    let cut = &EVENT.as_bytes()[..40];
    let (empty, blank, two): (&[u8], &[u8], &[u8]) = (b"", b" \n", b"{}{}");
    for event in [b"{\"userName\":\"\xff\xfe\"}", cut, empty, blank, two, b"null", b"[1]", b"{\"a\":1,\"a\":2}"] {
        let invocation = host.invocation(event);
        let id = invocation.id.clone();
        let answer = host.answer(invocation);
        assert_eq!(answer.path, format!("invocation/{id}/error"));
        assert_eq!(answer.error_type(), Some("Function.EventRefused"));
        assert_eq!(answer.json()["errorMessage"], format!("The request could not be completed, reference {id}"));
        assert_eq!(host.record(&id)["decision"], "event-refused");
    }
    assert_eq!(host.ask(EVENT).text(), EVENT);
}

#[test]
fn an_event_comes_back_with_the_blanks_around_it() {
    let host = Host::start(&Package::of_probe("allow", ""));
    let event = format!(" \r\n\t{EVENT}\n\n ");
    assert_eq!(host.ask(&event).text(), event);
}

#[test]
fn six_mebibytes_are_an_event_and_a_byte_more_is_none() {
    let host = Host::start(&Package::of_probe("allow", "limits = { memory = '64 MiB', output = '6 MiB' }"));
    let filled = |size: usize| {
        let rest = r#","response":{}}"#;
        let start = r#"{"triggerSource":"PreSignUp_SignUp","unknown":""#;
        format!("{start}{}\"{rest}", "x".repeat(size - start.len() - rest.len() - 1))
    };
    let most = 6 << 20;
    let event = filled(most);
    let answer = host.ask(&event);
    assert!(answer.body.len() == most && *answer.body == *event.as_bytes(), "{:.200}", answer.text());
    let answer = host.ask(filled(most + 1));
    assert_eq!(answer.error_type(), Some("Function.EventRefused"));
    assert_eq!(host.ask(EVENT).text(), EVENT);
}

/// Lambda would have ended it already, and cargo-lambda says so of every event.
#[test]
fn a_time_that_is_past_tells_nothing() {
    let host = Host::start(&Package::of_probe("allow", ""));
    let invocation = host.invocation(EVENT);
    let answer = host.answer(crate::runtime_api::Invocation { time: Duration::ZERO, ..invocation });
    assert_eq!(answer.text(), EVENT);
}

#[test]
fn the_function_ends_before_its_time_does() {
    let host = Host::start(&Package::of_probe("endless-loop", LOOP));
    // The first answer is late by what the start takes.
    host.ask("{}");
    for time in [Duration::from_millis(1_500), Duration::from_millis(400)] {
        let invocation = host.invocation(EVENT);
        let id = invocation.id.clone();
        let since = Instant::now();
        let answer = host.answer(crate::runtime_api::Invocation { time, ..invocation });
        assert!(since.elapsed() < time.max(Duration::from_millis(100)), "{:?} of {time:?}", since.elapsed());
        assert_eq!(answer.error_type(), Some("Function.PolicyFault"));
        let record = host.record(&id);
        let fault = &record["policies"][0]["fault"];
        assert_eq!(fault["kind"], "deadline", "{record}");
        assert!(
            fault["text"].as_str().unwrap().contains("raise the limit `timeout of the Lambda function`"),
            "{fault}"
        );
    }
}

#[test]
fn the_invocations_own_id_is_echoed() {
    let host = Host::start(&Package::of_probe("allow", ""));
    let mut invocation = host.invocation(EVENT);
    invocation.headers.push(("lambda-runtime-invocation-id", "4bb7-1".to_owned()));
    assert_eq!(host.answer(invocation).headers["lambda-runtime-invocation-id"], "4bb7-1");
    let mut refused = host.invocation("");
    refused.headers.push(("lambda-runtime-invocation-id", "4bb7-2".to_owned()));
    assert_eq!(host.answer(refused).headers["lambda-runtime-invocation-id"], "4bb7-2");
    assert!(host.ask(EVENT).headers.get("lambda-runtime-invocation-id").is_none());
}

#[test]
fn as_many_events_are_decided_at_once_as_lambda_sends() {
    let of_each = "[limits]\nfuel = 5_000_000_000\ndeadline = '800 ms'\n";
    let host = Host::with(&Package::of_probe("endless-loop", of_each), &[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]);
    host.ask("{}");
    let (since, known) = (Instant::now(), host.api.seen().posts.len());
    let ids: Vec<_> = (0..4)
        .map(|_| {
            let invocation = host.invocation(EVENT);
            let id = invocation.id.clone();
            host.api.deliver(invocation);
            id
        })
        .collect();
    ids.iter().for_each(|id| drop(host.wait(id, known)));
    // One after the other they would take 3.2 s, and two at a time 1.6 s.
    assert!(since.elapsed() < Duration::from_millis(1_400), "{:?}", since.elapsed());
    assert_eq!(host.api.seen().most_at_once, 4);
    assert!(ids.iter().all(|id| host.record(id)["policies"][0]["fault"]["kind"] == "deadline"));
    host.ask("{}");
}
