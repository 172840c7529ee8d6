//! Holds capabilities to what they give, and to what the record says of them.

use std::fs;
use std::time::{Duration, SystemTime};

use cogwit_core::run::{Chance, Consumed, LogLevel};
use cogwit_core::store::PolicySet;
use cogwit_core::{Call, Decision, decide};

use crate::support::{decided, probe, probes, reply, set_of};

const EVENT: &[u8] = br#"{"userName":"rroe","triggerSource":"PreSignUp_SignUp","response":{}}"#;

fn with(set: &PolicySet, chance: Chance) -> Decision {
    decide(set, &Call::new(EVENT, "it", chance))
}

#[test]
fn secrets_differ_and_agree_under_one_seed() {
    let set = set_of(&probe("create-secret"), "capabilities = ['random']").unwrap();
    let first = decided(&set, EVENT);
    assert_eq!(first.runs[0].usage.consumed, Consumed { clock: false, random: true });
    assert_ne!(reply(&first), reply(&decided(&set, EVENT)));
    let seeded = |seed| reply(&with(&set, Chance { seed: Some(seed), ..Chance::real() }));
    assert_eq!(seeded(7), seeded(7));
    assert_ne!(seeded(7), seeded(8));
}

#[test]
fn the_clock_stands_at_the_time_of_the_call() {
    let set = set_of(&probe("tell-time"), "capabilities = ['clock']").unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(0x1234_5678);
    let decision = with(&set, Chance { now, seed: None });
    assert_eq!(decision.reply.unwrap_err().error_message, "aaaaaaaabcdefghi");
    assert_eq!(decision.runs[0].usage.consumed, Consumed { clock: true, random: false });
}

#[test]
fn a_decision_without_chance_says_so() {
    let decision = decided(&set_of(&probe("allow"), "").unwrap(), EVENT);
    assert_eq!(decision.runs[0].usage.consumed, Consumed::default());
}

#[test]
fn wasi_grants_clock_and_random_too_but_not_the_other_way_round() {
    assert!(set_of(&probe("create-secret"), "capabilities = ['wasi']").is_ok());
    let Err(rejected) = set_of(&probe("wasi-exit"), "capabilities = ['clock', 'random']") else {
        panic!("was admitted")
    };
    assert!(rejected.to_string().contains("`wasi:cli/exit@0.2.6`, which is not granted"), "{rejected}");
}

#[test]
fn a_locked_down_wasi_has_nothing() {
    let decision = decided(&set_of(&probe("wasi-environment"), "capabilities = ['wasi']").unwrap(), EVENT);
    assert_eq!(reply(&decision), EVENT);
}

#[test]
fn a_sleep_returns_at_once() {
    let decision = decided(&set_of(&probe("wasi-sleep"), "capabilities = ['wasi']").unwrap(), EVENT);
    assert_eq!(reply(&decision), EVENT, "{decision:?}");
    assert!(decision.runs[0].usage.call < Duration::from_millis(50));
}

#[test]
fn standard_output_is_the_log_line_by_line() {
    let decision = decided(&set_of(&probe("wasi-output"), "capabilities = ['wasi']").unwrap(), EVENT);
    let lines: Vec<_> = decision.runs[0]
        .logs
        .lines
        .iter()
        .map(|line| (line.level, line.context.as_str(), line.message.as_str()))
        .collect();
    let expected = [
        (LogLevel::Info, "stdout", "one"),
        (LogLevel::Info, "stdout", "two"),
        (LogLevel::Info, "stdout", "th"),
        (LogLevel::Warn, "stderr", "one"),
    ];
    assert_eq!(lines, expected);
}

/// `deny-short-username` built for wasm32-wasip2 with Rust's own standard library for WASI.
#[test]
fn a_policy_built_for_wasi_decides_as_the_one_built_without() {
    let wasi = set_of(&fs::read(probes().join("deny-short-username-wasip2.wasm")).unwrap(), "capabilities = ['wasi']")
        .unwrap();
    let plain = fs::read(crate::scenario::policies_wasm().join("deny-short-username.wasm")).unwrap();
    let plain = set_of(&plain, "").unwrap();
    for name in ["rroe", "rroe2", "", "\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}"] {
        let event = format!(r#"{{"userName":"{name}","request":{{}},"response":{{}}}}"#);
        assert_eq!(reply(&decided(&wasi, event.as_bytes())), reply(&decided(&plain, event.as_bytes())), "{name}");
    }
}
