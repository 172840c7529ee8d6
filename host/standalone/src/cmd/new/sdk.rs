//! Makes the line by which the new crate depends on the SDK: a folder, a repository or a version.

use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

/// Where the SDK is, as the command line has it.
#[derive(Debug)]
pub(super) enum Sdk {
    /// A folder, whole and without links, and whether it was named from where we are.
    Path { folder: PathBuf, relative: bool },
    /// A repository and its revision.
    Git { url: String, rev: Option<String> },
    /// A version in the registry.
    Version(String),
}

impl Sdk {
    /// The SDK in a folder, which must hold it.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        let is_sdk = |manifest: &Table| manifest.get("package")?.get("name")?.as_str().map(|name| name == "cogwit-sdk");
        let manifest = fs::read_to_string(path.join("Cargo.toml")).ok().and_then(|text| text.parse().ok());
        if manifest.as_ref().and_then(is_sdk) != Some(true) {
            return Err(format!(
                "`{}` does not hold the crate `cogwit-sdk`: name the folder `guest/sdk` of cogwit's repository",
                path.display()
            ));
        }
        let folder = fs::canonicalize(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        Ok(Self::Path { folder, relative: path.is_relative() })
    }

    /// What the manifest of a crate in `folder` says of the SDK. Who named a folder from where they are means one that keeps
    /// its place beside the crate; a whole path is written as such.
    pub(super) fn dependency(&self, folder: &Path) -> String {
        let text = |text: &str| Value::String(text.to_owned());
        let keys = match self {
            Self::Version(version) => return text(version).to_string(),
            Self::Path { folder: sdk, relative } => {
                let between = relative.then(|| from_to(folder, sdk)).flatten();
                let path = between.unwrap_or_else(|| sdk.clone());
                vec![("path".to_owned(), text(&path.to_string_lossy().replace('\\', "/")))]
            }
            Self::Git { url, rev } => {
                let rev = rev.iter().map(|rev| ("rev".to_owned(), text(rev)));
                std::iter::once(("git".to_owned(), text(url))).chain(rev).collect()
            }
        };
        Value::Table(keys.into_iter().collect()).to_string()
    }
}

/// The way from one folder to another, both whole. None where they have nothing in common.
fn from_to(from: &Path, to: &Path) -> Option<PathBuf> {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    (common > 0).then(|| up.chain(to.components().skip(common)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_line() {
        let git = |rev: Option<&str>| Sdk::Git { url: "https://x.example/\"a".into(), rev: rev.map(str::to_owned) };
        let path = |relative| Sdk::Path { folder: "/code/cogwit/guest/sdk".into(), relative };
        for (sdk, line) in [
            (Sdk::Version("0.1".into()), r#""0.1""#),
            (git(None), r#"{ git = 'https://x.example/"a' }"#),
            (git(Some("5b1f0c7")), r#"{ git = 'https://x.example/"a', rev = "5b1f0c7" }"#),
            (path(true), r#"{ path = "../../cogwit/guest/sdk" }"#),
            (path(false), r#"{ path = "/code/cogwit/guest/sdk" }"#),
        ] {
            assert_eq!(sdk.dependency(Path::new("/code/policies/staff-only")), line);
        }
    }

    #[test]
    fn a_folder_must_hold_the_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let mend = "` does not hold the crate `cogwit-sdk`: name the folder `guest/sdk` of cogwit's repository";
        let refused = || Sdk::at(folder.path()).unwrap_err();
        assert!(refused().ends_with(mend));
        for manifest in ["[", "[workspace]\n", "[package]\nname = \"cogwit-pack\"\n"] {
            fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
            assert!(refused().ends_with(mend), "{manifest}");
        }
        fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"cogwit-sdk\"\n").unwrap();
        assert!(matches!(Sdk::at(folder.path()), Ok(Sdk::Path { relative: false, .. })));
    }
}
