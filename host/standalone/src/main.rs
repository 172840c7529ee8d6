//! Is the standalone host: makes, runs and inspects policies, as the Lambda host would run them.

mod changes;
mod cmd;
mod embedded;
mod failure;
mod output;
mod report;
mod serve;
mod shell;
mod sign;
mod store;
mod watch;

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
    Simulate(cmd::simulate::Args),
    Serve(cmd::serve::Args),
    Event(cmd::event::Args),
    Inspect(cmd::inspect::Args),
    Validate(cmd::validate::Args),
    Native(cmd::native::Args),
    Keygen(cmd::keygen::Args),
    Publish(cmd::publish::Args),
    Rollback(cmd::rollback::Args),
    Status(cmd::status::Args),
    History(cmd::history::Args),
    Diff(cmd::diff::Args),
    Compare(cmd::compare::Args),
    Config(cmd::config::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::New(args) => cmd::new::run(&args),
        Command::Pack(args) => cmd::pack::run(&args),
        Command::Run(args) => cmd::run::run(&args),
        Command::Test(args) => cmd::test::run(&args),
        Command::Simulate(args) => cmd::simulate::run(&args),
        Command::Serve(args) => cmd::serve::run(&args),
        Command::Event(args) => cmd::event::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Validate(args) => cmd::validate::run(&args),
        Command::Native(args) => cmd::native::run(&args),
        Command::Keygen(args) => cmd::keygen::run(&args),
        Command::Publish(args) => cmd::publish::run(&args),
        Command::Rollback(args) => cmd::rollback::run(&args),
        Command::Status(args) => cmd::status::run(&args),
        Command::History(args) => cmd::history::run(&args),
        Command::Diff(args) => cmd::diff::run(&args),
        Command::Compare(args) => cmd::compare::run(&args),
        Command::Config(args) => cmd::config::run(&args),
    };
    done.unwrap_or_else(|failure| failure.report())
}
