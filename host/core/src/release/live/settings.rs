//! Says how a host follows a channel.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::Serving;
use crate::policy::Caps;
use crate::release::{Access, Place, Trust};
use crate::store::Admission;

/// How a channel is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// Whose signatures count.
    pub trust: Trust,
    /// The set that the channel has to be of. None: that of the first channel that was verified.
    pub set: Option<String>,
    /// How often the store is asked.
    pub interval: Duration,
    /// How long a set may go unconfirmed before it is checked in the way of a decision; with
    /// `deny_fallback`, the longest that it decides unconfirmed.
    pub max_staleness: Duration,
    /// How long reading may take in one refresh, in the way of a decision or not.
    pub budget: Duration,
    /// A lower sequence is never served.
    pub min_sequence: u64,
    /// Whether the host refuses rather than deciding by a set that the store does not confirm.
    pub deny_fallback: bool,
    /// Whether the host refuses once the channel is expired.
    pub deny_expired: bool,
    /// Whether the host goes back to the set before by itself, where what serves breaks too often. Whoever can make policies
    /// break by what they send can force that.
    pub auto_revert: bool,
}

/// How soon a host asks again that has nothing by which it may decide.
const IN_NEED: Duration = Duration::from_secs(1);

impl Following {
    /// Whether anything of a channel could be served.
    ///
    /// # Errors
    ///
    /// What the operator has to set.
    pub fn check(&self, place: &Place) -> Result<(), String> {
        if self.trust != Trust::default() {
            return Ok(());
        }
        Err(format!(
            "COGWIT_TRUSTED_KEYS is not set, so nothing of `{place}` could be served: set it to the public key that the channel is signed with"
        ))
    }

    /// How long the store is left alone, by what serves.
    pub(super) fn patience(&self, serving: &Serving, now: SystemTime) -> Duration {
        match serving.checked(Some(self), now) {
            Ok(_) => self.interval,
            Err(_) => self.interval.min(IN_NEED),
        }
    }
}

impl Default for Following {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            set: None,
            interval: Duration::from_secs(30),
            max_staleness: Duration::from_secs(15 * 60),
            budget: Duration::from_secs(1),
            min_sequence: 0,
            deny_fallback: false,
            deny_expired: false,
            auto_revert: false,
        }
    }
}

/// What a host brings to follow a channel.
pub struct Setup {
    /// The channel.
    pub place: Place,
    /// How it is followed.
    pub following: Following,
    /// How the store is reached.
    pub access: Access,
    /// What a set may ask for.
    pub caps: Caps,
    /// What admits its sets.
    pub admission: Admission,
    /// The folder that keeps the last good release. None: nothing is kept.
    pub cache: Option<PathBuf>,
    /// A folder of the host's own package that is a copy of the store, to start from where the store is out of reach.
    pub own: Option<PathBuf>,
    /// Looks up the variables that settings refer to.
    pub env: fn(&str) -> Option<String>,
    /// Tells the operator.
    pub say: fn(&str),
}
