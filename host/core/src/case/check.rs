//! Decides a case and compares what came of it with what is expected.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use serde_json::Value;

use super::{Case, Expect};
use crate::event::Event;
use crate::redact::Redactor;
use crate::run::{Chance, Fault, processor_time};
use crate::store::{Policy, PolicySet, Side};
use crate::{Call, Decision, Outcome, decide, route};

/// The id that every case is decided under.
pub const ID: &str = "test";

/// The code of the warning where no policy answers an event, and the kind of the fault where it needs one.
const UNMATCHED: &str = "unmatched";

/// The key of what differs between a policy and its candidate.
const SIDE: &str = "side";

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The side that decided it. None: no policy that answers its event has a candidate.
    pub side: Option<Side>,
    /// The decision.
    pub decision: Decision,
    /// What was expected and did not come. Empty: the case passed.
    pub mismatches: Vec<Mismatch>,
}

/// Something that was expected and did not come.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The key of `expect`.
    pub key: &'static str,
    /// What stands there; null where nothing does.
    pub expected: Value,
    /// What came; null where nothing did.
    pub actual: Value,
    /// Whether a secret setting was removed from what came.
    pub is_masked: bool,
}

impl Mismatch {
    fn new(key: &'static str, expected: Value, actual: Value) -> Self {
        Self { key, expected, actual, is_masked: false }
    }

    fn masked(self, secrets: &Redactor) -> Self {
        let actual = secrets.mask_json(self.actual.clone());
        let is_masked = actual != self.actual;
        Self { expected: secrets.mask_json(self.expected), actual, is_masked, ..self }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, expected, actual, .. } = self;
        match (*key, expected, actual) {
            ("max-fuel" | "max-memory", most, used) => write!(formatter, "{key}: at most {most} expected, {used} used"),
            (SIDE, ..) => write!(
                formatter,
                "side: it holds without candidates, but not with them; where they are meant to differ, write `side = \"stable\"` \
                 there, and another case with `side = \"candidate\"`"
            ),
            ("log", missing, _) => write!(formatter, "log: no line has {missing}"),
            ("forbidden-imports", patterns, found) => {
                write!(formatter, "{key}: {found}, though {patterns} is forbidden")
            }
            ("ran", Value::Null, _) => {
                write!(formatter, "ran: no policy answers the event; where that is right, expect `ran = []`")
            }
            ("fault", Value::Null, kind) if kind == UNMATCHED => {
                write!(formatter, "fault: none expected, but no policy answers the event")
            }
            ("fault", Value::Null, kind) => write!(formatter, "fault: none expected, but a policy broke: {kind}"),
            (_, expected, Value::Null) => write!(formatter, "{key}: {expected} expected, but there is none"),
            (_, expected, actual) => write!(formatter, "{key}: {expected} expected, {actual} given"),
        }
    }
}

impl Case {
    /// Decides the case's event by `set`, and compares: by each side that it is about. Gives the first that is not as expected,
    /// if any is. None: it is about a side that no policy has that answers its event now.
    pub fn check(&self, set: &PolicySet) -> Option<Checked> {
        let mut held = None;
        for side in self.sides(set) {
            let mut checked = self.check_side(set, side);
            if !checked.mismatches.is_empty() {
                if held.is_some() {
                    checked.mismatches.push(Mismatch::new(SIDE, Value::Null, Value::Null));
                }
                return Some(checked);
            }
            held = held.or(Some(checked));
        }
        held
    }

    /// The sides that decide it. Where no policy that answers its event has a candidate, there are no two: what was meant for the
    /// policy beside one is past, and what was meant for the candidate is about the policy.
    fn sides(&self, set: &PolicySet) -> Vec<Option<Side>> {
        let [stable, candidate] = [Side::Stable, Side::Candidate].map(|side| self.answering(set, side));
        let sides: &[_] = match (stable.contains(&Some(Side::Stable)), candidate.contains(&Some(Side::Candidate))) {
            (false, _) if self.side == Some(Side::Stable) && !stable.is_empty() => &[],
            (false, _) => return vec![None],
            (true, false) => &[Side::Stable],
            (true, true) => &[Side::Stable, Side::Candidate],
        };
        sides.iter().copied().filter(|side| self.side.is_none_or(|only| only == *side)).map(Some).collect()
    }

    /// The sides of the policies that answer its event, for the users of a side.
    fn answering(&self, set: &PolicySet, side: Side) -> Vec<Option<Side>> {
        let call = self.call(Some(side));
        let Ok(event) = Event::parse(&self.bytes) else { return Vec::new() };
        let Ok(trigger) = route::trigger(&event, &call, set) else { return Vec::new() };
        route::chain(&event.header, trigger, &call, set).into_iter().map(|(_, side)| side).collect()
    }

    fn call(&self, side: Option<Side>) -> Call<'_> {
        let chance = Chance { now: self.now.unwrap_or_else(SystemTime::now), seed: self.seed };
        let of_case = Call::new(&self.bytes, ID, chance);
        Call { trigger: self.trigger, bucket: side.map(Side::bucket), clock: processor_time, ..of_case }
    }

    fn check_side(&self, set: &PolicySet, side: Option<Side>) -> Checked {
        let decision = decide(set, &self.call(side));
        let mismatches = Comparison::of(&self.expect, &decision, set);
        Checked { side, decision, mismatches }
    }
}

/// Collects what does not agree.
#[derive(Default)]
struct Comparison(Vec<Mismatch>);

impl Comparison {
    fn of(expect: &Expect, decision: &Decision, set: &PolicySet) -> Vec<Mismatch> {
        let mut it = Self::default();
        it.same("decision", expect.decision.as_deref(), Some(decision.outcome.word()));
        it.same(
            "message",
            expect.message.as_deref(),
            decision.reply.as_ref().err().map(|it| it.error_message.as_str()),
        );
        it.same("reason", expect.reason.as_deref(), decision.reason());
        it.response(expect, decision);
        it.reply(expect, decision);
        it.same(
            "warnings",
            expect.warnings.clone(),
            Some(decision.warnings.iter().map(|it| it.code.to_owned()).collect()),
        );
        it.fault(expect, decision);
        it.unmatched(expect, decision);
        it.same("ran", expect.ran.clone(), Some(decision.runs.iter().map(|run| run.policy.clone()).collect()));
        it.log(expect, decision);
        it.at_most("max-fuel", expect.max_fuel, decision.fuel());
        let memory = decision.runs.iter().map(|run| run.usage.memory).max();
        it.at_most("max-memory", expect.max_memory, memory.unwrap_or_default());
        it.imports(expect, decision, set);
        it.0.into_iter().map(|mismatch| mismatch.masked(set.secrets())).collect()
    }

    fn add(&mut self, key: &'static str, expected: Value, actual: Value) {
        self.0.push(Mismatch::new(key, expected, actual));
    }

    fn same<T: PartialEq + Into<Value>>(&mut self, key: &'static str, expected: Option<T>, actual: Option<T>) {
        if expected.is_some() && expected != actual {
            self.add(key, expected.into(), actual.into());
        }
    }

    fn at_most(&mut self, key: &'static str, most: Option<u64>, actual: u64) {
        if let Some(most) = most.filter(|most| actual > *most) {
            self.add(key, most.into(), actual.into());
        }
    }

    fn response(&mut self, expect: &Expect, decision: &Decision) {
        let event = decision.reply.as_ref().ok().and_then(|reply| Event::parse(reply).ok());
        let json = event.and_then(|event| event.response);
        let actual = json.map(|json| serde_json::from_str(json).unwrap_or_else(|_| json.into()));
        let wanted = |json: &super::json::Json| serde_json::from_str(json.text()).unwrap_or_default();
        if let Some(expected) = expect.response.as_ref().map(wanted) {
            let actual = actual.as_ref().map(|actual| part(&expected, actual));
            self.same("response", Some(expected), actual);
        }
        self.same("exact-response", expect.exact_response.as_ref().map(wanted), actual);
    }

    fn reply(&mut self, expect: &Expect, decision: &Decision) {
        let actual = decision.body();
        let text = expect.reply.as_deref().map(str::as_bytes);
        for (key, expected) in [("reply", text), ("reply-file", expect.reply_bytes.as_deref())] {
            if let Some(expected) = expected.filter(|expected| *expected != &*actual) {
                let text = |bytes| Value::from(String::from_utf8_lossy(bytes));
                self.add(key, text(expected), text(&actual));
            }
        }
    }

    /// A fault that was not asked for is never passed over, even where the chain went on without the policy.
    fn fault(&mut self, expect: &Expect, decision: &Decision) {
        let unmatched = matches!(decision.outcome, Outcome::Fault(_)).then_some(UNMATCHED);
        let actual = decision.faults().map(Fault::kind).chain(unmatched).next();
        let asked_for = expect.fault.is_some() || expect.decision.as_deref() == Some("fault");
        match expect.fault.as_deref() {
            None if actual.is_some() && !asked_for => self.add("fault", Value::Null, actual.into()),
            expected => self.same("fault", expected, actual),
        }
    }

    /// That no policy looked at the event is never passed over either: a misspelt condition would make every case pass.
    fn unmatched(&mut self, expect: &Expect, decision: &Decision) {
        let asked_for = expect.ran.is_some() || expect.warnings.iter().flatten().any(|code| code == UNMATCHED);
        if decision.outcome == Outcome::Unmatched && !asked_for {
            self.add("ran", Value::Null, Value::Array(Vec::new()));
        }
    }

    fn log(&mut self, expect: &Expect, decision: &Decision) {
        let lines: Vec<_> = decision.runs.iter().flat_map(|run| &run.logs.lines).map(|line| &line.message).collect();
        let missing: Vec<_> =
            expect.log.iter().flatten().filter(|text| !lines.iter().any(|it| it.contains(*text))).collect();
        if !missing.is_empty() {
            self.add("log", missing.into_iter().cloned().collect(), lines.into_iter().cloned().collect());
        }
    }

    fn imports(&mut self, expect: &Expect, decision: &Decision, set: &PolicySet) {
        let Some(forbidden) = &expect.forbidden_imports else { return };
        let runs = &decision.runs;
        let has_run =
            |policy: &&Policy| runs.iter().any(|run| (&run.policy, &run.digest) == (&policy.name, &policy.digest));
        let ran = set.policies.iter().flat_map(Policy::sides).filter(has_run);
        let imports = ran.flat_map(|policy| policy.prepared.imports());
        let is_forbidden = |name: &str| {
            let bare = name.split_once('@').map_or(name, |(bare, _)| bare);
            forbidden.iter().any(|pattern| pattern.matches(name) || pattern.matches(bare))
        };
        let found: BTreeSet<_> = imports.map(|import| import.name.as_str()).filter(|name| is_forbidden(name)).collect();
        if !found.is_empty() {
            let patterns = forbidden.iter().map(glob::Pattern::as_str);
            self.add("forbidden-imports", patterns.collect(), found.into_iter().collect());
        }
    }
}

/// Of `actual` what `expected` names.
fn part(expected: &Value, actual: &Value) -> Value {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let named = expected.iter().filter_map(|(key, it)| Some((key.clone(), part(it, actual.get(key)?))));
            Value::Object(named.collect())
        }
        _ => actual.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_what_is_named_however_deep() {
        let actual = json!({ "a": 1, "b": { "c": [1, { "d": 2 }], "e": null } });
        for (expected, named) in [
            (json!({}), json!({})),
            (json!({ "a": 2 }), json!({ "a": 1 })),
            (json!({ "b": { "c": 0 } }), json!({ "b": { "c": [1, { "d": 2 }] } })),
            (json!({ "b": { "e": null, "f": null } }), json!({ "b": { "e": null } })),
            (json!([]), actual.clone()),
            (json!({ "a": {} }), json!({ "a": 1 })),
        ] {
            assert_eq!(part(&expected, &actual), named, "{expected}");
        }
    }

    #[test]
    fn a_mismatch_is_a_sentence() {
        let told = |key, expected, actual| Mismatch::new(key, expected, actual).to_string();
        assert_eq!(told("decision", json!("allow"), json!("deny")), r#"decision: "allow" expected, "deny" given"#);
        assert_eq!(told("message", json!("no"), Value::Null), r#"message: "no" expected, but there is none"#);
        assert_eq!(told("fault", Value::Null, json!("fuel")), r#"fault: none expected, but a policy broke: "fuel""#);
        assert_eq!(
            told("fault", Value::Null, json!("unmatched")),
            "fault: none expected, but no policy answers the event"
        );
        assert_eq!(told("max-fuel", json!(1), json!(2)), "max-fuel: at most 1 expected, 2 used");
    }
}
