//! Words the messages that Cognito sends, by what they are for, by locale and by app client.
//!
//! A setting is a text. Its name says what it is the text of, and for whom, with dots between:
//! `sms`, `email` or `subject`; then, if it is not for all, the trigger source without its prefix, such as `SignUp`; then a
//! locale such as `nb` or `pt-br`; then an app client. Of the settings that fit, the one that says the most counts: the client
//! before the source, the source before the locale. Without one the pool's own words stand.
//!
//! ```toml
//! settings = { email = "Your code is {code}", "email.nb" = "Koden din er {code}", "subject.SignUp.nb" = "Velkommen" }
//! ```
//!
//! In a text, `{code}` is where Cognito puts the code, `{link}` the link that confirms, and `{username}` the user's name; `{name}` is
//! the attribute `name`, or nothing. A text for `sms` or `email` needs `{code}` or `{link}`, one for `AdminCreateUser` both `{code}`
//! and `{username}`. The locale is the attribute `locale`, or what the client says as `lang` in its metadata.

use cogwit_sdk::custom_message::{CustomMessage, Event, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export};

/// The policy.
pub struct BrandedMessages;
export!(BrandedMessages: custom_message, settings);

const PARTS: [&str; 3] = ["sms", "email", "subject"];

impl CustomMessage for BrandedMessages {
    fn decide(event: Event) -> Result<Response, Denial> {
        let worded = |part| text(part, &event).map(|text| filled(&text, &event));
        Ok(Response { sms_message: worded("sms"), email_message: worded("email"), email_subject: worded("subject") })
    }
}

impl Settings for BrandedMessages {
    fn validate() -> Result<(), String> {
        for (key, text) in settings::all() {
            let mut words = key.split('.');
            let part = words.next().unwrap_or_default();
            if !PARTS.contains(&part) {
                return Err(format!("`{key}` is not known: it begins with `sms`, `email` or `subject`"));
            }
            if part == "subject" {
                continue;
            }
            if !text.contains("{code}") && !text.contains("{link}") {
                return Err(format!("`{key}` has no `{{code}}`, so Cognito would refuse it: say where the code goes"));
            }
            if words.any(|word| word == "AdminCreateUser") && !(text.contains("{code}") && text.contains("{username}"))
            {
                return Err(format!("`{key}` needs `{{code}}` and `{{username}}`, or Cognito would refuse it"));
            }
        }
        Ok(())
    }
}

/// The text that says the most of the event.
fn text(part: &str, event: &Event) -> Option<String> {
    let source = event.trigger_source().strip_prefix("CustomMessage_").unwrap_or_default();
    let locale =
        event.attribute("locale").or(event.metadata("lang")).unwrap_or_default().replace('_', "-").to_lowercase();
    let language = locale.split('-').next().unwrap_or_default();
    let client = event.client_id().unwrap_or_default();
    let mut found: Option<(u8, String)> = None;
    for (key, text) in settings::all() {
        let mut words = key.split('.');
        if words.next() != Some(part) {
            continue;
        }
        // Each word has to fit; what is not said fits all.
        let weight = words.try_fold(0_u8, |weight, word| match word {
            _ if word == client => Some(weight | 8),
            _ if word == source => Some(weight | 4),
            _ if word.to_lowercase() == locale => Some(weight | 2),
            _ if word.to_lowercase() == language => Some(weight | 1),
            _ => None,
        });
        if let Some(weight) = weight.filter(|weight| found.as_ref().is_none_or(|(most, _)| weight > most)) {
            found = Some((weight, text));
        }
    }
    found.map(|(_, text)| text)
}

/// The text with what stands for the code, the link and the name, as this event has it. What a user wrote is put in last, so that
/// it cannot stand for anything else.
fn filled(text: &str, event: &Event) -> String {
    let name = event.attribute("name").unwrap_or_default().replace(['{', '}', '#'], "");
    text.replace("{code}", event.code())
        .replace("{link}", event.link())
        .replace("{username}", event.username_place())
        .replace("{name}", &name)
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    fn event() -> Event {
        let event = Event::default().with_trigger_source("CustomMessage_SignUp").with_client_id("app-1");
        event.with_code("{####}").with_link("{##Click Here##}").with_username_place("{username}")
    }

    fn world() -> World {
        World::default()
            .setting("email", "Code {code}")
            .setting("email.nb", "Kode {code}")
            .setting("email.SignUp", "Welcome {name}: {code}")
            .setting("email.SignUp.nb", "Velkommen {name}: {code}")
            .setting("email.app-1.ForgotPassword", "App: {code}")
            .setting("subject.nb-no", "Hei")
    }

    fn email(event: Event) -> Option<String> {
        world().run(|| BrandedMessages::decide(event)).value.unwrap().email_message
    }

    #[test]
    fn the_text_that_says_the_most_counts() {
        let is = |event: Event, text: &str| assert_eq!(email(event).as_deref(), Some(text));
        is(event(), "Welcome : {####}");
        is(event().with_attribute("locale", "nb_NO").with_attribute("name", "Åse"), "Velkommen Åse: {####}");
        is(event().with_trigger_source("CustomMessage_ResendCode").with_metadata("lang", "nb"), "Kode {####}");
        is(event().with_trigger_source("CustomMessage_ResendCode").with_attribute("locale", "de"), "Code {####}");
        is(event().with_trigger_source("CustomMessage_ForgotPassword").with_attribute("locale", "nb"), "App: {####}");
        let response =
            world().run(|| BrandedMessages::decide(event().with_attribute("locale", "nb-NO"))).value.unwrap();
        assert_eq!((response.email_subject.as_deref(), response.sms_message), (Some("Hei"), None));
    }

    #[test]
    fn a_name_cannot_stand_for_the_code() {
        let named = event().with_attribute("name", "{####}{link}");
        assert_eq!(email(named).as_deref(), Some("Welcome link: {####}"));
    }

    #[test]
    fn a_text_without_the_code_is_refused() {
        for (key, text, told) in [
            ("email", "Welcome", "has no `{code}`"),
            ("sms.nb", "", "has no `{code}`"),
            ("email.AdminCreateUser", "{code}", "needs `{code}` and `{username}`"),
            ("mail", "{code}", "is not known"),
        ] {
            let refused = World::default().setting(key, text).run(BrandedMessages::validate).value;
            assert!(refused.unwrap_err().contains(told), "{key}");
        }
        world().run(BrandedMessages::validate).value.unwrap();
    }
}
