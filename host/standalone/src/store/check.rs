//! Checks that a channel continues what this machine saw of it.

use cogwit_core::config::Config;
use cogwit_core::release::{ChainError, Knowledge, Standing, StoreError, Trust};

use super::state::{Seen, State};
use super::{Store, failure};
use crate::failure::Failure;

/// What a check found.
pub(crate) struct Checked {
    /// What this machine had seen of the channel.
    pub(crate) seen: Option<Seen>,
    /// Why nothing should be built upon what the store serves.
    pub(crate) doubt: Option<ChainError>,
}

impl Checked {
    /// What is wrong with the channel. That this machine does not know it is not wrong.
    pub(crate) fn problem(&self) -> Option<&ChainError> {
        self.doubt.as_ref().filter(|doubt| !matches!(doubt, ChainError::Unknown { .. }))
    }
}

impl Store {
    /// What the channel says now, with its history where this machine may list it.
    pub(crate) fn standing(&self, trust: &Trust) -> Result<Standing, Failure> {
        let standing = match self.wait(self.bucket.standing(&self.place, trust)) {
            Err(StoreError::Denied { .. }) => self.wait(self.bucket.channel(&self.place, trust)),
            standing => standing,
        };
        standing.map_err(|error| failure(&error))
    }

    /// Compares what the store serves with what this machine saw, and keeps it where it is newer and without doubt.
    pub(crate) fn check(
        &self,
        (standing, trust): (&Standing, &Trust),
        config: &Config,
        is_expected: bool,
    ) -> Result<Checked, Failure> {
        let state = State::of(&self.place, config);
        let seen = state.read()?;
        let min_sequence = config.following.min_sequence;
        let knowledge = Knowledge { seen: seen.as_ref().map(|seen| &seen.newest), min_sequence, is_expected };
        let doubt = self.wait(self.bucket.doubt((&self.place, trust), standing, knowledge));
        let doubt = doubt.map_err(|error| failure(&error))?;
        if let Some(served) = standing.served().filter(|_| doubt.is_none()) {
            state.keep(served)?;
        }
        Ok(Checked { seen, doubt })
    }
}
