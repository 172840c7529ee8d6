//! Publishes to a release store in a folder, and starts hosts that follow its channel `prod`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, SystemTime};

use cogwit_core::digest::sha256;
use cogwit_core::policy::Document;
use cogwit_core::release::{
    Access, Bucket, NativeArtifact, NativeCode, Order, Patience, Place, Release, Trust, TrustedKey, Verified,
};
use cogwit_core::run::{FINGERPRINT, Native};
use cogwit_core::store::Package;
use minisign::KeyPair;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::host::Host;
use crate::package::{self, native, shipped};
use crate::probe::probe;
use crate::s3::S3;

/// A sign-up under a name that every set of these tests refuses, each with its own sentence.
pub(crate) const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"x","callerContext":{"clientId":"app"},"request":{},"response":{}}"#;

/// How that sentence begins; the mark of the set is its end.
const SENTENCE: &str = "Cannot register users with username less than the minimum length of ";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

/// Who signs.
pub(crate) struct Signer {
    pair: KeyPair,
    pub(crate) trusted: TrustedKey,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let trusted = pair.pk.to_base64().parse().unwrap();
        Self { pair, trusted }
    }
}

/// The key that hosts trust, and another one.
pub(crate) static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);
pub(crate) static STRANGER: LazyLock<Signer> = LazyLock::new(Signer::new);

/// What is published.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) channel: &'a str,
    pub(crate) set: &'a str,
    pub(crate) signer: &'a Signer,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) native: bool,
    /// More lines of the document.
    pub(crate) lines: &'a str,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { channel: "prod", set: "acme", signer: &SIGNER, expires: None, native: true, lines: "" }
    }
}

/// A release store in a folder.
pub(crate) struct Store(TempDir);

impl Store {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The channel, as a host's variable names it.
    pub(crate) fn place(&self, channel: &str) -> String {
        format!("file://{}#{channel}", self.path().display())
    }

    /// Publishes the set with this mark.
    pub(crate) fn publish(&self, mark: u32) -> Verified {
        self.publish_as(mark, Wanted::default())
    }

    pub(crate) fn publish_as(&self, mark: u32, wanted: Wanted<'_>) -> Verified {
        let (package, code) = set(mark, wanted);
        let release = Release::of(&package, Vec::new(), &code).unwrap();
        RUNTIME.block_on(self.bucket().upload(&release, &package, &code, &|_| ())).unwrap();
        self.point(&sha256(&release.to_bytes()), wanted)
    }

    /// Lets the channel point to a release, under the next sequence.
    pub(crate) fn point(&self, release: &str, wanted: Wanted<'_>) -> Verified {
        let Wanted { channel, set, signer, expires, .. } = wanted;
        let place: Place = self.place(channel).parse().unwrap();
        let trust = Trust { keys: vec![signer.trusted.clone()], unsigned: false };
        let sign = |bytes: &[u8], comment: &str| {
            let signed = minisign::sign(None, &signer.pair.sk, Cursor::new(bytes), Some(comment), None);
            Ok(signed.unwrap().into_string())
        };
        let key = Some(signer.trusted.id.as_str());
        let order = Order { place: &place, set, release, expires, key, sign: &sign, force: true, seen: None, above: 0 };
        let bucket = self.bucket();
        RUNTIME.block_on(async {
            let both = Trust { keys: vec![SIGNER.trusted.clone(), STRANGER.trusted.clone()], unsigned: false };
            let standing = bucket.standing(&place, &both).await.unwrap();
            bucket.point(&order, &standing, &trust).await.unwrap()
        })
    }

    fn bucket(&self) -> Bucket {
        let place: Place = self.place("prod").parse().unwrap();
        let patience = Patience { connect: Default::default(), request: Default::default(), retries: 0 };
        Bucket::open(&place.root, &Access::default(), patience).unwrap()
    }

    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.path().join(key)
    }

    pub(crate) fn read(&self, key: &str) -> Vec<u8> {
        fs::read(self.file(key)).unwrap()
    }

    pub(crate) fn write(&self, key: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(key), bytes).unwrap();
    }

    /// Every object, by its key.
    pub(crate) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        objects(self.path(), self.path())
    }

    /// Makes this all that there is.
    pub(crate) fn restore(&self, all: &BTreeMap<String, Vec<u8>>) {
        for key in self.all().keys() {
            fs::remove_file(self.file(key)).unwrap();
        }
        copy(all, self.path());
    }

    /// Makes this store all that there is in an S3.
    pub(crate) fn bring_to(&self, s3: &S3) {
        s3.restore(self.all().into_iter().map(|(key, bytes)| (format!("acme/{key}"), bytes)).collect());
    }

    /// Starts a host that asks this store after every answer, and trusts the key of these tests.
    pub(crate) fn host(&self, package: &package::Package, further: &[(&str, &str)]) -> Host {
        follow(&self.place("prod"), package, further)
    }
}

/// Starts a host that follows a channel. It keeps nothing unless the test says where.
pub(crate) fn follow(place: &str, package: &package::Package, further: &[(&str, &str)]) -> Host {
    let ours = [
        ("COGWIT_POLICIES", place),
        ("COGWIT_TRUSTED_KEYS", &SIGNER.trusted.text),
        ("COGWIT_REFRESH", "1 ms"),
        ("COGWIT_CACHE", "off"),
    ];
    let host = Host::with(package, &[&ours, further].concat());
    host.api.declare_start(SENTENCE);
    host
}

/// Starts a host that follows the channel in an S3, below the prefix `acme`.
pub(crate) fn follow_s3(s3: &S3, package: &package::Package, further: &[(&str, &str)]) -> Host {
    let env = s3.env();
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    follow(&format!("s3://{}/acme#prod", S3::BUCKET), package, &[&env, further].concat())
}

/// Writes objects as files below a folder.
pub(crate) fn copy(objects: &BTreeMap<String, Vec<u8>>, to: &Path) {
    for (key, bytes) in objects {
        let file = to.join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// The files below a folder, by their paths from `root`.
pub(crate) fn objects(root: &Path, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(objects(root, &path)),
            false => drop(
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()),
            ),
        }
    }
    found
}

/// The document of the set with this mark.
pub(crate) fn document(mark: u32, Wanted { set, lines, .. }: Wanted<'_>) -> String {
    format!(
        "schema = 1\n[set]\nname = '{set}'\n[limits]\ndeadline = '2 s'\n{lines}\n[[policy]]\nname = 'mark'\n\
         component = 'deny-short-username.wasm'\nsettings = {{ minimum-length = '{mark}' }}\n"
    )
}

fn set(mark: u32, wanted: Wanted<'_>) -> (Package, NativeCode) {
    let document = document(mark, wanted);
    let probes = ["trap", "endless-loop"].map(|name| (format!("{name}.wasm"), name)).into_iter();
    let probes = probes.filter(|(file, _)| document.contains(file)).map(|(file, name)| (file, probe(name)));
    let components: BTreeMap<_, _> = shipped(&["deny-short-username"]).into_iter().chain(probes).collect();
    let code = components.values().filter(|_| wanted.native).map(|component| {
        let code = native(component);
        let artifact = NativeArtifact {
            target: Native::target(),
            engine: FINGERPRINT.to_owned(),
            sha256: sha256(&code),
            size: code.len() as u64,
        };
        (sha256(component), vec![(artifact, code.to_vec())])
    });
    let code = code.collect();
    (Package::of(Document::parse(&document).unwrap(), components), code)
}

impl Host {
    /// The mark of the set that answers; none: the host refuses. Then the store was asked too, if it was to be.
    pub(crate) fn mark(&self) -> Option<u32> {
        self.mark_and_record().0
    }

    /// The same, and the record of that answer.
    pub(crate) fn mark_and_record(&self) -> (Option<u32>, serde_json::Value) {
        // Longer than its interval ago, it asked last.
        thread::sleep(Duration::from_millis(3));
        let invocation = self.invocation(EVENT);
        let id = invocation.id.clone();
        let answer = self.answer(invocation);
        self.rests();
        let message = answer.json()["errorMessage"].as_str().unwrap().to_owned();
        (message.strip_prefix(SENTENCE).map(|mark| mark.parse().unwrap()), self.record(&id))
    }

    /// How often a part stands in its log.
    pub(crate) fn said(&self, part: &str) -> usize {
        self.stderr().matches(part).count()
    }
}
