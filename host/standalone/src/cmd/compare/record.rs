//! Is what is read of a decision record. What newer hosts add to it is passed over.

use std::ops::Deref;
use std::time::SystemTime;

use cogwit_core::policy::Mode;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The longest name or id that is kept, in bytes.
const LONGEST: usize = 256;

/// The record of one decision. A line that has one of these members twice is none.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) id: Name,
    #[serde(deserialize_with = "time")]
    pub(super) time: SystemTime,
    pub(super) decision: Name,
    pub(super) policies: Vec<Run>,
    #[serde(default)]
    pub(super) unwatched: bool,
    set: Option<Set>,
}

/// The set that decided.
#[derive(Debug, Deserialize)]
struct Set {
    digest: Option<Name>,
}

/// How a policy ran.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) name: Name,
    pub(super) digest: Name,
    mode: Mode,
    side: Option<Side>,
    pub(super) verdict: Verdict,
    agrees: Option<bool>,
    #[serde(default)]
    pub(super) differs: Vec<Name>,
    fault: Option<Fault>,
    pub(super) fuel: u64,
    pub(super) memory_bytes: u64,
    instantiate_micros: u64,
    call_micros: u64,
    release_micros: u64,
}

/// Which part a policy had in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Stable,
    Candidate,
    /// It looked on.
    #[serde(skip_deserializing)]
    Shadow,
    /// It has no candidate.
    #[serde(skip_deserializing, rename = "-")]
    Alone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Allow,
    Deny,
    Fault,
}

/// A name or an id: since some are kept, none is long.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name(String);

#[derive(Debug, Deserialize)]
struct Fault {
    kind: Name,
}

impl Side {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
            Self::Shadow => "shadow",
            Self::Alone => "-",
        }
    }
}

impl Record {
    /// Reads a line, with whatever a tool wrote before the record.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let start = line.iter().position(|byte| *byte == b'{').ok_or("there is no JSON object in it")?;
        let record: Self = serde_json::from_slice(line.get(start..).unwrap_or_default()).map_err(|error| {
            // Each record is one line, so the place says nothing.
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        })?;
        match record.policies.iter().all(|run| run.side() != Side::Shadow || run.agrees.is_some()) {
            true => Ok(record),
            false => Err("of a policy that looks on, it does not say whether it `agrees`".to_owned()),
        }
    }

    /// The digest of the set that decided, if one did.
    pub(super) fn set(&self) -> Option<&str> {
        self.set.as_ref()?.digest.as_deref()
    }
}

impl Run {
    pub(super) fn side(&self) -> Side {
        match self.mode {
            Mode::Shadow => Side::Shadow,
            Mode::Enforce => self.side.unwrap_or(Side::Alone),
        }
    }

    /// Whether it disagrees with the answer. None: it did not look on.
    pub(super) fn differed(&self) -> Option<bool> {
        self.agrees.filter(|_| self.side() == Side::Shadow).map(|agrees| !agrees)
    }

    pub(super) fn fault(&self) -> Option<&str> {
        let kind = self.fault.as_ref().map_or("unknown", |fault| &*fault.kind);
        (self.verdict == Verdict::Fault).then_some(kind)
    }

    /// How long all of its phases took.
    pub(super) fn micros(&self) -> u64 {
        self.instantiate_micros.saturating_add(self.call_micros).saturating_add(self.release_micros)
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.len() <= LONGEST {
            true => Ok(Self(text)),
            false => Err(format!("a name has {} bytes, where {LONGEST} are the most", text.len())),
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

fn time<'a, D: Deserializer<'a>>(from: D) -> Result<SystemTime, D::Error> {
    humantime::parse_rfc3339(&String::deserialize(from)?).map_err(de::Error::custom)
}
