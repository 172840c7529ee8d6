//! What the tests share: `cogwit` as a clean command, the shipped components, and folders to run it in.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs, path};

use snapbox::Assert;
use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use tempfile::TempDir;

use crate::scenario;

/// A sign-up that `auto-confirm-domain` confirms.
pub(crate) const SIGN_UP: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.o","request":{"userAttributes":{"email":"ingrid.o@example.com","custom:domain":"example.com"}},"response":{}}"#;

/// [`SIGN_UP`] once it is confirmed.
pub(crate) const CONFIRMED: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.o","request":{"userAttributes":{"email":"ingrid.o@example.com","custom:domain":"example.com"}},"response":{"autoConfirmUser":true}}"#;

/// A sign-in from the app client `app-7731`.
pub(crate) const SIGN_IN: &str = r#"{"triggerSource":"PreAuthentication_Authentication","userName":"ingrid.o","callerContext":{"clientId":"app-7731"},"request":{},"response":{}}"#;

/// `cogwit COMMAND`, without the `COGWIT_*` variables and the terminal of whoever runs the tests.
pub(crate) fn cogwit(command: &str) -> Command {
    let ours = env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("COGWIT_"));
    let of_terminals = ["CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NO_COLOR"].map(OsString::from);
    let exact = Assert::new().action_env(DEFAULT_ACTION_ENV).normalize_paths(false);
    let command = Command::new(cargo_bin!("cogwit")).with_assert(exact).arg(command);
    ours.chain(of_terminals).fold(command, Command::env_remove)
}

/// How a command ends.
pub(crate) trait Ends {
    /// Runs it: it ends with this exit code, and it never panics.
    fn ends(self, code: i32) -> OutputAssert;
}

impl Ends for Command {
    #[track_caller]
    fn ends(self, code: i32) -> OutputAssert {
        let ended = self.assert().code(code);
        let stderr = stderr(&ended);
        assert!(!stderr.contains("panicked"), "{stderr}");
        ended
    }
}

/// Standard output as text.
pub(crate) fn stdout(ended: &OutputAssert) -> String {
    String::from_utf8(ended.get_output().stdout.clone()).unwrap()
}

/// Standard error as text.
pub(crate) fn stderr(ended: &OutputAssert) -> String {
    String::from_utf8(ended.get_output().stderr.clone()).unwrap()
}

/// The one object that `--format json` prints.
pub(crate) fn json(ended: &OutputAssert) -> serde_json::Value {
    serde_json::from_slice(&ended.get_output().stdout).unwrap()
}

/// The file of a shipped component.
pub(crate) fn component(name: &str) -> PathBuf {
    path::absolute(scenario::policies_wasm().join(format!("{name}.wasm"))).unwrap()
}

/// A folder of its own, gone at the end of the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file.
    pub(crate) fn with(self, file: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join(file), bytes).unwrap();
        self
    }

    /// Copies a shipped component to a file of this name.
    pub(crate) fn with_component(self, name: &str, file: &str) -> Self {
        self.with(file, fs::read(component(name)).unwrap())
    }

    /// Writes a `policies.toml` of the set `it` with these lines, and every shipped component that they name.
    pub(crate) fn with_set(self, lines: &str) -> Self {
        let shipped = ["access-gate", "auto-confirm-domain", "auto-confirm-verify", "block-client", "deny-short-username"];
        shipped
            .into_iter()
            .map(|name| (name, format!("{name}.wasm")))
            .filter(|(_, file)| lines.contains(file.as_str()))
            .fold(self, |folder, (name, file)| folder.with_component(name, &file))
            .with("policies.toml", format!("schema = 1\n\n[set]\nname = \"it\"\n{lines}"))
    }

    /// `cogwit COMMAND` in this folder.
    pub(crate) fn cogwit(&self, command: &str) -> Command {
        cogwit(command).current_dir(self.0.path())
    }

    /// `cogwit run` with this folder's `policies.toml` in this folder.
    pub(crate) fn run(&self) -> Command {
        self.cogwit("run").args(["--policies", "policies.toml"])
    }
}
