//! Is how one policy ran and what it said.

use crate::Call;
use crate::redact::{PolicyText, Redactor};
use crate::run::{Denial, Fault, Logs, Ran, Response, Usage};
use crate::store::{Policy, Side};
use crate::trigger::{self, Member};

/// How one policy ran.
#[derive(Debug, Clone)]
pub struct PolicyRun {
    /// Its name.
    pub policy: String,
    /// The digest of its component.
    pub digest: String,
    /// Whether it was the policy itself or its candidate. None: it has no candidate.
    pub side: Option<Side>,
    /// What it said.
    pub verdict: Verdict,
    /// What it used.
    pub usage: Usage,
    /// What it logged.
    pub logs: Logs,
    /// What of its texts is its own.
    pub(crate) text: PolicyText,
}

/// What a policy said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Go on, with these members set.
    Allow(Vec<Member>),
    /// No.
    Deny {
        /// The sentence for the user.
        message: String,
        /// Why, for the operator.
        reason: Option<String>,
    },
    /// Nothing: it broke.
    Fault(Fault),
}

impl Verdict {
    /// What the user is told; empty where it is no denial, or one without words.
    pub fn message(&self) -> &str {
        match self {
            Self::Deny { message, .. } => message,
            _ => "",
        }
    }

    /// Why it refuses, in its words for the operator.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Deny { reason, .. } => reason.as_deref(),
            _ => None,
        }
    }

    /// The verdict in a word, for records and metrics: `allow`, `deny` or `fault`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Deny { .. } => "deny",
            Self::Fault(_) => "fault",
        }
    }
}

impl PolicyRun {
    /// How a policy ran, and what it wants. Its denial loses the values of secret settings and of the event's secret members here, as
    /// its log did line by line.
    pub(crate) fn of(
        policy: &Policy,
        side: Option<Side>,
        ran: Ran<Result<Response, Denial>>,
        call: &Call<'_>,
    ) -> (Self, Option<Response>) {
        let of_policy = policy.settings.secrets();
        let (own, event) =
            (policy.prepared.text_with(&policy.settings), std::str::from_utf8(call.event).unwrap_or_default());
        let (verdict, response) = match ran.result {
            Ok(Ok(response)) => {
                let shown = |it: Member| Member { json: of_policy.mask(&it.json), ..it };
                (Verdict::Allow(trigger::members(&response).into_iter().map(shown).collect()), Some(response))
            }
            Ok(Err(denial)) => {
                let message =
                    Redactor::long_secrets_of(event).and(of_policy).mask_policy_text(&denial.message, &own.open());
                // Where nothing is left of it, the user gets the neutral sentence.
                let message = if message.trim_matches(['*', ' ']).is_empty() { String::new() } else { message };
                let reason = denial
                    .reason
                    .map(|reason| Redactor::secrets_of(event).and(of_policy).mask_policy_text(&reason, &own.open()));
                (Verdict::Deny { message, reason }, None)
            }
            Err(fault) => (Verdict::Fault(fault), None),
        };
        let (policy, digest) = (policy.name.clone(), policy.digest.clone());
        (Self { policy, digest, side, verdict, usage: ran.usage, logs: ran.logs, text: own }, response)
    }
}
