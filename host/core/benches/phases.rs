//! Takes a decision apart: medians of its phases on one thread, and decisions a second on one and two.
//!
//! `cargo bench -p cogwit-core --bench phases`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints and fails loudly"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use cogwit_core::event::{Event, Trigger};
use cogwit_core::policy::Caps;
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, PolicySet, Source};
use cogwit_core::{Call, Decision, decide, route};

const EVENT: &[u8] = include_bytes!("../../tests/scenarios/pre-sign-up/default-set-confirms/event.json");
const RUNS: usize = 20_000;

fn call() -> Call<'static> {
    Call::new(EVENT, "bench", Chance::real())
}

fn decided(set: &PolicySet) -> Decision {
    decide(set, &call())
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let done = work();
    (started.elapsed(), done)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Decisions a second of `threads` at once.
fn rate(set: &PolicySet, threads: usize) -> f64 {
    let (took, ()) = timed(|| {
        std::thread::scope(|scope| {
            (0..threads).for_each(|_| drop(scope.spawn(|| (0..RUNS).for_each(|_| drop(decided(set))))));
        });
    });
    (threads * RUNS) as f64 / took.as_secs_f64()
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies-wasm");
    let admission = Admission::new(Engine::new(16, Caps::default().limits.memory).unwrap());
    for name in ["deny-short-username", "auto-confirm-domain", "access-gate"] {
        let package = Source::Components(vec![folder.join(format!("{name}.wasm"))]).read().unwrap();
        let set = admission.admit(&package, &Caps::default(), |_| None).unwrap();
        (0..1_000).for_each(|_| drop(decided(&set)));
        let parse = median((0..RUNS).map(|_| timed(|| Event::parse(EVENT).unwrap()).0).collect());
        let event = Event::parse(EVENT).unwrap();
        let route = median(
            (0..RUNS).map(|_| timed(|| route::chain(&event.header, Trigger::PreSignUp, &call(), &set)).0).collect(),
        );
        let runs: Vec<_> = (0..RUNS).map(|_| timed(|| decided(&set))).collect();
        let whole = median(runs.iter().map(|(took, _)| *took).collect());
        let usage = |pick: fn(&Decision) -> Duration| median(runs.iter().map(|(_, decision)| pick(decision)).collect());
        let instantiate = usage(|decision| decision.runs[0].usage.instantiate);
        let call = usage(|decision| decision.runs[0].usage.call);
        let release = usage(|decision| decision.runs[0].usage.release);
        println!("{name}: {whole:.2} us in all (median of {RUNS})");
        println!(
            "  parse {parse:.2}, route {route:.2}, store and instantiate {instantiate:.2}, lower, call and lift {call:.2},"
        );
        println!(
            "  drop {release:.2}; the sandbox is {:.2}, and {:.1} times a reused instance",
            instantiate + call + release,
            (instantiate + call + release) / call
        );
        let (one, two) = (rate(&set, 1), rate(&set, 2));
        println!("  {one:.0} decisions a second on one thread, {two:.0} on two: {:.2} times", two / one);
    }
}
