//! Adapts the trigger custom message.

use super::request::header;
use super::{Checked, Conflict, Member, agreed, json};
use crate::event::{Event, EventError};
use crate::run::custom_message as wit;
use crate::text::quote;

const SMS: &str = "smsMessage";
const EMAIL: &str = "emailMessage";
const SUBJECT: &str = "emailSubject";

/// What stands for the code and for the user's name where the event does not say.
const CODE: &str = "{####}";
const USER_NAME: &str = "{username}";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        code_parameter: event.request_text("codeParameter"),
        link_parameter: event.request_text("linkParameter"),
        username_parameter: event.request_text("usernameParameter"),
        client_metadata: event.request_map("clientMetadata")?,
    })
}

/// A message has one author.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    Ok(wit::Response {
        sms_message: agreed(SMS, earlier.sms_message, later.sms_message)?,
        email_message: agreed(EMAIL, earlier.email_message, later.email_message)?,
        email_subject: agreed(SUBJECT, earlier.email_subject, later.email_subject)?,
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    [(SMS, &response.sms_message), (EMAIL, &response.email_message), (SUBJECT, &response.email_subject)]
        .into_iter()
        .filter_map(|(name, text)| Some(Member { name, json: json::text(text.as_deref()?) }))
        .collect()
}

/// Lengths as the API has them for a pool's own messages; what a message must hold as the developer guide says. Where a pool
/// confirms by link, the link stands for the code. That a pool whose e-mail Cognito itself sends takes no e-mail texts, no event
/// tells.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    let parameter = |name: &str| event.request_text(name).filter(|text| !text.is_empty());
    let code = parameter("codeParameter").unwrap_or_else(|| CODE.to_owned());
    let invited = event.header.trigger_source.as_deref() == Some("CustomMessage_AdminCreateUser");
    let user_name = invited.then(|| parameter("usernameParameter").unwrap_or_else(|| USER_NAME.to_owned()));
    for (member, text, most) in [(SMS, &response.sms_message, 140), (EMAIL, &response.email_message, 20_000)] {
        let Some(text) = text else { continue };
        length(&mut checked, member, text, 6, most);
        let links = member == EMAIL && has_link(text);
        if !text.contains(&code) && !links {
            checked.refuse(
                member,
                format!("Cognito refuses `{member}` without {}, which stands for the code", quote(&code)),
            );
        }
        if let Some(name) = user_name.as_deref().filter(|name| !text.contains(name)) {
            checked.refuse(
                member,
                format!("Cognito refuses `{member}` without {}, which stands for the user's name", quote(name)),
            );
        }
    }
    if let Some(subject) = &response.email_subject {
        length(&mut checked, SUBJECT, subject, 1, 140);
    }
    checked
}

/// Whether the text has words of a link, as in `{##Click here##}`. The code's `{####}` is none.
fn has_link(text: &str) -> bool {
    text.split_once("{##").and_then(|(_, rest)| rest.find("##}")).is_some_and(|end| end > 0)
}

fn length(checked: &mut Checked, member: &'static str, text: &str, least: usize, most: usize) {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        let text = format!("Cognito refuses `{member}` of {length} characters: write {least} to {most}");
        checked.refuse(member, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(sms: Option<&str>, email: Option<&str>, subject: Option<&str>) -> wit::Response {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        wit::Response { sms_message: owned(sms), email_message: owned(email), email_subject: owned(subject) }
    }

    fn refused(event: &str, response: &wit::Response) -> Option<&'static str> {
        check(&Event::parse(event.as_bytes()).unwrap(), response).refused.map(|(member, _)| member)
    }

    #[test]
    fn a_message_holds_what_stands_for_the_code() {
        let event = r#"{"request":{"codeParameter":"{code}"}}"#;
        assert_eq!(refused(event, &response(Some("use {code}"), None, None)), None);
        assert_eq!(refused(event, &response(Some("use {####}"), None, None)), Some(SMS));
        assert_eq!(refused("{}", &response(None, Some("use {####}"), Some("a code"))), None);
        assert_eq!(refused("{}", &response(None, Some("click {##here##}"), None)), None);
        assert_eq!(refused("{}", &response(Some("click {##here##}"), None, None)), Some(SMS));
        let invited =
            r#"{"triggerSource":"CustomMessage_AdminCreateUser","request":{"usernameParameter":"{username}"}}"#;
        assert_eq!(refused(invited, &response(None, Some("code {####}"), None)), Some(EMAIL));
        assert_eq!(refused(invited, &response(None, Some("{username}, code {####}"), None)), None);
    }

    #[test]
    fn lengths_are_the_apis() {
        let filled = |length: usize| format!("{{####}}{}", "日".repeat(length - 6));
        assert_eq!(refused("{}", &response(Some(&filled(140)), None, None)), None);
        assert_eq!(refused("{}", &response(Some(&filled(141)), None, None)), Some(SMS));
        assert_eq!(refused("{}", &response(None, Some(&filled(20_001)), None)), Some(EMAIL));
        assert_eq!(refused("{}", &response(None, None, Some(""))), Some(SUBJECT));
        assert_eq!(refused("{}", &response(None, None, Some(&"x".repeat(141)))), Some(SUBJECT));
    }

    #[test]
    fn a_message_has_one_author() {
        let (one, other) = (response(Some("a"), None, None), response(Some("b"), None, None));
        assert_eq!(merge(one, other).unwrap_err(), Conflict(SMS));
    }
}
