//! Prints events that Cognito could have sent.

use cogwit_core::event::{Trigger, examples};
use snapbox::str;

use crate::program::{Cogwit, cogwit, json, stderr, stdout};
use crate::scenario;

fn new(args: &[&str]) -> Cogwit {
    cogwit("event").arg("new").args(args)
}

#[test]
fn an_event_of_each_source_is_printed_and_one_that_policies_answer_is_decided() {
    let help = stdout(&cogwit("event").args(["new", "--help"]).ends(0));
    let refused = stderr(&new(&["PreSignUp"]).ends(2).stdout_eq(""));
    assert_eq!(examples().count(), 41);
    for (source, trigger) in examples() {
        assert!(help.contains(source) && refused.contains(source), "{source}\n{help}\n{refused}");
        let printed = new(&[source]).ends(0).stderr_eq("");
        assert_eq!(json(&printed)["triggerSource"], source);
        if [Trigger::PreSignUp, Trigger::PreAuthentication].contains(&trigger) {
            let run = cogwit("run").args(["-", "--format", "json", "--policies"]).arg(scenario::policies_wasm());
            let report = json(&run.stdin(&stdout(&printed)).ends(0));
            assert_eq!(report["reply"]["triggerSource"], source);
            assert_ne!(report["policies"].as_array().map(Vec::len), Some(0), "{report}");
        }
    }
}

#[test]
fn members_are_set_and_taken_away() {
    let args = [
        "PreSignUp_SignUp",
        "--remove=callerContext.awsSdkVersion",
        "--remove=/request/userAttributes/custom:tenant",
        "--remove=no.such.member",
        "--set=userName=\"rroe\"",
        "--set=request.validationData={\"code\":\"7\", \"n\": 1E2}",
        "--set=/request/userAttributes/dev.team=\"a=b\"",
        "--set=request.clientMetadata.list=[1]",
        "--set=request.clientMetadata.list.1=null",
        // After it was taken away, since it is set last.
        "--set=callerContext.awsSdkVersion=\"1\"",
    ];
    new(&args).ends(0).stderr_eq("").stdout_eq(str![[r#"
{
  "version": "1",
  "region": "eu-north-1",
  "userPoolId": "eu-north-1_k7Qm2ZxTb",
  "userName": "rroe",
  "callerContext": {
    "clientId": "6f1vq0d8n3r5t2jc9hm4sbe7pa",
    "awsSdkVersion": "1"
  },
  "triggerSource": "PreSignUp_SignUp",
  "request": {
    "userAttributes": {
      "email": "ingrid.o@fjordmail.example",
      "name": "Ingrid Ødegård",
      "dev.team": "a=b"
    },
    "validationData": {
      "code": "7",
      "n": 1E2
    },
    "clientMetadata": {
      "list": [
        1,
        null
      ]
    }
  },
  "response": {
    "autoConfirmUser": false,
    "autoVerifyEmail": false,
    "autoVerifyPhone": false
  }
}

"#]]);
}

#[test]
fn what_cannot_be_set_or_taken_away() {
    let told = |arg: &str| new(&["PreSignUp_SignUp", arg]).ends(2).stdout_eq("");
    told("--set=userName").stderr_eq(str![[r#"
error: --set `userName`: there is no `=`: write PATH=JSON

"#]]);
    told("--set=userName=rroe").stderr_eq(str![[r#"
error: --set `userName=rroe`: the value of `userName` is not JSON: expected value at line 1 column 1; quote a text as "…"

"#]]);
    told("--set=a..b=1").stderr_eq(str![[r#"
error: --set `a..b=1`: `a..b` is no path: write one such as `request.userAttributes.email`

"#]]);
    told("--set=userName.first=1").stderr_eq(str![[r#"
error: --set `userName.first=1`: `userName.first`: a string has no member `first`

"#]]);
    told("--remove=userName.first").stderr_eq(str![[r#"
error: --remove `userName.first`: `userName.first`: a string has no member `first`

"#]]);
    told("--remove=").stderr_eq(str![[r#"
error: invalid value '' for '--remove <PATH>': `` is no path: write one such as `request.userAttributes.email`

For more information, try '--help'.

"#]]);
    cogwit("event").ends(2).stdout_eq("");
    new(&[]).ends(2).stdout_eq("");
}
