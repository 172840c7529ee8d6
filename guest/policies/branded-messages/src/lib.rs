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
//! the attribute `name`, or nothing: 40 characters at most, as text even in an e-mail of HTML, since anybody may sign up by any name.
//! A text for `sms` needs `{code}`, one for `email` `{code}` or `{link}`, one for an invitation (`AdminCreateUser`) both `{code}` and
//! `{username}`; where what fits an event lacks them, the pool's own words stand. The locale is the attribute `locale`, or what the
//! client says as `lang` in its metadata.

use cogwit_sdk::custom_message::{CustomMessage, Event, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy.
pub struct BrandedMessages;
export!(BrandedMessages: custom_message, settings);

const PARTS: [&str; 3] = ["sms", "email", "subject"];

/// The most characters of a user's own name.
const MOST_OF_A_NAME: usize = 40;

impl CustomMessage for BrandedMessages {
    fn decide(event: Event) -> Result<Response, Denial> {
        let worded = |part| {
            let text = filled(part, &text(part, &event)?, &event);
            let whole = part == "subject" || is_whole(part, &text, &event);
            if !whole {
                log::warn(format!("no text for `{part}` has all that this message needs"));
            }
            whole.then_some(text)
        };
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
            if !text.contains("{code}") && (part == "sms" || !text.contains("{link}")) {
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

/// Whether the text has what Cognito asks of this message.
fn is_whole(part: &str, text: &str, event: &Event) -> bool {
    let has = |place: &str| !place.is_empty() && text.contains(place);
    match event.trigger_source() {
        "CustomMessage_AdminCreateUser" => has(event.code()) && has(event.username_place()),
        _ => has(event.code()) || part == "email" && has(event.link()),
    }
}

/// The text with what stands for the code, the link and the name, as this event has it. What a user wrote is put in last, so that
/// it cannot stand for anything else.
fn filled(part: &str, text: &str, event: &Event) -> String {
    let name = event.attribute("name").unwrap_or_default().chars();
    let name = name.filter(|c| !c.is_control() && !"{}#".contains(*c)).take(MOST_OF_A_NAME);
    let name: String = match part {
        "email" => name.map(in_html).collect(),
        _ => name.collect(),
    };
    text.replace("{code}", event.code())
        .replace("{link}", event.link())
        .replace("{username}", event.username_place())
        .replace("{name}", &name)
}

fn in_html(c: char) -> String {
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    }
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
    fn a_name_is_text_and_short_whatever_a_user_is_called() {
        let named = event().with_attribute("name", "<a href='x'>Ina & co</a>\nBcc: x");
        assert_eq!(
            email(named.clone()).as_deref(),
            Some("Welcome &lt;a href=&#39;x&#39;&gt;Ina &amp; co&lt;/a&gt;Bcc: x: {####}")
        );
        let world = World::default().setting("subject", "Hi {name}").setting("sms", "{name} {code}");
        let response = world.run(|| BrandedMessages::decide(named)).value.unwrap();
        assert_eq!(response.email_subject.as_deref(), Some("Hi <a href='x'>Ina & co</a>Bcc: x"));
        let long = event().with_attribute("name", &"x".repeat(500));
        assert_eq!(email(long).unwrap().chars().count(), "Welcome : {####}".len() + MOST_OF_A_NAME);
    }

    #[test]
    fn where_a_text_lacks_what_a_message_needs_the_pools_words_stand() {
        let worded = |event| {
            let world = World::default().setting("sms", "Code {code}").setting("email", "Follow {link}");
            let response = world.run(|| BrandedMessages::decide(event)).value.unwrap();
            (response.sms_message.is_some(), response.email_message.is_some())
        };
        assert_eq!(worded(event()), (true, true));
        assert_eq!(worded(event().with_link("")), (true, false));
        assert_eq!(worded(event().with_trigger_source("CustomMessage_AdminCreateUser")), (false, false));
    }

    #[test]
    fn a_text_without_the_code_is_refused() {
        for (key, text, told) in [
            ("email", "Welcome", "has no `{code}`"),
            ("sms.nb", "", "has no `{code}`"),
            ("sms", "{link}", "has no `{code}`"),
            ("email.AdminCreateUser", "{code}", "needs `{code}` and `{username}`"),
            ("mail", "{code}", "is not known"),
        ] {
            let refused = World::default().setting(key, text).run(BrandedMessages::validate).value;
            assert!(refused.unwrap_err().contains(told), "{key}");
        }
        world().run(BrandedMessages::validate).value.unwrap();
    }
}
