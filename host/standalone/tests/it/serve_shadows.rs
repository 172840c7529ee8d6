//! Lets policies look on: nothing of them is in an answer or its time, and all of it is in the record.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::http::Request;
use crate::server::{DENY, EVENT, LOOP, Server, eventually};
use crate::support::{ALLOW, Folder};

/// Serves a probe that allows while others look on.
fn watched_by(lines: &str, probes: &[(&str, &str)]) -> Server {
    Server::start(watched(lines, probes).serve())
}

/// The set of them.
fn watched(lines: &str, probes: &[(&str, &str)]) -> Folder {
    let shadow =
        |(name, _): &(&str, &str)| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\nmode = 'shadow'\n");
    let shadows: String = probes.iter().map(shadow).collect();
    let set = format!("{lines}[[policy]]\nname = 'answers'\ncomponent = 'answers.wasm'\n{shadows}");
    Folder::new().with_probes("", &[("answers", ALLOW)]).with_probes("", probes).with_set(&set)
}

#[test]
fn what_looks_on_is_in_the_record_alone() {
    let probes = [("agrees", ALLOW), ("denies", DENY), ("traps", "(unreachable)"), ("loops", LOOP)];
    let server = watched_by("\n[limits]\nfuel = 100_000\n", &probes);
    let answer = server.invoke("cogwit", EVENT);
    assert_eq!(answer.text(), EVENT);
    let record = server.record(&answer.id());
    let said: Vec<_> = record["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| {
            let fault = policy["fault"]["kind"].as_str().unwrap_or_default();
            (
                policy["name"].as_str().unwrap(),
                policy["mode"].as_str().unwrap(),
                policy["agrees"].as_bool(),
                &policy["differs"][0],
                fault,
            )
        })
        .collect();
    let nothing = serde_json::Value::Null;
    assert_eq!(
        said,
        [
            ("answers", "enforce", None, &nothing, ""),
            ("agrees", "shadow", Some(true), &nothing, ""),
            ("denies", "shadow", Some(false), &"denies".into(), ""),
            ("traps", "shadow", Some(false), &"faults".into(), "trap"),
            ("loops", "shadow", Some(false), &"faults".into(), "fuel"),
        ]
    );
    assert_eq!((record["level"].as_str(), record["Faults"].as_u64()), (Some("info"), Some(0)), "{record}");
    let counts = ["ShadowRuns", "ShadowDiffers", "ShadowFaults"].map(|metric| record[metric].as_u64());
    assert_eq!(counts, [Some(4), Some(3), Some(2)]);
    assert_eq!(server.stdout().lines().count(), 1);
    assert_eq!(server.counted("cogwit_shadow_runs_total", r#"agrees="false""#), 3);
    assert_eq!(server.counted("cogwit_shadow_runs_total", r#"policy="agrees",verdict="allow",agrees="true""#), 1);
    assert_eq!(server.counted("cogwit_policy_runs_total", ""), 1);
    // Whoever wants the log with the answer gets it without waiting for those who look on.
    let answer = server.ask(&Request::invoke("cogwit", EVENT).header("x-amz-log-type", "Tail"));
    let log = answer.log();
    assert!(log.contains(r#""name":"answers""#) && !log.contains("unwatched"), "{log}");
    assert_eq!(server.record(&answer.id())["policies"].as_array().unwrap().len(), 5);
}

#[test]
fn no_answer_waits_for_what_hangs_nor_does_any_record_for_long() {
    const EVENTS: usize = 100;
    // It takes until the deadline of a chain.
    let server = watched_by("\n[limits]\nfuel = 5_000_000_000\nchain-deadline = '1 s'\n", &[("hangs", LOOP)]);
    let mut connection = server.connection();
    let first = connection.ask(&Request::invoke("cogwit", EVENT)).unwrap();
    let since = Instant::now();
    for _ in 1..EVENTS {
        assert_eq!(connection.ask(&Request::invoke("cogwit", EVENT)).unwrap().text(), EVENT);
    }
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let record = server.record(&first.id());
    assert_eq!(record["policies"][1]["fault"]["kind"], "deadline", "{record}");
    // One after the other, those who look on would take a minute.
    eventually(|| (server.stdout().lines().count() == EVENTS).then_some(()));
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    let (unwatched, watched) = seen(&server);
    assert!(unwatched + watched == EVENTS && watched >= 1, "{unwatched} and {watched}");
    eventually(|| (server.counted("cogwit_unwatched_total", "") == unwatched as u64).then_some(()));
}

/// How many records say that nobody looked on, and how many that it hung.
fn seen(server: &Server) -> (usize, usize) {
    let records = server.stdout();
    let with = |part: &str| records.lines().filter(|line| line.contains(part)).count();
    (with(r#""unwatched":true"#), with(r#""name":"hangs""#))
}

#[test]
fn at_the_end_it_waits_for_whoever_looks_on_and_for_no_more() {
    let lines = "\n[limits]\nfuel = 500_000_000_000\nchain-deadline = '60 s'\n";
    let folder = watched(lines, &[("hangs", LOOP)]);
    let most = [("COGWIT_MAX_CHAIN_DEADLINE", "60 s"), ("COGWIT_MAX_FUEL", "500_000_000_000")];
    let server = Server::start(folder.serve().envs(most));
    let mut connection = server.connection();
    for _ in 0..5 {
        assert_eq!(connection.ask(&Request::invoke("cogwit", EVENT)).unwrap().text(), EVENT);
    }
    // Whoever looks on yields to everything else, so give it the time to begin.
    sleep(Duration::from_secs(1));
    server.signal(Signal::TERM);
    assert_eq!((server.ends().code(), server.said("error")), (Some(0), 0), "{}", server.stderr());
    assert_eq!(seen(&server), (4, 1), "{}", server.stdout());
}

#[test]
fn nobody_looks_on_at_large_events_so_that_none_takes_the_place_of_the_next() {
    let server = watched_by("\n[limits]\nfuel = 5_000_000_000\nchain-deadline = '1 s'\n", &[("hangs", LOOP)]);
    let large = EVENT.replace("\"response\"", &format!("\"x\":\"{}\",\"response\"", "x".repeat(70_000)));
    for _ in 0..40 {
        let answer = server.invoke("cogwit", large.as_str());
        assert_eq!((answer.status, answer.text() == large), (200, true));
        assert_eq!(server.record(&answer.id())["unwatched"], true);
    }
}
