//! Makes machine code of a set's components ahead of time, for hosts that have no time to compile.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
    let read = |path: &Path| fs::read_to_string(path).map_err(file("read", path));
    let (set_path, lock_path) = (folder.join(SET), folder.join(LOCK));
    let named: BTreeSet<_> = components(&read(&set_path)?, &format!("`{}`", set_path.display()))?.into_iter().collect();
    let mut lock = match lock_path.exists() {
        true => Lock::parse(&read(&lock_path)?, &format!("`{}`", lock_path.display()))?,
        false => Lock::default(),
    };
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
        let name = format!("{}.{target}.cwasm", component.trim_end_matches(".wasm"));
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
}
