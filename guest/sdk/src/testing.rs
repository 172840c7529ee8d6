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
use std::time::SystemTime;

use crate::log::Level;

/// What a policy under test sees of its host.
#[derive(Debug, Default)]
pub struct World {
    settings: BTreeMap<String, String>,
    raw_event: String,
    now: Option<SystemTime>,
    random: Vec<u8>,
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

    /// Sets the time; without it, it is 1970.
    #[must_use]
    pub fn now(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets the random bytes, which repeat; without them they are zeros.
    #[must_use]
    pub fn random(mut self, bytes: &[u8]) -> Self {
        self.random = bytes.to_vec();
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

pub(crate) fn now() -> SystemTime {
    WORLD.with_borrow(|world| world.now.unwrap_or(SystemTime::UNIX_EPOCH))
}

pub(crate) fn random_bytes(count: usize) -> Vec<u8> {
    WORLD.with_borrow(|world| match world.random.as_slice() {
        [] => vec![0; count],
        bytes => bytes.iter().copied().cycle().take(count).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_chance_are_the_worlds() {
        let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        assert_eq!(World::default().now(then).run(crate::clock::now).value, then);
        assert_eq!(World::default().random(&[1, 2]).run(crate::random::bytes::<3>).value, [1, 2, 1]);
        assert_eq!(World::default().run(crate::random::bytes::<2>).value, [0, 0]);
    }
}
