//! Says whether a policy answers, or only looks on.

use serde::{Deserialize, Serialize};

/// Whether a policy answers events, or only looks on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It answers.
    #[default]
    Enforce,
    /// It runs once the answer is fixed; what it makes of the event otherwise is recorded.
    Shadow,
}

impl Mode {
    /// The mode in a word, as documents and records have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}
