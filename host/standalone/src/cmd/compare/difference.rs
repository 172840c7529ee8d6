//! Says whether two shares differ by more than chance.

use std::fmt;

use serde::Serialize;

/// So many standard deviations around the mean hold 95 % of a normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// How often something was so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) count: u64,
    pub(super) of: u64,
}

/// How much a candidate's share differs from the stable side's. Each share is between 0 and 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    pub(super) stable: f64,
    pub(super) candidate: f64,
    /// Between these two the difference lies, in 95 of 100 such comparisons.
    lower: f64,
    upper: f64,
    pub(super) may_be_chance: bool,
}

impl Share {
    pub(super) fn value(self) -> f64 {
        self.count as f64 / self.of.max(1) as f64
    }

    /// Where the share may lie of which this is a sample: the score interval of Wilson, 1927.
    fn interval(self) -> (f64, f64) {
        let (share, runs) = (self.value(), self.of.max(1) as f64);
        let middle = share + Z * Z / (2.0 * runs);
        let reach = Z * (share * (1.0 - share) / runs + Z * Z / (4.0 * runs * runs)).sqrt();
        let whole = 1.0 + Z * Z / runs;
        ((middle - reach) / whole, (middle + reach) / whole)
    }
}

impl Difference {
    /// The score interval of Newcombe, 1998 (his method 10), which holds for few runs and rare events too.
    pub(super) fn of(stable: Share, candidate: Share) -> Self {
        let (before, after) = (stable.value(), candidate.value());
        let ((before_low, before_high), (after_low, after_high)) = (stable.interval(), candidate.interval());
        let lower = after - before - (after - after_low).hypot(before_high - before);
        let upper = after - before + (after_high - after).hypot(before - before_low);
        Self { stable: before, candidate: after, lower, upper, may_be_chance: lower <= 0.0 && upper >= 0.0 }
    }
}

/// What can be said of it.
impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lower, upper) = (self.lower * 100.0, self.upper * 100.0);
        if self.may_be_chance {
            write!(formatter, "may be chance ({lower:+.2} to {upper:+.2} points)")
        } else if lower > 0.0 {
            write!(formatter, "more by {lower:.2} to {upper:.2} points")
        } else {
            write!(formatter, "fewer by {:.2} to {:.2} points", -upper, -lower)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Newcombe's second table, which has four digits.
    #[test]
    fn it_is_what_newcombe_published() {
        for ((count, of), (less, of_less), lower, upper) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let it = Difference::of(Share { count: less, of: of_less }, Share { count, of });
            assert!((it.lower - lower).abs() < 5e-5 && (it.upper - upper).abs() < 5e-5, "{count}/{of}: {it:?}");
            assert_eq!(it.may_be_chance, lower < 0.0);
        }
    }

    #[test]
    fn it_is_told_in_points() {
        let told = |stable, candidate| {
            let [stable, candidate] = [stable, candidate].map(|count| Share { count, of: 10_000 });
            Difference::of(stable, candidate).to_string()
        };
        assert_eq!(told(210, 240), "may be chance (-0.11 to +0.71 points)");
        assert_eq!(told(210, 300), "more by 0.46 to 1.34 points");
        assert_eq!(told(300, 210), "fewer by 0.46 to 1.34 points");
    }
}
