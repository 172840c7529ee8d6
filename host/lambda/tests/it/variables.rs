//! Starts the host with variables that are missing, wrong, or meant.

use std::os::unix::ffi::OsStrExt;

use crate::host::Host;
use crate::package::Package;

const WITHOUT_SOURCE: &str = r#"{"userName":"rroe","request":{},"response":{}}"#;

#[test]
fn without_lambdas_variables_it_ends_and_says_what_it_is() {
    let required = ["RUNTIME_API", "FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE"];
    let required = required.map(|name| format!("AWS_LAMBDA_{name}"));
    let package = Package::empty();
    for name in &required {
        let host = Host::with(&package, &[(name, "")]);
        assert_eq!(host.ends().code(), Some(1));
        let expected = format!(
            "error: this program is a runtime for AWS Lambda, which sets {name}; on a laptop use `cogwit run`\n"
        );
        assert_eq!(host.stderr(), expected);
    }
    let host = Host::with(&package, &required.each_ref().map(|name| (name.as_str(), "")));
    host.ends();
    assert!(host.stderr().contains(&required.join(", ")), "{}", host.stderr());
}

#[test]
fn what_lambda_would_never_set_is_named() {
    for (name, value) in [("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "lots"), ("AWS_LAMBDA_RUNTIME_API", "/no/where")] {
        let host = Host::with(&Package::empty(), &[(name, value)]);
        assert_eq!(host.ends().code(), Some(1));
        assert!(host.stderr().starts_with(&format!("error: {name} is `{value}`: Lambda sets ")), "{}", host.stderr());
    }
}

#[test]
fn a_runtime_api_that_is_not_there_ends_it() {
    let host = Host::with(&Package::of_probe("allow", ""), &[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")]);
    assert_eq!(host.ends().code(), Some(1));
    assert!(host.stderr().contains("error: the Lambda Runtime API cannot be reached: "), "{}", host.stderr());
}

#[test]
fn every_wrong_setting_is_named_at_once_but_not_to_users() {
    let wrong = [("COGWIT_MAX_FUEL", "lots"), ("COGWIT_MASQUE", "on"), ("COGWIT_MAX_MEMORY", "1 MiB")];
    let host = Host::with(&Package::of_probe("allow", ""), &wrong);
    assert_eq!(host.ends().code(), Some(1));
    let seen = host.api.seen();
    let [post] = seen.posts.as_slice() else { panic!("{:?}", seen.posts) };
    assert_eq!((post.path.as_str(), post.error_type()), ("init/error", Some("Runtime.InitError")));
    let mistakes = [
        "COGWIT_MASQUE is not known; did you mean COGWIT_MASK? `cogwit help config` lists them",
        "COGWIT_MAX_FUEL is `lots`: write a number such as `10_000_000`",
    ];
    assert_eq!(post.json()["stackTrace"], serde_json::json!(mistakes));
    for mistake in mistakes {
        assert!(host.stderr().contains(mistake), "{}", host.stderr());
    }
}

#[test]
fn a_setting_that_is_no_text_is_not_passed_over() {
    let wrong = std::ffi::OsStr::from_bytes(b"1\xff");
    let host = Host::with_os(&Package::empty(), &[("COGWIT_MAX_FUEL", wrong)]);
    assert_eq!(host.ends().code(), Some(1));
    assert!(host.stderr().contains("COGWIT_MAX_FUEL is `1\u{fffd}`: write a number"), "{}", host.stderr());
}

#[test]
fn an_event_without_a_source_is_of_the_trigger_that_the_variable_names() {
    let package = Package::of_default(&Default::default());
    let host = Host::start(&package);
    assert_eq!(host.ask(WITHOUT_SOURCE).error_type(), Some("Function.EventRefused"));

    let message = "Cannot register users with username less than the minimum length of 5";
    let host = Host::with(&package, &[("COGWIT_TRIGGER", "pre-sign-up")]);
    host.api.declare(message);
    assert_eq!(host.ask(WITHOUT_SOURCE).json()["errorMessage"], message);
    let host = Host::with(&package, &[("COGWIT_TRIGGER", "pre-authentication")]);
    assert_eq!(host.ask(WITHOUT_SOURCE).text(), WITHOUT_SOURCE);
}

#[test]
fn the_policies_may_lie_elsewhere() {
    let (package, elsewhere) = (Package::empty(), Package::of_probe("allow", ""));
    let policies = elsewhere.path().join("policies");
    let host = Host::with(&package, &[("COGWIT_POLICIES", policies.to_str().unwrap())]);
    assert_eq!(host.ask(WITHOUT_SOURCE).text(), WITHOUT_SOURCE);
}

#[test]
fn a_policy_that_asks_for_more_than_the_caps_does_not_serve() {
    let host = Host::with(&Package::of_probe("allow", "limits = { fuel = 5_000 }"), &[("COGWIT_MAX_FUEL", "4_000")]);
    assert_eq!(host.ask(WITHOUT_SOURCE).error_type(), Some("Function.PolicyFault"));
    host.says("fuel");
}
