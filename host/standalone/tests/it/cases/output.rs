//! What is printed: text for people, JSON for scripts, `JUnit`'s XML for build servers.

use snapbox::str;

use super::probes::set;
use crate::program::{is, json, stdout};
use crate::support::Folder;

/// A pass, a failure, an error, and with `--fail-fast` some that do not run.
fn one_of_each() -> Folder {
    set()
        .with(
            "cases/a.toml",
            r#"
source = "PreSignUp_SignUp"
policies = ["confirm"]

[[case]]
name = "confirms"
expect.decision = "allow"

[[case]]
name = "says <nothing> & does nothing"
[case.expect]
decision = "allow"
exact-response = { autoConfirmUser = false, autoVerifyEmail = false, autoVerifyPhone = false }
log = ["good night"]
"#,
        )
        .with("cases/b.toml", "source = 'PreSignUp_SignUp'\npolicies = ['verify', 'deny']\nexpect.decision = 'allow'")
        .with("cases/c.toml", "source = 'PreSignUp_SignUp'\npolicies = ['denied']\nexpect.decision = 'deny'")
}

#[test]
fn a_line_for_each_case_and_for_a_failure_all_that_happened() {
    one_of_each().cogwit("test").ends(4).stderr_eq("").stdout_eq(str![[r#"
ok    cases/a.toml: confirms
FAIL  cases/a.toml: says <nothing> & does nothing
      exact-response, expected (-) and given (+):
          {
        -   "autoConfirmUser": false,
        +   "autoConfirmUser": true,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false
          }
      log: no line has ["good night"]
      allow: pre-sign-up by the set `it`
        confirm  allow, autoConfirmUser = true  ([..] fuel, 64.0 KiB, [..] us)
                 log info: good day
      the caller sees: no message, the operation goes on
FAIL  cases/b.toml
      decision: "allow" expected, "deny" given
      deny: pre-sign-up by the set `it`
        verify  allow, autoConfirmUser = true, autoVerifyEmail = true  ([..] fuel, 64.0 KiB, [..] us)
        deny    deny, "not here", because "too soon"  ([..] fuel, 64.0 KiB, [..] us)
      the caller sees: PreSignUp failed with error not here.
error cases/c.toml
      no policy has the name `denied`, the set has `confirm`, `verify`, `broken`, `deny`
1 passed, 2 failed, 1 could not run in [..] ms

"#]]);
}

#[test]
fn json_is_one_object_with_the_report_of_each_decision() {
    let ended =
        one_of_each().cogwit("test").args(["--format", "json", "--run", "nothing|c.toml"]).ends(4).stderr_eq("");
    let lines = serde_json::to_string_pretty(&json(&ended)).unwrap();
    is(
        lines,
        str![[r#"
{
  "cases": [
    {
      "file": "cases/a.toml",
      "micros": [..],
      "mismatches": [
        {
          "actual": {
            "autoConfirmUser": true,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false
          },
          "expected": {
            "autoConfirmUser": false,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false
          },
          "key": "exact-response"
        },
        {
          "actual": [
            "good day"
          ],
          "expected": [
            "good night"
          ],
          "key": "log"
        }
      ],
      "name": "says <nothing> & does nothing",
      "report": {
        "callerSees": null,
        "decision": "allow",
        "error": null,
        "id": "test",
        "policies": [
          {
            "callMicros": [..],
            "consumedClock": false,
            "consumedRandom": false,
            "fuel": [..],
            "fuelAtLeast": false,
            "instantiateMicros": [..],
            "log": [
              {
                "context": "",
                "level": "info",
                "message": "good day"
              }
            ],
            "logLinesDropped": 0,
            "memoryBytes": [..],
            "name": "confirm",
            "set": {
              "autoConfirmUser": true
            },
            "sha256": "[..]",
            "verdict": "allow"
          }
        ],
        "reply": {
          "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": "6f1vq0d8n3r5t2jc9hm4sbe7pa"
          },
          "region": "eu-north-1",
          "request": {
            "userAttributes": {
              "custom:tenant": "fjord-42",
              "email": "ingrid.o@fjordmail.example",
              "name": "Ingrid Ødegård"
            },
            "validationData": null
          },
          "response": {
            "autoConfirmUser": true,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false
          },
          "triggerSource": "PreSignUp_SignUp",
          "userName": "b0cc19f4-7041-70d2-9e35-5a6f0c8d1e27",
          "userPoolId": "eu-north-1_k7Qm2ZxTb",
          "version": "1"
        },
        "set": "it",
        "trigger": "pre-sign-up",
        "warnings": [],
        "wasmtime": "[..]"
      },
      "status": "failed"
    },
    {
      "error": "no policy has the name `denied`, the set has `confirm`, `verify`, `broken`, `deny`",
      "file": "cases/c.toml",
      "micros": [..],
      "name": "",
      "status": "could-not-run"
    }
  ],
  "couldNotRun": 1,
  "failed": 1,
  "millis": [..],
  "notRun": 0,
  "passed": 0
}
"#]],
    );
}

#[test]
fn junit_is_xml() {
    one_of_each().cogwit("test").args(["--format", "junit"]).ends(4).stderr_eq("").stdout_eq(str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="cogwit test" tests="4" skipped="0" failures="2" errors="1" time="[..]">
    <testsuite name="cases/a.toml" tests="2" skipped="0" errors="0" failures="1" time="[..]">
        <testcase name="confirms" classname="cases/a.toml" time="[..]"/>
        <testcase name="says &lt;nothing&gt; &amp; does nothing" classname="cases/a.toml" time="[..]">
            <failure message="exact-response: {&quot;autoConfirmUser&quot;:false,&quot;autoVerifyEmail&quot;:false,&quot;autoVerifyPhone&quot;:false} expected, {&quot;autoConfirmUser&quot;:true,&quot;autoVerifyEmail&quot;:false,&quot;autoVerifyPhone&quot;:false} given; log: no line has [&quot;good night&quot;]">exact-response, expected (-) and given (+):
    {
  -   &quot;autoConfirmUser&quot;: false,
  +   &quot;autoConfirmUser&quot;: true,
      &quot;autoVerifyEmail&quot;: false,
      &quot;autoVerifyPhone&quot;: false
    }
log: no line has [&quot;good night&quot;]
allow: pre-sign-up by the set `it`
  confirm  allow, autoConfirmUser = true  ([..] fuel, 64.0 KiB, [..] us)
           log info: good day
the caller sees: no message, the operation goes on
</failure>
        </testcase>
    </testsuite>
    <testsuite name="cases/b.toml" tests="1" skipped="0" errors="0" failures="1" time="[..]">
        <testcase name="cases/b.toml" classname="cases/b.toml" time="[..]">
            <failure message="decision: &quot;allow&quot; expected, &quot;deny&quot; given">decision: &quot;allow&quot; expected, &quot;deny&quot; given
deny: pre-sign-up by the set `it`
  verify  allow, autoConfirmUser = true, autoVerifyEmail = true  ([..] fuel, 64.0 KiB, [..] us)
  deny    deny, &quot;not here&quot;, because &quot;too soon&quot;  ([..] fuel, 64.0 KiB, [..] us)
the caller sees: PreSignUp failed with error not here.
</failure>
        </testcase>
    </testsuite>
    <testsuite name="cases/c.toml" tests="1" skipped="0" errors="1" failures="0" time="[..]">
        <testcase name="cases/c.toml" classname="cases/c.toml" time="[..]">
            <error message="no policy has the name `denied`, the set has `confirm`, `verify`, `broken`, `deny`">no policy has the name `denied`, the set has `confirm`, `verify`, `broken`, `deny`</error>
        </testcase>
    </testsuite>
</testsuites>


"#]]);
}

/// Read by a parser that is not of whoever wrote it.
#[test]
fn junit_has_the_counts_and_the_names() {
    let fail = "source = 'PreSignUp_SignUp'\npolicies = ['deny']\nexpect.decision = 'allow'\n";
    let rest: String = (0..8).map(|place| format!("[[case]]\nname = 'later {place}'\n")).collect();
    let folder = one_of_each().with("cases/d.toml", format!("{fail}{rest}"));
    let read = |args: &[&str]| {
        let ended = folder.cogwit("test").args(["--format", "junit"]).args(args).ends(4);
        junit_parser::from_reader(stdout(&ended).as_bytes()).unwrap()
    };

    let all = read(&[]);
    assert_eq!((all.tests, all.failures, all.errors, all.skipped), (12, 10, 1, 0));
    let names: Vec<_> = all.suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["cases/a.toml", "cases/b.toml", "cases/c.toml", "cases/d.toml"]);
    let [a, b, c, _] = all.suites.as_slice() else { panic!("four suites") };
    assert_eq!((a.tests, a.failures), (2, 1));
    let [passed, failed] = a.cases.as_slice() else { panic!("two cases") };
    assert_eq!((passed.original_name.as_str(), passed.status.is_success()), ("confirms", true));
    assert_eq!(failed.original_name, "says <nothing> & does nothing");
    assert_eq!(failed.classname.as_deref(), Some("cases/a.toml"));
    let failure = failed.status.failure_as_ref();
    assert!(failure.message.starts_with("exact-response: {"), "{}", failure.message);
    assert!(failure.text.contains("the caller sees: no message"), "{}", failure.text);
    assert_eq!((b.failures, c.errors), (1, 1));
    let error = c.cases[0].status.error_as_ref();
    assert!(error.text.contains("no policy has the name `denied`"), "{}", error.text);

    let first = read(&["--fail-fast", "--run", "cases/[cd]"]);
    assert_eq!((first.tests, first.errors), (9, 1));
    assert!(first.skipped >= 6, "{first:?}");
    assert!(first.suites[1].cases.last().unwrap().status.is_skipped());
}
