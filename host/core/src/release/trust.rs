//! Says whose signatures a host trusts, and checks them.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};

use crate::text::one_line;

/// Who may decide what a host serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The keys of which any one is enough. Several serve while one replaces the other.
    pub keys: Vec<TrustedKey>,
    /// Whether a channel without a signature is served. Machine code of such a one is never used.
    pub unsigned: bool,
}

/// A public key in minisign's form: <https://jedisct1.github.io/minisign/#public-key-format>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// By which minisign tells keys apart: 16 hexadecimal digits.
    pub id: String,
    /// The key as it is written.
    pub text: String,
    key: PublicKey,
}

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no public key: write the second line of a .pub file of `cogwit keygen` or minisign, which begins with `RW`"
)]
pub struct UnreadableKey(String);

impl FromStr for TrustedKey {
    type Err = UnreadableKey;

    /// Reads a key's line, or a whole `.pub` file.
    fn from_str(text: &str) -> Result<Self, UnreadableKey> {
        let line = text.trim().lines().next_back().unwrap_or_default().trim();
        let unreadable = || UnreadableKey(one_line(line));
        let key = PublicKey::from_base64(line).map_err(|_| unreadable())?;
        let bytes = STANDARD.decode(line).map_err(|_| unreadable())?;
        let number = bytes.get(2..10).ok_or_else(unreadable)?;
        let id = number.iter().rev().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { id, text: line.to_owned(), key })
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// There is none.
    #[error("it is not signed: publish it with `--key`, or set COGWIT_ALLOW_UNSIGNED=on where anybody may decide")]
    Unsigned,
    /// Not in minisign's form.
    #[error("its signature is none of minisign's: publish it anew")]
    Unreadable,
    /// No key is trusted at all.
    #[error("no key is trusted: set COGWIT_TRUSTED_KEYS to the public key that it is signed with")]
    NoKey,
    /// Signed by somebody else.
    #[error(
        "it is signed by a key that is not trusted: COGWIT_TRUSTED_KEYS has {0}; add the line of its .pub file, or publish with one of these"
    )]
    OtherKey(String),
    /// Signed, and changed afterwards.
    #[error("its signature does not hold: it was changed after the key {0} signed it; publish it anew with `--force`")]
    Broken(String),
}

impl Trust {
    /// The key that signed `bytes`; none where they are not signed and need not be.
    ///
    /// # Errors
    ///
    /// Where none of the keys did.
    pub fn signer(&self, bytes: &[u8], signature: &str) -> Result<Option<&TrustedKey>, Untrusted> {
        if signature.is_empty() {
            return if self.unsigned { Ok(None) } else { Err(Untrusted::Unsigned) };
        }
        if self.keys.is_empty() {
            return Err(Untrusted::NoKey);
        }
        let signature = Signature::decode(signature).map_err(|_| Untrusted::Unreadable)?;
        for key in &self.keys {
            // Not minisign's old form, which signs the text itself and not its digest.
            match key.key.verify(bytes, &signature, false) {
                Ok(()) => return Ok(Some(key)),
                Err(Error::UnexpectedKeyId) => {}
                Err(_) => return Err(Untrusted::Broken(key.id.clone())),
            }
        }
        let ids: Vec<_> = self.keys.iter().map(|key| key.id.as_str()).collect();
        Err(Untrusted::OtherKey(ids.join(", ")))
    }
}
