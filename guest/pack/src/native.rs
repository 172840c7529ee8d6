//! Makes machine code of a set's components ahead of time, for hosts that have no time to compile.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cogwit_core::run::{Engine, FINGERPRINT, Native as Code};

use crate::error::file;
use crate::folder::{LOCK, SET, write};
use crate::lock::{Lock, Native};
use crate::pin::components;
use crate::{Error, Result};
use cogwit_core::digest::sha256;

/// Machine code that was made.
#[derive(Debug)]
pub struct Made {
    /// The component's file.
    pub component: String,
    /// The file of the machine code, beside it.
    pub file: String,
    /// Its size, in bytes.
    pub size: usize,
}

/// Makes machine code for `target` of every component that the policy set of `folder` names, and lists it in the lock.
pub fn make_native(folder: &Path, target: &str) -> Result<Vec<Made>> {
    let ours = Code::target();
    if target != ours {
        let why = format!("this build makes machine code for `{ours}` alone: run it on a machine of the other kind");
        return Err(Error::Native { what: format!("the target `{target}`"), why });
    }
    // First of all, so that nothing outside is read, and nothing is half done.
    let inside = Inside::of(folder)?;
    inside.check(SET)?;
    inside.check(LOCK)?;
    let read = |path: &Path| fs::read_to_string(path).map_err(file("read", path));
    let (set_path, lock_path) = (folder.join(SET), folder.join(LOCK));
    let named: BTreeSet<_> = components(&read(&set_path)?, &format!("`{}`", set_path.display()))?.into_iter().collect();
    let mut lock = match lock_path.exists() {
        true => Lock::parse(&read(&lock_path)?, &format!("`{}`", lock_path.display()))?,
        false => Lock::default(),
    };
    let native_of = |component: &str| format!("{}.{target}.cwasm", component.trim_end_matches(".wasm"));
    for component in &named {
        inside.check(&native_of(component))?;
    }
    lock.native.retain(|it| it.target != target && named.contains(&it.component));
    // Compiling needs no memory of a policy's size.
    let engine = Engine::new(1, 1 << 20);
    let engine = engine.map_err(|error| Error::Native { what: "machine code".into(), why: error.to_string() })?;
    let mut made = Vec::new();
    for component in named {
        let path = folder.join(&component);
        let bytes = fs::read(&path).map_err(file("read", &path))?;
        let failed = |why: String| Error::Native { what: format!("machine code of `{component}`"), why };
        let code = engine.precompile(&bytes).map_err(|error| failed(error.to_string()))?;
        let name = native_of(&component);
        write(&folder.join(&name), &code)?;
        let (sha256, size) = (sha256(&code), code.len());
        let (target, engine) = (target.to_owned(), FINGERPRINT.to_owned());
        lock.native.push(Native { component: component.clone(), file: name.clone(), target, engine, sha256, size });
        made.push(Made { component, file: name, size });
    }
    lock.native.sort_by(|a, b| a.file.cmp(&b.file));
    write(&lock_path, lock.render("cargo pack")?.as_bytes())?;
    Ok(made)
}

/// A folder outside of which nothing is written.
struct Inside<'a> {
    folder: &'a Path,
    /// Without links.
    real: PathBuf,
}

impl<'a> Inside<'a> {
    fn of(folder: &'a Path) -> Result<Self> {
        // The path of this folder may be empty.
        let real = Path::new(".").join(folder).canonicalize().map_err(file("read", folder))?;
        Ok(Self { folder, real })
    }

    /// Refuses a file that is outside, by its own path, by that of its folder or by a link, whether it exists or not.
    fn check(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let real = parent.canonicalize().map_err(file("read", parent))?;
        let target = if path.is_symlink() { path.canonicalize().unwrap_or_default() } else { real };
        match target.starts_with(&self.real) {
            true => Ok(()),
            false => Err(Error::Native {
                what: format!("`{name}`"),
                why: format!("it would be read or written outside {}: copy the file there", self.folder.display()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component that is valid.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SET), "[[policy]]\ncomponent = \"a.wasm\"\n").unwrap();
        fs::write(folder.path().join("a.wasm"), COMPONENT).unwrap();
        folder
    }

    #[test]
    fn machine_code_stands_beside_its_component_and_in_the_lock() {
        let (folder, target) = (folder(), Code::target());
        for _ in 0..2 {
            let made = make_native(folder.path(), &target).unwrap();
            let [Made { component, file, size }] = made.as_slice() else { panic!("one component") };
            assert_eq!((component.as_str(), file), ("a.wasm", &format!("a.{target}.cwasm")));
            let code = fs::read(folder.path().join(file)).unwrap();
            assert_eq!(code.len(), *size);
            let lock = Lock::parse(&fs::read_to_string(folder.path().join(LOCK)).unwrap(), LOCK).unwrap();
            let [native] = lock.native.as_slice() else { panic!("one entry") };
            assert_eq!((&native.sha256, native.engine.as_str()), (&sha256(&code), FINGERPRINT));
        }
    }

    #[test]
    fn another_target_and_what_is_no_component_are_refused() {
        let folder = folder();
        let error = make_native(folder.path(), "riscv64-unknown-none").unwrap_err().to_string();
        assert!(error.contains("the target `riscv64-unknown-none`"), "{error}");
        fs::write(folder.path().join("a.wasm"), "text").unwrap();
        let error = make_native(folder.path(), &Code::target()).unwrap_err().to_string();
        assert!(error.contains("machine code of `a.wasm`") && error.contains("not WebAssembly"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn nothing_is_written_outside_the_folder() {
        use std::os::unix::fs::symlink;

        let target = Code::target();
        for attack in ["absolute", "parent", "linked folder", "linked machine code", "dangling", "linked lock"] {
            let (top, folder) = (tempfile::tempdir().unwrap(), folder());
            let outside = top.path().canonicalize().unwrap();
            fs::write(outside.join("a.wasm"), COMPONENT).unwrap();
            let folder_path = folder.path().join("set");
            fs::remove_file(folder.path().join("a.wasm")).unwrap();
            fs::create_dir(&folder_path).unwrap();
            fs::write(folder_path.join("a.wasm"), COMPONENT).unwrap();
            let code = format!("a.{target}.cwasm");
            let component = match attack {
                "absolute" => outside.join("a.wasm").display().to_string(),
                "parent" => {
                    fs::write(folder.path().join("a.wasm"), COMPONENT).unwrap();
                    "../a.wasm".to_owned()
                }
                "linked folder" => {
                    symlink(&outside, folder_path.join("sub")).unwrap();
                    "sub/a.wasm".to_owned()
                }
                _ => "a.wasm".to_owned(),
            };
            match attack {
                "linked machine code" => {
                    fs::write(outside.join("victim"), "whole").unwrap();
                    symlink(outside.join("victim"), folder_path.join(&code)).unwrap();
                }
                "dangling" => symlink(outside.join("victim"), folder_path.join(&code)).unwrap(),
                "linked lock" => {
                    fs::write(outside.join("victim"), "").unwrap();
                    symlink(outside.join("victim"), folder_path.join(LOCK)).unwrap();
                }
                _ => {}
            }
            fs::write(folder_path.join(SET), format!("[[policy]]\ncomponent = '{component}'\n")).unwrap();
            let listed = |path: &Path| {
                let entry = |it: fs::DirEntry| (it.file_name(), fs::read(it.path()).ok());
                fs::read_dir(path).unwrap().map(|it| entry(it.unwrap())).collect::<BTreeSet<_>>()
            };
            let before = [listed(&outside), listed(folder.path()), listed(&folder_path)];
            let error = make_native(&folder_path, &target).unwrap_err().to_string();
            assert!(error.contains("read or written outside"), "{attack}: {error}");
            assert_eq!([listed(&outside), listed(folder.path()), listed(&folder_path)], before, "{attack}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_component_in_a_folder_of_the_set_or_a_link_has_its_machine_code_in_the_set() {
        let (folder, target) = (folder(), Code::target());
        fs::create_dir_all(folder.path().join("set/sub")).unwrap();
        for path in ["set/sub/a.wasm", "set/link.wasm"] {
            std::os::unix::fs::symlink(folder.path().join("a.wasm"), folder.path().join(path)).unwrap();
        }
        let set = "[[policy]]\ncomponent = 'sub/../sub/a.wasm'\n[[policy]]\ncomponent = 'link.wasm'\n";
        fs::write(folder.path().join("set").join(SET), set).unwrap();
        make_native(&folder.path().join("set"), &target).unwrap();
        for path in ["sub/a", "link"] {
            assert!(folder.path().join(format!("set/{path}.{target}.cwasm")).is_file());
        }
    }
}
