//! Reads what stands in for a policy's component for a part of its users.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SettingValue;

/// The `candidate` of a policy: another component, for some of its users. Exactly one of both answers each event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateDocument {
    /// The component's file, relative to the document.
    pub component: String,
    /// The component's digest, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its settings. Default: those of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<BTreeMap<String, SettingValue>>,
    /// Of a hundred users, how many it answers: 0 to 100.
    pub rollout: u8,
}
