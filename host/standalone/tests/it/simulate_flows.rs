//! Plays other providers' users, refreshes and migrations, with functions that answer as written.

use serde_json::{Value, json};

use crate::lambda::{Lambda, Reply};
use crate::program::{self, Cogwit, cogwit, stderr, stdout};

pub(crate) fn simulate(flow: &str, lambda: &Lambda) -> Cogwit {
    cogwit("simulate").args([flow, "--endpoint", &lambda.endpoint()])
}

/// Every event that was sent: its source, and its request.
pub(crate) fn requests(lambda: &Lambda) -> Vec<(String, Value)> {
    lambda.seen().iter().map(|it| (it.source(), it.event()["request"].clone())).collect()
}

pub(crate) fn sources(lambda: &Lambda) -> Vec<String> {
    requests(lambda).into_iter().map(|(source, _)| source).collect()
}

pub(crate) fn exception(told: &Value) -> String {
    let exception = &told["outcome"]["exception"];
    format!("{}: {}", exception["name"].as_str().unwrap(), exception["message"].as_str().unwrap())
}

#[test]
fn a_user_of_another_provider_is_made_at_the_first_sign_in() {
    let lambda = Lambda::start(|_| Reply::Echo);
    let args = ["--claim=groups=finance", "--claim=email=i@northwind.example", "--attribute=email=old@example.com"];
    let told = program::json(&simulate("federated", &lambda).args(args).arg("--format=json").ends(0));
    let outcome = json!({ "call": "managed login", "exception": null, "userStatus": "EXTERNAL_PROVIDER" });
    assert_eq!(told["outcome"], outcome);
    let seen = requests(&lambda);
    let [inbound, sign_up, confirmed, tokens] = [0, 1, 2, 3].map(|at| &seen[at].1);
    let order = [
        "InboundFederation_ExternalProvider",
        "PreSignUp_ExternalProvider",
        "PostConfirmation_ConfirmSignUp",
        "TokenGeneration_HostedAuth",
    ];
    assert_eq!(sources(&lambda), order);
    assert!(lambda.seen().iter().all(|it| it.event()["userName"] == "Northwind_ingrid.o"));
    let claims = json!({ "sub": "ingrid.o", "groups": "finance", "email": "i@northwind.example" });
    assert_eq!((&inbound["providerName"], &inbound["providerType"]), (&json!("Northwind"), &json!("OIDC")));
    assert_eq!((&inbound["attributes"]["idToken"], &inbound["attributes"]["userInfo"]), (&claims, &json!({})));
    assert_eq!((inbound.get("userAttributes"), inbound["attributes"].get("samlResponse")), (None, None));
    let attributes = json!({
        "cognito:email_alias": "",
        "cognito:phone_number_alias": "",
        "email": "i@northwind.example",
        "email_verified": "false",
    });
    assert_eq!(sign_up, &json!({ "userAttributes": attributes, "validationData": {} }));
    for request in [confirmed, tokens] {
        let attributes = &request["userAttributes"];
        assert_eq!(attributes["cognito:user_status"], "EXTERNAL_PROVIDER");
        let identities: Value = serde_json::from_str(attributes["identities"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&identities[0]["userId"], &identities[0]["providerName"]),
            (&json!("ingrid.o"), &json!("Northwind"))
        );
    }
}

#[test]
fn a_map_of_attributes_replaces_them_all() {
    let lambda = Lambda::start(|request| match request.source().starts_with("Inbound") {
        true => {
            Reply::Response(json!({ "userAttributesToMap": { "email": "m@example.com", "email_verified": "true" } }))
        }
        false => Reply::Echo,
    });
    let args = ["--attribute=name=Mira", "--provider=Okta", "--provider-type=SAML", "--again", "--user=mira"];
    let told = stdout(&simulate("federated", &lambda).args(args).ends(0));
    assert!(told.contains("   these are all attributes of the user from now on\n"), "{told}");
    let order = ["InboundFederation", "PreAuthentication", "PostAuthentication", "TokenGeneration"];
    assert_eq!(sources(&lambda).iter().map(|it| it.split('_').next().unwrap()).collect::<Vec<_>>(), order);
    let seen = requests(&lambda);
    assert_eq!(seen[0].1["attributes"], json!({ "samlResponse": { "sub": "mira", "name": "Mira" } }));
    assert_eq!(seen[1].1["validationData"], json!({}));
    for (source, request) in &seen[1..] {
        let attributes = &request["userAttributes"];
        assert_eq!((&attributes["email_verified"], attributes.get("name")), (&json!("true"), None), "{source}");
    }
    assert_eq!(seen[3].0, "TokenGeneration_HostedAuth");
}

#[test]
fn a_federated_sign_up_may_be_refused() {
    let lambda = Lambda::start(|request| match request.source().starts_with("PreSignUp") {
        true => Reply::FunctionError(json!({ "errorMessage": "linked", "errorType": "Error" }).to_string()),
        false => Reply::Echo,
    });
    let told = stdout(&simulate("federated", &lambda).ends(1));
    let end = "\
the caller of managed login sees: UserLambdaValidationException: PreSignUp failed with error linked.
there is no such user
";
    assert!(told.ends_with(end), "{told}");
    for (arg, told) in [("--provider=a_b", "without blanks and `_`"), ("--provider-type=Okta", "possible values: OIDC")]
    {
        let error = stderr(&simulate("federated", &lambda).arg(arg).ends(2));
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_refresh_makes_tokens_and_no_more() {
    let details = json!({ "accessTokenGeneration": { "scopesToAdd": ["ledger/read"] } });
    let lambda = Lambda::start(move |_| Reply::Response(json!({ "claimsAndScopeOverrideDetails": details })));
    let told = stdout(&simulate("refresh", &lambda).arg("--client-metadata=a=b").ends(0));
    assert!(
        told.ends_with(
            "   the access token: scope ledger/read\nthe caller of InitiateAuth sees: success\nthe user is CONFIRMED\n"
        ),
        "{told}"
    );
    let seen = requests(&lambda);
    assert_eq!((seen.len(), seen[0].0.as_str()), (1, "TokenGeneration_RefreshTokens"));
    assert_eq!(seen[0].1.get("clientMetadata"), None);
}

/// Plays a migration whose function gives this response, and gives what was told with what was sent.
fn migrate(response: Value, args: &[&str], code: i32) -> (Value, Lambda) {
    let lambda = Lambda::start(move |request| match request.source().starts_with("UserMigration") {
        true => Reply::Response(response.clone()),
        false => Reply::Echo,
    });
    let args = [args, &["--format=json", "--user=mira"]].concat();
    (program::json(&simulate("migrate", &lambda).args(args).stdin("p4ss w0rd\n").ends(code)), lambda)
}

#[test]
fn a_user_who_is_vouched_for_signs_in() {
    let attributes = json!({ "email": "m@example.com", "email_verified": "true" });
    let response = json!({ "userAttributes": attributes, "finalUserStatus": "CONFIRMED" });
    for password in ["--password=p4ss w0rd", "--password=-"] {
        let (told, lambda) = migrate(response.clone(), &[password, "--client-metadata=a=b"], 0);
        assert_eq!(told["outcome"], json!({ "call": "InitiateAuth", "exception": null, "userStatus": "CONFIRMED" }));
        assert!(!told.to_string().contains("p4ss"), "{told}");
        let order =
            ["UserMigration_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"];
        assert_eq!(sources(&lambda), order);
        let seen = requests(&lambda);
        assert_eq!(seen[0].1, json!({ "password": "p4ss w0rd", "validationData": { "a": "b" } }));
        assert_eq!(seen[1].1["userAttributes"]["cognito:user_status"], "CONFIRMED");
        assert_eq!(seen[1].1["userAttributes"]["email_verified"], "true");
    }
}

#[test]
fn a_user_may_come_by_an_alias() {
    let attributes = json!({ "username": "m-77", "email": "mira", "sub": "x" });
    let (_, lambda) =
        migrate(json!({ "userAttributes": attributes, "finalUserStatus": "CONFIRMED" }), &["--password=x"], 0);
    let names: Vec<_> = lambda.seen().iter().map(|it| it.event()["userName"].clone()).collect();
    assert_eq!(names, ["mira", "m-77", "m-77"]);
}

#[test]
fn a_user_who_is_not_brought_in_is_told_in_cognitos_words() {
    let failed = "UserNotFoundException: Exception migrating user in app client 6f1vq0d8n3r5t2jc9hm4sbe7pa";
    let not_found = "UserNotFoundException: User does not exist.";
    let wrong = "NotAuthorizedException: Incorrect username or password.";
    let reset = "PasswordResetRequiredException: Password reset required for the user";
    for (response, more, told, code, status) in [
        (json!({ "userAttributes": null }), &[][..], not_found, 1, Value::Null),
        (json!({ "userAttributes": {} }), &[], not_found, 1, Value::Null),
        (json!({}), &["--hides-users"], wrong, 1, Value::Null),
        (json!({ "userAttributes": { "email": "m@example.com" } }), &[], reset, 1, json!("RESET_REQUIRED")),
        (json!({ "userAttributes": { "email": 7 } }), &[], failed, 3, Value::Null),
        (json!({ "userAttributes": { "a": "b" }, "finalUserStatus": "confirmed" }), &[], failed, 3, Value::Null),
        (json!({ "userAttributes": { "username": "else" } }), &[], failed, 3, Value::Null),
        (Value::Null, &[], failed, 3, Value::Null),
    ] {
        let (ended, lambda) = migrate(response.clone(), &[&["--password=p4ss"], more].concat(), code);
        assert_eq!((exception(&ended).as_str(), &ended["outcome"]["userStatus"]), (told, &status), "{response}");
        assert_eq!(lambda.seen().len(), 1);
    }
    let refused = json!({ "errorMessage": "wrong p4ss", "errorType": "Error" }).to_string();
    let lambda = Lambda::start(move |_| Reply::FunctionError(refused.clone()));
    let told = stdout(&simulate("migrate", &lambda).arg("--password=p4ss").ends(1));
    assert!(told.contains(failed) && !told.contains("p4ss"), "{told}");
    let lambda = Lambda::start(|_| Reply::Hang);
    let told = stdout(&simulate("migrate", &lambda).args(["--password=x", "--patience=100ms"]).ends(3));
    assert!(told.contains("UnexpectedLambdaException: UserMigration invocation failed due to error Socket"), "{told}");
    let error = stderr(&simulate("migrate", &lambda).ends(2));
    assert!(error.contains("--password <TEXT>"), "{error}");
}

#[test]
fn a_forgotten_password_brings_a_user_in_and_sends_a_code() {
    let attributes = json!({ "email": "m@example.com", "email_verified": "true", "phone_number": "+12025550193" });
    let args = ["--forgot-password", "--client-metadata=lang=nb"];
    let (told, lambda) = migrate(json!({ "userAttributes": attributes }), &args, 0);
    assert_eq!(told["outcome"], json!({ "call": "ForgotPassword", "exception": null, "userStatus": "RESET_REQUIRED" }));
    let seen = requests(&lambda);
    assert_eq!(seen[0].0, "UserMigration_ForgotPassword");
    assert_eq!(seen[0].1, json!({ "validationData": null, "clientMetadata": { "lang": "nb" } }));
    assert_eq!(
        (seen[1].0.as_str(), &seen[1].1["clientMetadata"]),
        ("CustomMessage_ForgotPassword", &json!({ "lang": "nb" }))
    );
    assert_eq!(seen[1].1["userAttributes"]["cognito:user_status"], "RESET_REQUIRED");
    let note = told["steps"].as_array().unwrap().last().unwrap()["note"].as_str().unwrap();
    assert!(note.starts_with("an e-mail to m@example.com, "), "{note}");

    let unverified = json!({ "userAttributes": { "email": "m@example.com" } });
    let (told, _) = migrate(unverified, &["--forgot-password"], 1);
    assert!(exception(&told).starts_with("InvalidParameterException: Cannot reset password for the user"), "{told}");
    let (told, _) = migrate(json!({}), &["--forgot-password"], 1);
    assert_eq!(exception(&told), "UserNotFoundException: User does not exist.");
    let (told, _) = migrate(json!({}), &["--forgot-password", "--hides-users"], 0);
    assert_eq!(told["steps"][1]["note"], "the caller is told of a code that nobody gets");
}
