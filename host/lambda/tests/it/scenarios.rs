//! Runs every scenario through the Lambda host: the policies of one set in one process, one event after the other.

use std::collections::BTreeMap;

use cogwit_core::case::ID;
use cogwit_core::policy::SettingValue;
use serde_json::Value;

use crate::host::Host;
use crate::package::Package;
use crate::scenario::{self, Scenario};

fn settings(scenario: &Scenario) -> BTreeMap<String, toml::Table> {
    let text = |value: &SettingValue| match value {
        SettingValue::Text(text) => toml::Value::from(text.clone()),
        SettingValue::Env(_) => panic!("{}: a plain value", scenario.name),
    };
    let table =
        |of: &BTreeMap<String, SettingValue>| of.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    scenario.case.settings.iter().map(|(policy, settings)| (policy.clone(), table(settings))).collect()
}

fn package(scenario: &Scenario) -> Package {
    if let Some(set) = scenario.set() {
        return Package::of_set(set);
    }
    let settings = settings(scenario);
    let Some(components) = scenario.components() else { return Package::of_default(&settings) };
    let names: Vec<_> = components.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    Package::of_shipped(&names, &settings)
}

#[test]
fn every_scenario_has_its_reply() {
    let scenarios = scenario::all();
    for scenarios in scenario::groups(&scenarios) {
        let variables = scenarios[0].case.trigger.map(|trigger| ("COGWIT_TRIGGER", trigger.name()));
        let host = Host::with(&package(scenarios[0]), variables.as_slice());
        scenarios.iter().for_each(|scenario| check(&host, scenario));
        let written = [host.stdout(), host.stderr()].concat();
        scenarios.iter().for_each(|scenario| scenario.is_secret_in(&written));
    }
}

fn check(host: &Host, scenario: &Scenario) {
    let Scenario { name, reply, .. } = scenario;
    let expect = &scenario.case.expect;
    let decision = expect.decision.as_deref().unwrap();
    if decision == "deny" && scenario.is_refused() {
        let reply: Value = serde_json::from_slice(reply).unwrap();
        host.api.declare(reply["errorMessage"].as_str().unwrap());
    }
    let mut invocation = host.invocation(std::fs::read(&scenario.event).unwrap());
    invocation.id = ID.to_owned();
    let answer = host.answer(invocation);
    let reply = scenario.without_nonces(&String::from_utf8_lossy(reply));
    assert_eq!(scenario.without_nonces(answer.text()), reply, "{name}");
    let (path, error_type) = match decision {
        _ if !scenario.is_refused() => ("response", None),
        "deny" => ("error", Some("Function.PolicyDenied")),
        "fault" => ("error", Some("Function.PolicyFault")),
        _ => ("error", Some("Function.EventRefused")),
    };
    assert_eq!(
        (answer.path.as_str(), answer.error_type()),
        (&*format!("invocation/{ID}/{path}"), error_type),
        "{name}"
    );
    assert_eq!(answer.headers["content-type"], "application/json", "{name}");

    let record = host.record(ID);
    let codes: Vec<_> =
        record["warnings"].as_array().into_iter().flatten().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, expect.warnings.as_deref().unwrap(), "{name}");
    assert_eq!(record["decision"], decision, "{name}");
    let trigger = if decision == "event-refused" { "none" } else { name.split('/').next().unwrap() };
    assert!(record["trigger"] == trigger || decision == "event-refused", "{name}: {record}");
}
