//! Plays flows of Cognito with a function behind Lambda's Invoke API, on good days and bad ones.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use snapbox::str;

use crate::lambda::{Lambda, Reply};
use crate::program::{self, Cogwit, cogwit, stderr, stdout};

fn simulate(flow: &str, lambda: &Lambda) -> Cogwit {
    cogwit("simulate").args([flow, "--endpoint", &lambda.endpoint()])
}

/// Plays a sign-up with a function that answers all events so, and gives what its caller sees.
#[track_caller]
fn seen(reply: Reply, code: i32, tries: usize) -> String {
    let lambda = Lambda::start(move |_| reply.clone());
    let run = simulate("signup", &lambda).args(["--format=json", "--patience=300ms"]);
    let told = program::json(&run.ends(code));
    let requests = lambda.seen();
    assert_eq!((requests.len(), &told["steps"][0]["tries"]), (tries, &json!(tries)), "{told}");
    assert!(requests.iter().all(|request| request.body == requests[0].body), "the same event, byte for byte");
    assert_eq!((told["steps"].as_array().map(Vec::len), &told["outcome"]["userStatus"]), (Some(1), &Value::Null));
    let exception = &told["outcome"]["exception"];
    format!("{}: {}", exception["name"].as_str().unwrap(), exception["message"].as_str().unwrap())
}

#[test]
fn a_sign_up_goes_by_every_trigger() {
    let lambda = Lambda::start(|request| match request.source().as_str() {
        "CustomMessage_SignUp" => {
            let (subject, message) = ("Velkommen\n", "Koden er {####}, {####}");
            Reply::Response(json!({ "smsMessage": null, "emailMessage": message, "emailSubject": subject }))
        }
        _ => Reply::Echo,
    });
    let run =
        simulate("signup", &lambda).args(["--function", "my-pre:live"]).env("COGWIT_SERVE_TOKEN", "0123456789abcdef");
    let told = stdout(&run.ends(0).stderr_eq(""));
    program::is(
        told.replace(&lambda.endpoint(), "http://lambda"),
        str![[r#"
signup of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the function `my-pre:live` at http://lambda
1  PreSignUp_SignUp  allow  (1 try, [..] ms)
2  CustomMessage_SignUp  allow  (1 try, [..] ms)
     response = {"emailMessage":"Koden er {####}, {####}","emailSubject":"Velkommen\n","smsMessage":null}
   an e-mail to ingrid.o@example.com, "Velkommen ": Koden er 699265, 699265
   the user enters the code 699265
3  PostConfirmation_ConfirmSignUp  allow  (1 try, [..] ms)
the caller of ConfirmSignUp sees: success
the user is CONFIRMED

"#]],
    );
    let seen = lambda.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        assert_eq!(request.line, "POST /2015-03-31/functions/my-pre%3Alive/invocations HTTP/1.1");
        for header in ["x-amz-invocation-type: RequestResponse", "authorization: Bearer 0123456789abcdef"] {
            assert!(request.headers.contains(&header.to_owned()), "{header}: {:?}", request.headers);
        }
    }
}

#[test]
fn some_triggers_may_be_wired() {
    let lambda = Lambda::start(|_| Reply::Response(json!({ "autoConfirmUser": true })));
    simulate("signup", &lambda).args(["--wired", "pre-sign-up"]).ends(0);
    assert_eq!(lambda.seen().iter().map(|it| it.source()).collect::<Vec<_>>(), ["PreSignUp_SignUp"]);
}

const TIMEOUT: &str = "UnexpectedLambdaException: PreSignUp invocation failed due to error Socket timeout while invoking Lambda function.";

#[test]
fn a_function_that_does_not_answer_is_tried_three_times() {
    let since = Instant::now();
    assert_eq!(seen(Reply::Hang, 3, 3), TIMEOUT);
    assert!(since.elapsed() >= Duration::from_millis(900));
    // A body that comes by the byte, and one that is cut off.
    assert_eq!(seen(Reply::Drip, 3, 3), TIMEOUT);
    assert_eq!(seen(Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_owned()), 3, 3), TIMEOUT);
    assert_eq!(seen(Reply::Raw(String::new()), 3, 3), TIMEOUT);
}

#[test]
fn a_second_try_may_succeed() {
    let lambda = Lambda::start(|request| if request.nth == 1 { Reply::Hang } else { Reply::Echo });
    let told = stdout(&simulate("signup", &lambda).args(["--patience=1s", "--wired=pre-sign-up"]).ends(0));
    assert!(told.contains("1  PreSignUp_SignUp  allow  (2 tries, "), "{told}");
}

#[test]
fn an_endpoint_where_nobody_is_cannot_be_played_with() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = cogwit("simulate").args(["signup", "--endpoint", &format!("http://{free}")]).ends(4);
    let told = stdout(&ended);
    assert!(told.contains("1  PreSignUp_SignUp  fault  (3 tries, ") && told.contains(TIMEOUT), "{told}");
    let error = stderr(&ended).replace(&free.to_string(), "ADDRESS");
    assert!(error.starts_with("error: the function `cogwit` at http://ADDRESS cannot be reached: "), "{error}");
    assert!(error.ends_with("; start it, such as by `cogwit serve`, or correct --endpoint\n"), "{error}");
}

#[test]
fn lambdas_own_refusals_are_not_tried_again() {
    let of = |status: &str, headers: &str| {
        let raw = format!("HTTP/1.1 {status}\r\n{headers}content-length: 2\r\n\r\n{{}}");
        seen(Reply::Raw(raw), 3, 1)
    };
    let text = |name: &str| format!("UnexpectedLambdaException: PreSignUp invocation failed due to error {name}.");
    assert_eq!(of("500 Internal Server Error", ""), text("ServiceException"));
    assert_eq!(
        of("503 Service Unavailable", "x-amzn-ErrorType: EC2ThrottledException\r\n"),
        text("EC2ThrottledException")
    );
    assert_eq!(of("429 Too Many Requests", ""), text("TooManyRequestsException"));
    assert_eq!(
        of("403 Forbidden", "X-Amzn-Errortype: AccessDeniedException:http://x/\r\n"),
        text("AccessDeniedException")
    );
    assert_eq!(of("404 Not Found", ""), text("ResourceNotFoundException"));
    assert_eq!(of("302 Found", "location: /\r\n"), text("ServiceException"));
}

#[test]
fn a_function_error_is_a_refusal_unless_something_broke() {
    let of = |body: &str, code| seen(Reply::FunctionError(body.to_owned()), code, 1);
    let text = |message: &str| format!("UserLambdaValidationException: PreSignUp failed with error {message}.");
    assert_eq!(of(r#"{"errorMessage":"No\u001b[1m way","errorType":"Error","stackTrace":[]}"#, 1), text("No [1m way"));
    assert_eq!(of(r#"{"errorMessage":"No","errorType":"Function.PolicyDenied"}"#, 1), text("No"));
    assert_eq!(of(r#"{"errorMessage":"x","errorType":"Function.PolicyFault"}"#, 3), text("x"));
    let exit = "RequestId: 1 Error: Runtime exited with error: exit status 129";
    let crashed = json!({ "errorMessage": exit, "errorType": "Runtime.ExitError" });
    assert_eq!(of(&crashed.to_string(), 3), text(exit));
    assert_eq!(of("", 1), text("Unhandled"));
}

#[test]
fn an_output_that_is_no_event_is_refused() {
    let ok = |body: &str| Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    for body in ["", "null", "{", "<html>", "undefined"] {
        let told = seen(ok(body), 3, 1);
        assert_eq!(told, "InvalidLambdaResponseException: Invalid lambda function output : Invalid JSON", "{body}");
    }
    let unrecognizable = "InvalidLambdaResponseException: Unrecognizable lambda output";
    for body in ["1", "[]", "{}", r#"{"response":{"autoConfirmUser":true}}"#] {
        assert_eq!(seen(ok(body), 3, 1), unrecognizable, "{body}");
    }
    for response in [json!(null), json!([]), json!({ "autoConfirmUser": "true" }), json!({ "autoVerifyEmail": 1 })] {
        assert_eq!(seen(Reply::Response(response.clone()), 3, 1), unrecognizable, "{response}");
    }
}

#[test]
fn a_body_without_end_is_read_no_further_than_lambda_would() {
    let told = seen(Reply::Endless, 3, 1);
    let text = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
    assert_eq!(told, format!("UserLambdaValidationException: PreSignUp failed with error {text}."));
}

#[test]
fn who_is_verified_must_be_confirmed_and_have_the_address() {
    let of = |response| seen(Reply::Response(response), 3, 1);
    assert_eq!(
        of(json!({ "autoVerifyEmail": true })),
        "InvalidLambdaResponseException: Phone or email cannot be auto verified, when user is not being auto confirmed"
    );
    assert_eq!(
        of(json!({ "autoConfirmUser": true, "autoVerifyPhone": true })),
        "InvalidLambdaResponseException: The user has no phone_number that could be auto verified"
    );
}

#[test]
fn what_fails_after_the_confirmation_is_told_and_changes_nothing() {
    let lambda = Lambda::start(|request| match request.source().starts_with("PostConfirmation") {
        true => Reply::FunctionError(r#"{"errorMessage":"no mail","errorType":"Error"}"#.to_owned()),
        false => Reply::Echo,
    });
    let told = stdout(&simulate("signup", &lambda).ends(1));
    let end = "\
the caller of ConfirmSignUp sees: UserLambdaValidationException: PostConfirmation failed with error no mail.
the user is CONFIRMED
";
    assert!(told.ends_with(end), "{told}");
}

#[test]
fn a_message_must_have_the_code() {
    for (message, told) in [
        (json!({ "emailMessage": "no code" }), "emailMessage must contain {####}"),
        (json!({ "smsMessage": "{####}".repeat(24) }), "smsMessage must have 6 to 140 characters"),
        (json!({ "emailSubject": "" }), "emailSubject must have 1 to 140 characters"),
        (json!({ "emailMessage": 7 }), "Unrecognizable lambda output"),
    ] {
        let lambda = Lambda::start(move |request| match request.source().starts_with("CustomMessage") {
            true => Reply::Response(message.clone()),
            false => Reply::Echo,
        });
        let ended = program::json(&simulate("signup", &lambda).arg("--format=json").ends(3));
        let exception = json!({ "name": "InvalidLambdaResponseException", "message": told });
        assert_eq!(ended["outcome"], json!({ "call": "SignUp", "exception": exception, "userStatus": "UNCONFIRMED" }));
    }
}

/// Plays a sign-in, in which token generation gets this response.
fn sign_in(wired: &str, response: Value, code: i32) -> (Vec<String>, Value) {
    let lambda = Lambda::start(move |request| match request.source().starts_with("TokenGeneration") {
        true => Reply::Response(response.clone()),
        false => Reply::Echo,
    });
    let told = program::json(&simulate("signin", &lambda).args(["--format=json", wired]).ends(code));
    let steps = told["steps"].as_array().unwrap().iter();
    let notes = steps.filter_map(|step| step["note"].as_str().map(str::to_owned)).skip(1).collect();
    (notes, told["outcome"]["exception"]["message"].clone())
}

const ALL: &str = "--wired=pre-authentication,post-authentication,pre-token-generation,pre-token-generation-v2";
const FIRST_FORM: &str = "--wired=pre-token-generation";

#[test]
fn what_is_changed_of_the_tokens_is_told() {
    let details = json!({
        "idTokenGeneration": {
            "claimsToAddOrOverride": { "plan": "gold", "seats": 9223372036854775807_i64, "email": "x", "tags": ["a"] },
            "claimsToSuppress": ["email"],
        },
        "accessTokenGeneration": { "scopesToAdd": ["ledger/read"], "scopesToSuppress": ["openid"] },
        "groupOverrideDetails": { "groupsToOverride": ["crew"], "preferredRole": null },
    });
    let (notes, exception) = sign_in(ALL, json!({ "claimsAndScopeOverrideDetails": details }), 0);
    assert_eq!(exception, Value::Null);
    assert_eq!(
        notes,
        [
            "the ID token: claim plan = \"gold\"",
            "the ID token: claim seats = 9223372036854775807",
            "the ID token: claim tags = [\"a\"]",
            "the ID token: without the claim email",
            "the access token: scope ledger/read",
            "the access token: without the scope openid",
            "both tokens: groups [\"crew\"], roles [], preferred role none",
        ]
    );
    let details = json!({ "claimsToAddOrOverride": { "plan": "gold" } });
    let (notes, _) = sign_in(FIRST_FORM, json!({ "claimsOverrideDetails": details }), 0);
    assert_eq!(notes, ["the ID token: claim plan = \"gold\""]);
    assert_eq!(sign_in(FIRST_FORM, json!({ "claimsOverrideDetails": null }), 0), (vec![], Value::Null));
}

#[test]
fn a_claim_of_the_first_form_is_a_string() {
    for details in
        [json!({ "claimsToAddOrOverride": { "tags": ["a"] } }), json!({ "claimsToSuppress": "email" }), json!([])]
    {
        let (_, exception) = sign_in(FIRST_FORM, json!({ "claimsOverrideDetails": details }), 3);
        assert_eq!(exception, "Unrecognizable lambda output", "{details}");
    }
}

#[test]
fn an_error_after_the_password_fails_the_sign_in() {
    let lambda = Lambda::start(|request| match request.source().starts_with("PostAuthentication") {
        true => Reply::FunctionError(r#"{"errorMessage":"no","errorType":"Error"}"#.to_owned()),
        false => Reply::Echo,
    });
    let told = stdout(&simulate("signin", &lambda).ends(1));
    assert!(told.contains("UserLambdaValidationException: PostAuthentication failed with error no.\n"), "{told}");
    assert_eq!(lambda.seen().len(), 2, "no tokens");
}

/// A server, which ends with the test.
struct Serve(Child);

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_of_ours_decides_as_this_process_does() {
    let mut serve = cogwit("serve").args(["--listen", "127.0.0.1:0"]).process();
    let mut serve = Serve(serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(serve.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let endpoint = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
    let outcome = |user: &str, code, place: &[&str]| {
        let run = cogwit("simulate").args(["signup", "--format=json", "--wired=pre-sign-up", "--user", user]);
        program::json(&run.args(place).ends(code))["outcome"].clone()
    };
    for (user, code) in [("rroe", 1), ("kaia.o", 0)] {
        assert_eq!(outcome(user, code, &["--endpoint", &endpoint]), outcome(user, code, &[]), "{user}");
    }
}
