//! Holds a set against the sign-ins that another one began: challenges that the old set made, answered to the new one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{Case, ID};
use crate::event::{Event, Trigger, example};
use crate::policy::{Mode, When};
use crate::run::{Chance, processor_time};
use crate::store::{PolicySet, Side, Tests};
use crate::text::one_line;
use crate::{Call, Decision, Outcome, decide};

const CREATE: Trigger = Trigger::CreateAuthChallenge;
const VERIFY: Trigger = Trigger::VerifyAuthChallengeResponse;

/// As many challenges, and answers of cases, are tried: each with each, on each side of candidates.
const MOST: usize = 50;

/// It is wrong wherever anything is asked.
const WRONG: &str = "an answer that nobody gives";

/// An event of a sign-in.
struct Step {
    /// The challenge that it is about, for whom is told.
    challenge: String,
    event: Vec<u8>,
    chance: Chance,
}

/// What becomes of sign-ins that one set began and another one is to end.
#[derive(Debug)]
#[non_exhaustive]
pub struct Crossing {
    /// Which of them could not end, a sentence each, without anything secret.
    pub broken: Vec<String>,
    /// Whether a right answer was tried on each side of candidates, if sign-ins begin at all: without one, little is known.
    pub knows_an_answer: bool,
}

/// Ends sign-ins by the set `new` that the set `old` began. Played are the challenges of the old set's cases, and an example of each
/// of its policies; fifty of each at most.
///
/// A right answer stays right. One that was only wrong does not break anything. Of what the old set denies or breaks at, nothing
/// is demanded.
pub fn cross((old, tests): (&PolicySet, &[Tests]), new: &PolicySet) -> Crossing {
    let (before, after) = (old.answers(), new.answers());
    if !before.is_superset(&BTreeSet::from([CREATE, VERIFY])) {
        return Crossing { broken: Vec::new(), knows_an_answer: true };
    }
    let lost: Vec<_> = before.difference(&after).filter(|trigger| trigger.is_challenge()).collect();
    let recorded = of_cases(tests, VERIFY);
    let answers: BTreeSet<_> = recorded.iter().filter_map(|step| answer(&step.event)).collect();
    let challenges: Vec<_> = of_cases(tests, CREATE).into_iter().chain(examples(old)).collect();
    let (mut broken, mut knows_an_answer) = (BTreeSet::new(), true);
    for bucket in buckets([old, new]) {
        let made: Vec<_> = challenges.iter().flat_map(|step| answered(old, step, bucket, &answers)).collect();
        let mut was_right = false;
        for step in made.iter().chain(&recorded) {
            let said = Said::of(&decided(old, step, VERIFY, bucket));
            was_right |= said == Said::Right;
            if lost.is_empty() {
                broken.extend(breaks(said, new, step, bucket));
            }
        }
        knows_an_answer &= was_right;
    }
    let lost = lost.iter().map(|trigger| format!("no policy answers `{trigger}` any more"));
    Crossing { broken: lost.chain(broken).collect(), knows_an_answer }
}

/// Both sides of every threshold at which a user comes to another side, for a user keeps the bucket.
fn buckets(sets: [&PolicySet; 2]) -> BTreeSet<u8> {
    let candidates = sets.into_iter().flat_map(|set| &set.policies).filter_map(|policy| policy.candidate.as_ref());
    let thresholds = candidates.flat_map(|it| [it.rollout.saturating_sub(1), it.rollout.min(99)]);
    std::iter::once(0).chain(thresholds).collect()
}

/// The events of a trigger in a set's cases.
fn of_cases(tests: &[Tests], trigger: Trigger) -> Vec<Step> {
    let cases = tests.iter().flat_map(|tests| tests.cases.cases.iter().map(move |(place, case)| (tests, *place, case)));
    let of = |case: &Case| Trigger::of(&Event::parse(case.event()).ok()?).ok()?.or(case.trigger);
    let steps = cases.filter(|(.., case)| of(case) == Some(trigger)).map(|(tests, place, case)| Step {
        challenge: format!("`{}`: {}", one_line(&tests.file), case.title(place)),
        event: case.event().to_owned(),
        chance: chance(case.now, case.seed),
    });
    steps.take(MOST).collect()
}

/// For each policy that makes challenges an event that it answers: the first challenge of a sign-in, and a later one.
fn examples(set: &PolicySet) -> Vec<Step> {
    let example = example("CreateAuthChallenge_Authentication").unwrap_or_default();
    let makers = set.policies.iter().filter(|it| it.mode == Mode::Enforce && it.triggers.contains(&CREATE));
    let steps = makers.flat_map(|policy| {
        [true, false].map(|is_first| {
            let mut event: Value = serde_json::from_str(example).unwrap_or_default();
            let When { user_pool_id, client_id, .. } = &policy.when;
            for (at, values) in [("/userPoolId", user_pool_id), ("/callerContext/clientId", client_id)] {
                if let (Some(member), Some(value)) = (event.pointer_mut(at), values.iter().flatten().next()) {
                    *member = value.as_str().into();
                }
            }
            if let Some(session) = event.pointer_mut("/request/session").filter(|_| is_first) {
                *session = json!([]);
            }
            let challenge = format!("the built-in example of `{}`", policy.name);
            Step { challenge, event: event.to_string().into_bytes(), chance: chance(None, None) }
        })
    });
    steps.take(MOST).collect()
}

/// The same for all who are asked.
fn chance(now: Option<SystemTime>, seed: Option<u64>) -> Chance {
    Chance { now: now.unwrap_or_else(SystemTime::now), seed: Some(seed.unwrap_or_default()) }
}

/// Lets a set make a challenge, and answers it: by what is in it, by these answers, and wrongly.
fn answered(set: &PolicySet, step: &Step, bucket: u8, answers: &BTreeSet<String>) -> Vec<Step> {
    let reply = decided(set, step, CREATE, bucket).reply.ok();
    let reply = reply.and_then(|reply| serde_json::from_slice::<Map<String, Value>>(&reply).ok()).unwrap_or_default();
    let Some(response) = reply.get("response") else { return Vec::new() };
    let [kept, public] = ["privateChallengeParameters", "publicChallengeParameters"]
        .map(|name| response.get(name).filter(|it| it.is_object()).cloned().unwrap_or_else(|| json!({})));
    let texts =
        [&kept, &public].into_iter().filter_map(Value::as_object).flat_map(Map::values).filter_map(Value::as_str);
    let all: BTreeSet<_> = texts.take(MOST).chain(answers.iter().map(String::as_str)).chain([WRONG]).collect();
    all.into_iter()
        .map(|answer| Step { challenge: step.challenge.clone(), event: verify(&reply, &kept, answer), ..*step })
        .collect()
}

/// What Cognito asks once a challenge was answered.
fn verify(create: &Map<String, Value>, kept: &Value, answer: &str) -> Vec<u8> {
    let mut request = json!({ "privateChallengeParameters": kept, "challengeAnswer": answer });
    let asked = create.get("request").and_then(Value::as_object);
    if let (Some(request), Some(asked)) = (request.as_object_mut(), asked) {
        let of_user = ["userAttributes", "userNotFound", "clientMetadata"];
        let same = asked.iter().filter(|(name, _)| of_user.contains(&name.as_str()));
        request.extend(same.map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut event = create.clone();
    event.insert("triggerSource".to_owned(), "VerifyAuthChallengeResponse_Authentication".into());
    event.insert("request".to_owned(), request);
    event.insert("response".to_owned(), json!({ "answerCorrect": null }));
    Value::Object(event).to_string().into_bytes()
}

/// The answer in an event.
fn answer(event: &[u8]) -> Option<String> {
    let event = Event::parse(event).ok()?;
    event.request.text("challengeAnswer").map(Cow::into_owned)
}

/// What a set makes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Right,
    Wrong,
    Denied,
    Fault,
}

impl Said {
    fn of(decision: &Decision) -> Self {
        let is_right = |reply: &Vec<u8>| {
            let reply = serde_json::from_slice::<Value>(reply).unwrap_or_default();
            reply.pointer("/response/answerCorrect") == Some(&true.into())
        };
        match &decision.outcome {
            Outcome::Allow if decision.reply.as_ref().is_ok_and(is_right) => Self::Right,
            Outcome::Allow => Self::Wrong,
            Outcome::Deny => Self::Denied,
            Outcome::Unmatched | Outcome::Fault(_) | Outcome::EventRefused(_) => Self::Fault,
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Right => "says that it is right",
            Self::Wrong => "says that it is wrong",
            Self::Denied => "denies it",
            Self::Fault => "breaks",
        }
    }
}

/// What is wrong where an answer of which the old set said this does not come through the new one.
fn breaks(before: Said, new: &PolicySet, step: &Step, bucket: u8) -> Option<String> {
    if matches!(before, Said::Denied | Said::Fault) {
        return None;
    }
    let decision = decided(new, step, VERIFY, bucket);
    let after = Said::of(&decision);
    let holds = match before {
        Said::Right => after == Said::Right,
        _ => after != Said::Fault,
    };
    let named = decision.runs.iter().map(|run| format!("`{}`{}", run.policy, Side::label(run.side)));
    let named = named.collect::<Vec<_>>().join(", ");
    (!holds).then(|| {
        format!(
            "an answer to the challenge of {}: the set that serves {}, the new one {} ({})",
            step.challenge,
            before.told(),
            after.told(),
            if named.is_empty() { "no policy answers" } else { &named }
        )
    })
}

fn decided(set: &PolicySet, step: &Step, trigger: Trigger, bucket: u8) -> Decision {
    let (trigger, bucket) = (Some(trigger), Some(bucket));
    let call = Call { trigger, bucket, clock: processor_time, ..Call::new(&step.event, ID, step.chance) };
    decide(set, &call)
}
