//! Is a release: a policy set with everything resolved, as it lies in a store under its own digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::is_digest;
use crate::digest::sha256;
use crate::policy::{Document, PolicyDocument};
use crate::run::{FINGERPRINT, Native};
use crate::store::{MAX_COMPONENT_BYTES, MAX_NATIVE_BYTES, Package, TestTexts, Tests};
use crate::text::one_line;

/// The largest release, in bytes. A thousand policies have about half a MiB.
pub(crate) const MOST_OF_A_RELEASE: u64 = 16 << 20;

/// A policy set as it is published. Its components and their machine code hang by their digests, so one digest holds it all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    schema: u32,
    /// The set, as its document says it; every component with its digest.
    pub policies: Document,
    /// The components, each once.
    pub components: Vec<Artifact>,
    /// The cases that the set passed, and has to pass where it is taken over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<TestTexts>,
}

/// A component of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Its digest, in hexadecimal.
    pub sha256: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Machine code that was made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub native: Vec<NativeArtifact>,
}

/// Machine code of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeArtifact {
    /// The target, such as `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// The engine that made it, and alone takes it.
    pub engine: String,
    /// Its digest, in hexadecimal.
    pub sha256: String,
    /// Its size, in bytes.
    pub size: u64,
}

/// Why a release cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the release {digest:.12} cannot be read: {reason}; publish it anew, or use the cogwit that published it")]
#[non_exhaustive]
pub struct ReleaseError {
    /// Its digest.
    pub digest: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Machine code by the digest of its component.
pub type NativeCode = BTreeMap<String, Vec<(NativeArtifact, Vec<u8>)>>;

impl Release {
    /// Makes the release of a set that was read, with its cases and with machine code of its components.
    ///
    /// # Errors
    ///
    /// Names a component that is missing.
    pub fn of(package: &Package, cases: Vec<TestTexts>, native: &NativeCode) -> Result<Self, String> {
        let mut policies = package.document.clone();
        let known = package.components.iter().map(|(name, bytes)| (name.as_str(), (sha256(bytes), bytes.len() as u64)));
        let known: BTreeMap<_, _> = known.collect();
        let mut components = BTreeMap::new();
        for policy in &mut policies.policies {
            // They travel as texts.
            policy.tests.clear();
            for (file, promised) in policy.components_mut() {
                let found = known.get(file.as_str());
                let (digest, size) = found.ok_or_else(|| format!("the set does not hold `{file}`"))?;
                *promised = Some(digest.clone());
                components.insert(digest.clone(), *size);
            }
        }
        let artifact = |(sha256, size): (String, u64)| {
            let native = native.get(&sha256).into_iter().flatten().map(|(artifact, _)| artifact.clone()).collect();
            Artifact { sha256, size, native }
        };
        Ok(Self { schema: 1, policies, components: components.into_iter().map(artifact).collect(), cases })
    }

    /// Reads a release. `digest` is what it was asked for by.
    ///
    /// # Errors
    ///
    /// Where it cannot be served as it is meant: what is not known here may not be passed over.
    pub fn parse(bytes: &[u8], digest: &str) -> Result<Self, ReleaseError> {
        let unreadable = |reason: &str| ReleaseError { digest: digest.to_owned(), reason: one_line(reason) };
        let mut release: Self = serde_json::from_slice(bytes).map_err(|error| unreadable(&error.to_string()))?;
        if release.schema != 1 {
            return Err(unreadable(&format!("its schema is {}, not 1", release.schema)));
        }
        let native = release.components.iter().flat_map(|component| &component.native).map(|native| &native.sha256);
        let mut digests = release.components.iter().map(|component| &component.sha256).chain(native);
        if !digests.all(|digest| is_digest(digest)) {
            return Err(unreadable("a component has no digest"));
        }
        let natives = release.components.iter().flat_map(|component| &component.native).map(|native| native.size);
        let too_large = release.components.iter().any(|component| component.size > MAX_COMPONENT_BYTES)
            || natives.into_iter().any(|size| size > MAX_NATIVE_BYTES);
        if too_large {
            return Err(unreadable("a component is larger than any that is read"));
        }
        release.policies.digest = digest.to_owned();
        release.policies.check();
        Ok(release)
    }

    /// The bytes of its object.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts and numbers under string keys: nothing here can fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The set, ready to be admitted. `components` and `native` hold what was read, by digest.
    pub(super) fn package(
        &self,
        mut components: BTreeMap<String, Vec<u8>>,
        mut native: BTreeMap<String, Result<Native, String>>,
    ) -> Package {
        let mut package = Package::of(self.policies.clone(), BTreeMap::new());
        // A component has one name, as a rule; under a further one it is a copy.
        let mut names = BTreeMap::<&str, &str>::new();
        for (name, digest) in self.policies.policies.iter().flat_map(PolicyDocument::components) {
            let digest = digest.unwrap_or_default();
            if package.components.contains_key(name) {
                continue;
            }
            let first = names.get(digest).copied();
            let bytes = first.and_then(|first| package.components.get(first).cloned());
            package.components.extend(bytes.or_else(|| components.remove(digest)).map(|it| (name.to_owned(), it)));
            let code = first.and_then(|first| package.native.get(first).cloned());
            package.native.extend(code.or_else(|| native.remove(digest)).map(|it| (name.to_owned(), it)));
            names.entry(digest).or_insert(name);
        }
        package
    }

    /// The cases that the set has to pass.
    pub fn tests(&self) -> Vec<Tests> {
        self.cases.iter().map(TestTexts::parse).collect()
    }

    /// The names and digests of the objects that hang by it, each with the most bytes that it has; machine code of other hosts
    /// left out, unless `all`.
    pub(super) fn objects(&self, all: bool) -> Vec<(String, &str, u64)> {
        let mut objects = Vec::new();
        for artifact in &self.components {
            objects.push((artifact.key(), artifact.sha256.as_str(), artifact.size));
            let native = artifact.native.iter().filter(|native| all || Some(*native) == artifact.for_this_host());
            objects.extend(native.map(|native| (native.key(), native.sha256.as_str(), native.size)));
        }
        objects
    }
}

impl Artifact {
    /// Its machine code for this host.
    pub(super) fn for_this_host(&self) -> Option<&NativeArtifact> {
        let target = Native::target();
        self.native.iter().find(|native| native.target == target && native.engine == FINGERPRINT)
    }

    /// The name of its object.
    pub fn key(&self) -> String {
        format!("components/sha256/{}.wasm", self.sha256)
    }
}

impl NativeArtifact {
    /// Machine code that this host made.
    pub fn of(code: &[u8]) -> Self {
        let engine = FINGERPRINT.to_owned();
        Self { target: Native::target(), engine, sha256: sha256(code), size: code.len() as u64 }
    }

    /// The name of its object.
    pub fn key(&self) -> String {
        format!("native/sha256/{}.cwasm", self.sha256)
    }
}

/// The name of a release's object.
pub fn release_key(digest: &str) -> String {
    format!("releases/{digest}.json")
}

/// The name of a channel's object.
pub fn channel_key(channel: &str) -> String {
    format!("channels/{channel}.json")
}

/// The name under which a channel's object is kept once another took its place.
pub(super) fn history_key(channel: &str, sequence: u64) -> String {
    // With leading zeros, so that names sort as sequences do.
    format!("history/{channel}/{sequence:020}.json")
}
