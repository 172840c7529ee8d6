//! Keeps Debian's compiler unpacked in a cache folder, complete or not there at all.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt::{fetch, is_new_enough};
use super::find::{BuildStd, Toolchain, names};
use crate::error::file;
use crate::process::output;
use crate::{Error, Progress, Result};

/// Written last, so that its presence says that the folder is whole; holds the compiler's version.
const STAMP: &str = ".complete";

/// Debian's toolchain out of `cache`, fetched first if it is not there or too old.
pub(super) fn toolchain(cache: &Path, progress: Progress) -> Result<Toolchain> {
    let root = root(cache, progress)?;
    let rustc = root.join("rustc");
    let version = output(Command::new(&rustc).arg("-V"))?;
    let source = root.join("usr/lib/rustlib/src/rust");
    Ok(Toolchain { version, rustc, build_std: Some(BuildStd { source, linker: linker()? }) })
}

/// The folder of the compiler, complete. It is named as the compiler names it to itself: whole and without links, so that
/// the paths in what it writes are found there.
fn root(cache: &Path, progress: Progress) -> Result<PathBuf> {
    fs::create_dir_all(cache).map_err(file("create", cache))?;
    let cache = &fs::canonicalize(cache).map_err(file("read", cache))?;
    let root = cache.join("debian");
    let _lock = lock(cache, progress)?;
    if !fs::read_to_string(root.join(STAMP)).is_ok_and(|version| is_new_enough(&version)) {
        let unfinished = cache.join("debian.unfinished");
        remove(&unfinished)?;
        unpack(&unfinished, progress)?;
        remove(&root)?;
        fs::rename(&unfinished, &root).map_err(file("move", &unfinished))?;
    }
    Ok(root)
}

/// Holds off a second run that would fetch the same. The system drops it when we end, however we end.
fn lock(cache: &Path, progress: Progress) -> Result<File> {
    let path = cache.join(".lock");
    let lock = File::create(&path).map_err(file("create", &path))?;
    if lock.try_lock().is_err() {
        progress("waiting for another run that prepares the toolchain");
        lock.lock().map_err(file("lock", &path))?;
    }
    Ok(lock)
}

fn unpack(root: &Path, progress: Progress) -> Result<()> {
    let (debs, lists) = (root.join("debs"), root.join("lists"));
    let version = fetch(&debs, &lists, progress)?;
    for deb in names(&debs)? {
        output(Command::new("dpkg-deb").arg("--extract").arg(debs.join(deb)).arg(root))?;
    }
    // Of the source only the standard library is wanted, a sixth of it.
    let sources = root.join("usr/src");
    for source in names(&sources)?.iter().map(|name| sources.join(name)) {
        for other in names(&source)?.iter().filter(|name| *name != "library").map(|name| source.join(name)) {
            if other.is_dir() {
                remove(&other)?;
            }
        }
    }
    for folder in [debs, lists, root.join("usr/share")] {
        remove(&folder)?;
    }
    write_wrapper(root)?;
    let stamp = root.join(STAMP);
    fs::write(&stamp, version).map_err(file("write", &stamp))
}

/// Writes a `rustc` that finds its libraries beside itself. They are named for it alone: cargo, build scripts and the
/// system's linker keep their own.
fn write_wrapper(root: &Path) -> Result<()> {
    let libraries = root.join("usr/lib");
    let folders = names(&libraries)?.into_iter().filter(|name| name != "rustlib" && libraries.join(name).is_dir());
    let path = folders.map(|name| format!("$here/usr/lib/{name}")).collect::<Vec<_>>().join(":");
    let script = format!(
        "#!/bin/sh\nhere=${{0%/*}}\nLD_LIBRARY_PATH=\"{path}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\" \
         exec \"$here/usr/bin/rustc\" \"$@\"\n"
    );
    let (wrapper, compiler) = (root.join("rustc"), root.join("usr/bin/rustc"));
    let permissions = fs::metadata(&compiler).map_err(file("read", &compiler))?.permissions();
    fs::write(&wrapper, script)
        .and_then(|()| fs::set_permissions(&wrapper, permissions))
        .map_err(file("write", &wrapper))
}

/// The linker of the active toolchain, which Debian's compiler does not bring; else LLVM's on PATH.
fn linker() -> Result<PathBuf> {
    let folder = output(Command::new("rustc").arg("--print=target-libdir"))?;
    let beside_rustc = PathBuf::from(folder).with_file_name("bin").join("rust-lld");
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::iter::once(beside_rustc).chain(env::split_paths(&path).map(|dir| dir.join("wasm-ld")));
    candidates.find(|candidate| candidate.is_file()).ok_or_else(|| {
        Error::Unsuited("no `rust-lld` beside rustc and no `wasm-ld` on PATH: install the package `lld`".into())
    })
}

/// Removes a folder if it is there. Its stamp goes first, so that a half removed folder never looks whole.
fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let stamp = folder.join(STAMP);
    if stamp.exists() {
        fs::remove_file(&stamp).map_err(file("remove", &stamp))?;
    }
    fs::remove_dir_all(folder).map_err(file("remove", folder))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_cache_behind_a_link_is_named_by_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::create_dir_all(real.join("debian")).unwrap();
        fs::write(real.join("debian").join(STAMP), "999.0.0").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let expected = fs::canonicalize(&real).unwrap().join("debian");
        assert_eq!(root(&link, &|line| panic!("{line}")).unwrap(), expected);
    }

    #[test]
    fn the_wrapper_gives_the_compiler_its_libraries_wherever_the_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let (first, moved) = (folder.path().join("first"), folder.path().join("a b"));
        for needed in ["usr/bin", "usr/lib/rustlib", "usr/lib/x86_64-linux-gnu"] {
            fs::create_dir_all(first.join(needed)).unwrap();
        }
        let compiler = first.join("usr/bin/rustc");
        fs::write(&compiler, "#!/bin/sh\necho \"$LD_LIBRARY_PATH, $*\"\n").unwrap();
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
        write_wrapper(&first).unwrap();
        fs::rename(&first, &moved).unwrap();

        let libraries = moved.join("usr/lib/x86_64-linux-gnu").display().to_string();
        let answer = |command: &mut Command| output(command.arg("-V")).unwrap();
        let mut rustc = Command::new(moved.join("rustc"));
        assert_eq!(answer(rustc.env_remove("LD_LIBRARY_PATH")), format!("{libraries}, -V"));
        let mut rustc = Command::new(moved.join("rustc"));
        assert_eq!(answer(rustc.env("LD_LIBRARY_PATH", "/own")), format!("{libraries}:/own, -V"));
    }
}
