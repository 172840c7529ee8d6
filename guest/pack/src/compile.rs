//! Compiles policies, one cargo call for each, and makes a component of each.

use std::fs;

use crate::environment::inner_cargo;
use crate::error::file;
use crate::process::visibly;
use crate::profile::{self, PROFILE};
use crate::{Component, Error, Guest, Progress, Result, TARGET, Toolchain, Workspace};

/// Builds the guests of a workspace into components, in the order given.
///
/// Each guest is compiled by itself, and as a cdylib alone. So what one policy depends on never changes the bytes of
/// another, and cargo can optimize across crates, which it does not for a crate that is an rlib too.
pub fn build(
    workspace: &Workspace,
    toolchain: &Toolchain,
    guests: &[Guest],
    progress: Progress,
) -> Result<Vec<Component>> {
    // The registry's folder must exist before its path can be kept out of what is built.
    let fetched = visibly(&mut inner_cargo(workspace, toolchain, "fetch"));
    fetched.map_err(|error| match error {
        Error::Command { command, .. } => Error::Fetch { command, root: workspace.root.clone() },
        error => error,
    })?;
    let profile = profile::options(&workspace.root)?;
    // Not the outer target folder: its lock may be held by whoever runs us.
    let target_dir = workspace.target_dir.join("guests");
    let mut components = Vec::new();
    for guest in guests {
        progress(&format!("building `{}`", guest.name));
        let mut rustc = inner_cargo(workspace, toolchain, "rustc");
        rustc.args(["--package", &guest.name, "--lib", "--crate-type", "cdylib", "--profile", PROFILE]);
        visibly(rustc.args(&profile).arg("--target-dir").arg(&target_dir))?;
        let artifact = target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", guest.artifact));
        let module = fs::read(&artifact).map_err(file("read", &artifact))?;
        components.push(Component::encode(guest, &module, &toolchain.version)?);
    }
    Ok(components)
}
