//! Plays sign-ins by challenges, with functions that answer as written.

use serde_json::{Value, json};
use snapbox::{IntoData, str};

use crate::lambda::{Lambda, Reply, Request};
use crate::program::{self, Cogwit, cogwit, stderr, stdout};
use crate::simulate_flows::{exception, requests, simulate, sources};

/// The requests of a source, in order.
fn of(lambda: &Lambda, source: &str) -> Vec<Value> {
    requests(lambda).into_iter().filter(|(name, _)| name.starts_with(source)).map(|(_, request)| request).collect()
}

const PIN: &str = "407182";

/// The functions of a sign-in by PIN, with three tries in all.
fn by_pin(request: &Request) -> Reply {
    let event = request.event();
    let empty = Vec::new();
    let session = event["request"]["session"].as_array().unwrap_or(&empty);
    let last = session.last().map(|it| (it["challengeName"].as_str().unwrap(), it["challengeResult"] == true));
    Reply::Response(match (request.source().split('_').next().unwrap(), last) {
        ("DefineAuthChallenge", Some(("SRP_A", true))) => json!({ "challengeName": "PASSWORD_VERIFIER" }),
        ("DefineAuthChallenge", Some(("CUSTOM_CHALLENGE", true))) => json!({ "issueTokens": true }),
        ("DefineAuthChallenge", _) if session.len() == 3 => json!({ "failAuthentication": true }),
        ("DefineAuthChallenge", _) => json!({ "challengeName": "CUSTOM_CHALLENGE", "issueTokens": false }),
        ("CreateAuthChallenge", _) => json!({
            "publicChallengeParameters": { "to": "phone" },
            "privateChallengeParameters": { "pin": PIN },
            "challengeMetadata": format!("try-{}", session.len() + 1),
        }),
        ("VerifyAuthChallengeResponse", _) => {
            let request = &event["request"];
            json!({ "answerCorrect": request["challengeAnswer"] == request["privateChallengeParameters"]["pin"] })
        }
        _ => return Reply::Echo,
    })
}

fn custom_auth(lambda: &Lambda) -> Cogwit {
    simulate("custom-auth", lambda)
}

#[test]
fn a_right_answer_signs_in() {
    let lambda = Lambda::start(by_pin);
    let told = stdout(&custom_auth(&lambda).args(["--answer", PIN]).ends(0).stderr_eq(""));
    program::is(
        told.replace(&lambda.endpoint(), "http://lambda"),
        str![[r#"
custom-auth of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the function `cogwit` at http://lambda
1  PreAuthentication_Authentication  allow  (1 try, [..] ms)
2  DefineAuthChallenge_Authentication  allow  (1 try, [..] ms)
     response = {"challengeName":"CUSTOM_CHALLENGE","issueTokens":false}
3  CreateAuthChallenge_Authentication  allow  (1 try, [..] ms)
     response = {"challengeMetadata":"***","privateChallengeParameters":{"pin":"***"},"publicChallengeParameters":{"to":"phone"}}
   the client gets {"to":"phone"}
4  VerifyAuthChallengeResponse_Authentication  allow  (1 try, [..] ms)
     response = {"answerCorrect":true}
   the answer is right
5  DefineAuthChallenge_Authentication  allow  (1 try, [..] ms)
     response = {"issueTokens":true}
6  PostAuthentication_Authentication  allow  (1 try, [..] ms)
7  TokenGeneration_Authentication  allow  (1 try, [..] ms)
the caller of RespondToAuthChallenge sees: success
the user is CONFIRMED

"#]],
    );
}

#[test]
fn each_round_adds_to_the_session_and_only_verify_sees_what_is_private() {
    let lambda = Lambda::start(by_pin);
    let answers = ["--answer=111111", "--answer", PIN, "--client-metadata=device=px"];
    custom_auth(&lambda).args(answers).ends(0);
    let attributes = of(&lambda, "PreAuthentication")[0]["userAttributes"].clone();
    assert_eq!(attributes["cognito:user_status"], "CONFIRMED");
    let name = "CUSTOM_CHALLENGE";
    let [first, second] = [(false, "try-1"), (true, "try-2")].map(
        |(result, metadata)| json!({ "challengeName": name, "challengeResult": result, "challengeMetadata": metadata }),
    );
    let metadata = json!({ "device": "px" });
    assert_eq!(
        of(&lambda, "DefineAuthChallenge"),
        [
            json!({ "userAttributes": attributes, "session": [] }),
            json!({ "userAttributes": attributes, "session": [first], "clientMetadata": metadata }),
            json!({ "userAttributes": attributes, "session": [first, second], "clientMetadata": metadata }),
        ]
    );
    let second_try = json!({
        "userAttributes": attributes,
        "challengeName": name,
        "session": [first],
        "clientMetadata": metadata,
    });
    assert_eq!(
        of(&lambda, "CreateAuthChallenge"),
        [json!({ "userAttributes": attributes, "challengeName": name, "session": [] }), second_try,]
    );
    let verify = |answer: &str| {
        json!({
            "userAttributes": attributes,
            "privateChallengeParameters": { "pin": PIN },
            "challengeAnswer": answer,
            "clientMetadata": metadata,
        })
    };
    assert_eq!(of(&lambda, "VerifyAuthChallengeResponse"), [verify("111111"), verify(PIN)]);
    let after = [of(&lambda, "PostAuthentication"), of(&lambda, "TokenGeneration")].concat();
    assert!(after.len() == 2 && after.iter().all(|request| request["clientMetadata"] == metadata), "{after:?}");
    assert_eq!(of(&lambda, "PreAuthentication")[0]["validationData"], metadata);
}

#[test]
fn an_event_has_the_members_of_cognito_in_its_order() {
    let lambda = Lambda::start(by_pin);
    custom_auth(&lambda).args(["--answer", PIN, "--attribute=email=k@example.com", "--user=kaia"]).ends(0);
    let verify = lambda.seen().into_iter().find(|it| it.source().starts_with("Verify")).unwrap();
    program::is(
        verify.body,
        str![[r#"
{
  "version": "1",
  "region": "eu-north-1",
  "userPoolId": "eu-north-1_k7Qm2ZxTb",
  "userName": "kaia",
  "callerContext": {
    "awsSdkVersion": "aws-sdk-unknown-unknown",
    "clientId": "6f1vq0d8n3r5t2jc9hm4sbe7pa"
  },
  "triggerSource": "VerifyAuthChallengeResponse_Authentication",
  "request": {
    "userAttributes": {
      "cognito:user_status": "CONFIRMED",
      "email": "k@example.com",
      "email_verified": "true",
      "sub": "ae20b2f8-41b5-5026-23b0-2c63d07e61c9"
    },
    "privateChallengeParameters": {
      "pin": "407182"
    },
    "challengeAnswer": "407182"
  },
  "response": {
    "answerCorrect": null
  }
}
"#]]
        .raw(),
    );
}

#[test]
fn a_password_comes_first_where_the_client_begins_with_it() {
    let lambda = Lambda::start(by_pin);
    let told = stdout(&custom_auth(&lambda).args(["--srp", "--answer", PIN, "--client-metadata=a=b"]).ends(0));
    assert!(told.contains("\"PASSWORD_VERIFIER\"}\n   the password is right\n3  DefineAuthChallenge_"), "{told}");
    let sessions = of(&lambda, "DefineAuthChallenge");
    let of_password = |name: &str| json!({ "challengeName": name, "challengeResult": true, "challengeMetadata": null });
    assert_eq!((&sessions[0]["session"], &sessions[0].get("clientMetadata")), (&json!([of_password("SRP_A")]), &None));
    assert_eq!(sessions[1]["session"], json!([of_password("SRP_A"), of_password("PASSWORD_VERIFIER")]));
    assert_eq!(sessions[1]["clientMetadata"], json!({ "a": "b" }));
    assert_eq!(of(&lambda, "CreateAuthChallenge")[0]["session"], sessions[1]["session"]);
}

#[test]
fn the_last_answer_counts_for_all_rounds_that_follow() {
    let lambda = Lambda::start(by_pin);
    let told = program::json(&custom_auth(&lambda).args(["--answer=no", "--format=json"]).ends(1));
    assert_eq!(exception(&told), "NotAuthorizedException: Incorrect username or password.");
    assert_eq!(told["outcome"]["call"], "RespondToAuthChallenge");
    assert_eq!(of(&lambda, "VerifyAuthChallengeResponse").len(), 3);
    assert_eq!(of(&lambda, "TokenGeneration"), [] as [Value; 0]);
}

#[test]
fn what_is_secret_is_printed_with_the_events_alone() {
    let lambda = Lambda::start(|request| match request.source().starts_with("Verify") {
        true => Reply::FunctionError(json!({ "errorMessage": format!("not {PIN}"), "errorType": "Error" }).to_string()),
        false => by_pin(request),
    });
    for format in ["--format=text", "--format=json"] {
        let of =
            |more: &[&str]| stdout(&custom_auth(&lambda).args(["--answer=open sesame", format]).args(more).ends(1));
        let told = of(&[]);
        assert!(
            !told.contains(PIN) && !told.contains("sesame") && told.contains("failed with error not ***."),
            "{told}"
        );
        let told = of(&["--show-events"]);
        assert!(told.contains(PIN) && told.contains("open sesame"), "{told}");
    }
}

#[test]
fn a_command_may_answer() {
    let lambda = Lambda::start(|request| match request.source().split('_').next().unwrap() {
        "CreateAuthChallenge" => Reply::Response(json!({ "publicChallengeParameters": { "nonce": "n-771" } })),
        "VerifyAuthChallengeResponse" => {
            let request = &request.event()["request"];
            assert_eq!(request["privateChallengeParameters"], json!({}));
            Reply::Response(json!({ "answerCorrect": request["challengeAnswer"] == "signed {\"nonce\":\"n-771\"}" }))
        }
        _ => by_pin(request),
    });
    let by = |command: &str| custom_auth(&lambda).args(["--answer-command", command]);
    by("printf 'signed '; cat; echo").ends(0);
    for (command, told) in [
        ("exit 3", "error: --answer-command: it ended with exit status: 3: see what it wrote"),
        (r"printf '\377'", "error: --answer-command: it printed no UTF-8: let it print a text"),
        ("cat /dev/zero", "error: --answer-command: it printed too much: let it print the answer"),
    ] {
        let error = stderr(&by(command).ends(4));
        assert!(error.starts_with(told), "{error}");
    }
    let error = stderr(&by("cat").args(["--answer", "x"]).ends(2));
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn a_sign_in_without_an_answer_or_an_end_is_told_as_far_as_it_goes() {
    let lambda = Lambda::start(|request| match request.source().starts_with("Define") {
        true => Reply::Response(json!({ "challengeName": "CUSTOM_CHALLENGE" })),
        false => by_pin(request),
    });
    let ended = custom_auth(&lambda).ends(4);
    let told = stdout(&ended);
    assert!(
        told.ends_with(
            "the client gets {\"to\":\"phone\"}\nthe caller of InitiateAuth sees: success\nthe user is CONFIRMED\n"
        ),
        "{told}"
    );
    assert_eq!(
        stderr(&ended),
        "error: nobody answers the challenge: give --answer TEXT, or --answer-command COMMAND\n"
    );
    let error = stderr(&custom_auth(&lambda).arg("--answer=no").ends(4));
    assert_eq!(error, "error: the sign-in goes on after 10 challenges: let define auth challenge come to an end\n");
    assert_eq!(of(&lambda, "VerifyAuthChallengeResponse").len(), 10);
}

#[test]
fn what_define_auth_challenge_may_not_answer_ends_the_sign_in() {
    for (response, args, told, code) in [
        (json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null }), &[][..], None, 3),
        (json!({ "issueTokens": false }), &[], None, 3),
        (json!({ "challengeName": "SMS_MFA" }), &[], None, 3),
        (json!({ "challengeName": "PASSWORD_VERIFIER" }), &[], None, 3),
        (json!({ "issueTokens": "true" }), &[], None, 3),
        (json!({ "issueTokens": true, "failAuthentication": true }), &[], Some("NotAuthorizedException"), 1),
        (
            json!({ "challengeName": "PASSWORD_VERIFIER" }),
            &["--srp", "--user-not-found"],
            Some("NotAuthorizedException"),
            1,
        ),
        (json!({ "issueTokens": true }), &["--user-not-found"], Some("NotAuthorizedException"), 1),
    ] {
        let answer = response.clone();
        let lambda = Lambda::start(move |request| match request.source().starts_with("Define") {
            true => Reply::Response(answer.clone()),
            false => Reply::Echo,
        });
        let ended = program::json(&custom_auth(&lambda).args(args).arg("--format=json").ends(code));
        let expected = match told {
            Some(name) => format!("{name}: Incorrect username or password."),
            None => "InvalidLambdaResponseException: Unrecognizable lambda output".to_owned(),
        };
        assert_eq!(exception(&ended), expected, "{response}");
    }
}

#[test]
fn nobody_is_asked_as_everybody_is() {
    let lambda = Lambda::start(by_pin);
    let ended = custom_auth(&lambda).args(["--user-not-found", "--answer", PIN, "--format=json"]).ends(1);
    let told = program::json(&ended);
    assert_eq!(exception(&told), "NotAuthorizedException: Incorrect username or password.");
    assert_eq!(told["outcome"]["userStatus"], Value::Null);
    for (source, request) in requests(&lambda) {
        assert_eq!((&request["userAttributes"], &request["userNotFound"]), (&json!({}), &json!(true)), "{source}");
    }
    assert_eq!(sources(&lambda).last().unwrap(), "DefineAuthChallenge_Authentication");
}

const NOT_CONFIGURED: &str = "UnexpectedLambdaException: null invocation failed due to configuration.";

#[test]
fn a_sign_in_by_challenges_needs_all_three_triggers() {
    cogwit("simulate").args(["custom-auth"]).ends(3).stderr_eq("").stdout_eq(str![[r#"
custom-auth of `ingrid.o` in the pool `eu-north-1_k7Qm2ZxTb`, by the set `cogwit-default`
1  PreAuthentication_Authentication  allow  (1 try, [..] ms)
     block-client  allow, nothing set  ([..] fuel, [..]iB, [..] us)
2  DefineAuthChallenge_Authentication  not wired
the caller of InitiateAuth sees: UnexpectedLambdaException: null invocation failed due to configuration.
the user is CONFIRMED

"#]]);
    let wired = "--wired=define-auth-challenge,create-auth-challenge";
    let lambda = Lambda::start(by_pin);
    let told = stdout(&custom_auth(&lambda).args([wired, "--answer", PIN]).ends(3));
    assert!(told.contains("4  VerifyAuthChallengeResponse_Authentication  not wired\n"), "{told}");
    assert!(told.contains(&format!("the caller of RespondToAuthChallenge sees: {NOT_CONFIGURED}\n")), "{told}");
}
