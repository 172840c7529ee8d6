//! Is the clock of checks that nobody waits for: it stands still while the thread does not run.

use std::time::Instant;

/// What deadlines are measured by.
pub type Clock = fn() -> Instant;

/// The processor time of this thread, as a moment. A process that was paused, or had no processor, loses nothing by it. Only
/// moments of the same thread can be compared. Where the platform does not tell it, this is the wall clock.
pub fn processor_time() -> Instant {
    #[cfg(unix)]
    {
        use std::sync::LazyLock;
        use std::time::Duration;

        use rustix::time::{ClockId, clock_gettime};

        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let ran = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        *START + ran
    }
    #[cfg(not(unix))]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_stands_still_while_the_thread_sleeps_and_goes_on_while_it_works() {
        let started = processor_time();
        std::thread::sleep(Duration::from_millis(200));
        assert!(processor_time() - started < Duration::from_millis(100));
        while processor_time() - started < Duration::from_millis(150) {
            std::hint::black_box(0);
        }
    }
}
