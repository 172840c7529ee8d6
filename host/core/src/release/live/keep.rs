//! Keeps the last good release in a folder, for a start without the store.

use std::time::Duration;

use super::Serving;
use super::memory::Memory;
use super::refresh::Followed;
use crate::release::fetch::FetchError;
use crate::release::{Bucket, Verified, channel_key, release_key};

/// The name under which the channel with the highest sequence is kept, whether its release could be served or not.
pub(super) fn seen_key(channel: &str) -> String {
    format!("seen/{channel}.json")
}

impl Followed {
    /// Writes down the newest channel that was seen, by which older ones are known after a restart.
    pub(super) async fn note_seen(&self, verified: &Verified) {
        let Some(cache) = &self.cache else { return };
        // Where another process is at it, its note will do; or the next one.
        let Some(_turn) = cache.try_turn() else { return };
        let _ = self.raise(cache, &seen_key(&self.place.channel), verified).await;
    }

    /// Keeps what serves, if that is not kept yet.
    pub(super) async fn keep(&self, memory: &mut Memory, serving: &Serving, budget: Duration) {
        let (true, Some(cache), Some(verified)) = (memory.unkept, &self.cache, &serving.channel) else { return };
        let kept = tokio::time::timeout(budget, self.keep_release(cache, verified)).await;
        // What was not kept within the time is kept after the next refresh.
        memory.unkept = !matches!(kept, Ok(Ok(true) | Err(_)));
        if let Ok(Err(error)) = kept {
            (self.say)(&format!("warning: the last good release cannot be kept: {error}"));
        }
    }

    /// Keeps the release of a channel, and lets go of what does not belong to it. Several processes may share the folder: it
    /// gives whether this one had its turn.
    async fn keep_release(&self, cache: &Bucket, verified: &Verified) -> Result<bool, FetchError> {
        let Some(_turn) = cache.try_turn() else { return Ok(false) };
        let digest = &verified.payload.release;
        let release = self.shelves(true).release(digest).await?;
        let mut wanted = vec![release_key(digest)];
        for (key, digest, size) in release.objects(false) {
            self.shelves(true).bring(&key, digest, size).await?;
            wanted.push(key);
        }
        if !self.raise(cache, &channel_key(&self.place.channel), verified).await? {
            return Ok(true);
        }
        for folder in ["components/sha256", "native/sha256", "releases"] {
            for name in cache.list(folder).await? {
                let key = format!("{folder}/{name}");
                if !wanted.contains(&key) {
                    cache.remove(&key).await?;
                }
            }
        }
        Ok(true)
    }

    /// Writes a channel down, unless a newer one stands there. Gives whether it was written.
    async fn raise(&self, cache: &Bucket, key: &str, verified: &Verified) -> Result<bool, FetchError> {
        let stands = self.read_near(cache, key).await;
        let newer =
            stands.is_some_and(|stands| stands.is_ok_and(|stands| stands.payload.sequence > verified.payload.sequence));
        if !newer {
            cache.write(key, verified.object.to_bytes()).await?;
        }
        Ok(!newer)
    }
}
