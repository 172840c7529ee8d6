//! Reads what stands in for a policy's component for a part of its users, and lets it answer more of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Document, Mode, SettingValue};
use crate::text::one_line;

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

impl Document {
    /// Lets the candidate of a policy answer `rollout` of a hundred users.
    ///
    /// # Errors
    ///
    /// The sentence that says why not: there is no such policy, or it has no candidate, or `rollout` is more than 100.
    pub fn roll_out(&mut self, policy: &str, rollout: u8) -> Result<(), String> {
        let policy = self.policy(policy)?;
        let candidate = policy.candidate.as_mut().ok_or_else(|| {
            format!(
                "the policy `{}` has no candidate: give it one in the policies.toml, and publish that",
                one_line(&policy.name)
            )
        })?;
        if rollout > 100 {
            return Err(format!("{rollout} of a hundred users is no rollout: write 0 to 100"));
        }
        candidate.rollout = rollout;
        Ok(())
    }

    /// Lets the candidate of a policy take its place, or a policy that only looks on answer.
    ///
    /// # Errors
    ///
    /// The sentence that says why not: there is no such policy, or it answers by itself already.
    pub fn promote(&mut self, policy: &str) -> Result<(), String> {
        let policy = self.policy(policy)?;
        match (policy.of_candidate(), policy.mode) {
            (Some(candidate), _) => *policy = candidate,
            (None, Mode::Shadow) => policy.mode = Mode::Enforce,
            (None, Mode::Enforce) => {
                return Err(format!(
                    "the policy `{}` has no candidate, and it answers already: there is nothing to promote",
                    one_line(&policy.name)
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(lines: &str) -> Document {
        let text = format!("schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\n{lines}");
        Document::parse(&text).unwrap()
    }

    const CANDIDATE: &str = "settings = { x = 1, y = 2 }\nsha256 = 'aa'\n[policy.candidate]\ncomponent = 'b.wasm'\n\
                             sha256 = 'bb'\nrollout = 10\n";

    #[test]
    fn a_rollout_changes_nothing_else() {
        let mut document = set(CANDIDATE);
        document.roll_out("a", 25).unwrap();
        assert_eq!(document.policies, set(&CANDIDATE.replace("10", "25")).policies);
        for (text, policy, rollout, reason) in [
            (CANDIDATE, "b", 25, "no policy has the name `b`, the set has `a`"),
            (CANDIDATE, "a", 101, "101 of a hundred users is no rollout: write 0 to 100"),
            ("", "a", 25, "the policy `a` has no candidate: give it one in the policies.toml, and publish that"),
        ] {
            let mut document = set(text);
            assert_eq!(document.roll_out(policy, rollout).unwrap_err(), reason);
            assert_eq!(document.policies, set(text).policies);
        }
    }

    #[test]
    fn a_candidate_takes_the_place_of_its_policy() {
        let promoted = |text: &str| {
            let mut document = set(text);
            document.promote("a").map(|()| document.policies)
        };
        let place = |settings: &str| {
            let mut policies = set(&format!("sha256 = 'bb'\nsettings = {settings}\n")).policies;
            policies[0].component = "b.wasm".to_owned();
            policies
        };
        assert_eq!(promoted(CANDIDATE).unwrap(), place("{ x = 1, y = 2 }"));
        assert_eq!(promoted(&format!("{CANDIDATE}settings = {{ x = 3 }}\n")).unwrap(), place("{ x = 3 }"));
        assert_eq!(promoted("mode = 'shadow'").unwrap(), set("").policies);
        assert_eq!(
            promoted("").unwrap_err(),
            "the policy `a` has no candidate, and it answers already: there is nothing to promote"
        );
    }
}
