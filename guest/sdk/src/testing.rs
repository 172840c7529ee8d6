//! Stands in for the host in a policy's native unit tests.
//!
//! ```
//! use cogwit_sdk::{settings, testing::World};
//!
//! let run = World::default().setting("minimum-length", "8").run(|| settings::text("minimum-length", "5"));
//! assert_eq!(run.value, "8");
//! assert!(run.logs.is_empty());
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::log::Level;

/// What a policy under test sees of its host.
#[derive(Debug, Default)]
pub struct World {
    settings: BTreeMap<String, String>,
    raw_event: String,
    logs: Vec<(Level, String)>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run<T> {
    /// What the closure answered.
    pub value: T,
    /// What the policy logged, in order.
    pub logs: Vec<(Level, String)>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

impl World {
    /// Sets a setting.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets the text that the raw event has.
    #[must_use]
    pub fn raw_event(mut self, json: &str) -> Self {
        self.raw_event = json.to_owned();
        self
    }

    /// Runs `policy` in this world, on this thread.
    pub fn run<T>(self, policy: impl FnOnce() -> T) -> Run<T> {
        WORLD.replace(self);
        let value = policy();
        Run { value, logs: WORLD.take().logs }
    }
}

pub(crate) fn setting(key: &str) -> Option<String> {
    WORLD.with_borrow(|world| world.settings.get(key).cloned())
}

pub(crate) fn settings() -> Vec<(String, String)> {
    WORLD.with_borrow(|world| world.settings.clone().into_iter().collect())
}

pub(crate) fn log(level: Level, _context: &str, message: &str) {
    WORLD.with_borrow_mut(|world| world.logs.push((level, message.to_owned())));
}

pub(crate) fn raw_event() -> String {
    WORLD.with_borrow(|world| world.raw_event.clone())
}
