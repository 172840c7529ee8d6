//! What the inner cargo is told by its environment: the compiler, its flags, and nothing of the caller's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::cargo;
use crate::{TARGET, Toolchain, Workspace};

/// The stack of a policy. Each decision runs in a fresh instance, which starts faster the less memory it has.
const STACK_BYTES: usize = 32 * 1024;

/// A cargo subcommand in the workspace that builds with `toolchain`, the same on every machine.
pub(crate) fn inner_cargo(workspace: &Workspace, toolchain: &Toolchain, subcommand: &str) -> Command {
    let mut command = Command::new(cargo());
    command.arg(subcommand).arg("--locked").args(["--target", TARGET]).current_dir(&workspace.root);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(changes_the_build) {
            command.env_remove(name);
        }
    }
    command.env("RUSTC", &toolchain.rustc);
    command.env("CARGO_INCREMENTAL", "0").env("SOURCE_DATE_EPOCH", "0");
    if let Some(build_std) = &toolchain.build_std {
        command.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
        let variable = TARGET.replace('-', "_").to_uppercase();
        command.env(format!("CARGO_TARGET_{variable}_LINKER"), &build_std.linker);
    }
    let source = toolchain.build_std.as_ref().map(|build_std| build_std.source.as_path());
    let places = places(&workspace.root, &cargo_home(), &workspace.neighbours(), source);
    command.env("CARGO_ENCODED_RUSTFLAGS", encoded_flags(&places, &workspace.root));
    command
}

/// Whether a variable, set by an outer `cargo run` or by the caller, could make other bytes or break the build.
/// Where cargo finds crates, and how it reaches the network, stays the caller's.
fn changes_the_build(name: &str) -> bool {
    const HARMLESS: [&str; 6] =
        ["CARGO_BUILD_JOBS", "CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_TERM_"];
    let of_cargo = name.starts_with("CARGO_") && !HARMLESS.iter().any(|harmless| name.starts_with(harmless));
    of_cargo || name.starts_with("RUSTC") || name == "RUSTFLAGS"
}

/// Folders whose paths would reach the bytes (a panic tells where it came from), and what they are called instead.
/// The compiler takes the last prefix that matches, so the inner folder comes after the outer one.
fn places(
    workspace: &Path,
    cargo_home: &Path,
    neighbours: &[(PathBuf, String)],
    rust_source: Option<&Path>,
) -> Vec<(PathBuf, String)> {
    let mut places = vec![(workspace.to_owned(), "/workspace".into()), (cargo_home.to_owned(), "/cargo".into())];
    if let Ok(registries) = fs::read_dir(cargo_home.join("registry/src")) {
        places.extend(registries.flatten().map(|registry| (registry.path(), "/crates".into())));
    }
    places.extend(neighbours.iter().map(|(path, name)| (path.clone(), format!("/{name}"))));
    places.extend(rust_source.map(|source| (source.to_owned(), "/rust".into())));
    places
}

/// The compiler's flags in the form that bears blanks and overrides every configuration file.
/// A place has up to three paths: as it was named, without links, and, if inside the workspace, relative to it,
/// which is how cargo names it to the compiler.
fn encoded_flags(places: &[(PathBuf, String)], workspace: &Path) -> OsString {
    let mut flags = OsString::from(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
    for (place, name) in places {
        let real = fs::canonicalize(place).unwrap_or_else(|_| place.clone());
        let mut paths = vec![place.as_path(), &real];
        paths.extend([place, &real].iter().filter_map(|path| path.strip_prefix(workspace).ok()));
        paths.dedup();
        for path in paths.into_iter().filter(|path| !path.as_os_str().is_empty()) {
            flags.push("\x1f--remap-path-prefix=");
            flags.push(path);
            flags.push(format!("={name}"));
        }
    }
    flags
}

fn cargo_home() -> PathBuf {
    let default = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(default, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_build_is_dropped_and_the_rest_kept() {
        for dropped in [
            "RUSTFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_BOOTSTRAP",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
        ] {
            assert!(changes_the_build(dropped), "{dropped}");
        }
        for kept in ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_REGISTRIES_OWN_INDEX", "RUSTUP_TOOLCHAIN", "PATH"] {
            assert!(!changes_the_build(kept), "{kept}");
        }
    }

    #[test]
    fn inner_places_come_after_the_places_around_them() {
        let home = tempfile::tempdir().unwrap();
        let registry = home.path().join("registry/src/registry-1949");
        fs::create_dir_all(&registry).unwrap();
        let workspace = Path::new("/w");
        let source = Path::new("/w/target/rust");
        let sdk = Path::new("/clone/guest/sdk");
        let places = places(workspace, home.path(), &[(sdk.to_owned(), "cogwit-sdk".into())], Some(source));
        let expected = [
            (workspace, "/workspace"),
            (home.path(), "/cargo"),
            (registry.as_path(), "/crates"),
            (sdk, "/cogwit-sdk"),
            (source, "/rust"),
        ];
        assert_eq!(places, expected.map(|(path, name)| (path.to_owned(), name.to_owned())));
    }

    #[test]
    fn flags_remap_a_place_under_each_of_its_paths() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("a b")).unwrap();
        let dotted = root.join("a b/../a b");
        let places = [(root.clone(), "/workspace"), (dotted, "/rust"), ("/none".into(), "/cargo")];
        let flags = encoded_flags(&places.map(|(path, name)| (path, name.to_owned())), &root);
        let root = root.display();
        let expected = [
            "-Clink-arg=-zstack-size=32768".into(),
            format!("--remap-path-prefix={root}=/workspace"),
            format!("--remap-path-prefix={root}/a b/../a b=/rust"),
            format!("--remap-path-prefix={root}/a b=/rust"),
            "--remap-path-prefix=a b/../a b=/rust".into(),
            "--remap-path-prefix=a b=/rust".into(),
            "--remap-path-prefix=/none=/cargo".into(),
        ];
        assert_eq!(flags.to_str().unwrap().split('\x1f').collect::<Vec<_>>(), expected);
    }
}
