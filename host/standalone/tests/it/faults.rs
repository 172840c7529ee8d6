//! Policies that break: what the user is told, what the operator reads, and the exit code.

use snapbox::str;

use crate::program::{json, stderr, stdout};
use crate::support::{ALLOW, CONFIRMED, Folder, SIGN_UP, probe};

/// `verify` wants what Cognito refuses once `confirm` has said no.
fn at_odds(on_fault: &str) -> Folder {
    Folder::new().with_set(&format!(
        r#"
[[policy]]
name = "verify"
component = "auto-confirm-verify.wasm"
on-fault = "{on_fault}"

[[policy]]
name = "confirm"
component = "auto-confirm-domain.wasm"
settings = {{ domains = "example.org" }}
"#
    ))
}

#[test]
fn a_fault_denies_with_a_neutral_sentence() {
    at_odds("deny")
        .run()
        .args(["-", "--id", "req-7731"])
        .stdin(SIGN_UP)
        .ends(3)
        .stdout_eq(str![[
            r#"{"errorType":"Function.PolicyFault","errorMessage":"The request could not be completed, reference req-7731"}"#
        ]])
        .stderr_eq(str![[r#"
fault: pre-sign-up by the set `it`
  verify   fault, answered what cannot be passed on: Cognito refuses `autoVerifyEmail` without `autoConfirmUser`  ([..] fuel, [..]iB, [..] us)
  confirm  allow, autoConfirmUser = false  ([..] fuel, [..]iB, [..] us)
error: policy `verify` answered what cannot be passed on: Cognito refuses `autoVerifyEmail` without `autoConfirmUser`
the caller sees: PreSignUp failed with error The request could not be completed, reference req-7731.

"#]]);
}

#[test]
fn a_fault_that_is_passed_over_still_ends_with_3() {
    let folder = at_odds("allow");
    let ended = folder.run().arg("-").stdin(SIGN_UP).ends(3);
    assert_eq!(stdout(&ended), CONFIRMED.replace("true", "false"));
    let report = stderr(&ended);
    assert!(report.starts_with("allow: pre-sign-up by the set `it`\n  verify   fault, answered what"), "{report}");

    let report = json(&folder.run().args(["-", "--format", "json"]).stdin(SIGN_UP).ends(3));
    assert_eq!((&report["decision"], &report["policies"][0]["kind"]), (&"allow".into(), &"verdict".into()));
    assert_eq!(report["policies"][1]["verdict"], "allow");
}

/// A set of one probe, `it`.
fn probed(body: &str, lines: &str) -> Folder {
    let set = format!("\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\n{lines}\n");
    Folder::new().with("it.wasm", probe(body)).with_set(&set)
}

#[test]
fn a_trap_is_the_operators() {
    let folder = probed("(unreachable)", "");
    folder
        .run()
        .args(["-", "--id", "req-7731"])
        .stdin(SIGN_UP)
        .ends(3)
        .stdout_eq(
            r#"{"errorType":"Function.PolicyFault","errorMessage":"The request could not be completed, reference req-7731"}"#,
        )
        .stderr_eq(str![[r#"
fault: pre-sign-up by the set `it`
  it  fault, trapped: [..]wasm `unreachable` instruction executed  (at least [..] fuel, 64.0 KiB, [..] us)
error: policy `it` trapped: [..]wasm `unreachable` instruction executed
the caller sees: PreSignUp failed with error The request could not be completed, reference req-7731.

"#]]);
    let policy = &json(&folder.run().args(["--format", "json"]).ends(3))["policies"][0];
    assert_eq!((&policy["verdict"], &policy["kind"]), (&"fault".into(), &"trap".into()));
    assert_eq!(policy["fuelAtLeast"], true);
}

const ENDLESS: &str = "(loop $again (br $again)) (unreachable)";

#[test]
fn fuel_that_runs_out_names_the_limit() {
    let report = json(&probed(ENDLESS, "limits = { fuel = 50_000 }").run().args(["--format", "json"]).ends(3));
    assert_eq!((&report["decision"], &report["policies"][0]["kind"]), (&"fault".into(), &"fuel".into()));
    let (fuel, exact) = (&report["policies"][0]["fuel"], &report["policies"][0]["fuelAtLeast"]);
    assert_eq!((fuel, exact), (&50_000.into(), &false.into()));
    assert_eq!(
        report["error"],
        "policy `it` ran out of fuel: used all 50000 units; raise the limit `fuel` if the policy is right to work that long"
    );
}

#[test]
fn time_that_runs_out_names_the_limit() {
    let limits = "limits = { fuel = 5_000_000_000, deadline = \"300 ms\" }";
    let report = json(&probed(ENDLESS, limits).run().args(["--format", "json"]).ends(3));
    assert_eq!((&report["decision"], &report["policies"][0]["kind"]), (&"fault".into(), &"deadline".into()));
    let error = report["error"].as_str().unwrap();
    assert!(
        error.starts_with("policy `it` ran for ") && error.contains("past its 300ms; raise the limit `deadline`"),
        "{error}"
    );
}

#[test]
fn the_same_decision_takes_the_same_fuel() {
    let fuel = || json(&probed(ALLOW, "").run().args(["--format", "json"]).ends(0))["policies"][0]["fuel"].as_u64();
    let used = fuel().unwrap();
    assert_eq!(fuel(), Some(used));
    // As much as it takes is enough.
    probed(ALLOW, &format!("limits = {{ fuel = {used} }}")).run().ends(0);
}

#[test]
fn a_log_line_stays_one_line() {
    let logging = format!("(call $log) (call $log) (call $log) {ALLOW}");
    let folder = probed(&logging, "limits = { log-lines = 1 }");
    folder.run().ends(0).stderr_eq(str![[r#"
allow: pre-sign-up by the set `it`
  it  allow, nothing set  ([..] fuel, 64.0 KiB, [..] us)
      log warn: one\ntwo\u{1b}\t
      log: 2 lines dropped at the limit
the caller sees: no message, the operation goes on

"#]]);
    let policy = &json(&folder.run().args(["--format", "json"]).ends(0))["policies"][0];
    assert_eq!(policy["log"], serde_json::json!([{ "level": "warn", "context": "", "message": "one\ntwo\u{1b}\t" }]));
    assert_eq!(policy["logLinesDropped"], 2);
}
