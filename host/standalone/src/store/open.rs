//! Is a release store that a command has opened, and the errors of stores as the command ends with them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use cogwit_core::config::Config;
use cogwit_core::release::{Bucket, FetchError, Patience, Place, Release, Standing, StoreError, Trust, Verified};
use tokio::runtime::{Builder, Runtime};

use super::credentials::access;
use super::said::unfollowed;
use super::{Reference, Wanted};
use crate::failure::Failure;

/// How long a person waits.
const PATIENCE: Patience = Patience { connect: Duration::from_secs(5), request: Duration::from_secs(60), retries: 3 };

/// A release that was found in a store.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its digest.
    pub(crate) digest: String,
    /// Whether a trusted key signed for it.
    pub(crate) signed: bool,
}

/// The store of a channel.
pub(crate) struct Store {
    /// The channel.
    pub(crate) place: Place,
    /// Its store.
    pub(crate) bucket: Bucket,
    runtime: Runtime,
}

impl Store {
    /// Opens a store. Nothing is asked of it yet.
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::could_not_run(format!("cannot wait for a store: {error}; close other programs, and try again"))
        })?;
        let access = runtime.block_on(access(&place.root));
        let bucket = Bucket::open(&place.root, &access, PATIENCE).map_err(|error| failure(&error))?;
        Ok(Self { place: place.clone(), bucket, runtime })
    }

    /// Waits for an answer of the store.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// A release of the store, without what hangs by it.
    pub(crate) fn release(&self, digest: &str) -> Result<Release, Failure> {
        self.wait(self.bucket.release(digest)).map_err(|error| fetch_failure(&error))
    }

    /// What the channel says now, by a key that is trusted.
    pub(crate) fn current(&self, trust: &Trust) -> Result<Verified, Failure> {
        let standing = self.wait(self.bucket.channel(&self.place, trust)).map_err(|error| failure(&error))?;
        self.verified(&standing).cloned()
    }

    fn verified<'a>(&self, standing: &'a Standing) -> Result<&'a Verified, Failure> {
        match &standing.channel {
            Some(Ok(verified)) => Ok(verified),
            Some(Err(error)) => Err(Failure::could_not_run(format!("the channel `{}`: {error}", self.place))),
            None => Err(no_channel(&self.place)),
        }
    }

    /// The release that a command line names; of a channel alone, the one that a host with these variables would serve.
    pub(crate) fn named(&self, reference: &Reference, config: &Config) -> Result<Found, Failure> {
        let trust = &config.following.trust;
        match &reference.wanted {
            Some(wanted) => self.find(wanted, trust),
            None => {
                let standing = self.wait(self.bucket.channel(&self.place, trust)).map_err(|error| failure(&error))?;
                self.followed(&standing, config)
            }
        }
    }

    /// The release of the channel, which a host with these variables would serve.
    pub(crate) fn followed(&self, standing: &Standing, config: &Config) -> Result<Found, Failure> {
        let verified = self.verified(standing)?;
        let refused = |reason: &dyn fmt::Display| {
            Failure::could_not_run(format!("the channel `{}` is not followed: {reason}", self.place))
        };
        unfollowed(&verified.payload, config).map_err(|error| refused(&error))?;
        if config.following.deny_expired && verified.payload.is_expired(SystemTime::now()) {
            return Err(refused(&"it is expired, and COGWIT_ON_EXPIRED=deny: publish again"));
        }
        Ok(Found { digest: verified.payload.release.clone(), signed: verified.key.is_some() })
    }

    /// The release that is wanted: of those that the channel named, or by its whole digest any of the store.
    pub(crate) fn find(&self, wanted: &Wanted, trust: &Trust) -> Result<Found, Failure> {
        if let Some(digest) = wanted.whole() {
            return Ok(Found { digest: digest.to_owned(), signed: false });
        }
        let history = self.bucket.history(&self.place, trust, usize::MAX);
        let mut named = self.wait(history).map_err(|error| failure(&error))?;
        named.extend(self.current(trust).ok());
        let found = named.into_iter().filter(|it| wanted.is(&it.payload));
        let found: BTreeMap<_, _> = found.map(|it| (it.payload.release, it.key.is_some())).collect();
        let mut found = found.into_iter().map(|(digest, signed)| Found { digest, signed });
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::could_not_run(format!(
                "no release {wanted} is in the history of `{}` that a trusted key signed: `cogwit history` lists it; \
                 another release of the store goes by its whole digest",
                self.place
            ))),
            _ => Err(Failure::could_not_run(format!("several releases are {wanted}: write more digits"))),
        }
    }
}

/// The channel is not there.
pub(crate) fn no_channel(place: &Place) -> Failure {
    let Place { root, channel } = place;
    Failure::could_not_run(format!(
        "there is no channel `{channel}` in `{root}`: correct the name, or begin it with `cogwit publish`"
    ))
}

/// What a store's error is for a command: a lost race leaves nothing undone but its own work.
pub(crate) fn failure(error: &StoreError) -> Failure {
    match error {
        StoreError::Lost { .. } => Failure::failed(error),
        _ => Failure::could_not_run(error),
    }
}

/// A release that could not be read.
pub(crate) fn fetch_failure(error: &FetchError) -> Failure {
    match error {
        FetchError::Store(error) => failure(error),
        _ => Failure::could_not_run(error),
    }
}
