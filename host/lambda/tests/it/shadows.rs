//! Lets policies look on once the answer is posted: it does not wait for them, and the record has all of it.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::host::Host;
use crate::package::Package;
use crate::probe::probe;
use crate::runtime_api::Invocation;
use crate::s3::{Fault, S3};
use crate::store::{self, Store, Wanted, follow_s3};

const EVENT: &str =
    r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","request":{"userAttributes":{}},"response":{}}"#;

/// A set of a probe that allows, at which these look on.
fn watched_by(probes: &[&str], lines: &str) -> Package {
    let shadow = |name: &&str| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\nmode = 'shadow'\n");
    let shadows: String = probes.iter().map(shadow).collect();
    let document = format!(
        "schema = 1\n[set]\nname = 'watched'\n[limits]\ndeadline = '1 s'\n{lines}[[policy]]\nname = 'answers'\ncomponent = 'allow.wasm'\n{shadows}"
    );
    let names: BTreeSet<_> = probes.iter().chain(&["allow"]).collect();
    Package::of(&document, &names.iter().map(|name| (format!("{name}.wasm"), probe(name))).collect::<Vec<_>>())
}

/// How long the policy hangs that looks on at `hanging`: until the deadline of a chain.
const HANG: Duration = Duration::from_millis(1_500);

fn hanging() -> Package {
    watched_by(&["endless-loop"], "fuel = 5_000_000_000\nchain-deadline = '1500 ms'\n")
}

/// Whether that is in a record.
fn hung(record: &Value) -> bool {
    record["policies"][1]["fault"]["kind"] == "deadline"
}

#[test]
fn what_looks_on_is_in_the_record_alone() {
    let host = Host::start(&watched_by(&["allow", "trap", "endless-loop", "memory-bomb"], "fuel = 1_000_000\n"));
    for _ in 0..3 {
        assert_eq!(host.ask(EVENT).text(), EVENT);
    }
    host.rests();
    let records = host.records(3);
    for record in &records {
        let said = |key: &str| (1..5).map(|at| record["policies"][at][key].clone()).collect::<Vec<_>>();
        assert_eq!(said("agrees"), [true, false, false, false], "{record}");
        let kinds: Vec<_> = (2..5).map(|at| record["policies"][at]["fault"]["kind"].clone()).collect();
        assert_eq!(kinds, ["trap", "fuel", "memory"]);
        assert_eq!((record["level"].as_str(), record["Faults"].as_u64()), (Some("info"), Some(0)), "{record}");
        assert_eq!(record["ShadowDiffers"], 3);
    }
    assert_eq!(records.len(), 3);
}

#[test]
fn an_answer_does_not_wait_for_what_hangs() {
    let host = Host::start(&hanging());
    host.ask("null");
    // On a busy machine an answer may take long by itself.
    let soon = (0..3).any(|_| {
        host.rests();
        let since = Instant::now();
        assert_eq!(host.ask(EVENT).text(), EVENT);
        let took = since.elapsed();
        host.rests();
        assert!(since.elapsed() > HANG);
        took < HANG / 3
    });
    assert!(soon, "{}", host.stdout());
    assert!(host.records(2)[1..].iter().all(hung), "{}", host.stdout());
}

#[test]
fn what_looks_on_ends_before_lambda_would_end_the_function() {
    let host = Host::start(&watched_by(&["endless-loop"], "fuel = 5_000_000_000\nchain-deadline = '4 s'\n"));
    host.rests();
    let time = Duration::from_millis(1_200);
    assert_eq!(host.answer(Invocation { time, ..host.invocation(EVENT) }).text(), EVENT);
    host.rests();
    let run = &host.records(1)[0]["policies"][1];
    assert!(u128::from(run["callMicros"].as_u64().unwrap()) < time.as_micros(), "{run}");
    assert!(run["fault"]["text"].as_str().unwrap().contains("`timeout of the Lambda function`"), "{run}");
}

#[test]
fn where_nobody_was_answered_nobody_looks_on() {
    for concurrency in ["1", "2"] {
        let host = Host::with(&hanging(), &[("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)]);
        host.api.deliver(Invocation { status: None, ..host.invocation(EVENT) });
        let record = &host.records(1)[0];
        assert_eq!((&record["unwatched"], &record["policies"][1]), (&Value::Bool(true), &Value::Null), "{record}");
        match concurrency {
            "1" => assert_eq!(host.ends().code(), Some(1)),
            // The others go on.
            _ => assert_eq!(host.ask(EVENT).text(), EVENT),
        }
    }
}

#[test]
fn what_hangs_leaves_time_to_ask_the_store() {
    let store = Store::new();
    let lines = "fuel = 5_000_000_000\nchain-deadline = '4 s'\n[[policy]]\nname = 'hangs'\ncomponent = 'endless-loop.wasm'\nmode = 'shadow'\n";
    store.publish_as(11, Wanted { lines, ..Wanted::default() });
    let s3 = S3::start();
    store.bring_to(&s3);
    let host = follow_s3(&s3, &Package::empty(), &[]);
    host.rests();
    store.publish(12);
    store.bring_to(&s3);
    s3.fail(Fault::Drip { bytes: 64 << 10, every: Duration::from_millis(10) });
    thread::sleep(Duration::from_millis(3));
    let answer = host.answer(Invocation { time: Duration::from_millis(1_200), ..host.invocation(store::EVENT) });
    assert!(answer.text().contains("of 11"), "{}", answer.text());
    host.rests();
    assert!(hung(&host.records(1)[0]), "{}", host.stdout());
    assert_eq!(host.mark(), Some(12));
}

#[test]
fn where_events_come_at_once_they_are_looked_at_one_after_the_other() {
    const EVENTS: usize = 100;
    let host = Host::with(&hanging(), &[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]);
    host.ask("null");
    let (since, known) = (Instant::now(), host.api.seen().posts.len());
    let ids: Vec<_> = (0..EVENTS)
        .map(|_| {
            let invocation = host.invocation(EVENT);
            let id = invocation.id.clone();
            host.api.deliver(invocation);
            id
        })
        .collect();
    ids.iter().for_each(|id| assert_eq!(host.wait(id, known).text(), EVENT));
    // If they hung, four at a time, it would be more than half a minute.
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let free = host.api.wait(HANG, |seen| (seen.asked == seen.posts.len() + 4).then_some(()));
    assert!(free.is_some());
    host.record_where(hung);
    // As many wait as there is room for.
    let skipped = host.record_where(|record| record["unwatched"] == true);
    assert_eq!(skipped["policies"].as_array().unwrap().len(), 1, "{skipped}");
    assert_eq!(host.niceness("cogwit-looker"), 19);
}

#[test]
fn where_events_come_at_once_no_large_one_waits() {
    let host = Host::with(&hanging(), &[("AWS_LAMBDA_MAX_CONCURRENCY", "2")]);
    let large = EVENT.replace("\"response\"", &format!("\"x\":\"{}\",\"response\"", "x".repeat(70_000)));
    assert_eq!(host.ask(&large).text(), large);
    assert_eq!(host.records(1)[0]["unwatched"], true);
}

#[test]
fn where_events_come_at_once_no_decision_waits_for_who_looks_on() {
    let lines = "[limits]\nfuel = 5_000_000_000\ndeadline = '800 ms'\nchain-deadline = '1500 ms'\n[[policy]]\nname = 'hangs'\ncomponent = 'it.wasm'\nmode = 'shadow'\n";
    let host = Host::with(&Package::of_probe("endless-loop", lines), &[("AWS_LAMBDA_MAX_CONCURRENCY", "2")]);
    host.ask(EVENT);
    // By then it hangs.
    thread::sleep(HANG / 5);
    let known = host.api.seen().posts.len();
    let invocations = [host.invocation(EVENT), host.invocation(EVENT)];
    let ids = invocations.each_ref().map(|invocation| invocation.id.clone());
    invocations.into_iter().for_each(|invocation| host.api.deliver(invocation));
    ids.iter().for_each(|id| drop(host.wait(id, known)));
    let records = host.records(3);
    assert!(hung(&records[0]), "{}", records[0]);
    for record in records {
        // After a wait for a place it would be 1.5 s.
        assert!(record["Duration"].as_u64() < Some(1_400_000), "{record}");
    }
}
