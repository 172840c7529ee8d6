//! Is the way from the command line to a new crate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgGroup;
use cogwit_core::event::Trigger;

use super::name::checked;
use super::sdk::Sdk;
use super::template::{self, Template};
use crate::failure::{Failure, exit};
use crate::output;

/// Makes a crate for a policy that builds, tests and packs at once
///
/// It holds an example of a policy for the trigger, with unit tests, cases for the component, an event and a policy set.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("sdk").required(true), after_help = "\
Exit codes:
  0  made
  2  the command line is wrong
  4  the folder is not empty, or cannot be written

Example:
  cogwit new staff-only --trigger pre-sign-up --sdk-path ../cogwit/guest/sdk")]
pub(crate) struct Args {
    /// The policy's name: lower-case letters, digits and `-`
    #[arg(value_parser = checked)]
    name: String,
    /// The trigger that it answers, such as pre-sign-up
    #[arg(long, value_name = "NAME")]
    trigger: Trigger,
    /// The folder of the SDK: guest/sdk of cogwit's repository
    #[arg(long, value_name = "DIR", group = "sdk")]
    sdk_path: Option<PathBuf>,
    /// A repository that holds the SDK
    #[arg(long, value_name = "URL", group = "sdk")]
    sdk_git: Option<String>,
    /// The commit of that repository
    #[arg(long, value_name = "REV", requires = "sdk_git", conflicts_with_all = ["sdk_path", "sdk_version"])]
    sdk_rev: Option<String>,
    /// The SDK's version in the registry
    #[arg(long, value_name = "VERSION", group = "sdk")]
    sdk_version: Option<String>,
    /// The crate's folder, empty or not there yet [default: NAME]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let sdk = sdk(args)?;
    let folder = args.into.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    write(args, template::of(args.trigger), &sdk, &folder)?;
    output::out(&next(args, &folder)).map_err(Failure::unwritable)?;
    Ok(ExitCode::from(exit::ALLOW))
}

fn sdk(args: &Args) -> Result<Sdk, Failure> {
    match (&args.sdk_path, &args.sdk_git, &args.sdk_version) {
        (Some(path), ..) => Sdk::at(path).map_err(|error| Failure::usage(format!("--sdk-path: {error}"))),
        (_, Some(url), _) => Ok(Sdk::Git { url: url.clone(), rev: args.sdk_rev.clone() }),
        (.., Some(version)) => Ok(Sdk::Version(version.clone())),
        _ => Err(Failure::usage("nothing says where the SDK is: add --sdk-path, --sdk-git or --sdk-version")),
    }
}

fn write(args: &Args, template: &Template, sdk: &Sdk, folder: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, error: io::Error| {
        Failure::could_not_run(format!("cannot write `{}`: {error}; name another folder by --into", path.display()))
    };
    if !is_free(folder).map_err(|error| failed(folder, error))? {
        let text = format!("`{}` is not empty: name another folder by --into", folder.display());
        return Err(Failure::could_not_run(text));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let whole = fs::canonicalize(folder).map_err(|error| failed(folder, error))?;
    for (file, text) in template.files(&args.name, &sdk.dependency(&whole)) {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Whether nothing is in a folder but, at most, a repository without files.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
            Ok(names.iter().all(|name| name == ".git"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// What was made, and the commands that come next.
fn next(args: &Args, folder: &Path) -> String {
    let (name, trigger) = (&args.name, args.trigger);
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let cd = if folder == Path::new("") { String::new() } else { format!("  cd {}\n", folder.display()) };
    format!(
        "made the policy `{name}` for {trigger}: begin with `{}`\n\nnext:\n{cd}  \
         cargo test                            the policy as plain Rust\n  \
         cogwit pack                           builds {name}.wasm, and writes its digest to policies.toml\n  \
         cogwit test                           holds the component to cases/{name}.toml\n  \
         cogwit run event.json --policies .    decides one event, and tells how\n",
        folder.join("src/lib.rs").display()
    )
}
