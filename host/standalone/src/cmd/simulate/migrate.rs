//! Plays how a user comes from another directory: at a sign-in with a password, or when it was forgotten.

use std::collections::BTreeMap;
use std::io;

use cogwit_core::event::Trigger;
use serde::Deserialize;

use super::command::EXIT_CODES;
use super::exception::Exception;
use super::message;
use super::options::Options;
use super::pool::{Pool, Stop, map, map_or_null, text};
use super::response::Response;
use super::signin::finish;
use super::user::{Medium, User};
use crate::failure::Failure;

/// Plays the migration of a user whom the pool does not know
///
/// Fires `UserMigration_Authentication`, and, where the function vouches for the user with the status CONFIRMED, goes on as a
/// sign-in does: `PostAuthentication_Authentication` and `TokenGeneration_Authentication`. With `--forgot-password`:
/// `UserMigration_ForgotPassword`, and `CustomMessage_ForgotPassword` with the code. Only `--show-events` prints the password.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  pass show legacy/mira | cogwit simulate migrate --user mira --password - --endpoint http://127.0.0.1:9000
  cogwit simulate migrate --user mira --forgot-password"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    /// The password that the user types; `-` reads it from standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, required_unless_present = "forgot_password")]
    password: Option<String>,
    /// The user forgot the password
    #[arg(long, conflicts_with = "password")]
    forgot_password: bool,
    /// The app client hides who is there (`PreventUserExistenceErrors`)
    #[arg(long)]
    hides_users: bool,
}

/// The state in which a user is made.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Confirmed,
    #[default]
    ResetRequired,
}

/// What user migration may answer, as far as the pool that is played has a use for it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Migrated {
    user_attributes: Option<BTreeMap<String, String>>,
    final_user_status: Option<Status>,
}

impl Response for Migrated {
    /// Another name is fine where an alias was typed, which is an attribute then. The text is not shown: see [`Exception::seen`].
    fn refused(&self, user: &User) -> Option<String> {
        let attributes = self.user_attributes.as_ref()?;
        let is_alias = Medium::ALL.iter().any(|medium| attributes.get(medium.attribute()) == Some(&user.name));
        let other = attributes.get("username").filter(|name| **name != user.name && !is_alias);
        other.map(|name| format!("username {name}"))
    }
}

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    if args.forgot_password {
        return forgot(args, pool);
    }
    pool.call = "InitiateAuth";
    let changes = [
        ("request.userAttributes", None),
        ("request.password", text(&password(args)?)),
        ("request.validationData", map_or_null(&args.options.client_metadata)),
    ];
    let migrated: Migrated = pool.fire(Trigger::UserMigration, "UserMigration_Authentication", &changes)?;
    match create(pool, migrated)? {
        None if args.hides_users => Err(Exception::wrong_password().into()),
        None => Err(nobody().into()),
        Some(Status::Confirmed) => finish(pool, "TokenGeneration_Authentication", None),
        // A reset is asked for at once, with the right password too.
        Some(Status::ResetRequired) => {
            let message = "Password reset required for the user";
            Err(Exception::of_user("PasswordResetRequiredException", message).into())
        }
    }
}

fn forgot(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    pool.call = "ForgotPassword";
    let metadata = || map(&args.options.client_metadata);
    let changes = [("request.userAttributes", None), ("request.clientMetadata", metadata())];
    let migrated: Migrated = pool.fire(Trigger::UserMigration, "UserMigration_ForgotPassword", &changes)?;
    if create(pool, migrated)?.is_none() {
        return match args.hides_users {
            true => pool.note("the caller is told of a code that nobody gets"),
            false => Err(nobody().into()),
        };
    }
    match Medium::ALL.into_iter().find(|medium| pool.user.verified.contains(medium)) {
        Some(medium) => message::send(pool, "CustomMessage_ForgotPassword", medium, metadata()),
        None => {
            let message = "Cannot reset password for the user as there is no registered/verified email or phone_number";
            Err(Exception::of_user("InvalidParameterException", message).into())
        }
    }
}

/// The pool makes the user whom the function vouches for. None: it vouches for nobody.
fn create(pool: &mut Pool<'_>, migrated: Migrated) -> Result<Option<Status>, Stop> {
    let Some(mut attributes) = migrated.user_attributes.filter(|attributes| !attributes.is_empty()) else {
        return Ok(None);
    };
    let user = &mut pool.user;
    user.name = attributes.remove("username").unwrap_or_else(|| user.name.clone());
    user.given = attributes;
    let is_verified = |medium: &Medium| user.given.get(medium.verified()).is_some_and(|it| it == "true");
    user.verified = Medium::ALL.into_iter().filter(|it| is_verified(it) && user.address(*it).is_some()).collect();
    let status = migrated.final_user_status.unwrap_or_default();
    user.status = Some(match status {
        Status::Confirmed => "CONFIRMED",
        Status::ResetRequired => "RESET_REQUIRED",
    });
    pool.note("the pool makes the user with these attributes")?;
    Ok(Some(status))
}

fn nobody() -> Exception {
    Exception::of_user("UserNotFoundException", "User does not exist.")
}

/// The password that is typed, without the end of its line.
fn password(args: &Args) -> Result<String, Failure> {
    let given = args.password.clone().unwrap_or_default();
    if given != "-" {
        return Ok(given);
    }
    let mut line = String::new();
    let cannot = |error| format!("cannot read the password from standard input: {error}; give it as one line of text");
    io::stdin().read_line(&mut line).map_err(|error| Failure::could_not_run(cannot(error)))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
