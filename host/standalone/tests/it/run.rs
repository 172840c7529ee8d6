//! Decides events from everywhere, by sets of every kind, and ends as documented.

use snapbox::str;

use crate::program::{Cogwit, cogwit, json, stderr, stdout};
use crate::support::{ALLOW, CONFIRMED, Folder, SIGN_IN, SIGN_UP, component, probe};

const EXAMPLE: &str = include_str!("../../src/example.json");

#[test]
fn the_built_in_example_is_confirmed_by_the_built_in_set() {
    let ended = cogwit("run").ends(0).stderr_eq(str![[r#"
allow: pre-sign-up by the set `cogwit-default`
  deny-short-username  allow, nothing set  ([..] fuel, [..]iB, [..] us)
  auto-confirm-domain  allow, autoConfirmUser = true  ([..] fuel, [..]iB, [..] us)
the caller sees: no message, the operation goes on

"#]]);
    let confirmed = EXAMPLE.replace("\"autoConfirmUser\": false", "\"autoConfirmUser\": true");
    assert_ne!(confirmed, EXAMPLE);
    assert_eq!(stdout(&ended), confirmed);
}

#[test]
fn an_event_comes_from_a_file_or_from_standard_input() {
    let folder = Folder::new().with("event.json", SIGN_UP);
    let by = component("auto-confirm-domain");
    let ended = folder.cogwit("run").arg("event.json").arg("--policy").arg(&by).ends(0);
    assert_eq!(stdout(&ended), CONFIRMED);
    let ended = cogwit("run").arg("-").arg("--policy").arg(&by).stdin(SIGN_UP).ends(0);
    assert_eq!(stdout(&ended), CONFIRMED);
}

#[test]
fn standard_output_is_the_reply_and_nothing_else() {
    // Blanks around it, and too deep for a recursive parser.
    let deep = format!("\"deep\":{}{}}}\n\n", "[".repeat(10_000), "]".repeat(10_000));
    let event = format!("  {}", SIGN_UP.replace("\"response\":{}}", &deep));
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let ended = folder.cogwit("run").args(["-", "--policy", "it.wasm"]).stdin(event.as_str()).ends(0);
    assert_eq!(stdout(&ended), event);
}

#[test]
fn a_set_is_a_folder_a_document_or_a_component() {
    let folder = Folder::new().with_set(
        r#"
[[policy]]
name = "confirm"
component = "auto-confirm-domain.wasm"
"#,
    );
    for (source, set, policy) in [
        (".", "it", "confirm"),
        ("policies.toml", "it", "confirm"),
        ("auto-confirm-domain.wasm", "components", "auto-confirm-domain"),
    ] {
        let run = folder.cogwit("run").args(["-", "--format", "json", "--policies", source]).stdin(SIGN_UP);
        let report = json(&run.ends(0));
        assert_eq!((&report["set"], &report["policies"][0]["name"]), (&set.into(), &policy.into()), "{source}");
        assert_eq!(report["reply"]["response"]["autoConfirmUser"], true, "{source}");
        assert_eq!(report["policies"][0]["set"], serde_json::json!({ "autoConfirmUser": true }), "{source}");
    }
}

#[test]
fn components_run_in_the_order_of_the_command_line() {
    let folder = Folder::new().with("a.wasm", probe(ALLOW)).with("b.wasm", probe(ALLOW));
    for order in [["a", "b"], ["b", "a"]] {
        let run = folder.cogwit("run").args(["--format", "json"]);
        let run = order.iter().fold(run, |run, name| run.arg(format!("--policy={name}.wasm")));
        let report = json(&run.ends(0));
        let ran: Vec<_> = report["policies"].as_array().unwrap().iter().map(|policy| &policy["name"]).collect();
        assert_eq!(ran, order);
    }
}

/// An event that does not say its trigger, and a set that answers two.
fn of_no_trigger() -> Cogwit {
    cogwit("run").args(["-", "--format", "json", "--policy"]).arg(component("access-gate")).stdin("{}")
}

#[test]
fn the_trigger_comes_from_the_event_then_the_command_line_then_the_environment() {
    let trigger = |run: Cogwit| json(&run.ends(0))["trigger"].clone();
    let variable = ("COGWIT_TRIGGER", "pre-authentication");
    let argument = ["--trigger", "pre-sign-up"];

    assert_eq!(trigger(of_no_trigger().env(variable.0, variable.1)), "pre-authentication");
    assert_eq!(trigger(of_no_trigger().args(argument)), "pre-sign-up");
    let both = of_no_trigger().args(argument).env(variable.0, variable.1);
    assert_eq!(trigger(both), "pre-sign-up");
    let all = of_no_trigger().args(argument).stdin(SIGN_IN);
    assert_eq!(trigger(all), "pre-authentication");
}

#[test]
fn the_trigger_of_a_set_that_answers_one_needs_no_word() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let run = folder.cogwit("run").args(["-", "--policy", "it.wasm"]).stdin("{}");
    let report = stderr(&run.ends(0).stdout_eq("{}"));
    assert!(report.starts_with("allow: pre-sign-up by the set `components`\n"), "{report}");
}

#[test]
fn the_id_is_as_given_or_new_each_time() {
    let folder = Folder::new().with("it.wasm", probe(ALLOW));
    let message = |args: &[&str]| {
        let run = folder.cogwit("run").args(["-", "--format", "json", "--policy", "it.wasm"]);
        let report = json(&run.args(args).stdin("[]").ends(4));
        let sentence = report["reply"]["errorMessage"].as_str().unwrap().to_owned();
        assert!(sentence.ends_with(report["id"].as_str().unwrap()), "{report}");
        sentence
    };
    assert_eq!(message(&["--id", "req-7731"]), "The request could not be completed, reference req-7731");
    assert_ne!(message(&[]), message(&[]));
}

#[test]
fn an_event_that_no_policy_answers_is_told() {
    let set = |unmatched: &str| {
        let set = format!("{unmatched}\n[[policy]]\nname = \"it\"\ncomponent = \"it.wasm\"\n");
        Folder::new().with("it.wasm", probe(ALLOW)).with_set(&set)
    };
    let ended = set("").run().arg("-").stdin(SIGN_IN).ends(0);
    assert_eq!(stdout(&ended), SIGN_IN);
    ended.stderr_eq(str![[r#"
allow: pre-authentication by the set `it`
warning: unmatched: no policy of the set `it` answers this event of `pre-authentication`
the caller sees: no message, the operation goes on

"#]]);
    let report = json(&set("unmatched = \"fault\"").run().args(["-", "--format", "json"]).stdin(SIGN_IN).ends(3));
    assert_eq!(report["error"], "no policy of the set `it` answers this event of `pre-authentication`");
    assert_eq!(report["policies"].as_array().map(Vec::len), Some(0));
}
