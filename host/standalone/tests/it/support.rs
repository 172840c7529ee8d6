//! What the tests share: events, the shipped components, small ones of their own, and folders to run in.

use std::path::{Path, PathBuf};
use std::{fs, path};

use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::program::{self, Cogwit};
use crate::scenario;

/// A sign-up that `auto-confirm-domain` confirms.
pub(crate) const SIGN_UP: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.o","request":{"userAttributes":{"email":"ingrid.o@example.com","custom:domain":"example.com"}},"response":{}}"#;

/// [`SIGN_UP`] once it is confirmed.
pub(crate) const CONFIRMED: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.o","request":{"userAttributes":{"email":"ingrid.o@example.com","custom:domain":"example.com"}},"response":{"autoConfirmUser":true}}"#;

/// A sign-in from the app client `app-7731`.
pub(crate) const SIGN_IN: &str = r#"{"triggerSource":"PreAuthentication_Authentication","userName":"ingrid.o","callerContext":{"clientId":"app-7731"},"request":{},"response":{}}"#;

/// The file of a shipped component.
pub(crate) fn component(name: &str) -> PathBuf {
    path::absolute(scenario::policies_wasm().join(format!("{name}.wasm"))).unwrap()
}

/// The verdict of a probe that allows and sets nothing: at address 0 are zeros, which read as such.
pub(crate) const ALLOW: &str = "(i32.const 0)";

const WORLDS: &str = "
package test:it;

world deciding {
  include cogwit:triggers/pre-sign-up-policy@0.1.0;
  include cogwit:triggers/granted@0.1.0;
}

world checking {
  include deciding;
  include cogwit:triggers/settings-policy@0.1.0;
}";

/// A small component, quick to compile, whose `decide` for a sign-up is `body`. `$log` logs what stands at 1024, 9 bytes;
/// `$random` and `$now` need their capabilities, and are there if the body names them.
pub(crate) fn probe(body: &str) -> Vec<u8> {
    component_of(&probe_module(body))
}

/// The core module of a probe, as a compiler would write it.
pub(crate) fn probe_module(body: &str) -> Vec<u8> {
    let granted = [
        ("$random", r#""wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64))"#),
        ("$now", r#""wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32))"#),
    ];
    let granted = granted.into_iter().filter(|(name, _)| body.contains(name));
    let imports: String = granted.map(|(_, import)| format!("(import {import})")).collect();
    module("deciding", &imports, &format!(r#"(func (export "{DECIDE}") (param i32) (result i32) {body})"#))
}

/// A probe that allows, and whose check of its settings is `body`.
pub(crate) fn checking_probe(body: &str) -> Vec<u8> {
    let decide = format!(r#"(func (export "{DECIDE}") (param i32) (result i32) {ALLOW})"#);
    let validate = r#"(func (export "cogwit:triggers/settings@0.1.0#validate") (result i32)"#;
    component_of(&module("checking", "", &format!("{decide} {validate} {body})")))
}

const DECIDE: &str = "cogwit:triggers/pre-sign-up@0.1.0#decide";

fn module(world: &str, imports: &str, exports: &str) -> Vec<u8> {
    let module = format!(
        r#"(module
  (import "wasi:logging/logging@0.1.0-draft" "log" (func $wasi (param i32 i32 i32 i32 i32)))
  {imports}
  (memory (export "memory") 1)
  (data (i32.const 1024) "one\0atwo\1b\09")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func $log (call $wasi (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 9)))
  {exports})"#
    );
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    resolve.push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let package = resolve.push_str("it.wit", WORLDS).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

fn component_of(module: &[u8]) -> Vec<u8> {
    ComponentEncoder::default().module(module).unwrap().encode().unwrap()
}

/// A folder of its own, gone at the end of the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn with(self, file: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(file, bytes);
        self
    }

    /// Reads a file.
    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// The whole path of a file.
    pub(crate) fn path(&self, file: &str) -> String {
        self.0.path().join(file).to_str().unwrap().to_owned()
    }

    /// Writes a file while the folder is in use.
    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Copies a shipped component to a file of this name.
    pub(crate) fn with_component(self, name: &str, file: &str) -> Self {
        self.with(file, fs::read(component(name)).unwrap())
    }

    /// Writes a `policies.toml` of the set `it` with these lines, and every shipped component that they name.
    pub(crate) fn with_set(self, lines: &str) -> Self {
        let shipped =
            ["access-gate", "auto-confirm-domain", "auto-confirm-verify", "block-client", "deny-short-username"];
        shipped
            .into_iter()
            .map(|name| (name, format!("{name}.wasm")))
            .filter(|(_, file)| lines.contains(file.as_str()))
            .fold(self, |folder, (name, file)| folder.with_component(name, &file))
            .with("policies.toml", format!("schema = 1\n\n[set]\nname = \"it\"\n{lines}"))
    }

    /// `cogwit COMMAND` in this folder.
    pub(crate) fn cogwit(&self, command: &str) -> Cogwit {
        program::cogwit(command).folder(self.0.path())
    }

    /// `cogwit run` with this folder's `policies.toml` in this folder.
    pub(crate) fn run(&self) -> Cogwit {
        self.cogwit("run").args(["--policies", "policies.toml"])
    }
}
