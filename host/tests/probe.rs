//! Makes components of the probes: small policies that behave, and hostile ones.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// The folder of the probes.
pub(crate) fn probes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/it/probes")
}

/// The component of a probe in `probes/`: a core module that exports pre sign-up and may import all that a host gives.
pub(crate) fn probe(name: &str) -> Vec<u8> {
    component_of(&wat::parse_file(probes().join(format!("{name}.wat"))).unwrap())
}

/// A core module as a component of the probes' world.
pub(crate) fn component_of(module: &[u8]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_path(probes().join("../../../../../wit")).unwrap();
    let package = resolve.push_file(probes().join("probes.wit")).unwrap();
    component_in(&resolve, package, module)
}

/// A core module as a component of the world `probe` of a package.
pub(crate) fn component_in(resolve: &Resolve, package: PackageId, module: &[u8]) -> Vec<u8> {
    let mut module = module.to_vec();
    let world = resolve.select_world(&[package], Some("probe")).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// What a probe needs to take in the event, as WAT: once `$raw` was called with 32, it stands at `$at` with `$length` bytes.
pub(crate) const TAKES_IN: &str = r#"
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $start) (local.get 3)))
    (local.get $start))
  (func $at (result i32) (i32.load (i32.const 32)))
  (func $length (result i32) (i32.load (i32.const 36)))"#;
