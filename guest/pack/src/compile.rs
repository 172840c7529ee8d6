//! Compiles policies, one cargo call for each, and makes a component of each.

use std::fs;

use crate::environment::inner_cargo;
use crate::error::file;
use crate::process::visibly;
use crate::{Component, Guest, Progress, Result, TARGET, Toolchain, Workspace};

/// The cargo profile of policies, which the workspace's manifest defines.
const PROFILE: &str = "policy";

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
    visibly(&mut inner_cargo(workspace, toolchain, "fetch"))?;
    // Not the outer target folder: its lock may be held by whoever runs us.
    let target_dir = workspace.target_dir.join("guests");
    let mut components = Vec::new();
    for guest in guests {
        progress(&format!("building `{}`", guest.name));
        let mut rustc = inner_cargo(workspace, toolchain, "rustc");
        rustc.args(["--package", &guest.name, "--lib", "--crate-type", "cdylib", "--profile", PROFILE]);
        visibly(rustc.arg("--target-dir").arg(&target_dir))?;
        let artifact = target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", guest.artifact));
        let module = fs::read(&artifact).map_err(file("read", &artifact))?;
        components.push(Component::encode(guest, &module, &toolchain.version)?);
    }
    Ok(components)
}
