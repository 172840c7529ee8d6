//! Breaks what can break: policies, packages, the Runtime API. Every event is answered, and the host lives on.

use std::fmt::Write;

use http::StatusCode;

use crate::host::Host;
use crate::package::Package;
use crate::probe::probe;
use crate::runtime_api::Invocation;

/// Probes and the faults that they come to. Each answers the events of the app client of its name.
const HOSTILE: [(&str, &str); 9] = [
    ("endless-loop", "fuel"),
    ("memory-bomb", "memory"),
    ("trap", "trap"),
    ("unreachable", "trap"),
    ("panic-text", "trap"),
    ("deep-recursion", "stack"),
    ("huge-message", "output"),
    ("bad-text", "value"),
    ("looping-post-return", "fuel"),
];

/// A set of all of them, and of one probe that allows.
fn hostile() -> Package {
    let mut document = "schema = 1\n[set]\nname = 'hostile'\n[limits]\nfuel = 1_000_000\ndeadline = '2 s'\n".to_owned();
    let names = || HOSTILE.iter().map(|(name, _)| *name).chain(["allow"]);
    for name in names() {
        let policy = format!("name = '{name}'\ncomponent = '{name}.wasm'\nwhen = {{ client-id = ['{name}'] }}");
        writeln!(document, "[[policy]]\n{policy}").unwrap();
    }
    Package::of(&document, &names().map(|name| (format!("{name}.wasm"), probe(name))).collect::<Vec<_>>())
}

fn event(client: &str) -> String {
    format!(
        r#"{{"triggerSource":"PreSignUp_SignUp","userName":"rroe","callerContext":{{"clientId":"{client}"}},"request":{{"userAttributes":{{"email":"r@example.com"}}}},"response":{{}}}}"#
    )
}

#[test]
fn a_policy_that_breaks_is_one_fault_and_no_more() {
    let host = Host::start(&hostile());
    for (name, kind) in HOSTILE {
        let invocation = host.invocation(event(name));
        let id = invocation.id.clone();
        let answer = host.answer(invocation);
        assert_eq!(answer.error_type(), Some("Function.PolicyFault"), "{name}");
        assert_eq!(answer.json()["errorMessage"], format!("The request could not be completed, reference {id}"));
        let record = host.record(&id);
        assert_eq!((record["decision"].as_str(), record["Faults"].as_u64()), (Some("fault"), Some(1)), "{record}");
        assert_eq!(record["policies"][0]["fault"]["kind"], kind, "{record}");
        assert_eq!(host.ask(event("allow")).text(), event("allow"), "after {name}");
    }
}

/// In the quick gate; `LAMBDA_EVENTS` asks for another number.
const EVENTS: usize = 2_000;

/// What the host may take more after the first tenth of the events, in KiB: its allocator's slack.
const GROWTH: u64 = 2 << 10;

#[test]
fn thousands_of_events_with_faults_among_them_leave_it_as_it_was() {
    let events = std::env::var("LAMBDA_EVENTS").map_or(EVENTS, |events| events.parse().unwrap());
    let host = Host::start(&hostile());
    let mut before = 0;
    for number in 0..events {
        let (name, _) = HOSTILE[number % HOSTILE.len()];
        let answer = match number % 4 {
            0 => host.ask(event(name)),
            1 => host.ask("{\"cut"),
            _ => host.ask(event("allow")),
        };
        let fault = ["Function.PolicyFault", "Function.EventRefused"].get(number % 4).copied();
        assert_eq!(answer.error_type(), fault, "{number}: {name}");
        if number == events / 10 {
            before = host.resident();
        }
    }
    let after = host.resident();
    println!("{events} events: {before} KiB after a tenth, {after} KiB after all");
    assert!(after < before + GROWTH, "resident memory went from {before} to {after} KiB");
    assert!(host.lives());
}

#[test]
fn without_a_set_that_can_serve_every_event_is_refused() {
    let whole = || Package::of_probe("allow", "");
    let document = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\n";
    let cases = [
        (Package::empty(), "is no policy set"),
        (Package::empty().with("policies.toml", document), "cannot read"),
        (Package::empty().with("policies.toml", "schema = "), "TOML parse error"),
        (Package::empty().with("policies.toml", document).with("it.wasm", "no component"), "not WebAssembly"),
        (whole().with("it.wasm", "no component"), "has the digest"),
        (whole().with("policies.lock", "[["), "policies.lock"),
    ];
    for (package, part) in cases {
        let host = Host::start(&package);
        for _ in 0..3 {
            let invocation = host.invocation(event("allow"));
            let id = invocation.id.clone();
            assert_eq!(host.answer(invocation).error_type(), Some("Function.PolicyFault"));
            let record = host.record(&id);
            assert!(record["set"].is_null() && record["decision"] == "fault", "{record}");
            assert!(record["error"].as_str().unwrap().contains(part), "{part}: {record}");
        }
        host.says("error: no policy set can serve, so every event is refused");
        host.says(part);
    }
}

#[test]
fn a_large_component_without_machine_code_does_not_serve_and_says_why() {
    // A custom section of 256 KiB, which is nothing to run: its kind, its size, its name, and zeros.
    let section = [&[0, 0x82, 0x80, 0x10, 1, b'x'], vec![0; 256 << 10].as_slice()].concat();
    let package = Package::of_component([probe("allow"), section].concat(), "");
    let host = Host::start(&package);
    assert_eq!(host.ask(event("allow")).text(), event("allow"));
    let host = Host::start(&package.with("it.wasm.native", "cut"));
    assert_eq!(host.ask(event("allow")).error_type(), Some("Function.PolicyFault"));
    host.says("no machine code for this host (`it.wasm.native`: it has the digest");
}

#[test]
fn a_small_component_without_machine_code_is_compiled() {
    let package = Package::of_probe("allow", "").with("policies.lock", "");
    assert_eq!(Host::start(&package).ask(event("allow")).text(), event("allow"));
}

#[test]
fn an_answer_that_lambda_does_not_take_is_written_down() {
    let host = Host::start(&hostile());
    for status in [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::FORBIDDEN] {
        for event in [event("allow"), event("trap")] {
            let invocation = host.invocation(event);
            let id = invocation.id.clone();
            host.answer(Invocation { status: Some(status), ..invocation });
            host.says(&format!("error: the answer to {id} was not taken: the Runtime API says {}", status.as_u16()));
        }
    }
    assert_eq!(host.ask(event("allow")).text(), event("allow"));
}

#[test]
fn a_set_that_only_warns_serves_and_says_so() {
    let package = Package::of_probe("allow", "").with("it.wasm.native", "cut");
    let host = Host::start(&package);
    assert_eq!(host.ask(event("allow")).text(), event("allow"));
    host.says("warning: policy `it`: its machine code is not used, so the component was compiled");
}
