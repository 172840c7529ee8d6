//! Runs every scenario through the core.

use cogwit_core::policy::SettingValue;
use cogwit_core::run::Chance;
use cogwit_core::store::{PolicySet, Source};
use cogwit_core::{Call, Outcome, decide};

use crate::scenario::{self, Scenario};
use crate::support::{DEFAULT, admit, reply};

fn set(scenario: &Scenario) -> PolicySet {
    let folder = scenario::policies_wasm();
    let source = match scenario.case.policies.as_slice() {
        [] => Source::Document(folder.join("policies.toml")),
        names => Source::Components(names.iter().map(|name| folder.join(format!("{name}.wasm"))).collect()),
    };
    let mut package = source.read().unwrap();
    for (path, value) in &scenario.case.settings {
        let (name, key) = path.rsplit_once('.').unwrap();
        let policy = package.document.policies.iter_mut().find(|policy| policy.name == name).unwrap();
        policy.settings.insert(key.to_owned(), SettingValue::Text(value.clone()));
    }
    admit(&package).unwrap()
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Allow | Outcome::Unmatched => "allow",
        Outcome::Deny => "deny",
        Outcome::Fault(_) => "fault",
        Outcome::EventRefused(_) => "event-refused",
    }
}

#[test]
fn every_scenario_has_its_decision_reply_and_warnings() {
    assert_eq!(DEFAULT.policies.len(), 3);
    let mut sets = Vec::new();
    for scenario in scenario::all() {
        let set = set(&scenario);
        let event = std::fs::read(&scenario.event).unwrap();
        let trigger = scenario.case.trigger.as_ref().map(|name| name.parse().unwrap());
        let decision =
            decide(&set, &Call { event: &event, id: scenario::ID, trigger, end: None, chance: Chance::real() });
        let name = &scenario.name;
        assert_eq!(word(&decision.outcome), scenario.case.decision, "{name}: {decision:?}");
        assert_eq!(String::from_utf8_lossy(&reply(&decision)), String::from_utf8_lossy(&scenario.reply), "{name}");
        let codes: Vec<_> = decision.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, scenario.case.warnings, "{name}");
        // Kept, so that their components are compiled once.
        sets.push(set);
    }
}
