//! Gives a run its time and its random numbers: real ones, or fixed ones for a test that must repeat.

use std::time::{Duration, SystemTime};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// What a policy could learn that is not in its event: fixed for a whole chain, or real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance {
    /// The time that every policy of the chain sees.
    pub now: SystemTime,
    /// Where random numbers come from. None: the operating system, the only choice in production.
    pub seed: Option<u64>,
}

impl Chance {
    /// The time as it is, and the operating system's random numbers.
    pub fn real() -> Self {
        Self { now: SystemTime::now(), seed: None }
    }
}

/// What a run learned by chance: such a decision need not come out the same again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consumed {
    /// It asked for the time.
    pub clock: bool,
    /// It asked for random numbers.
    pub random: bool,
}

/// The most random bytes that one call gives.
const MOST_BYTES: u64 = 4096;

/// Why no random bytes were given.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRandom {
    #[error("asked for {0} random bytes at once, but {MOST_BYTES} is the most")]
    TooMany(u64),
    #[error("the operating system gave no random bytes: {0}")]
    System(getrandom::Error),
}

/// The chance of one run.
pub(super) struct Draw {
    now: Duration,
    seeded: Option<ChaCha20Rng>,
    pub(super) consumed: Consumed,
}

impl Draw {
    /// The chance of the policy at `place` in the chain. Each place has numbers of its own, also under one seed.
    pub(super) fn new(chance: Chance, place: usize) -> Self {
        let seeded = chance.seed.map(|seed| {
            let mut key = [0; 32];
            let (first, rest) = key.split_at_mut(8);
            first.copy_from_slice(&seed.to_le_bytes());
            rest.iter_mut().zip((place as u64).to_le_bytes()).for_each(|(to, from)| *to = from);
            ChaCha20Rng::from_seed(key)
        });
        let now = chance.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { now, seeded, consumed: Consumed::default() }
    }

    /// The time since 1970.
    pub(super) fn now(&mut self) -> Duration {
        self.consumed.clock = true;
        self.now
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, NoRandom> {
        if count > MOST_BYTES {
            return Err(NoRandom::TooMany(count));
        }
        self.consumed.random = true;
        let mut bytes = vec![0; usize::try_from(count).unwrap_or_default()];
        match &mut self.seeded {
            Some(seeded) => seeded.fill_bytes(&mut bytes),
            None => getrandom::fill(&mut bytes).map_err(NoRandom::System)?,
        }
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64, NoRandom> {
        let mut number = [0; 8];
        number.iter_mut().zip(self.bytes(8)?).for_each(|(to, from)| *to = from);
        Ok(u64::from_le_bytes(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_each_place_has_its_own_numbers() {
        let chance = Chance { seed: Some(7), ..Chance::real() };
        let number = |place| Draw::new(chance, place).number().unwrap();
        assert_eq!(number(0), number(0));
        assert_ne!(number(0), number(1));
        assert_ne!(number(0), Draw::new(Chance { seed: Some(8), ..chance }, 0).number().unwrap());
    }

    #[test]
    fn without_a_seed_numbers_differ_and_too_many_are_refused() {
        let draw = || Draw::new(Chance::real(), 0);
        assert_ne!(draw().number().unwrap(), draw().number().unwrap());
        assert_eq!(draw().bytes(4096).unwrap().len(), 4096);
        assert!(draw().bytes(4097).is_err());
    }

    #[test]
    fn what_was_asked_for_is_remembered() {
        let mut draw = Draw::new(Chance::real(), 0);
        assert_eq!(draw.consumed, Consumed::default());
        draw.now();
        assert_eq!(draw.consumed, Consumed { clock: true, random: false });
    }
}
