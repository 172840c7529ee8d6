//! Plays a sign-up: SignUp, the message with the code, and ConfirmSignUp.

use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde::Deserialize;

use super::command::EXIT_CODES;
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
struct Answer {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
    auto_verify_phone: Option<bool>,
}

impl Answer {
    fn confirms(&self) -> bool {
        self.auto_confirm_user == Some(true)
    }

    fn verifies(&self) -> impl Iterator<Item = Medium> {
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

/// What custom message may answer. Null leaves the pool's own text.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    sms_message: Option<String>,
    email_message: Option<String>,
    email_subject: Option<String>,
}

/// Stands in a message for the code.
const CODE: &str = "{####}";
/// Stands in an e-mail for a link that does the same.
const LINK: &str = "{##Click Here##}";

impl Response for Message {
    /// The limits are those of Cognito's API, the sentences ours. The pool sends e-mail by SES, or it would take none.
    fn refused(&self, _: &User) -> Option<String> {
        let limits = [
            ("smsMessage", &self.sms_message, 6..=140, &[CODE][..]),
            ("emailMessage", &self.email_message, 6..=20_000, &[CODE, LINK]),
            ("emailSubject", &self.email_subject, 1..=140, &[]),
        ];
        limits.into_iter().find_map(|(name, text, limit, needed)| {
            let text = text.as_deref()?;
            if !limit.contains(&text.chars().count()) {
                return Some(format!("{name} must have {} to {} characters", limit.start(), limit.end()));
            }
            let lacks = !needed.is_empty() && !needed.iter().any(|needed| text.contains(needed));
            lacks.then(|| format!("{name} must contain {CODE}"))
        })
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
        // With both, a new pool sends the code by SMS.
        let media = [Medium::Phone, Medium::Email];
        let Some(medium) = media.into_iter().find(|medium| pool.user.address(*medium).is_some()) else {
            return pool.note(
                "there is no e-mail and no phone number to send a code to; an administrator may confirm the user",
            );
        };
        // The user is made by now, whatever becomes of the message.
        let message = pool.fire(Trigger::CustomMessage, "CustomMessage_SignUp", &[metadata()])?;
        pool.note(delivered(&pool.user, medium, message))?;
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

/// What the user reads. Where no function says otherwise, it is what a new pool sends.
fn delivered(user: &User, medium: Medium, message: Message) -> String {
    let text = match medium {
        Medium::Email => message.email_message,
        Medium::Phone => message.sms_message,
    };
    let text = text.unwrap_or_else(|| format!("Your confirmation code is {CODE}"));
    let text = one_line(&text.replace(CODE, &user.code()).replace(LINK, "Click Here"));
    let address = one_line(user.address(medium).unwrap_or_default());
    match medium {
        Medium::Email => {
            let subject = message.email_subject.unwrap_or_else(|| "Your verification code".to_owned());
            format!("an e-mail to {address}, \"{}\": {text}", one_line(&subject))
        }
        Medium::Phone => format!("an SMS to {address}: {text}"),
    }
}
