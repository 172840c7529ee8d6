//! Holds the templates, one policy for each trigger, and fills them in.

use cogwit_core::event::{Trigger, example, pretty};

/// An example of a policy for one trigger.
pub(super) struct Template {
    trigger: Trigger,
    /// The source, with its unit tests. It has no placeholders, so that it is tested as it stands.
    policy: &'static str,
    cases: &'static str,
    /// The trigger source of the event.
    source: &'static str,
    /// What its entry in the policy set says: what the cases and the event take for granted.
    entry: &'static str,
}

/// Reads the files of each trigger's folder.
macro_rules! templates {
    ($($trigger:ident $folder:literal $source:literal $entry:literal,)+) => {
        /// The template of a trigger.
        pub(super) fn of(trigger: Trigger) -> &'static Template {
            match trigger {
                $(Trigger::$trigger => &Template {
                    trigger: Trigger::$trigger,
                    policy: include_str!(concat!("templates/", $folder, "/policy.rs")),
                    cases: include_str!(concat!("templates/", $folder, "/cases.toml")),
                    source: $source,
                    entry: $entry,
                },)+
            }
        }
    };
}

templates! {
    PreSignUp "pre-sign-up" "PreSignUp_SignUp" r#"settings = { domains = "fjordmail.example" }"#,
    PostConfirmation "post-confirmation" "PostConfirmation_ConfirmSignUp"
        r#"settings = { domains = "fjordmail.example" }"#,
    PreAuthentication "pre-authentication" "PreAuthentication_Authentication"
        r#"settings = { retired-clients = "app-of-2019" }"#,
    PostAuthentication "post-authentication" "PostAuthentication_Authentication"
        r#"settings = { suspended = "berg-7" }"#,
    DefineAuthChallenge "define-auth-challenge" "DefineAuthChallenge_Authentication" "settings = { attempts = 3 }",
    CreateAuthChallenge "create-auth-challenge" "CreateAuthChallenge_Authentication"
        "capabilities = [\"random\"]\nsettings = { attribute = \"custom:customer\", length = 8 }",
    VerifyAuthChallengeResponse "verify-auth-challenge-response" "VerifyAuthChallengeResponse_Authentication"
        r#"settings = { parameter = "pin" }"#,
    PreTokenGeneration "pre-token-generation" "TokenGeneration_AuthenticateDevice"
        r#"settings = { attribute = "custom:tenant", claim = "tenant" }"#,
    PreTokenGenerationV2 "pre-token-generation-v2" "TokenGeneration_Authentication"
        r#"settings = { group = "night-shift", scope = "harbour/open-gates" }"#,
    UserMigration "user-migration" "UserMigration_ForgotPassword"
        r#"settings = { users = "legacy_åse=ase@fjordmail.example" }"#,
    CustomMessage "custom-message" "CustomMessage_SignUp" r#"settings = { product = "Fjord Harbour" }"#,
    CustomEmailSender "custom-email-sender" "CustomEmailSender_SignUp"
        r#"settings = { test-domains = "test.fjordmail.example" }"#,
    CustomSmsSender "custom-sms-sender" "CustomSMSSender_SignUp" r#"settings = { prefixes = "+1, +47" }"#,
    InboundFederation "inbound-federation" "InboundFederation_ExternalProvider"
        r#"settings = { domains = "northwind.example" }"#,
}

impl Template {
    /// The files of a crate, each with its path. `sdk` is what its manifest says of the SDK.
    pub(super) fn files(&self, name: &str, sdk: &str) -> Vec<(String, String)> {
        let filled = |text: &str| {
            text.replace("{{name}}", name)
                .replace("{{sdk}}", sdk)
                .replace("{{trigger}}", self.trigger.name())
                .replace("{{entry}}", self.entry)
                .replace("{{description}}", self.description())
        };
        vec![
            ("Cargo.toml".to_owned(), filled(include_str!("templates/manifest.toml"))),
            (".gitignore".to_owned(), include_str!("templates/gitignore").to_owned()),
            ("README.md".to_owned(), filled(include_str!("templates/README.md"))),
            ("policies.toml".to_owned(), filled(include_str!("templates/policies.toml"))),
            ("src/lib.rs".to_owned(), self.policy.to_owned()),
            (format!("cases/{name}.toml"), filled(self.cases)),
            ("event.json".to_owned(), self.event()),
        ]
    }

    /// An event as Cognito sends it. Every source of a template has one.
    fn event(&self) -> String {
        format!("{}\n", example(self.source).map(pretty).unwrap_or_default())
    }

    /// What the policy says of itself in its first sentence, without the full stop.
    fn description(&self) -> &str {
        let first = self.policy.lines().next().unwrap_or_default();
        first.trim_start_matches("//!").trim().trim_end_matches('.')
    }
}

#[cfg(test)]
mod tests {
    use cogwit_core::event::Event;
    use cogwit_core::policy::Document;

    use super::*;

    #[test]
    fn what_is_filled_in_can_be_read() {
        for trigger in Trigger::all() {
            let template = of(trigger);
            let files = template.files("staff-only", r#"{ path = "../sdk" }"#);
            let text = |file: &str| files.iter().find(|(path, _)| path == file).unwrap().1.as_str();
            for (path, text) in &files {
                assert!(!text.contains("{{") && text.ends_with('\n'), "{path}");
            }
            let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
            let package = &manifest["package"];
            assert_eq!(package["name"].as_str(), Some("staff-only"));
            assert_eq!(package["description"].as_str(), Some(template.description()));
            assert!(template.description().len() > 20 && !template.description().contains('"'));
            assert_eq!(manifest["dependencies"]["cogwit-sdk"]["path"].as_str(), Some("../sdk"));
            assert!(manifest.contains_key("workspace"));

            let set = Document::parse(text("policies.toml")).unwrap();
            let [policy] = set.policies.as_slice() else { panic!("one policy") };
            assert_eq!((policy.name.as_str(), policy.component.as_str()), ("staff-only", "staff-only.wasm"));
            let cases: toml::Table = text("cases/staff-only.toml").parse().unwrap();
            assert!(cases["case"].as_array().unwrap().len() >= 3);
            let event = Event::parse(text("event.json").as_bytes()).unwrap();
            assert_eq!(Trigger::of(&event), Ok(Some(trigger)));
        }
    }
}
