//! Words the text messages with a code so that they name the product.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `product` | the product's name, of 1 to 40 characters | none: it must be set |
//!
//! E-mails keep the words of the pool.

use cogwit_sdk::custom_message::{CustomMessage, Event, Response};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy. It has no fields: every decision runs in a fresh instance, so nothing is kept.
pub struct Policy;

// What the component exports: the triggers that it answers, and the check of its settings.
export!(Policy: custom_message, settings);

impl CustomMessage for Policy {
    /// Words one message, before Cognito puts the code into it and sends it.
    ///
    /// The event has `user_name()`, `client_id()` and `trigger_source()`, the stored attributes of
    /// the user, such as `attribute("locale")`, and what the app sent along: `metadata("key")`.
    /// What stands for the code is `code()`, for a link that confirms `link()`, and for the name of
    /// an invited user `username_place()`. The fields behind them are public.
    /// `cogwit_sdk::raw_event::get()` is the whole event, as JSON.
    ///
    /// Cognito takes the words for the message that it sends, be it a text message or an e-mail.
    /// `sms_message` has 6 to 140 characters; `email_message` and `email_subject` may only be set
    /// in a pool that sends through Amazon SES. A message without `code()` is refused, and so is an
    /// invitation without `username_place()`. A refusal of yours fails what the user was about to
    /// do.
    fn decide(event: Event) -> Result<Response, Denial> {
        if event.code().is_empty() {
            // For the operator: the report of `cogwit run` shows it, and the user never sees it.
            // Keep out what says who the user is.
            log::warn("nothing stands for the code");
            // Leaves the words of the pool.
            return Ok(Response::default());
        }
        // Settings are text, from the entry of this policy in policies.toml.
        let product = settings::text("product", "");
        let (code, name) = (event.code(), event.username_place());
        let text = match event.trigger_source() {
            "CustomMessage_AdminCreateUser" => {
                format!("Welcome to {product}: your user name is {name}, your password {code}")
            }
            "CustomMessage_ForgotPassword" => {
                format!("{code} resets your {product} password. If you did not ask, ignore it")
            }
            _ => format!("{code} is your {product} code. Do not share it"),
        };
        Ok(Response {
            sms_message: Some(text),
            ..Response::default()
        })
    }
}

impl Settings for Policy {
    /// Runs when a policy set is loaded. A set with settings that are refused here never serves.
    fn validate() -> Result<(), String> {
        settings::only(&["product"])?;
        let product = settings::text("product", "");
        if !(1..=40).contains(&product.chars().count()) {
            return Err(format!(
                "`product` is `{product}`: write 1 to 40 characters"
            ));
        }
        match product.contains(['{', '}']) {
            true => Err(format!("`product` is `{product}`: write it without braces")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::{Run, World};

    use super::*;

    /// Decides in a world that stands in for the host: its settings, time and random numbers.
    fn decide(event: Event, product: &str) -> Run<Result<Response, Denial>> {
        let world = World::default().setting("product", product);
        world.run(|| Policy::decide(event))
    }

    fn event(source: &str) -> Event {
        Event::default()
            .with_trigger_source(source)
            .with_code("{####}")
            .with_username_place("{username}")
    }

    #[test]
    fn text_messages_name_the_product() {
        let response = decide(event("CustomMessage_SignUp"), "Fjord")
            .value
            .unwrap();
        let text = "{####} is your Fjord code. Do not share it";
        assert_eq!(response.sms_message.as_deref(), Some(text));
        assert_eq!(
            (response.email_message, response.email_subject),
            (None, None)
        );
    }

    #[test]
    fn every_message_is_one_that_cognito_takes() {
        for source in ["AdminCreateUser", "ForgotPassword", "ResendCode"] {
            let source = format!("CustomMessage_{source}");
            let response = decide(event(&source), &"x".repeat(40)).value.unwrap();
            let text = response.sms_message.unwrap();
            assert!(
                text.contains("{####}") && text.chars().count() <= 140,
                "{text}"
            );
            let invites = source.ends_with("AdminCreateUser");
            assert_eq!(text.contains("{username}"), invites, "{text}");
        }
    }

    #[test]
    fn without_a_place_for_the_code_the_words_are_the_pools() {
        let run = decide(Event::default(), "Fjord");
        assert_eq!(run.value, Ok(Response::default()));
        assert_eq!(run.logs.len(), 1);
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let validate = |key: &str, value: &str| {
            let world = World::default().setting("product", "Fjord");
            world.setting(key, value).run(Policy::validate).value
        };
        assert_eq!(validate("product", "Fjord Harbour"), Ok(()));
        for (key, value) in [
            ("products", "Fjord"),
            ("product", ""),
            ("product", "{####}"),
            ("product", "a name that is longer than a text message bears"),
        ] {
            assert!(validate(key, value).is_err(), "{key} = {value}");
        }
    }
}
