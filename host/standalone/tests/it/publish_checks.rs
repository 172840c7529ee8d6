//! Refuses before anything is brought in what could not be published or would not be followed, and warns of the rest.

use serde_json::Value;
use snapbox::str;

use crate::channel::{Channel, set};
use crate::program::{Cogwit, json, stderr, stdout};
use crate::support::{ALLOW, probe};

impl Channel {
    fn rehearse(&self, set: &str) -> Cogwit {
        self.publish(set).arg("--dry-run")
    }
}

fn warnings(it: &Value) -> Vec<&str> {
    it["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect()
}

#[test]
#[cfg(unix)]
fn no_file_from_elsewhere_travels_along() {
    let channel = Channel::in_a_folder();
    channel.folder.write("secret", "hush");
    std::os::unix::fs::symlink("../secret", channel.folder.path("four/link")).unwrap();
    let case = |file: &str| format!("event-file = '{file}'\nexpect.decision = 'event-refused'\n");
    for file in [&channel.folder.path("secret"), "../secret", "link"] {
        channel.folder.write("four/cases.toml", case(file));
        let reason = format!("{file}` is outside the set's folder: move it there");
        let told = stdout(&channel.cogwit("validate").arg("four").ends(4));
        assert!(told.contains(&reason) && !told.contains("hush"), "{told}");
        let told = stderr(&channel.publish("four").ends(4).stdout_eq(""));
        assert!(told.contains(&reason) && !told.contains("hush"), "{told}");
    }
    channel.folder.write("four/policies.toml", set("").replace("'cases.toml'", "'../cases.toml'"));
    channel.folder.write("cases.toml", case("secret"));
    let told = stderr(&channel.publish("four").ends(4).stdout_eq(""));
    assert!(told.contains("cases.toml` is outside the set's folder"), "{told}");
    assert!(channel.objects().is_empty(), "{:?}", channel.objects().keys());
    // What lies in the folder may be said in any way.
    channel.folder.write("four/policies.toml", set("").replace("'cases.toml'", "'cases/*.toml'"));
    channel.folder.write("four/cases/it.toml", case("../events/it.json"));
    channel.folder.write("four/events/it.json", "hush");
    channel.published("four");
    let folder = channel.folder.path("four");
    let publish = channel.strange("publish").folder(std::path::Path::new(&folder));
    publish.args(["policies.toml", &channel.place(), "--key", "../it.key"]).ends(0);
}

#[test]
fn a_key_that_no_host_trusts_signs_on_purpose_only() {
    let channel = Channel::in_a_folder();
    let by_other = || {
        let publish = channel.cogwit("publish").args(["four", &channel.place(), "--key", "other.key"]);
        publish.args(["--format", "json"])
    };
    by_other().ends(1).stdout_eq("").stderr_eq(str![[r#"
error: COGWIT_TRUSTED_KEYS lacks the key [..] that signs, so that no host with these variables would follow the channel: add its line `RW[..]`, sign with another key, or go on with `--force`

"#]]);
    by_other().arg("--dry-run").ends(1).stdout_eq("");
    assert!(channel.objects().is_empty(), "{:?}", channel.objects().keys());
    let both = format!("{},{}", channel.key("it"), channel.key("other"));
    assert_eq!(warnings(&json(&by_other().env("COGWIT_TRUSTED_KEYS", &both).ends(0))), [""; 0]);
    let forced = json(&by_other().arg("--force").ends(0));
    assert_eq!(forced["sequence"], 2);
    let [told] = warnings(&forced)[..] else { panic!("{forced}") };
    assert!(told.starts_with("COGWIT_TRUSTED_KEYS lacks the key "), "{told}");
    let rollback = channel.cogwit("rollback").args([&channel.place(), "1", "--key", "other.key"]);
    let told = stderr(&rollback.ends(1).stdout_eq(""));
    assert!(told.contains("COGWIT_TRUSTED_KEYS lacks the key "), "{told}");
}

#[test]
fn who_goes_over_another_set_is_told_what_becomes_of_it() {
    let channel = Channel::in_a_folder();
    let first = channel.published("four")["release"].as_str().unwrap().to_owned();
    channel.folder.write("five/policies.toml", channel.folder.text("five/policies.toml").replace("'it'", "'other'"));
    let warning = "hosts that saw the set `it` here refuse `other`, also when they start again, unless COGWIT_SET \
                   is `other` there";
    let told = stdout(&channel.rehearse("five").arg("--force").ends(0));
    assert!(told.contains(&format!("\n  warning   {warning}\n")), "{told}");
    let told = stdout(&channel.publish("five").arg("--force").ends(0));
    assert!(told.contains(&format!("\n  warning   {warning}\n")), "{told}");
    let forced = json(&channel.publish("five").args(["--force", "--format", "json"]).ends(0));
    assert_eq!(warnings(&forced), [""; 0]);
    // And the other way round.
    let back = || channel.strange("rollback").args([&channel.place(), &first, "--key", "it.key", "--format", "json"]);
    back().ends(1).stdout_eq("");
    let back = json(&back().arg("--force").ends(0));
    let [told] = warnings(&back)[..] else { panic!("{back}") };
    assert!(told.starts_with("hosts that saw the set `other` here refuse `it`"), "{told}");
}

#[test]
fn a_set_that_is_not_meant_is_refused_before_it_is_brought_in() {
    let channel = Channel::in_a_folder();
    for args in [&[][..], &["--force"], &["--dry-run"]] {
        let told = stderr(&channel.publish("four").args(args).env("COGWIT_SET", "other").ends(1).stdout_eq(""));
        assert!(told.contains("it is of the set `it`, not of `other`"), "{told}");
        assert!(!std::path::Path::new(&channel.folder.path("store")).exists(), "{args:?}");
    }
    channel.publish("four").env("COGWIT_SET", "it").ends(0);
}

#[test]
fn a_rehearsal_fails_where_the_performance_would() {
    let channel = Channel::in_a_folder();
    let place = channel.place();
    channel.strange("publish").args(["four", &place, "--dry-run"]).ends(2).stdout_eq("");
    channel.strange("publish").args(["four", &place, "--key", "none.key", "--dry-run"]).ends(4).stdout_eq("");
    channel.published("four");
    let before = channel.objects();
    let refused = |cogwit: Cogwit, reason: &str| {
        let told = stderr(&cogwit.ends(1).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    };
    let dry = |args: [&str; 2]| channel.strange("publish").args(["five", &place, "--dry-run"]).args(args);
    refused(dry(["--key", "other.key"]), "is signed by a key that is not trusted here");
    let trusting = dry(["--unsigned", "--format=json"]).env("COGWIT_TRUSTED_KEYS", &channel.key("it"));
    refused(trusting, "is signed, and hosts that trust its key refuse one that is not");
    let forced = json(&dry(["--key", "other.key"]).args(["--force", "--format", "json"]).ends(0));
    let [told] = warnings(&forced)[..] else { panic!("{forced}") };
    assert!(told.starts_with("it goes over what is not trusted: it is signed by a key that is not"), "{told}");
    channel.folder.write("five/policies.toml", channel.folder.text("five/policies.toml").replace("'it'", "'other'"));
    refused(channel.rehearse("five"), "serves the set `it`, not `other`");
    channel.put("channels/prod.json", "{");
    refused(channel.rehearse("four"), "is not what was published last");
    channel.put("channels/prod.json", &before["channels/prod.json"]);
    assert_eq!(channel.objects(), before);
}

#[test]
fn what_the_lambda_host_would_not_compile_needs_machine_code() {
    let channel = Channel::in_a_folder();
    let mut large = probe(ALLOW);
    // A custom section of 1 MiB with the name `x`.
    large.extend([&[0, 0x82, 0x80, 0x40, 1, b'x'][..], &vec![0; 1 << 20]].concat());
    channel.folder.write("four/length.wasm", large);
    channel.folder.write("four/policies.toml", set(""));
    let warning = "`length.wasm` is larger than 256.0 KiB, and the Lambda host, which does not compile such a one when \
                   it starts, refuses the set: add `--native x86_64-unknown-linux-gnu`";
    let told = stdout(&channel.rehearse("four").ends(0));
    assert!(told.contains(&format!("\n  warning   {warning}\n")), "{told}");
    let validated = stdout(&channel.cogwit("validate").arg("four").ends(0));
    assert!(validated.contains("without machine code the Lambda host refuses it"), "{validated}");
    assert_eq!(warnings(&channel.published("four")), [warning]);
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        let native = channel.publish("four").args(["--native", "x86_64-unknown-linux-gnu", "--format", "json"]);
        assert_eq!(warnings(&json(&native.ends(0))), [""; 0]);
    }
}

#[test]
fn a_time_that_no_calendar_has_is_a_mistake() {
    let channel = Channel::in_a_folder();
    for time in ["9000y", "500000000000y", "soon"] {
        let told = stderr(&channel.publish("four").args(["--expires", time]).ends(2).stdout_eq(""));
        assert!(told.contains(&format!("invalid value '{time}' for '--expires <DURATION>'")), "{told}");
    }
    assert!(channel.objects().is_empty(), "{:?}", channel.objects().keys());
    channel.publish("four").args(["--expires", "7000y"]).ends(0);
    let warnings = channel.published("four")["warnings"].to_string();
    assert!(warnings.contains("the channel had an expiry, and now has none"), "{warnings}");
    let told = stderr(&channel.cogwit("run").env("COGWIT_REFRESH", "300000000000y").ends(2).stdout_eq(""));
    assert!(told.contains("COGWIT_REFRESH is `300000000000y`: write a time such as `100 ms`"), "{told}");
    channel.cogwit("run").env("COGWIT_REFRESH", "100y").ends(0);
}
