//! Reads a release and what hangs by it, from the nearest place that has it.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::document::{Artifact, MOST_OF_A_RELEASE, release_key};
use super::{Bucket, NativeArtifact, Release, ReleaseError, StoreError};
use crate::digest::sha256;
use crate::run::Native;
use crate::store::{Package, Tests};

/// How many objects are read at once.
const AT_ONCE: usize = 8;

/// Why a release could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// An object of it is not there, or not what it should be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be served as it is meant.
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

/// A release that was read, ready to be admitted.
#[derive(Debug)]
pub struct Fetched {
    /// The release, as it lies in the store.
    pub release: Release,
    /// The set, its components and their machine code.
    pub package: Package,
    /// The cases that the set has to pass.
    pub tests: Vec<Tests>,
}

/// Where objects lie that are named by their digest: places that are near, of which nothing is expected, and the store itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelves<'a> {
    /// What was read from the store is kept here.
    pub(super) cache: Option<&'a Bucket>,
    /// What the host's package holds.
    pub(super) own: Option<&'a Bucket>,
    /// None: only what is near is looked at.
    pub(super) store: Option<&'a Bucket>,
}

impl Bucket {
    /// Reads a release by its digest, and all that hangs by it. Machine code is only taken in where the release is `trusted`.
    ///
    /// # Errors
    ///
    /// Where it is not complete, or was changed.
    pub async fn fetch_release(&self, digest: &str, trusted: bool) -> Result<Fetched, FetchError> {
        Shelves { cache: None, own: None, store: Some(self) }.fetch(digest, trusted).await
    }

    /// Reads a release by its digest, without what hangs by it.
    ///
    /// # Errors
    ///
    /// Where it is not there, or was changed.
    pub async fn release(&self, digest: &str) -> Result<Release, FetchError> {
        Shelves { cache: None, own: None, store: Some(self) }.release(digest).await
    }

    /// What of a release is not there, or not what was published: components and machine code for every target.
    pub async fn lacking(&self, release: &Release) -> Vec<StoreError> {
        let natives =
            |it: &Artifact| it.native.iter().map(|it| (it.key(), it.sha256.clone(), it.size)).collect::<Vec<_>>();
        let objects = release.components.iter().flat_map(|it| {
            let component = (it.key(), it.sha256.clone(), it.size);
            std::iter::once(component).chain(natives(it))
        });
        let objects: Vec<_> = objects.collect();
        let read = |(key, digest, size): (String, String, u64)| async move {
            self.read_checked(&key, &digest, size).await.err()
        };
        let read = stream::iter(objects).map(read).buffered(AT_ONCE);
        read.filter_map(std::future::ready).collect().await
    }

    /// Reads an object of at most `most` bytes that is named by its digest.
    ///
    /// # Errors
    ///
    /// As [`Bucket::read`], and where it has another digest.
    pub async fn read_checked(&self, key: &str, digest: &str, most: u64) -> Result<Vec<u8>, StoreError> {
        let bytes = self.read(key, most).await?;
        let found = sha256(&bytes);
        if found == digest { Ok(bytes) } else { Err(StoreError::Changed { object: self.name(key), found }) }
    }
}

impl Shelves<'_> {
    pub(super) async fn fetch(&self, digest: &str, trusted: bool) -> Result<Fetched, FetchError> {
        let release = self.release(digest).await?;
        let read = |artifact: Artifact| async move {
            let bytes = self.read(&artifact.key(), &artifact.sha256, artifact.size).await?;
            // Machine code is somebody's program: only a signature says that it may run here.
            let native = match artifact.for_this_host().filter(|_| trusted) {
                Some(native) => Some(self.native(native).await),
                None => None,
            };
            Ok::<_, StoreError>((artifact.sha256, bytes, native))
        };
        let all = stream::iter(release.components.clone()).map(read).buffer_unordered(AT_ONCE);
        let (mut components, mut natives) = (BTreeMap::new(), BTreeMap::new());
        for (digest, bytes, native) in all.try_collect::<Vec<_>>().await? {
            natives.extend(native.map(|native| (digest.clone(), native)));
            components.insert(digest, bytes);
        }
        let (package, tests) = release.package(&components, &natives);
        Ok(Fetched { release, package, tests })
    }

    pub(super) async fn release(&self, digest: &str) -> Result<Release, FetchError> {
        let bytes = self.read(&release_key(digest), digest, MOST_OF_A_RELEASE).await?;
        Ok(Release::parse(&bytes, digest)?)
    }

    /// Machine code that cannot be had is no reason not to serve: the component itself is there.
    async fn native(&self, native: &NativeArtifact) -> Result<Native, String> {
        let read = self.read(&native.key(), &native.sha256, native.size).await;
        let bytes = read.map_err(|error| error.to_string())?;
        Native::checked(bytes, &native.engine, &native.sha256).map_err(|error| error.to_string())
    }

    async fn read(&self, key: &str, digest: &str, most: u64) -> Result<Vec<u8>, StoreError> {
        let mut missed = StoreError::NoFolder("anything near".to_owned());
        for near in [self.cache, self.own].into_iter().flatten() {
            match near.read_checked(key, digest, most).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => missed = error,
            }
        }
        let Some(store) = self.store else { return Err(missed) };
        let bytes = store.read_checked(key, digest, most).await?;
        if let Some(cache) = self.cache {
            // Without it, the next start reads again.
            let _ = cache.write(key, bytes.clone()).await;
        }
        Ok(bytes)
    }
}
