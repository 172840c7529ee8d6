//! Makes the engine: the one place that fixes how WebAssembly is compiled, metered and placed in memory.
//!
//! Nothing here is optional. Fuel, replies and native artifacts are only equal in two hosts whose settings are equal, so
//! every host has these, and [`FINGERPRINT`] names them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{
    Config, InstanceAllocationStrategy, ModuleVersionStrategy, OperatorCost, PoolingAllocationConfig,
    VariableOperatorCost,
};

/// The version of wasmtime, which decides what a unit of fuel is.
pub const WASMTIME: &str = "48.0.8";

/// Names wasmtime's version and the revision of the settings in this file. Raise the revision with any change here that machine
/// code or fuel depends on.
pub const FINGERPRINT: &str = "wasmtime-48.0.8+engine1";

/// How often the clock that deadlines are checked by ticks.
const TICK: Duration = Duration::from_millis(5);

/// The stack of WebAssembly code, in bytes. Overflow is a fault, never a crash.
const STACK_BYTES: usize = 512 << 10;

/// Core instances in one component. A policy in Rust has three, one in JavaScript about ten, one in Python 40.
pub(super) const CORE_INSTANCES: u32 = 64;
/// Linear memories in one component.
pub(super) const MEMORIES: u32 = 4;
/// Tables in one component.
pub(super) const TABLES: u32 = 16;
/// Elements that one table can have.
const TABLE_ELEMENTS: usize = 100_000;

/// What a 32-bit memory can hold, in bytes.
const MOST_MEMORY: u64 = 4 << 30;

/// Memory that stays resident in a free slot, in bytes: a policy that stays within it causes no page fault.
const KEEP_RESIDENT: usize = 128 << 10;
const TABLE_KEEP_RESIDENT: usize = 64 << 10;

/// A unit of fuel is about one instruction; growing a memory by a page of 64 KiB costs a mapping and page faults.
const FUEL_PER_GROWN_PAGE: u8 = u8::MAX;

/// Compiles and runs components. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    slots: Arc<Slots>,
}

/// Why no engine could be made.
#[derive(Debug, thiserror::Error)]
#[error("this host cannot run WebAssembly: {0}")]
pub struct EngineError(String);

impl Engine {
    /// Makes an engine that runs up to `slots` policies at once, 1 to 1,000; further ones wait. `memory` is the most that one
    /// policy may ask for, in bytes; beyond 4 GiB there is nothing to ask for.
    ///
    /// # Errors
    ///
    /// Where the processor is not supported, or the slots cannot be reserved.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn new(slots: u32, memory: u64) -> Result<Self, EngineError> {
        let slots = slots.clamp(1, 1_000);
        let config = config(slots, memory).map_err(|error| EngineError(format!("{error:#}")))?;
        let engine = wasmtime::Engine::new(&config).map_err(|error| EngineError(format!("{error:#}")))?;
        tick(&engine).map_err(|error| EngineError(format!("no thread for the clock: {error}")))?;
        Ok(Self {
            wasmtime: engine,
            slots: Arc::new(Slots { state: Mutex::new(State { free: slots, waiting: 0 }), freed: Condvar::new() }),
        })
    }

    /// Waits for a free slot, but no longer than `patience`; with none left, not at all.
    pub(super) fn slot(&self, patience: Duration) -> Option<Slot<'_>> {
        if patience.is_zero() {
            return None;
        }
        let mut state = self.slots.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.free == 0 {
            state.waiting += 1;
            let waited = self.slots.freed.wait_timeout_while(state, patience, |state| state.free == 0);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
        state.free = state.free.checked_sub(1)?;
        Some(Slot(&self.slots))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn config(slots: u32, memory: u64) -> wasmtime::Result<Config> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots * CORE_INSTANCES)
        .total_memories(slots * MEMORIES)
        .total_tables(slots * TABLES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(memory.min(MOST_MEMORY))?)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT);
    let mut config = Config::new();
    config
        // An explicit target keeps the builder's CPU out of native artifacts and replies.
        .target(&target_lexicon::HOST.to_string())?
        .module_version(ModuleVersionStrategy::Custom(FINGERPRINT.to_owned()))?
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(true)
        .operator_cost(OperatorCost {
            MemoryGrow: FUEL_PER_GROWN_PAGE,
            variable: VariableOperatorCost { memory_grow_per_page: FUEL_PER_GROWN_PAGE, ..VariableOperatorCost::new() },
            ..OperatorCost::new()
        })
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .memory_init_cow(true)
        .concurrency_support(false);
    Ok(config)
}

/// Advances the epoch for as long as the engine lives.
fn tick(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let weak = engine.weak();
    std::thread::Builder::new().name("cogwit-clock".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}

/// Counts the free slots of the pool, so that load waits instead of failing.
struct Slots {
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    free: u32,
    /// Who waits. Waking costs a system call, which nobody needs to pay while there is room.
    waiting: u32,
}

/// A slot of the pool, given back when dropped.
pub(super) struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free += 1;
        if state.waiting > 0 {
            self.0.freed.notify_one();
        }
    }
}
