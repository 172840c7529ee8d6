//! Lets candidates answer more and more users, and at last take their policy's place, by the channel alone.

use std::process::Stdio;

use serde_json::Value;
use snapbox::str;

use crate::channel::Channel;
use crate::program::{Cogwit, json, stderr, stdout};

/// A set of two policies with a candidate each, and one that looks on.
const SET: &str = "schema = 1
[set]
name = 'it'
[[policy]]
name = 'length'
component = 'length.wasm'
settings = { minimum-length = 4 }
candidate = { component = 'length.wasm', settings = { minimum-length = 5 }, rollout = 10 }
[[policy]]
name = 'confirm'
component = 'confirm.wasm'
candidate = { component = 'verify.wasm', rollout = 0 }
[[policy]]
name = 'longer'
component = 'length.wasm'
mode = 'shadow'
settings = { minimum-length = 8 }
";

impl Channel {
    /// Publishes [`SET`].
    fn with_candidates(self) -> Self {
        let folder = self.folder.with("set/policies.toml", SET);
        let names =
            [("deny-short-username", "length"), ("auto-confirm-domain", "confirm"), ("auto-confirm-verify", "verify")];
        let folder = names
            .into_iter()
            .fold(folder, |folder, (name, file)| folder.with_component(name, &format!("set/{file}.wasm")));
        let channel = Self { folder, ..self };
        channel.published("set");
        channel
    }

    /// `cogwit publish CHANGES CHANNEL`
    fn edit(&self, changes: &[&str]) -> Cogwit {
        self.strange("publish").args(changes).args([&self.place(), "--key", "it.key"])
    }

    /// The release that the channel names now.
    fn release(&self) -> Value {
        let digest = self.status(0)["release"].as_str().unwrap().to_owned();
        serde_json::from_str(&self.text(&format!("releases/{digest}.json"))).unwrap()
    }

    fn rollout(&self, policy: usize) -> Value {
        self.release()["policies"]["policy"][policy]["candidate"]["rollout"].clone()
    }
}

#[test]
fn a_rollout_is_all_that_changes() {
    for channel in [Channel::in_a_folder().with_candidates(), Channel::in_s3().with_candidates()] {
        channel.edit(&["--rollout", "length=25"]).ends(0).stdout_eq(str![[r#"
published the set `it` to [..]#prod
  release   [..] (one object brought in, 3 there already)
  before    [..] of sequence 1
  changes
    ~ policy `length`: candidate.rollout: 10 -> 25
  sequence  2, signed by the key [..]
  warning   policy `length`: its candidate answers a part of the sign-ups, and whoever signs up can try several names
  warning   policy `confirm`: `domains` is empty: the client writes both `email` and `custom:domain`, so anyone can confirm any address; list the domains that are yours
  warning   without COGWIT_ROLLOUT_KEY whoever knows the set can compute which side answers a user, and a host that has the key parts them otherwise
hosts that follow the channel take it over within their COGWIT_REFRESH (30s here), those in Lambda after their next answer

"#]]);
        let told = stdout(&channel.edit(&["--rollout", "length=25"]).ends(0));
        assert!(told.contains("  changes   nothing\n  sequence  3, "), "{told}");
        let both = channel.edit(&["--rollout", "length=100", "--rollout", "confirm=1", "--format", "json"]).ends(0);
        assert_eq!(json(&both)["changes"].as_array().unwrap().len(), 2);
        assert_eq!([channel.rollout(0), channel.rollout(1)], [100, 1]);
        let told = stdout(&channel.edit(&["--rollout", "length=0", "--dry-run"]).ends(0));
        assert!(told.contains("candidate.rollout: 100 -> 0"), "{told}");
        assert_eq!(channel.rollout(0), 100);
    }
}

#[test]
fn what_is_promoted_takes_the_place_of_its_policy() {
    let channel = Channel::in_a_folder().with_candidates();
    assert_eq!(channel.decides(), 0);
    channel.edit(&["--promote", "length", "--promote", "longer"]).ends(0).stdout_eq(str![[r#"
published the set `it` to [..]#prod
  release   [..] (one object brought in, 3 there already)
  before    [..] of sequence 1
  changes
    - policy `length`: candidate: {"component":"length.wasm","rollout":10,"settings":{"minimum-length":"5"},"sha256":"[..]"}
    ~ policy `length`: settings.minimum-length: "4" -> "5"
    - policy `longer`: mode: "shadow"
  sequence  2, signed by the key [..]
  warning   policy `confirm`: `domains` is empty: the client writes both `email` and `custom:domain`, so anyone can confirm any address; list the domains that are yours
  warning   without COGWIT_ROLLOUT_KEY whoever knows the set can compute which side answers a user, and a host that has the key parts them otherwise
hosts that follow the channel take it over within their COGWIT_REFRESH (30s here), those in Lambda after their next answer

"#]]);
    assert_eq!(channel.decides(), 1);
    let told = stdout(&channel.edit(&["--promote", "confirm"]).ends(0));
    for line in [
        "~ policy `confirm`: component: \"confirm.wasm\" -> \"verify.wasm\"",
        "~ policy `confirm`: sha256: ",
        "- policy `confirm`: candidate: ",
    ] {
        assert!(told.contains(line), "{told}");
    }
    // The component that nothing names any more is no part of it.
    let release = channel.release();
    assert_eq!(release["components"].as_array().unwrap().len(), 2, "{release}");
}

/// Machine code is kept for what is left, as for any channel.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn machine_code_stays() {
    let channel = Channel::in_a_folder().with_candidates();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    channel.publish("set").args(["--native", &target]).ends(0);
    assert_eq!(channel.status(0)["native"], 3);
    let told = json(&channel.edit(&["--promote", "confirm", "--format", "json"]).ends(0));
    let warnings = serde_json::json!([
        "policy `length`: its candidate answers a part of the sign-ups, and whoever signs up can try several names",
        "without COGWIT_ROLLOUT_KEY whoever knows the set can compute which side answers a user, and a host that has the key \
         parts them otherwise",
    ]);
    assert_eq!((&told["warnings"], &channel.status(0)["native"]), (&warnings, &2.into()));
}

#[test]
fn a_source_may_be_named() {
    let channel = Channel::in_a_folder().with_candidates();
    let next = channel.named("next");
    channel.strange("publish").args(["set", &next, "--rollout", "length=50", "--key", "it.key"]).ends(0);
    let edit = || channel.strange("publish").args([&next, &channel.place(), "--rollout", "confirm=5"]);
    // As any channel that is a source, by whoever is trusted.
    edit().args(["--key", "it.key"]).ends(4).stdout_eq("");
    edit().args(["--key", "it.key"]).env("COGWIT_TRUSTED_KEYS", &channel.key("it")).ends(0);
    assert_eq!([channel.rollout(0), channel.rollout(1)], [50, 5]);
}

#[test]
fn the_way_back_warns_as_the_way_forth() {
    let channel = Channel::in_a_folder().with_candidates();
    channel.edit(&["--promote", "length", "--promote", "confirm"]).ends(0);
    let rollback = || channel.strange("rollback").args([&channel.place(), "1", "--key", "it.key"]);
    let told = stdout(&rollback().ends(0));
    assert!(told.contains("  warning   without COGWIT_ROLLOUT_KEY whoever knows the set can compute"), "{told}");
    let told = stdout(&rollback().env("COGWIT_ROLLOUT_KEY", "k").ends(0));
    assert!(told.contains("  warning   policy `length`: its candidate answers a part of the sign-ups"), "{told}");
    assert!(!told.contains("COGWIT_ROLLOUT_KEY"), "{told}");
}

#[test]
fn what_cannot_be_changed_is_told() {
    let channel = Channel::in_a_folder();
    let told = stderr(&channel.edit(&["--rollout", "length=5"]).ends(4).stdout_eq(""));
    assert!(told.contains("there is no channel `prod` in "), "{told}");
    let channel = channel.with_candidates();
    let before = channel.objects();
    for (changes, reason) in [
        (
            ["--rollout", "width=5"],
            "--rollout `width=5`: no policy has the name `width`, the set has `length`, `confirm`, `longer`",
        ),
        (["--rollout", "longer=5"], "the policy `longer` has no candidate: give it one"),
        (["--rollout", "length=101"], "write POLICY=PERCENT, such as invitation=25, with 0 to 100"),
        (["--rollout", "length=+7"], "write POLICY=PERCENT, such as invitation=25, with 0 to 100"),
        (["--promote", "width"], "--promote `width`: no policy has the name `width`"),
    ] {
        let told = stderr(&channel.edit(&changes).ends(2).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    }
    for (changes, reason) in [
        (["--rollout", "length=5", "--rollout", "length=6"], "`length` stands in --rollout twice"),
        (["--rollout", "length=5", "--promote", "length"], "`length` stands in --rollout and in --promote"),
    ] {
        let told = stderr(&channel.edit(&changes).ends(2).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    }
    let told = stderr(&channel.edit(&[]).ends(2).stdout_eq(""));
    assert!(told.contains("required arguments were not provided:\n  <SOURCE>"), "{told}");
    assert_eq!(channel.objects(), before);
    channel.edit(&["--promote", "longer"]).ends(0);
    let told = stderr(&channel.edit(&["--promote", "longer"]).ends(2));
    assert!(told.contains("`longer` has no candidate, and it answers already: there is nothing to promote"), "{told}");
    // Nothing is built on what is not trusted.
    channel.put("channels/prod.json", "{}");
    channel.edit(&["--rollout", "length=5"]).ends(1).stdout_eq("");
    let told = stderr(&channel.edit(&["--rollout", "length=5", "--force"]).ends(1).stdout_eq(""));
    assert!(told.contains("so nothing of it is taken over"), "{told}");
}

/// Each reads what the channel says, and then writes it anew: none may take back what another wrote in between.
#[test]
fn of_two_who_publish_at_once_none_is_undone() {
    for channel in [Channel::in_a_folder().with_candidates(), Channel::in_s3().with_candidates()] {
        let mut lost = 0;
        for percent in 11..31 {
            let before = [channel.rollout(0), channel.rollout(1)];
            let start = |policy: &str| {
                let mut publish = channel.edit(&["--rollout", &format!("{policy}={percent}")]).process();
                publish.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            };
            let done = ["length", "confirm"].map(start).map(|child| child.wait_with_output().unwrap());
            for (place, done) in done.iter().enumerate() {
                let told = String::from_utf8_lossy(&done.stderr);
                let (code, rollout) = (done.status.code().unwrap(), channel.rollout(place));
                match code {
                    0 => assert_eq!(rollout, percent, "{told}"),
                    1 => assert!(told.contains("was written by somebody else") && rollout == before[place], "{told}"),
                    code => panic!("{code}: {told}"),
                }
                lost += code;
            }
            if lost > 0 {
                break;
            }
        }
        assert!(lost > 0, "they never met");
    }
}
