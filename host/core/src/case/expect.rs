//! Says what is expected of a decision.

use serde::Deserialize;

use super::json::Json;
use crate::policy::SIZE;

/// What is expected. What is not named is not looked at, but for a fault, which is never passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// `allow`, `deny`, `fault` or `event-refused`.
    pub decision: Option<String>,
    /// The `errorMessage` of the refusal.
    pub message: Option<String>,
    /// The reason of the denial.
    pub reason: Option<String>,
    /// Members that `response` has, among others.
    pub response: Option<Json>,
    /// All of `response`.
    pub exact_response: Option<Json>,
    /// The reply, byte for byte: the event, or the function error.
    pub reply: Option<String>,
    /// A file with the reply, byte for byte.
    pub reply_file: Option<String>,
    /// The codes of the warnings, in order.
    pub warnings: Option<Vec<String>>,
    /// The kind of the first fault, such as `fuel`; `unmatched` where no policy ran.
    pub fault: Option<String>,
    /// The policies that ran, in order.
    pub ran: Option<Vec<String>>,
    /// Texts, each of which some line of the log has.
    pub log: Option<Vec<String>>,
    /// The most fuel that the policies use together.
    pub max_fuel: Option<u64>,
    /// The most memory that any of the policies uses, in bytes.
    #[serde(default, deserialize_with = "size")]
    pub max_memory: Option<u64>,
    /// What no policy that ran may import: names, with or without version, in which `*` stands for any text.
    #[serde(default, deserialize_with = "patterns")]
    pub forbidden_imports: Option<Vec<glob::Pattern>>,
    /// What `reply_file` holds.
    #[serde(skip)]
    pub(super) reply_bytes: Option<Vec<u8>>,
}

impl Expect {
    /// The decisions that can be expected.
    pub(super) const DECISIONS: [&str; 4] = ["allow", "deny", "fault", "event-refused"];

    /// This over `below`: what is not named here is as there.
    pub(super) fn over(self, below: &Self) -> Self {
        let below = below.clone();
        Self {
            decision: self.decision.or(below.decision),
            message: self.message.or(below.message),
            reason: self.reason.or(below.reason),
            response: self.response.or(below.response),
            exact_response: self.exact_response.or(below.exact_response),
            reply: self.reply.or(below.reply),
            reply_file: self.reply_file.or(below.reply_file),
            warnings: self.warnings.or(below.warnings),
            fault: self.fault.or(below.fault),
            ran: self.ran.or(below.ran),
            log: self.log.or(below.log),
            max_fuel: self.max_fuel.or(below.max_fuel),
            max_memory: self.max_memory.or(below.max_memory),
            forbidden_imports: self.forbidden_imports.or(below.forbidden_imports),
            reply_bytes: None,
        }
    }
}

fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    SIZE.read(&written)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("`{written}` is no size: write {}", SIZE.example)))
}

fn patterns<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<glob::Pattern>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let pattern = |text: &String| {
        let text = text.to_owned();
        glob::Pattern::new(&text).map_err(|error| serde::de::Error::custom(format!("`{text}` is no pattern: {error}")))
    };
    texts.iter().map(pattern).collect::<Result<_, _>>().map(Some)
}
