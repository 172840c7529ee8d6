//! Sends the user a message with a code, in the words of a function or of the pool.

use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde::Deserialize;

use super::pool::{Pool, Stop};
use super::response::Response;
use super::user::{Medium, User};

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

/// Asks for the words of a message, and tells what the user gets.
pub(super) fn send(
    pool: &mut Pool<'_>,
    source: &'static str,
    medium: Medium,
    metadata: Option<String>,
) -> Result<(), Stop> {
    let message = pool.fire(Trigger::CustomMessage, source, &[("request.clientMetadata", metadata)])?;
    pool.note(delivered(&pool.user, medium, message))
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
