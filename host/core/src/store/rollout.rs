//! Parts users between a policy and its candidate.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::event::Header;

/// Which of a policy and its candidate answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The policy itself.
    Stable,
    /// Its candidate.
    Candidate,
}

impl Side {
    /// A bucket that this side answers, whatever the rollout is, if it answers anybody.
    pub fn bucket(self) -> u8 {
        match self {
            Self::Stable => 100,
            Self::Candidate => 0,
        }
    }

    /// The side behind the name of what has two, where there are two.
    pub fn label(side: Option<Self>) -> &'static str {
        match side {
            None => "",
            Some(Self::Stable) => " [stable]",
            Some(Self::Candidate) => " [candidate]",
        }
    }

    /// The side in a word, for records and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}

/// The bucket of a user for a policy, 0 to 99: the same on every host that has the key, and another for each policy. Where an
/// event has no user, its app client counts.
pub(super) fn bucket(key: &str, policy: &str, header: &Header<'_>) -> u8 {
    let pool = header.user_pool_id.as_deref().unwrap_or_default();
    let user =
        header.user_name.as_deref().filter(|user| !user.is_empty()).or(header.client_id.as_deref()).unwrap_or_default();
    // A key of any length will do for HMAC.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return 99 };
    for part in [policy, "\0", pool, "\0", user] {
        hmac.update(part.as_bytes());
    }
    let digest = hmac.finalize().into_bytes();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    u8::try_from(number % 100).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn of(key: &str, policy: &str, pool: &str, user: &str) -> u8 {
        let event = format!(r#"{{"userPoolId":"{pool}","userName":"{user}"}}"#);
        bucket(key, policy, &Event::parse(event.as_bytes()).unwrap().header)
    }

    #[test]
    fn a_bucket_is_of_key_policy_pool_and_user() {
        let one = (0..1_000).map(|user| of("k", "a", "p", &user.to_string())).collect::<Vec<_>>();
        for (key, policy, pool) in [("l", "a", "p"), ("k", "b", "p"), ("k", "a", "q")] {
            let same = (0..1_000).filter(|user| of(key, policy, pool, &user.to_string()) == one[*user]).count();
            assert!(same < 40, "{key} {policy} {pool}: {same}");
        }
    }

    /// Reckoned by another implementation. Without a key, it is that of an empty one.
    #[test]
    fn a_bucket_is_the_same_wherever_it_is_reckoned() {
        let long = "x".repeat(300);
        for (user, without, with) in [("ina", 77, 49), ("日本", 2, 92), (&long, 45, 78)] {
            let of = |key| of(key, "deny-short-username", "eu-west-1_AbCdEfGhI", user);
            assert_eq!((of(""), of("one key")), (without, with), "{user}");
        }
    }

    /// How many of 100,000 users fulfil this, and how many of a hundred should.
    fn holds(count: usize, percent: u32) {
        let (users, share) = (100_000.0, f64::from(percent) / 100.0);
        let (mean, deviation) = (users * share, (users * share * (1.0 - share)).sqrt());
        let found = f64::from(u32::try_from(count).unwrap());
        assert!((found - mean).abs() < 5.0 * deviation, "{count} of {percent} percent");
    }

    #[test]
    fn users_are_parted_as_the_rollout_says_and_anew_for_each_policy() {
        let buckets =
            |policy| (0..100_000).map(|user| of("k", policy, "p", &format!("user-{user}"))).collect::<Vec<_>>();
        let (one, other) = (buckets("one"), buckets("other"));
        for percent in [1, 10, 50, 99] {
            holds(one.iter().filter(|bucket| u32::from(**bucket) < percent).count(), percent);
        }
        let both = one.iter().zip(&other).filter(|(one, other)| **one < 50 && **other < 50);
        holds(both.count(), 25);
    }

    #[test]
    fn where_there_is_no_user_the_client_counts() {
        let of = |event: &str| bucket("k", "a", &Event::parse(event.as_bytes()).unwrap().header);
        let client = |id: u8| of(&format!(r#"{{"callerContext":{{"clientId":"{id}"}}}}"#));
        assert!((0..50).any(|id| client(id) != client(50)));
        let user = r#"{"userName":"ina","callerContext":{"clientId":"x"}}"#;
        assert_eq!(of(user), of(r#"{"userName":"ina","callerContext":{"clientId":"y"}}"#));
        let nobody = |id: u8| of(&format!(r#"{{"userName":"","callerContext":{{"clientId":"{id}"}}}}"#));
        assert!((0..50).all(|id| nobody(id) == client(id)));
    }
}
