//! Is what a record says of the set that decided, and of the channel that named it.

use std::time::SystemTime;

use serde::Serialize;

use super::mask::problem;
use crate::release::{Reverted, Serving};
use crate::store::PolicySet;

/// The member `set` of a record.
#[derive(Debug, Serialize)]
pub(super) struct Set<'a> {
    /// None of the two: no set decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(flatten)]
    followed: Option<Followed<'a>>,
    /// Whether the set breaks too often.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    faulty: bool,
    /// Why the set could not be renewed when that was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What there is to say where a channel is followed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Followed<'a> {
    channel: &'a str,
    /// Null: none of the channel's sets serves.
    sequence: Option<u64>,
    /// The highest sequence that is known.
    known: Option<u64>,
    /// Who signed. Null: nobody.
    key: Option<&'a str>,
    /// Since the store confirmed what serves. Null: it never did.
    age_seconds: Option<u64>,
    /// When the store was last asked.
    refreshed: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    expired: bool,
    /// What the host left by itself, because it broke too often.
    #[serde(skip_serializing_if = "Option::is_none")]
    reverted: Option<&'a Reverted>,
}

impl<'a> Set<'a> {
    /// The set that decided, if one did, and what the host knew of it at the time.
    pub(super) fn of(set: Option<&'a PolicySet>, serving: &'a Serving, time: SystemTime) -> Option<Self> {
        let followed = serving.follows.as_deref().map(|channel| Followed {
            channel,
            sequence: serving.sequence(),
            known: serving.known,
            key: serving.channel.as_ref().and_then(|channel| channel.key.as_deref()),
            age_seconds: serving.age(time).map(|age| age.as_secs()),
            refreshed: serving.refreshed.map(|time| humantime::format_rfc3339_millis(time).to_string()),
            expired: serving.is_expired(time),
            reverted: serving.reverted.as_ref(),
        });
        let problem = serving.problem.as_deref().map(problem);
        let (name, digest) = (set.map(|set| set.name.as_str()), set.map(|set| set.digest.as_str()));
        let faulty = serving.is_faulty();
        (set.is_some() || followed.is_some()).then_some(Self { name, digest, followed, faulty, problem })
    }
}
