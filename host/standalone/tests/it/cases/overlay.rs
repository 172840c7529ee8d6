//! What a case lays over its event and its set.

use std::fs;

use serde_json::json;

use super::probes::{confirming, denying, set, statuses};
use crate::program::{self, stdout};
use crate::support::{ALLOW, Folder, probe};

/// A folder with a policy that allows and sets nothing, so that the reply is the event.
fn echo() -> Folder {
    Folder::new().with("it.wasm", probe(ALLOW)).with_set("\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\n")
}

#[track_caller]
fn passes(folder: &Folder, cases: &str) {
    fs::write(folder.path("case.toml"), cases).unwrap();
    folder.cogwit("test").ends(0);
}

#[test]
fn members_of_the_event_are_changed_and_taken_away() {
    let cases = r#"
event = '{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":{"a.b":"1"},"validationData":{},"list":[1,2]}}'
expect.decision = "allow"

[[case]]
name = "a dotted path, and objects that are made on the way"
with = { userName = "rroe", "request.clientMetadata.code" = 7 }
expect.reply = '{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":{"a.b":"1"},"validationData":{},"list":[1,2],"clientMetadata":{"code":7}},"userName":"rroe"}'

[[case]]
name = "a JSON pointer where a name has dots"
with = { "/request/userAttributes/a.b" = "2", "/request/userAttributes/a~1c" = true }
expect.reply = '{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":{"a.b":"2","a/c":true},"validationData":{},"list":[1,2]}}'

[[case]]
name = "places in an array"
with = { "request.list.0" = { n = 1.5 }, "request.list.2" = "end" }
expect.reply = '{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":{"a.b":"1"},"validationData":{},"list":[{"n":1.5},2,"end"]}}'

[[case]]
name = "null, which only JSON can say"
with = '''{"request.validationData": null, "request.list": 1E2}'''
expect.reply = '{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":{"a.b":"1"},"validationData":null,"list":1E2}}'

[[case]]
name = "away"
without = ["request.userAttributes", "request.list.0", "request.no.such"]
expect.reply = '{"triggerSource":"PreSignUp_SignUp","request":{"validationData":{},"list":[2]}}'
"#;
    passes(&echo(), cases);
}

#[test]
fn what_stands_at_the_top_comes_first_and_a_case_has_the_last_word() {
    let cases = r#"
event = '{"triggerSource":"PreSignUp_SignUp","request":{}}'
with = { userName = "top", region = "eu-north-1" }
without = ["request"]
[expect]
decision = "allow"
reply = '{"triggerSource":"PreSignUp_SignUp","region":"eu-north-1","userName":"top"}'

[[case]]

[[case]]
with = { userName = "own" }
expect.reply = '{"triggerSource":"PreSignUp_SignUp","region":"eu-north-1","userName":"own"}'

[[case]]
without = ["userName"]
with = { request = {} }
expect.reply = '{"triggerSource":"PreSignUp_SignUp","region":"eu-north-1","request":{}}'

[[case]]
event = '{"triggerSource":"PreSignUp_AdminCreateUser"}'
expect.reply = '{"triggerSource":"PreSignUp_AdminCreateUser","region":"eu-north-1","userName":"top"}'

[[case]]
event-file = "refused.json"
with = '''{"request": null}'''
without = ["region"]
expect = { decision = "event-refused", reply = '{"errorType":"Function.EventRefused","errorMessage":"The request could not be completed, reference test"}' }
"#;
    passes(&echo().with("refused.json", r#"{"triggerSource":"Nothing_Known"}"#), cases);
}

#[test]
fn the_event_is_said_in_exactly_one_way() {
    let cases = r#"
expect.decision = "allow"
[[case]]
name = "none"
[[case]]
name = "two"
source = "PreSignUp_SignUp"
event = "{}"
[[case]]
name = "the wrong source"
source = "PreSignUp"
[[case]]
name = "fine"
source = "PreSignUp_SignUp"
"#;
    let told = program::json(&echo().with("case.toml", cases).cogwit("test").args(["--format", "json"]).ends(4));
    let errors: Vec<_> = told["cases"].as_array().unwrap().iter().filter_map(|it| it["error"].as_str()).collect();
    assert_eq!(
        errors,
        [
            "none: it has no event: write `source`, `event` or `event-file`",
            "two: it has more than one event: keep one of `source`, `event` and `event-file`",
            "the wrong source: `PreSignUp` is no trigger source: write one of Cognito's, such as `PreSignUp_SignUp`",
        ]
    );
    assert_eq!(told["passed"], 1);
}

#[test]
fn settings_are_laid_over_those_of_the_set_and_of_the_file() {
    let folder = Folder::new().with_set(
        "\n[[policy]]\nname = \"short\"\ncomponent = \"deny-short-username.wasm\"\nsettings = { minimum-length = 3 }\n",
    );
    let cases = r#"
source = "PreSignUp_SignUp"
with = { userName = "rroe" }
[[case]]
name = "of the set"
expect.decision = "allow"
[[case]]
name = "of the case"
settings.short.minimum-length = 5
expect = { decision = "deny", message = "Cannot register users with username less than the minimum length of 5" }
"#;
    passes(&folder, cases);
    let top = format!("settings.short.minimum-length = \"9\"\n{}", cases.replace("\"allow\"", "\"deny\""));
    passes(&folder, &top);
}

#[test]
fn a_case_sets_the_variables_that_settings_refer_to_and_their_values_stay_hidden() {
    let folder = Folder::new().with_set(
        "\n[[policy]]\nname = \"short\"\ncomponent = \"deny-short-username.wasm\"\n\
         settings = { minimum-length = { env = \"COGWIT_SECRET_X\" } }\n",
    );
    let case = r#"
source = "PreSignUp_SignUp"
env.COGWIT_SECRET_X = "127"
[expect]
decision = "deny"
message = "Cannot register users with username less than the minimum length of ***"
reply = '{"errorType":"Function.PolicyDenied","errorMessage":"nothing"}'
"#;
    let folder = folder.with("case.toml", case);
    for format in ["text", "json", "junit"] {
        let told = stdout(&folder.cogwit("test").args(["--format", format]).ends(1).stderr_eq(""));
        assert!(told.contains("length of ***") && !told.contains("of 127"), "{told}");
    }
    // The case's value goes before that of whoever runs it.
    let run = |case: &str, value: &str| {
        fs::write(folder.path("case.toml"), case).unwrap();
        statuses(folder.cogwit("test").env("COGWIT_SECRET_X", value), 0)
    };
    run("source = 'PreSignUp_SignUp'\nenv.COGWIT_SECRET_X = '127'\nexpect.decision = 'deny'", "1");
    run("source = 'PreSignUp_SignUp'\nexpect.decision = 'allow'", "1");
    let told = stdout(&folder.cogwit("test").ends(4));
    assert!(told.contains("refers to the environment variable `COGWIT_SECRET_X`, which is not set"), "{told}");
}

#[test]
fn capabilities_are_granted_beside_those_of_the_set() {
    let body = format!("(drop (call $random)) (call $now (i32.const 32)) {ALLOW}");
    let set = "\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\n";
    let folder = Folder::new().with("it.wasm", probe(&body)).with_set(set);
    let cases = r#"
source = "PreSignUp_SignUp"
expect.decision = "allow"
capabilities.it = ["clock"]
[[case]]
name = "both"
capabilities.it = ["random"]
[[case]]
name = "one"
"#;
    let folder = folder.with("case.toml", cases);
    let expected = [("both", "passed"), ("one", "could-not-run")];
    assert_eq!(statuses(folder.cogwit("test"), 4), expected.map(|(name, status)| (name.to_owned(), status.to_owned())));
    let told = stdout(&folder.cogwit("test").ends(4));
    assert!(told.contains("which is not granted"), "{told}");
    let folder = folder.with_set(&format!("{set}capabilities = [\"random\"]\n"));
    folder.cogwit("test").ends(0);
}

/// Denies with 8 letters that `number`, an i64, chooses.
fn telling(number: &str) -> Vec<u8> {
    let low = format!("(i64.and (i64.const 0x0f0f0f0f0f0f0f0f) {number})");
    probe(&format!(
        "(i64.store (i32.const 2048) (i64.or (i64.const 0x6060606060606060) {low}))
        (i32.store8 (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 2048))
        (i32.store (i32.const 72) (i32.const 8))
        (i32.const 64)"
    ))
}

#[test]
fn now_and_seed_fix_the_clock_and_chance() {
    let now = "(block (result i64) (call $now (i32.const 32)) (i64.load (i32.const 32)))";
    let folder = Folder::new().with("chance.wasm", telling("(call $random)")).with("time.wasm", telling(now));
    let message = |lines: &str| {
        let case = format!("source = \"PreSignUp_SignUp\"\nexpect.decision = \"deny\"\n{lines}");
        fs::write(folder.path("case.toml"), case).unwrap();
        let told = program::json(&folder.cogwit("test").args(["--format", "json"]).ends(0));
        told["cases"][0]["report"]["policies"][0]["message"].as_str().unwrap().to_owned()
    };
    let chance = "components = [\"chance.wasm\"]\ncapabilities.chance = [\"random\"]\n";
    let seeded = |seed: u32| message(&format!("{chance}seed = {seed}"));
    assert_eq!(seeded(7), seeded(7));
    assert_ne!(seeded(7), seeded(8));
    assert_ne!(message(chance), message(chance));

    let time = "components = [\"time.wasm\"]\ncapabilities.time = [\"clock\"]\n";
    let letters =
        |seconds: u64| String::from_utf8(seconds.to_le_bytes().map(|byte| 0x60 | byte & 15).to_vec()).unwrap();
    assert_eq!(message(&format!("{time}now = 1970-01-01T00:00:00Z")), letters(0));
    assert_eq!(message(&format!("{time}now = \"2026-11-22T12:00:00Z\"")), letters(1_795_348_800));
    assert_ne!(message(time), letters(0));
}

#[test]
fn the_trigger_of_an_event_that_does_not_say_it() {
    let folder = Folder::new().with_component("access-gate", "access-gate.wasm");
    let cases = "components = ['access-gate.wasm']\nevent = '{}'\nexpect.decision = 'allow'\n\
                 [[case]]\ntrigger = 'pre-authentication'\n[[case]]\ntrigger = 'pre-sign-up'\n\
                 [[case]]\nexpect.decision = 'event-refused'\n";
    let told = program::json(&folder.with("case.toml", cases).cogwit("test").args(["--format", "json"]).ends(0));
    let triggers: Vec<_> = told["cases"].as_array().unwrap().iter().map(|case| &case["report"]["trigger"]).collect();
    assert_eq!(triggers, [&json!("pre-authentication"), &json!("pre-sign-up"), &json!(null)]);
}

#[test]
fn some_policies_of_the_set_decide_or_other_components_or_a_candidate() {
    let folder = set().with("new/deny.wasm", denying("no, nope")).with(
        "elsewhere/policies.toml",
        "schema = 1\n[set]\nname = 'else'\n[[policy]]\nname = 'a'\ncomponent = '../confirm.wasm'",
    );
    let cases = r#"
source = "PreSignUp_SignUp"
expect.decision = "deny"

[[case]]
name = "all of them"
expect = { ran = ["confirm", "verify", "broken", "deny"], fault = "trap" }
[[case]]
name = "some, in the order of the set"
policies = ["deny", "confirm"]
expect.ran = ["confirm", "deny"]
[[case]]
name = "components without their set's document"
components = ["deny.wasm", "confirm.wasm"]
expect.ran = ["deny"]
[[case]]
name = "a candidate"
policies = ["deny"]
candidate = { policy = "deny", component = "new/deny.wasm" }
expect = { message = "no, nope", ran = ["deny"] }
[[case]]
name = "another set"
set = "../elsewhere"
expect = { decision = "allow", ran = ["a"], response = { autoConfirmUser = true } }
[[case]]
name = "a component as the set"
set = "../deny.wasm"
expect = { ran = ["deny"] }
"#;
    folder.with("cases/it.toml", cases).cogwit("test").ends(0);
}

#[test]
fn a_candidate_has_settings_of_its_own() {
    let folder = Folder::new().with_component("deny-short-username", "candidate.wasm").with("old.wasm", confirming());
    let folder = folder.with_set(
        "\n[[policy]]\nname = \"it\"\ncomponent = \"old.wasm\"\nsettings = { unknown = 1 }\n\
         sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"",
    );
    let case = r#"
source = "PreSignUp_SignUp"
with = { userName = "rroe" }
candidate = { policy = "it", component = "candidate.wasm", settings = { minimum-length = 5 } }
expect.decision = "deny"
"#;
    passes(&folder, case);
    let told = stdout(
        &folder.with("case.toml", case.replace(", settings = { minimum-length = 5 }", "")).cogwit("test").ends(4),
    );
    assert!(told.contains("policy `it`: its settings are refused: `unknown` is not known"), "{told}");
}
