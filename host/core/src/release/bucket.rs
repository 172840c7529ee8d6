//! Reads and writes the objects of a release store, wherever they lie.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3Builder, AwsCredentialProvider};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    Certificate, ClientOptions, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig, UpdateVersion,
};

use super::{Root, StoreError};
use crate::digest::sha256;

/// The most that is reserved for an object before it comes, in bytes.
const MOST_PROMISED: u64 = 4 << 20;

/// The objects of a release store.
#[derive(Debug, Clone)]
pub struct Bucket {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    root: String,
    /// The folder, where it is one. It knows no conditional writes, so writers of channels take turns.
    folder: Option<PathBuf>,
}

/// What a client of S3 needs beside what stands in the environment.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Where credentials come from. None: from the environment, as Lambda and containers give them.
    pub credentials: Option<AwsCredentialProvider>,
    /// The region, where `AWS_REGION` does not say it.
    pub region: Option<String>,
    /// The endpoint, where `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` do not say it.
    pub endpoint: Option<String>,
}

/// How long an answer of a store is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the whole of one answer.
    pub request: Duration,
    /// How often a request that failed is made again. None is, after `request`.
    pub retries: usize,
}

/// A version of an object: what a later request compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    e_tag: Option<String>,
    version: Option<String>,
    digest: String,
}

impl Bucket {
    /// Opens a store. Nothing is asked of it yet, but a folder must be there, unless `make` makes it.
    ///
    /// # Errors
    ///
    /// Where the settings of the client do not fit together, or there is no such folder.
    pub fn open(root: &Root, access: &Access, patience: Patience) -> Result<Self, StoreError> {
        let name = root.to_string();
        let cannot = |error: object_store::Error| StoreError::of(&name, "", error);
        match root {
            Root::Folder(folder) => Self::in_folder(folder.as_ref(), true),
            Root::S3 { bucket, prefix } => {
                let prefix = Path::parse(prefix).map_err(|error| cannot(error.into()))?;
                let objects = s3(bucket, access, patience)?.build().map_err(cannot)?;
                Ok(Self { objects: Arc::new(objects), prefix, root: name, folder: None })
            }
        }
    }

    /// Opens a folder. `durable`: what is written is on the disk before anybody is told so.
    pub(super) fn in_folder(folder: &std::path::Path, durable: bool) -> Result<Self, StoreError> {
        let root = format!("file://{}", folder.display());
        if !folder.is_dir() {
            return Err(StoreError::NoFolder(folder.display().to_string()));
        }
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| StoreError::of(&root, "", error))?;
        let objects = Arc::new(objects.with_fsync(durable));
        Ok(Self { objects, prefix: Path::default(), root, folder: Some(folder.to_owned()) })
    }

    /// Makes the folder of a store that is one.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn make(root: &Root) -> Result<(), StoreError> {
        let Root::Folder(folder) = root else { return Ok(()) };
        let cannot = |error: std::io::Error| StoreError::Unusable { root: root.to_string(), reason: error.to_string() };
        fs::create_dir_all(folder).map_err(cannot)
    }

    /// A store in memory, for tests.
    pub fn in_memory() -> Self {
        Self { objects: Arc::new(InMemory::new()), prefix: Path::default(), root: "memory".to_owned(), folder: None }
    }

    /// What the store is called in messages.
    pub fn root(&self) -> &str {
        &self.root
    }

    fn path(&self, key: &str) -> Path {
        self.prefix.parts().chain(Path::from(key).parts()).collect()
    }

    /// Reads an object of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// Where it is not there, is larger, or cannot be read.
    pub async fn read(&self, key: &str, most: u64) -> Result<Vec<u8>, StoreError> {
        Ok(self.get(key, most, GetOptions::default()).await?.0)
    }

    /// Reads an object, unless it still has the version that the caller knows: then nothing.
    ///
    /// # Errors
    ///
    /// As [`Bucket::read`].
    pub async fn read_if_changed(
        &self,
        key: &str,
        most: u64,
        known: Option<&Version>,
    ) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        let if_none_match = known.and_then(|known| known.e_tag.clone());
        let asked = if_none_match.is_some();
        match self.get(key, most, GetOptions { if_none_match, ..GetOptions::default() }).await {
            Err(StoreError::NotModified { .. }) if asked => Ok(None),
            // A server may not know the condition.
            Ok((_, version)) if known.is_some_and(|known| known.digest == version.digest) => Ok(None),
            read => read.map(Some),
        }
    }

    async fn get(&self, key: &str, most: u64, options: GetOptions) -> Result<(Vec<u8>, Version), StoreError> {
        let failed = |error| StoreError::of(&self.root, key, error);
        // A pipe in its place would keep the reader waiting for ever.
        if let Some(folder) = &self.folder
            && fs::metadata(folder.join(key)).is_ok_and(|found| !found.is_file())
        {
            return Err(StoreError::Unreachable { object: self.name(key), reason: "it is no file".to_owned() });
        }
        let too_large = || StoreError::TooLarge { object: self.name(key), most };
        let found = self.objects.get_opts(&self.path(key), options).await.map_err(failed)?;
        if found.meta.size > most {
            return Err(too_large());
        }
        let (size, e_tag, version) = (found.meta.size, found.meta.e_tag.clone(), found.meta.version.clone());
        // What a server promises is not yet there.
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(MOST_PROMISED)).unwrap_or_default());
        let mut parts = found.into_stream();
        while let Some(part) = parts.next().await {
            bytes.extend_from_slice(&part.map_err(failed)?);
            if bytes.len() as u64 > most {
                return Err(too_large());
            }
        }
        let digest = sha256(&bytes);
        Ok((bytes, Version { e_tag, version, digest }))
    }

    /// The size of an object; none where there is none.
    ///
    /// # Errors
    ///
    /// Where the store does not say it.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        match self.objects.head(&self.path(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(error) => match StoreError::of(&self.root, key, error) {
                StoreError::NotFound { .. } => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Writes an object, whether there is one or not.
    ///
    /// # Errors
    ///
    /// Where the store does not take it.
    pub async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let written = self.objects.put(&self.path(key), bytes.into()).await;
        written.map(drop).map_err(|error| StoreError::of(&self.root, key, error))
    }

    /// Writes an object if it still has the version that the caller knows, or still is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lost`] where somebody else was first.
    pub async fn replace(&self, key: &str, bytes: Vec<u8>, known: Option<&Version>) -> Result<(), StoreError> {
        let _turn = self.folder.as_ref().map(|folder| turn(folder)).transpose()?;
        let mode = match known {
            None => PutMode::Create,
            Some(_) if self.folder.is_some() => {
                if self.read_if_changed(key, u64::MAX, known).await?.is_some() {
                    return Err(StoreError::Lost { object: self.name(key) });
                }
                PutMode::Overwrite
            }
            Some(Version { e_tag, version, .. }) => {
                PutMode::Update(UpdateVersion { e_tag: e_tag.clone(), version: version.clone() })
            }
        };
        let mut again = true;
        loop {
            let put = self.objects.put_opts(&self.path(key), bytes.clone().into(), mode.clone().into()).await;
            let Err(error) = put.map_err(|error| StoreError::of(&self.root, key, error)) else { return Ok(()) };
            // A request whose answer was lost may have done its work, and made again it meets what it wrote itself.
            let may_be_done = matches!(error, StoreError::Lost { .. } | StoreError::Unreachable { .. });
            if may_be_done && self.read(key, bytes.len() as u64).await.is_ok_and(|found| found == bytes) {
                return Ok(());
            }
            // The client gives up on what it cannot know to be harmless. Under a condition it is.
            if !again || !matches!(error, StoreError::Unreachable { .. }) {
                return Err(error);
            }
            again = false;
        }
    }

    /// Removes an object.
    ///
    /// # Errors
    ///
    /// Where the store does not do it.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.objects.delete(&self.path(key)).await.map_err(|error| StoreError::of(&self.root, key, error))
    }

    /// The names of the objects below `folder`, sorted.
    ///
    /// # Errors
    ///
    /// Where the store does not list them.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let path = self.path(folder);
        let mut found = self.objects.list(Some(&path));
        let mut names = Vec::new();
        while let Some(meta) = found.next().await {
            let meta = meta.map_err(|error| StoreError::of(&self.root, folder, error))?;
            names.extend(meta.location.filename().map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Keeps other processes out of a folder for as long as the file lives. None where one is in it.
    pub(super) fn try_turn(&self) -> Option<File> {
        let lock = lock_file(self.folder.as_ref()?).ok()?;
        lock.try_lock().ok().map(|()| lock)
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }
}

/// Waits until no other writer is in the folder. The lock goes with the file.
fn turn(folder: &std::path::Path) -> Result<File, StoreError> {
    let cannot = |error: std::io::Error| StoreError::Unusable {
        root: format!("file://{}", folder.display()),
        reason: error.to_string(),
    };
    let lock = lock_file(folder).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    Ok(lock)
}

/// Nothing is written to it: it may be a link to something of somebody's.
fn lock_file(folder: &std::path::Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(false).open(folder.join(".lock"))
}

/// A client of S3, set up as the environment says. <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
fn s3(bucket: &str, access: &Access, patience: Patience) -> Result<AmazonS3Builder, StoreError> {
    // Where somebody chose another provider before, that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = said("AWS_ENDPOINT_URL_S3").or_else(|| said("AWS_ENDPOINT_URL")).or_else(|| access.endpoint.clone());
    let region = said("AWS_REGION").or_else(|| said("AWS_DEFAULT_REGION")).or_else(|| access.region.clone());
    let mut client = ClientOptions::new()
        .with_allow_http(endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")))
        .with_connect_timeout(patience.connect)
        .with_timeout(patience.request);
    if let Some(path) = said("AWS_CA_BUNDLE") {
        let unusable = |reason: String| StoreError::Setting { name: "AWS_CA_BUNDLE", value: path.clone(), reason };
        let bundle = fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&bundle).map_err(|error| unusable(error.to_string()))?;
        client = certificates.into_iter().fold(client, ClientOptions::with_root_certificate);
    }
    let mut builder =
        AmazonS3Builder::from_env().with_bucket_name(bucket).with_client_options(client).with_retry(RetryConfig {
            max_retries: patience.retries,
            retry_timeout: patience.request,
            ..RetryConfig::default()
        });
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    if let Some(credentials) = &access.credentials {
        builder = builder.with_credentials(credentials.clone());
    }
    Ok(builder)
}
