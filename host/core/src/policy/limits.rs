//! Holds the limits of a policy's run: defaults, a set's and a policy's own, and the host's caps.

use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// What one run of a policy may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Units of WebAssembly work, instantiation included. 10 million are about 9 ms.
    pub fuel: u64,
    /// Wall time.
    pub deadline: Duration,
    /// Bytes of all linear memories together, and 8 bytes for each element of a table.
    pub memory: u64,
    /// Bytes of the verdict, and of each call to the host.
    pub output: u64,
    /// Lines of log; further ones are counted and dropped.
    pub log_lines: u64,
    /// Bytes of log; what is beyond them is cut.
    pub log_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 10_000_000,
            deadline: Duration::from_millis(100),
            memory: 16 << 20,
            output: 256 << 10,
            log_lines: 1_000,
            log_bytes: 64 << 10,
        }
    }
}

impl Limits {
    /// The wall time of a whole chain, unless the set says otherwise.
    pub const CHAIN_DEADLINE: Duration = Duration::from_secs(2);
}

/// What a host allows a set to ask for: `COGWIT_MAX_FUEL` and its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// The largest value of each limit.
    pub limits: Limits,
    /// The largest `chain-deadline`.
    pub chain_deadline: Duration,
}

impl Default for Caps {
    /// Room for a policy in an interpreted language, and for a key derivation; Cognito waits 5 s in all.
    fn default() -> Self {
        Self {
            limits: Limits {
                fuel: 5_000_000_000,
                deadline: Duration::from_secs(4),
                memory: 256 << 20,
                output: 6 << 20,
                log_lines: 10_000,
                log_bytes: 1 << 20,
            },
            chain_deadline: Duration::from_millis(4_500),
        }
    }
}

/// Limits as a document writes them: `[limits]` of the set, and `limits = { … }` of a policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitTexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_deadline: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_lines: Option<toml::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_bytes: Option<toml::Value>,
}

/// Why a limit was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The text cannot be read.
    #[error("limit `{key}` is `{value}`: write {example}")]
    Unreadable {
        /// The limit.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        example: &'static str,
    },
    /// More than the host allows.
    #[error("limit `{key}` is `{value}`, but this host allows `{cap}` at most: lower it, or raise {variable}")]
    AboveCap {
        /// The limit.
        key: &'static str,
        /// What was asked for.
        value: String,
        /// The host's cap.
        cap: String,
        /// The variable that sets the cap.
        variable: &'static str,
    },
    /// `chain-deadline` stands at a policy.
    #[error("limit `chain-deadline` is the whole set's: move it to `[limits]`")]
    ChainDeadlineOfPolicy,
}

impl LimitTexts {
    /// Lays these limits over `base`.
    ///
    /// # Errors
    ///
    /// Every limit that cannot be read or is above its cap.
    pub fn over(&self, base: &Limits, caps: &Caps) -> Result<Limits, Vec<LimitError>> {
        let mut errors = Vec::new();
        let cap = &caps.limits;
        let limits = Limits {
            fuel: read(FUEL, "fuel", "COGWIT_MAX_FUEL", &self.fuel, base.fuel, cap.fuel, &mut errors),
            deadline: read(
                TIME,
                "deadline",
                "COGWIT_MAX_DEADLINE",
                &self.deadline,
                base.deadline,
                cap.deadline,
                &mut errors,
            ),
            memory: read(SIZE, "memory", "COGWIT_MAX_MEMORY", &self.memory, base.memory, cap.memory, &mut errors),
            output: read(SIZE, "output", "COGWIT_MAX_OUTPUT", &self.output, base.output, cap.output, &mut errors),
            log_lines: read(
                LINES,
                "log-lines",
                "COGWIT_MAX_LOG_LINES",
                &self.log_lines,
                base.log_lines,
                cap.log_lines,
                &mut errors,
            ),
            log_bytes: read(
                SIZE,
                "log-bytes",
                "COGWIT_MAX_LOG_BYTES",
                &self.log_bytes,
                base.log_bytes,
                cap.log_bytes,
                &mut errors,
            ),
        };
        if errors.is_empty() { Ok(limits) } else { Err(errors) }
    }

    /// The set's wall time for a whole chain.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is above its cap.
    pub fn chain_deadline(&self, caps: &Caps) -> Result<Duration, LimitError> {
        let mut errors = Vec::new();
        let base = Limits::CHAIN_DEADLINE.min(caps.chain_deadline);
        let deadline = read(
            TIME,
            "chain-deadline",
            "COGWIT_MAX_CHAIN_DEADLINE",
            &self.chain_deadline,
            base,
            caps.chain_deadline,
            &mut errors,
        );
        errors.pop().map_or(Ok(deadline), Err)
    }

    /// Refuses what only a set may say.
    ///
    /// # Errors
    ///
    /// [`LimitError::ChainDeadlineOfPolicy`]
    pub fn of_policy(&self) -> Result<(), LimitError> {
        self.chain_deadline.as_ref().map_or(Ok(()), |_| Err(LimitError::ChainDeadlineOfPolicy))
    }
}

/// How one kind of limit is read and written.
pub(crate) struct Unit<T: 'static> {
    /// The least that makes sense.
    pub(crate) least: T,
    pub(crate) parse: fn(&str) -> Option<T>,
    pub(crate) show: fn(&T) -> String,
    pub(crate) example: &'static str,
}

impl<T: PartialOrd> Unit<T> {
    /// The value of a text; none where it cannot be read or is less than makes sense.
    pub(crate) fn read(&self, text: &str) -> Option<T> {
        (self.parse)(text).filter(|value| *value >= self.least)
    }
}

pub(crate) const FUEL: &Unit<u64> = &Unit { least: 1, ..COUNT };
pub(crate) const LINES: &Unit<u64> = &COUNT;
const COUNT: Unit<u64> = Unit {
    least: 0,
    parse: |text| text.replace('_', "").parse().ok(),
    show: u64::to_string,
    example: "a number such as `10_000_000`",
};
pub(crate) const SIZE: &Unit<u64> = &Unit {
    least: 1,
    parse: |text| ByteSize::from_str(text).ok().map(|size| size.as_u64()),
    show: |bytes| ByteSize::b(*bytes).to_string(),
    example: "a size such as `16 MiB`",
};
/// No time is longer, so that whoever adds one to a moment of this age has a moment too.
const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);
pub(crate) const TIME: &Unit<Duration> = &Unit {
    least: Duration::from_millis(1),
    parse: |text| humantime::parse_duration(text).ok().filter(|time| *time <= LONGEST),
    show: |time| humantime::format_duration(*time).to_string(),
    example: "a time such as `100 ms`",
};

fn read<T: Copy + PartialOrd>(
    unit: &Unit<T>,
    key: &'static str,
    variable: &'static str,
    text: &Option<toml::Value>,
    base: T,
    cap: T,
    errors: &mut Vec<LimitError>,
) -> T {
    let Some(value) = text else { return if base > cap { cap } else { base } };
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match unit.read(&written) {
        None => errors.push(LimitError::Unreadable { key, value: written, example: unit.example }),
        Some(asked) if asked > cap => {
            errors.push(LimitError::AboveCap { key, value: (unit.show)(&asked), cap: (unit.show)(&cap), variable });
        }
        Some(asked) => return asked,
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(text: &str) -> Result<Limits, Vec<LimitError>> {
        toml::from_str::<LimitTexts>(text).unwrap().over(&Limits::default(), &Caps::default())
    }

    #[test]
    fn each_limit_is_laid_over_its_default() {
        let text = "fuel = 7\ndeadline = '20 ms'\nmemory = '1 MiB'\noutput = 2048\nlog-lines = 3\nlog-bytes = '1 KiB'";
        let expected = Limits {
            fuel: 7,
            deadline: Duration::from_millis(20),
            memory: 1 << 20,
            output: 2048,
            log_lines: 3,
            log_bytes: 1024,
        };
        assert_eq!(over(text), Ok(expected));
        assert_eq!(over(""), Ok(Limits::default()));
    }

    #[test]
    fn what_cannot_be_read_is_named_all_at_once() {
        assert_eq!(over("fuel = 0\ndeadline = 0\nmemory = 0\noutput = 0").unwrap_err().len(), 4);
        assert_eq!(over("log-lines = 0").unwrap().log_lines, 0);
        assert_eq!(TIME.read("100years"), Some(LONGEST));
        assert_eq!(TIME.read("100years 1ms"), None);
        let errors = over("fuel = -1\ndeadline = 5\nmemory = 'lots'").unwrap_err();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "limit `fuel` is `-1`: write a number such as `10_000_000`",
                "limit `deadline` is `5`: write a time such as `100 ms`",
                "limit `memory` is `lots`: write a size such as `16 MiB`",
            ]
        );
    }

    #[test]
    fn the_hosts_caps_hold() {
        let error = over("memory = '1 GiB'").unwrap_err().remove(0);
        assert_eq!(
            error.to_string(),
            "limit `memory` is `1.0 GiB`, but this host allows `256.0 MiB` at most: lower it, or raise COGWIT_MAX_MEMORY"
        );
        let caps = Caps { limits: Limits { fuel: 5, ..Caps::default().limits }, ..Caps::default() };
        assert_eq!(LimitTexts::default().over(&Limits::default(), &caps).unwrap().fuel, 5);
    }
}
