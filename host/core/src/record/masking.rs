//! Says what records show of persons.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::redact::Redactor;

/// What records show of persons. Secret members of events are not shown whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// Whether attributes, metadata and user names are taken out of what policies wrote.
    pub personal: bool,
    /// The key under which users are named. None: they are not.
    pub key: Option<String>,
}

impl Default for Masking {
    fn default() -> Self {
        Self { personal: true, key: None }
    }
}

impl Masking {
    /// What is taken out of the texts of an event's policies.
    pub(super) fn of(&self, event: &str) -> Redactor {
        if self.personal { Redactor::personal_values_of(event) } else { Redactor::default() }
    }

    /// A name for a user by which records of one user can be found, and nobody can be found by a record.
    pub(super) fn user(&self, name: &str) -> Option<String> {
        let key = self.key.as_ref()?;
        // A key of any length will do for HMAC.
        let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
        hmac.update(name.as_bytes());
        Some(hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_that_the_key_gives() {
        // Test case 2 of RFC 4231.
        let masking = Masking { key: Some("Jefe".to_owned()), ..Masking::default() };
        assert_eq!(
            masking.user("what do ya want for nothing?").as_deref(),
            Some("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
        assert_eq!(Masking::default().user("rroe"), None);
    }
}
