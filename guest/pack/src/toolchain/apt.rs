//! Downloads Debian's compiler packages with apt, without root and without installing anything.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::{chain, file};
use crate::process::output;
use crate::{Error, Progress, Result};

/// The oldest compiler that builds a policy: the `rust-version` of this workspace.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Debian keeps this compiler new enough to build browsers, in old releases too.
const COMPILER: &str = "rustc-web";
const SOURCE: &str = "rust-web-src";

/// Downloads the compiler's packages into `debs` and gives the compiler's version. `lists` is for package lists of
/// our own, if those of the system are missing, too old, or name files that the mirror no longer has.
pub(super) fn fetch(debs: &Path, lists: &Path, progress: Progress) -> Result<String> {
    match (Apt { options: Vec::new() }).fetch(debs, progress) {
        Err(error) if !matches!(error, Error::Start { .. }) => {
            progress(&format!("{}: reading fresh package lists", chain(&error)));
            Apt::with_fresh_lists(lists)?.fetch(debs, progress)
        }
        fetched => fetched,
    }
}

/// Whether a version such as `1.96.0+dfsg1-1` is not older than the workspace asks for.
pub(super) fn is_new_enough(version: &str) -> bool {
    let major_minor = |text: &str| {
        let mut numbers = text.split('.').map(|part| part.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    major_minor(version) >= major_minor(OLDEST)
}

struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn with_fresh_lists(folder: &Path) -> Result<Self> {
        for needed in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(needed)).map_err(file("create", folder))?;
        }
        let folder = folder.display();
        let apt = Apt {
            options: vec![
                format!("Dir::State={folder}"),
                format!("Dir::State::lists={folder}/lists"),
                "Dir::State::status=/var/lib/dpkg/status".into(),
                format!("Dir::Cache={folder}/cache"),
            ],
        };
        // One broken source of several fails the update, but need not be the one that we ask.
        let updated = output(apt.command("apt-get").args(["-qq", "update"]));
        if apt.candidate()?.is_none() {
            updated?;
        }
        Ok(apt)
    }

    fn fetch(&self, debs: &Path, progress: Progress) -> Result<String> {
        let version = match self.candidate()? {
            Some(version) if is_new_enough(&version) => version,
            Some(version) => return Err(unsuited(&format!("{version}, but {OLDEST} is needed"))),
            None => return Err(unsuited("in no version")),
        };
        let packages = self.packages()?;
        progress(&format!("fetching Debian's {COMPILER} {version}: about 137 MB, unpacked only, nothing is installed"));
        if debs.exists() {
            fs::remove_dir_all(debs).map_err(file("remove", debs))?;
        }
        fs::create_dir_all(debs).map_err(file("create", debs))?;
        output(self.command("apt-get").args(["-qq", "download"]).args(packages).current_dir(debs))?;
        Ok(version)
    }

    /// The version of the compiler that apt would install.
    fn candidate(&self) -> Result<Option<String>> {
        Ok(candidate(&output(self.command("apt-cache").args(["policy", COMPILER]))?).map(str::to_owned))
    }

    /// What apt's own resolver says is missing here: the compiler, its source, and libraries whose names move.
    fn packages(&self) -> Result<Vec<String>> {
        let mut install = self.command("apt-get");
        install.args(["--simulate", "--yes", "--no-install-recommends", "install", COMPILER, SOURCE]);
        let packages = missing(&output(&mut install)?);
        if packages.iter().any(|package| package == COMPILER) {
            Ok(packages)
        } else {
            Err(Error::Unsuited(format!("apt would not download `{COMPILER}`: is it installed already?")))
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C");
        let unprivileged = ["Debug::NoLocking=true", "APT::Sandbox::User="];
        for option in unprivileged.into_iter().chain(self.options.iter().map(String::as_str)) {
            command.args(["-o", option]);
        }
        command
    }
}

fn unsuited(what: &str) -> Error {
    Error::Unsuited(format!("apt offers `{COMPILER}` {what}"))
}

fn candidate(policy: &str) -> Option<&str> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then_some(version)
}

fn missing(simulation: &str) -> Vec<String> {
    let installed = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    installed.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_read_unless_there_is_none() {
        let policy =
            |candidate| format!("rustc-web:\n  Installed: (none)\n  Candidate: {candidate}\n  Version table:\n");
        assert_eq!(candidate(&policy("1.96.0+dfsg1-1~deb12u2")), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate(&policy("(none)")), None);
        assert_eq!(candidate(""), None);
    }

    #[test]
    fn packages_are_what_the_resolver_would_install() {
        let simulation = "Reading package lists...\nInst libllvm22 (1:22 Debian [amd64])\nInst rustc-web [1.85] (1.96)\n\
                          Conf libllvm22 (1:22 Debian [amd64])\n";
        assert_eq!(missing(simulation), ["libllvm22", "rustc-web"]);
    }

    #[test]
    fn versions_compare_by_number() {
        let (major, minor) = OLDEST.split_once('.').unwrap();
        let minor: u32 = minor.split('.').next().unwrap().parse().unwrap();
        assert!(is_new_enough(&format!("{major}.{minor}.0+dfsg1-1")));
        assert!(is_new_enough("1.100.0"));
        assert!(!is_new_enough(&format!("{major}.{}.9+dfsg1-1", minor - 1)));
        assert!(!is_new_enough("1.9.0"));
        assert!(!is_new_enough(""));
    }
}
