//! Resolves a policy's settings, and keeps the secret ones out of what is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::redact::Redactor;

/// A setting as a document writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum SettingValue {
    /// A value. What was no string is its text, and an array is its items between commas.
    Text(String),
    /// The name of an environment variable of the serving host.
    Env(String),
}

/// The prefix of every environment variable that a setting may refer to.
pub(crate) const SECRET_PREFIX: &str = "COGWIT_SECRET_";

impl TryFrom<toml::Value> for SettingValue {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(text) => Ok(Self::Text(text)),
            toml::Value::Table(table) => match (table.len(), table.get("env")) {
                (1, Some(toml::Value::String(name))) if name.starts_with(SECRET_PREFIX) => Ok(Self::Env(name.clone())),
                (1, Some(toml::Value::String(name))) => {
                    Err(format!("`{name}` does not begin with `{SECRET_PREFIX}`: rename the variable"))
                }
                _ => Err("a setting is a string, a number, a boolean, an array or `{ env = \"COGWIT_SECRET_…\" }`"
                    .to_owned()),
            },
            // As a policy reads a list.
            toml::Value::Array(items) => {
                let texts = items.into_iter().map(|item| match Self::try_from(item)? {
                    Self::Text(text) if !text.contains(',') => Ok(text),
                    _ => {
                        Err("an array holds plain values without commas, since a policy reads it as a list".to_owned())
                    }
                });
                Ok(Self::Text(texts.collect::<Result<Vec<_>, String>>()?.join(",")))
            }
            other => Ok(Self::Text(other.to_string())),
        }
    }
}

impl Serialize for SettingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Env(name) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("env", name)?;
                map.end()
            }
        }
    }
}

/// Why a setting has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// The variable is not set, or empty.
    #[error(
        "setting `{key}` refers to the environment variable `{variable}`, which is not set: set it where this host runs"
    )]
    NotSet {
        /// The setting.
        key: String,
        /// The variable.
        variable: String,
    },
}

/// What takes the values of secret settings out of texts.
pub(super) fn redactor(secrets: &[String]) -> Redactor {
    // A policy may take a list apart, so its longer entries are secret by themselves.
    let texts = secrets.iter().flat_map(|secret| {
        let entries = secret.split(',').map(str::trim).filter(|entry| entry.chars().count() >= 4);
        entries.chain([secret.as_str()])
    });
    Redactor::configured(texts)
}

/// The settings of a policy, with every value at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, String>,
    secrets: Redactor,
    /// The keys of secret settings.
    secret: BTreeSet<String>,
}

impl Settings {
    /// Resolves what refers to the environment through `env`.
    ///
    /// # Errors
    ///
    /// Every setting whose variable is not set.
    pub fn resolve(
        written: &BTreeMap<String, SettingValue>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<SettingError>> {
        let mut settings = Self::default();
        let (mut secrets, mut errors) = (Vec::new(), Vec::new());
        for (key, value) in written {
            let value = match value {
                SettingValue::Text(text) => text.clone(),
                SettingValue::Env(variable) => match env(variable).filter(|value| !value.is_empty()) {
                    Some(secret) => {
                        secrets.push(secret.clone());
                        settings.secret.insert(key.clone());
                        secret
                    }
                    None => {
                        errors.push(SettingError::NotSet { key: key.clone(), variable: variable.clone() });
                        continue;
                    }
                },
            };
            settings.values.insert(key.clone(), value);
        }
        settings.secrets = redactor(&secrets);
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Every setting, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The values of settings that are not secret.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(key, _)| !self.secret.contains(*key)).map(|(_, value)| value)
    }

    /// The values of secret settings.
    pub(crate) fn secrets(&self) -> &Redactor {
        &self.secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> BTreeMap<String, SettingValue> {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_is_no_string_becomes_its_text() {
        let settings =
            Settings::resolve(&written("a = 5\nb = true\nc = 'x'\nd = ['y', 'z']\ne = 1.5"), |_| None).unwrap();
        let expected = [("a", "5"), ("b", "true"), ("c", "x"), ("d", "y,z"), ("e", "1.5")];
        assert_eq!(settings.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_secret_comes_from_the_environment_and_is_masked() {
        let written = written("code = { env = 'COGWIT_SECRET_CODE' }");
        let settings = Settings::resolve(&written, |_| Some("hush".to_owned())).unwrap();
        assert_eq!(settings.get("code"), Some("hush"));
        assert_eq!(settings.secrets().mask("the code is hush, hush"), "the code is ***, ***");
        let list = Settings::resolve(&written, |_| Some("app-1, app-2".to_owned())).unwrap();
        assert_eq!(list.secrets().mask("app-2 of app-1, app-2"), "*** of ***");
        let error = Settings::resolve(&written, |_| None).unwrap_err().remove(0);
        assert!(error.to_string().contains("`COGWIT_SECRET_CODE`, which is not set"));
    }

    #[test]
    fn only_variables_with_the_prefix_can_be_referred_to() {
        let error = toml::from_str::<BTreeMap<String, SettingValue>>("a = { env = 'HOME' }").unwrap_err();
        assert!(error.to_string().contains("`HOME` does not begin with `COGWIT_SECRET_`"), "{error}");
        for wrong in ["a = { file = 'x' }", "a = ['b,c']", "a = [{ env = 'COGWIT_SECRET_X' }]"] {
            assert!(toml::from_str::<BTreeMap<String, SettingValue>>(wrong).is_err(), "{wrong}");
        }
    }
}
