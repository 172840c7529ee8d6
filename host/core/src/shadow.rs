//! Runs the policies that only look on, once the answer is fixed, and holds against it what they make of the event.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::decide::end_of;
use crate::event::{Event, Object};
use crate::policy::Limits;
use crate::run::{Response, World};
use crate::store::{Policy, PolicySet};
use crate::trigger::{self, Conflict, Member};
use crate::{Call, Decision, Outcome, PolicyRun, Verdict, route};

/// How a policy that looks on ran.
#[derive(Debug, Clone)]
pub struct Shadow {
    /// How it ran.
    pub run: PolicyRun,
    /// What it makes of the event otherwise than the answer did: `denies` what was allowed; `allows` what was refused, whoever
    /// refused it; `faults`: it breaks, or wants what Cognito would not take; or the members of `response` that it wants to have
    /// another value. Empty: it agrees.
    pub differs: Vec<&'static str>,
}

impl Shadow {
    /// Whether it makes the same of the event.
    pub fn agrees(&self) -> bool {
        self.differs.is_empty()
    }
}

/// Runs the policies that look on at an event that was decided. Each has the limits of its own, but for the time: all together
/// have as long as a chain, since they run where the machine has nothing better to do. Nothing of what they do or break changes
/// the decision.
pub fn shadow(set: &PolicySet, call: &Call<'_>, decision: &Decision) -> Vec<Shadow> {
    let (Ok(event), Some(trigger)) = (Event::parse(call.event), decision.trigger) else { return Vec::new() };
    let policies = route::shadows(&event.header, trigger, call, set);
    let Ok(request) = trigger::lower(trigger, &event) else { return Vec::new() };
    let (raw_event, end) = (Arc::from(event.text()), end_of(set, call, Instant::now()));
    let run = |(place, policy): (usize, &Policy)| {
        let place = decision.runs.len() + place;
        let limits = &Limits { deadline: set.chain_deadline, ..policy.limits.clone() };
        let world =
            World { limits, end, settings: &policy.settings, raw_event: &raw_event, chance: call.chance, place };
        let (run, response) = PolicyRun::of(policy, None, policy.prepared.decide(&request, &world), call);
        let differs = differs(&event, decision, &run.verdict, response);
        Shadow { run, differs }
    };
    policies.into_iter().enumerate().map(run).collect()
}

fn differs(event: &Event<'_>, decision: &Decision, verdict: &Verdict, response: Option<Response>) -> Vec<&'static str> {
    let allowed = matches!(decision.outcome, Outcome::Allow | Outcome::Unmatched);
    match (verdict, response) {
        (Verdict::Deny { .. }, _) if !allowed => Vec::new(),
        (Verdict::Deny { .. }, _) => vec!["denies"],
        (_, Some(_)) if !allowed => vec!["allows"],
        (_, Some(response)) => changed(event, decision.answer.as_ref(), response),
        _ => vec!["faults"],
    }
}

/// The members that it wants to have another value than the answer, or where that does not set them, the event.
fn changed(event: &Event<'_>, answer: Option<&Response>, response: Response) -> Vec<&'static str> {
    let before = answer.map(trigger::members).unwrap_or_default();
    let of_event = event.response.and_then(|json| Object::parse(json, "`response`").ok());
    let value = |json: &str| serde_json::from_str::<Value>(json).ok();
    let stays = |member: &Member| {
        let set = before.iter().find(|it| it.name == member.name).map(|it| &*it.json);
        let json = set.or_else(|| of_event.as_ref()?.get(member.name));
        json.and_then(value) == value(&member.json)
    };
    let merged = match answer {
        None => Ok(response),
        Some(answer) => trigger::merge(answer.clone(), response),
    };
    match merged {
        Err(Conflict(member)) => vec![member],
        Ok(merged) if trigger::check(event, &merged).refused.is_some() => vec!["faults"],
        Ok(merged) => {
            let after = trigger::members(&merged).into_iter();
            after.filter(|member| !stays(member)).map(|member| member.name).collect()
        }
    }
}
