//! Events that cannot be read.

use snapbox::cmd::OutputAssert;
use snapbox::str;

use crate::program::{cogwit, json, stderr, stdout};
use crate::support::{ALLOW, Folder, component, probe};

/// What the Lambda function would return: nothing of what is wrong.
const NEUTRAL: &str =
    r#"{"errorType":"Function.EventRefused","errorMessage":"The request could not be completed, reference req-7731"}"#;

/// Refuses an event; the report holds these texts in its one line of error.
#[track_caller]
fn refused(event: impl AsRef<[u8]>, texts: &[&str]) -> OutputAssert {
    let folder = Folder::new().with("event.json", event).with("it.wasm", probe(ALLOW));
    let ended = folder.cogwit("run").args(["event.json", "--id", "req-7731", "--policy", "it.wasm"]).ends(4);
    assert_eq!(stdout(&ended), NEUTRAL);
    let report = stderr(&ended);
    let errors: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    assert_eq!(errors.len(), 1, "{report}");
    for text in texts {
        assert!(errors[0].contains(text), "no `{text}` in\n{report}");
    }
    assert!(
        report.ends_with(
            "the caller sees: The trigger failed with error The request could not be completed, reference req-7731.\n"
        ),
        "{report}"
    );
    ended
}

#[test]
fn what_is_not_json() {
    refused("hello", &["the event is not JSON", "line 1 column 1", "send one JSON object as Cognito does"]);
    refused("", &["the event is not JSON", "send one JSON object"]);
    refused("{\"a\":1} {}", &["the event is not JSON", "line 1 column 9"]);
}

#[test]
fn what_is_cut_short() {
    let cut = "{\n  \"triggerSource\": \"PreSignUp_SignUp\",\n  \"request\": {";
    refused(cut, &["the event is not JSON", "line 3 column 14", "send one JSON object as Cognito does"]);
}

#[test]
fn what_is_no_object() {
    refused("[{}]", &["the event is an array, but Cognito sends an object: correct the event"]);
    refused("null", &["the event is null, but Cognito sends an object: correct the event"]);
}

#[test]
fn what_is_not_utf_8() {
    refused(b"{\"a\":\"\xff\"}", &["the event is not UTF-8 (byte 6 is wrong): save it as UTF-8 text"]);
}

#[test]
fn a_member_that_stands_twice() {
    let twice = r#"{"triggerSource":"PreSignUp_SignUp","userName":"a","userN\u0061me":"b"}"#;
    refused(twice, &["the event has the member `userName` twice", "remove one"]);
}

#[test]
fn what_is_larger_than_lambda_delivers() {
    let mut event = br#"{"triggerSource":"PreSignUp_SignUp","large":""#.to_vec();
    event.resize(7 << 20, b'x');
    event.extend(b"\"}");
    refused(
        event,
        &["the event has", "more than 6291456 bytes, which is what Lambda delivers at most", "send a smaller event"],
    );
}

#[test]
fn a_member_of_another_type() {
    let event = r#"{"triggerSource":"PreSignUp_SignUp","request":{"userAttributes":"x"}}"#;
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let report = stderr(&folder.cogwit("run").args(["-", "--policy", "it.wasm"]).stdin(event).ends(4));
    let error = "\nerror: `request.userAttributes` is a string, but Cognito sends an object: correct the event\n";
    assert!(report.contains(error), "{report}");
}

#[test]
fn a_source_that_belongs_to_no_trigger() {
    let texts = ["`triggerSource` is `PreSignup_SignUp`", "belongs to no trigger", "for example to `PreSignUp_SignUp`"];
    refused(r#"{"triggerSource":"PreSignup_SignUp"}"#, &texts);
}

#[test]
fn an_event_that_does_not_say_its_trigger() {
    let run = cogwit("run").args(["-", "--policy"]).arg(component("access-gate")).stdin("{}");
    let report = stderr(&run.ends(4));
    for text in [
        "the event does not say its trigger",
        r#"add the line `"triggerSource": "PreSignUp_SignUp",`"#,
        "--trigger or COGWIT_TRIGGER",
        "`pre-sign-up` and `pre-authentication`",
    ] {
        assert!(report.contains(text), "no `{text}` in\n{report}");
    }
}

#[test]
fn a_refused_event_in_json() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let run = folder.cogwit("run").args(["-", "--id", "req-7731", "--format", "json", "--policy", "it.wasm"]);
    let report = json(&run.stdin("hello").ends(4).stderr_eq(""));
    assert_eq!(report["decision"], "event-refused");
    assert_eq!(report["reply"], serde_json::from_str::<serde_json::Value>(NEUTRAL).unwrap());
    assert!(report["error"].as_str().unwrap().starts_with("the event is not JSON: "), "{report}");
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let run = || folder.cogwit("run").args(["--policy", "it.wasm"]);
    run().arg("missing.json").ends(4).stdout_eq("").stderr_eq(str![[r#"
error: cannot read the event `missing.json`: [..]; check the path

"#]]);
    // A folder.
    run().arg(".").ends(4).stdout_eq("").stderr_eq(str![[r#"
error: cannot read the event `.`: [..]; check the path

"#]]);
}
