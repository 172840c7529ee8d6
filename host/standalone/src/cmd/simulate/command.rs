//! Is the command line of `cogwit simulate`, and how it ends.

use std::process::ExitCode;

use super::options::Options;
use super::pool::{Pool, Stop};
use super::{custom_auth, federated, migrate, refresh, signin, signup};
use crate::failure::{Failure, exit};

/// Plays Cognito on this machine: fires the triggers of a flow as a user pool would, and tells what its caller sees
///
/// Each trigger gets the event that Cognito would send. A function that does not answer within 5 s gets the same event again,
/// three times in all; errors and unusable answers become Cognito's exceptions, in its words as far as they are known.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    flow: Flow,
}

#[derive(Debug, clap::Subcommand)]
enum Flow {
    Signup(signup::Args),
    Signin(signin::Args),
    CustomAuth(custom_auth::Args),
    Federated(federated::Args),
    Refresh(refresh::Args),
    Migrate(migrate::Args),
}

/// Of every flow.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  the flow went through
  1  a policy refused, or Cognito did
  2  the command line or a COGWIT_* variable is wrong
  3  a policy broke, or the function failed, took too long or gave an unusable answer, whatever the caller saw
  4  could not run: a set that cannot be loaded, an endpoint that cannot be reached, or a challenge that nobody answers";

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.flow {
        Flow::Signup(args) => play("signup", &args.options, |pool| signup::play(args, pool)),
        Flow::Signin(args) => play("signin", &args.options, |pool| signin::play(args, pool)),
        Flow::CustomAuth(args) => play("custom-auth", &args.options, |pool| custom_auth::play(args, pool)),
        Flow::Federated(args) => play("federated", &args.options, |pool| federated::play(args, pool)),
        Flow::Refresh(args) => play("refresh", &args.options, refresh::play),
        Flow::Migrate(args) => play("migrate", &args.options, |pool| migrate::play(args, pool)),
    }
}

fn play(
    flow: &'static str,
    options: &Options,
    play: impl FnOnce(&mut Pool<'_>) -> Result<(), Stop>,
) -> Result<ExitCode, Failure> {
    let mut pool = Pool::open(flow, options)?;
    let (exception, unfinished) = match play(&mut pool) {
        Ok(()) => (None, None),
        Err(Stop::Exception(exception)) => (Some(exception), None),
        Err(Stop::Unfinished(failure)) => (None, Some(failure)),
        Err(Stop::Failure(failure)) => return Err(failure),
    };
    let broke = pool.end(exception.as_ref())? || exception.as_ref().is_some_and(|it| !it.denies);
    if let Some(failure) = unfinished {
        return Err(failure);
    }
    Ok(ExitCode::from(match (broke, exception.is_some()) {
        (true, _) => exit::FAULT,
        (false, true) => exit::DENY,
        (false, false) => exit::ALLOW,
    }))
}
