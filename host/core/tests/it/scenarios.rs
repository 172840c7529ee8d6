//! Runs every scenario through the core.

use cogwit_core::case::{CaseFile, Mismatch};
use cogwit_core::store::{PolicySet, Source};

use crate::scenario::{self, Scenario};
use crate::support::{ALLOWING, DEFAULT, admit};

fn set(scenario: &Scenario) -> PolicySet {
    let source = match (scenario.set(), scenario.components()) {
        (Some(set), _) => Source::Document(set),
        (None, Some(files)) => Source::Components(files),
        (None, None) => Source::Document(scenario::policies_wasm().join("policies.toml")),
    };
    let mut package = source.read().unwrap();
    scenario.case.lay_over(&mut package).unwrap();
    admit(&package).unwrap()
}

#[test]
fn every_scenario_has_its_decision_reply_and_warnings() {
    assert_eq!(DEFAULT.policies.len(), 3);
    let scenarios = scenario::all();
    let mut sets = Vec::new();
    for group in scenario::groups(&scenarios) {
        let set = set(group[0]);
        group.into_iter().for_each(|scenario| check(scenario, &set));
        // Kept, so that their components are compiled once.
        sets.push(set);
    }
}

fn check(scenario: &Scenario, set: &PolicySet) {
    let expected = &scenario.case.expect;
    assert!(expected.warnings.is_some() && expected.reply_file.is_some(), "{}", scenario.name);
    assert!(scenario.case.event() == std::fs::read(&scenario.event).unwrap(), "{}", scenario.name);
    let checked = scenario.case.check(set).unwrap();
    let mismatches: Vec<_> = checked.mismatches.iter().map(Mismatch::to_string).collect();
    assert_eq!(mismatches, [""; 0], "{}: {:?}", scenario.name, checked.decision);
    assert!(*checked.decision.body() == *scenario.reply, "{}", scenario.name);
    assert_eq!(checked.decision.reply.is_err(), scenario.is_refused(), "{}", scenario.name);
}

#[test]
fn an_event_that_no_policy_answers_passes_no_case_unawares() {
    let check = |lines: &str| {
        let text = format!("source = 'PreAuthentication_Authentication'\nexpect.decision = 'allow'\n{lines}");
        let (_, case) = CaseFile::parse(&text, &|name| Err(name.to_owned())).cases.remove(0);
        case.check(&ALLOWING).unwrap().mismatches.iter().map(Mismatch::to_string).collect::<Vec<_>>()
    };
    assert_eq!(check(""), ["ran: no policy answers the event; where that is right, expect `ran = []`"]);
    assert_eq!(check("expect.ran = []"), [""; 0]);
    assert_eq!(check("expect.warnings = ['unmatched']"), [""; 0]);
}
