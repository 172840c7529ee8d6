//! Holds each limit to its fault, with the others out of the way, and the host to its next decision.

use std::time::{Duration, Instant};

use cogwit_core::event::Trigger;
use cogwit_core::policy::{Caps, Limits};
use cogwit_core::run::{Chance, Fault, Key};
use cogwit_core::{Call, Decision, Outcome, Verdict, decide};

use crate::support::{ADMISSION, ALLOWING, decided, package_of, probe, reply, set_of};

const EVENT: &[u8] = br#"{"userName":"rroe","request":{"userAttributes":{"email":"r@example.com"}},"response":{}}"#;
const NEUTRAL: &str =
    r#"{"errorType":"Function.PolicyFault","errorMessage":"The request could not be completed, reference test"}"#;

/// Fuel and deadline out of the way, so that another guard has to hold alone.
const ALONE: &str = "fuel = '18446744073709551615', deadline = '1 h'";

/// The fault of a probe, how long it took, and that the host then decides the next event.
fn fault_of(name: &str, lines: &str) -> (Fault, Duration) {
    let set = set_of(&probe(name), lines).unwrap();
    let started = Instant::now();
    let decision = decided(&set, EVENT);
    let took = started.elapsed();
    assert!(matches!(decision.outcome, Outcome::Fault(_)), "{name}: {decision:?}");
    assert_eq!(String::from_utf8(reply(&decision)).unwrap(), NEUTRAL, "{name}");
    let next = decided(&ALLOWING, EVENT);
    assert_eq!(reply(&next), EVENT, "after {name}");
    (fault(&decision), took)
}

fn fault(decision: &Decision) -> Fault {
    match &decision.runs.last().unwrap().verdict {
        Verdict::Fault(fault) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endless_loop_ends_by_fuel_with_the_deadline_off() {
    let (fault, _) = fault_of("endless-loop", "limits = { fuel = 1_000_000, deadline = '1 h' }");
    assert_eq!(fault, Fault::Fuel { limit: 1_000_000 });
    assert!(fault.to_string().contains("raise the limit `fuel`"));
}

#[test]
fn an_endless_loop_ends_by_deadline_with_fuel_unlimited() {
    let (fault, took) = fault_of("endless-loop", "limits = { fuel = '18446744073709551615', deadline = '100 ms' }");
    assert!(matches!(fault, Fault::Deadline { limit, key: Key::Deadline, .. } if limit == Duration::from_millis(100)));
    assert!(took < Duration::from_millis(200), "took {took:?}");
}

#[test]
fn the_chain_has_a_deadline_of_its_own() {
    let text = "limits = { fuel = '18446744073709551615', deadline = '1 h' }\n[limits]\nchain-deadline = '50 ms'";
    let (fault, took) = fault_of("endless-loop", text);
    assert!(matches!(fault, Fault::Deadline { key: Key::ChainDeadline, .. }), "{fault:?}");
    assert!(took < Duration::from_millis(150), "took {took:?}");
}

#[test]
fn a_chain_that_is_over_runs_no_more_policies() {
    let policy = |at: usize| format!("[[policy]]\nname = 'p{at}'\ncomponent = 'it.wasm'\non-fault = 'allow'\n");
    let head = "limits = { fuel = '18446744073709551615', deadline = '1 h' }\non-fault = 'allow'\n";
    let rest: String = (0..50).map(policy).collect();
    let set = set_of(
        &probe("endless-loop"),
        &format!("{head}{rest}[limits]\nfuel = '18446744073709551615'\ndeadline = '1 h'\nchain-deadline = '50 ms'"),
    )
    .unwrap();
    let started = Instant::now();
    let decision = decided(&set, EVENT);
    assert!(started.elapsed() < Duration::from_millis(200), "took {:?}", started.elapsed());
    assert_eq!((decision.runs.len(), &decision.outcome), (51, &Outcome::Allow));
    assert!(matches!(fault(&decision), Fault::Deadline { key: Key::ChainDeadline, .. }));
    assert_eq!(decision.runs[50].usage.fuel.units, 0);
}

#[test]
fn a_memory_bomb_ends_by_memory() {
    let (fault, _) = fault_of("memory-bomb", &format!("limits = {{ memory = '1 MiB', {ALONE} }}"));
    assert_eq!(fault, Fault::Memory { limit: 1 << 20, asked: (1 << 20) + (64 << 10) });
    let decision = decided(&set_of(&probe("memory-bomb"), "limits = { memory = '1 MiB' }").unwrap(), EVENT);
    assert_eq!(decision.runs[0].usage.memory, 1 << 20);
}

#[test]
fn a_result_over_the_limit_is_a_fault_that_names_it() {
    let lines = format!("limits = {{ {ALONE} }}");
    assert_eq!(fault_of("huge-message", &lines).0, Fault::Output { limit: 256 << 10 });
    // With room for it the same probe is a denial, whose message has no printable character.
    let decision = decided(&set_of(&probe("huge-message"), "limits = { output = '1 MiB' }").unwrap(), EVENT);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(decision.warnings[0].code, "empty-message");
}

#[test]
fn traps_stack_overflow_and_broken_values_have_their_kinds() {
    for (name, kind) in [("trap", "trap"), ("deep-recursion", "stack"), ("bad-text", "value")] {
        assert_eq!(fault_of(name, "").0.kind(), kind);
    }
}

/// Each limit of a set is laid over by a policy's own, and neither goes above the host's cap.
#[test]
fn each_limit_can_be_set_and_overridden_and_is_capped() {
    let set = set_of(
        &probe("allow"),
        "limits = { fuel = 2_000_000, deadline = '20 ms', memory = '2 MiB', output = '2 KiB', log-lines = 2, log-bytes = '2 B' }
        [[policy]]
        name = 'plain'
        component = 'it.wasm'
        [limits]
        fuel = 1_000_000
        deadline = '10 ms'
        memory = '1 MiB'
        output = '1 KiB'
        log-lines = 1
        log-bytes = '1 B'",
    )
    .unwrap();
    let limits = |times: u64| Limits {
        fuel: times * 1_000_000,
        deadline: Duration::from_millis(times * 10),
        memory: times << 20,
        output: times << 10,
        log_lines: times,
        log_bytes: times,
    };
    assert_eq!((&set.policies[0].limits, &set.policies[1].limits), (&limits(2), &limits(1)));

    let names = [
        ("fuel", "2_000_000", "COGWIT_MAX_FUEL"),
        ("deadline", "'20 ms'", "COGWIT_MAX_DEADLINE"),
        ("memory", "'2 MiB'", "COGWIT_MAX_MEMORY"),
        ("output", "'2 KiB'", "COGWIT_MAX_OUTPUT"),
        ("log-lines", "2", "COGWIT_MAX_LOG_LINES"),
        ("log-bytes", "'2 B'", "COGWIT_MAX_LOG_BYTES"),
    ];
    let caps = Caps { limits: limits(1), chain_deadline: Duration::from_secs(1) };
    for (key, value, variable) in names {
        for lines in [format!("limits = {{ {key} = {value} }}"), format!("[limits]\n{key} = {value}")] {
            let Err(rejected) = ADMISSION.admit(&package_of(&probe("allow"), &lines), &caps, |_| None) else {
                panic!("{lines} was admitted")
            };
            assert!(rejected.to_string().contains(&format!("raise {variable}")), "{lines}: {rejected}");
        }
    }
}

#[test]
fn a_fault_that_allows_leaves_the_event_alone() {
    let decision = decided(&set_of(&probe("trap"), "on-fault = 'allow'").unwrap(), EVENT);
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(reply(&decision), EVENT);
    assert_eq!(fault(&decision).kind(), "trap");
}

#[test]
fn a_fresh_instance_decides_every_event_alike() {
    let fuel: Vec<_> = (0..50).map(|_| decided(&ALLOWING, EVENT).runs[0].usage.fuel).collect();
    assert!(fuel.iter().all(|it| it == &fuel[0] && !it.at_least), "{fuel:?}");
}

#[test]
fn more_callers_than_slots_wait_for_their_turn() {
    let set = set_of(&probe("endless-loop"), "limits = { fuel = 1_000_000 }").unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(|| fault(&decided(&set, EVENT)).kind())).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == "fuel"));
    });
}

#[test]
fn deadlines_are_measured_by_the_calls_clock() {
    let set = set_of(&probe("endless-loop"), "limits = { fuel = 100_000_000, deadline = '10 ms' }").unwrap();
    let started = Instant::now();
    let call = |clock| Call { trigger: Some(Trigger::PreSignUp), clock, ..Call::new(EVENT, "test", Chance::real()) };
    assert_eq!(fault(&decide(&set, &call(Instant::now))).kind(), "deadline");
    // A clock that stands still is one of a process that is paused all the time.
    static PAUSED: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    assert_eq!(fault(&decide(&set, &call(|| *PAUSED))).kind(), "fuel");
    assert_eq!(fault(&decide(&set, &call(cogwit_core::run::processor_time))).kind(), "deadline");
    assert!(started.elapsed() > Duration::from_millis(20));
}
