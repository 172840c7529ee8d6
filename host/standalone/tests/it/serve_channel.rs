//! Follows a channel while it serves, as the Lambda host does.

use std::fs;

use walkdir::WalkDir;

use crate::channel::{Channel, RROE};
use crate::program::{Cogwit, stderr};
use crate::server::{Server, eventually};

impl Channel {
    /// `cogwit serve` with this channel, which it looks at again and again.
    pub(crate) fn followed(&self) -> Cogwit {
        let serve = self.cogwit("serve").args(["--policies", &self.place()]);
        serve.envs([("COGWIT_REFRESH", "100 ms"), ("COGWIT_FETCH_BUDGET", "5 s"), ("COGWIT_CACHE", "off")])
    }
}

/// Waits until a sign-up is decided so, by the release of this sequence.
#[track_caller]
fn comes_to(server: &Server, decision: &str, sequence: u64) {
    let answer = eventually(|| {
        let answer = server.invoke("a", RROE);
        let decided = server.record(&answer.id())["decision"] == decision;
        let of = answer.header("x-amz-executed-version") == Some(&sequence.to_string());
        (decided && of).then_some(answer)
    });
    assert_eq!(server.record(&answer.id())["set"]["sequence"], sequence);
}

#[test]
fn what_is_published_serves_and_what_was_taken_back_does_not() {
    for channel in Channel::each() {
        channel.published("four");
        let server = Server::start(channel.followed());
        comes_to(&server, "allow", 1);
        channel.published("five");
        comes_to(&server, "deny", 2);
        channel.strange("rollback").args([&channel.place(), "--key", "it.key"]).ends(0);
        comes_to(&server, "allow", 3);
        let status = server.status();
        let followed = &status["channel"];
        assert_eq!(
            (&followed["name"], &followed["sequence"], &followed["known"]),
            (&"prod".into(), &3.into(), &3.into())
        );
        assert!(status["problem"].is_null() && followed["fallback"] == false, "{status}");
        assert_eq!(server.counted("cogwit_set_sequence", ""), 3);
        assert_eq!((server.said("serving `it`: release "), server.said("error")), (3, 0), "{}", server.stderr());
    }
}

#[test]
fn a_store_that_breaks_leaves_the_last_good_set() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let server = Server::start(channel.followed());
    comes_to(&server, "allow", 1);
    let prod = channel.text("channels/prod.json");
    for broken in ["", "{}", &prod.replace("sequence", "sequenze"), &prod.replace(r#"\"prod\""#, r#"\"test\""#)] {
        channel.put("channels/prod.json", broken);
        eventually(|| server.status()["problem"].is_string().then_some(()));
        comes_to(&server, "allow", 1);
        assert_eq!(server.get("/readyz").status, 200);
        channel.put("channels/prod.json", &prod);
        eventually(|| server.status()["problem"].is_null().then_some(()));
    }
    let [store, away] = ["store", "away"].map(|name| channel.folder.path(name));
    fs::rename(&store, &away).unwrap();
    eventually(|| server.status()["problem"].is_string().then_some(()));
    comes_to(&server, "allow", 1);
    fs::rename(&away, &store).unwrap();
    channel.published("five");
    comes_to(&server, "deny", 2);
}

#[test]
fn a_start_without_the_store_waits_for_it() {
    let channel = Channel::in_s3();
    channel.published("four");
    let s3 = channel.s3.as_ref().unwrap();
    s3.stop_listening();
    let server = Server::start(channel.followed());
    server.says("error: ");
    let answer = server.invoke("a", RROE);
    assert_eq!(answer.json()["errorType"], "Function.PolicyFault");
    assert!(server.record(&answer.id())["set"]["name"].is_null());
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    assert_eq!(server.counted("cogwit_ready", ""), 0);
    s3.listen_again();
    comes_to(&server, "allow", 1);
    assert_eq!((server.get("/readyz").status, server.counted("cogwit_ready", "")), (200, 1));
}

#[test]
fn a_start_without_the_store_serves_what_was_kept() {
    let channel = Channel::in_s3();
    channel.published("four");
    let kept = channel.folder.path("kept");
    let follow = || Server::start(channel.followed().env("COGWIT_CACHE", &kept));
    let is_kept = || WalkDir::new(&kept).into_iter().flatten().any(|it| it.path().ends_with("channels/prod.json"));
    let server = follow();
    eventually(|| is_kept().then_some(()));
    drop(server);
    channel.s3.as_ref().unwrap().stop_listening();
    let server = follow();
    comes_to(&server, "allow", 1);
    assert_eq!(server.get("/readyz").status, 200);
    server.says("without the store, the release of sequence 1 serves");
}

#[test]
fn a_channel_needs_a_key_and_a_name() {
    let channel = Channel::in_a_folder();
    let told = stderr(&channel.strange("serve").args(["--policies", &channel.place()]).ends(2).stdout_eq(""));
    assert!(told.contains("COGWIT_TRUSTED_KEYS is not set") && told.contains("the public key"), "{told}");
    let nameless = channel.cogwit("serve").args(["--policies", "s3://bucket/prefix"]).ends(2).stdout_eq("");
    assert!(stderr(&nameless).contains("#"), "{}", stderr(&nameless));
}
