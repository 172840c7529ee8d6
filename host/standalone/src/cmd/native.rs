//! Makes machine code of a set's components, for the Lambda host.

use std::path::PathBuf;
use std::process::ExitCode;

use bytesize::ByteSize;
use cogwit_core::run::{FINGERPRINT, Native};
use cogwit_pack::{Made, make_native};

use crate::failure::{Failure, exit};
use crate::output::out;

/// Makes machine code of a set's components, so that the Lambda host need not compile them
///
/// Writes NAME.TARGET.cwasm beside each component that the policies.toml names, and its digest to policies.lock. A host uses it
/// only if the digest and the engine are the ones that the lock names, and compiles where not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  made
  2  the command line is wrong
  4  it cannot be made: the set or a component cannot be read, or the target is another one")]
pub(crate) struct Args {
    /// The folder of a policies.toml and its components
    dir: PathBuf,
    /// The target that the machine code is for
    #[arg(long, default_value_t = Native::target())]
    target: String,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let made = make_native(&args.dir, &args.target).map_err(|error| Failure::could_not_run(error.with_causes()))?;
    let lines = made.iter().map(|Made { file, size, .. }| format!("{file}  {}\n", ByteSize::b(*size as u64)));
    out(&(lines.collect::<String>() + &format!("for the engine {FINGERPRINT}\n"))).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(exit::ALLOW))
}
