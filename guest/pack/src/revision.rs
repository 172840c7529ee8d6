//! Asks git which commit the sources of a policy are of.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::output;
use crate::{Guest, Workspace};

/// What git says of the sources of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The last commit that changed them.
    Commit(String),
    /// Some of what they hold is in no commit.
    Uncommitted,
    /// They are in no repository, or git is not there.
    Unknown,
}

impl Workspace {
    /// The revision of a policy: of its sources, its manifest, and the workspace's manifest and lock.
    pub fn revision(&self, guest: &Guest) -> Revision {
        let mut sources = ["src", "Cargo.toml", "Cargo.lock"].map(|name| guest.folder.join(name)).to_vec();
        sources.extend(["Cargo.toml", "Cargo.lock"].map(|name| self.root.join(name)));
        revision(&guest.folder, &sources).unwrap_or(Revision::Unknown)
    }
}

fn revision(folder: &Path, sources: &[PathBuf]) -> crate::Result<Revision> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        // A look must not wait for, or stand in the way of, a git command of the author's.
        output(git.arg("--no-optional-locks").args(arguments).arg("--").args(sources).current_dir(folder))
    };
    // First, since a repository without a commit has no log.
    if !git(&["status", "--porcelain"])?.is_empty() {
        return Ok(Revision::Uncommitted);
    }
    let commit = git(&["log", "-1", "--format=%H"])?;
    Ok(if commit.is_empty() { Revision::Unknown } else { Revision::Commit(commit) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with a crate `a` in it, which is its own workspace.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in ["Cargo.toml", "Cargo.lock", "src/lib.rs", "README.md"] {
            let path = folder.path().join("a").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "one").unwrap();
        }
        folder
    }

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        let who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
        output(git.args(who).args(arguments).current_dir(folder)).unwrap()
    }

    fn commit(folder: &Path) -> String {
        git(folder, &["add", "."]);
        git(folder, &["commit", "--quiet", "--message", "change"]);
        git(folder, &["rev-parse", "HEAD"])
    }

    fn of(folder: &Path) -> Revision {
        let json = format!(
            r#"{{"workspace_root": "{0}", "target_directory": "", "packages": [{{"name": "a", "version": "0.1.0",
                "manifest_path": "{0}/Cargo.toml", "targets": [{{"name": "a", "crate_types": ["cdylib"]}}]}}]}}"#,
            folder.join("a").display()
        );
        let workspace = Workspace::parse(&json).unwrap();
        workspace.revision(&workspace.policies_in(&folder.join("a")).unwrap()[0])
    }

    #[test]
    fn a_folder_without_a_repository_has_no_revision() {
        // Not every temporary folder lies outside of every repository.
        let folder = folder();
        fs::write(folder.path().join("a/.git"), "none").unwrap();
        assert_eq!(of(folder.path()), Revision::Unknown);
    }

    #[test]
    fn the_revision_is_the_last_commit_that_changed_the_sources() {
        let folder = folder();
        let path = folder.path();
        git(path, &["init", "--quiet"]);
        assert_eq!(of(path), Revision::Uncommitted);
        let first = commit(path);
        assert_eq!(of(path), Revision::Commit(first.clone()));

        fs::write(path.join("a/README.md"), "two").unwrap();
        assert_eq!(of(path), Revision::Commit(first.clone()), "a change beside the sources");
        commit(path);
        assert_eq!(of(path), Revision::Commit(first.clone()), "a commit beside the sources");

        for source in ["Cargo.toml", "Cargo.lock", "src/lib.rs", "src/new.rs"] {
            fs::write(path.join("a").join(source), source).unwrap();
            assert_eq!(of(path), Revision::Uncommitted, "{source}");
            let commit = commit(path);
            assert_eq!(of(path), Revision::Commit(commit), "{source}");
        }
        assert_ne!(of(path), Revision::Commit(first));
    }

    #[test]
    fn sources_that_git_is_told_to_ignore_have_no_revision() {
        let folder = folder();
        fs::write(folder.path().join(".gitignore"), "/a\n").unwrap();
        git(folder.path(), &["init", "--quiet"]);
        commit(folder.path());
        assert_eq!(of(folder.path()), Revision::Unknown);
    }
}
