//! The one error of this library: what failed, on which file or program, and why.

use std::path::PathBuf;

use crate::TARGET;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a policy could not be built or its result not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program did not start.
    #[error("cannot run `{program}`: install it, or put it on PATH")]
    Start {
        /// The program's name or path.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another program started and failed.
    #[error("`{command}` failed: {why}")]
    Command {
        /// The command line.
        command: String,
        /// Its error output, or its exit status.
        why: String,
    },
    /// What a workspace depends on could not be fetched.
    #[error(
        "`{command}` failed in `{root}`: its output says why; if `Cargo.lock` is not what the manifests ask for, run `cargo check` there"
    )]
    Fetch {
        /// The command line.
        command: String,
        /// The workspace.
        root: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} `{path}`")]
    File {
        /// What was tried: `read`, `write` ...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A text is not in the format that it should be in.
    #[error("cannot understand {what}: {why}")]
    Format {
        /// The file or the command that gave the text.
        what: String,
        /// What the parser said.
        why: String,
    },
    /// There is nothing to build.
    #[error("no policy crate under `{folder}`: add one to `members` of the workspace")]
    NoGuests {
        /// Where policies were looked for.
        folder: PathBuf,
    },
    /// A crate among the policies cannot become a component.
    #[error("`{name}` is no policy: its manifest needs `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]`")]
    NotCdylib {
        /// The crate.
        name: String,
    },
    /// No compiler for the target was found.
    #[error(
        "no compiler for `{TARGET}`\n  installed: {installed}\n  debian: {debian}\nrun `rustup target add {TARGET}`"
    )]
    NoToolchain {
        /// Why the active toolchain does not do.
        installed: String,
        /// Why Debian's packages do not do.
        debian: String,
    },
    /// A toolchain was looked at and does not do.
    #[error("{0}")]
    Unsuited(String),
    /// No machine code could be made.
    #[error("cannot make {what}: {why}")]
    Native {
        /// What was to be made.
        what: String,
        /// Why it could not.
        why: String,
    },
    /// The core module of a policy does not become a component.
    #[error("`{name}` does not become a component: {why}")]
    Encode {
        /// The crate.
        name: String,
        /// What the encoder said.
        why: String,
    },
}

impl Error {
    /// The error and its causes in one line.
    pub fn with_causes(&self) -> String {
        chain(self)
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Names the action and the path of a failed file operation, for `map_err`.
pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}
