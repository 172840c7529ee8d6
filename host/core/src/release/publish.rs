//! Publishes: brings a release into a store, and lets a channel point to it, so that there is no moment without a complete one.

use std::collections::BTreeMap;
use std::time::SystemTime;

use futures_util::{StreamExt as _, stream};

use super::channel::{MOST_CLAIMED, MOST_OF_A_CHANNEL};
use super::document::history_key;
use super::{
    Bucket, Channel, ChannelError, NativeCode, Payload, Place, Position, Release, StoreError, Trust, Verified, Version,
    channel_key, release_key,
};
use crate::digest::sha256;
use crate::store::Package;

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the channel says now cannot be trusted.
    #[error(
        "the channel `{0}` is not what was published last: {1}; look at `cogwit status`, and go over it with `--force`"
    )]
    Channel(String, ChannelError),
    /// The channel serves another set.
    #[error(
        "the channel `{place}` serves the set `{found}`, not `{set}`: choose another channel, or go over it with `--force`"
    )]
    OtherSet {
        /// The channel.
        place: String,
        /// The set that it serves.
        found: String,
        /// The set that was to be published.
        set: String,
    },
    /// The channel cannot be signed.
    #[error("{0}")]
    Signature(String),
    /// What was signed would not be followed.
    #[error("what was to be published would not be followed: {0}")]
    Unfollowed(ChannelError),
}

/// Signs bytes under a comment.
pub type Sign<'a> = dyn Fn(&[u8], &str) -> Result<String, String> + 'a;

/// What a channel is to say.
pub struct Order<'a> {
    /// The channel.
    pub place: &'a Place,
    /// The name of the set.
    pub set: &'a str,
    /// The digest of the release.
    pub release: &'a str,
    /// When somebody should have published again.
    pub expires: Option<SystemTime>,
    /// The id of the key that signs; none: nobody does.
    pub key: Option<&'a str>,
    /// Signs: gets the bytes and a comment, and gives minisign's text.
    pub sign: &'a Sign<'a>,
    /// Whether a channel that cannot be trusted, or is of another set, is gone over.
    pub force: bool,
    /// The newest payload that the publisher saw, whatever lies in the store.
    pub seen: Option<&'a Position>,
    /// The sequence is higher than this, whatever lies in the store.
    pub above: u64,
}

/// What a channel says now.
#[derive(Debug)]
pub struct Standing {
    /// What it says, or why that is not followed. None: there is no channel yet.
    pub channel: Option<Result<Verified, ChannelError>>,
    /// The object, as it lies there. Empty where it is too large.
    pub object: Vec<u8>,
    /// What it said before, the oldest first: the newest payloads of the history that a trusted key signed.
    pub history: Vec<Verified>,
    version: Option<Version>,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The object that is being brought in.
    pub key: &'a str,
    /// How many bytes are in, of all.
    pub done: u64,
    /// How many bytes there are.
    pub all: u64,
}

/// What an upload came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// How many objects were brought in.
    pub written: usize,
    /// How many were there already.
    pub kept: usize,
}

/// How many objects of a history are read at once.
const AT_ONCE: usize = 8;

/// How many objects of a history are looked at, whoever put them there.
const MOST_LOOKED_AT: usize = 200;

/// The largest object in the place of a channel that is gone over, in bytes.
const MOST_GONE_OVER: u64 = 64 << 20;

impl Bucket {
    /// Reads what a channel says now, and what it said before.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn standing(&self, place: &Place, trust: &Trust) -> Result<Standing, StoreError> {
        // Before the channel, so that nothing of the history is newer unless an older channel was put back.
        let history = self.history(place, trust, usize::MAX).await?;
        Ok(Standing { history, ..self.channel(place, trust).await? })
    }

    /// Reads what a channel says now, without its history.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn channel(&self, place: &Place, trust: &Trust) -> Result<Standing, StoreError> {
        let history = Vec::new();
        match self.read_if_changed(&channel_key(&place.channel), MOST_OF_A_CHANNEL, None).await {
            Ok(Some((object, version))) => Ok(Standing {
                channel: Some(Channel::verify(&object, trust, &place.channel)),
                object,
                history,
                version: Some(version),
            }),
            Ok(None) | Err(StoreError::NotFound { .. }) => {
                Ok(Standing { channel: None, object: Vec::new(), history, version: None })
            }
            // Somebody put something else there; whoever mends it has to know what it goes over.
            Err(StoreError::TooLarge { most, .. }) => {
                let found = self.read_if_changed(&channel_key(&place.channel), MOST_GONE_OVER, None).await?;
                let unreadable = ChannelError::Unreadable(format!("it has more than {most} bytes"));
                let version = found.map(|(_, version)| version);
                Ok(Standing { channel: Some(Err(unreadable)), object: Vec::new(), history, version })
            }
            Err(error) => Err(error),
        }
    }

    /// Brings in a release and what hangs by it. What is there already, and right, is left alone; the release itself comes last.
    ///
    /// # Errors
    ///
    /// Where the store does not take it, or gives back something else.
    pub async fn upload(
        &self,
        release: &Release,
        package: &Package,
        native: &NativeCode,
        progress: &dyn Fn(Progress<'_>),
    ) -> Result<Uploaded, StoreError> {
        let text = release.to_bytes();
        let digest = sha256(&text);
        let components: BTreeMap<_, _> = package.components.values().map(|bytes| (sha256(bytes), bytes)).collect();
        let mut objects = Vec::new();
        for artifact in &release.components {
            let bytes = components.get(&artifact.sha256);
            objects.extend(bytes.map(|bytes| (artifact.key(), artifact.sha256.as_str(), *bytes)));
            let codes = native.get(&artifact.sha256).into_iter().flatten();
            objects.extend(codes.map(|(native, bytes)| (native.key(), native.sha256.as_str(), bytes)));
        }
        objects.push((release_key(&digest), digest.as_str(), &text));
        let all = objects.iter().map(|(.., bytes)| bytes.len() as u64).sum();
        let (mut done, mut uploaded) = (0, Uploaded::default());
        for (key, digest, bytes) in &objects {
            progress(Progress { key, done, all });
            match self.read_checked(key, digest, bytes.len() as u64).await {
                Ok(_) => uploaded.kept += 1,
                Err(StoreError::NotFound { .. } | StoreError::Changed { .. } | StoreError::TooLarge { .. }) => {
                    self.write(key, (*bytes).clone()).await?;
                    // What a host will read.
                    self.read_checked(key, digest, bytes.len() as u64).await?;
                    uploaded.written += 1;
                }
                Err(error) => return Err(error),
            }
            done += bytes.len() as u64;
        }
        progress(Progress { key: "", done, all });
        Ok(uploaded)
    }

    /// Lets a channel point to a release that lies in the store, under the next sequence. `standing` is what the channel said
    /// when the order was made up: whoever wrote it since then was first.
    ///
    /// # Errors
    ///
    /// Where the channel is not what it was, or may not be gone over; it then is as it was.
    pub async fn point(&self, order: &Order<'_>, standing: &Standing, trust: &Trust) -> Result<Verified, PublishError> {
        let before = match &standing.channel {
            None => None,
            Some(Ok(verified)) => Some(verified),
            Some(Err(_)) if order.force => None,
            Some(Err(error)) => return Err(PublishError::Channel(order.place.to_string(), error.clone())),
        };
        if let Some(before) = before.filter(|before| before.payload.set != order.set && !order.force) {
            let (place, found) = (order.place.to_string(), before.payload.set.clone());
            return Err(PublishError::OtherSet { place, found, set: order.set.to_owned() });
        }
        let channel = &order.place.channel;
        // An older channel may have been put back, or the channel removed.
        let newest = standing.newest().map(Verified::position);
        let previous = order.seen.cloned().into_iter().chain(newest).max_by_key(|position| position.sequence);
        let last = previous.as_ref().map(|previous| previous.sequence).unwrap_or_default();
        let last = if order.force { last.max(self.highest_claim(order.place, standing).await?) } else { last };
        let payload = Payload {
            schema: 1,
            set: order.set.to_owned(),
            channel: channel.clone(),
            release: order.release.to_owned(),
            sequence: last.max(order.above).saturating_add(1),
            issued: SystemTime::now(),
            key: order.key.map(str::to_owned),
            previous,
            expires: order.expires,
        };
        let text = serde_json::to_string(&payload).map_err(|error| PublishError::Signature(error.to_string()))?;
        let comment = format!("{} {} sequence {} release {}", payload.set, channel, payload.sequence, payload.release);
        let signature = (order.sign)(text.as_bytes(), &comment).map_err(PublishError::Signature)?;
        let object = Channel { payload: text, signature }.to_bytes();
        // As a host that trusts the same keys will look at it.
        let verified = Channel::verify(&object, trust, channel).map_err(PublishError::Unfollowed)?;
        if let Some(before) = before {
            // Before it is gone, so that whoever is cut off in between leaves it in both places.
            self.write(&history_key(channel, before.payload.sequence), standing.object.clone()).await?;
        }
        self.replace(&channel_key(channel), object.clone(), standing.version.as_ref()).await?;
        // So that its sequence is known even where somebody changes or removes the channel. It serves without.
        let _ = self.write(&history_key(channel, verified.payload.sequence), object).await;
        Ok(verified)
    }

    /// The highest sequence that anything in the store claims: what another key signed counts with hosts that trust it too.
    async fn highest_claim(&self, place: &Place, standing: &Standing) -> Result<u64, StoreError> {
        let claimed = self.past(place, usize::MAX, Channel::claimed_sequence).await?;
        let stands = Channel::claimed_sequence(&standing.object);
        Ok(claimed.into_iter().chain(stands).max().unwrap_or_default())
    }

    /// What a channel said, the oldest first: the newest `most` of it. What nobody trusted signed is passed over. What it says
    /// now is mostly among it.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn history(&self, place: &Place, trust: &Trust, most: usize) -> Result<Vec<Verified>, StoreError> {
        let verify = |object: &[u8]| Channel::verify(object, trust, &place.channel).ok();
        let mut found = self.past(place, most, verify).await?;
        found.sort_by_key(|verified| verified.payload.sequence);
        Ok(found)
    }

    /// What `read` makes of the objects that a channel was, the newest first: of those of which it makes something, `most`.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub async fn past<T>(
        &self,
        place: &Place,
        most: usize,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let folder = format!("history/{}", place.channel);
        let names = match self.list(&folder).await {
            // No bucket holds no history.
            Err(StoreError::NotFound { .. }) => Vec::new(),
            names => names?,
        };
        let ours = names.iter().rev().filter(|name| is_entry(name)).take(MOST_LOOKED_AT);
        let keys = ours.map(|name| format!("{folder}/{name}"));
        let objects = stream::iter(keys).map(|key| async move { self.read(&key, MOST_OF_A_CHANNEL).await });
        let mut objects = objects.buffered(AT_ONCE.min(most.max(1)));
        let mut found = Vec::new();
        while let Some(object) = objects.next().await {
            match object {
                Ok(object) => found.extend(read(&object)),
                Err(StoreError::NotFound { .. } | StoreError::TooLarge { .. }) => {}
                // What is not known may be what was asked for.
                Err(error) => return Err(error),
            }
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }
}

/// Whether a name is one of [`history_key`]'s, and of a sequence that can be counted to.
fn is_entry(name: &str) -> bool {
    let number =
        name.strip_suffix(".json").filter(|digits| digits.len() == 20 && digits.bytes().all(|it| it.is_ascii_digit()));
    number.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|sequence| sequence <= MOST_CLAIMED)
}
