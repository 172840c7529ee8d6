//! Publishes sets that hosts take over, and nothing that they would not.

use snapbox::str;

use crate::channel::{Channel, set};
use crate::program::{is, json, stderr, stdout};

#[test]
fn what_is_published_decides() {
    for channel in Channel::each() {
        assert_eq!(channel.decides(), 4);
        channel.published("four");
        assert_eq!(channel.decides(), 0);
        let published = channel.published("five");
        assert_eq!(channel.decides(), 1);
        assert_eq!((&published["sequence"], &published["before"]["sequence"]), (&2.into(), &1.into()));
        // The component is the same.
        assert_eq!((&published["uploaded"], &published["kept"]), (&1.into(), &1.into()));
        assert_eq!(channel.status(0)["followed"], true);
    }
}

#[test]
fn what_is_told() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    channel
        .publish("five")
        .args(["--expires", "30d"])
        .ends(0)
        .stdout_eq(str![[r#"
published the set `it` to file://[..]/store#prod
  release   [..] (one object brought in, 1 there already)
  before    [..] of sequence 1
  changes
    ~ policy `length`: cases.cases.toml.text
    ~ policy `length`: settings.minimum-length: "4" -> "5"
  sequence  2, signed by the key [..]
  expires   [..]T[..]Z
hosts that follow the channel take it over within their COGWIT_REFRESH (30s here), those in Lambda after their next answer

"#]])
        .stderr_eq(str![[r#"
components/sha256/[..].wasm
releases/[..].json

"#]]);
    let ended = channel.publish("five").args(["--format", "json"]).ends(0).stderr_eq("");
    is(
        serde_json::to_string_pretty(&json(&ended)).unwrap(),
        str![[r#"
{
  "before": {
    "release": "[..]",
    "sequence": 2
  },
  "changes": [],
  "channel": "prod",
  "expires": null,
  "kept": 2,
  "key": "[..]",
  "place": "file://[..]/store#prod",
  "release": "[..]",
  "sequence": 3,
  "set": "it",
  "uploaded": 0,
  "warnings": [
    "the channel had an expiry, and now has none: give it one by --expires"
  ]
}
"#]],
    );
}

#[test]
fn what_no_host_would_serve_is_not_published() {
    let channel = Channel::in_a_folder();
    channel.folder.write("five/policies.toml", set("settings = { minimum-length = 4 }\nlimits = { fuel = 'lots' }\n"));
    let told = stderr(&channel.publish("five").ends(4).stdout_eq(""));
    assert!(told.contains("error: `five/policies.toml` is not published, since no host would serve it\n"), "{told}");
    assert!(told.contains("policy `length`: limit `fuel` is `lots`"), "{told}");
    channel.folder.write("five/policies.toml", set("settings = { minimum-length = 4 }\n"));
    let told = stderr(&channel.publish("five").ends(4).stdout_eq(""));
    assert!(told.contains("`cases.toml`: case 1: decision: \"deny\" expected, \"allow\" given"), "{told}");
    assert!(channel.objects().is_empty(), "{:?}", channel.objects().keys());
    channel.publish("four").env("COGWIT_MAX_FUEL", "1000").ends(4).stdout_eq("");
}

#[test]
fn machine_code_travels_along() {
    let channel = Channel::in_a_folder();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = stderr(&channel.publish("four").args(["--native", "riscv64gc-unknown-linux-gnu"]).ends(2).stdout_eq(""));
    assert!(
        told.contains("cannot make machine code for `riscv64gc-unknown-linux-gnu` here: this host makes it for"),
        "{told}"
    );
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return;
    }
    channel.publish("four").args(["--native", &target]).ends(0);
    let native = channel.one("native/sha256/");
    assert_eq!(channel.status(0)["native"], 1);
    assert_eq!(channel.decides(), 0);
    // What is not what was published is not taken in, and the component is compiled.
    channel.put(&native, "garbage");
    assert_eq!(channel.decides(), 0);
    assert!(channel.refused().contains("native/sha256/"), "{}", channel.refused());
    channel.publish("four").args(["--native", &target]).ends(0);
    channel.status(0);
}

#[test]
fn only_a_known_key_goes_on_with_a_channel() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let before = channel.objects();
    let by_other = || channel.strange("publish").args(["five", &channel.place(), "--key", "other.key"]);
    by_other().ends(1).stdout_eq("").stderr_eq(str![[r#"
error: the channel `file://[..]/store#prod` is signed by a key that is not trusted here: add the line of its .pub file to COGWIT_TRUSTED_KEYS if it is a good one, or go over the channel with `--force`

"#]]);
    assert_eq!(channel.objects(), before);
    // A new key, while the old one still counts.
    by_other().env("COGWIT_TRUSTED_KEYS", &format!("{},{}", channel.key("it"), channel.key("other"))).ends(0);
    assert!(channel.refused().contains("it is signed by a key that is not trusted"), "{}", channel.refused());
    let forced = json(&channel.publish("five").args(["--force", "--format", "json"]).ends(0));
    assert_eq!(forced["before"], serde_json::Value::Null);
    channel.status(0);
}

#[test]
fn nobody_signs_where_anybody_may_decide() {
    let channel = Channel::in_a_folder();
    let unsigned = || channel.strange("publish").args(["four", &channel.place(), "--unsigned"]);
    let told = stdout(&unsigned().ends(0));
    assert!(told.contains("  sequence  1, signed by nobody\n"), "{told}");
    let run = || channel.strange("run").args(["--policies", &channel.place()]);
    let told = stderr(&run().ends(4).stdout_eq(""));
    assert!(told.contains("it is not signed: publish it with `--key`, or set COGWIT_ALLOW_UNSIGNED=on"), "{told}");
    run().env("COGWIT_ALLOW_UNSIGNED", "on").ends(0);
    // Signed from now on.
    let told = stderr(&channel.publish("four").ends(1).stdout_eq(""));
    assert!(told.contains("is not what was published last: it is not signed"), "{told}");
    channel.publish("four").env("COGWIT_ALLOW_UNSIGNED", "on").ends(0);
    let told = stderr(&unsigned().env("COGWIT_TRUSTED_KEYS", &channel.key("it")).ends(1).stdout_eq(""));
    assert!(told.contains("is signed, and hosts that trust its key refuse one that is not"), "{told}");
    channel.status(0);
    channel.strange("publish").args(["four", &channel.place()]).ends(2).stdout_eq("");
}

#[test]
fn a_channel_that_somebody_changed_is_gone_over_on_purpose_only() {
    for channel in Channel::each() {
        channel.published("four");
        channel.published("five");
        let now = channel.text("channels/prod.json");
        channel.put("channels/prod.json", now.replace("\\\"sequence\\\":2", "\\\"sequence\\\":9"));
        let told = stderr(&channel.publish("four").ends(1).stdout_eq(""));
        assert!(told.contains("its signature does not hold: it was changed after"), "{told}");
        let forced = json(&channel.publish("four").args(["--force", "--format", "json"]).ends(0));
        // Above what it claims, since a host that trusts another key may have taken it.
        assert_eq!(forced["sequence"], 10);
        channel.put("channels/prod.json", "{");
        channel.publish("four").ends(1);
        assert_eq!(json(&channel.publish("four").args(["--force", "--format", "json"]).ends(0))["sequence"], 11);
    }
}

/// Hosts remember what they saw, so the sequence goes on above that.
#[test]
fn what_was_put_back_or_removed_does_not_lower_the_sequence() {
    for channel in Channel::each() {
        channel.published("four");
        let old = channel.text("channels/prod.json");
        channel.published("five");
        let five = |args: &[&str]| channel.publish("five").args(["--format", "json"]).args(args);
        channel.put("channels/prod.json", old);
        five(&[]).ends(1).stdout_eq("");
        assert_eq!(json(&five(&["--force"]).ends(0))["sequence"], 3);
        channel.remove("channels/prod.json");
        five(&[]).ends(1).stdout_eq("");
        assert_eq!(json(&five(&["--expect", "none"]).ends(0))["sequence"], 4);
        let above = |args| five(args).env("COGWIT_MIN_SEQUENCE", "41");
        above(&[]).ends(1).stdout_eq("");
        assert_eq!(json(&above(&["--force"]).ends(0))["sequence"], 41);
    }
}

#[test]
fn a_channel_stays_with_its_set() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    channel.folder.write("five/policies.toml", channel.folder.text("five/policies.toml").replace("'it'", "'other'"));
    let told = stderr(&channel.publish("five").ends(1).stdout_eq(""));
    assert!(
        told.contains("serves the set `it`, not `other`: choose another channel, or go over it with `--force`"),
        "{told}"
    );
    let told = stderr(&channel.publish("five").args(["--force"]).env("COGWIT_SET", "it").ends(1).stdout_eq(""));
    assert!(told.contains("it is of the set `other`, not of `it`"), "{told}");
    channel.publish("five").args(["--force"]).ends(0);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let channel = Channel::in_a_folder();
    let rehearse = |set: &str| channel.publish(set).arg("--dry-run");
    rehearse("four").ends(0).stderr_eq("").stdout_eq(str![[r#"
would publish the set `it` to file://[..]/store#prod
  release   [..]

"#]]);
    assert!(!std::path::Path::new(&channel.folder.path("store")).exists());
    channel.published("four");
    let before = channel.objects();
    let told = stdout(&rehearse("five").ends(0));
    assert!(told.contains("settings.minimum-length: \"4\" -> \"5\""), "{told}");
    channel.folder.write("five/cases.toml", "expect = {}");
    rehearse("five").ends(4).stdout_eq("");
    assert_eq!(channel.objects(), before);
}

#[test]
fn what_another_channel_serves_is_promoted() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let promote = || {
        channel.strange("publish").args([
            &channel.place(),
            &channel.named("next"),
            "--key",
            "it.key",
            "--format",
            "json",
        ])
    };
    promote().ends(4).stdout_eq("");
    let promoted = json(&promote().env("COGWIT_TRUSTED_KEYS", &channel.key("it")).ends(0));
    assert_eq!((&promoted["release"], &promoted["channel"]), (&channel.status(0)["release"], &"next".into()));
    assert_eq!((&promoted["sequence"], &promoted["uploaded"]), (&1.into(), &0.into()));
}
