//! Prepares components: each one once, and without holding up whoever needs another.
//!
//! A component that costs much is compiled on a thread of its own. Its caller gives up after a time, so that a host can turn to
//! another release meanwhile; the next call for the same component waits on for the same thread. There is at most one such thread
//! that nobody waits for.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::policy::Capability;
use crate::run::{Engine, Native, Prepared, ShapeError};

/// What is compiled on the caller's own thread, in units of work: it takes some seconds at most.
const MAX_COST_INLINE: u64 = 4_000_000;

/// How often the time that was waited is counted. A pause of the whole process counts as two of these.
const STEP: Duration = Duration::from_millis(100);

/// What a component is known by: its digest and what it was granted.
type Key = (String, BTreeSet<Capability>);

/// A component, and why there was machine code that was not used; or why it cannot run.
type Made = Result<(Arc<Prepared>, Option<String>), Vec<ShapeError>>;

/// What is given to be prepared.
#[derive(Clone, Copy)]
pub(super) struct Artifact<'a> {
    pub(super) digest: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) native: Option<&'a Result<Native, String>>,
    pub(super) granted: &'a BTreeSet<Capability>,
}

/// The components that living sets have, and those that are being compiled.
pub(super) struct Components {
    engine: Engine,
    known: Mutex<BTreeMap<Key, Entry>>,
}

enum Entry {
    Ready(Weak<Prepared>),
    Compiling(Arc<Job>),
}

/// One component on its way.
#[derive(Default)]
struct Job {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    made: Option<Made>,
    /// Whether it is on a thread of its own.
    outlives_callers: bool,
    /// How many wait for it.
    callers: usize,
}

/// How much may be compiled.
pub(super) struct Bounds<'a> {
    /// The largest component, in bytes.
    pub(super) bytes: usize,
    /// What a set may cost, in units of work.
    pub(super) max_cost: u64,
    /// What is left of that.
    pub(super) cost_left: &'a Cell<u64>,
    /// How long a caller waits.
    pub(super) timeout: Duration,
}

impl Components {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, known: Mutex::default() }
    }

    /// The component with this digest and these grants, made now or for a set that still lives.
    pub(super) fn prepare(&self, artifact: Artifact<'_>, bounds: &Bounds<'_>) -> Made {
        let key = (artifact.digest.to_owned(), artifact.granted.clone());
        let job = match self.find(&key) {
            Found::Ready(prepared) => return Ok((prepared, None)),
            Found::Compiling(job) => job,
            Found::New(job) => {
                // Whatever happens, nobody waits for a job that never ends.
                if catch_unwind(AssertUnwindSafe(|| self.start(artifact, bounds, &job))).is_err() {
                    job.finish(panicked());
                }
                job
            }
        };
        let made = job.wait(bounds.timeout);
        let mut known = lock(&self.known);
        known.retain(|_, entry| match entry {
            Entry::Ready(prepared) => prepared.strong_count() > 0,
            Entry::Compiling(_) => true,
        });
        match &made {
            Some(Ok((prepared, _))) if !job.outlives_callers() => {
                drop(known.insert(key, Entry::Ready(Arc::downgrade(prepared))));
            }
            Some(Err(_)) => drop(known.remove(&key)),
            // What took long is kept, for a set that has more than one of these.
            Some(Ok(_)) | None => {}
        }
        made.unwrap_or_else(|| Err(vec![ShapeError::SlowToCompile { limit: bounds.timeout }]))
    }

    /// Lets go of what was kept because it took long. For when a set was judged: it has what it needs, or asks no more.
    pub(super) fn let_go(&self) {
        lock(&self.known).retain(|_, entry| match entry {
            Entry::Ready(_) => true,
            Entry::Compiling(job) => match job.made() {
                None => true,
                Some(Err(_)) => false,
                Some(Ok((prepared, _))) => {
                    *entry = Entry::Ready(Arc::downgrade(&prepared));
                    true
                }
            },
        });
    }

    fn find(&self, key: &Key) -> Found {
        let mut known = lock(&self.known);
        match known.get(key) {
            Some(Entry::Ready(prepared)) => {
                if let Some(prepared) = prepared.upgrade() {
                    return Found::Ready(prepared);
                }
            }
            Some(Entry::Compiling(job)) => return Found::Compiling(job.clone()),
            None => {}
        }
        let job = Arc::<Job>::default();
        known.insert(key.clone(), Entry::Compiling(job.clone()));
        Found::New(job)
    }

    /// Makes a component: from machine code, by compiling it here, or where that costs much, on a thread of its own.
    fn start(&self, artifact: Artifact<'_>, bounds: &Bounds<'_>, job: &Arc<Job>) {
        let Artifact { bytes, native, granted, .. } = artifact;
        let unused = match native {
            None => None,
            Some(Err(reason)) => Some(reason.clone()),
            Some(Ok(native)) => match Prepared::new(&self.engine, bytes, Some(native), granted) {
                Err(errors) if errors.iter().any(|error| matches!(error, ShapeError::Native(_))) => {
                    Some(errors.iter().map(ToString::to_string).collect())
                }
                made => return job.finish(made.map(|prepared| (Arc::new(prepared), None))),
            },
        };
        let cost = match self.cost(bytes, unused.as_deref(), bounds) {
            Ok(cost) => cost,
            Err(error) => return job.finish(Err(vec![error])),
        };
        let compile = {
            let (engine, bytes, granted) = (self.engine.clone(), bytes.to_vec(), granted.clone());
            move || {
                let made = catch_unwind(AssertUnwindSafe(|| Prepared::new(&engine, &bytes, None, &granted)));
                match made {
                    Ok(made) => made.map(|prepared| (Arc::new(prepared), unused)),
                    Err(_) => panicked(),
                }
            }
        };
        if cost <= MAX_COST_INLINE {
            return job.finish(compile());
        }
        lock(&job.state).outlives_callers = true;
        let finished = job.clone();
        let started = thread::Builder::new().name("compiler".to_owned()).spawn(move || finished.finish(compile()));
        if let Err(error) = started {
            job.finish(Err(vec![ShapeError::Invalid(format!("no thread can be started to compile it: {error}"))]));
        }
    }

    /// What compiling a component costs, which is taken from what is left.
    fn cost(&self, bytes: &[u8], unused: Option<&str>, bounds: &Bounds<'_>) -> Result<u64, ShapeError> {
        let (size, most) = (bytes.len(), bounds.bytes);
        if size > most {
            let because = unused.map(|reason| format!(" ({reason})")).unwrap_or_default();
            return Err(ShapeError::TooLarge { size, most, because });
        }
        let (cost, left) = (self.engine.compile_cost(bytes)?, bounds.cost_left.get());
        if cost > left {
            return Err(ShapeError::CostlyAtStart { cost, left, max: bounds.max_cost });
        }
        if cost > MAX_COST_INLINE && self.is_busy() {
            return Err(ShapeError::CompilerBusy);
        }
        bounds.cost_left.set(left - cost);
        Ok(cost)
    }

    /// Whether something is being compiled that nobody waits for.
    fn is_busy(&self) -> bool {
        lock(&self.known).values().any(|entry| match entry {
            Entry::Ready(_) => false,
            Entry::Compiling(job) => {
                let state = lock(&job.state);
                state.outlives_callers && state.callers == 0 && state.made.is_none()
            }
        })
    }
}

fn panicked() -> Made {
    Err(vec![ShapeError::Invalid("the compiler panicked over it".to_owned())])
}

enum Found {
    Ready(Arc<Prepared>),
    Compiling(Arc<Job>),
    New(Arc<Job>),
}

impl Job {
    fn outlives_callers(&self) -> bool {
        lock(&self.state).outlives_callers
    }

    fn made(&self) -> Option<Made> {
        lock(&self.state).made.clone()
    }

    fn finish(&self, made: Made) {
        lock(&self.state).made = Some(made);
        self.changed.notify_all();
    }

    /// What came of it. `None`: it takes longer than `timeout`, in which a pause of the process does not count.
    fn wait(&self, timeout: Duration) -> Option<Made> {
        let (mut state, mut waited) = (lock(&self.state), Duration::ZERO);
        state.callers += 1;
        while state.made.is_none() && waited < timeout {
            let since = Instant::now();
            (state, _) = self.changed.wait_timeout(state, STEP).unwrap_or_else(PoisonError::into_inner);
            waited += since.elapsed().min(2 * STEP);
        }
        state.callers -= 1;
        state.made.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(150);

    fn made(text: &str) -> Made {
        Err(vec![ShapeError::Invalid(text.to_owned())])
    }

    #[test]
    fn a_caller_gives_up_and_a_later_one_gets_what_came_of_it() {
        let job = Arc::new(Job::default());
        assert!(job.wait(LIMIT).is_none());
        let finished = job.clone();
        let finish = thread::spawn(move || finished.finish(made("x")));
        let found = job.wait(Duration::from_secs(20)).map(Result::err);
        finish.join().unwrap();
        assert!(found == Some(made("x").err()));
    }

    #[test]
    fn what_nobody_waits_for_keeps_others_from_the_compiler_until_it_is_done() {
        let components = Components::new(Engine::new(1, 1 << 20).unwrap());
        let key = ("x".to_owned(), BTreeSet::new());
        let Found::New(job) = components.find(&key) else { panic!() };
        assert!(!components.is_busy());
        lock(&job.state).outlives_callers = true;
        assert!(job.wait(LIMIT).is_none() && components.is_busy());
        components.let_go();
        assert!(matches!(components.find(&key), Found::Compiling(_)));
        job.finish(made("x"));
        assert!(!components.is_busy());
        components.let_go();
        assert!(matches!(components.find(&key), Found::New(_)));
    }

    #[test]
    fn what_took_long_is_kept_until_its_set_was_judged() {
        let engine = Engine::new(1, 1 << 20).unwrap();
        let components = Components::new(engine.clone());
        let component = include_bytes!("../../../../policies-wasm/deny-short-username.wasm");
        let artifact = Artifact { digest: "x", bytes: component, native: None, granted: &BTreeSet::new() };
        let Found::New(job) = components.find(&("x".to_owned(), BTreeSet::new())) else { panic!() };
        lock(&job.state).outlives_callers = true;
        let prepared = Prepared::new(&engine, component, None, artifact.granted).unwrap();
        job.finish(Ok((Arc::new(prepared), None)));
        drop(job);
        let bounds = Bounds { bytes: 0, max_cost: 0, cost_left: &Cell::new(0), timeout: LIMIT };
        // Nothing may be compiled by these bounds, so each time it is the one that was kept.
        for _ in 0..2 {
            assert!(components.prepare(artifact, &bounds).is_ok());
        }
        components.let_go();
        assert!(components.prepare(artifact, &bounds).is_err());
    }
}
