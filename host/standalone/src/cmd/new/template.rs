//! Holds the templates, one policy for each trigger that has an interface, and fills them in.

use cogwit_core::event::Trigger;

/// An example of a policy for one trigger.
pub(super) struct Template {
    trigger: Trigger,
    /// The source, with its unit tests. It has no placeholders, so that it is tested as it stands.
    policy: &'static str,
    cases: &'static str,
    event: &'static str,
    /// What the cases and the event take for granted.
    settings: &'static str,
}

/// Reads the files of one trigger's folder.
macro_rules! template {
    ($trigger:ident, $folder:literal, $settings:literal) => {
        Template {
            trigger: Trigger::$trigger,
            policy: include_str!(concat!("templates/", $folder, "/policy.rs")),
            cases: include_str!(concat!("templates/", $folder, "/cases.toml")),
            event: include_str!(concat!("templates/", $folder, "/event.json")),
            settings: $settings,
        }
    };
}

const TEMPLATES: [Template; 2] = [
    template!(PreSignUp, "pre-sign-up", r#"{ domains = "example.com" }"#),
    template!(PreAuthentication, "pre-authentication", r#"{ retired-clients = "app-of-2019" }"#),
];

/// The template of a trigger.
pub(super) fn of(trigger: Trigger) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.trigger == trigger)
}

/// The triggers that have a template.
pub(super) fn triggers() -> impl Iterator<Item = Trigger> {
    TEMPLATES.iter().map(|template| template.trigger)
}

impl Template {
    /// The files of a crate, each with its path. `sdk` is what its manifest says of the SDK.
    pub(super) fn files(&self, name: &str, sdk: &str) -> Vec<(String, String)> {
        let filled = |text: &str| {
            text.replace("{{name}}", name)
                .replace("{{sdk}}", sdk)
                .replace("{{trigger}}", self.trigger.name())
                .replace("{{settings}}", self.settings)
                .replace("{{description}}", self.description())
        };
        vec![
            ("Cargo.toml".to_owned(), filled(include_str!("templates/manifest.toml"))),
            (".gitignore".to_owned(), include_str!("templates/gitignore").to_owned()),
            ("README.md".to_owned(), filled(include_str!("templates/README.md"))),
            ("policies.toml".to_owned(), filled(include_str!("templates/policies.toml"))),
            ("src/lib.rs".to_owned(), self.policy.to_owned()),
            (format!("cases/{name}.toml"), filled(self.cases)),
            ("event.json".to_owned(), self.event.to_owned()),
        ]
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
    use cogwit_core::run::has_interface;

    use super::*;

    #[test]
    fn every_trigger_with_an_interface_has_a_template_and_no_other() {
        for trigger in Trigger::all() {
            assert_eq!(of(trigger).is_some(), has_interface(trigger), "{trigger}");
        }
    }

    #[test]
    fn what_is_filled_in_can_be_read() {
        for template in &TEMPLATES {
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
            assert_eq!(Trigger::of(&event), Ok(Some(template.trigger)));
        }
    }
}
