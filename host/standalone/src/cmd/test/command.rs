//! Is the command `cogwit test`: its options, its exit codes, and one round of cases.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use regex::Regex;

use super::find::{Found, find};
use super::runner::{Done, Outcome, Runner};
use super::{json, junit, text, update, watch};
use crate::cmd::common::config_from_env;
use crate::failure::{Failure, exit};
use crate::output;
use crate::store::Policies;

/// How the results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line for each case, and what came of those that failed
    Text,
    /// One JSON object
    Json,
    /// The XML that build servers read
    Junit,
}

/// Tests policies as Lambda would run them: same engine, same limits
///
/// A case is an event with what is expected of its decision. Cases stand in TOML files: in the folder `cases` beside a
/// policies.toml, in files named case.toml or *.case.toml, and in those that the `tests` of a policy name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A file of cases:
  [[case]]
  name = \"refuses a short name\"
  source = \"PreSignUp_SignUp\"              a realistic event; or event = '''{...}''', or event-file = \"event.json\"
  with = { userName = \"rroe\" }             changes members; without = [\"request.clientMetadata\"] takes them away
  settings.my-policy.minimum-length = 5    over the set's
  [case.expect]
  decision = \"deny\"                        allow, deny, fault or event-refused
  message = \"...\"                          also: reason, response, exact-response, reply, reply-file, warnings, fault,
                                           ran, log, max-fuel, max-memory, forbidden-imports
A case is decided by the policies.toml that lies beside or above its file, unless it names another `set`, some of the
set's `policies`, bare `components`, or a `candidate` for a policy. It may fix `now` and `seed`, grant `capabilities`, and
set the `env` that settings refer to. Where candidates answer a part of the users, it has to hold on both sides, unless
`side` names the one that it is about: stable or candidate. Keys at the top of the file hold for all of its cases.
Files that a case names are relative to its own. They are read inside the working directory and the folder that is searched;
for cases that only the `tests` of a policy name, inside the set's folder.

Exit codes:
  0  every case passed
  1  a case failed
  2  the command line or a COGWIT_* variable is wrong
  4  a case could not run: a file that cannot be read, a set that cannot be loaded; or there is no case

Examples:
  cogwit test                                  every case below this folder
  cogwit test cases/sign-up.toml --run short   the cases of one file whose names have `short`
  cogwit test --watch                          again whenever a case, a component or a set changes")]
pub(crate) struct Args {
    /// Files of cases, and folders that are searched for them [default: this folder]
    path: Vec<PathBuf>,
    /// The policy set, or the channel, of cases that do not name one [default: the policies.toml beside or above the case's file]
    #[arg(long, value_name = "SOURCE")]
    policies: Option<String>,
    /// Only the cases whose `file: name` matches this regular expression
    #[arg(long, value_name = "PATTERN")]
    run: Option<Regex>,
    /// Run them again whenever something changes, until interrupted
    #[arg(long)]
    watch: bool,
    /// How to print the results
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write what came into the expectations of the cases that failed
    #[arg(long)]
    update: bool,
    /// Stop at the first case that does not pass
    #[arg(long)]
    fail_fast: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.watch && args.format == Format::Junit {
        return Err(Failure::usage(
            "--watch prints results again and again, and JUnit's XML is one document: drop one",
        ));
    }
    let config = config_from_env()?;
    let policies = args.policies.as_deref().map(|text| Policies::open(text, &config)).transpose()?;
    let mut runner = Runner::new(config.caps, policies, args.fail_fast)?;
    match args.watch {
        true => watch::forever(&args.path, |found| {
            round(args, &mut runner, found)?;
            Ok(runner.looked_at())
        }),
        false => round(args, &mut runner, &find(&args.path)?).map(ExitCode::from),
    }
}

/// Runs the cases of the files that were found, prints what came, and gives the exit code.
fn round(args: &Args, runner: &mut Runner, found: &Found) -> Result<u8, Failure> {
    let since = Instant::now();
    let chosen = |name: &str| args.run.as_ref().is_none_or(|pattern| pattern.is_match(name));
    let done = runner.run(found, chosen, |done| match args.format {
        Format::Text => output::out(&text::case(done)),
        _ => Ok(()),
    });
    let done = done.map_err(Failure::unwritable)?;
    print(args, &done, since.elapsed()).map_err(Failure::unwritable)?;
    let mut code = code(&done);
    if args.update {
        let updated = update::update(&done);
        updated.told.iter().for_each(|line| output::report(&format!("{line}\n")));
        code = if updated.whole && update::covers(&done) { exit::ALLOW } else { code };
    }
    if done.is_empty() {
        output::report(&format!("{}\n", nothing(args)));
    }
    Ok(code)
}

fn print(args: &Args, done: &[Done], elapsed: Duration) -> io::Result<()> {
    match args.format {
        Format::Text if done.is_empty() => Ok(()),
        Format::Text => output::out(&text::summary(done, elapsed)),
        Format::Json => output::data(&format!("{}\n", json::document(done, elapsed)?)),
        Format::Junit => output::data(&format!("{}\n", junit::document(done, elapsed)?)),
    }
}

fn code(done: &[Done]) -> u8 {
    let any = |wanted: fn(&Outcome) -> bool| done.iter().any(|done| wanted(&done.outcome));
    match () {
        () if done.is_empty() || any(|outcome| matches!(outcome, Outcome::CouldNotRun(_))) => exit::COULD_NOT_RUN,
        () if any(|outcome| matches!(outcome, Outcome::Failed(_))) => exit::FAILED,
        () => exit::ALLOW,
    }
}

/// Why nothing ran. No case at all is a failure, or a wrong path would look like success.
fn nothing(args: &Args) -> String {
    let error = output::styled("error", anstyle::AnsiColor::Red);
    match &args.run {
        Some(pattern) => format!("{error}: no case matches `{pattern}`: it is compared with `file: name`"),
        None => format!(
            "{error}: no case found: write one into cases/NAME.toml beside a policies.toml; `cogwit help test` shows how"
        ),
    }
}
