//! Is who signs up or in: what they gave, and what the pool knows of them.

use std::collections::{BTreeMap, BTreeSet};

use cogwit_core::digest::sha256;

use super::options::Options;

/// How a user is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Medium {
    Email,
    Phone,
}

impl Medium {
    /// Both. With both, a new pool sends codes by SMS, which stands first.
    pub(super) const ALL: [Self; 2] = [Self::Phone, Self::Email];

    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone_number",
        }
    }

    pub(super) fn verified(self) -> &'static str {
        match self {
            Self::Email => "email_verified",
            Self::Phone => "phone_number_verified",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) name: String,
    /// What they gave.
    pub(super) given: BTreeMap<String, String>,
    /// None: the pool has no such user.
    pub(super) status: Option<&'static str>,
    /// What is verified.
    pub(super) verified: BTreeSet<Medium>,
    /// What differs from user to user and pool to pool, but not from run to run.
    digest: String,
}

impl User {
    pub(super) fn new(options: &Options) -> Self {
        let given = match options.attribute.as_slice() {
            [] => BTreeMap::from([("email".to_owned(), "ingrid.o@example.com".to_owned())]),
            given => given.iter().cloned().collect(),
        };
        let digest = sha256(format!("{}/{}", options.pool_id, options.user).as_bytes());
        Self { name: options.user.clone(), given, digest, ..Self::default() }
    }

    /// Makes it one who signed up long ago.
    pub(super) fn confirm(&mut self) {
        self.status = Some("CONFIRMED");
        self.verified.extend(Medium::ALL);
    }

    /// Their address of a kind, if there is one.
    pub(super) fn address(&self, medium: Medium) -> Option<&str> {
        self.given.get(medium.attribute()).map(String::as_str).filter(|address| !address.is_empty())
    }

    /// Their attributes as events have them: once the pool has the user, with those that it keeps itself.
    pub(super) fn attributes(&self) -> BTreeMap<&str, String> {
        let mut all = BTreeMap::new();
        if let Some(status) = self.status {
            all.extend([("sub", self.sub()), ("cognito:user_status", status.to_owned())]);
            for medium in Medium::ALL {
                if self.address(medium).is_some() {
                    all.insert(medium.verified(), self.verified.contains(&medium).to_string());
                }
            }
        }
        all.extend(self.given.iter().map(|(name, value)| (name.as_str(), value.clone())));
        all
    }

    /// The code that they get.
    pub(super) fn code(&self) -> String {
        let number = self.digest.get(32..40).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        format!("{:06}", number.unwrap_or_default() % 1_000_000)
    }

    /// An id in the form of a UUID.
    fn sub(&self) -> String {
        let part = |range| self.digest.get(range).unwrap_or_default();
        [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
    }
}
