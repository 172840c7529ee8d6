//! Follows a channel: asks the store, admits what is new, and lets it take the place of what served before.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;

use super::memory::Memory;
use super::{Following, Serving};
use crate::case::{self, NotAdmitted};
use crate::policy::Caps;
use crate::release::channel::MOST_OF_A_CHANNEL;
use crate::release::document::channel_key;
use crate::release::fetch::{FetchError, Fetched, Shelves};
use crate::release::{Bucket, Channel, ChannelError, Place, StoreError, Verified};
use crate::store::{Admission, PolicySet};

/// How long the cases of a release may take where a host waits for it to start. The publisher ran them all.
const CASES_AT_START: Duration = Duration::from_millis(500);

/// What a host serves, and the channel that it follows, if it follows one. Shared by every thread that decides.
pub struct Live {
    pub(super) current: RwLock<Arc<Serving>>,
    pub(super) channel: Option<Followed>,
}

/// A channel that is followed.
pub(super) struct Followed {
    pub(super) place: Place,
    pub(super) following: Following,
    pub(super) store: Bucket,
    pub(super) cache: Option<Bucket>,
    pub(super) own: Option<Bucket>,
    pub(super) admitting: Arc<Admitting>,
    pub(super) say: fn(&str),
    /// Held by the one refresh that goes on.
    pub(super) memory: Mutex<Memory>,
}

/// What admits sets, on a thread of its own.
pub(super) struct Admitting {
    pub(super) admission: Admission,
    pub(super) caps: Caps,
    pub(super) env: fn(&str) -> Option<String>,
}

/// What came of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// There is nothing new to serve.
    Unchanged,
    /// A newer set serves.
    Swapped,
    /// The store was not followed; what served before serves on.
    Failed(String),
}

/// Why the store was not followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the channel `{0}` is refused: {1}")]
    Channel(Place, ChannelError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the release {release:.12} is refused\n{reason}")]
    Rejected { release: String, reason: String },
    #[error("the release {release:.12} is not judged yet, and is tried again\n{reason}")]
    NotJudged { release: String, reason: String },
    // Without the time, which differs from one refresh to the next: each problem is told once.
    #[error("`{0}` did not answer within its time: look whether it can be reached, or raise COGWIT_FETCH_BUDGET")]
    OutOfTime(Place),
}

impl Live {
    /// What serves now. Taken once for a decision.
    pub fn serving(&self) -> Arc<Serving> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The set of `serving`, if it may decide now.
    ///
    /// # Errors
    ///
    /// What the operator should know; the user is told nothing of it.
    pub fn set<'a>(&self, serving: &'a Serving, now: SystemTime) -> Result<&'a PolicySet, String> {
        serving.checked(self.channel.as_ref().map(|channel| &channel.following), now).map(|set| &**set)
    }

    /// Whether the store is to be asked again.
    pub fn is_due(&self, now: SystemTime) -> bool {
        let Some(channel) = &self.channel else { return false };
        // A clock that went back is no reason to wait. Whoever holds the memory asks just now.
        let come = |due: SystemTime| due.duration_since(now).map_or(true, |left| left > channel.following.interval);
        channel.memory.try_lock().is_ok_and(|memory| memory.unkept || memory.due.is_none_or(come))
    }

    /// Whether what serves went unconfirmed for so long that the store is to be asked before the next decision.
    pub fn is_stale(&self, now: SystemTime) -> bool {
        let Some(channel) = &self.channel else { return false };
        let serving = self.serving();
        let before = |time: Option<SystemTime>, most| {
            time.is_none_or(|time| now.duration_since(time).unwrap_or_default() > most)
        };
        let decides = serving.checked(Some(&channel.following), now).is_ok();
        // Where the store is away, not every decision waits for it.
        (!decides || before(serving.confirmed, channel.following.max_staleness))
            && before(serving.refreshed, channel.following.patience(&serving, now))
    }

    /// How long an answer of the store may keep a decision waiting.
    pub fn budget(&self) -> Duration {
        self.channel.as_ref().map(|channel| channel.following.budget).unwrap_or_default()
    }

    /// Asks the store once, and serves what it names. Whatever comes of it, what served serves on. What is new is then kept, for
    /// a start without the store.
    pub async fn refresh(&self, budget: Duration) -> Refreshed {
        let Some(channel) = &self.channel else { return Refreshed::Unchanged };
        let mut memory = channel.memory.lock().await;
        // Held to the end, so that a set is taken apart here, and not by a thread that decides.
        let before = self.serving();
        let refreshed = self.ask(channel, &mut memory, budget).await;
        channel.keep(&mut memory, &self.serving(), budget).await;
        drop(before);
        refreshed
    }

    /// Asks the store once, and serves what it names.
    pub(super) async fn ask(&self, channel: &Followed, memory: &mut Memory, budget: Duration) -> Refreshed {
        let before = self.serving();
        let found = channel.look(memory, &before, budget).await;
        let now = SystemTime::now();
        let (serving, refreshed) = self.take_over(found, memory.floor(&channel.following), now);
        memory.unkept |= refreshed == Refreshed::Swapped && channel.cache.is_some();
        memory.due = now.checked_add(jittered(channel.following.patience(&serving, now)));
        channel.tell(memory, &serving, &refreshed);
        refreshed
    }

    /// Serves what was found. The host may have gone back to another set while the store was asked, so this goes on from what
    /// serves now.
    pub(super) fn take_over(
        &self,
        found: Result<Option<(Verified, Arc<PolicySet>)>, Problem>,
        floor: u64,
        now: SystemTime,
    ) -> (Arc<Serving>, Refreshed) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut serving = Serving { refreshed: Some(now), ..Serving::clone(&current) };
        let refreshed = match found {
            Ok(Some((verified, set))) => {
                serving.swap(set, verified, Instant::now());
                Refreshed::Swapped
            }
            Ok(None) => Refreshed::Unchanged,
            Err(problem) => Refreshed::Failed(problem.to_string()),
        };
        match (&refreshed, &serving.reverted) {
            (Refreshed::Failed(reason), _) => serving.problem = Some(reason.clone()),
            // Where the store still names what was left, there is nothing else to go by.
            (_, reverted) => {
                serving.confirmed = Some(now);
                serving.problem = reverted.as_ref().map(|reverted| reverted.reason.clone());
            }
        }
        serving.known = Some(floor).max(serving.known);
        serving.let_go(Instant::now());
        *current = Arc::new(serving);
        (current.clone(), refreshed)
    }

    /// Asks the store again and again, for as long as the process lives.
    pub async fn keep_fresh(&self) {
        let Some(channel) = &self.channel else { return };
        loop {
            let patience = channel.following.patience(&self.serving(), SystemTime::now());
            tokio::time::sleep(jittered(patience)).await;
            self.refresh(channel.following.budget).await;
        }
    }
}

impl Followed {
    /// What is to be served, if it is not what serves.
    async fn look(
        &self,
        memory: &mut Memory,
        before: &Serving,
        budget: Duration,
    ) -> Result<Option<(Verified, Arc<PolicySet>)>, Problem> {
        let fetching = async {
            let Some(wanted) = self.read_channel(memory, before).await? else { return Ok(None) };
            if let Some(set) = memory.at_hand(&wanted, before) {
                return Ok(Some((wanted, Ok(set))));
            }
            if let Some(reason) = memory.why_rejected(&wanted.payload.release) {
                return Err(Problem::Rejected { release: wanted.payload.release, reason });
            }
            let fetched = self.shelves(true).fetch(&wanted.payload.release, wanted.key.is_some()).await?;
            Ok(Some((wanted, Err(fetched))))
        };
        let fetched = tokio::time::timeout(budget, fetching).await;
        let Some((wanted, found)) = fetched.map_err(|_| Problem::OutOfTime(self.place.clone()))?? else {
            return Ok(None);
        };
        let set = match found {
            Ok(set) => set,
            Err(fetched) => {
                // A host that has nothing to serve has no time for many cases.
                let most = before.set.is_err().then_some(CASES_AT_START);
                // Machine code that could not be had may be had the next time.
                let whole = fetched.package.native.values().all(Result::is_ok);
                self.admitting.clone().admit(fetched, most).await.map_err(|NotAdmitted { reason, out_of_time }| {
                    let release = wanted.payload.release.clone();
                    if out_of_time {
                        memory.leave_unjudged(&release, &reason);
                        return Problem::NotJudged { release, reason };
                    }
                    if whole {
                        memory.reject(&release, &reason);
                    }
                    Problem::Rejected { release, reason }
                })?
            }
        };
        memory.pending = None;
        Ok(Some((wanted, set)))
    }

    /// Reads the channel. None where what serves is what it names, or the host left what it names.
    async fn read_channel(&self, memory: &mut Memory, before: &Serving) -> Result<Option<Verified>, Problem> {
        let in_vain = before.is_back_in_vain(&self.following, SystemTime::now());
        if in_vain {
            memory.version = None;
        }
        let key = channel_key(&self.place.channel);
        let read = self.store.read_if_changed(&key, MOST_OF_A_CHANNEL, memory.version.as_ref()).await?;
        let Some((bytes, version)) = read else { return Ok(memory.pending.clone()) };
        // Until it is known to be right, it is read again each time.
        memory.version = None;
        let refused = |error| Problem::Channel(self.place.clone(), error);
        let verified = Channel::verify(&bytes, &self.following.trust, &self.place.channel).map_err(refused)?;
        memory.allow(&verified, &self.following).map_err(refused)?;
        if memory.newest.as_ref() != Some(&verified) {
            memory.newest = Some(verified.clone());
            self.note_seen(&verified).await;
        }
        memory.version = Some(version);
        let serves =
            before.set.is_ok() && before.channel.as_ref().is_some_and(|channel| channel.payload == verified.payload);
        let left = !in_vain && before.reverted.as_ref().is_some_and(|it| it.is_named_by(&verified.payload));
        memory.pending = (!serves && !left).then_some(verified);
        Ok(memory.pending.clone())
    }

    pub(super) fn shelves(&self, store: bool) -> Shelves<'_> {
        Shelves { cache: self.cache.as_ref(), own: self.own.as_ref(), store: store.then_some(&self.store) }
    }

    /// Tells the operator what is new, and each reason once.
    fn tell(&self, memory: &mut Memory, serving: &Serving, refreshed: &Refreshed) {
        match refreshed {
            Refreshed::Unchanged => memory.told.clear(),
            Refreshed::Swapped => {
                memory.told.clear();
                if let (Ok(set), Some(channel)) = (&serving.set, &serving.channel) {
                    set.warnings.iter().for_each(|finding| (self.say)(&format!("warning: {finding}")));
                    let payload = &channel.payload;
                    (self.say)(&format!(
                        "serving `{}`: release {:.12}, sequence {} of {}",
                        set.name, payload.release, payload.sequence, self.place
                    ));
                    if payload.is_expired(SystemTime::now()) {
                        (self.say)("warning: the channel is expired: publish again");
                    }
                }
            }
            Refreshed::Failed(reason) => {
                if memory.is_news(reason) {
                    let goes_on = if serving.set.is_ok() { "; what served before serves on" } else { "" };
                    (self.say)(&format!("error: {reason}{goes_on}"));
                }
            }
        }
    }
}

impl Admitting {
    /// Admits a release and runs its cases, off the threads that answer.
    pub(super) async fn admit(
        self: Arc<Self>,
        fetched: Fetched,
        most: Option<Duration>,
    ) -> Result<Arc<PolicySet>, NotAdmitted> {
        let admitted = tokio::task::spawn_blocking(move || {
            let Fetched { package, tests, .. } = fetched;
            let until = most.map(|most| Instant::now() + most);
            case::admit_to_serve(&self.admission, (&package, &tests), &self.caps, self.env, until).map(Arc::new)
        });
        let panicked = "the host panicked over it; its log says where";
        admitted.await.unwrap_or_else(|_| Err(NotAdmitted { reason: panicked.to_owned(), out_of_time: false }))
    }
}

/// A little less than an interval, by chance, so that not every host asks at once.
fn jittered(interval: Duration) -> Duration {
    let part = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    interval.mul_f64(1.0 - 0.2 * part)
}
