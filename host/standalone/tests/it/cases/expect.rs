//! Every kind of expectation finds what does not hold, and lets pass what does.

use std::collections::BTreeSet;

use snapbox::str;

use super::probes::set;
use crate::program::{is, json};
use crate::support::{Folder, SIGN_IN};

/// A key of `expect`: what the case has beside it, the value that holds, and one that does not.
const EXPECTATIONS: &[(&str, &str, &str, &str)] = &[
    ("decision", r#"policies = ["deny"]"#, r#""deny""#, r#""allow""#),
    ("message", DENIED, r#""not here""#, r#""not there""#),
    ("reason", DENIED, r#""too soon""#, r#""too late""#),
    ("response", CONFIRMED, "{ autoConfirmUser = true }", "{ autoConfirmUser = false, autoVerifyPhone = false }"),
    ("exact-response", CONFIRMED, ALL, "{ autoConfirmUser = true }"),
    ("reply", DENIED, r#"'{"errorType":"Function.PolicyDenied","errorMessage":"not here"}'"#, "'{}'"),
    ("reply-file", DENIED, r#""denied.json""#, r#""other.json""#),
    ("warnings", VERIFIED, r#"["moves-alias"]"#, "[]"),
    ("fault", BROKEN, r#""trap""#, r#""fuel""#),
    ("ran", DENIED, r#"["deny"]"#, r#"["confirm", "deny"]"#),
    ("log", CONFIRMED, r#"["good", "day"]"#, r#"["good", "night"]"#),
    ("max-fuel", CONFIRMED, "1_000_000", "3"),
    ("max-memory", CONFIRMED, r#""65 KiB""#, r#""1 KiB""#),
    ("forbidden-imports", CONFIRMED, r#"["wasi:random/*", "wasi:logging"]"#, r#"["wasi:random/*", "wasi:*/logging"]"#),
    ("forbidden-imports", CONFIRMED, r#"["wasi:logging/*@1.*"]"#, r#"["wasi:logging/*@0.1.*"]"#),
];

const DENIED: &str = "policies = [\"deny\"]\nexpect.decision = \"deny\"";
const CONFIRMED: &str = "policies = [\"confirm\"]\nexpect.decision = \"allow\"";
const VERIFIED: &str = "policies = [\"verify\"]\nexpect.decision = \"allow\"";
const BROKEN: &str = "policies = [\"broken\"]\nexpect.decision = \"allow\"";
const ALL: &str = "{ autoConfirmUser = true, autoVerifyEmail = false, autoVerifyPhone = false }";

fn folder() -> Folder {
    set()
        .with("cases/denied.json", r#"{"errorType":"Function.PolicyDenied","errorMessage":"not here"}"#)
        .with("cases/other.json", r#"{"errorType":"Function.PolicyDenied","errorMessage":"not there"}"#)
        .with("cases/sign-in.json", SIGN_IN)
}

/// A case for each expectation, with its value.
fn cases(value: impl Fn(&(&str, &str, &'static str, &'static str)) -> &'static str) -> String {
    let case = |it: &(&str, &str, _, _)| {
        let (key, lines, ..) = it;
        format!("[[case]]\nname = \"{key}\"\n{lines}\nexpect.{key} = {}\n", value(it))
    };
    let cases: String = EXPECTATIONS.iter().map(case).collect();
    format!("source = \"PreSignUp_SignUp\"\n{cases}")
}

#[test]
fn every_expectation_that_holds_passes() {
    let folder = folder().with("cases/it.toml", cases(|(.., holds, _)| holds));
    let told = json(&folder.cogwit("test").args(["--format", "json"]).ends(0));
    assert_eq!(told["passed"], EXPECTATIONS.len());
    assert_eq!((&told["failed"], &told["couldNotRun"], &told["notRun"]), (&0.into(), &0.into(), &0.into()));
}

#[test]
fn every_expectation_that_does_not_hold_fails_and_nothing_else_does() {
    let folder = folder().with("cases/it.toml", cases(|(.., fails)| fails));
    let told = json(&folder.cogwit("test").args(["--format", "json"]).ends(1));
    assert_eq!(told["failed"], EXPECTATIONS.len());
    for (case, (key, ..)) in told["cases"].as_array().unwrap().iter().zip(EXPECTATIONS) {
        let missed: Vec<_> = case["mismatches"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
        assert_eq!(case["name"], *key, "{case}");
        assert_eq!(missed, [*key], "{case}");
    }
}

#[test]
fn what_does_not_hold_is_told_in_words() {
    let folder = folder().with("cases/it.toml", cases(|(.., fails)| fails));
    let told = folder.cogwit("test").ends(1).stderr_eq("");
    let text = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    // The lines up to the report of the decision, which is the same for all.
    let mut mismatches = BTreeSet::new();
    for case in text.split("FAIL  ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let lines: Vec<_> = rest.lines().map(str::trim).take_while(|line| !line.contains(": pre-sign-up by")).collect();
        mismatches.insert((name.to_owned(), lines.join("\n")));
    }
    let told: String = mismatches.iter().map(|(name, lines)| format!("{name}\n{lines}\n\n")).collect();
    is(
        told,
        str![[r#"
cases/it.toml: decision
decision: "allow" expected, "deny" given

cases/it.toml: exact-response
exact-response, expected (-) and given (+):
{
-   "autoConfirmUser": true
+   "autoConfirmUser": true,
+   "autoVerifyEmail": false,
+   "autoVerifyPhone": false
}

cases/it.toml: fault
fault: "fuel" expected, "trap" given

cases/it.toml: forbidden-imports
forbidden-imports: ["wasi:logging/logging@0.1.0-draft"], though ["wasi:logging/*@0.1.*"] is forbidden

cases/it.toml: forbidden-imports
forbidden-imports: ["wasi:logging/logging@0.1.0-draft"], though ["wasi:random/*","wasi:*/logging"] is forbidden

cases/it.toml: log
log: no line has ["night"]

cases/it.toml: max-fuel
max-fuel: at most 3 expected, 168 used

cases/it.toml: max-memory
max-memory: at most 1024 expected, 65544 used

cases/it.toml: message
message: "not there" expected, "not here" given

cases/it.toml: ran
ran: ["confirm","deny"] expected, ["deny"] given

cases/it.toml: reason
reason: "too late" expected, "too soon" given

cases/it.toml: reply
reply, expected (-) and given (+):
- {}
+ {
+   "errorType": "Function.PolicyDenied",
+   "errorMessage": "not here"
+ }

cases/it.toml: reply-file
reply-file, expected (-) and given (+):
{
"errorType": "Function.PolicyDenied",
-   "errorMessage": "not there"
+   "errorMessage": "not here"
}

cases/it.toml: response
response, expected (-) and given (+):
{
-   "autoConfirmUser": false,
+   "autoConfirmUser": true,
"autoVerifyPhone": false
}

cases/it.toml: warnings
warnings: [] expected, ["moves-alias"] given


"#]],
    );
}

/// The chain goes on without the policy, so the decision alone would not show it.
#[test]
fn a_fault_that_nobody_expects_fails_a_case_whose_policy_is_passed_over() {
    let case = format!("source = \"PreSignUp_SignUp\"\n{BROKEN}");
    let folder = folder().with("cases/it.toml", case);
    folder.cogwit("test").ends(1).stderr_eq("").stdout_eq(str![[r#"
FAIL  cases/it.toml
      fault: none expected, but a policy broke: "trap"
      allow: pre-sign-up by the set `it`
        broken  fault, trapped: wasm trap: wasm `unreachable` instruction executed  (at least [..] fuel, 64.0 KiB, [..] us)
      warning: policy `broken`: `on-fault` is "allow", so whoever can make it fault gets past it at `pre-sign-up`
      the caller sees: no message, the operation goes on
0 passed, 1 failed in [..] ms

"#]]);
}

#[test]
fn an_event_that_is_refused_and_one_that_nobody_answers_can_be_expected() {
    let cases = "
        [[case]]
        name = 'refused'
        event = '{'
        expect = { decision = 'event-refused', ran = [] }
        [[case]]
        name = 'unanswered'
        event-file = 'sign-in.json'
        expect = { decision = 'allow', warnings = ['unmatched'], ran = [] }";
    folder().with("cases/it.toml", cases).cogwit("test").ends(0);
    let unmatched = "event-file = 'sign-in.json'\nexpect = { decision = 'fault', fault = 'unmatched' }";
    let folder = folder().with("cases/it.toml", unmatched);
    let set = folder.text("policies.toml").replace("name = \"it\"\n", "name = \"it\"\nunmatched = \"fault\"\n");
    folder.with("policies.toml", set).cogwit("test").ends(0);
}
