//! Writes down who was confirmed, who signed in, and which messages were to be sent, for the operator's records.
//!
//! Each event leaves one line at the level `info`: what happened, by which app client, and which of the attributes named in
//! `attributes` the user has; never their values, which masking would take out. Nobody is refused.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `attributes` | attributes of which the line says whether they are there | `email, phone_number` |
//! | `metadata` | entries of the client metadata whose values are written; masked unless they are short | empty |
//!
//! A pool that has a custom sender sends no message itself. **Do not wire these triggers before something delivers the messages**: this
//! policy only counts them, and cannot decrypt a code.

use cogwit_sdk::custom_email_sender::{self, CustomEmailSender};
use cogwit_sdk::custom_sms_sender::{self, CustomSmsSender};
use cogwit_sdk::post_authentication::{self, PostAuthentication};
use cogwit_sdk::post_confirmation::{self, PostConfirmation};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, export, log};

/// The policy.
pub struct AuditTrail;
export!(AuditTrail: post_confirmation, post_authentication, custom_email_sender, custom_sms_sender, settings);

impl PostConfirmation for AuditTrail {
    fn decide(event: post_confirmation::Event) -> Result<(), Denial> {
        let what = match event.trigger_source() {
            "PostConfirmation_ConfirmForgotPassword" => "password reset",
            _ => "confirmed",
        };
        log::info(line(what, event.client_id(), |name| event.attribute(name), |key| event.metadata(key)));
        Ok(())
    }
}

impl PostAuthentication for AuditTrail {
    fn decide(event: post_authentication::Event) -> Result<(), Denial> {
        let what = if event.new_device_used == Some(true) { "signed in, new device" } else { "signed in" };
        log::info(line(what, event.client_id(), |name| event.attribute(name), |key| event.metadata(key)));
        Ok(())
    }
}

impl CustomEmailSender for AuditTrail {
    fn decide(event: custom_email_sender::Event) -> Result<(), Denial> {
        let what = message("e-mail", event.trigger_source(), event.code());
        log::info(line(&what, event.client_id(), |name| event.attribute(name), |key| event.metadata(key)));
        Ok(())
    }
}

impl CustomSmsSender for AuditTrail {
    fn decide(event: custom_sms_sender::Event) -> Result<(), Denial> {
        let what = message("SMS", event.trigger_source(), event.code());
        log::info(line(&what, event.client_id(), |name| event.attribute(name), |key| event.metadata(key)));
        Ok(())
    }
}

impl Settings for AuditTrail {
    fn validate() -> Result<(), String> {
        settings::only(&["attributes", "metadata"])
    }
}

fn message(kind: &str, source: &str, code: &str) -> String {
    let purpose = source.split_once('_').map_or(source, |(_, purpose)| purpose);
    let code = if code.is_empty() { "without a code" } else { "with a code" };
    format!("{kind} to send, {purpose}, {code}")
}

fn line<'a>(
    what: &str,
    client: Option<&str>,
    attribute: impl Fn(&str) -> Option<&'a str>,
    metadata: impl Fn(&str) -> Option<&'a str>,
) -> String {
    let named = settings::list("attributes", "email, phone_number");
    let (has, lacks): (Vec<_>, Vec<_>) = named.into_iter().partition(|name| attribute(name).is_some());
    let mut line =
        format!("{what}: client={} has={} lacks={}", client.unwrap_or("none"), has.join(","), lacks.join(","));
    for key in settings::list("metadata", "") {
        if let Some(value) = metadata(&key) {
            line.push_str(&format!(" {key}={value:?}"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::testing::World;

    use super::*;

    #[test]
    fn a_confirmation_leaves_a_line() {
        let event = post_confirmation::Event::default().with_client_id("app").with_attribute("email", "a@b.example");
        let run = World::default().run(|| <AuditTrail as PostConfirmation>::decide(event));
        assert_eq!(run.logs[0].1, "confirmed: client=app has=email lacks=phone_number");
        let reset = post_confirmation::Event::default().with_trigger_source("PostConfirmation_ConfirmForgotPassword");
        let run = World::default().run(|| <AuditTrail as PostConfirmation>::decide(reset));
        assert_eq!(run.logs[0].1, "password reset: client=none has= lacks=email,phone_number");
    }

    #[test]
    fn a_message_leaves_a_line_without_its_code() {
        let event =
            custom_email_sender::Event::default().with_trigger_source("CustomEmailSender_SignUp").with_code("AgV4");
        let run =
            World::default().run(|| <AuditTrail as CustomEmailSender>::decide(event.with_attribute("email", "a")));
        assert_eq!(run.logs[0].1, "e-mail to send, SignUp, with a code: client=none has=email lacks=phone_number");
        let event = custom_sms_sender::Event::default().with_trigger_source("CustomSMSSender_Authentication");
        let run = World::default().run(|| <AuditTrail as CustomSmsSender>::decide(event));
        assert!(run.logs[0].1.starts_with("SMS to send, Authentication, without a code: "));
    }

    #[test]
    fn a_sign_in_tells_of_a_new_device_and_of_metadata() {
        let event = post_authentication::Event { new_device_used: Some(true), ..Default::default() };
        let event = event.with_metadata("channel", "tv");
        let world = World::default().setting("metadata", "channel, none").setting("attributes", "name");
        let run = world.run(|| <AuditTrail as PostAuthentication>::decide(event));
        assert_eq!(run.logs[0].1, "signed in, new device: client=none has= lacks=name channel=\"tv\"");
    }
}
