//! Finds a compiler that can build for WebAssembly, without changing any that is installed.

/// Which of them.
mod find;
/// Debian's compiler, unpacked into a folder of ours.
mod debian;
/// The package manager that brings it.
mod apt;

pub use find::{Choice, Toolchain};
