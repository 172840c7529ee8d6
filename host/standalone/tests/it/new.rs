//! Makes crates for policies. That they build is tested beside the SDK, and by host/tests/first-policy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cogwit_core::event::Trigger;
use snapbox::str;

use crate::program::{Cogwit, stderr, stdout};
use crate::support::Folder;

/// A folder with what looks like the SDK in `clone/guest/sdk`.
fn folder() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("clone/guest/sdk")).unwrap();
    folder.with("clone/guest/sdk/Cargo.toml", "[package]\nname = \"cogwit-sdk\"\n")
}

/// `cogwit new staff-only --trigger pre-sign-up`, without a word of the SDK.
fn new(folder: &Folder) -> Cogwit {
    folder.cogwit("new").args(["staff-only", "--trigger", "pre-sign-up"])
}

/// The files below `folder`.
fn files(folder: &Path) -> BTreeSet<String> {
    fn walk(folder: &Path, top: &Path, found: &mut BTreeSet<String>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => walk(&path, top, found),
                false => drop(found.insert(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned())),
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found
}

/// What the manifest says of the SDK.
fn sdk(folder: &Folder, manifest: &str) -> String {
    let manifest = fs::read_to_string(folder.path(manifest)).unwrap();
    manifest.lines().find_map(|line| line.strip_prefix("cogwit-sdk = ")).unwrap().to_owned()
}

#[test]
fn a_crate_with_all_that_it_takes() {
    let folder = folder();
    new(&folder).args(["--sdk-path", "clone/guest/sdk"]).ends(0).stderr_eq("").stdout_eq(str![[r#"
made the policy `staff-only` for pre-sign-up: begin with `staff-only/src/lib.rs`

next:
  cd staff-only
  cargo test                            the policy as plain Rust
  cogwit pack                           builds staff-only.wasm, and writes its digest to policies.toml
  cogwit test                           holds the component to cases/staff-only.toml
  cogwit run event.json --policies .    decides one event, and tells how

"#]]);
    let expected =
        [".gitignore", "Cargo.toml", "README.md", "cases/staff-only.toml", "event.json", "policies.toml", "src/lib.rs"];
    assert_eq!(files(Path::new(&folder.path("staff-only"))), expected.map(str::to_owned).into());
    assert_eq!(sdk(&folder, "staff-only/Cargo.toml"), r#"{ path = "../clone/guest/sdk" }"#);
}

#[test]
fn every_trigger() {
    for trigger in Trigger::all() {
        let folder = folder();
        folder.cogwit("new").args(["it", "--trigger", trigger.name(), "--sdk-version", "0.1"]).ends(0);
        // The set and the event are read, and then the component is missing, as it was never built.
        let report = stderr(&folder.cogwit("run").args(["it/event.json", "--policies", "it"]).ends(4));
        assert!(report.contains("policy `it`: cannot read `it/it.wasm`"), "{report}");
    }
}

#[test]
fn the_sdk_from_elsewhere() {
    let whole = |folder: &Folder| fs::canonicalize(folder.path("clone/guest/sdk")).unwrap().display().to_string();
    let git = ["--sdk-git", "https://git.example/cogwit"];
    for (args, line) in [
        (vec!["--sdk-version", "0.1.0"], r#""0.1.0""#.to_owned()),
        (git.to_vec(), r#"{ git = "https://git.example/cogwit" }"#.to_owned()),
        (
            [&git[..], &["--sdk-rev", "5b1f0c7"]].concat(),
            r#"{ git = "https://git.example/cogwit", rev = "5b1f0c7" }"#.to_owned(),
        ),
    ] {
        let folder = folder();
        new(&folder).args(args).ends(0);
        assert_eq!(sdk(&folder, "staff-only/Cargo.toml"), line);
    }
    let folder = folder();
    new(&folder).args(["--sdk-path", &folder.path("clone/guest/sdk")]).ends(0);
    assert_eq!(sdk(&folder, "staff-only/Cargo.toml"), format!("{{ path = \"{}\" }}", whole(&folder)));
}

#[test]
fn a_folder_of_ones_own() {
    let folder = folder();
    fs::create_dir_all(folder.path("a/b/.git")).unwrap();
    let made = stdout(&new(&folder).args(["--into", "a/b", "--sdk-path", "clone/guest/sdk"]).ends(0));
    assert!(made.contains("`a/b/src/lib.rs`") && made.contains("\n  cd a/b\n"), "{made}");
    assert_eq!(sdk(&folder, "a/b/Cargo.toml"), r#"{ path = "../../clone/guest/sdk" }"#);

    let empty = Folder::new();
    let made = stdout(&new(&empty).args(["--into", ".", "--sdk-version", "0.1"]).ends(0));
    assert!(made.contains("`src/lib.rs`") && !made.contains("  cd "), "{made}");
}

#[test]
fn a_folder_that_is_not_empty_stays_as_it_is() {
    let folder = folder();
    fs::create_dir(folder.path("staff-only")).unwrap();
    let folder = folder.with("staff-only/mine.txt", "mine");
    let before = files(Path::new(&folder.path("")));
    new(&folder).args(["--sdk-version", "0.1"]).ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `staff-only` is not empty: name another folder by --into

"#]]);
    let report = stderr(&new(&folder).args(["--sdk-version", "0.1", "--into", "staff-only/mine.txt"]).ends(4));
    assert!(report.starts_with("error: cannot write `staff-only/mine.txt`: "), "{report}");
    assert_eq!(files(Path::new(&folder.path(""))), before);
}

#[test]
fn where_the_sdk_is_must_be_said_once_and_be_true() {
    let folder = folder();
    for (args, text) in [
        (vec![], "<--sdk-path <DIR>|--sdk-git <URL>|--sdk-version <VERSION>>"),
        (vec!["--sdk-version", "1", "--sdk-path", "clone/guest/sdk"], "cannot be used with"),
        (vec!["--sdk-version", "1", "--sdk-rev", "5b1f0c7"], "cannot be used with"),
        (vec!["--sdk-rev", "5b1f0c7"], "--sdk-git <URL>"),
        (
            vec!["--sdk-path", "clone/guest"],
            "error: --sdk-path: `clone/guest` does not hold the crate `cogwit-sdk`: name the folder `guest/sdk` of cogwit's repository\n",
        ),
    ] {
        let report = stderr(&new(&folder).args(args).ends(2).stdout_eq(""));
        assert!(report.contains(text), "no `{text}` in\n{report}");
    }
    assert!(!Path::new(&folder.path("staff-only")).exists());
}

#[test]
fn a_name_that_no_crate_can_have() {
    let folder = folder();
    for (name, text) in [
        ("Staff", "write 1 to 64 lower-case letters, digits and `-`, and begin with a letter"),
        ("../staff", "write 1 to 64 lower-case letters"),
        ("type", "it is a word of the language"),
        ("test", "another crate has that name"),
    ] {
        let new = folder.cogwit("new").args([name, "--trigger", "pre-sign-up", "--sdk-version", "0.1"]);
        let report = stderr(&new.ends(2).stdout_eq(""));
        assert!(report.starts_with(&format!("error: invalid value '{name}' for '<NAME>': {text}")), "{report}");
    }
    assert_eq!(files(Path::new(&folder.path(""))).len(), 1);
}

#[test]
fn an_unknown_trigger() {
    let folder = folder();
    let new = folder.cogwit("new").args(["it", "--sdk-version", "0.1", "--trigger", "pre-signup"]);
    let report = stderr(&new.ends(2).stdout_eq(""));
    let text = "error: invalid value 'pre-signup' for '--trigger <NAME>': `pre-signup` is no trigger: write one of `pre-sign-up`, ";
    assert!(report.starts_with(text), "{report}");
}
