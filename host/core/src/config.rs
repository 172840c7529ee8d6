//! Is the one table of the `COGWIT_*` variables that a host reads, with their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::event::Trigger;
use crate::policy::{Caps, FUEL, LINES, SECRET_PREFIX, SIZE, TIME, Unit, is_name};
use crate::reading::nearest;
use crate::record::Masking;
use crate::release::Following;

/// One variable of the table.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets.
    pub meaning: &'static str,
    /// An example, for messages.
    example: &'static str,
    read: fn(&mut Config, &str) -> Option<()>,
    show: fn(&Config) -> String,
}

/// How a host is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The trigger of events that do not name their source.
    pub trigger: Option<Trigger>,
    /// Where a host finds its policy set.
    pub policies: Option<String>,
    /// How a channel is followed.
    pub following: Following,
    /// Where the last good release of a channel is kept.
    pub cache: Cache,
    /// Where a publisher keeps the newest payload of each channel that it saw.
    pub state: Cache,
    /// What a policy set may ask for.
    pub caps: Caps,
    /// What records show of persons.
    pub masking: Masking,
    /// What callers of the standalone server have to show.
    pub token: Option<String>,
    /// The key by which users are parted between a policy and its candidate.
    pub rollout_key: Option<String>,
}

/// Where something is kept on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cache {
    /// Where this kind of host keeps such.
    #[default]
    Usual,
    /// In this folder.
    In(PathBuf),
    /// Nowhere.
    Off,
}

impl Cache {
    /// The folder, where `usual` is the usual one.
    pub fn folder(&self, usual: Option<PathBuf>) -> Option<PathBuf> {
        match self {
            Self::Usual => usual,
            Self::In(folder) => Some(folder.clone()),
            Self::Off => None,
        }
    }
}

/// A variable that a host cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Its value cannot be read.
    #[error("{name} is `{value}`: write {example}")]
    Unreadable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What may stand there.
        example: &'static str,
    },
    /// No variable has this name.
    #[error("{name} is not known{hint} `cogwit help config` lists them")]
    Unknown {
        /// The variable.
        name: String,
        /// The nearest known name, for the text.
        hint: String,
    },
}

/// A variable with a unit.
macro_rules! measure {
    ($name:literal, $meaning:literal, $unit:ident, $($field:ident).+) => {
        Variable {
            name: $name,
            meaning: $meaning,
            example: $unit.example,
            read: |config, text| set(&mut config.$($field).+, $unit, text),
            show: |config| ($unit.show)(&config.$($field).+),
        }
    };
}

fn set<T: PartialOrd>(field: &mut T, unit: &Unit<T>, text: &str) -> Option<()> {
    *field = unit.read(text)?;
    Some(())
}

/// A variable with two words.
macro_rules! switch {
    ($name:literal, $meaning:literal, $on:literal, $off:literal, $($field:ident).+) => {
        Variable {
            name: $name,
            meaning: $meaning,
            example: concat!("`", $on, "` or `", $off, "`"),
            read: |config, text| {
                config.$($field).+ = match text {
                    $on => true,
                    $off => false,
                    _ => return None,
                };
                Some(())
            },
            show: |config| if config.$($field).+ { $on } else { $off }.to_owned(),
        }
    };
}

/// A variable with a folder.
macro_rules! folder {
    ($name:literal, $meaning:literal, $field:ident) => {
        Variable {
            name: $name,
            meaning: $meaning,
            example: "a folder's absolute path, or `off`",
            read: |config, text| {
                config.$field = match text {
                    "off" => Cache::Off,
                    "usual" => Cache::Usual,
                    folder if folder.starts_with('/') => Cache::In(PathBuf::from(folder)),
                    _ => return None,
                };
                Some(())
            },
            show: |config| match &config.$field {
                Cache::Usual => "usual".to_owned(),
                Cache::In(folder) => folder.display().to_string(),
                Cache::Off => "off".to_owned(),
            },
        }
    };
}

/// Every variable that a host reads, beside those that settings refer to (`COGWIT_SECRET_*`).
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "COGWIT_TRIGGER",
        meaning: "the trigger of events that have no triggerSource",
        example: "a trigger such as `pre-sign-up`",
        read: |config, text| {
            config.trigger = Some(text.parse().ok()?);
            Some(())
        },
        show: |config| config.trigger.map_or_else(|| "none".to_owned(), |trigger| trigger.to_string()),
    },
    Variable {
        name: "COGWIT_POLICIES",
        meaning: "the policy set of a host; by default what it brings",
        example: "a folder with a policies.toml, or a channel such as s3://bucket/prefix#prod",
        read: |config, text| {
            config.policies = Some(text.to_owned()).filter(|source| !source.is_empty());
            Some(())
        },
        show: |config| config.policies.clone().unwrap_or_else(|| "policies".to_owned()),
    },
    Variable {
        name: "COGWIT_TRUSTED_KEYS",
        meaning: "the public keys that may sign a channel, between commas",
        example: "lines such as `RWQ…`, the second of a .pub file, with commas between",
        read: |config, text| {
            let keys = text.split([',', ' ', '\n']).filter(|key| !key.is_empty());
            config.following.trust.keys = keys.map(str::parse).collect::<Result<_, _>>().ok()?;
            Some(())
        },
        show: |config| {
            let keys: Vec<_> = config.following.trust.keys.iter().map(|key| key.text.as_str()).collect();
            keys.join(",")
        },
    },
    switch!("COGWIT_ALLOW_UNSIGNED", "`on` follows channels that nobody signed", "on", "off", following.trust.unsigned),
    Variable {
        name: "COGWIT_SET",
        meaning: "the set that the channel has to be of; else the first seen",
        example: "a name such as `acme-login`",
        read: |config, text| {
            config.following.set = Some(text.to_owned()).filter(|set| !set.is_empty());
            (text.is_empty() || is_name(text)).then_some(())
        },
        show: |config| config.following.set.clone().unwrap_or_default(),
    },
    measure!("COGWIT_REFRESH", "how often the store is asked for the channel", TIME, following.interval),
    measure!("COGWIT_FETCH_BUDGET", "how long one refresh may take", TIME, following.budget),
    measure!("COGWIT_MAX_STALENESS", "how long a set may go unconfirmed by the store", TIME, following.max_staleness),
    Variable {
        name: "COGWIT_MIN_SEQUENCE",
        meaning: "a channel below this sequence is not followed",
        example: "a number such as `41`",
        read: |config, text| {
            config.following.min_sequence = text.parse().ok()?;
            Some(())
        },
        show: |config| config.following.min_sequence.to_string(),
    },
    switch!(
        "COGWIT_FALLBACK",
        "`deny` refuses while the store does not confirm the set",
        "deny",
        "serve",
        following.deny_fallback
    ),
    switch!(
        "COGWIT_AUTO_REVERT",
        "`on` goes back by itself where a set breaks too often",
        "on",
        "off",
        following.auto_revert
    ),
    switch!("COGWIT_ON_EXPIRED", "`deny` refuses once the channel is expired", "deny", "serve", following.deny_expired),
    folder!("COGWIT_CACHE", "the folder that keeps the last good release, or `off`", cache),
    folder!("COGWIT_STATE", "the folder where publishers keep what they saw, or `off`", state),
    switch!("COGWIT_MASK", "`off` leaves what tells of persons in logs, but no secret", "on", "off", masking.personal),
    Variable {
        name: "COGWIT_MASK_KEY",
        meaning: "the key under which records name users; else they do not",
        example: "a secret text",
        read: |config, text| {
            config.masking.key = Some(text.to_owned()).filter(|key| !key.is_empty());
            Some(())
        },
        show: |config| if config.masking.key.is_some() { "***" } else { "none" }.to_owned(),
    },
    Variable {
        name: "COGWIT_ROLLOUT_KEY",
        meaning: "the key that parts users between policies and candidates",
        example: "a secret text, the same for every host",
        read: |config, text| {
            config.rollout_key = Some(text.to_owned()).filter(|key| !key.is_empty());
            Some(())
        },
        show: |config| if config.rollout_key.is_some() { "***" } else { "none" }.to_owned(),
    },
    Variable {
        name: "COGWIT_SERVE_TOKEN",
        meaning: "what callers of `cogwit serve` show; needed off loopback",
        example: "a secret text",
        read: |config, text| {
            config.token = Some(text.to_owned()).filter(|token| !token.is_empty());
            Some(())
        },
        show: |config| if config.token.is_some() { "***" } else { "none" }.to_owned(),
    },
    measure!("COGWIT_MAX_FUEL", "the most `fuel` that a policy may ask for", FUEL, caps.limits.fuel),
    measure!("COGWIT_MAX_DEADLINE", "the longest `deadline` that a policy may ask for", TIME, caps.limits.deadline),
    measure!(
        "COGWIT_MAX_CHAIN_DEADLINE",
        "the longest `chain-deadline` that a set may ask for",
        TIME,
        caps.chain_deadline
    ),
    measure!("COGWIT_MAX_MEMORY", "the most `memory` that a policy may ask for", SIZE, caps.limits.memory),
    measure!("COGWIT_MAX_OUTPUT", "the most `output` that a policy may ask for", SIZE, caps.limits.output),
    measure!("COGWIT_MAX_LOG_LINES", "the most `log-lines` that a policy may ask for", LINES, caps.limits.log_lines),
    measure!("COGWIT_MAX_LOG_BYTES", "the most `log-bytes` that a policy may ask for", SIZE, caps.limits.log_bytes),
];

impl Config {
    /// Reads the variables of this process. Of one that is not UTF-8, what cannot be read is replaced.
    ///
    /// # Errors
    ///
    /// As [`Config::from_env`].
    pub fn of_process() -> Result<Self, Vec<ConfigError>> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self::from_env(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// Reads the variables of an environment; those of other programs are passed over.
    ///
    /// # Errors
    ///
    /// Every variable that begins with `COGWIT_` and cannot be read or is not known.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<ConfigError>> {
        let mut config = Self::default();
        let mut errors = Vec::new();
        let ours: BTreeMap<_, _> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with("COGWIT_") && !name.starts_with(SECRET_PREFIX))
            .collect();
        for (name, value) in ours {
            match VARIABLES.iter().find(|variable| variable.name == name) {
                Some(variable) if (variable.read)(&mut config, &value).is_none() => {
                    errors.push(ConfigError::Unreadable { name: variable.name, value, example: variable.example });
                }
                Some(_) => {}
                None => {
                    let known = nearest(&name, VARIABLES.iter().map(|variable| variable.name));
                    let hint = known.map(|known| format!("; did you mean {known}?")).unwrap_or_else(|| ":".to_owned());
                    errors.push(ConfigError::Unknown { name, hint });
                }
            }
        }
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    /// Each variable, its value in force, and what it means.
    pub fn table(&self) -> impl Iterator<Item = (&'static str, String, &'static str)> {
        VARIABLES.iter().map(|variable| (variable.name, (variable.show)(self), variable.meaning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
        Config::from_env(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let errors = from(&[
            ("COGWIT_MAX_MEMROY", "1 MiB"),
            ("COGWIT_MAX_FUEL", "lots"),
            ("COGWIT_SECRET_CODE", "hush"),
            ("HOME", "/root"),
        ])
        .unwrap_err();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "COGWIT_MAX_FUEL is `lots`: write a number such as `10_000_000`",
                "COGWIT_MAX_MEMROY is not known; did you mean COGWIT_MAX_MEMORY? `cogwit help config` lists them",
            ]
        );
    }

    #[test]
    fn every_variable_reads_what_it_shows() {
        let config = from(&[
            ("COGWIT_TRIGGER", "pre-authentication"),
            ("COGWIT_MAX_DEADLINE", "1500ms"),
            ("COGWIT_MASK", "off"),
        ]);
        let config = config.unwrap();
        let shown: Vec<_> = config.table().map(|(name, value, _)| (name.to_owned(), value)).collect();
        let read = Config::from_env(shown).unwrap();
        let masking = Masking { key: read.masking.key.clone().filter(|key| key != "none"), ..read.masking };
        assert_eq!(Config { masking, policies: None, token: None, rollout_key: None, ..read }, config);
    }
}
