//! Plays a sign-up: SignUp, the message with the code, and ConfirmSignUp.

use cogwit_core::event::Trigger;
use serde::Deserialize;

use super::command::EXIT_CODES;
use super::message;
use super::options::{Entry, Options, entry};
use super::pool::{Pool, Stop, map, map_or_null};
use super::response::{Nothing, Response};
use super::user::{Medium, User};

/// Plays a sign-up, with its message and its confirmation
///
/// Fires `PreSignUp_SignUp`; then, unless a policy confirms the user, `CustomMessage_SignUp`, whose code the user enters; then
/// `PostConfirmation_ConfirmSignUp`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate signup --attribute email=kaia@example.com --attribute custom:domain=example.com
  cogwit simulate signup --user rroe --policies policies/ --show-events
  cogwit simulate signup --endpoint http://127.0.0.1:9000 --wired pre-sign-up,post-confirmation"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    /// An entry of the `ValidationData` that the app sends; repeat it
    #[arg(long, value_name = "KEY=VALUE", value_parser = entry)]
    validation_data: Vec<Entry>,
    /// Stop before the user enters the code
    #[arg(long)]
    no_confirm: bool,
}

/// What pre sign-up may answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
    auto_verify_phone: Option<bool>,
}

impl Answer {
    fn confirms(&self) -> bool {
        self.auto_confirm_user == Some(true)
    }

    pub(super) fn verifies(&self) -> impl Iterator<Item = Medium> {
        let wanted = [(Medium::Email, self.auto_verify_email), (Medium::Phone, self.auto_verify_phone)];
        wanted.into_iter().filter(|(_, wanted)| *wanted == Some(true)).map(|(medium, _)| medium)
    }
}

impl Response for Answer {
    /// The first sentence is ours: the developer guide says that such a sign-up fails, and not how. The second was logged.
    fn refused(&self, user: &User) -> Option<String> {
        let mut verifies = self.verifies();
        if let Some(medium) = verifies.find(|medium| user.address(*medium).is_none()) {
            return Some(format!("The user has no {} that could be auto verified", medium.attribute()));
        }
        let text = "Phone or email cannot be auto verified, when user is not being auto confirmed";
        (self.verifies().next().is_some() && !self.confirms()).then(|| text.to_owned())
    }
}

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    let metadata = || ("request.clientMetadata", map(&args.options.client_metadata));
    let validation = ("request.validationData", map_or_null(&args.validation_data));
    pool.call = "SignUp";
    let answer: Answer = pool.fire(Trigger::PreSignUp, "PreSignUp_SignUp", &[validation, metadata()])?;
    pool.user.status = Some("UNCONFIRMED");
    pool.user.verified.extend(answer.verifies());
    if !answer.confirms() {
        let Some(medium) = Medium::ALL.into_iter().find(|medium| pool.user.address(*medium).is_some()) else {
            return pool.note(
                "there is no e-mail and no phone number to send a code to; an administrator may confirm the user",
            );
        };
        // The user is made by now, whatever becomes of the message.
        message::send(pool, "CustomMessage_SignUp", medium, metadata().1)?;
        if args.no_confirm {
            return Ok(());
        }
        pool.note(format!("the user enters the code {}", pool.user.code()))?;
        pool.call = "ConfirmSignUp";
        pool.user.verified.insert(medium);
    }
    // What follows changes nothing of it: a function that fails is reported, and the user stays confirmed.
    pool.user.status = Some("CONFIRMED");
    pool.fire(Trigger::PostConfirmation, "PostConfirmation_ConfirmSignUp", &[metadata()]).map(|Nothing {}| ())
}
