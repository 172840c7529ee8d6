//! `--watch` runs the cases again when something changes that they depend on, and outlives every mistake.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::probes::{SET, confirming, denying};
use crate::program::Cogwit;
use crate::support::{Folder, SIGN_UP};

/// A round of this build, on a machine that does other things too. A release build takes tens of milliseconds.
const BOUND: Duration = Duration::from_secs(10);

/// A `cogwit test --watch` that ends with the test.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watch {
    /// Starts it, and waits for the end of its first round.
    fn start(test: &Cogwit) -> (Self, String) {
        let (reader, writer) = io::pipe().unwrap();
        let mut process = test.process();
        let process = process.arg("--watch").stdin(Stdio::null());
        let child = process.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || BufReader::new(reader).lines().try_for_each(|line| sender.send(line.unwrap())));
        let watch = Self { child, lines };
        let first = watch.round();
        (watch, first)
    }

    /// What is said until the next wait for changes.
    fn round(&self) -> String {
        let mut told = String::new();
        let until = Instant::now() + BOUND;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with("waiting for changes") => return told,
                Ok(line) => told = told + &line + "\n",
                Err(error) => panic!("no end of a round: {error}\n{told}"),
            }
        }
    }

    /// Rounds until one has this text: a change in several steps may begin several.
    #[track_caller]
    fn until(&self, text: &str) -> String {
        let mut told = self.round();
        while !told.contains(text) {
            told += &self.round();
        }
        told
    }

    /// Nothing is said for a while.
    #[track_caller]
    fn rests(&self) {
        let said = self.lines.recv_timeout(Duration::from_millis(500));
        assert!(said.is_err(), "{said:?}");
    }
}

const CASE: &str =
    "source = 'PreSignUp_SignUp'\npolicies = ['deny']\nexpect = { decision = 'deny', message = 'not here' }\n";

fn folder() -> Folder {
    let folder = super::probes::set();
    folder.with("cases/it.toml", CASE)
}

/// Puts a new file in the place of the old one, as editors and builds do.
fn replace(folder: &Folder, file: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path("new"), bytes).unwrap();
    fs::rename(folder.path("new"), folder.path(file)).unwrap();
}

#[test]
fn a_change_of_a_case_a_component_or_a_set_begins_a_round() {
    let folder = folder();
    let (watch, first) = Watch::start(&folder.cogwit("test"));
    assert!(first.starts_with("ok    cases/it.toml\n1 passed in "), "{first}");
    watch.rests();

    let folder = folder.with("cases/it.toml", CASE.replace("not here", "nowhere!"));
    let told = watch.until("message: \"nowhere!\" expected, \"not here\" given");
    assert!(told.starts_with("\nit.toml changed\n"), "{told}");

    let folder = folder.with("deny.wasm", denying("nowhere!"));
    let told = watch.until("\nok    cases/it.toml\n");
    assert!(told.contains("\ndeny.wasm changed\n"), "{told}");
    replace(&folder, "deny.wasm", denying("too late"));
    let told = watch.until("message: \"nowhere!\" expected, \"too late\" given");
    assert!(told.contains("\ndeny.wasm changed\n"), "{told}");

    let set = folder.text("policies.toml");
    let folder = folder.with("policies.toml", set.replace("component = \"deny.wasm\"", "component = \"confirm.wasm\""));
    let told = watch.until("decision: \"deny\" expected, \"allow\" given");
    assert!(told.contains("\npolicies.toml changed\n"), "{told}");
    replace(&folder, "policies.toml", &set);
    watch.until("message: \"nowhere!\" expected, \"too late\" given");
    watch.rests();
}

#[test]
fn what_is_broken_is_told_and_once_it_is_mended_it_passes() {
    let folder = folder();
    let (watch, _) = Watch::start(&folder.cogwit("test"));

    let folder = folder.with("cases/it.toml", CASE.replace("message", "mesage"));
    watch.until("did you mean `message`?");
    let folder = folder.with("cases/it.toml", "source = [");
    watch.until("TOML parse error");
    let folder = folder.with("cases/it.toml", CASE);
    watch.until("\nok    cases/it.toml\n");

    let component = fs::read(folder.path("deny.wasm")).unwrap();
    let folder = folder.with("deny.wasm", &component[..component.len() / 2]);
    watch.until("the component is not valid here");
    fs::remove_file(folder.path("deny.wasm")).unwrap();
    watch.until("cannot read `deny.wasm`");
    let folder = folder.with("deny.wasm", component);
    watch.until("\nok    cases/it.toml\n");

    let folder = folder.with("policies.toml", "schema = ");
    watch.until("error cases/it.toml\n      `policies.toml`: TOML parse error");
    let folder = folder.with_set(SET);
    watch.until("\nok    cases/it.toml\n");
    drop(folder);
}

#[test]
fn files_and_folders_that_come_and_go_are_seen() {
    let folder = folder();
    let (watch, _) = Watch::start(&folder.cogwit("test"));
    let case = "policies = ['confirm']\nevent-file = 'event.json'\nexpect.decision = 'allow'\n";

    let folder = folder.with("deep/er/case.toml", case);
    watch.until("cannot read `deep/er/event.json`");
    let folder = folder.with("deep/er/event.json", SIGN_UP);
    watch.until("ok    deep/er/case.toml");

    fs::remove_dir_all(folder.path("deep")).unwrap();
    watch.until("\nok    cases/it.toml\n1 passed in ");
    let folder = folder.with("deep/er/case.toml", case).with("deep/er/event.json", SIGN_UP);
    watch.until("ok    deep/er/case.toml");
    let folder = folder.with("deep/er/case.toml", case.replace("allow", "deny"));
    watch.until("FAIL  deep/er/case.toml");
    drop(folder);
}

/// A component that lies elsewhere is watched too; and a path that is not there may come.
#[test]
fn what_lies_outside_of_the_searched_folders_is_watched() {
    let outside = Folder::new().with("it.wasm", confirming());
    let case =
        format!("source = 'PreSignUp_SignUp'\ncomponents = ['{}']\nexpect.decision = 'allow'", outside.path("it.wasm"));
    let folder = Folder::new();
    let (watch, first) = Watch::start(&folder.cogwit("test").arg("case.toml"));
    assert!(first.contains("cannot read `case.toml`"), "{first}");
    let folder = folder.with("case.toml", case);
    watch.until("ok    case.toml");
    let outside = outside.with("it.wasm", denying("not here"));
    watch.until("FAIL  case.toml");
    drop((folder, outside));
}

#[test]
fn results_that_go_to_a_file_beside_the_cases_begin_no_round() {
    let folder = folder();
    let mut process = folder.cogwit("test").process();
    let results = File::create(folder.path("cases/results.txt")).unwrap();
    let process = process.arg("--watch").stdout(results.try_clone().unwrap()).stderr(results);
    let (_, lines) = mpsc::channel();
    let watch = Watch { child: process.spawn().unwrap(), lines };
    let told = |rounds: usize| {
        let until = Instant::now() + BOUND;
        while folder.text("cases/results.txt").matches("waiting for changes").count() < rounds {
            assert!(Instant::now() < until, "{}", folder.text("cases/results.txt"));
            thread::sleep(Duration::from_millis(10));
        }
    };
    told(1);
    thread::sleep(Duration::from_millis(300));
    replace(&folder, "cases/it.toml", CASE);
    told(2);
    thread::sleep(Duration::from_millis(300));
    let text = folder.text("cases/results.txt");
    assert_eq!(text.matches("waiting for changes").count(), 2, "{text}");
    drop(watch);
}

#[test]
fn an_update_ends_when_everything_passes() {
    let folder = folder().with("cases/it.toml", CASE.replace("not here", "nowhere!"));
    let (watch, first) = Watch::start(&folder.cogwit("test").arg("--update"));
    assert!(first.contains("updated cases/it.toml: message"), "{first}");
    watch.until("\nok    cases/it.toml\n");
    watch.rests();
    assert!(folder.text("cases/it.toml").contains("message = \"not here\""));
}

#[test]
fn in_json_each_round_is_a_line() {
    let folder = folder();
    let (watch, first) = Watch::start(&folder.cogwit("test").args(["--format", "json"]));
    let passed = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["passed"].clone();
    assert_eq!((first.lines().count(), passed(&first)), (1, 1.into()));
    let _folder = folder.with("cases/it.toml", CASE.replace("not here", "nowhere!"));
    let told = watch.until("\"key\":\"message\"");
    assert_eq!(passed(told.lines().last().unwrap()), 0);
}
