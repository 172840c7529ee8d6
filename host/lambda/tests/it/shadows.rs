//! Lets policies look on once the answer is posted: it does not wait for them, and the record has all of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::host::Host;
use crate::package::Package;
use crate::probe::probe;

const EVENT: &str =
    r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","request":{"userAttributes":{}},"response":{}}"#;

/// A set of a probe that allows, at which these look on.
fn watched_by(probes: &[&str], lines: &str) -> Package {
    let shadow = |name: &&str| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\nmode = 'shadow'\n");
    let shadows: String = probes.iter().map(shadow).collect();
    let document = format!(
        "schema = 1\n[set]\nname = 'watched'\n[limits]\ndeadline = '1 s'\n{lines}[[policy]]\nname = 'answers'\ncomponent = 'allow.wasm'\n{shadows}"
    );
    let names: BTreeSet<_> = probes.iter().chain(&["allow"]).collect();
    Package::of(&document, &names.iter().map(|name| (format!("{name}.wasm"), probe(name))).collect::<Vec<_>>())
}

#[test]
fn what_looks_on_is_in_the_record_alone() {
    let host = Host::start(&watched_by(&["allow", "trap", "endless-loop", "memory-bomb"], "fuel = 1_000_000\n"));
    for _ in 0..3 {
        assert_eq!(host.ask(EVENT).text(), EVENT);
    }
    host.rests();
    for record in host.records() {
        let said = |key: &str| (1..5).map(|at| record["policies"][at][key].clone()).collect::<Vec<_>>();
        assert_eq!(said("agrees"), [true, false, false, false], "{record}");
        let kinds: Vec<_> = (2..5).map(|at| record["policies"][at]["fault"]["kind"].clone()).collect();
        assert_eq!(kinds, ["trap", "fuel", "memory"]);
        assert_eq!((record["level"].as_str(), record["Faults"].as_u64()), (Some("info"), Some(0)), "{record}");
        assert_eq!(record["ShadowDiffers"], 3);
    }
    assert_eq!(host.records().len(), 3);
}

#[test]
fn an_answer_does_not_wait_for_what_hangs() {
    let host = Host::start(&watched_by(&["endless-loop"], "fuel = 5_000_000_000\nchain-deadline = '1500 ms'\n"));
    let since = Instant::now();
    assert_eq!(host.ask(EVENT).text(), EVENT);
    assert!(host.records().is_empty());
    host.rests();
    assert!(since.elapsed() > Duration::from_millis(1_500));
    assert_eq!(host.records()[0]["policies"][1]["fault"]["kind"], "deadline");
}

#[test]
fn what_looks_on_ends_before_lambda_would_end_the_function() {
    let host = Host::start(&watched_by(&["endless-loop"], "fuel = 5_000_000_000\nchain-deadline = '4 s'\n"));
    let since = Instant::now();
    let mut invocation = host.invocation(EVENT);
    invocation.time = Duration::from_secs(2);
    assert_eq!(host.answer(invocation).text(), EVENT);
    host.rests();
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    assert_eq!(host.records().len(), 1);
}
