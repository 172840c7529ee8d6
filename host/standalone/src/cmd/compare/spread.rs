//! Is how values are spread, in little memory however many they are.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// How many of a value's leading bits tell its bucket: values of one bucket are within 0.2 % of each other.
const BITS: u32 = 10;

/// About how many bytes a bucket takes.
const BUCKET: usize = 48;

/// How values are spread.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// By the least value that each bucket could have: 28672 buckets at most.
    buckets: BTreeMap<u64, Bucket>,
    count: u64,
    sum: u128,
}

#[derive(Debug, Default)]
struct Bucket {
    count: u64,
    /// The greatest value that it has.
    greatest: u64,
}

impl Spread {
    /// Takes a value, and tells about how many bytes that takes.
    pub(super) fn add(&mut self, value: u64) -> usize {
        let before = self.buckets.len();
        let shift = value.checked_ilog2().unwrap_or_default().saturating_sub(BITS - 1);
        let bucket = self.buckets.entry(value >> shift << shift).or_default();
        bucket.count += 1;
        bucket.greatest = bucket.greatest.max(value);
        self.count += 1;
        self.sum += u128::from(value);
        (self.buckets.len() - before) * BUCKET
    }

    pub(super) fn mean(&self) -> u64 {
        let mean = self.sum.checked_div(self.count.into()).unwrap_or_default();
        u64::try_from(mean).unwrap_or(u64::MAX)
    }

    pub(super) fn median(&self) -> u64 {
        self.quantile(50)
    }

    pub(super) fn p99(&self) -> u64 {
        self.quantile(99)
    }

    /// A value that so many percent of all do not exceed, by more than 0.2 % of it.
    fn quantile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        let reaches = |bucket: &&Bucket| {
            seen += u128::from(bucket.count);
            seen >= rank
        };
        self.buckets.values().find(reaches).map_or(0, |bucket| bucket.greatest)
    }

    /// The values, each with how many there are about it, the least first.
    pub(super) fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.values().map(|bucket| (bucket.greatest, bucket.count))
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told {
            mean: u64,
            median: u64,
            p99: u64,
        }
        Told { mean: self.mean(), median: self.median(), p99: self.p99() }.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        let bytes: usize = values.into_iter().map(|value| spread.add(value)).sum();
        assert_eq!(bytes, spread.buckets.len() * BUCKET);
        spread
    }

    #[test]
    fn quantiles_are_within_two_tenths_of_a_percent() {
        let all = of((1..=100_000).rev());
        for (is, exact) in [(all.median(), 50_000_u64), (all.p99(), 99_000)] {
            assert!(is.abs_diff(exact) * 500 <= exact, "{is}, {exact}");
        }
        assert_eq!(all.mean(), 50_000);
    }

    #[test]
    fn few_small_and_equal_values_are_exact() {
        let told = |spread: &Spread| (spread.mean(), spread.median(), spread.p99());
        assert_eq!(told(&of([])), (0, 0, 0));
        assert_eq!(told(&of([0, 0, 9])), (3, 0, 9));
        assert_eq!(told(&of([2746; 50])), (2746, 2746, 2746));
        assert_eq!(told(&of([u64::MAX; 3])), (u64::MAX, u64::MAX, u64::MAX));
    }

    #[test]
    fn whatever_the_values_are_there_are_few_buckets() {
        let spread =
            of((0..64)
                .flat_map(|bit| (0..1000).map(move |step| (1_u64 << bit).saturating_add(step << bit.max(9) >> 9))));
        assert!(spread.buckets.len() <= 28_672, "{}", spread.buckets.len());
    }
}
