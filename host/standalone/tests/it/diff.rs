//! Tells two policy sets apart, wherever they lie.

use snapbox::str;

use crate::channel::Channel;
use crate::program::{Cogwit, is, json, stderr, stdout};
use crate::support::Folder;

const BEFORE: &str = r#"
[[policy]]
name = "length"
component = "deny-short-username.wasm"
settings = { minimum-length = 4 }

[[policy]]
name = "clients"
component = "block-client.wasm"
settings = { blocked-clients = "app-1" }
"#;

const AFTER: &str = r#"
[limits]
fuel = 1_000_000

[[policy]]
name = "clients"
component = "block-client.wasm"
settings = { blocked-clients = "app-1" }
when = { client-id = ["app-1"] }
on-fault = "allow"
capabilities = ["random", "clock"]
limits = { memory = "1 MiB" }

[[policy]]
name = "length"
component = "deny-short-username.wasm"
settings = { minimum-length = { env = "COGWIT_SECRET_LENGTH" } }
triggers = ["pre-sign-up"]
tests = ["cases.toml"]

[[policy]]
name = "gate"
component = "access-gate.wasm"
"#;

fn sets() -> Folder {
    let before = Folder::new().with_set(BEFORE);
    let texts = before.text("policies.toml");
    let after =
        Folder::new().with_set(AFTER).with("cases.toml", "source = 'PreSignUp_SignUp'\nexpect.decision = 'allow'\n");
    ["deny-short-username", "block-client"]
        .iter()
        .fold(after, |after, name| after.with_component(name, &format!("before/{name}.wasm")))
        .with("before/policies.toml", texts)
}

#[test]
fn everything_that_a_set_says_is_compared() {
    let folder = sets();
    folder.cogwit("diff").args(["before", "."]).ends(1).stderr_eq("").stdout_eq(str![[r#"
  + limits: {"fuel":1000000}
  + policy `clients`: capabilities: ["clock","random"]
  + policy `clients`: limits: {"memory":"1 MiB"}
  + policy `clients`: on-fault: "allow"
  + policy `clients`: when: {"client-id":["app-1"]}
  + policy `gate` (access-gate.wasm [..])
  + policy `length`: cases
  ~ policy `length`: settings.minimum-length: "4" -> {"env":"COGWIT_SECRET_LENGTH"}
  + policy `length`: triggers: ["pre-sign-up"]
  ~ order: ["length","clients"] -> ["clients","length"]

"#]]);
    let back = stdout(&folder.cogwit("diff").args([".", "before"]).ends(1));
    assert!(back.contains("  - policy `gate` (access-gate.wasm "), "{back}");
    folder.cogwit("diff").args([".", "policies.toml"]).ends(0).stdout_eq("no difference\n");
    let ended = folder.cogwit("diff").args([".", "policies.toml", "--format", "json"]).ends(0);
    assert_eq!(json(&ended), serde_json::json!({ "before": ".", "after": "policies.toml", "changes": [] }));
}

#[test]
fn another_component_is_another_digest() {
    let folder = sets().with_component("access-gate", "before/block-client.wasm");
    let told = stdout(&folder.cogwit("diff").args([".", "before"]).ends(1));
    assert!(told.contains("  ~ policy `clients`: sha256: "), "{told}");
    is(
        told.lines().find(|line| line.contains("sha256")).unwrap().to_owned(),
        str!["  ~ policy `clients`: sha256: [..] -> [..]"],
    );
}

#[test]
fn releases_are_compared_with_each_other_and_with_files() {
    for channel in Channel::each() {
        let first = channel.published("four")["release"].as_str().unwrap().to_owned();
        channel.published("five");
        let place = channel.place();
        let diff = |before: &str, after: &str| -> Cogwit { channel.cogwit("diff").args([before, after]) };
        diff(&place, "five").ends(0);
        diff(&format!("{place}@1"), "four").ends(0);
        diff(&format!("{place}@{}", &first[..10]), &format!("{place}@{first}")).ends(0);
        let told = stdout(&diff(&format!("{place}@1"), &place).ends(1));
        assert!(told.contains("settings.minimum-length: \"4\" -> \"5\""), "{told}");
        let told = stderr(&diff(&format!("{place}@7"), &place).ends(4).stdout_eq(""));
        assert!(told.contains("no release of sequence 7"), "{told}");
        let told = stderr(&channel.strange("diff").args([place.as_str(), "five"]).ends(4).stdout_eq(""));
        assert!(told.contains("no key is trusted: set COGWIT_TRUSTED_KEYS"), "{told}");
        diff(&format!("{place}@"), &place).ends(2).stdout_eq("");
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn machine_code_counts_between_releases() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    channel.publish("four").args(["--native", &target]).ends(0);
    let place = channel.place();
    let told = stdout(&channel.cogwit("diff").args([&format!("{place}@1"), &place]).ends(1));
    assert!(told.starts_with("  + native.") && told.contains(&target) && told.lines().count() == 1, "{told}");
    channel.cogwit("diff").args([place.as_str(), "four"]).ends(0);
}

#[test]
fn what_cannot_be_compared() {
    let folder = sets().with(
        "broken/policies.toml",
        "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\nx = 1\n",
    );
    let told = stderr(&folder.cogwit("diff").args([".", "broken"]).ends(4).stdout_eq(""));
    assert!(told.contains("`broken/policies.toml` cannot be compared\n"), "{told}");
    assert!(told.contains("unknown field `x`") && told.contains("cannot read `broken/a.wasm`"), "{told}");
    folder.cogwit("diff").args([".", "nowhere"]).ends(4).stdout_eq("");
    folder.cogwit("diff").arg(".").ends(2).stdout_eq("");
}
