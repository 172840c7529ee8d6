//! Tells an event's whole way, top to bottom: parse, route, run, merge, reply.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::Arc;
use std::time::Instant;

use crate::event::{Event, EventError, OnFault, Secrets, Trigger, Unmatched};
use crate::reply::{self, ErrorType, Refusal};
use crate::route;
use crate::run::{Chance, Denial, End, Fault, Key, Ran, Request, Response, World};
use crate::shadow::Shadow;
use crate::store::{Policy, PolicySet, Side};
use crate::trigger::{self, Conflict, Member, Warning};
use crate::verdict::{PolicyRun, Verdict};

/// One event to decide.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The event, as it came.
    pub event: &'a [u8],
    /// The decision's id: what a neutral refusal refers to.
    pub id: &'a str,
    /// The trigger of an event that does not say it.
    pub trigger: Option<Trigger>,
    /// The only policy that may answer, by its name. None: all that answer the event.
    pub policy: Option<&'a str>,
    /// The bucket of the user where a candidate answers a part of them, 0 to 100: see [`Side::bucket`]. None: by the rollout key.
    pub bucket: Option<u8>,
    /// When the host itself must have answered.
    pub end: Option<Instant>,
    /// The time and the random numbers that policies get.
    pub chance: Chance,
}

impl<'a> Call<'a> {
    /// An event that says its trigger, for every policy and side that answers it, and for as long as the set allows.
    pub fn new(event: &'a [u8], id: &'a str, chance: Chance) -> Self {
        Self { event, id, trigger: None, policy: None, bucket: None, end: None, chance }
    }
}

/// What was decided, what Cognito is told, and how it came about.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// What Cognito is told: the event to return, or the function error.
    pub reply: Result<Vec<u8>, Refusal>,
    /// The trigger, once it is known.
    pub trigger: Option<Trigger>,
    /// The policies that ran, in order.
    pub runs: Vec<PolicyRun>,
    /// Whether policies look on, once the answer is given.
    pub is_watched: bool,
    /// What those made of it, once they were asked by [`crate::shadow`].
    pub shadows: Vec<Shadow>,
    /// What the operator should know.
    pub warnings: Vec<Warning>,
    /// What the policies wanted together.
    pub(crate) answer: Option<Response>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed, with what the policies set. Policies that faulted may have been passed over.
    Allow,
    /// Allowed, since no policy answers the event.
    Unmatched,
    /// A policy refused.
    Deny,
    /// A policy broke, or none answers an event that needs one. The text is the operator's.
    Fault(String),
    /// The event could not be read.
    EventRefused(EventError),
}

impl Outcome {
    /// The decision in a word, for records and tests: `allow`, `deny`, `fault` or `event-refused`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow | Self::Unmatched => "allow",
            Self::Deny => "deny",
            Self::Fault(_) => "fault",
            Self::EventRefused(_) => "event-refused",
        }
    }
}

impl Decision {
    /// A refusal that the host decides itself, because it cannot ask the policies. The text is the operator's.
    pub fn fault(id: &str, text: &str) -> Self {
        let reply = Err(Refusal::neutral(ErrorType::PolicyFault, id));
        Self {
            outcome: Outcome::Fault(text.to_owned()),
            reply,
            trigger: None,
            runs: Vec::new(),
            is_watched: false,
            shadows: Vec::new(),
            warnings: Vec::new(),
            answer: None,
        }
    }

    /// What broke, in the order in which the policies ran.
    pub fn faults(&self) -> impl DoubleEndedIterator<Item = &Fault> {
        self.runs.iter().filter_map(|run| match &run.verdict {
            Verdict::Fault(fault) => Some(fault),
            _ => None,
        })
    }

    /// Whether something broke, whatever was decided.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Fault(_) | Outcome::EventRefused(_)) || self.faults().next().is_some()
    }

    /// Whether no policy answered the event, whatever became of it.
    pub fn is_unmatched(&self) -> bool {
        match self.outcome {
            Outcome::Unmatched => true,
            Outcome::Fault(_) => self.runs.is_empty() && self.trigger.is_some(),
            _ => false,
        }
    }

    /// Whether policies were to look on, and did not: yet, or for want of time.
    pub fn is_unwatched(&self) -> bool {
        self.is_watched && self.shadows.is_empty()
    }

    /// Why a policy refused, in its words for the operator.
    pub fn reason(&self) -> Option<&str> {
        self.runs.iter().find_map(|run| run.verdict.reason())
    }

    /// The fuel of all policies together, in units.
    pub fn fuel(&self) -> u64 {
        self.runs.iter().map(|run| run.usage.fuel.units).sum()
    }

    /// What the Lambda function returns: the event, or the function error as JSON.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.reply {
            Ok(event) => Cow::Borrowed(event),
            Err(refusal) => Cow::Owned(refusal.to_json()),
        }
    }
}

/// Decides one event. Never panics, never blocks on anything but the engine's slots and the policies' own work.
pub fn decide(set: &PolicySet, call: &Call<'_>) -> Decision {
    let mut line =
        Line { set, call, trigger: None, runs: Vec::new(), is_watched: false, warnings: Vec::new(), answer: None };
    let neutral = |error_type| Err(Refusal::neutral(error_type, call.id));
    let (outcome, reply) = match line.walk() {
        Ok((outcome, reply)) => (outcome, Ok(reply)),
        Err(Stop::Event(error)) => (Outcome::EventRefused(error), neutral(ErrorType::EventRefused)),
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
    Fault(String),
    Deny(String),
}

impl From<EventError> for Stop {
    fn from(error: EventError) -> Self {
        Self::Event(error)
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
        let request = trigger::lower(trigger, &event)?;
        let responses = self.run(&chain, trigger, &request, &Arc::from(event.text()))?;
        let members = self.merge(&event, trigger, responses)?;
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
        request: &Request,
        raw_event: &Arc<str>,
    ) -> Result<Vec<(&'a Policy, usize, Response)>, Stop> {
        let end = end_of(self.set, self.call, Instant::now());
        let mut responses = Vec::new();
        let chance = self.call.chance;
        for (place, &(policy, side)) in chain.iter().enumerate() {
            let world = World { limits: &policy.limits, end, settings: &policy.settings, raw_event, chance, place };
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

    /// Merges what the policies want. What Cognito would refuse is a fault of the last policy that wanted it.
    fn merge(
        &mut self,
        event: &Event<'_>,
        trigger: Trigger,
        mut responses: Vec<(&'a Policy, usize, Response)>,
    ) -> Result<Vec<Member>, Stop> {
        loop {
            let (at, rule) = match united(&responses) {
                Ok(None) => return Ok(Vec::new()),
                Ok(Some(merged)) => {
                    let checked = trigger::check(event, &merged);
                    // What is said of an answer repeats parts of it.
                    let secrets = LazyCell::new(|| {
                        let policies = responses.iter().map(|(policy, ..)| policy.settings.secrets());
                        policies.fold(Secrets::of(event.text()), |all, of_policy| all.and(of_policy))
                    });
                    let Some(refused) = checked.refused else {
                        let masked = |it: Warning| Warning { text: secrets.mask(it.text), ..it };
                        self.warnings.extend(checked.warnings.into_iter().map(masked));
                        let members = trigger::members(&merged);
                        self.answer = Some(merged);
                        return Ok(members);
                    };
                    let rule = secrets.mask(refused.1.clone());
                    match to_blame(event, &responses, &refused) {
                        Some(at) => (at, rule),
                        None => return Err(Stop::Fault(rule)),
                    }
                }
                Err(apart) => apart,
            };
            let (policy, run, _) = responses.remove(at);
            let fault = Fault::Verdict(rule);
            if let Some(run) = self.runs.get_mut(run) {
                run.verdict = Verdict::Fault(fault.clone());
            }
            faulted(policy, trigger, &fault)?;
        }
    }
}

/// When a chain must have ended: by the set's deadline, or the host's where that is earlier.
pub(crate) fn end_of(set: &PolicySet, call: &Call<'_>, since: Instant) -> End {
    let left = call.end.map(|host| host.saturating_duration_since(since));
    match left.filter(|left| *left < set.chain_deadline) {
        Some(limit) => End { since, limit, key: Key::Host },
        None => End { since, limit: set.chain_deadline, key: Key::ChainDeadline },
    }
}

/// What all policies want together; or which of them cannot be followed, and why.
fn united(responses: &[(&Policy, usize, Response)]) -> Result<Option<Response>, (usize, String)> {
    let mut merged = None::<Response>;
    for (at, (.., response)) in responses.iter().enumerate() {
        merged = Some(match merged {
            None => response.clone(),
            Some(earlier) => trigger::merge(earlier, response.clone()).map_err(|Conflict(member)| {
                let first = responses.iter().find(|(.., response)| wants(response, member));
                let first = first.map(|(policy, ..)| policy.name.as_str()).unwrap_or_default();
                (at, format!("it sets `{member}` to another value than the policy `{first}`"))
            })?,
        });
    }
    Ok(merged)
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
