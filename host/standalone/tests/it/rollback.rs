//! Goes back to what a channel named before, if all of it is there and a host would serve it.

use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::Value;
use snapbox::str;

use crate::channel::{Channel, set};
use crate::program::{Cogwit, json, stderr, stdout};
use crate::s3::Fault;

impl Channel {
    fn rollback(&self) -> Cogwit {
        self.strange("rollback").args([&self.place(), "--key", "it.key"])
    }

    fn rolled_back(&self, to: &str) -> Value {
        json(&self.rollback().args([to, "--format", "json"]).ends(0))
    }
}

#[test]
fn the_release_before_serves_again() {
    for channel in Channel::each() {
        channel.published("four");
        let first = channel.one("releases/");
        channel.published("five");
        channel.published("five");
        channel
            .rollback()
            .ends(0)
            .stdout_eq(str![[r#"
[..]#prod points to another release
  from      [..] of sequence 3
  to        [..]
    ~ policy `length`: cases.cases.toml.text
    ~ policy `length`: settings.minimum-length: "5" -> "4"
  sequence  4, signed by the key [..]
hosts that follow the channel take it over within their COGWIT_REFRESH (30s here), those in Lambda after their next answer

"#]])
            .stderr_eq("");
        assert_eq!(channel.decides(), 0);
        assert_eq!(format!("releases/{}.json", channel.status(0)["release"].as_str().unwrap()), first);
        // And back.
        channel.rollback().ends(0);
        assert_eq!((channel.decides(), &channel.status(0)["sequence"]), (1, &5.into()));
    }
}

#[test]
fn a_release_goes_by_its_sequence_or_its_digest() {
    let channel = Channel::in_a_folder();
    let four = channel.published("four")["release"].as_str().unwrap().to_owned();
    let five = channel.published("five")["release"].as_str().unwrap().to_owned();
    assert_eq!(channel.rolled_back("1")["release"], four.as_str());
    assert_eq!(channel.rolled_back(&five[..8])["release"], five.as_str());
    assert_eq!(channel.rolled_back(&four)["sequence"], 5);
    for (release, code, told) in [
        ("77", 4, "no release of sequence 77 is in the history of"),
        ("00000000", 4, "no release `00000000` is in the history of"),
        (&five.replace(|_| true, "0"), 4, "is not there"),
        ("latest", 2, "`latest` is no release: write a sequence such as `7`"),
    ] {
        let ended = channel.rollback().arg(release).ends(code).stdout_eq("");
        assert!(stderr(&ended).contains(told), "{}", stderr(&ended));
    }
    // What another channel of the store serves.
    let next = |release: &str| {
        channel.strange("rollback").args([&channel.named("next"), release, "--key", "it.key", "--format", "json"])
    };
    next(&five[..8]).ends(4);
    assert_eq!(json(&next(&five).ends(0))["sequence"], 1);
}

#[test]
fn there_is_nothing_to_go_back_to() {
    let channel = Channel::in_a_folder();
    let told = || stderr(&channel.rollback().ends(4).stdout_eq(""));
    assert!(told().contains("there is no folder `"), "{}", told());
    channel.published("four");
    channel.published("four");
    assert!(told().contains("has no other release to go back to"), "{}", told());
    let other = channel.strange("rollback").args([&channel.named("next"), "--key", "it.key"]).ends(4);
    assert!(stderr(&other).contains("there is no channel `next` in `file://"), "{}", stderr(&other));
}

#[test]
fn what_no_host_would_serve_needs_a_word_more() {
    let channel = Channel::in_a_folder();
    channel
        .folder
        .write("four/policies.toml", set("settings = { minimum-length = 4 }\nlimits = { fuel = 9_000_000 }\n"));
    channel.published("four");
    channel.published("five");
    let rollback = || channel.rollback().env("COGWIT_MAX_FUEL", "8_000_000");
    let before = channel.objects();
    // The set that serves asks for no more than the host allows.
    let told = stderr(&rollback().ends(4).stdout_eq(""));
    assert!(
        told.contains("so the channel is left as it is; in an emergency, `--no-admission` goes over that\n"),
        "{told}"
    );
    assert!(told.contains("policy `length`: limit `fuel` is `9000000`, but this host allows `8000000`"), "{told}");
    assert_eq!(channel.objects(), before);
    let told = stdout(&rollback().arg("--no-admission").ends(0));
    assert!(told.contains("  warning   nobody checked whether a host would serve it\n"), "{told}");
}

#[test]
fn what_is_not_complete_is_never_pointed_to() {
    for channel in Channel::each() {
        channel.published("four");
        channel.folder.write("five/policies.toml", set("settings = { blocked-clients = 'a' }\n"));
        channel
            .folder
            .write("five/cases.toml", "source = 'PreAuthentication_Authentication'\nexpect.decision = 'allow'\n");
        channel.folder.write("five/length.wasm", std::fs::read(crate::support::component("block-client")).unwrap());
        let first = channel.one("components/");
        channel.published("five");
        let before = channel.text("channels/prod.json");
        let bytes = channel.objects()[&first].clone();
        channel.put(&first, [&bytes[..bytes.len() - 1], b"x"].concat());
        for args in [&["--no-admission"][..], &[]] {
            let told = stderr(&channel.rollback().args(args).ends(4).stdout_eq(""));
            assert!(told.contains("is not complete, so the channel is left as it is\n"), "{told}");
            assert!(told.contains("was changed: it has the digest"), "{told}");
        }
        channel.remove(&first);
        let told = stderr(&channel.rollback().arg("--no-admission").ends(4).stdout_eq(""));
        assert!(told.contains(&format!("{first}` is not there")), "{told}");
        assert_eq!(channel.text("channels/prod.json"), before);
        channel.put(&first, bytes);
        channel.rollback().ends(0);
    }
}

#[test]
fn a_release_that_somebody_slipped_in_is_not_taken() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    channel.strange("publish").args(["five", &channel.named("theirs"), "--key", "other.key"]).ends(0);
    channel.published("four");
    // Theirs, where the history of this channel is looked for.
    let theirs = channel.text("channels/theirs.json").replace("theirs", "prod");
    channel.put("history/prod/00000000000000000009.json", theirs);
    channel.rollback().ends(4);
    channel.rollback().arg("9").ends(4);
    assert_eq!(channel.published("four")["sequence"], 3);
}

#[test]
fn the_channel_points_there_before_what_it_leaves_is_looked_at() {
    let channel = Channel::in_s3();
    channel.published("four");
    let left = channel.published("five")["release"].as_str().unwrap().to_owned();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let to = asked.clone();
    let told = move |method: &Method, key: &str| {
        to.lock().unwrap().push(format!("{method} {key}"));
        false
    };
    channel.s3.as_ref().unwrap().fail_on(told, Fault::Reset);
    channel.rollback().ends(0);
    let asked = asked.lock().unwrap();
    let place = |request: &str| asked.iter().position(|it| it == request).unwrap_or_else(|| panic!("{asked:?}"));
    let points = place("PUT login/channels/prod.json");
    assert!(points < place(&format!("GET login/releases/{left}.json")), "{asked:?}");
}
