//! Plays a sign-in with a password: InitiateAuth, to the tokens.

use cogwit_core::event::Trigger;

use super::command::EXIT_CODES;
use super::exception::Exception;
use super::options::Options;
use super::pool::{Change, Pool, Stop, map_or_null};
use super::response::Nothing;
use super::tokens;

/// Plays a sign-in with a password, to the tokens
///
/// Fires `PreAuthentication_Authentication`, which gets the client metadata as `validationData`; then, the password being right,
/// `PostAuthentication_Authentication` and `TokenGeneration_Authentication`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate signin --client-id 6f1vq0d8n3r5t2jc9hm4sbe7pa --client-metadata device=px-90
  cogwit simulate signin --user nobody --user-not-found
  cogwit simulate signin --endpoint http://127.0.0.1:9000 --format json"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    /// The pool has no such user, and hides that (`PreventUserExistenceErrors`)
    #[arg(long)]
    user_not_found: bool,
}

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    begin(pool, args.user_not_found, map_or_null(&args.options.client_metadata))?;
    if args.user_not_found {
        // Nobody may learn from the answer that there is no such user; that is why the function is asked at all.
        return Err(Exception::wrong_password().into());
    }
    pool.note("the password is right")?;
    // The metadata of InitiateAuth does not go further than the first trigger.
    finish(pool, "TokenGeneration_Authentication", None)
}

/// Calls `InitiateAuth` for a user of the pool, or for somebody who is not there.
pub(super) fn begin(pool: &mut Pool<'_>, nobody: bool, validation: Option<String>) -> Result<(), Stop> {
    pool.call = "InitiateAuth";
    match nobody {
        true => pool.user.given.clear(),
        false => pool.user.confirm(),
    }
    let changes = [("request.validationData", validation), not_found(nobody)];
    pool.fire(Trigger::PreAuthentication, "PreAuthentication_Authentication", &changes).map(|Nothing {}| ())
}

/// A pool that does not hide who is there leaves the member out.
pub(super) fn not_found(nobody: bool) -> Change<'static> {
    ("request.userNotFound", nobody.then(|| "true".to_owned()))
}

/// Lets a user in who showed who they are.
pub(super) fn finish(pool: &mut Pool<'_>, source: &'static str, metadata: Option<String>) -> Result<(), Stop> {
    let of_call = [("request.clientMetadata", metadata.clone())];
    let Nothing {} = pool.fire(Trigger::PostAuthentication, "PostAuthentication_Authentication", &of_call)?;
    tokens::issue(pool, source, metadata)
}
