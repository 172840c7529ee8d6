//! Starts to serve: by the channel, or where it is out of reach by the newest of what lies near.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use super::keep::seen_key;
use super::memory::Memory;
use super::refresh::{Admitting, Followed};
use super::{Live, Refreshed, Serving, Setup};
use crate::digest::sha256;
use crate::release::channel::MOST_OF_A_CHANNEL;
use crate::release::document::channel_key;
use crate::release::{Bucket, Channel, ChannelError, Patience, Root, StoreError, Verified};
use crate::store::PolicySet;

impl Live {
    /// Serves a set that does not change; or the reason why there is none.
    pub fn fixed(set: Result<PolicySet, String>) -> Self {
        Self { current: RwLock::new(Arc::new(Serving::of(set.map(Arc::new)))), channel: None }
    }

    /// Follows a channel. The store is asked first, for as long as `budget` says. Where it cannot be followed, the newest set
    /// serves that was kept, or that came with the host; and where there is none of these, what `last` gives, if it gives any.
    ///
    /// # Errors
    ///
    /// Where the client of the store cannot be set up.
    pub async fn follow(
        setup: Setup,
        budget: Duration,
        last: impl FnOnce() -> Option<Result<PolicySet, String>>,
    ) -> Result<Self, StoreError> {
        let Setup { place, following, access, caps, admission, cache, own, env, say } = setup;
        let patience = Patience { connect: budget, request: following.budget.max(budget), retries: 2 };
        // Neither is needed as long as the store answers.
        let cache = cache.and_then(|path| kept_in(&path, &place.to_string(), say));
        let own = own.and_then(|path| Bucket::in_folder(&path, false).ok());
        let channel = Followed {
            store: Bucket::open(&place.root, &access, patience)?,
            place,
            following,
            cache,
            own,
            admitting: Arc::new(Admitting { admission, caps, env }),
            say,
            memory: Mutex::default(),
        };
        let near = channel.near().await;
        channel.memory.lock().await.newest = near.newest;
        let follows = Some(Arc::from(channel.place.channel.as_str()));
        let unasked = Serving::of(Err("the store was not asked yet".to_owned()));
        let none = Serving { follows, known: Some(0), ..unasked };
        let live = Self { current: RwLock::new(Arc::new(none)), channel: Some(channel) };
        if let Some(channel) = &live.channel {
            // What it finds is kept later, when nobody waits.
            let asked = live.ask(channel, &mut *channel.memory.lock().await, budget).await;
            if let Refreshed::Failed(reason) = asked {
                live.fall_back(near.complete, &reason, last).await;
            }
        }
        Ok(live)
    }

    /// Serves the newest set that can be had without the store.
    async fn fall_back(
        &self,
        near: Vec<Verified>,
        reason: &str,
        last: impl FnOnce() -> Option<Result<PolicySet, String>>,
    ) {
        let Some(channel) = &self.channel else { return };
        let mut serving = Serving::clone(&self.serving());
        let mut reasons = vec![reason.to_owned()];
        for verified in near {
            match channel.load_near(&verified).await {
                Ok(set) => {
                    (serving.set, serving.channel) = (Ok(set), Some(verified));
                    break;
                }
                Err(reason) => reasons.push(reason),
            }
        }
        if serving.set.is_err() {
            serving.set = match last() {
                Some(Ok(set)) => Ok(Arc::new(set)),
                Some(Err(reason)) => {
                    reasons.push(reason);
                    Err(reasons.join("\n"))
                }
                None => Err(reasons.join("\n")),
            };
        }
        match (&serving.set, serving.sequence()) {
            (Err(_), _) => {}
            (Ok(_), Some(sequence)) if !serving.is_fallback() => {
                (channel.say)(&format!("warning: without the store, the release of sequence {sequence} serves"));
            }
            (Ok(set), sequence) => {
                let sequence = sequence.map_or_else(|| "no sequence".to_owned(), |it| format!("sequence {it}"));
                let known = serving.known.filter(|known| *known > 0);
                let known = known.map(|known| format!(", though {known} is known")).unwrap_or_default();
                (channel.say)(&format!("error: without the store, `{}` of {sequence} serves{known}", set.name));
            }
        }
        *self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(serving);
    }
}

/// What is known without the store.
struct Near {
    /// The channels whose releases lie near, the newest first.
    complete: Vec<Verified>,
    /// The newest channel, whether its release lies near or not.
    newest: Option<Verified>,
}

impl Followed {
    /// Looks at what was kept and at what came with the host. Signatures are checked as the store's are.
    async fn near(&self) -> Near {
        let (channel, seen) = (channel_key(&self.place.channel), seen_key(&self.place.channel));
        let places = [(&self.cache, &channel), (&self.own, &channel), (&self.cache, &seen)];
        let (mut complete, mut newest) = (Vec::new(), None::<Verified>);
        for (place, key) in places {
            let Some(place) = place else { continue };
            match self.read_near(place, key).await {
                Some(Ok(verified)) => {
                    if newest.as_ref().is_none_or(|newest| newest.payload.sequence < verified.payload.sequence) {
                        newest = Some(verified.clone());
                    }
                    complete.extend(Some(verified).filter(|_| *key == channel));
                }
                Some(Err(error)) => (self.say)(&format!("warning: `{}/{key}` is not used: {error}", place.root())),
                None => {}
            }
        }
        complete.sort_by_key(|verified| std::cmp::Reverse(verified.payload.sequence));
        Near { complete, newest }
    }

    /// The channel that lies near, or why it does not count. None: there is none.
    pub(super) async fn read_near(&self, place: &Bucket, key: &str) -> Option<Result<Verified, ChannelError>> {
        let bytes = place.read(key, MOST_OF_A_CHANNEL).await.ok()?;
        let verified = Channel::verify(&bytes, &self.following.trust, &self.place.channel);
        // What the operator shut out is shut out here too; only what was seen before does not count yet.
        Some(verified.and_then(|it| Memory::default().allow(&it, &self.following).map(|()| it)))
    }

    async fn load_near(&self, verified: &Verified) -> Result<Arc<PolicySet>, String> {
        let fetched = self.shelves(false).fetch(&verified.payload.release, verified.key.is_some()).await;
        let fetched = fetched.map_err(|error| error.to_string())?;
        // Whoever published or kept it ran its cases, and a log-in may wait for this.
        self.admitting.clone().admit(fetched, Some(Duration::ZERO)).await.map_err(|error| error.to_string())
    }
}

/// A folder of its own for each channel, or none where it cannot be.
fn kept_in(cache: &Path, place: &str, say: fn(&str)) -> Option<Bucket> {
    let folder = cache.join(sha256(place.as_bytes()).get(..16)?);
    let made = Bucket::make(&Root::Folder(folder.to_string_lossy().into_owned()));
    // A file that did not come to the disk whole is known by its digest.
    let opened = made.and_then(|()| Bucket::in_folder(&folder, false));
    opened.map_err(|error| say(&format!("warning: nothing is kept for a start without the store: {error}"))).ok()
}
