//! Plays flows of Cognito in this process, by sets of every kind.

use serde_json::{Value, json};
use snapbox::str;

use crate::program::{self, Cogwit, cogwit, stderr, stdout};
use crate::support::{ALLOW, Folder, component, probe};

fn signup() -> Cogwit {
    cogwit("simulate").arg("signup")
}

fn signin() -> Cogwit {
    cogwit("simulate").arg("signin")
}

/// The event of the step at `at`, as it was sent.
fn event(told: &Value, at: usize) -> Value {
    serde_json::from_str(told["steps"][at]["event"].as_str().unwrap()).unwrap()
}

#[test]
fn a_sign_up_is_confirmed_with_the_code() {
    signup().ends(0).stderr_eq("").stdout_eq(str![[r#"
signup of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `cogwit-default`
1  PreSignUp_SignUp  allow  (1 try, [..] ms)
     deny-short-username  allow, nothing set  ([..] fuel, [..]iB, [..] us)
     auto-confirm-domain  allow, autoConfirmUser = false  ([..] fuel, [..]iB, [..] us)
2  CustomMessage_SignUp  not wired
   an e-mail to ingrid.o@example.com, "Your verification code": Your confirmation code is 699265
   the user enters the code 699265
3  PostConfirmation_ConfirmSignUp  not wired
the caller of ConfirmSignUp sees: success
the user is CONFIRMED

"#]]);
}

#[test]
fn a_policy_confirms_a_colleague_at_once() {
    let colleague = ["--attribute=email=kaia@example.com", "--attribute=custom:domain=example.com"];
    signup().args(colleague).ends(0).stderr_eq("").stdout_eq(str![[r#"
signup of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `cogwit-default`
1  PreSignUp_SignUp  allow  (1 try, [..] ms)
     deny-short-username  allow, nothing set  ([..] fuel, [..]iB, [..] us)
     auto-confirm-domain  allow, autoConfirmUser = true  ([..] fuel, [..]iB, [..] us)
2  PostConfirmation_ConfirmSignUp  not wired
the caller of SignUp sees: success
the user is CONFIRMED

"#]]);
}

#[test]
fn a_user_who_is_refused_is_not_made() {
    signup().args(["--user", "rroe"]).ends(1).stderr_eq("").stdout_eq(str![[r#"
signup of `rroe` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `cogwit-default`
1  PreSignUp_SignUp  deny  (1 try, [..] ms)
     deny-short-username  deny, "Cannot register users with username less than the minimum length of 5"  ([..] fuel, [..]iB, [..] us)
the caller of SignUp sees: UserLambdaValidationException: PreSignUp failed with error Cannot register users with username less than the minimum length of 5.
there is no such user

"#]]);
    signup().args(["--user", "rroe", "--setting", "deny-short-username.minimum-length=4"]).ends(0);
}

#[test]
fn a_policy_that_breaks_refuses_with_a_neutral_sentence() {
    let folder = Folder::new().with("it.wasm", probe("(unreachable)"));
    folder.cogwit("simulate").args(["signup", "--policies", "it.wasm"]).ends(3).stderr_eq("").stdout_eq(str![[r#"
signup of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `components`
1  PreSignUp_SignUp  fault  (1 try, [..] ms)
     it  fault, trapped: [..]wasm `unreachable` instruction executed  (at least [..] fuel, 64.0 KiB, [..] us)
   error: policy `it` trapped: [..]wasm `unreachable` instruction executed
the caller of SignUp sees: UserLambdaValidationException: PreSignUp failed with error The request could not be completed, reference [..].
there is no such user

"#]]);
}

#[test]
fn a_fault_that_is_passed_over_still_ends_with_3() {
    let set = "\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\non-fault = \"allow\"\n";
    let folder = Folder::new().with("it.wasm", probe("(unreachable)")).with_set(set);
    let told = stdout(&folder.cogwit("simulate").args(["signup", "--policies", "."]).ends(3));
    assert!(told.contains("1  PreSignUp_SignUp  allow  (1 try") && told.ends_with("the user is CONFIRMED\n"), "{told}");
}

#[test]
fn what_takes_too_long_is_tried_three_times() {
    let folder = Folder::new().with("it.wasm", probe("(loop $again (br $again)) (unreachable)"));
    let run = folder.cogwit("simulate").args(["signup", "--policy", "it.wasm", "--patience", "1ms"]);
    let told = stdout(&run.ends(3));
    let seen = "UnexpectedLambdaException: PreSignUp invocation failed due to error Socket timeout while invoking Lambda function.";
    assert!(told.contains("fault  (3 tries, ") && told.contains("error: no answer in 1ms"), "{told}");
    assert!(told.contains(seen), "{told}");
}

#[test]
fn a_trigger_may_be_wired_that_no_policy_answers() {
    let told = stdout(&signup().args(["--wired", "custom-message,post-confirmation"]).ends(0));
    assert!(told.contains("1  PreSignUp_SignUp  not wired\n2  CustomMessage_SignUp  allow  (1 try"), "{told}");
    assert!(told.contains("   warning: unmatched: no policy of the set `cogwit-default` answers"), "{told}");
    assert!(stderr(&signup().args(["--wired", "nothing"]).ends(2)).contains("`nothing` is no trigger"));
}

#[test]
fn events_are_those_of_cognito() {
    let run = signup().args([
        "--format=json",
        "--show-events",
        "--user=日本太郎",
        "--pool-id=us-west-2_aB1",
        "--client-id=app_1",
        "--attribute=email=k@example.com",
        "--attribute=phone_number=+12025550193",
        "--client-metadata=lang=nb",
        "--validation-data=inviteCode=W=7",
        "--wired=pre-sign-up,custom-message,post-confirmation",
    ]);
    let told = program::json(&run.arg("--policy").arg(component("auto-confirm-verify")).ends(0));
    let sent = event(&told, 0);
    let header =
        ["version", "region", "userPoolId", "userName", "triggerSource"].map(|name| sent[name].as_str().unwrap());
    assert_eq!(header, ["1", "us-west-2", "us-west-2_aB1", "日本太郎", "PreSignUp_SignUp"]);
    assert_eq!(sent["callerContext"]["clientId"], "app_1");
    assert_eq!(
        sent["request"],
        json!({
            "userAttributes": { "email": "k@example.com", "phone_number": "+12025550193" },
            "validationData": { "inviteCode": "W=7" },
            "clientMetadata": { "lang": "nb" },
        })
    );
    assert_eq!(sent["response"]["autoConfirmUser"], false);

    let confirmed = event(&told, 1);
    assert_eq!(confirmed["triggerSource"], "PostConfirmation_ConfirmSignUp");
    let mut attributes = confirmed["request"]["userAttributes"].clone();
    assert_eq!(attributes["sub"].take().as_str().map(str::len), Some(36));
    assert_eq!(
        attributes,
        json!({
            "sub": null,
            "cognito:user_status": "CONFIRMED",
            "email": "k@example.com",
            "email_verified": "true",
            "phone_number": "+12025550193",
            "phone_number_verified": "true",
        })
    );
    assert_eq!(confirmed["request"]["clientMetadata"], json!({ "lang": "nb" }));
    assert_eq!(told["outcome"], json!({ "call": "SignUp", "exception": null, "userStatus": "CONFIRMED" }));
}

#[test]
fn what_the_call_did_not_give_is_null_or_absent() {
    let told = program::json(&signup().args(["--format=json", "--show-events"]).ends(0));
    let sent = event(&told, 0);
    assert_eq!(
        sent["request"],
        json!({ "userAttributes": { "email": "ingrid.o@example.com" }, "validationData": null })
    );
    assert_eq!(told["steps"][0]["report"]["policies"][0]["name"], "deny-short-username");
    assert_eq!(told["steps"][1], json!({ "number": 2, "source": "CustomMessage_SignUp", "wired": false }));
}

#[test]
fn the_code_goes_to_the_phone_and_confirms_it() {
    let phone = ["--attribute=email=k@example.com", "--attribute=phone_number=+12025550193"];
    let wired = ["--wired=custom-message,post-confirmation", "--format=json", "--show-events"];
    let told = program::json(&signup().args(phone).args(wired).ends(0));
    let sent = event(&told, 1);
    assert_eq!(sent["triggerSource"], "CustomMessage_SignUp");
    assert_eq!(sent["request"]["userAttributes"]["cognito:user_status"], "UNCONFIRMED");
    assert_eq!(told["steps"][2]["note"], "an SMS to +12025550193: Your confirmation code is 699265");
    let attributes = &event(&told, 4)["request"]["userAttributes"];
    assert_eq!(
        (&attributes["email_verified"], &attributes["phone_number_verified"]),
        (&json!("false"), &json!("true"))
    );
}

#[test]
fn a_sign_up_may_end_before_the_code_or_have_nowhere_to_send_it() {
    let told = stdout(&signup().arg("--no-confirm").ends(0));
    assert!(told.ends_with("code is 699265\nthe caller of SignUp sees: success\nthe user is UNCONFIRMED\n"), "{told}");
    let told = stdout(&signup().arg("--attribute=name=Kaia").ends(0));
    assert!(told.contains("   there is no e-mail and no phone number") && told.ends_with("UNCONFIRMED\n"), "{told}");
}

#[test]
fn a_sign_in_goes_by_every_trigger() {
    signin().ends(0).stderr_eq("").stdout_eq(str![[r#"
signin of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `cogwit-default`
1  PreAuthentication_Authentication  allow  (1 try, [..] ms)
     block-client  allow, nothing set  ([..] fuel, [..]iB, [..] us)
   the password is right
2  PostAuthentication_Authentication  not wired
3  TokenGeneration_Authentication  not wired
the caller of InitiateAuth sees: success
the user is CONFIRMED

"#]]);
}

#[test]
fn a_refused_client_signs_nobody_in() {
    let args = ["--client-id=app7731", "--setting=block-client.blocked-clients=app7731"];
    let told = stdout(&signin().args(args).ends(1));
    assert!(told.contains("1  PreAuthentication_Authentication  deny  (1 try"), "{told}");
    assert!(told.contains("UserLambdaValidationException: PreAuthentication failed with error "), "{told}");
    assert!(!told.contains("the password is right"), "{told}");
}

#[test]
fn the_metadata_of_a_sign_in_is_validation_data_and_goes_no_further() {
    let args = ["--client-metadata=device=px", "--wired=pre-authentication,post-authentication,pre-token-generation"];
    let told = program::json(&signin().args(args).args(["--format=json", "--show-events"]).ends(0));
    let [first, second, third] = [0, 2, 3].map(|at| event(&told, at));
    assert_eq!(first["request"]["validationData"], json!({ "device": "px" }));
    assert_eq!(first["request"]["userAttributes"]["email_verified"], "true");
    assert_eq!(second["request"]["newDeviceUsed"], false);
    assert_eq!((&third["version"], &third["request"]["scopes"]), (&json!("1"), &Value::Null));
    assert_eq!(third["response"], json!({ "claimsOverrideDetails": null }));
    for sent in [first, second, third] {
        assert_eq!(sent["request"].get("clientMetadata"), None, "{sent}");
    }
}

#[test]
fn whoever_is_not_there_is_told_no_more_than_that() {
    let refused = "PreAuthentication failed with error Cannot authenticate users from this user pool app client.";
    for (args, name, message) in [
        (&[][..], "NotAuthorizedException", "Incorrect username or password."),
        (
            &["--setting=block-client.blocked-clients=6f1vq0d8n3r5t2jc9hm4sbe7pa"],
            "UserLambdaValidationException",
            refused,
        ),
    ] {
        let run = signin().args(["--user-not-found", "--format=json", "--show-events"]).args(args);
        let told = program::json(&run.ends(1));
        let request = event(&told, 0)["request"].clone();
        assert_eq!(request, json!({ "userAttributes": {}, "validationData": null, "userNotFound": true }));
        let exception = json!({ "name": name, "message": message });
        assert_eq!(told["outcome"], json!({ "call": "InitiateAuth", "exception": exception, "userStatus": null }));
        assert_eq!(told["steps"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn what_cannot_be_played_is_told() {
    for (args, told) in [
        (
            &["signup", "--attribute", "email"][..],
            "invalid value 'email' for '--attribute <NAME=VALUE>': there is no `=`",
        ),
        (&["signup", "--user", "a b"], "Cognito takes 1 to 128 characters without blanks"),
        (&["signup", "--pool-id", "x"], "write a region, `_`, and letters and digits"),
        (&["signup", "--function", "f"], "--endpoint <URL>"),
        (&["signup", "--endpoint", "localhost:9000"], "write such as `http://127.0.0.1:9000`"),
        (&["signup", "--endpoint", "http://h", "--policies", "."], "cannot be used with"),
        (&["signin", "--validation-data", "a=b"], "unexpected argument '--validation-data'"),
        (&["signin", "--setting", "x"], "--setting `x`: there is no `=`; write NAME.KEY=VALUE"),
        (&["signin", "--patience", "soon"], "invalid value 'soon' for '--patience <TIME>'"),
    ] {
        let error = stderr(&cogwit("simulate").args(args).ends(2).stdout_eq(""));
        assert!(error.contains(told), "{args:?}: {error}");
    }
    let error = stderr(&signup().args(["--policies", "missing"]).ends(4).stdout_eq(""));
    assert!(error.starts_with("error: "), "{error}");
}

#[test]
fn events_are_printed_as_they_were_sent() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let args = ["signin", "--policy=it.wasm", "--wired=pre-authentication", "--show-events"];
    let told = stdout(&folder.cogwit("simulate").args(args).ends(0));
    assert!(told.contains("   event:\n   {\n     \"version\": \"1\",\n     \"region\": \"eu-north-1\","), "{told}");
    assert!(told.contains("   reply:\n   {\n     \"version\": \"1\","), "{told}");
}
