//! Tells an event's whole way, top to bottom: parse, route, run, merge, reply.

use std::sync::Arc;

use crate::decision::{Call, Decision, Outcome};
use crate::event::{Event, EventError, OnFault, Trigger, Unmatched};
use crate::redact::Redactor;
use crate::reply::{self, ErrorType, Refusal, SpliceError};
use crate::route;
use crate::run::{Denial, End, Fault, Key, Ran, Request, Response, World};
use crate::store::{Policy, PolicySet, Side};
use crate::trigger::{self, Conflict, Member, Warning};
use crate::verdict::{PolicyRun, Verdict};

/// Decides one event. Never panics, never blocks on anything but the engine's slots and the policies' own work.
pub fn decide(set: &PolicySet, call: &Call<'_>) -> Decision {
    let mut line =
        Line { set, call, trigger: None, runs: Vec::new(), is_watched: false, warnings: Vec::new(), answer: None };
    let neutral = |error_type| Err(Refusal::neutral(error_type, call.id));
    let (outcome, reply) = match line.walk() {
        Ok((outcome, reply)) => (outcome, Ok(reply)),
        Err(Stop::Event(error)) => (Outcome::EventRefused(error), neutral(ErrorType::EventRefused)),
        Err(Stop::PassedBy(error)) => (Outcome::EventRefused(error), Ok(call.event.to_vec())),
        Err(Stop::Fault(text)) => (Outcome::Fault(text), neutral(ErrorType::PolicyFault)),
        Err(Stop::Deny(message)) => (Outcome::Deny, line.denied(&message)),
    };
    // Nobody could make anything of what is no event.
    let is_watched = line.is_watched && !matches!(outcome, Outcome::EventRefused(_));
    let Line { trigger, runs, warnings, answer, .. } = line;
    Decision { outcome, reply, trigger, runs, is_watched, shadows: Vec::new(), warnings, answer }
}

/// Why the line ended before a reply.
enum Stop {
    Event(EventError),
    /// The event is too much for policies that may all be passed over.
    PassedBy(EventError),
    Fault(String),
    Deny(String),
}

impl From<EventError> for Stop {
    fn from(error: EventError) -> Self {
        Self::Event(error)
    }
}

impl From<SpliceError> for Stop {
    fn from(error: SpliceError) -> Self {
        match error {
            SpliceError::Event(error) => Self::Event(error),
            SpliceError::TooLarge { .. } => Self::Fault(error.to_string()),
        }
    }
}

/// A decision on its way.
struct Line<'a> {
    set: &'a PolicySet,
    call: &'a Call<'a>,
    trigger: Option<Trigger>,
    runs: Vec<PolicyRun>,
    is_watched: bool,
    warnings: Vec<Warning>,
    answer: Option<Response>,
}

impl<'a> Line<'a> {
    fn walk(&mut self) -> Result<(Outcome, Vec<u8>), Stop> {
        let event = Event::parse(self.call.event)?;
        let trigger = route::trigger(&event, self.call, self.set)?;
        self.trigger = Some(trigger);
        self.is_watched = !route::shadows(&event.header, trigger, self.call, self.set).is_empty();
        let chain = route::chain(&event.header, trigger, self.call, self.set);
        if chain.is_empty() {
            return self.unmatched(trigger).map(|outcome| (outcome, self.call.event.to_vec()));
        }
        let lowering = event.check_size(chain.iter().map(|(policy, _)| policy.limits.memory).min());
        let lowering = lowering.map_err(|error| {
            // A size is the caller's choice, so the policy's own `on-fault` lets nobody pass whom the trigger's default stops.
            let passes = |policy: &Policy| policy.on_fault != Some(OnFault::Deny);
            match trigger.on_fault() {
                OnFault::Allow if chain.iter().all(|(policy, _)| passes(policy)) => Stop::PassedBy(error),
                _ => Stop::Event(error),
            }
        })?;
        let request = trigger::lower(trigger, &event)?;
        let end = end_of(self.set, self.call);
        let responses = self.run(&chain, trigger, (&request, lowering), &Arc::from(event.text()), end)?;
        let members = self.merge(&event, trigger, responses, end)?;
        Ok((Outcome::Allow, reply::splice(&event, &members)?))
    }

    /// What Cognito is told of a denial. It does not wait for a custom sender, and Lambda would only call again.
    fn denied(&mut self, message: &str) -> Result<Vec<u8>, Refusal> {
        match self.trigger {
            Some(trigger) if trigger.is_asynchronous() => Ok(self.call.event.to_vec()),
            _ => Err(Refusal::denied(message, self.call.id, &mut self.warnings)),
        }
    }

    /// The other version of the trigger, where the set's policies answer only that.
    fn only_other_form(&self, trigger: Trigger) -> Option<Trigger> {
        let answers = self.set.answers();
        trigger.other_form().filter(|form| answers.contains(form) && !answers.contains(&trigger))
    }

    fn unmatched(&mut self, trigger: Trigger) -> Result<Outcome, Stop> {
        let text = match self.call.policy {
            None => format!("no policy of the set `{}` answers this event of `{trigger}`", self.set.name),
            Some(only) => format!("the policy `{only}` does not answer this event of `{trigger}`"),
        };
        if let Some(form) = self.only_other_form(trigger) {
            let text = format!(
                "the event is of `{trigger}`, but the set's policies answer only `{form}`: let the pool send events of the other version, or add a policy"
            );
            return Err(Stop::Fault(text));
        }
        match self.set.unmatched.unwrap_or_else(|| trigger.unmatched()) {
            Unmatched::Fault => Err(Stop::Fault(text)),
            Unmatched::Unchanged => {
                self.warnings.push(Warning::new("unmatched", text));
                Ok(Outcome::Unmatched)
            }
        }
    }

    /// Runs the chain. The first denial ends it, and so does a fault that denies.
    fn run(
        &mut self,
        chain: &[(&'a Policy, Option<Side>)],
        trigger: Trigger,
        (request, lowering): (&Request, u64),
        raw_event: &Arc<str>,
        end: End,
    ) -> Result<Vec<(&'a Policy, usize, Response)>, Stop> {
        let mut responses = Vec::new();
        let chance = self.call.chance;
        for (place, &(policy, side)) in chain.iter().enumerate() {
            let (limits, settings) = (&policy.limits, &policy.settings);
            let world = World { limits, end, settings, raw_event, chance, place, lowering };
            let ran = policy.prepared.decide(request, &world);
            let response = self.record(policy, side, ran)?;
            match response {
                Ok(response) => responses.push((policy, self.runs.len() - 1, response)),
                Err(fault) => faulted(policy, trigger, &fault)?,
            }
        }
        Ok(responses)
    }

    /// Writes down how a policy ran, and says how the line goes on.
    fn record(
        &mut self,
        policy: &Policy,
        side: Option<Side>,
        ran: Ran<Result<Response, Denial>>,
    ) -> Result<Result<Response, Fault>, Stop> {
        let (run, response) = PolicyRun::of(policy, side, ran, self.call);
        let next = match (response, &run.verdict) {
            (Some(response), _) => Ok(Ok(response)),
            (None, Verdict::Fault(fault)) => Ok(Err(fault.clone())),
            (None, verdict) => Err(Stop::Deny(verdict.message().to_owned())),
        };
        self.runs.push(run);
        next
    }

    /// Merges what the policies want. What Cognito would refuse, or what takes longer than the chain may, is a fault of the last
    /// policy that wanted it.
    fn merge(
        &mut self,
        event: &Event<'_>,
        trigger: Trigger,
        mut responses: Vec<(&'a Policy, usize, Response)>,
        end: End,
    ) -> Result<Vec<Member>, Stop> {
        while let Some(last) = responses.len().checked_sub(1) {
            let (at, fault) = match end.passed() {
                Some(fault) => (last, fault),
                None => match self.merged(event, &responses)? {
                    Ok((merged, warnings)) => {
                        let members = trigger::members(&merged);
                        match end.passed() {
                            Some(fault) => (last, fault),
                            None => {
                                self.warnings.extend(warnings);
                                self.answer = Some(merged);
                                return Ok(members);
                            }
                        }
                    }
                    Err((at, rule)) => (at, Fault::Verdict(rule)),
                },
            };
            let (policy, run, _) = responses.remove(at);
            if let Some(run) = self.runs.get_mut(run) {
                run.verdict = Verdict::Fault(fault.clone());
            }
            faulted(policy, trigger, &fault)?;
        }
        Ok(Vec::new())
    }

    /// What all policies want together, with warnings; or which of them cannot be followed, and why.
    fn merged(&self, event: &Event<'_>, responses: &[(&'a Policy, usize, Response)]) -> Result<Merged, Stop> {
        let merged = match united(responses) {
            Ok(merged) => merged,
            Err(conflict) => return Ok(Err(conflict)),
        };
        let checked = trigger::check(event, &merged);
        if checked.refused.is_none() && checked.warnings.is_empty() {
            return Ok(Ok((merged, Vec::new())));
        }
        // What is said of an answer repeats parts of it.
        let secrets = Redactor::secrets_of(event.text()).and(self.set.secrets());
        let Some(refused) = checked.refused else {
            let masked = |it: Warning| Warning { text: secrets.mask_host_text(&it.text), ..it };
            return Ok(Ok((merged, checked.warnings.into_iter().map(masked).collect())));
        };
        let rule = secrets.mask_host_text(&refused.1);
        match to_blame(event, responses, &refused) {
            Some(at) => Ok(Err((at, rule))),
            None => Err(Stop::Fault(rule)),
        }
    }
}

/// What all policies want together, with warnings; or the place of the one that cannot be followed, and why.
type Merged = Result<(Response, Vec<Warning>), (usize, String)>;

/// When a chain must have ended: by the set's deadline, or the host's where that is earlier.
pub(crate) fn end_of(set: &PolicySet, call: &Call<'_>) -> End {
    let clock = call.clock;
    let since = clock();
    let left = call.end.map(|host| host.saturating_duration_since(since));
    match left.filter(|left| *left < set.chain_deadline) {
        Some(limit) => End { since, limit, key: Key::Host, clock },
        None => End { since, limit: set.chain_deadline, key: Key::ChainDeadline, clock },
    }
}

/// What all policies want together; or which of them cannot be followed, and why.
fn united(responses: &[(&Policy, usize, Response)]) -> Result<Response, (usize, String)> {
    let mut wanted = responses.iter().enumerate().map(|(at, (.., response))| (at, response.clone()));
    let first = wanted.next().map(|(_, response)| response).ok_or_else(|| (0, String::new()))?;
    wanted.try_fold(first, |earlier, (at, response)| {
        trigger::merge(earlier, response).map_err(|Conflict(member)| {
            let first = responses.iter().find(|(.., response)| wants(response, member));
            let first = first.map(|(policy, ..)| policy.name.as_str()).unwrap_or_default();
            (at, format!("it sets `{member}` to another value than the policy `{first}`"))
        })
    })
}

/// Whose answer Cognito would refuse by itself; else the last of those who set the member.
fn to_blame(
    event: &Event<'_>,
    responses: &[(&Policy, usize, Response)],
    refused: &(&'static str, String),
) -> Option<usize> {
    let last = |is_it: &dyn Fn(&Response) -> bool| responses.iter().rposition(|(.., response)| is_it(response));
    last(&|response| trigger::check(event, response).refused.as_ref() == Some(refused))
        .or_else(|| last(&|response| wants(response, refused.0)))
}

/// Whether a policy set the member.
fn wants(response: &Response, member: &str) -> bool {
    trigger::members(response).iter().any(|it| it.name == member)
}

/// Whether the chain goes on without the policy that broke.
fn faulted(policy: &Policy, trigger: Trigger, fault: &Fault) -> Result<(), Stop> {
    match policy.on_fault.unwrap_or_else(|| trigger.on_fault()) {
        OnFault::Allow => Ok(()),
        OnFault::Deny => Err(Stop::Fault(format!("policy `{}` {fault}", policy.name))),
    }
}
