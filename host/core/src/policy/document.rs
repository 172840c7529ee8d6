//! Reads the document of a policy set: `policies.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Capability, LimitTexts, SettingValue, When};
use crate::event::{OnFault, Trigger, Unmatched};
use crate::text::one_line;

/// A policy set as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    schema: u32,
    /// What concerns the whole set.
    pub set: SetHead,
    /// The set's limits, for every policy that has none of its own.
    #[serde(default)]
    pub limits: LimitTexts,
    /// The policies, in the order in which they run.
    #[serde(default, rename = "policy")]
    pub policies: Vec<PolicyDocument>,
}

/// What concerns the whole set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetHead {
    /// The set's name.
    pub name: String,
    /// What becomes of an event that no policy answers. Default: by trigger.
    #[serde(default)]
    pub unmatched: Option<Unmatched>,
}

/// One policy as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyDocument {
    /// Its name: letters, digits, `-`, `_` and `.`, unique in the set.
    pub name: String,
    /// The component's file, relative to the document.
    pub component: String,
    /// The component's digest, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The settings.
    #[serde(default)]
    pub settings: BTreeMap<String, SettingValue>,
    /// The triggers that it answers. Default: every one that the component exports.
    #[serde(default, deserialize_with = "triggers")]
    pub triggers: Option<Vec<Trigger>>,
    /// Which events it answers.
    #[serde(default)]
    pub when: When,
    /// What becomes of a decision when it faults. Default: by trigger.
    #[serde(default)]
    pub on_fault: Option<OnFault>,
    /// Limits of its own.
    #[serde(default)]
    pub limits: LimitTexts,
    /// What it may import beyond what every policy may.
    #[serde(default)]
    pub capabilities: BTreeSet<Capability>,
}

fn triggers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Trigger>>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| name.parse().map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Some)
}

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not the TOML of a policy set. The text shows the line.
    #[error("{0}")]
    Unreadable(String),
    /// Of another schema.
    #[error("`schema` is {found}, but this version of cogwit reads 1: write `schema = 1`, or use a newer cogwit")]
    Schema {
        /// The schema that the document names.
        found: i64,
    },
    /// The name of a policy or of the set cannot be used.
    #[error("the name `{name}` cannot be used: write 1 to 64 letters, digits, `-`, `_` or `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// Two policies have the same name.
    #[error("two policies have the name `{name}`: rename one")]
    Twice {
        /// The name.
        name: String,
    },
    /// A list of conditions or triggers is empty.
    #[error("policy `{policy}`: `{key}` lists nothing, so the policy would never run: fill it, or remove it")]
    Nothing {
        /// The policy.
        policy: String,
        /// The key.
        key: &'static str,
    },
}

impl Document {
    /// Reads a `policies.toml`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line, and the nearest known key for an unknown one.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let unreadable = |error: toml::de::Error| DocumentError::Unreadable(with_hint(&error));
        // First, since a document of another schema may have any other key.
        let table: toml::Table = text.parse().map_err(unreadable)?;
        match table.get("schema").and_then(toml::Value::as_integer) {
            Some(found) if found != 1 => return Err(DocumentError::Schema { found }),
            _ => {}
        }
        let document: Self = toml::from_str(text).map_err(unreadable)?;
        document.check()?;
        Ok(document)
    }

    fn check(&self) -> Result<(), DocumentError> {
        let mut names = BTreeSet::new();
        check_name(&self.set.name)?;
        for policy in &self.policies {
            let name = &policy.name;
            check_name(name)?;
            if !names.insert(name) {
                return Err(DocumentError::Twice { name: name.clone() });
            }
            let no_trigger = policy.triggers.as_ref().is_some_and(Vec::is_empty).then_some("triggers");
            if let Some(key) = policy.when.empty_key().or(no_trigger) {
                return Err(DocumentError::Nothing { policy: name.clone(), key });
            }
        }
        Ok(())
    }

    /// A set of policies that have no document: bare components, each under a name.
    ///
    /// # Errors
    ///
    /// Where a name cannot be used or is there twice.
    pub fn of_components(components: impl IntoIterator<Item = (String, String)>) -> Result<Self, DocumentError> {
        let policies = components.into_iter().map(|(name, component)| PolicyDocument {
            name,
            component,
            sha256: None,
            settings: BTreeMap::new(),
            triggers: None,
            when: When::default(),
            on_fault: None,
            limits: LimitTexts::default(),
            capabilities: BTreeSet::new(),
        });
        let document = Self {
            schema: 1,
            set: SetHead { name: "components".to_owned(), unmatched: None },
            limits: LimitTexts::default(),
            policies: policies.collect(),
        };
        document.check()?;
        Ok(document)
    }
}

/// Names stand in reports and on command lines.
fn check_name(name: &str) -> Result<(), DocumentError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    match plain && (1..=64).contains(&name.len()) {
        true => Ok(()),
        false => Err(DocumentError::Name { name: one_line(name) }),
    }
}

/// The parser's text; for an unknown key, with the nearest of those that it names.
fn with_hint(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let nearest = match quoted.next() {
        Some(unknown) if message.starts_with("unknown field") => nearest(unknown, quoted),
        _ => None,
    };
    match nearest {
        Some(known) => format!("{}\ndid you mean `{known}`?", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

/// The word of `known` that is most like `word`, if one is alike at all.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "schema = 1\n[set]\nname = 'it'\n";

    fn refused(text: &str) -> String {
        Document::parse(&format!("{SET}{text}")).unwrap_err().to_string()
    }

    #[test]
    fn a_full_document() {
        let document = Document::parse(
            "schema = 1
            [set]
            name = 'acme-login'
            unmatched = 'fault'
            [limits]
            fuel = 10_000_000
            chain-deadline = '1 s'
            [[policy]]
            name = 'deny-short-username'
            component = 'deny-short-username.wasm'
            sha256 = 'ab'
            settings = { minimum-length = 5 }
            triggers = ['pre-sign-up']
            when = { client-id = ['c'] }
            on-fault = 'allow'
            limits = { memory = '32 MiB' }",
        )
        .unwrap();
        let [policy] = document.policies.as_slice() else { panic!("one policy") };
        assert_eq!(policy.triggers, Some(vec![Trigger::PreSignUp]));
        assert_eq!(policy.on_fault, Some(OnFault::Allow));
        assert_eq!(document.set.unmatched, Some(Unmatched::Fault));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        let text = refused("[[policy]]\nname = 'a'\ncompnent = 'a.wasm'");
        assert!(text.contains("line 6"), "{text}");
        assert!(text.ends_with("did you mean `component`?"), "{text}");
        assert!(refused("[limits]\nfeul = 1").ends_with("did you mean `fuel`?"));
    }

    #[test]
    fn names_are_unique_and_plain() {
        let policy = |name: &str| format!("[[policy]]\nname = '{name}'\ncomponent = 'a.wasm'\n");
        assert_eq!(refused(&(policy("a") + &policy("a"))), "two policies have the name `a`: rename one");
        assert!(refused(&policy("a b")).contains("`a b` cannot be used"));
    }

    #[test]
    fn an_empty_condition_is_an_error() {
        let text = refused("[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\nwhen = { client-id = [] }");
        assert!(text.contains("`client-id` lists nothing"), "{text}");
    }

    #[test]
    fn other_schemas_and_unknown_triggers_are_refused() {
        assert!(Document::parse("schema = 2\n[set]\nname = 'it'").unwrap_err().to_string().contains("`schema` is 2"));
        let text = refused("[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\ntriggers = ['pre-signup']");
        assert!(text.contains("`pre-signup` is no trigger"), "{text}");
    }
}
