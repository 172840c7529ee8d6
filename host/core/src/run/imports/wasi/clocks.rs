//! Gives `wasi:clocks`: one instant for a whole chain, on both clocks.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, LinkerInstance, Lower};

use super::io::ready;
use crate::run::context::{Context, charge};

pub(in crate::run) const WALL_CLOCK: &str = "wasi:clocks/wall-clock";
pub(in crate::run) const MONOTONIC_CLOCK: &str = "wasi:clocks/monotonic-clock";

/// What the clocks count in, in nanoseconds.
const RESOLUTION: u32 = 1_000_000;

/// `wasi:clocks/wall-clock#datetime`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Store<'a> = StoreContextMut<'a, Context>;

/// Adds the clocks and, for whoever can poll, timers that have run out already: a sleep returns at once.
pub(super) fn add_to(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    add_clock(linked, interface)?;
    if interface == MONOTONIC_CLOCK {
        for function in ["subscribe-instant", "subscribe-duration"] {
            linked
                .func_wrap(function, |mut store: Store<'_>, (_,): (u64,)| charge(&mut store, 0).map(|()| (ready(),)))?;
        }
    }
    Ok(())
}

/// Adds the functions that only tell the time.
pub(in crate::run) fn add_clock(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        WALL_CLOCK => {
            linked.func_wrap("now", |mut store: Store<'_>, (): ()| {
                charge(&mut store, 0)?;
                let now = store.data_mut().draw.now();
                Ok((Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() },))
            })?;
            linked
                .func_wrap("resolution", |_: Store<'_>, (): ()| Ok((Datetime { seconds: 0, nanoseconds: RESOLUTION },)))
        }
        MONOTONIC_CLOCK => {
            linked.func_wrap("now", |mut store: Store<'_>, (): ()| {
                charge(&mut store, 0)?;
                Ok((u64::try_from(store.data_mut().draw.now().as_nanos()).unwrap_or(u64::MAX),))
            })?;
            linked.func_wrap("resolution", |_: Store<'_>, (): ()| Ok((u64::from(RESOLUTION),)))
        }
        _ => Ok(()),
    }
}
