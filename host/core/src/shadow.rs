//! Runs the policies that only look on, once the answer is fixed, and holds against it what they make of the event.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::decide::end_of;
use crate::event::{Event, Object};
use crate::policy::Limits;
use crate::redact::Redactor;
use crate::run::{Fault, Response, World};
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
    let memory = policies.iter().map(|policy| policy.limits.memory).min();
    let Ok(lowering) = event.check_size(memory) else { return Vec::new() };
    let (raw_event, end) = (Arc::from(event.text()), end_of(set, call));
    let run = |(place, policy): (usize, &Policy)| {
        let place = decision.runs.len() + place;
        let limits = &Limits { deadline: set.chain_deadline, ..policy.limits.clone() };
        let world = World {
            limits,
            end,
            settings: &policy.settings,
            raw_event: &raw_event,
            chance: call.chance,
            place,
            lowering,
        };
        let (mut run, response) = PolicyRun::of(policy, None, policy.prepared.decide(&request, &world), call);
        if let Some(rule) = response.as_ref().and_then(|it| refused(&event, decision.answer.as_ref(), it)) {
            let secrets = Redactor::secrets_of(event.text()).and(policy.settings.secrets());
            run.verdict = Verdict::Fault(Fault::Verdict(secrets.mask_host_text(&rule)));
        }
        let differs = differs(&event, decision, &run.verdict, response);
        Shadow { run, differs }
    };
    policies.into_iter().enumerate().map(run).collect()
}

/// Why Cognito would take what is wanted neither by itself nor beside the answer. That is a fault, as it is of a policy that answers.
fn refused(event: &Event<'_>, answer: Option<&Response>, response: &Response) -> Option<String> {
    let (_, rule) = trigger::check(event, response).refused?;
    let beside = answer.and_then(|answer| trigger::merge(answer.clone(), response.clone()).ok());
    let is_taken = beside.is_some_and(|both| trigger::check(event, &both).refused.is_none());
    (!is_taken).then_some(rule)
}

fn differs(event: &Event<'_>, decision: &Decision, verdict: &Verdict, response: Option<Response>) -> Vec<&'static str> {
    let allowed = matches!(decision.outcome, Outcome::Allow | Outcome::Unmatched);
    match (verdict, response) {
        (Verdict::Allow(_), Some(response)) if allowed => changed(event, decision.answer.as_ref(), response),
        (Verdict::Allow(_), _) => vec!["allows"],
        (Verdict::Deny { .. }, _) if allowed => vec!["denies"],
        (Verdict::Deny { .. }, _) => Vec::new(),
        (Verdict::Fault(_), _) => vec!["faults"],
    }
}

/// The members that it wants to have another value than the answer, or where that does not set them, the event. Merged alone, a
/// yes would be lost behind the answer's no; by itself alone, a list that is to replace another would pass for a part of that.
fn changed(event: &Event<'_>, answer: Option<&Response>, response: Response) -> Vec<&'static str> {
    let of_answer = answer.map(trigger::members).unwrap_or_default();
    let of_event = event.response.and_then(|json| Object::parse(json, "`response`").ok());
    let wanted = trigger::members(&response);
    let (merged, conflict) = match answer.map(|answer| trigger::merge(answer.clone(), response)) {
        None => (Vec::new(), None),
        Some(Ok(merged)) => (trigger::members(&merged), None),
        Some(Err(Conflict(member))) => (Vec::new(), Some(member)),
    };
    let stays = |member: &Member| {
        let name = member.name;
        let is = json(&of_answer, name).or_else(|| of_event.as_ref()?.get(name)).unwrap_or_default();
        let same = json(&merged, name).is_none_or(|with| has(is, with) && has(with, is));
        conflict != Some(name) && same && has(is, &member.json)
    };
    wanted.iter().filter(|member| !stays(member)).map(|member| member.name).collect()
}

fn json<'a>(members: &'a [Member], name: &str) -> Option<&'a str> {
    members.iter().find(|member| member.name == name).map(|member| &*member.json)
}

/// Whether a JSON text has in it what another one has. What is nested too deeply to be read has to be the same text.
fn has(whole: &str, part: &str) -> bool {
    let value = |json: &str| serde_json::from_str::<Value>(json);
    match (value(whole), value(part)) {
        (Ok(whole), Ok(part)) => holds(&whole, &part),
        _ => whole == part,
    }
}

/// Whether a value has every entry and every item of another one, or is the same.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            // As texts, which can be looked up; a list of thousands would be gone through for each of thousands.
            let whole: HashSet<_> = whole.iter().map(Value::to_string).collect();
            part.iter().all(|part| whole.contains(&part.to_string()))
        }
        _ => whole == part,
    }
}
