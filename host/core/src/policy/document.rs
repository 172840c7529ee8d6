//! Reads the document of a policy set: `policies.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::settings::redactor;
use super::{CandidateDocument, Capability, LimitTexts, Mode, SettingValue, When};
use crate::digest::sha256;
use crate::event::{OnFault, Trigger, Unmatched};
use crate::reading;
use crate::redact::Redactor;
use crate::text::one_line;

/// A policy set as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    schema: u32,
    /// What concerns the whole set.
    pub set: SetHead,
    /// The set's limits, for every policy that has none of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitTexts,
    /// The policies, in the order in which they run.
    #[serde(default, rename = "policy")]
    pub policies: Vec<PolicyDocument>,
    /// What is wrong with what is written. No set is admitted with such a document; the rest is read to find what else is.
    #[serde(skip)]
    pub errors: Vec<DocumentError>,
    /// The digest of its text.
    #[serde(skip)]
    pub digest: String,
}

/// What concerns the whole set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetHead {
    /// The set's name.
    pub name: String,
    /// What becomes of an event that no policy answers. Default: by trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<Unmatched>,
}

/// One policy as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyDocument {
    /// Its name: letters, digits, `-`, `_` and `.`, unique in the set.
    pub name: String,
    /// The component's file, relative to the document.
    pub component: String,
    /// The component's digest, in hexadecimal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sha256: Option<String>,
    /// The settings.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settings: BTreeMap<String, SettingValue>,
    /// The triggers that it answers. Default: every one that the component exports.
    #[serde(default, deserialize_with = "triggers", skip_serializing_if = "is_default")]
    pub triggers: Option<Vec<Trigger>>,
    /// Which events it answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: When,
    /// Whether it answers, or only looks on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// What becomes of a decision when it faults. Default: by trigger.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_fault: Option<OnFault>,
    /// Limits of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitTexts,
    /// What it may import beyond what every policy may.
    #[serde(default, skip_serializing_if = "is_default")]
    pub capabilities: BTreeSet<Capability>,
    /// What stands in for its component for some users.
    #[serde(default, skip_serializing_if = "is_default")]
    pub candidate: Option<CandidateDocument>,
    /// Files of cases that it must pass, relative to the document; `*` and `?` stand for parts of a file's name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tests: Vec<String>,
}

impl Document {
    /// The values of all secret settings, which must not be written.
    pub(crate) fn secrets(&self, env: impl Fn(&str) -> Option<String>) -> Redactor {
        let candidates = self.policies.iter().filter_map(|policy| policy.candidate.as_ref()?.settings.as_ref());
        let settings = self.policies.iter().map(|policy| &policy.settings).chain(candidates);
        let secrets = settings.flat_map(BTreeMap::values).filter_map(|value| match value {
            SettingValue::Env(variable) => env(variable),
            SettingValue::Text(_) => None,
        });
        redactor(&secrets.collect::<Vec<_>>())
    }
}

impl PolicyDocument {
    /// Its candidate, as a policy by itself.
    pub(crate) fn of_candidate(&self) -> Option<Self> {
        let candidate = self.candidate.clone()?;
        Some(Self {
            component: candidate.component,
            sha256: candidate.sha256,
            settings: candidate.settings.unwrap_or_else(|| self.settings.clone()),
            candidate: None,
            ..self.clone()
        })
    }

    /// The files of its components, its own and its candidate's, each with the digest that is written for it.
    pub fn components(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let own = [(&self.component, &self.sha256)].into_iter();
        let all = own.chain(self.candidate.iter().map(|candidate| (&candidate.component, &candidate.sha256)));
        all.map(|(file, digest)| (file.as_str(), digest.as_deref()))
    }

    /// The same, to be changed.
    pub(crate) fn components_mut(&mut self) -> impl Iterator<Item = (&mut String, &mut Option<String>)> {
        let own = [(&mut self.component, &mut self.sha256)].into_iter();
        own.chain(self.candidate.iter_mut().map(|candidate| (&mut candidate.component, &mut candidate.sha256)))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// A rollout is no part of a hundred.
    #[error(
        "policy `{policy}`: `rollout` is {found}: write how many of a hundred users the candidate answers, 0 to 100"
    )]
    Rollout {
        /// The policy.
        policy: String,
        /// What is written.
        found: u8,
    },
}

impl Document {
    /// Reads a `policies.toml`. What is wrong with a part of it stands in [`Document::errors`].
    ///
    /// # Errors
    ///
    /// Where nothing can be read: the text is not TOML, of another schema, or lacks what every document has.
    pub fn parse(text: &str) -> Result<Self, Vec<DocumentError>> {
        // First, since a document of another schema may have any other key.
        if let Some(found) = text.parse::<toml::Table>().ok().and_then(|table| table.get("schema")?.as_integer())
            && found != 1
        {
            return Err(vec![DocumentError::Schema { found }]);
        }
        let (document, errors) = reading::read::<Self>(text);
        let errors = errors.into_iter().map(DocumentError::Unreadable);
        match document {
            None => Err(errors.collect()),
            Some(mut document) => {
                document.errors = errors.collect();
                document.digest = sha256(text.as_bytes());
                document.check();
                Ok(document)
            }
        }
    }

    /// Looks for what the types alone do not say.
    pub(crate) fn check(&mut self) {
        let mut names = BTreeSet::new();
        let mut errors: Vec<_> = check_name(&self.set.name).err().into_iter().collect();
        for policy in &self.policies {
            let name = &policy.name;
            errors.extend(check_name(name).err());
            if !names.insert(name) {
                errors.push(DocumentError::Twice { name: one_line(name) });
            }
            let no_trigger = policy.triggers.as_ref().is_some_and(Vec::is_empty).then_some("triggers");
            let empty = policy.when.empty_keys().chain(no_trigger);
            errors.extend(empty.map(|key| DocumentError::Nothing { policy: one_line(name), key }));
            let rollout = policy.candidate.iter().map(|candidate| candidate.rollout).filter(|rollout| *rollout > 100);
            errors.extend(rollout.map(|found| DocumentError::Rollout { policy: one_line(name), found }));
        }
        self.errors.extend(errors);
    }

    /// The policy `name`.
    ///
    /// # Errors
    ///
    /// The sentence that says which policies there are.
    pub fn policy(&mut self, name: &str) -> Result<&mut PolicyDocument, String> {
        let names: Vec<_> = self.policies.iter().map(|policy| format!("`{}`", policy.name)).collect();
        let found = self.policies.iter_mut().find(|policy| policy.name == name);
        found.ok_or_else(|| format!("no policy has the name `{}`, the set has {}", one_line(name), names.join(", ")))
    }

    /// A set of policies that have no document: bare components, each under a name.
    ///
    /// A name that cannot be used or is there twice stands in [`Document::errors`].
    pub fn of_components(components: impl IntoIterator<Item = (String, String)>) -> Self {
        let policies = components.into_iter().map(|(name, component)| PolicyDocument {
            name,
            component,
            sha256: None,
            settings: BTreeMap::new(),
            triggers: None,
            when: When::default(),
            mode: Mode::Enforce,
            on_fault: None,
            limits: LimitTexts::default(),
            capabilities: BTreeSet::new(),
            candidate: None,
            tests: Vec::new(),
        });
        let mut document = Self {
            schema: 1,
            set: SetHead { name: "components".to_owned(), unmatched: None },
            limits: LimitTexts::default(),
            policies: policies.collect(),
            errors: Vec::new(),
            digest: String::new(),
        };
        let names: Vec<_> = document.policies.iter().map(|policy| policy.name.as_str()).collect();
        document.digest = sha256(names.join("\n").as_bytes());
        document.check();
        document
    }
}

/// Names stand in reports and on command lines.
fn check_name(name: &str) -> Result<(), DocumentError> {
    if is_name(name) { Ok(()) } else { Err(DocumentError::Name { name: one_line(name) }) }
}

/// Whether a text can be the name of a set, a policy or a channel.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    plain && (1..=64).contains(&name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "schema = 1\n[set]\nname = 'it'\n";

    fn refused(text: &str) -> String {
        let errors = Document::parse(&format!("{SET}{text}")).map_or_else(|errors| errors, |document| document.errors);
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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
    fn everything_that_is_wrong_is_found_at_once() {
        let text = "limts = 1\n[[policy]]\nname = 'a b'\ncomponent = 'a.wasm'\ntest = 1\nwhen = { client-id = [] }\n\
                    [[policy]]\nname = 'c'\n[[policy]]\nname = 'd'\ncomponent = 4";
        let document = Document::parse(&format!("schema = 1\nset = {{ name = 'it' }}\n{text}")).unwrap();
        let texts: Vec<_> = document.errors.iter().map(ToString::to_string).collect();
        let lines: Vec<_> = texts.iter().map(|text| text.lines().next_back().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "did you mean `limits`?",
                "did you mean `tests`?",
                "missing field `component`",
                "invalid type: integer `4`, expected a string",
                "the name `a b` cannot be used: write 1 to 64 letters, digits, `-`, `_` or `.`",
                "policy `a b`: `client-id` lists nothing, so the policy would never run: fill it, or remove it",
            ]
        );
        assert_eq!(document.policies.len(), 1);
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
        let errors = Document::parse("schema = 2\n[set]\nname = 'it'\nelse = 1").unwrap_err();
        assert_eq!(errors, [DocumentError::Schema { found: 2 }]);
        let text = refused("[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\ntriggers = ['pre-signup']");
        assert!(text.contains("`pre-signup` is no trigger"), "{text}");
    }
}
