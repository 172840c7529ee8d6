//! Signs what is published, in minisign's format. Start at `args`: a key's file signs, or a command that asks a KMS.

/// How the command line says who signs.
mod args;
/// Who signs, and the check of every signature.
mod signer;
/// A secret key's file.
mod secret;
/// A public key's file.
mod public;
/// The password of a secret key.
mod password;
/// A command that signs.
mod command;
/// The four lines of a signature.
mod text;

pub(crate) use args::{SIGN_WITH, SignArgs};
pub(crate) use password::Password;
#[cfg(test)]
pub(crate) use public::PublicKey;
pub(crate) use secret::Pair;
pub(crate) use signer::Signer;
