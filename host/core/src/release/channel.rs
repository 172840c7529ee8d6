//! Is a channel: the one object that changes, which says by a signature what a host serves.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Position, Trust, Untrusted};
use crate::digest::sha256;
use crate::text::one_line;

/// The largest channel, in bytes.
pub(crate) const MOST_OF_A_CHANNEL: u64 = 64 << 10;

/// Beyond this, a sequence that nobody signed is a trick to use up the numbers.
pub(super) const MOST_CLAIMED: u64 = 1 << 53;

/// The longest reason that is told of a channel, in characters.
const MOST_OF_A_REASON: usize = 300;

/// A channel as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The exact text of a [`Payload`].
    pub payload: String,
    /// minisign's text over the bytes of the payload; empty where it is not signed.
    #[serde(default)]
    pub signature: String,
}

/// What a channel says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// 1.
    pub schema: u32,
    /// The name of the policy set.
    pub set: String,
    /// The channel's own name, so that one cannot stand in for another.
    pub channel: String,
    /// The digest of the release, in hexadecimal.
    pub release: String,
    /// Grows with every change. A host that remembers never goes back.
    pub sequence: u64,
    /// When it was signed.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub issued: SystemTime,
    /// The id of the key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The payload that this one replaced; none where it is the first. Hosts do not look at it, publishers do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Position>,
    /// When somebody should have published again.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_some",
        deserialize_with = "read_some"
    )]
    pub expires: Option<SystemTime>,
}

/// A channel whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What it says.
    pub payload: Payload,
    /// The key that signed it; none where it is not signed, which the host allows.
    pub key: Option<String>,
    /// The channel, as it lies in the store.
    pub object: Channel,
}

/// Why a channel is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Not the JSON of a channel.
    #[error("it cannot be read: {0}; publish it anew with `--force`")]
    Unreadable(String),
    /// Of another schema.
    #[error("its schema is {0}, but this version of cogwit reads 1: use a newer cogwit")]
    Schema(u32),
    /// Not signed by who is trusted.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// Signed with another key than it says.
    #[error("it says that the key {said} signed it, but {signed} did: publish it anew")]
    OtherKey {
        /// The key that it names.
        said: String,
        /// The key that signed it.
        signed: String,
    },
    /// Another channel, put in the place of this one.
    #[error("it is the channel `{found}`, copied to the place of `{expected}`: publish `{expected}` anew")]
    OtherChannel {
        /// The channel that it is.
        found: String,
        /// The channel that was asked for.
        expected: String,
    },
    /// The channel of another set.
    #[error("it is of the set `{found}`, not of `{expected}`: publish that set, or correct COGWIT_SET")]
    OtherSet {
        /// The set that it is of.
        found: String,
        /// The set that was asked for.
        expected: String,
    },
    /// Older than what was seen before.
    #[error(
        "its sequence is {found}, but {floor} was seen before: an older channel was put back; publish anew to go back, or lower COGWIT_MIN_SEQUENCE if that says {floor}"
    )]
    Replayed {
        /// The sequence.
        found: u64,
        /// The highest sequence that is known.
        floor: u64,
    },
    /// Two releases under one sequence.
    #[error("its sequence {0} had another release before: publish anew")]
    Forked(u64),
}

impl Channel {
    /// Reads a channel and checks that it is the one that was asked for, signed by who is trusted.
    ///
    /// # Errors
    ///
    /// Where it is not.
    pub fn verify(bytes: &[u8], trust: &Trust, channel: &str) -> Result<Verified, ChannelError> {
        // The error may quote what somebody put there.
        let unreadable = |error: serde_json::Error| {
            ChannelError::Unreadable(one_line(&error.to_string()).chars().take(MOST_OF_A_REASON).collect())
        };
        let object: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        // Nothing of the payload is looked at before its signature held.
        let key = trust.signer(object.payload.as_bytes(), &object.signature)?.map(|key| key.id.clone());
        let value: serde_json::Value = serde_json::from_str(&object.payload).map_err(unreadable)?;
        if let Some(schema) = value.get("schema").and_then(serde_json::Value::as_u64).filter(|schema| *schema != 1) {
            return Err(ChannelError::Schema(u32::try_from(schema).unwrap_or(u32::MAX)));
        }
        let payload: Payload = serde_json::from_str(&object.payload).map_err(unreadable)?;
        match (&key, &payload.key) {
            (Some(signed), Some(said)) if signed != said => {
                return Err(ChannelError::OtherKey { said: one_line(said), signed: signed.clone() });
            }
            _ => {}
        }
        if payload.channel != channel {
            let (found, expected) = (one_line(&payload.channel), channel.to_owned());
            return Err(ChannelError::OtherChannel { found, expected });
        }
        if !is_digest(&payload.release) {
            return Err(ChannelError::Unreadable("`release` is no digest".to_owned()));
        }
        Ok(Verified { payload, key, object })
    }

    /// The sequence that a channel claims, whoever wrote it. None where there is none that could have been counted to.
    pub(super) fn claimed_sequence(bytes: &[u8]) -> Option<u64> {
        let object: Self = serde_json::from_slice(bytes).ok()?;
        let payload: Payload = serde_json::from_str(&object.payload).ok()?;
        Some(payload.sequence).filter(|sequence| *sequence < MOST_CLAIMED)
    }

    /// The channel as the bytes of its object.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Two strings: nothing here can fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl Verified {
    /// Which payload of its channel it is.
    pub fn position(&self) -> Position {
        Position { sequence: self.payload.sequence, sha256: sha256(self.object.payload.as_bytes()) }
    }
}

impl Payload {
    /// Whether somebody should have published again by `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Whether a text is a SHA-256 as digests are written here. Digests become names of objects.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn write_time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    humantime::parse_rfc3339(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn write_some<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    // The caller leaves out what is none.
    write_time(&time.unwrap_or(SystemTime::UNIX_EPOCH), serializer)
}

fn read_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
    read_time(deserializer).map(Some)
}
