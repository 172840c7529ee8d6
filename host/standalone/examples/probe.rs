//! Writes the component of a probe, for what is measured with hostile policies.
//! usage: probe NAME FILE.wasm

#[path = "../../tests/probe.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests use the rest, and fail loudly")]
mod probe;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(file)) = (args.next(), args.next()) else {
        eprintln!("usage: probe NAME FILE.wasm");
        return ExitCode::from(2);
    };
    match std::fs::write(&file, probe::probe(&name)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: `{file}` cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
