//! Decides whether what a store serves as a channel continues what a publisher knows of that channel.
//!
//! Each payload names the one that it replaced. The store cannot forge that, but it can put an older channel back, or lose parts of
//! the history. A publisher who signs on top of such a channel would make old content new again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::channel::MOST_OF_A_CHANNEL;
use super::document::history_key;
use super::{Bucket, Channel, Place, Standing, StoreError, Trust, Verified};

/// How many payloads are followed back at most. Each is one request.
const MAX_STEPS: usize = 1000;

/// One payload of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Its sequence.
    pub sequence: u64,
    /// The SHA-256 of the payload's text, in hexadecimal. Unlike the bytes of the object, all of that is signed.
    pub sha256: String,
}

/// What a publisher knows of a channel, whatever the store serves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knowledge<'a> {
    /// The newest payload that this machine saw.
    pub seen: Option<&'a Position>,
    /// The lowest sequence that the channel may have.
    pub min_sequence: u64,
    /// Whether the caller named exactly what the store serves.
    pub is_expected: bool,
}

/// Where a sequence is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// This machine saw it.
    Machine,
    /// It is in the signed history.
    History,
    /// `COGWIT_MIN_SEQUENCE` names it.
    MinSequence,
}

/// Why a publisher must not build upon what the store serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Older than what is known.
    #[error(
        "the store serves sequence {served}, but {witness} {known}: somebody put an older channel back; restore the newer one, or \
         override with `--force`"
    )]
    Older {
        /// The sequence that the store serves.
        served: u64,
        /// The highest sequence that is known.
        known: u64,
        /// Where that is known from.
        witness: Witness,
    },
    /// Removed, although it is known.
    #[error(
        "the store has no channel, but {witness} {known}: somebody removed it; restore it, or begin again above that sequence with \
         `--expect none`"
    )]
    Removed {
        /// The highest sequence that is known.
        known: u64,
        /// Where that is known from.
        witness: Witness,
    },
    /// Two payloads have one sequence.
    #[error(
        "two different payloads have sequence {sequence}, and {witness} one of them: the channel has forked; find out who published \
         both, remove the wrong one, or override with `--force`"
    )]
    Forked {
        /// The sequence.
        sequence: u64,
        /// Where the other payload is known from.
        witness: Witness,
    },
    /// The history does not lead back to what is known.
    #[error(
        "the store serves sequence {served}, but its history does not lead back to sequence {known}, which this machine saw: {gap}; \
         restore the history, or name what the store should serve with `--expect SEQUENCE`"
    )]
    Broken {
        /// The sequence that the store serves.
        served: u64,
        /// The sequence that this machine saw.
        known: u64,
        /// Where the history ends.
        gap: Gap,
    },
    /// This machine cannot tell.
    #[error("this machine has not seen the channel before, so it cannot tell whether sequence {served} is the newest")]
    Unknown {
        /// The sequence that the store serves.
        served: u64,
    },
}

/// Where a history ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Gap {
    /// The payload names none before.
    #[error("sequence {0} is the first of its history")]
    Start(u64),
    /// The payload before is not there.
    #[error(
        "sequence {missing}, which sequence {sequence} replaced, is missing from the history, or was changed there"
    )]
    Missing {
        /// The sequence of the payload.
        sequence: u64,
        /// The sequence that it replaced.
        missing: u64,
    },
    /// It leads past what is known.
    #[error("sequence {sequence} replaced another payload, of sequence {replaced}")]
    Fork {
        /// The sequence.
        sequence: u64,
        /// The sequence of the payload that it replaced.
        replaced: u64,
    },
    /// The history is too long to be followed.
    #[error("it has more than {MAX_STEPS} payloads after that")]
    TooLong,
}

impl fmt::Display for Witness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Machine => "this machine saw",
            Self::History => "the signed history has",
            Self::MinSequence => "COGWIT_MIN_SEQUENCE is",
        })
    }
}

impl Standing {
    /// What the channel says, if it is trusted.
    pub fn served(&self) -> Option<&Verified> {
        self.channel.as_ref()?.as_ref().ok()
    }

    /// The newest payload that a trusted key signed, whether the channel serves it or the history has it.
    pub fn newest(&self) -> Option<&Verified> {
        self.history.iter().chain(self.served()).max_by_key(|verified| verified.payload.sequence)
    }

    /// A sequence with two payloads.
    fn fork(&self) -> Option<u64> {
        let mut payloads = BTreeMap::new();
        self.history.iter().chain(self.served()).map(Verified::position).find_map(|Position { sequence, sha256 }| {
            let first = payloads.entry(sequence).or_insert_with(|| sha256.clone());
            (*first != sha256).then_some(sequence)
        })
    }
}

impl Bucket {
    /// What keeps a publisher from building upon what the store serves. A channel that cannot be trusted is not judged.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn doubt(
        &self,
        (place, trust): (&Place, &Trust),
        standing: &Standing,
        knowledge: Knowledge<'_>,
    ) -> Result<Option<ChainError>, StoreError> {
        let Knowledge { seen, min_sequence, is_expected } = knowledge;
        if let Some(sequence) = standing.fork() {
            return Ok(Some(ChainError::Forked { sequence, witness: Witness::History }));
        }
        let in_history = standing.history.iter().map(|it| it.payload.sequence).max();
        let seen_sequence = seen.map(|seen| seen.sequence);
        let known = [(in_history, Witness::History), (seen_sequence, Witness::Machine)];
        let known = known.into_iter().filter_map(|(sequence, witness)| Some((sequence?, witness)));
        let served = match &standing.channel {
            Some(Err(_)) => return Ok(None),
            Some(Ok(verified)) => verified,
            None => {
                let removed = known.max_by_key(|(sequence, _)| *sequence).filter(|_| !is_expected);
                return Ok(removed.map(|(known, witness)| ChainError::Removed { known, witness }));
            }
        };
        let Position { sequence, sha256 } = served.position();
        let floor = std::iter::once((min_sequence, Witness::MinSequence));
        let newer = floor.chain(known).filter(|(known, _)| *known > sequence);
        if let Some((known, witness)) = newer.max_by_key(|(known, _)| *known) {
            return Ok(Some(ChainError::Older { served: sequence, known, witness }));
        }
        match seen {
            Some(seen) if seen.sequence == sequence => {
                let forked = ChainError::Forked { sequence, witness: Witness::Machine };
                Ok(Some(forked).filter(|_| seen.sha256 != sha256))
            }
            _ if is_expected => Ok(None),
            None => Ok(Some(ChainError::Unknown { served: sequence })),
            Some(seen) => {
                let gap = self.lead_back((place, trust), served, seen).await?;
                Ok(gap.map(|gap| ChainError::Broken { served: sequence, known: seen.sequence, gap }))
            }
        }
    }

    /// Follows the history from `served` back to `seen`. None: it leads there.
    async fn lead_back(
        &self,
        place: (&Place, &Trust),
        served: &Verified,
        seen: &Position,
    ) -> Result<Option<Gap>, StoreError> {
        let mut at = served.clone();
        for _ in 0..MAX_STEPS {
            match &at.payload.previous {
                // What this machine saw need not be in the history any more.
                Some(previous) if previous == seen => return Ok(None),
                Some(previous) if previous.sequence <= seen.sequence => {
                    let (sequence, replaced) = (at.payload.sequence, previous.sequence);
                    return Ok(Some(Gap::Fork { sequence, replaced }));
                }
                _ => {}
            }
            match self.previous(place, &at).await? {
                Ok(previous) => at = previous,
                Err(gap) => return Ok(Some(gap)),
            }
        }
        Ok(Some(Gap::TooLong))
    }

    /// The payload that `verified` replaced, out of the history.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn previous(
        &self,
        (place, trust): (&Place, &Trust),
        verified: &Verified,
    ) -> Result<Result<Verified, Gap>, StoreError> {
        let sequence = verified.payload.sequence;
        let Some(position) = &verified.payload.previous else { return Ok(Err(Gap::Start(sequence))) };
        let found = match self.read(&history_key(&place.channel, position.sequence), MOST_OF_A_CHANNEL).await {
            Ok(object) => Channel::verify(&object, trust, &place.channel).ok(),
            Err(StoreError::NotFound { .. } | StoreError::TooLarge { .. }) => None,
            Err(error) => return Err(error),
        };
        // The sequence falls with every step, whoever signed it.
        let found = found.filter(|found| found.position() == *position && position.sequence < sequence);
        Ok(found.ok_or(Gap::Missing { sequence, missing: position.sequence }))
    }
}
