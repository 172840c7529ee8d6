//! Names what a policy may be granted beyond settings, log and raw event.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Something that a policy may import only if its set grants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// `wasi:clocks`: the time, which stands still within a chain.
    Clock,
    /// `wasi:random`: random bytes of the operating system.
    Random,
    /// The WASI that language runtimes need: clock and random, standard output to the log, and no files, network,
    /// environment or arguments.
    Wasi,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 3] = [Self::Clock, Self::Random, Self::Wasi];
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Wasi => "wasi",
        })
    }
}

/// A name that belongs to no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no capability: write `clock`, `random` or `wasi`")]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        Self::ALL.into_iter().find(|it| it.to_string() == name).ok_or_else(|| UnknownCapability(name.to_owned()))
    }
}
