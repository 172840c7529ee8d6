//! Is a policy set that a command was given: from files, or out of a release store.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use cogwit_core::config::Config;
use cogwit_core::policy::Document;
use cogwit_core::release::{Fetched, NativeCode, Place, Standing};
use cogwit_core::store::{Package, Source, TestTexts, Tests};

use super::open::{Found, fetch_failure, no_channel};
use super::{Reference, Store};
use crate::failure::Failure;

/// Where a policy set comes from.
#[derive(Debug, Clone)]
pub(crate) enum Policies {
    /// Files, or the built-in set.
    Local(Source),
    /// A channel, which was read once.
    Fetched(Arc<FetchedSet>),
}

/// A release that was fetched.
pub(crate) struct FetchedSet {
    reference: Reference,
    /// Whether a trusted key signed for it.
    signed: bool,
    fetched: Fetched,
}

/// By what tells it from others.
impl fmt::Debug for FetchedSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.reference, self.fetched.package.document.digest)
    }
}

impl fmt::Display for Policies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(source) => source.fmt(formatter),
            Self::Fetched(set) => write!(formatter, "`{}`", set.reference),
        }
    }
}

impl Policies {
    /// The set that a command line names. A channel is read here, as a host with these variables would.
    pub(crate) fn open(text: &str, config: &Config) -> Result<Self, Failure> {
        if !Place::is_meant_by(text) {
            return Source::parse(text).map(Self::Local).map_err(Failure::could_not_run);
        }
        let reference: Reference = text.parse().map_err(Failure::usage)?;
        let store = Store::open(&reference.place)?;
        let found = store.named(&reference, config)?;
        fetch(&store, reference, found).map(Self::Fetched)
    }

    /// The set that a channel names, as it was read before.
    pub(crate) fn of_standing(store: &Store, standing: &Standing) -> Result<Self, Failure> {
        let reference = Reference { place: store.place.clone(), wanted: None };
        match &standing.channel {
            Some(Ok(verified)) => {
                let found = Found { digest: verified.payload.release.clone(), signed: verified.key.is_some() };
                fetch(store, reference, found).map(Self::Fetched)
            }
            Some(Err(error)) => Err(Failure::failed(format!(
                "the channel `{reference}` is not what was published last, so nothing of it is taken over: {error}; name a SOURCE"
            ))),
            None => Err(no_channel(&store.place)),
        }
    }

    /// The set's document and components.
    pub(crate) fn read(&self) -> Result<Package, Failure> {
        match self {
            Self::Local(source) => source.read().map_err(Failure::could_not_run),
            Self::Fetched(set) => Ok(set.fetched.package.clone()),
        }
    }

    /// The cases that its policies must pass.
    pub(crate) fn tests(&self, document: &Document) -> Vec<Tests> {
        match self {
            Self::Local(source) => source.tests(document),
            Self::Fetched(set) => set.fetched.tests.clone(),
        }
    }

    /// The same as texts.
    pub(crate) fn test_texts(&self, tests: &[Tests]) -> Result<Vec<TestTexts>, Failure> {
        match self {
            Self::Local(source) => source.test_texts(tests).map_err(Failure::could_not_run),
            Self::Fetched(set) => Ok(set.fetched.release.cases.clone()),
        }
    }

    /// The machine code that was published with it, for every target. None: no trusted key signed for what there is.
    pub(crate) fn native(&self) -> Result<Option<NativeCode>, Failure> {
        let mut native = NativeCode::new();
        let Self::Fetched(set) = self else { return Ok(Some(native)) };
        let components = &set.fetched.release.components;
        if components.iter().all(|component| component.native.is_empty()) {
            return Ok(Some(native));
        }
        if !set.signed {
            return Ok(None);
        }
        let store = Store::open(&set.reference.place)?;
        for component in components {
            for artifact in &component.native {
                let key = artifact.key();
                let read = store.wait(store.bucket.read_checked(&key, &artifact.sha256, artifact.size));
                let bytes = read.map_err(|error| {
                    Failure::could_not_run(format!(
                        "the machine code of {self} cannot be had: {error}; `--native` makes it anew"
                    ))
                })?;
                native.entry(component.sha256.clone()).or_default().push((artifact.clone(), bytes));
            }
        }
        Ok(Some(native))
    }

    /// The folder that it lies in, where it lies in one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Local(Source::Document(path)) => path.parent(),
            Self::Local(Source::Components(paths)) => paths.first()?.parent(),
            Self::Local(Source::Embedded { .. }) | Self::Fetched(_) => None,
        }
    }
}

fn fetch(store: &Store, reference: Reference, Found { digest, signed }: Found) -> Result<Arc<FetchedSet>, Failure> {
    let fetched = store.wait(store.bucket.fetch_release(&digest, signed)).map_err(|error| fetch_failure(&error))?;
    Ok(Arc::new(FetchedSet { reference, signed, fetched }))
}
