//! Is what a channel's object says, shown to a person whether its signature counts here or not.

use cogwit_core::config::Config;
use cogwit_core::release::{Channel, ChannelError, Following, Payload, Place, Trust, Untrusted};
use serde::Serialize;

/// What a channel's object says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) payload: Payload,
    /// The object, as it lies in the store.
    pub(crate) channel: Channel,
    /// The key whose signature holds, none where it is not signed and need not be; or why nobody here should believe it.
    pub(crate) signer: Result<Option<String>, ChannelError>,
}

/// What is known of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Signature {
    /// By a key that is trusted.
    Trusted,
    /// There is none, and there need not be.
    Unsigned,
    /// No key is trusted that it could be checked with.
    NotChecked,
    /// It does not hold.
    Refused,
}

impl Said {
    /// Reads a channel's object.
    pub(crate) fn read(object: &[u8], trust: &Trust, place: &Place) -> Result<Self, ChannelError> {
        match Channel::verify(object, trust, &place.channel) {
            Ok(verified) => Ok(Self { payload: verified.payload, channel: verified.object, signer: Ok(verified.key) }),
            Err(error) => {
                let channel: Option<Channel> = serde_json::from_slice(object).ok();
                let payload = channel.as_ref().and_then(|channel| serde_json::from_str(&channel.payload).ok());
                match (channel, payload) {
                    (Some(channel), Some(payload)) => Ok(Self { payload, channel, signer: Err(error) }),
                    _ => Err(error),
                }
            }
        }
    }

    /// What is known of its signature.
    pub(crate) fn signature(&self) -> Signature {
        match &self.signer {
            Ok(Some(_)) => Signature::Trusted,
            Ok(None) => Signature::Unsigned,
            Err(ChannelError::Untrusted(Untrusted::NoKey)) => Signature::NotChecked,
            Err(_) => Signature::Refused,
        }
    }

    /// The key that signed it, or as long as nobody knows better, the one that it names.
    pub(crate) fn key(&self) -> Option<&str> {
        self.signer.as_ref().ok().and_then(Option::as_deref).or(self.payload.key.as_deref())
    }
}

/// Why a host with these variables would not follow what a channel says, its signature apart.
pub(crate) fn unfollowed(payload: &Payload, config: &Config) -> Result<(), ChannelError> {
    let Following { set, min_sequence, .. } = &config.following;
    match set.as_ref().filter(|set| **set != payload.set) {
        Some(expected) => {
            let found = cogwit_core::text::one_line(&payload.set);
            Err(ChannelError::OtherSet { found, expected: expected.clone() })
        }
        None if payload.sequence < *min_sequence => {
            Err(ChannelError::Replayed { found: payload.sequence, floor: *min_sequence })
        }
        None => Ok(()),
    }
}
