//! Runs every scenario through `cogwit run`.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use cogwit_core::case::ID;
use cogwit_core::policy::SettingValue;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::program::{Cogwit, cogwit, stderr, stdout};
use crate::scenario::{self, Scenario};

fn command(scenario: &Scenario) -> Cogwit {
    let case = &scenario.case;
    let mut command = cogwit("run").arg(&scenario.event).args(["--id", ID]);
    match (scenario.set(), scenario.components()) {
        (Some(set), _) => command = command.arg("--policies").arg(set),
        (None, None) => command = command.arg("--policies").arg(scenario::policies_wasm()),
        (None, Some(files)) => {
            for file in files {
                command = command.arg("--policy").arg(file);
            }
        }
    }
    for (policy, settings) in &case.settings {
        for (key, value) in settings {
            let SettingValue::Text(value) = value else { panic!("{}: a plain value", scenario.name) };
            command = command.arg("--setting").arg(format!("{policy}.{key}={value}"));
        }
    }
    if let Some(seed) = case.seed {
        command = command.arg(format!("--seed={seed}"));
    }
    match &case.trigger {
        Some(trigger) => command.args(["--trigger", trigger.name()]),
        None => command,
    }
}

fn decision(scenario: &Scenario) -> &str {
    scenario.case.expect.decision.as_deref().unwrap()
}

fn warnings(scenario: &Scenario) -> &[String] {
    scenario.case.expect.warnings.as_deref().unwrap()
}

/// The exit code, as `cogwit run --help` has it: a policy that broke counts, whatever was answered.
fn code(scenario: &Scenario) -> i32 {
    match decision(scenario) {
        _ if scenario.case.expect.fault.is_some() => 3,
        "allow" => 0,
        "deny" => 1,
        "fault" => 3,
        "event-refused" => 4,
        other => panic!("`{other}` is no decision"),
    }
}

fn check(scenario: &Scenario) {
    let Scenario { name, reply, .. } = scenario;
    println!("{name}");
    let ended = command(scenario).ends(code(scenario));
    assert_eq!(stdout(&ended), String::from_utf8_lossy(reply), "{name}");

    let report = stderr(&ended);
    scenario.is_secret_in(&report);
    let word = match decision(scenario) {
        "event-refused" => "error: ".to_owned(),
        word => format!("{word}: "),
    };
    assert!(report.lines().any(|line| line.starts_with(&word)), "{name}: no `{word}` in\n{report}");
    assert!(report.contains("\nthe caller sees: "), "{name}: {report}");
    let of_decision = report.lines().filter_map(|line| line.strip_prefix("warning: "));
    let codes: Vec<_> =
        of_decision.filter(|it| !it.starts_with("policy `")).map(|it| it.split(':').next().unwrap()).collect();
    assert_eq!(codes, warnings(scenario), "{name}: {report}");
}

#[test]
fn every_scenario_has_its_reply_exit_code_and_report() {
    let scenarios = scenario::all();
    // Each process compiles its components, so two at a time, and of the scenarios of one set a single one for each decision.
    let mut seen = BTreeSet::new();
    let mut is_first = |it: &Scenario| it.case.set.is_none() || seen.insert((it.set(), decision(it).to_owned()));
    let scenarios: Vec<_> = scenarios.iter().filter(|it| is_first(it)).collect();
    thread::scope(|scope| {
        for first in [0, 1] {
            let half = scenarios.iter().skip(first).step_by(2);
            scope.spawn(move || half.for_each(|scenario| check(scenario)));
        }
    });
}

#[test]
fn cogwit_test_passes_every_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let ended = cogwit("test").arg(folder).arg("--policies").arg(scenario::policies_wasm()).ends(0).stderr_eq("");
    let told = stdout(&ended);
    assert_eq!(told.lines().filter(|line| line.starts_with("ok    ")).count(), scenario::all().len(), "{told}");
}

/// What `--format json` prints, as far as a scenario says it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    decision: String,
    id: String,
    trigger: Option<String>,
    #[serde(borrow)]
    reply: &'a RawValue,
    caller_sees: Option<String>,
    error: Option<String>,
    policies: Vec<Policy>,
    warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Policy {
    name: String,
    verdict: String,
    fuel: u64,
}

#[derive(Deserialize)]
struct Warning {
    code: String,
}

fn check_json(name: &str) {
    let scenarios = scenario::all();
    let scenario = scenarios.iter().find(|scenario| scenario.name == name).unwrap();
    let Scenario { reply, .. } = scenario;
    let ended = command(scenario).args(["--format", "json"]).ends(code(scenario)).stderr_eq("");
    let text = stdout(&ended);
    let report: Report<'_> = serde_json::from_str(&text).unwrap();

    // A JSON value has no blanks around it; within it every byte is the reply's.
    assert_eq!(report.reply.get().as_bytes(), reply.trim_ascii(), "{name}");
    assert_eq!((report.decision.as_str(), report.id.as_str()), (decision(scenario), ID), "{name}");
    let codes: Vec<_> = report.warnings.into_iter().map(|it| it.code).filter(|code| code != "admission").collect();
    assert_eq!(codes, warnings(scenario), "{name}");
    let trigger = name.split('/').next().filter(|_| decision(scenario) != "event-refused");
    assert_eq!(report.trigger.as_deref(), trigger, "{name}");
    assert_eq!(report.caller_sees.is_some(), decision(scenario) != "allow", "{name}");
    assert_eq!(report.error.is_some(), matches!(decision(scenario), "fault" | "event-refused"), "{name}");
    assert!(report.policies.iter().all(|policy| policy.fuel > 0), "{name}");
    if decision(scenario) == "deny" {
        let last = report.policies.last().unwrap();
        assert!(last.verdict == "deny" && !last.name.is_empty(), "{name}");
    }
}

#[test]
fn an_allowed_event_is_whole_in_json() {
    check_json("pre-sign-up/odd-bytes");
    check_json("pre-sign-up/auto-confirm-verify-seed");
    check_json("pre-authentication/unmatched");
}

#[test]
fn a_denial_a_fault_and_a_refused_event_are_told_apart_in_json() {
    check_json("pre-sign-up/deny-short-username-setting");
    check_json("pre-sign-up/chain-first-denial-ends-it");
    check_json("pre-sign-up/chain-later-wins");
    check_json("pre-sign-up/refused-unknown-source");
}
