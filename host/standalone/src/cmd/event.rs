//! Prints events that Cognito could have sent.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use cogwit_core::event::{EditError, MemberPath, example, examples, pretty};

use crate::failure::{Failure, exit};
use crate::output::data;

/// Makes events to try policies with
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    New(New),
}

/// Prints an event of a trigger source, as Cognito sends it, with invented values
///
/// A map that the call did not fill is null or absent, as Cognito has it; `response` begins as Cognito's does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  printed
  2  the command line is wrong

Examples:
  cogwit event new PreSignUp_SignUp > event.json
  cogwit event new PreSignUp_SignUp --set userName='\"rroe\"' --set request.validationData='{\"code\":\"7\"}'
  cogwit event new PreSignUp_SignUp --set /request/userAttributes/dev.team='\"a\"' --remove callerContext.clientId")]
struct New {
    /// The trigger source
    #[arg(value_parser = PossibleValuesParser::new(examples().map(|(source, _)| source)))]
    source: String,
    /// Sets a member: names joined by dots, or a JSON pointer where a name has dots
    #[arg(long, value_name = "PATH=JSON")]
    set: Vec<String>,
    /// Takes a member away
    #[arg(long, value_name = "PATH")]
    remove: Vec<MemberPath>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let Command::New(new) = &args.command;
    let mut event = example(&new.source).map_err(Failure::usage)?.to_owned();
    for path in &new.remove {
        event = path.remove(&event).map_err(|error| Failure::usage(format!("--remove `{path}`: {error}")))?;
    }
    for set in &new.set {
        event = changed(&event, set).map_err(|error| Failure::usage(format!("--set `{set}`: {error}")))?;
    }
    data(&format!("{}\n", pretty(&event))).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(exit::ALLOW))
}

fn changed(event: &str, set: &str) -> Result<String, String> {
    let (path, value) = set.split_once('=').ok_or("there is no `=`: write PATH=JSON")?;
    let path: MemberPath = path.parse().map_err(|error: EditError| error.to_string())?;
    path.set(event, value).map_err(|error| error.to_string())
}
