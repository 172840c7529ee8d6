//! Is the standalone host: makes, runs and inspects policies, as the Lambda host would run them.

mod cmd;
mod embedded;
mod failure;
mod output;
mod report;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "publish signs with it"))]
mod sign;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Decides Cognito user-pool trigger events with WebAssembly policies.
#[derive(Debug, Parser)]
#[command(name = "cogwit", version, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(cmd::new::Args),
    Pack(cmd::pack::Args),
    Run(cmd::run::Args),
    Test(cmd::test::Args),
    Event(cmd::event::Args),
    Inspect(cmd::inspect::Args),
    Validate(cmd::validate::Args),
    Native(cmd::native::Args),
    Keygen(cmd::keygen::Args),
    Config(cmd::config::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::New(args) => cmd::new::run(&args),
        Command::Pack(args) => cmd::pack::run(&args),
        Command::Run(args) => cmd::run::run(&args),
        Command::Test(args) => cmd::test::run(&args),
        Command::Event(args) => cmd::event::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Validate(args) => cmd::validate::run(&args),
        Command::Native(args) => cmd::native::run(&args),
        Command::Keygen(args) => cmd::keygen::run(&args),
        Command::Config(args) => cmd::config::run(&args),
    };
    done.unwrap_or_else(|failure| failure.report())
}
