//! Makes the key that signs releases, and says which line hosts trust.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf, is_separator};
use std::process::ExitCode;

use anstyle::AnsiColor;
use serde::Serialize;

use super::common::{Format, print};
use crate::failure::{Failure, exit};
use crate::output::styled;
use crate::sign::{Pair, Password};

/// Makes a key that signs what you publish, in minisign's format
///
/// Writes NAME.key, which signs and is yours alone, and NAME.pub, whose line hosts trust. The tool minisign reads both.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  made
  1  the key could not be made
  2  the command line is wrong, or there is no terminal to ask for a password
  4  a file is there already, or cannot be read or written

Examples:
  cogwit keygen                                       cogwit.key and cogwit.pub; asks for a password
  cogwit keygen --out keys/staging --no-password      for a machine that keeps the key as a secret")]
pub(crate) struct Args {
    /// Where the files go, without their endings
    #[arg(long, value_name = "NAME", default_value = "cogwit")]
    out: PathBuf,
    /// Do not encrypt the key
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
    /// A file whose first line is the key's password [default: asked for on the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Write over files that are there: their key is lost
    #[arg(long)]
    force: bool,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    key_id: String,
    public_key: String,
    secret_key_file: String,
    public_key_file: String,
    encrypted: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let [secret, public] = files(&args.out)?;
    // Before anybody thinks of a password.
    for path in [&secret, &public] {
        if !args.force && path.symlink_metadata().is_ok() {
            let text = "is there already: name another one by --out, or add --force if nothing is signed with it";
            return Err(Failure::could_not_run(format!("`{}` {text}", path.display())));
        }
    }
    let password = password(args)?;
    let encrypted = password.is_some();
    let pair = Pair::generate(password)?;
    write(&secret, &pair.secret, 0o600, args.force)?;
    write(&public, &pair.public.file(), 0o644, args.force)?;
    let made = Made {
        key_id: pair.public.id(),
        public_key: pair.public.line().to_owned(),
        secret_key_file: secret.display().to_string(),
        public_key_file: public.display().to_string(),
        encrypted,
    };
    print(args.format, &made, text)?;
    Ok(ExitCode::from(exit::ALLOW))
}

/// NAME.key and NAME.pub.
fn files(name: &Path) -> Result<[PathBuf; 2], Failure> {
    let text = name.as_os_str().to_string_lossy();
    if text.ends_with(is_separator) {
        return Err(Failure::usage(format!("--out `{text}` names no file: write a name such as `{text}cogwit`")));
    }
    Ok([".key", ".pub"].map(|ending| {
        let mut path = OsString::from(name);
        path.push(ending);
        PathBuf::from(path)
    }))
}

/// The password for the new key; none for one that is not encrypted.
fn password(args: &Args) -> Result<Option<Password>, Failure> {
    if args.no_password {
        return Ok(None);
    }
    let password = match &args.password_file {
        Some(file) => Password::read(file)?,
        None => {
            let otherwise = "there is no terminal to ask for a password: add `--password-file FILE`, or `--no-password` for a \
                             key that is not encrypted";
            let password = Password::ask("Password of the new key: ", otherwise)?;
            if Password::ask("The password once more: ", otherwise)? != password {
                return Err(Failure::failed("the two passwords differ: run it again"));
            }
            password
        }
    };
    match password.is_empty() {
        true => Err(Failure::usage(
            "the password is empty: write one, or add `--no-password` for a key that is not encrypted",
        )),
        false => Ok(Some(password)),
    }
}

/// Writes a file that is new, so that it never is open to more people than `mode` says.
fn write(path: &Path, text: &str, mode: u32, force: bool) -> Result<(), Failure> {
    let write = || {
        if force {
            fs::remove_file(path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut file = options.open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| {
        let path = path.display();
        Failure::could_not_run(format!("cannot write `{path}`: {error}; name another place by --out"))
    })
}

fn text(made: &Made) -> String {
    let Made { key_id, public_key, secret_key_file, public_key_file, encrypted } = made;
    let kept = if *encrypted { "encrypted with the password" } else { "not encrypted: whoever reads it can sign" };
    let width = secret_key_file.len();
    format!(
        "{}: the key {key_id}\n  \
         {secret_key_file:width$}  signs; {kept}\n  \
         {public_key_file:width$}  verifies; anybody may have it\n\n\
         hosts that are to take nothing but what this key signed:\n  \
         COGWIT_TRUSTED_KEYS={public_key}\n\n\
         next:\n  \
         keep {secret_key_file} out of the repository, and a copy of it in a safe place\n  \
         cogwit publish ... --key {secret_key_file}",
        styled("made", AnsiColor::Green)
    )
}
