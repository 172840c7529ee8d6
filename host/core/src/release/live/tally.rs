//! Counts what a set decided, and notices that it breaks too often.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many decisions in which something broke are too many, where they are also one in [`ONE_IN`].
const FAULTS: u64 = 5;
const ONE_IN: u64 = 20;

/// What a set decided since it began to serve. Shared by every thread that decides by it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: Mutex<Count>,
    /// Read without the lock, which may be held for as long as a set takes another's place.
    faulty: AtomicBool,
}

/// How often a set decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) decisions: u64,
    /// Those in which something broke.
    pub(super) faults: u64,
}

impl Tally {
    /// Counts a decision. With the one that makes the faults too many, and never again, gives what `trip` makes of the count;
    /// until that is done, whoever counts the next one waits.
    pub(super) fn count<T>(&self, broke: bool, trip: impl FnOnce(Count) -> T) -> Option<T> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.decisions += 1;
        count.faults += u64::from(broke);
        let too_many = count.faults >= FAULTS && count.faults * ONE_IN >= count.decisions;
        let trips = too_many && !self.faulty.swap(true, Ordering::Relaxed);
        trips.then(|| trip(*count))
    }

    /// Whether the faults were too many at some time.
    pub(super) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts so many decisions, of which the last ones break, and gives how many were counted when it tripped.
    fn trips_at(well: u64, faults: u64) -> Vec<(u64, u64)> {
        let tally = Tally::default();
        let broke = (0..well).map(|_| false).chain((0..faults).map(|_| true));
        let trips: Vec<_> = broke.filter_map(|broke| tally.count(broke, |count| count)).collect();
        assert_eq!(tally.is_faulty(), !trips.is_empty());
        trips.iter().map(|count| (count.faults, count.decisions)).collect()
    }

    #[test]
    fn it_trips_once_with_the_fifth_fault_that_is_one_in_twenty() {
        assert_eq!(trips_at(0, 4), []);
        assert_eq!(trips_at(0, 100), [(5, 5)]);
        assert_eq!(trips_at(95, 5), [(5, 100)]);
        assert_eq!(trips_at(96, 5), []);
        assert_eq!(trips_at(96, 6), [(6, 102)]);
        assert_eq!(trips_at(114, 6), [(6, 120)]);
        assert_eq!(trips_at(115, 6), []);
        assert_eq!(trips_at(10_000, 0), []);
    }

    #[test]
    fn what_goes_well_later_does_not_undo_it() {
        let tally = Tally::default();
        let trips: Vec<_> = (0..5).filter_map(|_| tally.count(true, |count| count)).collect();
        assert_eq!(trips.len(), 1);
        assert!((0..1_000).all(|_| tally.count(false, |_| ()).is_none()) && tally.is_faulty());
        assert!((0..1_000).all(|_| tally.count(true, |_| ()).is_none()));
    }
}
