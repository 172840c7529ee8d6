//! Plants secrets in events, has policies write all that they get to know, and looks for the secrets in all that comes out.

use std::fmt::Write;

use crate::host::Host;
use crate::package::Package;
use crate::probe::TAKES_IN;

/// What a policy may import, by the name under which its body calls it.
const IMPORTS: [(&str, &str); 5] = [
    ("$raw", r#""cogwit:triggers/raw-event@0.1.0" "get" (func $raw (param i32))"#),
    ("$log", r#""wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32))"#),
    ("$stdout", r#""wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32))"#),
    ("$stderr", r#""wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32))"#),
    (
        "$write",
        r#""wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32))"#,
    ),
];

/// Reads the event into memory.
const READS: &str = r#"
  (data (i32.const 128) "panic")
  (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32)
    (local $done i32) (local $some i32)
    (call $raw (i32.const 32))"#;

/// Its message and its reason are the event.
const DENIES: &str = "(i32.store8 (i32.const 64) (i32.const 1))
  (i32.store (i32.const 68) (call $at)) (i32.store (i32.const 72) (call $length))
  (i32.store8 (i32.const 76) (i32.const 1))
  (i32.store (i32.const 80) (call $at)) (i32.store (i32.const 84) (call $length))
  (i32.const 64)";

/// It logs the event as context and message.
const LOGS: &str = "(call $log (i32.const 4) (call $at) (call $length) (call $at) (call $length))";

/// It panics with the event, as the SDK logs a panic.
const PANICS: &str = "(call $log (i32.const 5) (i32.const 128) (i32.const 5) (call $at) (call $length)) (unreachable)";

/// It prints the event, 7 bytes at a time, to both streams.
const PRINTS: &str = "(loop $again
    (local.set $some (i32.sub (call $length) (local.get $done)))
    (if (i32.gt_u (local.get $some) (i32.const 7)) (then (local.set $some (i32.const 7))))
    (call $write (call $stdout) (i32.add (call $at) (local.get $done)) (local.get $some) (i32.const 16))
    (call $write (call $stderr) (i32.add (call $at) (local.get $done)) (local.get $some) (i32.const 16))
    (local.set $done (i32.add (local.get $done) (local.get $some)))
    (br_if $again (i32.lt_u (local.get $done) (call $length))))";

/// A policy that reads the event and does this.
fn policy(body: &str, lines: &str) -> Package {
    let module = format!("{TAKES_IN}{READS} {body})");
    let imported = IMPORTS
        .iter()
        .filter(|(name, _)| module.contains(&format!("(call {name} ")) || module.contains(&format!("(call {name})")));
    let imports = imported.fold(String::new(), |text, (_, import)| text + "(import " + import + ")\n");
    let wasi = if module.contains("(call $write ") { "capabilities = ['wasi']\n" } else { "" };
    Package::of_wat(&format!("(module {imports}{module})"), &format!("{wasi}{lines}"))
}

/// Members whose values nobody may read, with values that languages write in several ways.
const SECRETS: [(&str, &str); 13] = [
    ("password", r#""Hunter-\"2\"\\\u00fc""#),
    ("challengeAnswer", "\"834201\""),
    ("privateChallengeParameters", r#"{"answer":"private-4711","more":{"deep":["private-in-list",40962048]}}"#),
    ("challengeMetadata", "\"META-CODE-99\""),
    ("code", "730512"),
    ("tokenResponse", r#"{"access_token":"tok-access","expires_in":3600599}"#),
    ("idToken", r#"{"sub":"id-token-sub","aud":["id-token-aud"]}"#),
    ("samlResponse", "\"<saml:Assertion>PHNhbWw+</saml:Assertion>\""),
    ("FEEDBACK_TOKEN", "\"feedback-tok\""),
    ("ONE_CLICK_LINK_VALID", "\"https://idp.example/valid?t=ocv\""),
    ("ONE_CLICK_LINK_INVALID", "\"https://idp.example/invalid?t=oci\""),
    ("ONE_CLICK_ANYTHING", "\"line one secret\\nline two secret\""),
    ("\\u0070assword", "\"escaped-name\""),
];

/// What of them must not be found.
const PLANTED: [&str; 20] = [
    "Hunter",
    "834201",
    "private-4711",
    "private-in-list",
    "40962048",
    "META-CODE",
    "730512",
    "tok-access",
    "3600599",
    "id-token-sub",
    "id-token-aud",
    "Assertion",
    "PHNhbWw",
    "feedback-tok",
    "t=ocv",
    "t=oci",
    "line one",
    "line two",
    "escaped-name",
    "u00fc",
];

/// Values that tell of a person.
const PERSONAL: [&str; 5] = ["ingrid.olsen", "ingrid@example.com", "+4712345678", "Storgata 1", "campaign-77"];

/// What the policies tell the user is the event. How it begins is no secret.
const START: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.olsen","request":{"#;

/// An event with each of the secrets somewhere in its request.
fn event() -> String {
    let mut request = String::new();
    for (number, (name, value)) in SECRETS.iter().enumerate() {
        match number % 3 {
            0 => write!(request, r#""{name}":{value},"#),
            1 => write!(request, r#""in{number}":{{"{name}":{value}}},"#),
            _ => write!(request, r#""session{number}":[{{"plain":1}},{{"{name}" : {value} }}],"#),
        }
        .unwrap();
    }
    format!(
        r#"{START}{request}"userAttributes":{{"email":"ingrid@example.com","phone_number":"+4712345678","address":"Storgata 1\n0155 Oslo"}},"clientMetadata":{{"campaign":"campaign-77"}}}},"response":{{}}}}"#
    )
}

/// Sends the event and gives all that came out: both streams and the answer.
fn all_of(package: &Package, variables: &[(&str, &str)], event: &str) -> String {
    let host = Host::with(package, variables);
    let invocation = host.invocation(event);
    let id = invocation.id.clone();
    host.api.declare_start(START);
    let answer = host.answer(invocation);
    host.record(&id);
    let body = if answer.path.ends_with("/error") { answer.text() } else { "" };
    format!("{}\n{}\n{body}", host.stdout(), host.stderr())
}

#[track_caller]
fn holds_none(text: &str, values: &[&str]) {
    for value in values {
        assert!(!text.contains(value), "`{value}` stands in {text}");
    }
}

fn telling() -> [(&'static str, Package); 4] {
    [
        ("logs and denies", policy(&format!("{LOGS} {DENIES}"), "")),
        ("panics", policy(PANICS, "")),
        ("prints", policy(&format!("{PRINTS} (i32.const 0)"), "")),
        ("cuts", policy(&format!("{PRINTS} {LOGS} (i32.const 0)"), "limits = { log-bytes = 700 }")),
    ]
}

#[test]
fn the_events_secrets_are_written_nowhere() {
    for (what, package) in telling() {
        println!("{what}");
        for mask in ["on", "off"] {
            let all = all_of(&package, &[("COGWIT_MASK", mask)], &event());
            assert!(all.contains("***") && all.contains("META") == all.contains("META-CODE"), "{all}");
            holds_none(&all, &PLANTED);
        }
    }
}

#[test]
fn what_tells_of_a_person_is_written_only_where_masking_is_off() {
    for (what, package) in telling() {
        println!("{what}");
        let host = Host::start(&package);
        host.api.declare_start(START);
        let invocation = host.invocation(event());
        let id = invocation.id.clone();
        host.answer(invocation);
        host.record(&id);
        holds_none(&host.stdout(), &PERSONAL);
        holds_none(&host.stdout(), &["0155 Oslo"]);
        holds_none(&host.stderr(), &PERSONAL);
        if what == "cuts" {
            continue;
        }
        let all = all_of(&package, &[("COGWIT_MASK", "off")], &event());
        PERSONAL.iter().for_each(|value| assert!(all.contains(value), "{what}: no `{value}` in {all}"));
    }
}
