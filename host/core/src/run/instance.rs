//! Runs one instance: made for one event, called once, dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::Instance;
use wasmtime::{Store, UpdateDeadline};

use super::chance::{Chance, Draw};
use super::clock::Clock;
use super::context::Context;
use super::fault::{DeadlineHit, Fault, Key};
use super::imports::Log;
use super::limiter::Limiter;
use super::prepared::Prepared;
use super::usage::{Fuel, Logs, Usage};
use crate::policy::{Limits, Settings};

/// What a run has to live with.
pub(crate) struct World<'a> {
    pub(crate) limits: &'a Limits,
    /// When the whole chain must have ended.
    pub(crate) end: End,
    pub(crate) settings: &'a Arc<Settings>,
    pub(crate) raw_event: &'a Arc<str>,
    pub(crate) chance: Chance,
    /// The policy's place in the chain.
    pub(crate) place: usize,
    /// Fuel beside the policy's own, for taking in an event that is larger than usual.
    pub(crate) lowering: u64,
}

/// An end in time, and who set it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) since: Instant,
    pub(crate) limit: Duration,
    pub(crate) key: Key,
    pub(crate) clock: Clock,
}

impl End {
    /// How long it is until then.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        self.limit.saturating_sub(now.saturating_duration_since(self.since))
    }

    /// What broke where it has come by now.
    pub(crate) fn passed(&self) -> Option<Fault> {
        let now = (self.clock)();
        self.left(now).is_zero().then(|| (&self.hit(now)).into())
    }

    /// What it means that it has come by `now`.
    fn hit(&self, now: Instant) -> DeadlineHit {
        DeadlineHit { limit: self.limit, key: self.key, ran: now.saturating_duration_since(self.since) }
    }
}

/// What came of a run.
pub(crate) struct Ran<T> {
    pub(crate) result: Result<T, Fault>,
    pub(crate) usage: Usage,
    pub(crate) logs: Logs,
}

/// Makes an instance, does `work` with it and drops it. Fuel, deadline, memory and data limits hold from before the first
/// instruction, since instantiation runs the guest's code too.
pub(super) fn run<T>(
    prepared: &Prepared,
    world: &World<'_>,
    work: impl FnOnce(&mut Store<Context>, &Instance) -> wasmtime::Result<T>,
) -> Ran<T> {
    let clock = world.end.clock;
    let slot = prepared.engine.slot(world.end.left(clock()));
    let started = Instant::now();
    let mut instantiated = started;
    let since = clock();
    let own = End { since, limit: world.limits.deadline, key: Key::Deadline, clock };
    let end = if own.limit < world.end.left(since) { own } else { world.end };
    let mut store = store(prepared, world, end);
    // Without a slot the end has come while others ran.
    let tank = world.limits.fuel.saturating_add(world.lowering);
    let begun = store.set_fuel(tank);
    let begun = begun.and_then(|()| slot.as_ref().ok_or_else(|| world.end.hit(since).into()));
    let result = begun.and_then(|_| prepared.pre.instantiate(&mut store)).and_then(|instance| {
        instantiated = Instant::now();
        work(&mut store, &instance)
    });
    let ended = Instant::now();
    // The clock is only looked at while the guest runs; the host may have worked for it since.
    let result = result.and_then(|result| match clock() {
        now if end.left(now).is_zero() => Err(end.hit(now).into()),
        _ => Ok(result),
    });
    let left = store.get_fuel().unwrap_or_default();
    let Context { limiter, log, draw, .. } = store.into_data();
    let logs = log.into_logs();
    let limits = Limits { fuel: tank, ..world.limits.clone() };
    let result = result.map_err(|error| Fault::of(&error, &limits, &logs));
    let at_least = !matches!(result, Ok(_) | Err(Fault::Fuel { .. }));
    let usage = Usage {
        fuel: Fuel { units: tank.saturating_sub(left), at_least },
        memory: limiter.peak,
        consumed: draw.consumed,
        instantiate: instantiated.max(started) - started,
        call: ended - instantiated,
        release: ended.elapsed(),
    };
    Ran { result, usage, logs }
}

/// Handles of resources that an instance can hold. A policy has no use for more than a few.
const COMPONENT_HANDLES: usize = 1_000;

fn store(prepared: &Prepared, world: &World<'_>, end: End) -> Store<Context> {
    let limits = world.limits;
    let mut store = Store::new(
        &prepared.engine.wasmtime,
        Context {
            limiter: Limiter::new(limits.memory),
            settings: world.settings.clone(),
            raw_event: world.raw_event.clone(),
            log: Log::new(limits, world.settings.clone(), world.raw_event.clone(), &prepared.text_with(world.settings)),
            draw: Draw::new(world.chance, world.place),
        },
    );
    store.limiter(|context| &mut context.limiter);
    store.set_max_component_handles(COMPONENT_HANDLES);
    store.set_hostcall_fuel(usize::try_from(limits.output).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| match (end.clock)() {
        now if end.left(now).is_zero() => Err(end.hit(now).into()),
        _ => Ok(UpdateDeadline::Continue(1)),
    });
    store
}
