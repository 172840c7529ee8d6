//! Is how the command line says who signs a release: a key's file, a command, or nobody.

use std::path::{Path, PathBuf};

use super::{Password, Signer};
use crate::failure::Failure;

/// What the help of a command that signs says of `--sign-with`.
pub(crate) const SIGN_WITH: &str = "\
A command of --sign-with gets the bytes to sign on standard input, and prints the Ed25519 signature: its 64 bytes, or base64 of \
them. It is asked twice, for the payload's BLAKE2b digest and for the trusted comment, and has a minute for each. One that prints \
a whole minisign signature is asked again with the payload itself, and that signature counts.

A key in AWS KMS signs by:
  aws kms sign --key-id alias/cogwit --message fileb:///dev/stdin --message-type RAW \\
    --signing-algorithm ED25519_SHA_512 --query Signature --output text";

/// Who signs: exactly one of `--key`, `--sign-with` and `--unsigned`.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// Sign with this secret key, as `cogwit keygen` and `minisign -G` write it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sign_with", "unsigned"])]
    key: Option<PathBuf>,
    /// A file whose first line is the key's password [default: asked for on the terminal]
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["sign_with", "unsigned"])]
    password_file: Option<PathBuf>,
    /// Sign by this shell command, which lets a KMS or an HSM sign
    #[arg(long, value_name = "COMMAND", requires = "public_key", conflicts_with = "unsigned")]
    sign_with: Option<String>,
    /// The public key of the command's signatures, in minisign's format
    #[arg(long, value_name = "FILE", requires = "sign_with", conflicts_with_all = ["key", "unsigned"])]
    public_key: Option<PathBuf>,
    /// Do not sign: only hosts with `COGWIT_ALLOW_UNSIGNED=on` take it
    #[arg(long)]
    unsigned: bool,
}

impl SignArgs {
    /// Who signs; nobody with `--unsigned`. Asks for the password of an encrypted key, so call it before the work begins.
    pub(crate) fn signer(&self) -> Result<Option<Signer>, Failure> {
        match (&self.key, &self.sign_with, &self.public_key) {
            (Some(key), ..) => Signer::key(key, || self.password(key)).map(Some),
            (_, Some(command), Some(public_key)) => Signer::command(command, public_key).map(Some),
            _ if self.unsigned => Ok(None),
            _ => Err(Failure::usage(
                "nothing says who signs: add `--key FILE` with a key that `cogwit keygen` makes, or \
                 `--sign-with COMMAND --public-key FILE` for a KMS or an HSM, or `--unsigned`",
            )),
        }
    }

    fn password(&self, key: &Path) -> Result<Password, Failure> {
        let key = key.display();
        match &self.password_file {
            Some(file) => Password::read(file),
            None => Password::ask(
                &format!("Password of {key}: "),
                &format!(
                    "`{key}` is encrypted, and there is no terminal to ask for its password: add `--password-file FILE`"
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::{CommandFactory, Parser};
    use tempfile::TempDir;

    use crate::sign::{Pair, Password, PublicKey, SIGN_WITH, SignArgs, Signer};

    #[derive(Debug, Parser)]
    #[command(after_help = SIGN_WITH)]
    struct Publish {
        #[command(flatten)]
        sign: SignArgs,
    }

    /// A folder with the key `it` and an encrypted one.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("password"), "pass\n").unwrap();
        for (name, password) in [("it", None), ("locked", Some(Password::read(&path("password")).unwrap()))] {
            let pair = Pair::generate(password).unwrap();
            fs::write(path(&format!("{name}.key")), pair.secret).unwrap();
            fs::write(path(&format!("{name}.pub")), pair.public.file()).unwrap();
        }
        folder
    }

    /// Who signs with these arguments, where `DIR` is the folder.
    fn signer(folder: &TempDir, args: &[&str]) -> Result<Option<Signer>, String> {
        let args = args.iter().map(|arg| arg.replace("DIR", folder.path().to_str().unwrap()));
        let parsed = Publish::try_parse_from(std::iter::once("publish".to_owned()).chain(args));
        parsed.map_err(|error| error.to_string())?.sign.signer().map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn the_options_are_sound() {
        Publish::command().debug_assert();
    }

    #[test]
    fn a_key_a_command_or_nobody_signs() {
        let folder = folder();
        let ids = |name: &str| PublicKey::read(&folder.path().join(name)).unwrap().id();
        for (args, id) in [
            (&["--key", "DIR/it.key"][..], Some(ids("it.pub"))),
            (&["--key", "DIR/locked.key", "--password-file", "DIR/password"], Some(ids("locked.pub"))),
            (&["--sign-with", "cat", "--public-key", "DIR/it.pub"], Some(ids("it.pub"))),
            (&["--unsigned"], None),
        ] {
            assert_eq!(signer(&folder, args).unwrap().map(|signer| signer.key_id()), id, "{args:?}");
        }
    }

    #[test]
    fn exactly_one_of_them_signs() {
        let folder = folder();
        for (args, reason) in [
            (&[][..], "Failure { code: 2, text: \"nothing says who signs: add `--key FILE` "),
            (&["--key", "a", "--unsigned"], "'--key <FILE>' cannot be used with '--unsigned'"),
            (&["--key", "a", "--sign-with", "b", "--public-key", "c"], "cannot be used with"),
            (&["--sign-with", "a", "--public-key", "b", "--unsigned"], "cannot be used with"),
            (&["--sign-with", "a"], "--public-key <FILE>"),
            (&["--public-key", "a"], "--sign-with <COMMAND>"),
            (&["--password-file", "a"], "--key <FILE>"),
            (&["--password-file", "a", "--unsigned"], "cannot be used with"),
            (&["--password-file", "a", "--sign-with", "b", "--public-key", "c"], "cannot be used with"),
            (&["--public-key", "a", "--unsigned"], "cannot be used with"),
            (&["--public-key", "a", "--key", "b"], "cannot be used with"),
            (&["--key", "DIR/none.key"], "code: 4, text: \"cannot read the secret key"),
            (&["--key", "DIR/locked.key", "--password-file", "DIR/it.pub"], "the password is another one"),
            (&["--sign-with", "a", "--public-key", "DIR/it.key"], "is no public key of minisign"),
        ] {
            let told = signer(&folder, args).unwrap_err();
            assert!(told.contains(reason), "{args:?}: {told}");
        }
    }
}
