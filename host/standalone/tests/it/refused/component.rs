//! Files that are no component, or no whole one.

use std::fs;

use snapbox::str;

use crate::program::stderr;
use crate::support::{ALLOW, Folder, component, probe};

/// Refuses `it.wasm`, for a policy and for inspection; both hold these texts.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, texts: &[&str]) {
    let folder = Folder::new().with("it.wasm", bytes);
    let run = stderr(&folder.cogwit("run").args(["--policy", "it.wasm"]).ends(4).stdout_eq(""));
    assert!(run.starts_with("error: `it.wasm` cannot be loaded\npolicy `it`: "), "{run}");
    let inspection = folder.cogwit("inspect").arg("it.wasm").ends(4).stderr_eq("");
    let inspection = String::from_utf8_lossy(&inspection.get_output().stdout).into_owned();
    for text in texts {
        assert!(run.contains(text), "no `{text}` in\n{run}");
        assert!(inspection.contains(text), "no `{text}` in\n{inspection}");
    }
}

/// A shipped component, and where the core module within it begins.
fn shipped() -> (Vec<u8>, usize) {
    let bytes = fs::read(component("block-client")).unwrap();
    let module = bytes.windows(8).position(|it| it == b"\0asm\x01\0\0\0").unwrap();
    (bytes, module)
}

#[test]
fn a_bit_that_flipped() {
    let (mut bytes, module) = shipped();
    bytes[module] ^= 1;
    refused(bytes, &["the component is not valid here: ", "; build it again"]);
}

#[test]
fn a_file_that_was_cut_short() {
    let (bytes, _) = shipped();
    refused(&bytes[..bytes.len() / 2], &["the component is not valid here: ", "; build it again"]);
    // Only the header: valid, and of no use.
    refused(&bytes[..8], &["it exports no trigger interface", "`cogwit:triggers/pre-sign-up@0.1.0`"]);
    refused(&bytes[..4], &["not WebAssembly", "`cogwit pack`"]);
}

#[test]
fn a_core_module() {
    let texts = ["a core WebAssembly module, not a component", "`wasm-tools component new`", "`cogwit pack`"];
    refused(b"\0asm\x01\0\0\0", &texts);
    // The whole module out of a shipped component.
    let (bytes, module) = shipped();
    refused(&bytes[module..], &texts);
}

#[test]
fn a_text() {
    let texts = [r"not WebAssembly: a component begins with the bytes `\0asm`", "`cogwit pack`"];
    refused("(component)", &texts);
    refused("", &texts);
}

#[test]
fn every_component_that_is_wrong_is_named_at_once() {
    let folder = Folder::new().with("module.wasm", b"\0asm\x01\0\0\0").with("text.wasm", "hello");
    let folder = folder.with("it.wasm", probe(ALLOW));
    let wrong = ["--policy", "module.wasm", "--policy", "text.wasm", "--policy"];
    let report = stderr(&folder.cogwit("run").args(wrong).arg("it.wasm").ends(4).stdout_eq(""));
    for text in ["\npolicy `module`: ", "a core WebAssembly module", "\npolicy `text`: ", "not WebAssembly"] {
        assert!(report.contains(text), "no `{text}` in\n{report}");
    }
    assert!(!report.contains("`it`"), "{report}");
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    let refusal = str![[r#"
error: cannot read `missing.wasm`: [..]; check the path

"#]];
    for option in ["--policy", "--policies"] {
        folder.cogwit("run").args([option, "missing.wasm"]).ends(4).stdout_eq("").stderr_eq(refusal.clone());
    }
    folder.cogwit("inspect").arg("missing.wasm").ends(4).stdout_eq("").stderr_eq(refusal);
}

#[test]
fn two_files_of_one_name() {
    let folder = Folder::new().with_component("block-client", "block-client.wasm");
    let run = folder.cogwit("run").args(["--policy", "block-client.wasm", "--policy"]).arg(component("block-client"));
    run.ends(4).stdout_eq("").stderr_eq(str![[r#"
error: two components have the name `block-client`: rename one of the files

"#]]);
}
