//! The workspace as cargo sees it: its root, its target folder, and which members are policies.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::process::{output, visibly};
use crate::{Error, Progress, Result};

/// A cargo workspace, or a single crate that is its own workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// The folder of the workspace's manifest.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where cargo keeps what it builds.
    #[serde(rename = "target_directory")]
    pub target_dir: PathBuf,
    packages: Vec<Package>,
}

/// A crate that exports triggers and becomes one component.
#[derive(Debug)]
pub struct Guest {
    /// The crate's name, which is the component's too.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// The crate's description, if its manifest has one.
    pub description: Option<String>,
    /// The crate's licence expression, if its manifest has one.
    pub license: Option<String>,
    /// The commit that the component shall name as its source, if any.
    pub revision: Option<String>,
    /// The folder of the crate's manifest.
    pub(crate) folder: PathBuf,
    /// The stem of the file that the compiler writes.
    pub(crate) artifact: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    license: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    path: Option<PathBuf>,
}

impl Workspace {
    /// Asks cargo for the workspace that `dir` belongs to.
    pub fn at(dir: &Path) -> Result<Self> {
        let mut metadata = Command::new(cargo());
        metadata.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(dir);
        Self::parse(&output(&mut metadata)?)
    }

    pub(crate) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| Error::Format { what: "the answer of `cargo metadata`".into(), why: error.to_string() })
    }

    /// The members in or under `folder`, by name. Each of them must be a policy, and there must be one.
    pub fn guests_under(&self, folder: &Path) -> Result<Vec<Guest>> {
        let inside = self.packages.iter().filter(|package| package.manifest_path.starts_with(folder));
        let mut guests = inside.map(Package::guest).collect::<Result<Vec<_>>>()?;
        if guests.is_empty() {
            return Err(Error::NoGuests { folder: folder.to_owned() });
        }
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(guests)
    }

    /// The policies of `dir`: the crate whose manifest lies there, which must be one. Where none lies there, or one without
    /// a package, every policy among the members below, by name.
    pub fn policies_in(&self, dir: &Path) -> Result<Vec<Guest>> {
        let manifest = dir.join("Cargo.toml");
        if let Some(own) = self.packages.iter().find(|package| package.manifest_path == manifest) {
            return Ok(vec![own.guest()?]);
        }
        let below = self.packages.iter().filter(|package| package.manifest_path.starts_with(dir));
        let mut guests: Vec<_> = below.filter_map(|package| package.guest().ok()).collect();
        if guests.is_empty() {
            return Err(Error::NoGuests { folder: dir.to_owned() });
        }
        guests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(guests)
    }

    /// Makes the workspace's `Cargo.lock` where there is none. A build takes it as it is.
    pub fn lock(&self, progress: Progress) -> Result<()> {
        if self.root.join("Cargo.lock").exists() {
            return Ok(());
        }
        progress("no `Cargo.lock` yet: making one");
        visibly(Command::new(cargo()).arg("generate-lockfile").current_dir(&self.root))
    }

    /// The crates of other folders that members depend on, each with its folder.
    pub(crate) fn neighbours(&self) -> Vec<(PathBuf, String)> {
        let dependencies = self.packages.iter().flat_map(|package| &package.dependencies);
        let paths = dependencies.filter_map(|it| Some((it.path.clone()?, it.name.clone())));
        let mut outside: Vec<_> = paths.filter(|(path, _)| !path.starts_with(&self.root)).collect();
        outside.sort();
        outside.dedup();
        outside
    }
}

impl Package {
    fn guest(&self) -> Result<Guest> {
        let is_cdylib = |target: &&Target| target.crate_types.iter().any(|kind| kind == "cdylib");
        let Some(target) = self.targets.iter().find(is_cdylib) else {
            return Err(Error::NotCdylib { name: self.name.clone() });
        };
        Ok(Guest {
            name: self.name.clone(),
            version: self.version.clone(),
            description: self.description.clone(),
            license: self.license.clone(),
            revision: None,
            folder: self.manifest_path.parent().unwrap_or(Path::new("")).to_owned(),
            artifact: target.name.replace('-', "_"),
        })
    }
}

/// The cargo to run: the one that runs us, so that both use one toolchain; else the one on PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(kinds: &str) -> Workspace {
        let package = |name: &str, folder: &str, kinds: &str| {
            format!(
                r#"{{"name": "{name}", "version": "0.1.0", "description": null, "license": "MIT", "edition": "2024",
                    "manifest_path": "/w/{folder}/{name}/Cargo.toml",
                    "targets": [{{"name": "tests", "crate_types": ["bin"]}}, {{"name": "{name}", "crate_types": {kinds}}}]}}"#
            )
        };
        let packages = [
            package("deny-late", "guest/policies", kinds),
            package("allow-all", "guest/policies", r#"["cdylib"]"#),
            package("sdk", "guest", r#"["rlib"]"#),
        ];
        Workspace::parse(&format!(
            r#"{{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{}]}}"#,
            packages.join(",")
        ))
        .unwrap()
    }

    #[test]
    fn guests_are_the_members_of_one_folder_by_name() {
        let guests = workspace(r#"["cdylib", "rlib"]"#).guests_under(Path::new("/w/guest/policies")).unwrap();
        let names: Vec<_> = guests.iter().map(|guest| (guest.name.as_str(), guest.artifact.as_str())).collect();
        assert_eq!(names, [("allow-all", "allow_all"), ("deny-late", "deny_late")]);
        assert_eq!(guests[0].license.as_deref(), Some("MIT"));
    }

    #[test]
    fn a_member_that_is_no_policy_is_named_with_the_mend() {
        let error = workspace(r#"["rlib"]"#).guests_under(Path::new("/w/guest/policies")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`deny-late` is no policy: its manifest needs `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`"
        );
    }

    #[test]
    fn a_folder_without_policies_is_an_error() {
        let error = workspace(r#"["rlib"]"#).guests_under(Path::new("/w/guest/pol")).unwrap_err();
        assert!(matches!(error, Error::NoGuests { .. }), "{error}");
        let error = workspace(r#"["rlib"]"#).policies_in(Path::new("/w/guest/sdk/src")).unwrap_err();
        assert!(matches!(error, Error::NoGuests { .. }), "{error}");
    }

    #[test]
    fn a_folders_own_crate_comes_before_those_below_it() {
        let names = |kinds: &str, dir: &str| -> Result<Vec<_>> {
            let guests = workspace(kinds).policies_in(Path::new(dir))?;
            Ok(guests.into_iter().map(|guest| (guest.name, guest.folder)).collect())
        };
        let at = |name: &str| (name.to_owned(), PathBuf::from(format!("/w/guest/policies/{name}")));
        assert_eq!(names(r#"["cdylib"]"#, "/w/guest/policies/deny-late").unwrap(), [at("deny-late")]);
        assert_eq!(names(r#"["cdylib"]"#, "/w").unwrap(), [at("allow-all"), at("deny-late")]);
        // What is no policy is passed over among others, but not where it was named.
        assert_eq!(names(r#"["rlib"]"#, "/w/guest").unwrap(), [at("allow-all")]);
        assert!(matches!(names("[]", "/w/guest/sdk"), Err(Error::NotCdylib { .. })));
    }

    #[test]
    fn neighbours_are_what_lies_outside() {
        let dependency = |path: &str| format!(r#"{{"name": "{}", "path": {path}}}"#, path.len());
        let dependencies = [r#""/w/guest/sdk""#, r#""/sdk""#, "null", r#""/sdk""#].map(dependency).join(",");
        let workspace = Workspace::parse(&format!(
            r#"{{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{{"name": "a", "version": "0.1.0",
                "manifest_path": "/w/Cargo.toml", "targets": [], "dependencies": [{dependencies}]}}]}}"#
        ));
        assert_eq!(workspace.unwrap().neighbours(), [("/sdk".into(), "6".to_owned())]);
    }

    #[test]
    fn a_lock_that_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.lock"), "mine").unwrap();
        let workspace = Workspace { root: folder.path().to_owned(), target_dir: PathBuf::new(), packages: Vec::new() };
        workspace.lock(&|line| panic!("{line}")).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("Cargo.lock")).unwrap(), "mine");
    }
}
