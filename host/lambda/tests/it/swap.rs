//! Follows a channel over S3, on good days and on bad ones: no answer is wrong, none waits, and the reason is told.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use crate::host::Host;
use crate::package::{Package, shipped};
use crate::runtime_api::Invocation;
use crate::s3::{Fault, S3};
use crate::store::{EVENT, STRANGER, Store, Wanted, document, follow, follow_s3};

/// Far more than an answer takes, and far less than what a store may take.
const SOON: Duration = Duration::from_millis(400);

/// An S3 with the set of this mark, and the store that it comes from.
fn serving(mark: u32) -> (Store, S3) {
    let (store, s3) = (Store::new(), S3::start());
    store.publish(mark);
    store.bring_to(&s3);
    (store, s3)
}

fn plain(mark: u32) -> Package {
    Package::of(&document(mark, Wanted::default()), &shipped(&["deny-short-username"]))
}

/// How long an answer took.
fn timed(host: &Host, invocation: Invocation) -> Duration {
    let since = Instant::now();
    host.answer(invocation);
    since.elapsed()
}

#[test]
fn over_s3_each_release_serves_in_its_turn() {
    let (store, s3) = serving(11);
    let first = store.publish(11);
    let host = follow_s3(&s3, &Package::empty(), &[]);
    assert_eq!(host.mark(), Some(11));
    store.publish(12);
    store.bring_to(&s3);
    assert_eq!([host.mark(), host.mark()], [Some(11), Some(12)]);
    store.point(&first.payload.release, Wanted::default());
    store.bring_to(&s3);
    s3.forget_requests();
    assert_eq!([host.mark(), host.mark()], [Some(12), Some(11)]);
    // The set that served before is at hand: only the channel is read.
    assert_eq!(s3.requests().len(), 2, "{:?}", s3.requests());
    assert!(host.said("error") + host.said("warning") == 0, "{}", host.stderr());
}

#[test]
fn a_poll_that_changes_nothing_costs_one_request() {
    let (_, s3) = serving(11);
    let host = follow_s3(&s3, &Package::empty(), &[]);
    host.mark();
    for ignores in [false, true] {
        s3.ignore_conditions(ignores);
        s3.forget_requests();
        for _ in 0..3 {
            assert_eq!(host.mark(), Some(11));
        }
        let seen: Vec<_> = s3.requests().into_iter().map(|it| (it.method, it.key, it.status, it.conditional)).collect();
        let poll = (Method::GET, "acme/channels/prod.json".to_owned(), Some(if ignores { 200 } else { 304 }), true);
        assert_eq!(seen, [poll.clone(), poll.clone(), poll]);
    }
}

#[test]
fn between_two_polls_the_store_is_left_alone() {
    let (_, s3) = serving(11);
    let host = follow_s3(&s3, &Package::empty(), &[("COGWIT_REFRESH", "30 s")]);
    host.rests();
    s3.forget_requests();
    (0..5).for_each(|_| assert_eq!(host.mark(), Some(11)));
    assert_eq!(s3.requests(), []);
}

#[test]
fn whatever_becomes_of_s3_the_last_good_set_answers_at_once() {
    let drip = Fault::Drip { bytes: 1, every: Duration::from_millis(100) };
    let stranger = Store::new();
    stranger.publish_as(12, Wanted { signer: &STRANGER, ..Wanted::default() });
    let faults = [
        (Fault::Status(403), "is refused: "),
        (Fault::Status(404), "is not there: "),
        (Fault::Status(429), ""),
        (Fault::Status(500), ""),
        (Fault::Status(503), ""),
        (Fault::Reset, ""),
        (Fault::Hang, "did not answer within "),
        (drip, "did not answer within "),
        (Fault::LoseAnswer, ""),
        (Fault::Truncate(40), ""),
        (Fault::Oversize(1 << 20), "has more than 65536 bytes: it is not what was published"),
        (Fault::Endless, ""),
        (Fault::Replace(stranger.read("channels/prod.json")), "it is signed by a key that is not trusted"),
        (Fault::Replace(Vec::new()), "it cannot be read: "),
    ];
    for (fault, told) in faults {
        let name = format!("{fault:.40?}");
        let (store, s3) = serving(11);
        let host = follow_s3(&s3, &Package::empty(), &[("COGWIT_FETCH_BUDGET", "300 ms")]);
        assert_eq!(host.mark(), Some(11));
        store.publish(12);
        store.bring_to(&s3);
        s3.fail(fault);
        for number in 0..2 {
            let since = Instant::now();
            let (mark, record) = host.mark_and_record();
            let whole = since.elapsed();
            assert_eq!(mark, Some(11), "{name}");
            assert!(whole < Duration::from_millis(1_500), "{name}: it rests after {whole:?} only");
            let problem = record["set"]["problem"].as_str().unwrap_or_default();
            assert_eq!(problem.is_empty(), number == 0, "{name}: {record}");
            assert!(number == 0 || problem.contains(told), "{name}: {problem}");
            assert!(
                number == 0 || (&record["level"], &record["Fallback"]) == (&json!("warning"), &json!(0)),
                "{record}"
            );
            assert!(timed(&host, host.invocation(EVENT)) < SOON, "{name}");
            host.rests();
        }
        host.says("error: ");
        // A status that comes late is a silence, which is told once too.
        let stderr = host.stderr();
        let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        let different: BTreeSet<_> = errors.iter().collect();
        assert!(errors.len() <= 2 && different.len() == errors.len(), "{name}: {stderr}");
        s3.heal();
        // On a busy machine a refresh may miss its 300 ms.
        assert_eq!(host.mark(), Some(11), "{name}");
        assert!((0..10).any(|_| host.mark() == Some(12)), "{name}: {}", host.stderr());
    }
}

#[test]
fn an_s3_that_refuses_connections_is_found_again() {
    let (store, s3) = serving(11);
    let host = follow_s3(&s3, &Package::empty(), &[]);
    assert_eq!(host.mark(), Some(11));
    s3.stop_listening();
    assert_eq!([host.mark(), host.mark()], [Some(11), Some(11)]);
    store.publish(12);
    store.bring_to(&s3);
    s3.listen_again();
    assert_eq!([host.mark(), host.mark()], [Some(11), Some(12)], "{}", host.stderr());
}

#[test]
fn an_object_that_cannot_be_had_leaves_the_older_set() {
    let faults = [
        Fault::Status(500),
        Fault::Reset,
        Fault::Hang,
        Fault::Truncate(40),
        Fault::Oversize(90 << 20),
        Fault::Endless,
        Fault::Replace(b"{}".to_vec()),
    ];
    for folder in ["/releases/", "/components/"] {
        for fault in faults.clone() {
            let name = format!("{folder}: {fault:.40?}");
            let (store, s3) = serving(11);
            let host = follow_s3(&s3, &Package::empty(), &[("COGWIT_FETCH_BUDGET", "300 ms")]);
            assert_eq!(host.mark(), Some(11));
            store.publish(12);
            store.bring_to(&s3);
            s3.fail_on(move |_, key| key.contains(folder), fault);
            host.mark();
            let (mark, record) = host.mark_and_record();
            assert_eq!((mark, &record["level"], &record["Fallback"]), (Some(11), &json!("error"), &json!(1)), "{name}");
            assert_eq!((&record["set"]["sequence"], &record["set"]["known"]), (&json!(1), &json!(2)), "{name}");
            s3.heal();
            assert_eq!([host.mark(), host.mark()], [Some(11), Some(12)], "{name}: {}", host.stderr());
        }
    }
}

#[test]
fn machine_code_that_cannot_be_had_gives_way_to_the_component() {
    let (_, s3) = serving(11);
    s3.fail_on(|_, key| key.contains("/native/"), Fault::Replace(b"another program".to_vec()));
    let host = follow_s3(&s3, &Package::empty(), &[]);
    assert_eq!(host.mark(), Some(11), "{}", host.stderr());
    host.says("its machine code is not used, so the component was compiled");
}

#[test]
fn a_start_without_s3_serves_what_is_near() {
    let (_, s3) = serving(11);
    let secret = ("AWS_SECRET_ACCESS_KEY", "wrong");
    let starts = [
        (follow_s3(&s3, &plain(5), &[secret]), "is refused: "),
        (follow_s3(&s3, &plain(5), &[("AWS_ACCESS_KEY_ID", "nobody")]), "is refused: "),
        (follow("s3://elsewhere/acme#prod", &plain(5), &borrowed(&s3.env())), "is not there: "),
    ];
    for (host, told) in starts {
        let (mark, record) = host.mark_and_record();
        assert_eq!(mark, Some(5), "{}", host.stderr());
        assert!(record["set"]["problem"].as_str().unwrap().contains(told), "{record}");
        assert_eq!((&record["level"], &record["Fallback"]), (&json!("error"), &json!(1)));
    }
}

fn borrowed<'a>(env: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    env.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn a_start_waits_for_a_store_that_hangs_as_long_as_it_may() {
    let (_, s3) = serving(11);
    s3.fail(Fault::Hang);
    let since = Instant::now();
    let host = follow_s3(&s3, &plain(5), &[("COGWIT_REFRESH", "30 s")]);
    host.rests();
    let took = since.elapsed();
    assert!(took > Duration::from_millis(750) && took < Duration::from_millis(1_600), "{took:?}");
    assert!(timed(&host, host.invocation(EVENT)) < SOON);
    assert_eq!(host.mark(), Some(5));
}

#[test]
fn an_answer_is_posted_before_the_store_is_asked() {
    let (_, s3) = serving(11);
    let host = follow_s3(&s3, &Package::empty(), &[("COGWIT_FETCH_BUDGET", "2 s")]);
    assert_eq!(host.mark(), Some(11));
    s3.fail(Fault::Hang);
    thread::sleep(Duration::from_millis(3));
    let since = Instant::now();
    host.ask(EVENT);
    let answered = since.elapsed();
    host.rests();
    let rested = since.elapsed();
    assert!(answered < SOON && rested > Duration::from_millis(1_500), "{answered:?}, {rested:?}");
}

#[test]
fn asking_ends_before_lambda_would_end_the_function() {
    let (_, s3) = serving(11);
    let host = follow_s3(&s3, &Package::empty(), &[("COGWIT_FETCH_BUDGET", "20 s")]);
    assert_eq!(host.mark(), Some(11));
    s3.fail(Fault::Hang);
    thread::sleep(Duration::from_millis(3));
    let since = Instant::now();
    host.answer(Invocation { time: Duration::from_millis(1_200), ..host.invocation(EVENT) });
    host.rests();
    assert!(since.elapsed() < Duration::from_millis(1_200), "{:?}", since.elapsed());
}

#[test]
fn a_stale_set_waits_for_the_store_no_longer_than_it_may() {
    let (_, s3) = serving(11);
    let stale = [("COGWIT_MAX_STALENESS", "1 ms"), ("COGWIT_FETCH_BUDGET", "600 ms")];
    let host = follow_s3(&s3, &Package::empty(), &stale);
    assert_eq!(host.mark(), Some(11));
    s3.fail(Fault::Hang);
    thread::sleep(Duration::from_millis(3));
    let took = timed(&host, host.invocation(EVENT));
    assert!(took > Duration::from_millis(500) && took < Duration::from_millis(600) + SOON, "{took:?}");
    host.rests();
    // Half of what is left, so that the other half is there for the policies.
    thread::sleep(Duration::from_millis(3));
    let took = timed(&host, Invocation { time: Duration::from_millis(500), ..host.invocation(EVENT) });
    assert!(took < Duration::from_millis(450), "{took:?}");
    host.rests();
    assert_eq!(host.mark(), Some(11));
}

#[test]
fn where_events_come_at_once_none_waits_and_one_asks() {
    let (store, s3) = serving(11);
    let further = [("AWS_LAMBDA_MAX_CONCURRENCY", "4"), ("COGWIT_FETCH_BUDGET", "1 s")];
    let host = follow_s3(&s3, &Package::empty(), &further);
    host.ask(EVENT);
    thread::sleep(Duration::from_millis(100));
    store.publish(12);
    store.bring_to(&s3);
    s3.forget_requests();
    s3.fail(Fault::Hang);
    host.ask(EVENT);
    // All four wait for events, although one of them has to see to the store.
    let free = host.api.wait(SOON, |seen| (seen.asked == seen.posts.len() + 4).then_some(()));
    assert!(free.is_some());
    for _ in 0..8 {
        assert!(timed(&host, host.invocation(EVENT)) < SOON);
    }
    assert_eq!(s3.requests().len(), 1, "{:?}", s3.requests());
    s3.heal();
    let since = Instant::now();
    while !host.ask(EVENT).text().contains("of 12") {
        assert!(since.elapsed() < Duration::from_secs(10), "{}", host.stderr());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn where_events_come_at_once_to_a_stale_set_one_question_serves_them_all() {
    let (_, s3) = serving(11);
    let further = [("AWS_LAMBDA_MAX_CONCURRENCY", "4"), ("COGWIT_MAX_STALENESS", "1 ms"), ("COGWIT_REFRESH", "600 ms")];
    let host = follow_s3(&s3, &Package::empty(), &further);
    host.rests();
    thread::sleep(Duration::from_millis(700));
    s3.forget_requests();
    // Long enough for each to come while the first one asks.
    s3.fail(Fault::Drip { bytes: 100, every: Duration::from_millis(20) });
    s3.ignore_conditions(true);
    let known = host.api.seen().posts.len();
    let ids: Vec<_> = (0..4)
        .map(|_| {
            let invocation = host.invocation(EVENT);
            let id = invocation.id.clone();
            host.api.deliver(invocation);
            id
        })
        .collect();
    ids.iter().for_each(|id| drop(host.wait(id, known)));
    assert_eq!(s3.requests().len(), 1, "{:?}", s3.requests());
}
