//! Reads the records: one line of JSON for each event, whose metrics CloudWatch can read.

use cogwit_core::digest::sha256;
use cogwit_core::run::{WASMTIME, WIT_VERSION};
use cogwit_core::store::Source;
use serde_json::{Value, json};

use crate::host::Host;
use crate::package::Package;
use crate::probe::probe;

/// Holds a record to the rules of the embedded metric format. Every record of every test comes through here.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub(crate) fn is_valid(record: &Value) {
    let aws = &record["_aws"];
    assert!(aws["Timestamp"].as_u64().is_some_and(|time| time > 1_600_000_000_000), "{aws}");
    let directives = aws["CloudWatchMetrics"].as_array().unwrap();
    assert!(!directives.is_empty());
    for directive in directives {
        let namespace = directive["Namespace"].as_str().unwrap();
        assert!((1..=1024).contains(&namespace.len()) && !namespace.starts_with("AWS/"), "{namespace}");
        let dimensions = directive["Dimensions"].as_array().unwrap();
        assert!(!dimensions.is_empty());
        for set in dimensions {
            let names = set.as_array().unwrap();
            assert!(names.len() <= 30);
            for name in names {
                let value = record[name.as_str().unwrap()].as_str().unwrap_or_else(|| panic!("{name} of {record}"));
                assert!((1..=1024).contains(&value.len()) && value.is_ascii(), "{name}: {value}");
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!(record[name].is_number(), "{name} of {record}");
            assert!(["Count", "Microseconds", "Seconds"].contains(&metric["Unit"].as_str().unwrap()), "{metric}");
        }
    }
}

const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userPoolId":"eu-west-1_AbC","userName":"what do ya want for nothing?","callerContext":{"clientId":"app-7731"},"request":{},"response":{}}"#;

/// Denies with a reason.
const REASONED: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32) (i32.const 64))
  (data (i32.const 64) "\01\00\00\00\60\00\00\00\02\00\00\00\01\00\00\00\62\00\00\00\03\00\00\00")
  (data (i32.const 96) "Nobad"))"#;

/// A set of a probe that allows and one that denies for a reason.
fn two() -> Package {
    let policy = |name: &str| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\n");
    let reasoned = crate::probe::component_of(&wat::parse_str(REASONED).unwrap());
    Package::of(
        &format!("schema = 1\n[set]\nname = 'two'\n{}{}", policy("allow"), policy("reasoned")),
        &[("allow.wasm".to_owned(), probe("allow")), ("reasoned.wasm".to_owned(), reasoned)],
    )
}

fn recorded(host: &Host, event: &str) -> Value {
    let invocation = host.invocation(event);
    let id = invocation.id.clone();
    host.answer(invocation);
    host.record(&id)
}

#[test]
fn a_record_says_all_of_its_decision() {
    let package = two();
    let host = Host::start(&package);
    host.api.declare("No");
    let invocation = host.invocation(EVENT);
    let id = invocation.id.clone();
    host.answer(invocation);
    let record = host.record(&id);

    let expected = json!({
        "id": id, "function": "login", "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        "trigger": "pre-sign-up", "source": "PreSignUp_SignUp", "pool": "eu-west-1_AbC", "client": "app-7731",
        "level": "info", "decision": "deny", "reason": "bad", "cold": true,
        "versions": { "cogwit": env!("CARGO_PKG_VERSION"), "wit": WIT_VERSION, "wasmtime": WASMTIME },
        "Decisions": 1, "Denials": 1, "Faults": 0, "Unmatched": 0, "ColdStarts": 1, "SetAge": 0, "Fallback": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}");
    }
    let time = record["time"].as_str().unwrap();
    assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(record["Duration"].as_u64().unwrap() > 0);
    let document = Source::Document(package.path().join("policies/policies.toml")).read().unwrap().document;
    assert_eq!(record["set"], json!({ "name": "two", "digest": document.digest }));

    let policies = record["policies"].as_array().unwrap();
    for (policy, (name, verdict)) in policies.iter().zip([("allow", "allow"), ("reasoned", "deny")]) {
        assert_eq!(
            (&policy["name"], &policy["verdict"], &policy["mode"]),
            (&json!(name), &json!(verdict), &json!("enforce"))
        );
        let component = std::fs::read(package.path().join(format!("policies/{name}.wasm"))).unwrap();
        assert_eq!(policy["digest"], sha256(&component));
        assert_eq!(policy["memoryBytes"], 65_536);
        for number in ["fuel", "instantiateMicros", "callMicros", "releaseMicros"] {
            assert!(policy[number].is_u64(), "{number}: {policy}");
        }
        assert!(policy["fuel"].as_u64() > Some(0));
        assert!(policy.get("consumedClock").is_none() && policy.get("consumedRandom").is_none());
    }
    let fuel: u64 = policies.iter().map(|policy| policy["fuel"].as_u64().unwrap()).sum();
    assert_eq!((policies.len(), record["Fuel"].as_u64()), (2, Some(fuel)));
}

#[test]
fn only_the_first_event_is_cold() {
    let host = Host::start(&Package::of_probe("allow", ""));
    let cold: Vec<_> =
        (0..4).map(|_| recorded(&host, EVENT)).map(|it| (it["cold"].clone(), it["ColdStarts"].clone())).collect();
    assert_eq!(
        cold,
        [(json!(true), json!(1)), (json!(false), json!(0)), (json!(false), json!(0)), (json!(false), json!(0))]
    );
    assert_eq!(host.records(4).len(), 4);
}

#[test]
fn a_user_is_named_by_hmac_and_only_under_a_key() {
    let package = Package::of_probe("allow", "");
    let record = recorded(&Host::start(&package), EVENT);
    assert!(record.get("user").is_none() && !record.to_string().contains("ya want"), "{record}");
    // Test case 2 of RFC 4231.
    let record = recorded(&Host::with(&package, &[("COGWIT_MASK_KEY", "Jefe")]), EVENT);
    assert_eq!(record["user"], "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert!(!record.to_string().contains("ya want"), "{record}");
}

/// Allows, after it asked for a random number or the time.
const ASKS: [(&str, &str, &str); 2] = [
    (
        "random",
        r#"(import "wasi:random/random@0.2.6" "get-random-u64" (func $ask (result i64)))"#,
        "(drop (call $ask)) (i32.const 0)",
    ),
    (
        "clock",
        r#"(import "wasi:clocks/wall-clock@0.2.6" "now" (func $ask (param i32)))"#,
        "(call $ask (i32.const 32)) (i32.const 0)",
    ),
];

#[test]
fn chance_that_a_policy_took_is_recorded() {
    for (capability, import, body) in ASKS {
        let module = format!(
            r#"(module {import} (memory (export "memory") 1)
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
              (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32) {body}))"#
        );
        let host = Host::start(&Package::of_wat(&module, &format!("capabilities = ['{capability}']")));
        let policy = &recorded(&host, EVENT)["policies"][0];
        for (member, of) in [("consumedRandom", "random"), ("consumedClock", "clock")] {
            assert_eq!(policy.get(member), (of == capability).then_some(&json!(true)), "{policy}");
        }
    }
}

#[test]
fn an_event_that_nothing_answers_is_recorded() {
    let host = Host::start(&Package::of_probe("allow", "when = { client-id = ['other'] }"));
    let record = recorded(&host, EVENT);
    assert_eq!((&record["decision"], &record["Unmatched"], &record["Faults"]), (&json!("allow"), &json!(1), &json!(0)));
    assert_eq!(record["warnings"][0]["code"], "unmatched");
    assert_eq!(record["policies"], json!([]));
    let challenge = EVENT.replace("PreSignUp_SignUp", "DefineAuthChallenge_Authentication");
    let record = recorded(&host, &challenge);
    assert_eq!((&record["decision"], &record["Unmatched"], &record["Faults"]), (&json!("fault"), &json!(1), &json!(1)));
    assert_eq!(record["trigger"], "define-auth-challenge");
}
