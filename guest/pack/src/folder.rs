//! The folder that keeps components, the policy set that names them and the lock: read, written, compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::file;
use crate::lock::{Entry, Lock};
use crate::pin::pin;
use crate::{Component, Progress, Result};
use cogwit_core::digest::sha256;

pub(crate) const SET: &str = "policies.toml";
pub(crate) const LOCK: &str = "policies.lock";

/// What a folder of components holds. One that does not exist holds nothing.
#[derive(Debug)]
pub struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) lock: Lock,
    pub(crate) set: Option<String>,
    /// The digest of each component file.
    pub(crate) digests: BTreeMap<String, String>,
}

/// How a folder differs from what was built now.
#[derive(Debug, Default, PartialEq)]
pub struct Comparison {
    /// What differs, one line each.
    pub differences: Vec<String>,
    /// The compiler or encoder is another one, so bytes were not compared: what it was and what it is.
    pub moved: Option<(String, String)>,
}

impl Folder {
    /// Reads what `path` holds.
    pub fn read(path: &Path) -> Result<Self> {
        let mut folder = Folder { path: path.to_owned(), lock: Lock::default(), set: None, digests: BTreeMap::new() };
        if !path.exists() {
            return Ok(folder);
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        for entry in entries.map_err(file("list", path))? {
            let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            if name == LOCK {
                let text = fs::read_to_string(&path).map_err(file("read", &path))?;
                folder.lock = Lock::parse(&text, &format!("`{}`", path.display()))?;
            } else if name == SET {
                folder.set = Some(fs::read_to_string(&path).map_err(file("read", &path))?);
            } else if name.ends_with(".wasm") {
                let bytes = fs::read(&path).map_err(file("read", &path))?;
                folder.digests.insert(name, sha256(&bytes));
            }
        }
        Ok(folder)
    }

    /// Whether the folder has this very component.
    pub fn has(&self, component: &Component) -> bool {
        self.digests.get(&component.file) == Some(&component.sha256)
    }

    /// Writes components, their lock, and this folder's policy set with their digests into `path`.
    pub fn write_to(&self, path: &Path, components: &[Component], progress: Progress) -> Result<()> {
        let lock = Lock::of(components);
        // First, so that a set that cannot be pinned leaves everything as it was.
        let set = self.set.as_ref().map(|set| self.pin(set, &lock)).transpose()?;
        fs::create_dir_all(path).map_err(file("create", path))?;
        for component in components {
            write(&path.join(&component.file), &component.bytes)?;
        }
        match set {
            Some(set) => write(&path.join(SET), set.as_bytes())?,
            None => progress(&format!("no `{}` yet: no digests to write", self.path.join(SET).display())),
        }
        write(&path.join(LOCK), lock.render("cargo pack")?.as_bytes())?;
        for old in self.lock.entries.iter().filter(|old| path == self.path && lock.entry(&old.file).is_none()) {
            progress(&format!("`{}` is built by no policy any more: remove it", old.file));
        }
        Ok(())
    }

    /// Compares what the folder holds with what was built now.
    pub fn compare(&self, built: &[Component]) -> Result<Comparison> {
        let built = Lock::of(built);
        let mut comparison = Comparison::default();
        for new in &built.entries {
            match self.lock.entry(&new.file) {
                Some(old) => self.compare_entry(old, new, &mut comparison),
                None => comparison.differences.push(format!("`{}` is not in {LOCK}", new.file)),
            }
        }
        let gone = self.lock.entries.iter().filter(|old| built.entry(&old.file).is_none());
        comparison.differences.extend(gone.map(|old| format!("`{}` is in {LOCK}, but no policy builds it", old.file)));
        if let Some(set) = &self.set
            && self.pin(set, &self.lock)? != *set
        {
            comparison.differences.push(format!("{SET} has other digests than {LOCK}"));
        }
        Ok(comparison)
    }

    fn compare_entry(&self, old: &Entry, new: &Entry, comparison: &mut Comparison) {
        let file = &old.file;
        match self.digests.get(file) {
            None => comparison.differences.push(format!("`{file}` is in {LOCK}, but there is no such file")),
            Some(digest) if *digest != old.sha256 => {
                comparison.differences.push(format!("`{file}` is not the file that {LOCK} names"));
            }
            Some(_) if old.maker() != new.maker() => comparison.moved = Some((old.maker(), new.maker())),
            Some(_) if old.sha256 != new.sha256 => comparison.differences.push(format!(
                "`{file}` was {} bytes, {:.12}, and is {} bytes, {:.12}",
                old.size, old.sha256, new.size, new.sha256
            )),
            Some(_) => {}
        }
    }

    pub(crate) fn pin(&self, set: &str, lock: &Lock) -> Result<String> {
        pin(set, lock, &format!("`{}`", self.path.join(SET).display()))
    }
}

/// Writes a file unless it has these bytes already, so that nothing is rebuilt for an unchanged one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, bytes: &[u8], rustc: &str) -> Component {
        Component {
            file: format!("{name}.wasm"),
            bytes: bytes.to_owned(),
            sha256: sha256(bytes),
            rustc: rustc.into(),
            encoder: "wit-component 0.254.2".into(),
        }
    }

    /// A folder with the components `a` and `b`, both in its policy set.
    fn committed() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let set = "[[policy]]\ncomponent = \"a.wasm\"\n\n[[policy]]\ncomponent = \"b.wasm\"\n";
        fs::write(dir.path().join(SET), set).unwrap();
        let components = [component("a", b"one", "rustc 1"), component("b", b"two", "rustc 1")];
        Folder::read(dir.path()).unwrap().write_to(dir.path(), &components, &|_| ()).unwrap();
        dir
    }

    fn differences(dir: &Path, built: &[Component]) -> Vec<String> {
        let comparison = Folder::read(dir).unwrap().compare(built).unwrap();
        assert_eq!(comparison.moved, None);
        comparison.differences
    }

    #[test]
    fn what_was_written_is_the_same_as_what_was_built() {
        let dir = committed();
        let built = [component("b", b"two", "rustc 1"), component("a", b"one", "rustc 1")];
        assert_eq!(differences(dir.path(), &built), [""; 0]);
        let set = fs::read_to_string(dir.path().join(SET)).unwrap();
        assert!(set.contains(&format!("sha256 = \"{}\"", sha256(b"two"))), "{set}");
        let folder = Folder::read(dir.path()).unwrap();
        assert!(folder.has(&built[0]));
        assert!(!folder.has(&component("b", b"other", "rustc 1")));
    }

    #[test]
    fn other_bytes_of_the_same_compiler_differ() {
        let dir = committed();
        let built = [component("a", b"one!", "rustc 1"), component("b", b"two", "rustc 1")];
        let (old, new) = (sha256(b"one"), sha256(b"one!"));
        let expected = format!("`a.wasm` was 3 bytes, {old:.12}, and is 4 bytes, {new:.12}");
        assert_eq!(differences(dir.path(), &built), [expected]);
    }

    #[test]
    fn bytes_of_another_compiler_are_not_compared() {
        let dir = committed();
        let built = [component("a", b"one!", "rustc 2"), component("b", b"two!", "rustc 2")];
        let comparison = Folder::read(dir.path()).unwrap().compare(&built).unwrap();
        let maker = |rustc| format!("{rustc}, wit-component 0.254.2, wasm32-unknown-unknown");
        assert_eq!(comparison.moved, Some((maker("rustc 1"), maker("rustc 2"))));
        assert_eq!(comparison.differences, [""; 0]);
    }

    #[test]
    fn policies_that_came_or_went_differ() {
        let dir = committed();
        let built = [component("b", b"two", "rustc 1"), component("c", b"three", "rustc 1")];
        let expected = ["`c.wasm` is not in policies.lock", "`a.wasm` is in policies.lock, but no policy builds it"];
        assert_eq!(differences(dir.path(), &built), expected);
    }

    #[test]
    fn a_folder_that_contradicts_its_lock_differs() {
        let dir = committed();
        let built = [component("a", b"one", "rustc 1"), component("b", b"two", "rustc 1")];
        fs::write(dir.path().join("a.wasm"), b"one!").unwrap();
        fs::remove_file(dir.path().join("b.wasm")).unwrap();
        let set = fs::read_to_string(dir.path().join(SET)).unwrap();
        fs::write(dir.path().join(SET), set.replace(&sha256(b"one"), "00")).unwrap();
        let expected = [
            "`a.wasm` is not the file that policies.lock names",
            "`b.wasm` is in policies.lock, but there is no such file",
            "policies.toml has other digests than policies.lock",
        ];
        assert_eq!(differences(dir.path(), &built), expected);
    }

    #[test]
    fn another_folder_gets_a_copy_and_the_first_stays() {
        let (dir, out) = (committed(), tempfile::tempdir().unwrap());
        let built = [component("a", b"one!", "rustc 1"), component("b", b"two", "rustc 1")];
        let before = fs::read_to_string(dir.path().join(SET)).unwrap();
        Folder::read(dir.path()).unwrap().write_to(&out.path().join("set"), &built, &|_| ()).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(SET)).unwrap(), before);
        assert_eq!(fs::read(dir.path().join("a.wasm")).unwrap(), b"one");
        assert_eq!(differences(&out.path().join("set"), &built), [""; 0]);
    }

    #[test]
    fn a_missing_folder_holds_nothing() {
        let built = [component("a", b"one", "rustc 1")];
        assert_eq!(differences(Path::new("/no/such/folder"), &built), ["`a.wasm` is not in policies.lock"]);
    }
}
