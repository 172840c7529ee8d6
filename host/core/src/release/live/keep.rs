//! Keeps the last good release in a folder, for a start without the store.

use super::refresh::Followed;
use crate::release::document::release_key;
use crate::release::fetch::{FetchError, Shelves};
use crate::release::{Bucket, Verified, channel_key};

/// The name under which the channel with the highest sequence is kept, whether its release could be served or not.
pub(super) fn seen_key(channel: &str) -> String {
    format!("seen/{channel}.json")
}

impl Followed {
    /// Keeps what serves, for a start without the store.
    pub(super) async fn keep(&self, verified: Option<&Verified>) {
        let (Some(cache), Some(verified)) = (&self.cache, verified) else { return };
        let keeping = cache.keep_only(verified, self.shelves(true));
        // Without it, a start without the store begins with an older release.
        if let Ok(Err(error)) = tokio::time::timeout(self.following.budget, keeping).await {
            (self.say)(&format!("warning: the last good release cannot be kept: {error}"));
        }
    }
}

impl Bucket {
    /// Keeps the release of a channel, and lets go of what does not belong to it.
    async fn keep_only(&self, verified: &Verified, shelves: Shelves<'_>) -> Result<(), FetchError> {
        // Reading keeps what is read.
        shelves.fetch(&verified.payload.release, verified.key.is_some()).await?;
        let release = shelves.release(&verified.payload.release).await?;
        self.write(&channel_key(&verified.payload.channel), verified.object.to_bytes()).await?;
        let natives = release.components.iter().flat_map(|component| &component.native);
        let wanted: Vec<_> = release.components.iter().map(|it| it.key()).chain(natives.map(|it| it.key())).collect();
        let wanted: Vec<_> = wanted.into_iter().chain([release_key(&verified.payload.release)]).collect();
        for folder in ["components/sha256", "native/sha256", "releases"] {
            for name in self.list(folder).await? {
                let key = format!("{folder}/{name}");
                if !wanted.contains(&key) {
                    self.remove(&key).await?;
                }
            }
        }
        Ok(())
    }
}
