//! Tells what a channel says, and everything that keeps a host from following it.

use minisign_verify::{PublicKey, Signature};
use snapbox::str;

use crate::channel::{Channel, set};
use crate::program::{is, json, stderr, stdout};

#[test]
fn a_channel_that_is_followed() {
    let channel = Channel::in_a_folder();
    channel.publish("four").args(["--expires", "30d"]).ends(0);
    channel.cogwit("status").arg(channel.place()).ends(0).stderr_eq("").stdout_eq(str![[r#"
file://[..]/store#prod
  set       it
  channel   prod
  release   [..]
  sequence  1
  issued    [..]T[..]Z ([..] ago)
  expires   [..]T[..]Z
  signed    by the key [..], which is trusted
  seen      sequence 1 by this machine, [..]T[..]Z
  holds     one policy, one component, no machine code, one file of cases: complete
followed: a host with these variables follows it

"#]]);
    let status = json(&channel.cogwit("status").args([&channel.place(), "five", "--format", "json"]).ends(0));
    let keys = status["changes"].as_array().unwrap().iter().map(|change| &change["key"]).collect::<Vec<_>>();
    assert_eq!(keys, ["cases.cases.toml.text", "settings.minimum-length"]);
    let change =
        serde_json::json!({ "policy": "length", "key": "settings.minimum-length", "before": "4", "after": "5" });
    assert_eq!(status["changes"][1], change);
    let told = stdout(&channel.cogwit("status").args([&channel.place(), "four"]).ends(0));
    assert!(told.contains("\n  local     no difference\n"), "{told}");
}

#[test]
fn the_members_of_its_object() {
    let channel = Channel::in_s3();
    channel.published("four");
    is(
        serde_json::to_string_pretty(&channel.status(0)).unwrap(),
        str![[r#"
{
  "ageSeconds": [..],
  "candidates": {},
  "cases": 1,
  "changes": null,
  "channel": "prod",
  "complete": true,
  "components": 1,
  "expired": false,
  "expires": null,
  "followed": true,
  "issued": "[..]T[..]Z",
  "key": "[..]",
  "native": 0,
  "place": "s3://releases/login#prod",
  "policies": 1,
  "problems": [],
  "release": "[..]",
  "seen": {
    "release": "[..]",
    "sequence": 1,
    "time": "[..]T[..]Z"
  },
  "sequence": 1,
  "set": "it",
  "shadows": [],
  "signature": "trusted"
}
"#]],
    );
}

#[test]
fn without_a_key_everything_is_told_and_nothing_is_believed() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let told = stdout(&channel.strange("status").arg(channel.place()).ends(1));
    assert!(told.contains(", as it says; not checked\n"), "{told}");
    assert!(told.contains("not checked: set COGWIT_TRUSTED_KEYS to the public key"), "{told}");
    assert!(told.contains(": complete\n") && told.contains("\nnot followed: "), "{told}");
    channel.strange("publish").args(["four", &channel.named("open"), "--unsigned"]).ends(0);
    let open = || channel.strange("status").args([&channel.named("open")]);
    let told = stdout(&open().ends(1));
    assert!(told.contains("it is not signed: publish it with `--key`"), "{told}");
    let told = stdout(&open().env("COGWIT_ALLOW_UNSIGNED", "on").ends(0));
    assert!(told.contains("  signed    by nobody, which COGWIT_ALLOW_UNSIGNED allows\n"), "{told}");
}

#[test]
fn what_an_attacker_with_the_bucket_can_do_is_seen() {
    for channel in Channel::each() {
        channel.published("four");
        channel.published("five");
        let good = channel.text("channels/prod.json");
        let is_told = |reason: &str| {
            let told = channel.refused();
            assert!(told.contains(reason), "{told}");
            // Nor does anything else take it.
            assert_eq!(channel.decides(), 4, "{reason}");
        };
        channel.put("channels/prod.json", good.replace("\\\"sequence\\\":2", "\\\"sequence\\\":3"));
        is_told("its signature does not hold: it was changed after the key");
        channel.strange("publish").args(["four", &channel.named("theirs"), "--key", "other.key"]).ends(0);
        channel.put("channels/prod.json", channel.text("channels/theirs.json"));
        is_told("it is signed by a key that is not trusted: COGWIT_TRUSTED_KEYS has ");
        channel.strange("publish").args(["four", &channel.named("next"), "--key", "it.key"]).ends(0);
        channel.put("channels/prod.json", channel.text("channels/next.json"));
        is_told("it is the channel `next`, copied to the place of `prod`");
        channel.put("channels/prod.json", channel.text("history/prod/00000000000000000001.json"));
        let old = channel.cogwit("status").args([&channel.place()]).env("COGWIT_MIN_SEQUENCE", "2").ends(1);
        assert!(stdout(&old).contains("its sequence is 1, but 2 was seen before"), "{}", stdout(&old));
        channel.put("channels/prod.json", &good);
        let component = channel.one("components/");
        let bytes = channel.objects()[&component].clone();
        channel.put(&component, b"other");
        is_told("was changed: it has the digest");
        channel.put(&component, [&bytes[..], b"more"].concat());
        is_told("bytes: it is not what was published");
        channel.remove(&component);
        is_told(&format!("{component}` is not there"));
        channel.put(&component, bytes);
        channel.status(0);
        let release = format!("releases/{}.json", channel.status(0)["release"].as_str().unwrap());
        channel.put(&release, channel.text(&release).replace("\"5\"", "\"4\""));
        is_told("was changed: it has the digest");
    }
}

#[test]
fn what_this_host_would_not_follow() {
    let channel = Channel::in_a_folder();
    channel.publish("four").args(["--expires", "0s"]).ends(0);
    let told = |name: &str, value: &str, code| {
        stdout(&channel.cogwit("status").arg(channel.place()).env(name, value).ends(code))
    };
    let expired = told("COGWIT_REFRESH", "30s", 0);
    assert!(expired.contains(", expired: publish again\n"), "{expired}");
    let denied = told("COGWIT_ON_EXPIRED", "deny", 1);
    assert!(denied.contains("it is expired, and COGWIT_ON_EXPIRED=deny: publish again"), "{denied}");
    let other = told("COGWIT_SET", "other", 1);
    assert!(other.contains("it is of the set `it`, not of `other`"), "{other}");
    channel.cogwit("status").arg(channel.place()).env("COGWIT_REFRESH", "often").ends(2).stdout_eq("");
}

#[test]
fn what_cannot_be_read() {
    let channel = Channel::in_a_folder();
    let told = || stderr(&channel.cogwit("status").arg(channel.place()).ends(4).stdout_eq(""));
    assert!(told().contains("there is no folder `"), "{}", told());
    channel.published("four");
    channel.remove("channels/prod.json");
    assert!(told().contains("there is no channel `prod` in `file://"), "{}", told());
    channel.put("channels/prod.json", "{}");
    assert!(told().contains("it cannot be read: missing field `payload`"), "{}", told());
    channel.put("channels/prod.json", [b' '; 70_000]);
    assert!(told().contains("has more than 65536 bytes"), "{}", told());
    channel.cogwit("status").args([&channel.place(), "nowhere"]).ends(4).stdout_eq("");
    channel.cogwit("status").arg("prod").ends(2).stdout_eq("");
}

#[test]
fn minisign_can_check_what_is_exported() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    channel.cogwit("status").args([&channel.place(), "--export", "out/here"]).ends(0);
    let signature = Signature::decode(&channel.folder.text("out/here/payload.json.minisig")).unwrap();
    let key = PublicKey::from_base64(&channel.key("it")).unwrap();
    let payload = channel.folder.text("out/here/payload.json");
    key.verify(payload.as_bytes(), &signature, false).unwrap();
    assert!(payload.contains("\"channel\":\"prod\""), "{payload}");
    channel.strange("publish").args(["four", &channel.named("open"), "--unsigned"]).ends(0);
    let told =
        stderr(&channel.cogwit("status").args([&channel.named("open"), "--export", "out"]).ends(1).stdout_eq(""));
    assert!(told.contains("the channel is not signed, so there is nothing that minisign could check"), "{told}");
    channel.folder.write("file", "");
    channel.cogwit("status").args([&channel.place(), "--export", "file"]).ends(4).stdout_eq("");
}

/// Whoever writes it may have wished to be read by a terminal.
#[test]
fn nothing_that_nobody_signed_steers_the_terminal() {
    let channel = Channel::in_a_folder();
    channel.folder.write("four/policies.toml", set("settings = { minimum-length = 4 }\n"));
    channel.published("four");
    let now = channel.text("channels/prod.json");
    channel.put("channels/prod.json", now.replace("\\\"set\\\":\\\"it\\\"", "\\\"set\\\":\\\"\\\\u001b[2J\\\""));
    let told = stdout(&channel.cogwit("status").arg(channel.place()).ends(1));
    assert!(told.contains("  set        [2J\n"), "{told:?}");
    channel.cogwit("history").arg(channel.place()).ends(0);
}
