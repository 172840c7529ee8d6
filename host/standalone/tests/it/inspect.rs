//! Shows components, for people and for scripts.

use std::fs;

use cogwit_core::digest::sha256;
use snapbox::str;

use crate::program::{Cogwit, cogwit, json, stderr, stdout};
use crate::scenario;
use crate::support::{ALLOW, Folder, checking_probe, component, probe};

/// `cogwit inspect FILE` beside the shipped components.
fn inspect(name: &str) -> Cogwit {
    cogwit("inspect").folder(&scenario::policies_wasm()).arg(format!("{name}.wasm"))
}

#[test]
fn a_component_as_text() {
    inspect("access-gate").ends(0).stderr_eq("").stdout_eq(str![[r#"
access-gate.wasm
  size      [..] KiB ([..] bytes)
  sha256    [..]
  description[..]Asks for an invitation code, and refuses e-mail domains and app clients
  licenses  Apache-2.0 OR MIT
  name      access-gate
  version   0.1.0
  answers   pre-sign-up@0.1.0
  answers   pre-authentication@0.1.0
  settings  checked by a function of its own
  imports   wasi:config/store@0.2.0-rc.1 (given to every policy)
  imports   wasi:logging/logging@0.1.0-draft (given to every policy)
  imports   cogwit:triggers/types@0.1.0 (types only, needs nothing)
  admitted  this host would run it without further settings

"#]]);
}

#[test]
fn a_component_as_json() {
    let ended = inspect("block-client").args(["--format", "json"]).ends(0).stderr_eq("").stdout_eq(str![[r#"
{"file":"block-client.wasm","bytes":[..],"sha256":"[..]","metadata":{"description":"Refuses sign-ins from listed app clients","licenses":"Apache-2.0 OR MIT","name":"block-client","version":"0.1.0"},"triggers":["pre-authentication@0.1.0"],"settings":true,"imports":[{"name":"wasi:config/store@0.2.0-rc.1","need":"given to every policy"},{"name":"wasi:logging/logging@0.1.0-draft","need":"given to every policy"},{"name":"cogwit:triggers/types@0.1.0","need":"types only, needs nothing"}],"admitted":true,"problems":[],"warnings":[]}

"#]]);
    let (shown, bytes) = (json(&ended), fs::read(component("block-client")).unwrap());
    assert_eq!((&shown["bytes"], &shown["sha256"]), (&bytes.len().into(), &sha256(&bytes).into()));
}

#[test]
fn a_warning_of_the_policy_is_shown() {
    let warning = "`domains` is empty: the client writes both `email` and `custom:domain`, so anyone can confirm any address; list the domains that are yours";
    let text = stdout(&inspect("auto-confirm-domain").ends(0));
    assert!(text.contains(&format!("\n  warning   {warning}\n  admitted ")), "{text}");
    let shown = json(&inspect("auto-confirm-domain").args(["--format", "json"]).ends(0));
    assert_eq!(shown["warnings"], serde_json::json!([warning]));
    assert_eq!(
        json(&inspect("auto-confirm-verify").args(["--format", "json"]).ends(0))["warnings"],
        serde_json::json!([])
    );
}

#[test]
fn a_file_that_is_refused_says_why() {
    let folder = Folder::new().with("module.wasm", b"\0asm\x01\0\0\0");
    let inspect = || folder.cogwit("inspect").arg("module.wasm");
    let text = stdout(&inspect().ends(4).stderr_eq(""));
    assert!(text.starts_with("module.wasm\n  size      8 B (8 bytes)\n"), "{text}");
    let refusal = text.lines().last().unwrap();
    assert!(refusal.starts_with("  refused   `module"), "{text}");
    assert!(refusal.contains("a core WebAssembly module, not a component: "), "{text}");
    assert!(!text.contains("admitted"), "{text}");

    let shown = json(&inspect().args(["--format", "json"]).ends(4).stderr_eq(""));
    assert_eq!((&shown["admitted"], &shown["bytes"]), (&false.into(), &8.into()));
    assert!(shown["problems"][0].as_str().unwrap().contains("a core WebAssembly module"), "{shown}");
}

#[test]
fn a_component_of_little() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    folder.cogwit("inspect").arg("it.wasm").ends(0).stderr_eq("").stdout_eq(str![[r#"
it.wasm
  size      [..] ([..] bytes)
  sha256    [..]
  answers   pre-sign-up@0.1.0
  settings  no function that checks them
...
  imports   wasi:logging/logging@0.1.0-draft (given to every policy)
...
  admitted  this host would run it without further settings

"#]]);
}

/// A component could print a line of its own that says that it was admitted.
#[test]
fn what_a_component_says_stays_on_its_line() {
    let refusing = "(i32.store8 (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 1024))
        (i32.store (i32.const 72) (i32.const 9))
        (i32.const 64)";
    for (body, code, start) in [
        (format!("(call $log) {ALLOW}"), 0, "  warning   one two"),
        (refusing.to_owned(), 4, "  refused   its settings are refused: one two"),
    ] {
        let folder = Folder::new().with("it.wasm", checking_probe(&body));
        let text = stdout(&folder.cogwit("inspect").arg("it.wasm").ends(code));
        assert!(text.lines().any(|line| line.starts_with(start)), "{text:?}");
        let report = stderr(&folder.cogwit("run").args(["--policy", "it.wasm"]).ends(code));
        assert!(report.contains("one two"), "{report:?}");
        assert!(!(text + &report).contains("\ntwo"), "{report:?}");
    }
}

/// That nothing else is coloured, every other test checks.
#[test]
fn colours_are_there_where_they_are_wanted() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW)).with("text.wasm", "hello");
    for (command, words) in [
        (folder.cogwit("inspect").arg("it.wasm"), "\u{1b}[32madmitted\u{1b}[0m"),
        (folder.cogwit("inspect").arg("text.wasm"), "\u{1b}[31mrefused\u{1b}[0m"),
        (folder.cogwit("run").args(["--policy", "text.wasm"]), "\u{1b}[31merror\u{1b}[0m"),
        (folder.cogwit("run").args(["--policy", "it.wasm"]), "\u{1b}[32mallow\u{1b}[0m"),
    ] {
        let ended = command.env("CLICOLOR_FORCE", "1").ended();
        let written = stdout(&ended) + &stderr(&ended);
        assert!(written.contains(words), "{written:?}");
    }
}
