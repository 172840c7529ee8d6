//! Is a channel of a release store for one test, in a folder or an S3, with a key and sets to publish.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, str};

use serde_json::Value;
use walkdir::WalkDir;

use crate::program::{Cogwit, json};
use crate::s3::S3;
use crate::support::Folder;

/// A sign-up under a name of four letters: the set `four` allows it, the set `five` does not.
pub(crate) const RROE: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","response":{}}"#;

/// A store with its channel `prod`, the keys `it` and `other`, and the sets `four` and `five`.
pub(crate) struct Channel {
    pub(crate) folder: Folder,
    pub(crate) s3: Option<S3>,
}

impl Channel {
    pub(crate) fn in_a_folder() -> Self {
        let folder = Folder::new();
        for name in ["it", "other"] {
            folder.cogwit("keygen").args(["--no-password", "--out", name]).ends(0);
        }
        let folder = [("four", 4), ("five", 5)].into_iter().fold(folder, |folder, (name, minimum)| {
            let decision = if minimum > 4 { "deny" } else { "allow" };
            let case = format!("source = 'PreSignUp_SignUp'\nwith.userName = 'rroe'\nexpect.decision = '{decision}'\n");
            folder
                .with(&format!("{name}/policies.toml"), set(&format!("settings = {{ minimum-length = {minimum} }}\n")))
                .with(&format!("{name}/cases.toml"), case)
                .with_component("deny-short-username", &format!("{name}/length.wasm"))
        });
        Self { folder, s3: None }
    }

    pub(crate) fn in_s3() -> Self {
        Self { s3: Some(S3::start()), ..Self::in_a_folder() }
    }

    /// Each kind, for what must hold for all.
    pub(crate) fn each() -> [Self; 2] {
        [Self::in_a_folder(), Self::in_s3()]
    }

    /// Where it is, as a command line has it.
    pub(crate) fn place(&self) -> String {
        self.named("prod")
    }

    /// Another channel of the same store.
    pub(crate) fn named(&self, channel: &str) -> String {
        match &self.s3 {
            Some(_) => format!("s3://{}/login#{channel}", S3::BUCKET),
            None => format!("file://{}#{channel}", self.folder.path("store")),
        }
    }

    /// `cogwit COMMAND` that trusts no key yet.
    pub(crate) fn strange(&self, command: &str) -> Cogwit {
        let nowhere = self.folder.path("no-profiles");
        let cogwit = self.folder.cogwit(command).envs([
            ("AWS_CONFIG_FILE", nowhere.as_str()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere.as_str()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("COGWIT_STATE", self.folder.path("state").as_str()),
        ]);
        let of_s3 = self.s3.iter().flat_map(S3::env);
        of_s3.fold(cogwit, |cogwit, (name, value)| cogwit.env(name, &value))
    }

    /// `cogwit COMMAND` that trusts the key `it`.
    pub(crate) fn cogwit(&self, command: &str) -> Cogwit {
        self.strange(command).env("COGWIT_TRUSTED_KEYS", &self.key("it"))
    }

    /// The line of a public key.
    pub(crate) fn key(&self, name: &str) -> String {
        self.folder.text(&format!("{name}.pub")).lines().last().unwrap().to_owned()
    }

    /// `cogwit publish SET` here, signed by `it`.
    pub(crate) fn publish(&self, set: &str) -> Cogwit {
        self.strange("publish").args([set, &self.place(), "--key", "it.key"])
    }

    /// What the command says with `--format json`, if it ends well.
    #[track_caller]
    pub(crate) fn published(&self, set: &str) -> Value {
        json(&self.publish(set).args(["--format", "json"]).ends(0))
    }

    /// How [`RROE`] is decided by what lies here.
    #[track_caller]
    pub(crate) fn decides(&self) -> i32 {
        let ended = self.cogwit("run").args(["-", "--policies", &self.place()]).stdin(RROE).ended();
        ended.get_output().status.code().unwrap()
    }

    /// What `cogwit status` says.
    #[track_caller]
    pub(crate) fn status(&self, code: i32) -> Value {
        json(&self.cogwit("status").args([&self.place(), "--format", "json"]).ends(code))
    }

    /// Why `cogwit status` says that no host follows it.
    #[track_caller]
    pub(crate) fn refused(&self) -> String {
        let problems = self.status(1)["problems"].as_array().unwrap().clone();
        problems.iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// Removes what this machine saw.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.folder.path("state")).unwrap();
    }

    /// Every object, and its bytes.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        if let Some(s3) = &self.s3 {
            return s3.all().into_iter().map(|(key, bytes)| (key.replacen("login/", "", 1), bytes)).collect();
        }
        let root = self.folder.path("store");
        let files = WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
        let key = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let objects = files.map(|entry| (key(entry.path()), fs::read(entry.path()).unwrap()));
        objects.filter(|(key, _)| key != ".lock").collect()
    }

    /// Reads an object as text.
    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8(self.objects()[key].clone()).unwrap()
    }

    /// The one object whose name begins so.
    pub(crate) fn one(&self, prefix: &str) -> String {
        let objects = self.objects();
        let mut found = objects.keys().filter(|key| key.starts_with(prefix));
        let one = found.next().unwrap_or_else(|| panic!("no {prefix}")).clone();
        assert!(found.next().is_none(), "several {prefix}");
        one
    }

    /// Writes an object, as an attacker would.
    pub(crate) fn put(&self, key: &str, bytes: impl AsRef<[u8]>) {
        match &self.s3 {
            Some(s3) => s3.put(&format!("login/{key}"), bytes.as_ref()),
            None => self.folder.write(&format!("store/{key}"), bytes),
        }
    }

    pub(crate) fn remove(&self, key: &str) {
        match &self.s3 {
            Some(s3) => s3.remove(&format!("login/{key}")),
            None => fs::remove_file(self.folder.path(&format!("store/{key}"))).unwrap(),
        }
    }
}

/// A document of the set `it` with one policy, which has these lines.
pub(crate) fn set(lines: &str) -> String {
    format!(
        "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'length'\ncomponent = 'length.wasm'\ntests = ['cases.toml']\n{lines}"
    )
}
