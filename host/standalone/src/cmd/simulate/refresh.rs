//! Plays a refresh: new tokens for somebody who signed in before.

use super::command::EXIT_CODES;
use super::options::Options;
use super::pool::{Pool, Stop};
use super::tokens;

/// Plays a refresh of tokens
///
/// Fires `TokenGeneration_RefreshTokens`, which sees no client metadata, and nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate refresh --attribute custom:plan=gold
  cogwit simulate refresh --endpoint http://127.0.0.1:9000 --wired pre-token-generation-v2"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) fn play(pool: &mut Pool<'_>) -> Result<(), Stop> {
    pool.call = "InitiateAuth";
    pool.user.confirm();
    tokens::issue(pool, "TokenGeneration_RefreshTokens", None)
}
