//! Prints the `COGWIT_*` variables and their values in force.

use std::process::ExitCode;

use cogwit_core::config::Config;

use super::common::config_from_env;
use crate::failure::{Failure, exit};
use crate::output::out;

/// Prints the COGWIT_* variables that every host reads, with the values in force
#[derive(Debug, clap::Args)]
#[command(after_help = table(&Config::default()))]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<ExitCode, Failure> {
    out(&format!("{}\n", table(&config_from_env()?))).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(exit::ALLOW))
}

fn table(config: &Config) -> String {
    let mut text = String::new();
    for (name, value, meaning) in config.table() {
        text.push_str(&format!("{name:<26} {value:<14} {meaning}\n"));
    }
    text.push_str(
        "COGWIT_SECRET_*                           values that settings refer to as { env = \"COGWIT_SECRET_…\" }",
    );
    text
}
