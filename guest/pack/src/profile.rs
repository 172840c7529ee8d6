//! Is the cargo profile of policies: small, and quick to instantiate.

use std::fs;
use std::path::Path;

use crate::error::file;
use crate::{Error, Result};

/// The profile's name. A workspace whose manifest has a `[profile.policy]` builds by that one.
pub(crate) const PROFILE: &str = "policy";

const SETTINGS: [&str; 6] =
    [r#"inherits="release""#, r#"opt-level="s""#, "lto=true", "codegen-units=1", r#"panic="abort""#, "strip=true"];

/// What cargo is told of the profile for the workspace in `root`.
pub(crate) fn options(root: &Path) -> Result<Vec<String>> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(file("read", &path))?;
    let unclear = |error: toml::de::Error| Error::Format {
        what: format!("`{}`", path.display()),
        why: error.message().to_owned(),
    };
    let manifest: toml::Table = text.parse().map_err(unclear)?;
    if manifest.get("profile").is_some_and(|profiles| profiles.get(PROFILE).is_some()) {
        return Ok(Vec::new());
    }
    Ok(SETTINGS.iter().flat_map(|setting| ["--config".into(), format!("profile.{PROFILE}.{setting}")]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(manifest: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        options(folder.path())
    }

    #[test]
    fn a_manifest_without_the_profile_gets_it() {
        for manifest in ["", "[profile.release]\nlto = \"thin\""] {
            let options = options_of(manifest).unwrap();
            assert_eq!(
                options[..4],
                ["--config", "profile.policy.inherits=\"release\"", "--config", "profile.policy.opt-level=\"s\""]
            );
            assert_eq!(options.len(), 12);
        }
    }

    #[test]
    fn a_manifest_with_the_profile_keeps_its_own() {
        assert_eq!(options_of("[profile.policy]\ninherits = \"release\"").unwrap(), [""; 0]);
    }

    #[test]
    fn a_manifest_that_is_not_there_or_not_clear_is_named() {
        assert!(
            options(Path::new("/no/such/folder")).unwrap_err().to_string().contains("`/no/such/folder/Cargo.toml`")
        );
        assert!(options_of("[").unwrap_err().to_string().starts_with("cannot understand `"));
    }
}
