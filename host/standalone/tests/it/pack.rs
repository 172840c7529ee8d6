//! Packs crates. A cargo that only answers stands in for the compiler, which would take a minute.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cogwit_core::digest::sha256;
use snapbox::str;

use crate::program::{Cogwit, json, stderr, stdout};
use crate::support::{ALLOW, Folder, probe_module};

/// Describes a workspace as cargo does, makes an empty lock, and builds what lies in `module.wasm`.
const CARGO: &str = r#"#!/bin/sh
here=${0%/*}
case "$1" in
  metadata) exec "$REAL_CARGO" "$@" ;;
  generate-lockfile) touch Cargo.lock ;;
  rustc)
    while [ $# -gt 0 ]; do
      [ "$1" = --package ] && name=$2
      [ "$1" = --target-dir ] && out=$2/wasm32-unknown-unknown/policy
      shift
    done
    mkdir -p "$out"
    cp "$here/module.wasm" "$out/$(echo "$name" | tr - _).wasm" ;;
esac
"#;

/// A compiler that has the target.
const RUSTC: &str = r#"#!/bin/sh
case "$1" in
  -V) echo "rustc 1.95.0 (of the tests)" ;;
  --print=target-libdir) echo "${0%/*}" ;;
esac
"#;

const MANIFEST: &str = r#"[package]
name = "staff-only"
version = "0.1.0"
edition = "2024"
description = "Lets staff in"
license = "MIT"
[lib]
crate-type = ["cdylib"]
[workspace]
"#;

/// A folder with the tools in `tools`, which build a policy that allows, and a crate in `crate`.
fn folder(manifest: &str) -> Folder {
    let folder = Folder::new();
    for needed in ["tools", "crate/src"] {
        fs::create_dir_all(folder.path(needed)).unwrap();
    }
    let folder = folder
        .with("tools/cargo", CARGO)
        .with("tools/rustc", RUSTC)
        .with("tools/libcore-0.rlib", "")
        .with("tools/module.wasm", probe_module(ALLOW))
        .with("crate/Cargo.toml", manifest)
        .with("crate/Cargo.lock", "")
        .with("crate/src/lib.rs", "");
    for tool in ["tools/cargo", "tools/rustc"] {
        fs::set_permissions(folder.path(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// `cogwit pack` in that folder.
fn pack(folder: &Folder) -> Cogwit {
    let path = format!("{}:{}", folder.path("tools"), std::env::var("PATH").unwrap());
    folder
        .cogwit("pack")
        .envs([("CARGO", folder.path("tools/cargo").as_str()), ("REAL_CARGO", env!("CARGO")), ("PATH", &path)])
        .env("CARGO_TARGET_DIR", &folder.path("target"))
        .args(["--toolchain-cache", &folder.path("cache")])
}

fn read(folder: &Folder, file: &str) -> String {
    fs::read_to_string(folder.path(file)).unwrap()
}

/// The digest of a component.
fn digest(folder: &Folder, file: &str) -> String {
    sha256(&fs::read(folder.path(file)).unwrap())
}

fn git(folder: &Folder, args: &[&str]) -> String {
    let who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(who).args(args).current_dir(folder.path("crate")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_crate_becomes_a_set_that_decides() {
    let folder = folder(MANIFEST);
    let packed = pack(&folder).arg("crate").ends(0).stdout_eq(str![[r#"
crate/staff-only.wasm
  size      [..] ([..] bytes)
  sha256    [..]
  description Lets staff in
  licenses  MIT
  name      staff-only
  version   0.1.0
  answers   pre-sign-up@0.1.0
  set       `crate/policies.toml` is new and names it by its digest

"#]]);
    assert_eq!(stderr(&packed), "pack: compiler: rustc 1.95.0 (of the tests)\npack: building `staff-only`\n");
    let digest = digest(&folder, "crate/staff-only.wasm");
    let set = read(&folder, "crate/policies.toml");
    assert!(set.ends_with(&format!("component = \"staff-only.wasm\"\nsha256 = \"{digest}\"\n")), "{set}");
    assert!(read(&folder, "crate/policies.lock").contains(&digest));
    assert!(!Path::new(&folder.path("cache")).exists(), "a compiler that is installed needs no other");

    folder.cogwit("run").args(["--policies", "crate"]).ends(0);
    let inspected = stdout(&folder.cogwit("inspect").arg("crate/staff-only.wasm").ends(0));
    assert!(!inspected.contains("revision"), "{inspected}");
}

#[test]
fn a_set_that_is_there_is_pinned() {
    let set = "schema = 1\n\n[set]\nname = \"mine\" # mine\n\n[[policy]]\nname = \"staff\"\ncomponent = \"staff-only.wasm\"\nsha256 = \"old\"\n";
    let folder = folder(MANIFEST).with("policies.toml", set);
    let text = stdout(&pack(&folder).args(["crate", "--out", "."]).ends(0));
    assert!(text.starts_with("staff-only.wasm\n"), "{text}");
    assert!(text.ends_with("\n  set       `policies.toml` names it by its digest\n"), "{text}");
    assert_eq!(read(&folder, "policies.toml"), set.replace("old", &digest(&folder, "staff-only.wasm")));
    assert!(!Path::new(&folder.path("crate/staff-only.wasm")).exists());
}

#[test]
fn a_set_that_does_not_name_it_is_told_the_entry() {
    let set = "schema = 1\n\n[set]\nname = \"mine\"\n";
    let folder = folder(MANIFEST)
        .with("policies.toml", set)
        .with("tools/module.wasm", probe_module("(drop (call $random)) (i32.const 0)"));
    let pack = || pack(&folder).args(["crate", "--out", "."]);
    let text = stdout(&pack().ends(0));
    let (report, entry) = text.split_once("\nadd to `policies.toml`:\n\n").unwrap();
    assert!(report.contains("\n  set       `policies.toml` does not name it\n"), "{report}");
    assert!(
        report.ends_with("  warning   runs only where the set grants it `capabilities = [\"random\"]`"),
        "{report}"
    );
    assert_eq!(read(&folder, "policies.toml"), set);

    // The entry is all that it takes.
    let folder = &folder;
    fs::write(folder.path("policies.toml"), format!("{set}\n{entry}")).unwrap();
    folder.run().ends(0);
    let packed = json(&pack().args(["--format", "json"]).ends(0));
    let it = &packed["components"][0];
    assert_eq!(
        (&it["set"], &it["capabilities"], &it["entry"]),
        (&"pinned".into(), &serde_json::json!(["random"]), &serde_json::Value::Null)
    );
}

#[test]
fn what_was_built_as_json() {
    let folder =
        folder(&MANIFEST.replace("description = \"Lets staff in\"\nlicense = \"MIT\"\n", "").replace("0.1.0", "0.0.0"));
    let packed = json(&pack(&folder).args(["crate", "--format", "json"]).ends(0));
    let digest = digest(&folder, "crate/staff-only.wasm");
    let expected = serde_json::json!({
        "out": "crate",
        "compiler": "rustc 1.95.0 (of the tests)",
        "components": [{
            "file": "staff-only.wasm",
            "bytes": fs::read(folder.path("crate/staff-only.wasm")).unwrap().len(),
            "sha256": digest,
            "metadata": { "name": "staff-only", "version": "0.0.0" },
            "triggers": ["pre-sign-up@0.1.0"],
            "capabilities": [],
            "set": "written",
            "warnings": [
                "no description: add `description = \"...\"` to its Cargo.toml",
                "no licence: add `license = \"...\"` to its Cargo.toml",
                "its version is 0.0.0: write another one to its Cargo.toml",
            ],
        }],
    });
    assert_eq!(packed, expected);
}

#[test]
fn a_component_names_the_commit_that_it_is_of() {
    let folder = folder(MANIFEST);
    git(&folder, &["init", "--quiet"]);
    let uncommitted = stdout(&pack(&folder).arg("crate").ends(0));
    assert!(uncommitted.contains("\n  warning   no revision: "), "{uncommitted}");
    assert!(!uncommitted.contains("\n  revision  "), "{uncommitted}");

    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message", "one"]);
    let line = format!("\n  revision  {}\n", git(&folder, &["rev-parse", "HEAD"]));
    let committed = stdout(&pack(&folder).arg("crate").ends(0));
    assert!(committed.contains(&line) && !committed.contains("warning"), "{committed}");
    let inspected = stdout(&folder.cogwit("inspect").arg("crate/staff-only.wasm").ends(0));
    assert!(inspected.contains(&line), "{inspected}");
}

#[test]
fn a_workspace_packs_every_policy_below() {
    let folder = folder(&MANIFEST.replace("[workspace]\n", ""));
    for (member, kind) in [("night-only", "cdylib"), ("shared", "lib")] {
        fs::create_dir_all(folder.path(&format!("{member}/src"))).unwrap();
        let manifest = MANIFEST.replace("staff-only", member).replace("cdylib", kind).replace("[workspace]\n", "");
        fs::write(folder.path(&format!("{member}/Cargo.toml")), manifest).unwrap();
        fs::write(folder.path(&format!("{member}/src/lib.rs")), "").unwrap();
    }
    let folder =
        folder.with("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crate\", \"night-only\", \"shared\"]\n");
    let packed = pack(&folder).ends(0);
    let progress = "pack: no `Cargo.lock` yet: making one\n";
    assert!(stderr(&packed).starts_with(progress), "{}", stderr(&packed));
    assert!(Path::new(&folder.path("Cargo.lock")).exists());
    let set = read(&folder, "policies.toml");
    let names: Vec<_> = set.lines().filter(|line| line.starts_with("name = ")).collect();
    assert_eq!(names, ["name = \"policies\"", "name = \"night-only\"", "name = \"staff-only\""]);
}

#[test]
fn what_cannot_be_built_says_why() {
    let library = MANIFEST.replace("cdylib", "lib");
    let no_policy =
        "error: `staff-only` is no policy: its manifest needs `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`\n";
    for (manifest, dir, code, text) in [
        (library.as_str(), "crate", 1, no_policy),
        ("[", "crate", 1, "Cargo.toml"),
        (MANIFEST, "tools", 1, "could not find `Cargo.toml`"),
        (MANIFEST, "crate/src", 1, "error: no policy crate under `"),
        (MANIFEST, "no-such", 4, "error: cannot read `no-such`: "),
    ] {
        let report = stderr(&pack(&folder(manifest)).arg(dir).ends(code).stdout_eq(""));
        assert!(report.contains(text), "no `{text}` in\n{report}");
    }
}

#[test]
fn a_build_that_fails_leaves_the_folder_as_it_was() {
    let broken = "#!/bin/sh\n[ \"$1\" = metadata ] && exec \"$REAL_CARGO\" \"$@\"\necho \"error: it does not compile\" >&2\nexit 101\n";
    let folder = folder(MANIFEST).with("tools/cargo", broken);
    let report = stderr(&pack(&folder).arg("crate").ends(1).stdout_eq(""));
    assert!(report.contains("error: it does not compile\n") && report.contains("\nerror: `"), "{report}");
    assert!(
        report.ends_with("if `Cargo.lock` is not what the manifests ask for, run `cargo check` there\n"),
        "{report}"
    );
    assert!(!Path::new(&folder.path("crate/policies.toml")).exists());
}

#[test]
fn a_component_that_no_set_could_have_is_not_written() {
    let no_trigger = wat::parse_str("(module)").unwrap();
    let folder = folder(MANIFEST).with("tools/module.wasm", no_trigger);
    let report = stderr(&pack(&folder).arg("crate").ends(4).stdout_eq(""));
    let text = "error: `staff-only.wasm` was built, but not written: it exports no trigger interface, ";
    assert!(report.contains(text), "{report}");
    assert!(!Path::new(&folder.path("crate/staff-only.wasm")).exists());
}

#[test]
fn a_set_that_cannot_be_read_ends_it_before_the_build() {
    let folder = folder(MANIFEST).with("crate/policies.lock", "[[component]]\nfile = 3\n");
    let report = stderr(&pack(&folder).arg("crate").ends(4).stdout_eq(""));
    assert!(report.contains("error: cannot understand `crate/policies.lock`: "), "{report}");
    assert!(!report.contains("building"), "{report}");
}

#[test]
fn a_command_line_that_is_wrong() {
    let folder = folder(MANIFEST);
    for args in [["--toolchain", "nightly"], ["crate", "other"]] {
        pack(&folder).args(args).ends(2).stdout_eq("");
    }
    let report = stderr(&pack(&folder).env("COGWIT_MAX_MEMROY", "1 MiB").ends(2).stdout_eq(""));
    assert!(report.contains("COGWIT_MAX_MEMROY is not known"), "{report}");
}
