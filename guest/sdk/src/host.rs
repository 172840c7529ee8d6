//! Asks the host: through the component's imports in WebAssembly, through the test's world natively.

#[cfg(target_arch = "wasm32")]
mod imports {
    use std::time::{Duration, SystemTime};

    use crate::bindings::granted::wasi::{clocks::wall_clock, random::random};
    use crate::bindings::imports::cogwit::triggers::raw_event;
    use crate::bindings::imports::wasi::config::store;
    use crate::bindings::imports::wasi::logging::logging;

    pub(crate) fn setting(key: &str) -> Option<String> {
        store::get(key).unwrap_or_else(|_| unreadable())
    }

    pub(crate) fn settings() -> Vec<(String, String)> {
        store::get_all().unwrap_or_else(|_| unreadable())
    }

    /// A host that cannot read the settings must stop the decision: going on with a default could allow what was refused.
    #[expect(clippy::panic, reason = "a fault is the answer to a broken host")]
    fn unreadable() -> ! {
        panic!("the host could not read the settings")
    }

    pub(crate) fn log(level: logging::Level, context: &str, message: &str) {
        logging::log(level, context, message);
    }

    pub(crate) fn raw_event() -> String {
        raw_event::get()
    }

    pub(crate) fn now() -> SystemTime {
        let now = wall_clock::now();
        SystemTime::UNIX_EPOCH + Duration::new(now.seconds, now.nanoseconds)
    }

    pub(crate) fn random_bytes(count: usize) -> Vec<u8> {
        random::get_random_bytes(count as u64)
    }
}

#[cfg(not(target_arch = "wasm32"))]
use crate::testing as imports;

pub(crate) use imports::{log, now, random_bytes, raw_event, setting, settings};
