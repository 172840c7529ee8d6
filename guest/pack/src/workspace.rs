//! The workspace as cargo sees it: its root, its target folder, and which members are policies.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::process::output;
use crate::{Error, Result};

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
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Workspace {
    /// Asks cargo for the workspace that `dir` belongs to.
    pub fn at(dir: &Path) -> Result<Self> {
        let mut metadata = Command::new(cargo());
        metadata.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(dir);
        Self::parse(&output(&mut metadata)?)
    }

    fn parse(json: &str) -> Result<Self> {
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
    }
}
