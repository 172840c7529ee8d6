//! Turns policy crates into WebAssembly components: source, core module, component, digest.
//!
//! The line, in order: [`Workspace::at`] asks cargo what there is and gives the [`Guest`]s, [`Toolchain::find`] finds
//! a compiler, [`build`] gives one [`Component`] for each guest, and a [`Folder`] keeps them with the policy set and
//! the lock that name their digests. `cargo pack` keeps what it built by [`Folder::write_to`], where the folder holds what
//! one workspace builds and nothing else; `cogwit pack` by [`Folder::keep`], where it may hold more.

/// Which crates are policies.
mod workspace;
/// Which compiler builds them.
mod toolchain;
/// What cargo is told by its environment.
mod environment;
/// How small and quick a policy becomes.
mod profile;
/// Which commit it was.
mod revision;
/// The calls of cargo.
mod compile;
/// Core module to component.
mod component;
/// Where components are kept and compared.
mod folder;
/// What it takes in beside others.
mod keep;
/// Their machine code.
mod native;
/// What made each of them.
mod lock;
/// Their digests in the policy set.
mod pin;
/// What can go wrong.
mod error;
/// Running other programs.
mod process;

pub use compile::build;
pub use component::Component;
pub use error::{Error, Result};
pub use folder::{Comparison, Folder};
pub use keep::{Offer, Place};
pub use native::{Made, make_native};
pub use revision::Revision;
pub use toolchain::{Choice, Toolchain};
pub use workspace::{Guest, Workspace};

/// Where the library tells what it is doing now, one line at a time.
pub type Progress<'a> = &'a dyn Fn(&str);

/// The target that every policy is built for: without WASI, so a component imports only what its WIT world names.
const TARGET: &str = "wasm32-unknown-unknown";
