//! Is what the host knows of one instance while it runs.

use std::sync::Arc;

use wasmtime::{StoreContextMut, Trap};

use super::chance::Draw;
use super::imports::Log;
use super::limiter::Limiter;
use crate::policy::Settings;

/// The data of an instance's store.
pub(super) struct Context {
    pub(super) limiter: Limiter,
    pub(super) settings: Arc<Settings>,
    pub(super) raw_event: Arc<str>,
    pub(super) log: Log,
    pub(super) draw: Draw,
}

/// What a call to the host costs before its bytes are counted, in fuel: about what the call itself takes.
const CALL_FUEL: u64 = 100;

/// Takes the fuel for a call to the host that moves `bytes`. The work of the host itself is free of fuel to the engine, so
/// without this a guest could make the host work for nothing.
pub(super) fn charge(store: &mut StoreContextMut<'_, Context>, bytes: usize) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(CALL_FUEL.saturating_add(bytes as u64));
    store.set_fuel(left.unwrap_or(0))?;
    left.map_or_else(|| Err(Trap::OutOfFuel.into()), |_| Ok(()))
}
