//! Is the program as the tests start it: `cogwit` with arguments, and none of the surroundings of whoever runs them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, process};

use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use snapbox::{Assert, IntoData};

/// What a report says of a run that took longer than the default deadline.
const TOO_SLOW: &str = "past its 100ms; raise the limit `deadline`";

/// A command line, to be run as often as it takes.
#[derive(Clone, Default)]
pub(crate) struct Cogwit {
    args: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    stdin: Vec<u8>,
}

/// `cogwit COMMAND`
pub(crate) fn cogwit(command: &str) -> Cogwit {
    Cogwit::default().arg(command)
}

impl Cogwit {
    pub(crate) fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.envs([(name, value)])
    }

    pub(crate) fn envs<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    /// Runs it: it ends with this exit code, it never panics, and it writes no colours where no terminal is.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> OutputAssert {
        let ended = self.ended().code(code);
        let (stdout, stderr) = (stdout(&ended), stderr(&ended));
        // The report may tell of a policy that panicked.
        assert!(!stderr.lines().any(|line| line.starts_with("thread '")), "{stderr}");
        assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "{stdout:?}\n{stderr:?}");
        ended
    }

    /// Runs it. The deadline is wall time, so a machine that stands still for a moment breaks a policy that did no wrong:
    /// that says nothing about the program, and it is run again.
    pub(crate) fn ended(self) -> OutputAssert {
        let mut ended = self.command().assert();
        for _ in 0..4 {
            if !(stdout(&ended) + &stderr(&ended)).contains(TOO_SLOW) {
                break;
            }
            ended = self.command().assert();
        }
        ended
    }

    fn command(&self) -> Command {
        Command::from_std(self.process()).with_assert(exact()).stdin(self.stdin.clone())
    }

    /// The process, for a test that watches it while it runs.
    pub(crate) fn process(&self) -> process::Command {
        let is_read = |name: &OsString| ["COGWIT_", "AWS_"].iter().any(|it| name.to_string_lossy().starts_with(it));
        let ours = env::vars_os().map(|(name, _)| name).filter(is_read);
        let of_terminals = ["CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NO_COLOR"].map(OsString::from);
        let mut process = process::Command::new(cargo_bin!("cogwit"));
        for name in ours.chain(of_terminals) {
            process.env_remove(name);
        }
        process.args(&self.args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Never what whoever runs the tests has published.
        process.env("XDG_STATE_HOME", "/nonexistent");
        if let Some(folder) = &self.folder {
            process.current_dir(folder).env("XDG_STATE_HOME", folder.join("state"));
        }
        process
    }
}

fn exact() -> Assert {
    Assert::new().action_env(DEFAULT_ACTION_ENV).normalize_paths(false)
}

/// A text is like a snapshot, but for what `[..]` stands for.
#[track_caller]
pub(crate) fn is(text: impl IntoData, snapshot: impl IntoData) {
    exact().eq(text, snapshot);
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
