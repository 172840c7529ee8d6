//! Decides a million events, every tenth by a hostile policy: every answer right, and memory flat.
//!
//! `cargo bench -p cogwit-core --bench endurance`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a proof prints and fails loudly"
)]

#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/scenario.rs"]
mod scenario;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../tests/it/support.rs"]
mod support;

use cogwit_core::{Decision, Verdict};
use support::{ALLOWING, decided, probe, reply, set_of};

const EVENT: &[u8] = br#"{"userName":"rroe","request":{"userAttributes":{"email":"r@example.com"}},"response":{}}"#;
const DECISIONS: usize = 1_000_000;
const HOSTILE: [(&str, &str); 8] = [
    ("memory-bomb", "memory"),
    ("growing-table", "memory"),
    ("deep-recursion", "stack"),
    ("unreachable", "trap"),
    ("bad-text", "value"),
    ("lying-realloc", "value"),
    ("huge-message", "output"),
    ("wasi-exit", "refused"),
];

fn kind(decision: &Decision) -> &'static str {
    match &decision.runs[0].verdict {
        Verdict::Fault(fault) => fault.kind(),
        other => panic!("{other:?}"),
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let lines = "capabilities = ['wasi']\nlimits = { memory = '768 KiB', deadline = '5 s' }";
    let sets = HOSTILE.map(|(name, kind)| (set_of(&probe(name), lines).unwrap(), kind));
    let mut samples = Vec::new();
    for at in 0..DECISIONS {
        if at % 10 == 0 {
            let (set, expected) = &sets[at / 10 % sets.len()];
            assert_eq!(kind(&decided(set, EVENT)), *expected);
        } else {
            assert_eq!(reply(&decided(&ALLOWING, EVENT)), EVENT);
        }
        // Sampled over the first and the last thousand, after every set has run.
        if (1_000..2_000).contains(&at) || at >= DECISIONS - 1_000 {
            samples.push(resident());
        }
    }
    let mean = |samples: &[u64]| samples.iter().sum::<u64>() as f64 / samples.len() as f64;
    let (first, last) = (mean(&samples[..1_000]), mean(&samples[1_000..]));
    println!("{DECISIONS} decisions, every tenth hostile: resident {first:.0} KiB at first, {last:.0} KiB at last");
    assert!((last - first).abs() <= first * 0.02, "memory is not flat");
}
