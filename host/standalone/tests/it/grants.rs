//! Grants capabilities, and fixes what chance and the clock say.

use snapbox::str;

use crate::program::{Cogwit, json, stderr, stdout};
use crate::support::{Folder, SIGN_UP, probe};

/// Denies with 8 letters that `number`, an i64, chooses.
fn telling(number: &str) -> Vec<u8> {
    let letters = "(i64.const 0x6060606060606060)";
    let low = format!("(i64.and (i64.const 0x0f0f0f0f0f0f0f0f) {number})");
    probe(&format!(
        "(i64.store (i32.const 2048) (i64.or {letters} {low}))
        (i32.store8 (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 2048))
        (i32.store (i32.const 72) (i32.const 8))
        (i32.const 64)"
    ))
}

fn of_chance() -> Folder {
    Folder::new().with("it.wasm", telling("(call $random)"))
}

fn of_time() -> Folder {
    Folder::new().with("it.wasm", telling("(block (result i64) (call $now (i32.const 32)) (i64.load (i32.const 32)))"))
}

fn run(folder: &Folder) -> Cogwit {
    folder.cogwit("run").args(["-", "--policy", "it.wasm"]).stdin(SIGN_UP)
}

#[test]
fn what_is_not_granted_is_refused() {
    for (folder, other, import, capability) in [
        (of_chance(), "clock", "`wasi:random/random@0.2.6`", "random"),
        (of_time(), "random", "`wasi:clocks/wall-clock@0.2.6`", "clock"),
    ] {
        for command in [run(&folder), run(&folder).arg(format!("--grant=it.{other}"))] {
            let report = stderr(&command.ends(4).stdout_eq(""));
            for text in
                ["policy `it`: ", import, "which is not granted", &format!("`capabilities = [\"{capability}\"]`")]
            {
                assert!(report.contains(text), "no `{text}` in\n{report}");
            }
        }
        let inspection = stdout(&folder.cogwit("inspect").arg("it.wasm").ends(4));
        assert!(inspection.contains(&format!("needs the capability `{capability}`")), "{inspection}");
    }
}

#[test]
fn a_grant_stands_in_the_document_too() {
    let set = "\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\ncapabilities = [\"random\"]\n";
    of_chance().with_set(set).run().ends(1);
}

#[test]
fn chance_repeats_for_one_seed_only() {
    let folder = of_chance();
    let drawn = |args: &[&str]| stdout(&run(&folder).arg("--grant=it.random").args(args).ends(1));
    assert_eq!(drawn(&["--seed", "7"]), drawn(&["--seed", "7"]));
    assert_ne!(drawn(&["--seed", "7"]), drawn(&["--seed", "8"]));
    assert_ne!(drawn(&[]), drawn(&[]));
}

#[test]
fn the_clock_stands_still_where_it_is_set() {
    let folder = of_time();
    let told = |args: &[&str]| {
        let report = json(&run(&folder).args(["--grant=it.clock", "--format", "json"]).args(args).ends(1));
        report["policies"][0]["message"].as_str().unwrap().to_owned()
    };
    let letters =
        |seconds: u64| String::from_utf8(seconds.to_le_bytes().map(|byte| 0x60 | byte & 15).to_vec()).unwrap();
    assert_eq!(told(&["--now", "1970-01-01T00:00:00Z"]), letters(0));
    assert_eq!(told(&["--now", "2026-11-22T12:00:00Z"]), letters(1_795_348_800));
    assert_ne!(told(&[]), letters(0));
}

#[test]
fn what_a_decision_consumed_is_told() {
    run(&of_chance()).args(["--grant=it.random", "--seed=7"]).ends(1).stderr_eq(str![[r#"
deny: pre-sign-up by the set `components`
  it  deny, "[..]"  ([..] fuel, 64.0 KiB, [..] us, used random numbers)
the caller sees: PreSignUp failed with error [..].

"#]]);
    let report = json(&run(&of_time()).args(["--grant=it.clock", "--format=json"]).ends(1));
    let policy = &report["policies"][0];
    assert_eq!((&policy["consumedClock"], &policy["consumedRandom"]), (&true.into(), &false.into()));
}
