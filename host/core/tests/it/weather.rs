//! Shows that a host serves on whatever its store does: errors, silence, slowness, too much, too little.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cogwit_core::release::{Live, Refreshed, Setup};
use tempfile::tempdir;

use crate::s3::{Fault, S3};
use crate::ship::{Publisher, RUNTIME, Signer, access, decide_by, in_s3, mark_of, marked, setup};

/// Long enough for an answer on a busy machine, and short enough for a test to wait for it.
const BUDGET: Duration = Duration::from_millis(1_500);

fn publisher<'a>(s3: &S3, signer: &'a Signer) -> Publisher<'a> {
    let place = format!("s3://{}/acme#prod", S3::BUCKET).parse().unwrap();
    Publisher { bucket: in_s3(s3, "/acme"), place, signer }
}

fn follow(s3: &S3, publisher: &Publisher<'_>, secret: &str, cache: Option<&Path>) -> Live {
    let mut setup = Setup { access: access(s3, secret), ..setup(publisher, cache) };
    setup.following.budget = BUDGET;
    RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap()
}

fn mark(live: &Live) -> u32 {
    mark_of(&decide_by(live.set(&live.serving(), SystemTime::now()).unwrap()))
}

/// Why the store was not followed, which was known in time.
fn refused(live: &Live) -> String {
    let since = Instant::now();
    let refreshed = RUNTIME.block_on(live.refresh(BUDGET));
    let took = since.elapsed();
    let Refreshed::Failed(reason) = refreshed else { panic!("followed") };
    assert!(took < BUDGET + Duration::from_secs(1), "{took:?}");
    assert_eq!(live.serving().problem.as_ref(), Some(&reason));
    reason
}

#[test]
fn a_poll_that_finds_nothing_new_is_one_request() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let live = follow(&s3, &publisher, S3::SECRET_KEY, None);
    for ignores in [false, true] {
        s3.ignore_conditions(ignores);
        s3.forget_requests();
        assert_eq!(RUNTIME.block_on(live.refresh(BUDGET)), Refreshed::Unchanged);
        let requests = s3.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert_eq!((requests[0].conditional, requests[0].status), (true, Some(if ignores { 200 } else { 304 })));
    }
    publisher.publish(&marked(8));
    s3.forget_requests();
    assert_eq!(RUNTIME.block_on(live.refresh(BUDGET)), Refreshed::Swapped);
    assert_eq!(mark(&live), 8);
}

#[test]
fn the_last_good_set_serves_whatever_becomes_of_the_channel() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let live = follow(&s3, &publisher, S3::SECRET_KEY, None);
    publisher.publish(&marked(8));
    let slow = Fault::Drip { bytes: 1, every: Duration::from_millis(50) };
    for (fault, told) in [
        (Fault::Status(429), "429"),
        (Fault::Status(500), "500"),
        (Fault::Status(503), "503"),
        (Fault::Status(403), "is refused"),
        (Fault::Status(400), "400"),
        (Fault::Status(301), ""),
        (Fault::Reset, "cannot be had"),
        (Fault::Hang, ""),
        (slow, ""),
        (Fault::Truncate(100), "cannot be had"),
        (Fault::Oversize(1 << 30), "has more than 65536 bytes"),
        (Fault::Endless, "cannot be had"),
        (Fault::Replace(b"{}".to_vec()), "it cannot be read"),
        (Fault::LoseAnswer, "cannot be had"),
    ] {
        let name = format!("{fault:?}");
        s3.fail(fault);
        let reason = refused(&live);
        assert!(reason.contains(told), "{name}: {reason}");
        assert_eq!(mark(&live), 7, "{name}");
        s3.heal();
    }
    s3.stop_listening();
    assert!(refused(&live).contains("cannot be had"));
    assert_eq!(mark(&live), 7);
    s3.listen_again();
    assert_eq!(RUNTIME.block_on(live.refresh(BUDGET)), Refreshed::Swapped);
    assert_eq!(mark(&live), 8);
}

#[test]
fn the_last_good_set_serves_whatever_becomes_of_a_release_and_the_next_refresh_goes_on() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let live = follow(&s3, &publisher, S3::SECRET_KEY, None);
    publisher.publish(&marked(8));
    let release = |_: &http::Method, key: &str| key.contains("/releases/");
    let component = |_: &http::Method, key: &str| key.contains("/components/");
    for (fault, told) in [
        (Fault::Status(500), "500"),
        (Fault::Status(404), "is not there"),
        (Fault::Reset, "cannot be had"),
        (Fault::Hang, ""),
        (Fault::Drip { bytes: 1, every: Duration::from_millis(50) }, ""),
        (Fault::Oversize(1 << 30), "has more than"),
        (Fault::Replace(b"{}".to_vec()), "was changed"),
    ] {
        for of_the_release in [true, false] {
            let name = format!("{fault:?} {of_the_release}");
            match of_the_release {
                true => s3.fail_on(release, fault.clone()),
                false => s3.fail_on(component, fault.clone()),
            }
            let reason = refused(&live);
            assert!(reason.contains(told), "{name}: {reason}");
            assert_eq!(mark(&live), 7, "{name}");
            s3.heal();
        }
    }
    assert_eq!(RUNTIME.block_on(live.refresh(BUDGET)), Refreshed::Swapped);
    assert_eq!(mark(&live), 8);
}

#[test]
fn who_may_not_read_is_told_so_and_serves_what_was_kept() {
    let (s3, signer, folder) = (S3::start(), Signer::new(), tempdir().unwrap());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let cache = folder.path().join("cache");
    RUNTIME.block_on(follow(&s3, &publisher, S3::SECRET_KEY, Some(&cache)).refresh(BUDGET));
    let live = follow(&s3, &publisher, "wrong", Some(&cache));
    let serving = live.serving();
    let reason = serving.problem.as_deref().unwrap();
    assert!(reason.contains("channels/prod.json` is refused") && reason.contains("check the credentials"), "{reason}");
    assert_eq!((mark(&live), serving.is_fallback()), (7, false));
    let none = follow(&s3, &publisher, "wrong", None);
    assert!(none.set(&none.serving(), SystemTime::now()).err().unwrap().contains("check the credentials"));
    let elsewhere =
        Publisher { place: "s3://nowhere#prod".parse().unwrap(), bucket: publisher.bucket.clone(), signer: &signer };
    let live = follow(&s3, &elsewhere, S3::SECRET_KEY, None);
    let reason = live.serving().problem.clone().unwrap();
    assert!(reason.contains("`s3://nowhere/channels/prod.json` is not there"), "{reason}");
}

#[test]
fn a_start_without_the_store_takes_no_longer_than_its_budget() {
    let (s3, signer, folder) = (S3::start(), Signer::new(), tempdir().unwrap());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let cache = folder.path().join("cache");
    RUNTIME.block_on(follow(&s3, &publisher, S3::SECRET_KEY, Some(&cache)).refresh(BUDGET));
    for fault in [Fault::Hang, Fault::Drip { bytes: 1, every: Duration::from_millis(50) }] {
        s3.fail(fault);
        let since = Instant::now();
        let live = follow(&s3, &publisher, S3::SECRET_KEY, Some(&cache));
        let took = since.elapsed();
        // The set itself is compiled here.
        assert!(took < BUDGET + Duration::from_secs(8), "{took:?}");
        assert_eq!(mark(&live), 7);
        s3.heal();
    }
}

#[test]
fn decisions_go_on_while_a_refresh_hangs() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = publisher(&s3, &signer);
    publisher.publish(&marked(7));
    let live = Arc::new(follow(&s3, &publisher, S3::SECRET_KEY, None));
    s3.fail(Fault::Hang);
    let hanging = RUNTIME.spawn({
        let live = live.clone();
        async move { live.refresh(BUDGET).await }
    });
    let mut decided = 0;
    while !hanging.is_finished() {
        assert_eq!(mark(&live), 7);
        decided += 1;
    }
    assert!(decided > 100, "{decided}");
    assert!(matches!(RUNTIME.block_on(hanging).unwrap(), Refreshed::Failed(_)));
}
