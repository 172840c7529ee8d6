//! Runs every scenario through the server: over the Invoke API and over the plain one.

use std::fmt::Write;
use std::{fs, thread};

use cogwit_core::case::ID;
use cogwit_core::policy::SettingValue;

use crate::http::{Answer, Request};
use crate::program::cogwit;
use crate::scenario::{self, Scenario};
use crate::server::{PATIENT, Server};
use crate::support::Folder;

/// The set that decides a scenario which names none.
fn set(scenario: &Scenario) -> Folder {
    let Some(components) = scenario.components() else {
        let text = fs::read_to_string(scenario::policies_wasm().join("policies.toml")).unwrap();
        let (_, policies) = text.split_once("[[policy]]").unwrap();
        return Folder::new().with_set(&format!("{PATIENT}[[policy]]{policies}"));
    };
    let names = components.iter().map(|file| file.file_stem().unwrap().to_str().unwrap());
    let mut lines = PATIENT.to_owned();
    for name in names {
        writeln!(lines, "[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\n[policy.settings]").unwrap();
        for (key, value) in scenario.case.settings.get(name).into_iter().flatten() {
            let SettingValue::Text(value) = value else { panic!("{}: a plain value", scenario.name) };
            writeln!(lines, "{key} = '{value}'").unwrap();
        }
    }
    Folder::new().with_set(&lines)
}

fn check_all(scenarios: &[&Scenario]) {
    let first = scenarios[0];
    let (folder, serve);
    match first.set() {
        Some(set) => serve = cogwit("serve").arg("--policies").arg(set).env("COGWIT_CACHE", "off"),
        None => {
            folder = set(first);
            serve = folder.serve();
        }
    }
    let server = Server::start(serve.envs(first.case.trigger.map(|trigger| ("COGWIT_TRIGGER", trigger.name()))));
    for scenario in scenarios {
        let event = fs::read(&scenario.event).unwrap();
        check(scenario, &server, &server.invoke("my-trigger%3Alive", &event), false);
        check(scenario, &server, &server.ask(&Request::post("/decide", &event)), true);
    }
}

fn check(scenario: &Scenario, server: &Server, answer: &Answer, plain: bool) {
    let Scenario { name, reply, case, .. } = scenario;
    let (decision, id) = (case.expect.decision.as_deref().unwrap(), answer.id());
    let reply = String::from_utf8(reply.clone()).unwrap();
    let reply = scenario.without_nonces(&reply).replace(&format!("reference {ID}"), &format!("reference {id}"));
    assert_eq!(scenario.without_nonces(&answer.text()), reply, "{name}");
    let (status, error) = match decision {
        _ if !scenario.is_refused() => (200, None),
        "deny" => (403, Some("Unhandled")),
        "fault" => (500, Some("Unhandled")),
        "event-refused" => (400, Some("Unhandled")),
        other => panic!("`{other}` is no decision"),
    };
    assert_eq!(answer.status, if plain { status } else { 200 }, "{name}");
    assert_eq!(answer.header("x-amz-function-error"), error, "{name}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");

    let record = server.record(&id);
    scenario.is_secret_in(&record.to_string());
    assert_eq!(record["decision"], decision, "{name}: {record}");
    let warnings = record["warnings"].as_array().into_iter().flatten();
    let codes: Vec<_> = warnings.map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, case.expect.warnings.as_deref().unwrap(), "{name}");
    let trigger = name.split('/').next().unwrap();
    assert!(decision == "event-refused" || record["trigger"] == trigger, "{name}: {record}");
    assert_eq!(record["function"], if plain { "cogwit" } else { "my-trigger" }, "{name}");
}

#[test]
fn every_scenario_has_its_reply_status_and_record() {
    let scenarios = scenario::all();
    let groups = scenario::groups(&scenarios);
    // Each server compiles its components, so two at a time.
    thread::scope(|scope| {
        for first in [0, 1] {
            let half = groups.iter().skip(first).step_by(2);
            scope.spawn(move || half.for_each(|scenarios| check_all(scenarios)));
        }
    });
}
