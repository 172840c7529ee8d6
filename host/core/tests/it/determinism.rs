//! Holds decisions to their fuel: the same for the same event, settings and component, wherever they run.

use cogwit_core::run::WASMTIME;

use crate::scenario;
use crate::support::{decided, reply, set_of};

/// Fuel of each shipped policy on one event. Another wasmtime, other engine settings or another build of the policies
/// changes these; then they are written anew, knowingly.
const FUEL: &[(&str, u64)] = &[
    ("access-gate", 7017),
    ("auto-confirm-domain", 5812),
    ("auto-confirm-verify", 4176),
    ("deny-short-username", 4497),
];

const EVENT: &[u8] = include_bytes!("../../../tests/scenarios/pre-sign-up/default-set-confirms/event.json");

fn fuel_of(name: &str) -> (u64, Vec<u8>) {
    let file = scenario::policies_wasm().join(format!("{name}.wasm"));
    // Only fuel may end these, however busy the machine is.
    let set =
        set_of(&std::fs::read(file).unwrap(), "limits = { deadline = '30 s' }\n[limits]\nchain-deadline = '60 s'")
            .unwrap();
    let first = decided(&set, EVENT);
    let told = (first.runs[0].usage.fuel.units, reply(&first));
    std::thread::scope(|scope| {
        let runs = || {
            (0..250).all(|_| {
                let again = decided(&set, EVENT);
                (again.runs[0].usage.fuel.units, reply(&again)) == told
            })
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(runs)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()), "{name} is not the same each time");
    });
    told
}

#[test]
fn a_thousand_decisions_over_four_threads_cost_the_same() {
    // A set that another compiler built is other code.
    let pinned = std::env::var_os("POLICIES_WASM").is_none();
    let measured: Vec<_> = FUEL.iter().map(|(name, _)| (*name, fuel_of(name).0)).collect();
    assert!(!pinned || measured == FUEL, "under wasmtime {WASMTIME}: {measured:?}");
}
