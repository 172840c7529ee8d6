//! Where cases are looked for, and in which order they are told of.

use std::os::unix::fs::symlink;

use snapbox::str;

use crate::program::stdout;
use crate::support::{ALLOW, Folder, probe};

const CASE: &str = "source = 'PreSignUp_SignUp'\nexpect.decision = 'allow'";

const SET: &str = "\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\n";

fn folder() -> Folder {
    Folder::new().with("it.wasm", probe(ALLOW))
}

/// The names of the cases that were found, each of which passed.
fn found(folder: &Folder, paths: &[&str]) -> Vec<String> {
    let told = stdout(&folder.cogwit("test").args(paths).ends(0).stderr_eq(""));
    told.lines().filter_map(|line| line.strip_prefix("ok    ").map(str::to_owned)).collect()
}

#[test]
fn cases_are_found_by_the_name_of_their_file_or_folder() {
    let set = format!("{SET}tests = [\"checks/*.toml\", \"./extra.toml\"]\n");
    let folder = folder()
        .with_set(&set)
        .with("cases/b.toml", CASE)
        .with("cases/a.toml", CASE)
        .with("deep/er/cases/it.toml", CASE)
        .with("deep/one/case.toml", CASE)
        .with("sign-up.case.toml", CASE)
        .with("cases/deeper/d.toml", CASE)
        .with("checks/named.toml", CASE)
        .with("extra.toml", CASE)
        // None of these is one.
        .with("cases/readme.md", "no TOML")
        .with("Cargo.toml", "no TOML")
        .with("my.cases.toml", "no TOML")
        .with(".git/case.toml", "no TOML")
        .with("cases/.hidden.toml", "no TOML")
        .with("target/case.toml", "no TOML")
        .with("deep/node_modules/case.toml", "no TOML");
    let all = [
        "cases/a.toml",
        "cases/b.toml",
        "cases/deeper/d.toml",
        "checks/named.toml",
        "deep/er/cases/it.toml",
        "deep/one/case.toml",
        "extra.toml",
        "sign-up.case.toml",
    ];
    for paths in [&[][..], &["."], &["policies.toml"], &["./policies.toml"]] {
        assert_eq!(found(&folder, paths), all, "{paths:?}");
    }
    assert_eq!(
        found(&folder, &["deep", "cases/b.toml"]),
        ["cases/b.toml", "deep/er/cases/it.toml", "deep/one/case.toml"]
    );
}

#[test]
fn a_file_that_is_named_may_have_any_name_and_place() {
    let folder = folder().with_set(SET).with("it.toml", CASE).with("target/it.toml", CASE).with(".it/case.toml", CASE);
    assert_eq!(found(&folder, &["it.toml"]), ["it.toml"]);
    assert_eq!(found(&folder, &["target/it.toml", ".it"]), [".it/case.toml", "target/it.toml"]);
}

#[test]
fn a_case_is_run_once_however_it_is_named() {
    let set = format!("{SET}tests = [\"./cases/*.toml\", \"cases/a.toml\"]\n");
    let folder = folder().with_set(&set).with("cases/a.toml", CASE);
    let absolute = folder.path("cases/a.toml");
    for paths in [
        &[".", "cases", "./cases/a.toml", "cases/../cases/a.toml", &absolute][..],
        &["cases/a.toml", "./cases", "."],
        &["policies.toml"],
    ] {
        assert_eq!(found(&folder, paths), ["cases/a.toml"], "{paths:?}");
    }
    assert_eq!(found(&folder, &[&absolute]), [absolute]);
}

/// Editors leave links that lead nowhere beside an open file.
#[test]
fn links_are_followed_and_those_that_lead_nowhere_or_back_are_passed_over() {
    let folder = folder().with_set(SET).with("cases/a.toml", CASE).with("linked/readme.md", "");
    symlink("../cases", folder.path("linked/cases")).unwrap();
    symlink("..", folder.path("cases/back")).unwrap();
    symlink("me@host.7731", folder.path("cases/.#a.toml")).unwrap();
    symlink("gone.md", folder.path("cases/link.md")).unwrap();
    assert_eq!(found(&folder, &[]), ["cases/a.toml"]);
    assert_eq!(found(&folder, &["linked"]), ["linked/cases/a.toml"]);
}

#[test]
fn a_case_that_a_link_promises_and_a_set_that_cannot_tell_its_cases_are_no_success() {
    let folder = folder().with_set(SET).with("cases/a.toml", CASE);
    symlink("gone.toml", folder.path("cases/gone.toml")).unwrap();
    folder.cogwit("test").ends(4);
    std::fs::remove_file(folder.path("cases/gone.toml")).unwrap();
    folder.cogwit("test").ends(0);
    for broken in ["bogus = [", "schema = 1\n[set]\nname = 'b'\n[[policy]]\nnmae = 'x'\ntests = ['smoke/*.toml']\n"] {
        std::fs::create_dir_all(folder.path("other")).unwrap();
        std::fs::write(folder.path("other/policies.toml"), broken).unwrap();
        let told = stdout(&folder.cogwit("test").ends(4));
        assert!(told.contains("other/policies.toml"), "{told}");
    }
}

#[test]
fn a_set_beside_the_case_or_above_it_decides_it() {
    let set = |name: &str| format!("{SET}\n[[policy]]\nname = \"{name}\"\ncomponent = \"it.wasm\"\n");
    let ran = |name: &str| format!("{CASE}\nexpect.ran = ['it', '{name}']");
    let text = |set: &str| format!("schema = 1\n[set]\nname = 'it'\n{set}");
    let folder = folder()
        .with_set(&set("outer"))
        .with("inner/policies.toml", text(&set("inner")))
        .with("inner/it.wasm", probe(ALLOW))
        .with("cases/outer.toml", ran("outer"))
        .with("deep/er/case.toml", ran("outer"))
        .with("inner/cases/inner.toml", ran("inner"))
        .with("inner/case.toml", ran("inner"))
        .with("inner/elsewhere/case.toml", format!("set = '../..'\n{}", ran("outer")));
    assert_eq!(found(&folder, &[]).len(), 5);
    // From beside it, too: the set is above the case, not above whoever asks.
    let told = folder.cogwit("test").folder(folder.path("inner").as_ref()).args(["../cases", "../deep"]).ends(0);
    assert_eq!(stdout(&told).lines().count(), 3, "{}", stdout(&told));
}

#[test]
fn the_command_line_names_the_set_of_cases_that_name_none() {
    let folder = folder()
        .with("case.toml", format!("{CASE}\nexpect.ran = ['it']"))
        .with("own.case.toml", format!("set = 'sets/own.toml'\n{CASE}\nexpect.ran = ['own']"))
        .with("sets/own.toml", "schema = 1\n[set]\nname = 'own'\n[[policy]]\nname = 'own'\ncomponent = '../it.wasm'");
    assert_eq!(found(&folder, &["--policies", "it.wasm"]).len(), 2);
    let folder = Folder::new().with("case.toml", CASE);
    folder.cogwit("test").arg("case.toml").ends(4).stderr_eq("").stdout_eq(str![[r#"
error case.toml
      nothing says which policies decide it: put a policies.toml beside or above the file, name a `set` or `components`, or use --policies
0 passed, 1 could not run in [..] ms

"#]]);
}

#[test]
fn paths_that_hold_no_cases() {
    let folder = folder().with_set(SET).with("empty/readme.md", "");
    let told = |paths: &[&str], code: i32| folder.cogwit("test").args(paths).ends(code).stdout_eq("");
    told(&["missing.toml"], 4).stderr_eq(str![[r#"
error: cannot read `missing.toml`: there is no such file or folder; check the path

"#]]);
    told(&["empty/readme.md"], 2).stderr_eq(str![[r#"
error: `empty/readme.md` holds no cases: name a .toml file or a folder

"#]]);
    for paths in [&[][..], &["empty"], &["policies.toml"]] {
        told(paths, 4).stderr_eq(str![[r#"
error: no case found: write one into cases/NAME.toml beside a policies.toml; `cogwit help test` shows how

"#]]);
    }
}
