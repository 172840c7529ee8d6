//! Publishes sets that carry a mark, with keys of its own, for the tests of releases.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use cogwit_core::digest::sha256;
use cogwit_core::policy::{Caps, Document};
use cogwit_core::release::{
    Access, Bucket, Following, NativeCode, Order, Patience, Place, PublishError, Release, Setup, Trust, Verified,
};
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Package, PolicySet};
use cogwit_core::{Call, Decision, decide};
use minisign::KeyPair;
use object_store::StaticCredentialProvider;
use object_store::aws::AwsCredential;
use tempfile::{TempDir, tempdir};
use tokio::runtime::Runtime;

use crate::s3::S3;
use crate::scenario;

/// Where the tests' stores are asked.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Who signs.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// Trust in this key alone.
    pub(crate) fn trusted(&self) -> Trust {
        Trust { keys: vec![self.0.pk.to_base64().parse().unwrap()], unsigned: false }
    }

    pub(crate) fn id(&self) -> String {
        self.trusted().keys.remove(0).id
    }

    pub(crate) fn sign(&self, bytes: &[u8], comment: &str) -> String {
        minisign::sign(Some(&self.0.pk), &self.0.sk, Cursor::new(bytes), Some(comment), None).unwrap().into_string()
    }
}

/// A component of the default set.
pub(crate) fn component(name: &str) -> Vec<u8> {
    fs::read(scenario::policies_wasm().join(format!("{name}.wasm"))).unwrap()
}

/// A set whose every reply names the mark: the first policy allows, and the second denies a user without a name.
pub(crate) fn marked(mark: u32) -> Package {
    package(
        &format!(
            "[[policy]]\nname = 'confirm-{mark}'\ncomponent = 'auto-confirm-domain.wasm'\n\
             [[policy]]\nname = 'short-{mark}'\ncomponent = 'deny-short-username.wasm'\nsettings = {{ minimum-length = {mark} }}\n"
        ),
        &["auto-confirm-domain", "deny-short-username"],
    )
}

/// A set `marked` of these policies and components. A busy machine is no reason for a fault.
pub(crate) fn package(policies: &str, components: &[&str]) -> Package {
    let document =
        Document::parse(&format!("schema = 1\n[set]\nname = 'marked'\n[limits]\ndeadline = '2 s'\n{policies}"))
            .unwrap();
    let components = components.iter().map(|name| (format!("{name}.wasm"), component(name)));
    Package::of(document, components.collect())
}

pub(crate) const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"","request":{},"response":{}}"#;

pub(crate) fn decide_by(set: &PolicySet) -> Decision {
    let call = Call::new(EVENT.as_bytes(), "test", Chance::real());
    decide(set, &call)
}

/// The mark of the set that decided: the one that every policy and the reply name.
pub(crate) fn mark_of(decision: &Decision) -> u32 {
    let said = decision.reply.as_ref().unwrap_err().error_message.clone();
    let mark = said.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{said}: {:?}", decision.outcome));
    let ran: Vec<_> = decision.runs.iter().map(|run| run.policy.clone()).collect();
    assert_eq!(ran, [format!("confirm-{mark}"), format!("short-{mark}")]);
    mark
}

/// Signs a channel, whatever it says.
pub(crate) struct Publisher<'a> {
    pub(crate) bucket: Bucket,
    pub(crate) place: Place,
    pub(crate) signer: &'a Signer,
}

impl Publisher<'_> {
    /// Publishes a set under the next sequence.
    pub(crate) fn publish(&self, package: &Package) -> Verified {
        self.try_publish(package, None).unwrap()
    }

    pub(crate) fn try_publish(&self, package: &Package, expires: Option<SystemTime>) -> Result<Verified, PublishError> {
        self.publish_with(package, &NativeCode::new(), Vec::new(), expires)
    }

    pub(crate) fn publish_with(
        &self,
        package: &Package,
        native: &NativeCode,
        cases: Vec<cogwit_core::store::TestTexts>,
        expires: Option<SystemTime>,
    ) -> Result<Verified, PublishError> {
        let release = Release::of(package, cases, native).unwrap();
        let (trust, key) = (self.signer.trusted(), self.signer.id());
        RUNTIME.block_on(async {
            let standing = self.bucket.standing(&self.place, &trust).await?;
            self.bucket.upload(&release, package, native, &|_| {}).await?;
            let order = Order {
                place: &self.place,
                set: &package.document.set.name,
                release: &sha256(&release.to_bytes()),
                expires,
                key: Some(&key),
                sign: &|bytes, comment| Ok(self.signer.sign(bytes, comment)),
                force: false,
                seen: None,
                above: 0,
            };
            self.bucket.point(&order, &standing, &trust).await
        })
    }

    pub(crate) fn read(&self, key: &str) -> Vec<u8> {
        RUNTIME.block_on(self.bucket.read(key, u64::MAX)).unwrap()
    }

    pub(crate) fn write(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        RUNTIME.block_on(self.bucket.write(key, bytes.into())).unwrap();
    }

    /// The keys of the release's components, by the name of their policy's component.
    pub(crate) fn components(&self, verified: &Verified) -> BTreeMap<String, String> {
        let release = RUNTIME.block_on(self.bucket.release(&verified.payload.release)).unwrap();
        let policies = &release.policies.policies;
        let key = |sha256: &Option<String>| format!("components/sha256/{}.wasm", sha256.as_deref().unwrap());
        policies.iter().map(|policy| (policy.component.clone(), key(&policy.sha256))).collect()
    }
}

/// A laptop's patience with a store that is near.
pub(crate) const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(5), request: Duration::from_secs(5), retries: 0 };

/// A publisher to a folder.
pub(crate) fn in_folder<'a>(folder: &Path, channel: &str, signer: &'a Signer) -> Publisher<'a> {
    let place: Place = format!("file://{}#{channel}", folder.display()).parse().unwrap();
    Bucket::make(&place.root).unwrap();
    Publisher { bucket: Bucket::open(&place.root, &Access::default(), PATIENCE).unwrap(), place, signer }
}

/// A store in a bucket of the tests' server. The client is set up as a host is: by variables, which here are those of `access`.
pub(crate) fn in_s3(s3: &S3, prefix: &str) -> Bucket {
    let root = format!("s3://{}{prefix}", S3::BUCKET).parse().unwrap();
    Bucket::open(&root, &access(s3, S3::SECRET_KEY), PATIENCE).unwrap()
}

/// What a client of the tests' server has to know.
pub(crate) fn access(s3: &S3, secret: &str) -> Access {
    let credential = AwsCredential { key_id: S3::ACCESS_KEY.to_owned(), secret_key: secret.to_owned(), token: None };
    Access {
        credentials: Some(Arc::new(StaticCredentialProvider::new(credential))),
        region: Some(S3::REGION.to_owned()),
        endpoint: Some(s3.endpoint()),
    }
}

/// A store in a folder, and who signs what is in it.
pub(crate) struct Shop {
    pub(crate) folder: TempDir,
    pub(crate) signer: Signer,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self { folder: tempdir().unwrap(), signer: Signer::new() }
    }

    pub(crate) fn store(&self) -> Publisher<'_> {
        in_folder(&self.folder.path().join("store"), "prod", &self.signer)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }
}

/// What a host brings that follows a publisher's channel, and asks when it is told to.
pub(crate) fn setup(publisher: &Publisher<'_>, cache: Option<&Path>) -> Setup {
    let caps = Caps::default();
    Setup {
        place: publisher.place.clone(),
        following: Following {
            trust: publisher.signer.trusted(),
            budget: Duration::from_secs(10),
            ..Following::default()
        },
        access: Access::default(),
        // Two threads that decide, and one slot for what is tried, as hosts have it.
        admission: Admission::new(Engine::new(3, caps.limits.memory).unwrap()),
        caps,
        cache: cache.map(Path::to_owned),
        own: None,
        env: |_| None,
        say: |_| {},
    }
}
