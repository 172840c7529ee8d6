//! Counts what a set decided, and notices that it breaks too often.

use std::sync::{Mutex, PoisonError};

/// So many decisions in which something broke are too many, where they are also one in [`ONE_IN`].
const FAULTS: u64 = 5;
const ONE_IN: u64 = 20;

/// What a set decided since it began to serve. Shared by every thread that decides by it.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Count>);

/// How often a set decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) decisions: u64,
    /// Those in which something broke.
    pub(super) faults: u64,
    faulty: bool,
}

impl Tally {
    /// Counts a decision. Gives the count with the one that makes the faults too many, and never again.
    pub(super) fn count(&self, broke: bool) -> Option<Count> {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.decisions += 1;
        count.faults += u64::from(broke);
        let trips = !count.faulty && count.faults >= FAULTS && count.faults * ONE_IN >= count.decisions;
        count.faulty |= trips;
        trips.then_some(*count)
    }

    /// Whether the faults were too many at some time.
    pub(super) fn is_faulty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).faulty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts so many decisions, of which the last ones break, and gives how many were counted when it tripped.
    fn trips_at(well: u64, faults: u64) -> Vec<(u64, u64)> {
        let tally = Tally::default();
        let broke = (0..well).map(|_| false).chain((0..faults).map(|_| true));
        let trips: Vec<_> = broke.filter_map(|broke| tally.count(broke)).collect();
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
        let trips: Vec<_> = (0..5).filter_map(|_| tally.count(true)).collect();
        assert_eq!(trips.len(), 1);
        assert!((0..1_000).all(|_| tally.count(false).is_none()) && tally.is_faulty());
        assert!((0..1_000).all(|_| tally.count(true).is_none()));
    }
}
