//! Writes where nobody reads: a closed pipe is an error like any other, or none at all.

use std::io::{PipeWriter, Read, pipe};
use std::process::{Command, Stdio};

use snapbox::cmd::cargo_bin;

use crate::support::{ALLOW, Folder, probe};

/// The end of a pipe whose other end is closed.
fn closed() -> PipeWriter {
    pipe().unwrap().1
}

/// The exit code, and what came through the stream that is read.
fn ended(args: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> (Option<i32>, String) {
    let program = cargo_bin!("cogwit");
    let mut child = Command::new(program).env_clear().args(args).stdout(stdout).stderr(stderr).spawn().unwrap();
    let mut text = String::new();
    if let Some(mut stream) = child.stdout.take() {
        stream.read_to_string(&mut text).unwrap();
    }
    if let Some(mut stream) = child.stderr.take() {
        stream.read_to_string(&mut text).unwrap();
    }
    (child.wait().unwrap().code(), text)
}

#[test]
fn a_result_that_nobody_reads_is_an_error() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let component = folder.path("it.wasm");
    for args in [
        &["config"][..],
        &["inspect", &component],
        &["inspect", &component, "--format", "json"],
        &["run", "--policy", &component],
        &["run", "--policy", &component, "--format", "json"],
    ] {
        let (code, report) = ended(args, closed(), Stdio::piped());
        assert_eq!(code, Some(4), "{args:?}: {report}");
        assert!(report.starts_with("error: cannot write the result: "), "{args:?}: {report}");
        assert!(!report.contains("panicked"), "{args:?}: {report}");
    }
}

#[test]
fn a_report_that_nobody_reads_changes_nothing() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let (code, reply) = ended(&["run", "--policy", &folder.path("it.wasm")], Stdio::piped(), closed());
    assert_eq!((code, reply.as_str()), (Some(0), include_str!("../../src/example.json")));
    for (args, expected) in [(&["run", "--setting", "x"][..], 2), (&["run", "--policies", "missing"], 4)] {
        assert_eq!(ended(args, Stdio::piped(), closed()), (Some(expected), String::new()), "{args:?}");
    }
}
