//! Publishes on bad days: the channel points to a whole release, whatever happens to the store or to the publisher.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::Method;
use snapbox::str;

use crate::channel::Channel;
use crate::program::{json, stderr};
use crate::s3::Fault;

#[test]
fn whoever_is_cut_off_leaves_a_whole_release() {
    let channel = Channel::in_s3();
    let s3 = channel.s3.as_ref().unwrap();
    channel.published("four");
    let before = s3.all();
    let (mut requests, mut done) = (0, false);
    while !done {
        s3.restore(before.clone());
        // This machine as it was then, too.
        channel.forget();
        channel.publish("four").args(["--dry-run", "--expect", "1"]).ends(0);
        s3.fail(Fault::CloseAfter(requests));
        let ended = channel.publish("five").args(["--format", "json"]).ended();
        s3.heal();
        let status = channel.status(0);
        let sequence = status["sequence"].as_u64().unwrap();
        done = ended.get_output().status.success();
        assert!(sequence == 2 || !done && sequence == 1, "after {requests} requests: {status}");
        assert_eq!(channel.decides(), i32::from(sequence == 2), "after {requests} requests");
        // And whoever does it again succeeds.
        assert_eq!(channel.published("five")["sequence"], sequence + 1, "after {requests} requests");
        requests += 1;
        assert!(requests < 100);
    }
    assert!(requests > 5, "{requests} requests were enough");
}

#[test]
fn whoever_comes_second_is_told() {
    let channel = Channel::in_s3();
    let s3 = channel.s3.as_ref().unwrap();
    channel.published("four");
    channel.published("five");
    let five = channel.text("channels/prod.json");
    // Somebody else writes it between our reading and our writing.
    let lost = |method: &Method, key: &str| *method == Method::PUT && key == "login/channels/prod.json";
    s3.fail_on(lost, Fault::Status(412));
    channel.publish("four").ends(1).stdout_eq("").stderr_eq(str![[r#"
components/sha256/[..].wasm
releases/[..].json
error: `s3://releases/login/channels/prod.json` was written by somebody else in the meantime: look at `cogwit status`, and do it again

"#]]);
    assert_eq!(channel.text("channels/prod.json"), five);
    s3.heal();
    channel.status(0);
}

/// A request whose answer was lost may have done its work.
#[test]
fn a_lost_answer_is_no_lost_race() {
    let channel = Channel::in_s3();
    let s3 = channel.s3.as_ref().unwrap();
    channel.published("four");
    for (fault, sequence) in [(Fault::LoseAnswer, 2), (Fault::Reset, 3)] {
        let once = AtomicBool::new(false);
        let first = move |method: &Method, key: &str| {
            *method == Method::PUT && key == "login/channels/prod.json" && !once.swap(true, Ordering::SeqCst)
        };
        s3.fail_on(first, fault);
        assert_eq!(channel.published("five")["sequence"], sequence);
        s3.heal();
        channel.status(0);
    }
}

#[test]
fn a_store_that_cannot_be_used() {
    let channel = Channel::in_s3();
    let told = |ended: snapbox::cmd::OutputAssert| stderr(&ended.stdout_eq(""));
    let to = |place: &str| channel.strange("publish").args(["four", place, "--key", "it.key"]);
    let missing = told(to("s3://missing/login#prod").ends(4));
    assert!(missing.contains("s3://missing/login"), "{missing}");
    assert!(missing.contains("check bucket, prefix and channel"), "{missing}");
    let denied = told(channel.publish("four").env("AWS_SECRET_ACCESS_KEY", "wrong").ends(4));
    assert!(denied.contains("check the credentials and what their role may do"), "{denied}");
    let unknown = told(channel.publish("four").env("AWS_ACCESS_KEY_ID", "who").ends(4));
    assert!(unknown.contains("check the credentials"), "{unknown}");
    channel.s3.as_ref().unwrap().stop_listening();
    let away = told(channel.publish("four").ends(4));
    assert!(away.contains("cannot be had: "), "{away}");
    for (place, reason) in
        [("gs://b#prod", "is no release store"), ("s3://b/p", "names no channel"), ("four", "is no release store")]
    {
        let told = told(to(place).ends(2));
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn errors_that_pass_are_waited_out() {
    let channel = Channel::in_s3();
    let s3 = channel.s3.as_ref().unwrap();
    for fault in [Fault::Status(500), Fault::Status(429), Fault::Reset] {
        let count = AtomicUsize::new(0);
        s3.fail_on(move |_, _| count.fetch_add(1, Ordering::SeqCst).is_multiple_of(3), fault);
        json(&channel.publish("four").args(["--format", "json"]).ends(0));
        s3.heal();
        channel.status(0);
    }
}
