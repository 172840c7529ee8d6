//! Sets that were read but cannot serve.

use std::fs;

use snapbox::str;

use crate::program::{cogwit, stderr};
use crate::support::{Folder, component};

const POLICY: &str = r#"
[[policy]]
name = "block"
component = "block-client.wasm"
"#;

#[test]
fn a_digest_that_is_not_the_documents() {
    let folder = Folder::new().with_set(&format!("{POLICY}sha256 = \"{}\"", "0".repeat(64)));
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: `block-client.wasm` has the digest [..], but `sha256` says 0000000000000000000000000000000000000000000000000000000000000000: restore the file, or write the digest anew with `cogwit pack`

"#]]);
}

fn lock(file: &str, sha256: &str) -> String {
    format!("[[component]]\nfile = \"{file}\"\nsha256 = \"{sha256}\"\n")
}

#[test]
fn a_digest_that_is_not_the_locks() {
    let folder = Folder::new().with_set(POLICY).with("policies.lock", lock("block-client.wasm", &"0".repeat(64)));
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: `policies.lock`: `block-client.wasm` has the digest [..], not 0000000000000000000000000000000000000000000000000000000000000000; write it anew with `cogwit pack`

"#]]);
}

/// Something else built it; `sha256` in the document may still pin it.
#[test]
fn a_component_that_the_lock_does_not_list_is_admitted() {
    let folder = Folder::new().with_set(POLICY).with("policies.lock", lock("other.wasm", &"0".repeat(64)));
    folder.run().ends(0);
}

#[test]
fn a_lock_that_cannot_be_read() {
    let folder = Folder::new().with_set(POLICY).with("policies.lock", "component = 3");
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.lock`: [..]; write it anew with `cogwit pack`

"#]]);
}

/// Any bit: the shipped lock holds each component to its digest.
#[test]
fn a_bit_that_flipped_in_a_locked_component() {
    let file = component("block-client");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let shipped = fs::read(file.with_file_name("policies.lock")).unwrap();
    let folder = Folder::new().with_set(POLICY).with("policies.lock", shipped);
    folder.run().ends(0);
    let report = stderr(&folder.with("block-client.wasm", bytes).run().ends(4).stdout_eq(""));
    assert!(report.contains("policy `block`: `policies.lock`: `block-client.wasm` has the digest "), "{report}");
}

#[test]
fn a_limit_above_the_hosts_cap() {
    let folder = Folder::new().with_set(&format!("{POLICY}limits = {{ memory = \"1 GiB\", fuel = 1_001 }}"));
    folder.run().env("COGWIT_MAX_FUEL", "1_000").ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: limit `fuel` is `1001`, but this host allows `1000` at most: lower it, or raise COGWIT_MAX_FUEL
policy `block`: limit `memory` is `1.0 GiB`, but this host allows `256.0 MiB` at most: lower it, or raise COGWIT_MAX_MEMORY

"#]]);
}

#[test]
fn a_trigger_that_the_component_does_not_answer() {
    let folder = Folder::new().with_set(&format!("{POLICY}triggers = [\"pre-sign-up\"]"));
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: `block-client.wasm` does not answer `pre-sign-up`, only `pre-authentication`: correct `triggers`

"#]]);
}

#[test]
fn a_set_without_policies() {
    Folder::new().with_set("").run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
the set has no policy: add a `[[policy]]`

"#]]);
}

#[test]
fn settings_that_the_policy_refuses() {
    let refused = |setting: &str| {
        let run = cogwit("run").arg("--policy").arg(component("deny-short-username"));
        run.args(["--setting", setting]).ends(4).stdout_eq("")
    };
    refused("deny-short-username.minimum-length=five").stderr_eq(str![[r#"
error: `[..]deny-short-username.wasm` cannot be loaded
policy `deny-short-username`: its settings are refused: `minimum-length` is `five`: write a value such as `5`

"#]]);
    refused("deny-short-username.minimum-length=129").stderr_eq(str![[r#"
error: `[..]deny-short-username.wasm` cannot be loaded
policy `deny-short-username`: its settings are refused: `minimum-length` is `129`: write a number from 1 to 128

"#]]);
    refused("deny-short-username.minimum-lenght=7").stderr_eq(str![[r#"
error: `[..]deny-short-username.wasm` cannot be loaded
policy `deny-short-username`: its settings are refused: `minimum-lenght` is not known: this policy reads `minimum-length`

"#]]);
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let folder = Folder::new().with("module.wasm", b"\0asm\x01\0\0\0").with_set(
        r#"
[limits]
fuel = "lots"
chain-deadline = "1 m"

[[policy]]
name = "digest"
component = "block-client.wasm"
sha256 = "abc"

[[policy]]
name = "module"
component = "module.wasm"

[[policy]]
name = "setting"
component = "deny-short-username.wasm"
settings = { minimum-length = "five" }

[[policy]]
name = "secret"
component = "deny-short-username.wasm"
settings = { minimum-length = { env = "COGWIT_SECRET_X" } }

[[policy]]
name = "limits"
component = "deny-short-username.wasm"
limits = { output = "10 GiB", chain-deadline = "1 s" }
"#,
    );
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
limit `fuel` is `lots`: write a number such as `10_000_000`
limit `chain-deadline` is `1m`, but this host allows `4s 500ms` at most: lower it, or raise COGWIT_MAX_CHAIN_DEADLINE
policy `digest`: `block-client.wasm` has the digest [..], but `sha256` says abc: restore the file, or write the digest anew with `cogwit pack`
policy `module`: `module.wasm`: a core WebAssembly module, not a component: turn it into one with `wasm-tools component new`, or build with `cogwit pack`
policy `setting`: its settings are refused: `minimum-length` is `five`: write a value such as `5`
policy `secret`: setting `minimum-length` refers to the environment variable `COGWIT_SECRET_X`, which is not set: set it where this host runs
policy `limits`: limit `chain-deadline` is the whole set's: move it to `[limits]`
policy `limits`: limit `output` is `10.0 GiB`, but this host allows `6.0 MiB` at most: lower it, or raise COGWIT_MAX_OUTPUT

"#]]);
}
