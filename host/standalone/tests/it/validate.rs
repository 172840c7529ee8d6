//! Says whether a host would serve a set, and all that keeps it from that.

use snapbox::str;

use crate::cases::probes::{SET, confirming, denying, set};
use crate::program::{cogwit, is, json, stderr, stdout};
use crate::scenario;
use crate::support::{ALLOW, Folder, probe};

const CASES: &str = "source = 'PreSignUp_SignUp'\nexpect = { decision = 'deny', fault = 'trap' }\n\
                     [[case]]\nname = 'denies'\n[[case]]\nname = 'says so'\nexpect.message = 'not here'\n";

/// The set `it`, whose last policy has cases.
fn tested(tests: &str) -> Folder {
    set().with_set(&format!("{SET}tests = {tests}\n")).with("cases/smoke.toml", CASES)
}

#[test]
fn a_set_whose_cases_pass_is_admitted() {
    let folder = tested("['cases/*.toml']");
    folder.cogwit("validate").arg(".").ends(0).stderr_eq("").stdout_eq(str![[r#"
.: the set `it`
  confirm  [..]  answers pre-sign-up
  verify   [..]  answers pre-sign-up
  broken   [..]  answers pre-sign-up
  deny     [..]  answers pre-sign-up
  warning: policy `broken`: `on-fault` is "allow", so whoever can make it fault gets past it at `pre-sign-up`
admitted: a host would serve it, 2 cases passed

"#]]);
    let ended = folder.cogwit("validate").args(["policies.toml", "--format", "json"]).ends(0).stderr_eq("");
    is(
        serde_json::to_string_pretty(&json(&ended)).unwrap(),
        str![[r#"
{
  "admitted": true,
  "cases": 2,
  "policies": [
    {
      "candidate": null,
      "mode": "enforce",
      "name": "confirm",
      "sha256": "[..]",
      "triggers": [
        "pre-sign-up"
      ]
    },
    {
      "candidate": null,
      "mode": "enforce",
      "name": "verify",
      "sha256": "[..]",
      "triggers": [
        "pre-sign-up"
      ]
    },
    {
      "candidate": null,
      "mode": "enforce",
      "name": "broken",
      "sha256": "[..]",
      "triggers": [
        "pre-sign-up"
      ]
    },
    {
      "candidate": null,
      "mode": "enforce",
      "name": "deny",
      "sha256": "[..]",
      "triggers": [
        "pre-sign-up"
      ]
    }
  ],
  "problems": [],
  "set": "it",
  "source": "policies.toml",
  "warnings": [
    {
      "policy": "broken",
      "text": "`on-fault` is \"allow\", so whoever can make it fault gets past it at `pre-sign-up`"
    }
  ]
}
"#]],
    );
}

#[test]
fn the_default_set_and_a_bare_component_are_admitted() {
    let told = |source: &str| {
        let ended = cogwit("validate").folder(&scenario::policies_wasm()).arg(source).ends(0).stderr_eq("");
        stdout(&ended)
    };
    assert!(told(".").ends_with("\nadmitted: a host would serve it, no cases to pass\n"), "{}", told("."));
    let warned = told("auto-confirm-domain.wasm");
    assert!(warned.contains("\n  warning: policy `auto-confirm-domain`: `domains` is empty"), "{warned}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let lines = r#"
[limits]
fuel = "lots"
deadlin = "1 s"

[[policy]]
name = "digest"
component = "confirm.wasm"
sha256 = "abc"
test = ["cases/*.toml"]

[[policy]]
name = "missing"
component = "missing.wasm"
tests = ["cases/none-*.toml"]

[[policy]]
name = "import"
component = "import.wasm"
tests = ["cases/broken.toml"]

[[policy]]
name = "settings"
component = "deny-short-username.wasm"
settings = { minimum-length = "five" }
"#;
    let folder = Folder::new()
        .with("confirm.wasm", confirming())
        .with("import.wasm", probe(&format!("(drop (call $random)) {ALLOW}")))
        .with("cases/broken.toml", "source = 'PreSignUp_SignUp'\nexpect.desicion = 'allow'")
        .with_set(lines);
    folder.cogwit("validate").arg(".").ends(4).stderr_eq("").stdout_eq(str![[r#"
.: the set `it`
  refused: TOML parse error at line 8, column 1
      |
    8 | deadlin = "1 s"
      | ^^^^^^^
    unknown field `deadlin`, expected one of `fuel`, `deadline`, `chain-deadline`, `memory`, `output`, `log-lines`, `log-bytes`
    did you mean `deadline`?
  refused: TOML parse error at line 14, column 1
       |
    14 | test = ["cases/*.toml"]
       | ^^^^
    unknown field `test`, expected one of `name`, `component`, `sha256`, `settings`, `triggers`, `when`, `mode`, `on-fault`, `limits`, `capabilities`, `candidate`, `tests`
    did you mean `tests`?
  refused: limit `fuel` is `lots`: write a number such as `10_000_000`
  refused: policy `digest`: `confirm.wasm` has the digest [..], but `sha256` says abc: restore the file, or write the digest anew with `cogwit pack`
  refused: policy `missing`: cannot read `./missing.wasm`: No such file or directory (os error 2); check the path
  refused: policy `import`: `import.wasm`: it imports `wasi:random/random@0.2.6`, which is not granted: if it may have it, add `capabilities = ["random"]` to the policy
  refused: policy `settings`: its settings are refused: `minimum-length` is `five`: write a value such as `5`
  refused: policy `missing`: `cases/none-*.toml`: `tests` names no file: correct it, or add the cases
  refused: policy `import`: `cases/broken.toml`: TOML parse error at line 2, column 8
      |
    2 | expect.desicion = 'allow'
      |        ^^^^^^^^
    unknown field `desicion`, expected one of `decision`, `message`, `reason`, `response`, `exact-response`, `reply`, `reply-file`, `warnings`, `fault`, `ran`, `log`, `max-fuel`, `max-memory`, `forbidden-imports`
    did you mean `decision`?
  refused: policy `import`: `cases/broken.toml`: case 1: it expects nothing: write `expect = { decision = "allow" }`
refused: 10 things are wrong

"#]]);
    let ended = folder.cogwit("validate").args([".", "--format", "json"]).ends(4).stderr_eq("");
    is(
        serde_json::to_string_pretty(&json(&ended)).unwrap(),
        str![[r#"
{
  "admitted": false,
  "cases": 0,
  "policies": [],
  "problems": [
    {
      "policy": null,
      "text": "TOML parse error at line 8, column 1\n  |\n8 | deadlin = \"1 s\"\n  | ^^^^^^^\nunknown field `deadlin`, expected one of `fuel`, `deadline`, `chain-deadline`, `memory`, `output`, `log-lines`, `log-bytes`\ndid you mean `deadline`?"
    },
    {
      "policy": null,
      "text": "TOML parse error at line 14, column 1\n   |\n14 | test = [\"cases/*.toml\"]\n   | ^^^^\nunknown field `test`, expected one of `name`, `component`, `sha256`, `settings`, `triggers`, `when`, `mode`, `on-fault`, `limits`, `capabilities`, `candidate`, `tests`\ndid you mean `tests`?"
    },
    {
      "policy": null,
      "text": "limit `fuel` is `lots`: write a number such as `10_000_000`"
    },
    {
      "policy": "digest",
      "text": "`confirm.wasm` has the digest [..], but `sha256` says abc: restore the file, or write the digest anew with `cogwit pack`"
    },
    {
      "policy": "missing",
      "text": "cannot read `./missing.wasm`: No such file or directory (os error 2); check the path"
    },
    {
      "policy": "import",
      "text": "`import.wasm`: it imports `wasi:random/random@0.2.6`, which is not granted: if it may have it, add `capabilities = [\"random\"]` to the policy"
    },
    {
      "policy": "settings",
      "text": "its settings are refused: `minimum-length` is `five`: write a value such as `5`"
    },
    {
      "policy": "missing",
      "text": "`cases/none-*.toml`: `tests` names no file: correct it, or add the cases"
    },
    {
      "policy": "import",
      "text": "`cases/broken.toml`: TOML parse error at line 2, column 8\n  |\n2 | expect.desicion = 'allow'\n  |        ^^^^^^^^\nunknown field `desicion`, expected one of `decision`, `message`, `reason`, `response`, `exact-response`, `reply`, `reply-file`, `warnings`, `fault`, `ran`, `log`, `max-fuel`, `max-memory`, `forbidden-imports`\ndid you mean `decision`?"
    },
    {
      "policy": "import",
      "text": "`cases/broken.toml`: case 1: it expects nothing: write `expect = { decision = \"allow\" }`"
    }
  ],
  "set": "it",
  "source": ".",
  "warnings": []
}
"#]],
    );
    // What a host says that is asked to serve it.
    let refused = stderr(&folder.run().ends(4));
    assert!(refused.contains("did you mean `deadline`?") && refused.contains("import"), "{refused}");
}

/// Only an admitted set can decide a case.
#[test]
fn every_case_that_does_not_pass_is_told() {
    let cases = format!(
        "{CASES}
        [[case]]\nname = 'fails'\nexpect = {{ message = 'nothing', ran = [], log = ['good night'] }}
        [[case]]\nname = 'of another set'\nset = '..'
        [[case]]\nname = 'of no policy'\nsettings.denied.a = 1
        [[case]]\nname = 'broken'\nexpect.mesage = 'a'\n"
    );
    let folder = tested("['cases/*.toml', 'cases/none.toml']").with("cases/smoke.toml", cases);
    folder.cogwit("validate").arg(".").ends(4).stderr_eq("").stdout_eq(str![[r#"
.: the set `it`
  confirm  [..]  answers pre-sign-up
  verify   [..]  answers pre-sign-up
  broken   [..]  answers pre-sign-up
  deny     [..]  answers pre-sign-up
  warning: policy `broken`: `on-fault` is "allow", so whoever can make it fault gets past it at `pre-sign-up`
  refused: policy `deny`: `cases/smoke.toml`: TOML parse error at line 20, column 8
       |
    20 | expect.mesage = 'a'
       |        ^^^^^^
    unknown field `mesage`, expected one of `decision`, `message`, `reason`, `response`, `exact-response`, `reply`, `reply-file`, `warnings`, `fault`, `ran`, `log`, `max-fuel`, `max-memory`, `forbidden-imports`
    did you mean `message`?
  refused: policy `deny`: `cases/none.toml`: `tests` names no file: correct it, or add the cases
  refused: policy `deny`: `cases/smoke.toml`: fails: message: "nothing" expected, "not here" given
  refused: policy `deny`: `cases/smoke.toml`: fails: ran: [] expected, ["confirm","verify","broken","deny"] given
  refused: policy `deny`: `cases/smoke.toml`: fails: log: no line has ["good night"]
  refused: policy `deny`: `cases/smoke.toml`: of another set: it names other policies, but `tests` are of this set: remove the key, or the case
  refused: policy `deny`: `cases/smoke.toml`: of no policy: no policy has the name `denied`, the set has `confirm`, `verify`, `broken`, `deny`
refused: 7 things are wrong

"#]]);
}

#[test]
fn a_case_may_lay_settings_and_variables_over_the_set() {
    let set = "\n[[policy]]\nname = \"short\"\ncomponent = \"deny-short-username.wasm\"\ntests = [\"short.toml\"]\n\
               settings = { minimum-length = { env = \"COGWIT_SECRET_X\" } }\n";
    let cases = "source = 'PreSignUp_SignUp'\nwith = { userName = 'rroe' }\n\
                 [[case]]\nname = 'as it is'\nexpect.decision = 'allow'\n\
                 [[case]]\nname = 'longer'\nenv.COGWIT_SECRET_X = '5'\nexpect.decision = 'deny'\n\
                 [[case]]\nname = 'longer, too'\nsettings.short.minimum-length = 5\nexpect.decision = 'deny'\n";
    let folder = Folder::new().with_set(set).with("short.toml", cases);
    let validated = || folder.cogwit("validate").arg(".");
    let told = stdout(&validated().env("COGWIT_SECRET_X", "3").ends(0));
    assert!(told.ends_with("\nadmitted: a host would serve it, 3 cases passed\n"), "{told}");
    let told = stdout(&validated().env("COGWIT_SECRET_X", "127").ends(4));
    assert!(told.contains("`short.toml`: as it is: decision: \"allow\" expected, \"deny\" given"), "{told}");
    let told = stdout(&validated().ends(4));
    assert!(told.contains("`COGWIT_SECRET_X`, which is not set"), "{told}");
}

#[test]
fn the_caps_of_the_host_count() {
    let folder = set().with_set(&format!("{SET}limits = {{ fuel = 1_001 }}\n"));
    let validated = || folder.cogwit("validate").arg("policies.toml");
    validated().ends(0);
    let told = stdout(&validated().env("COGWIT_MAX_FUEL", "1_000").ends(4));
    assert!(told.contains("refused: policy `deny`: limit `fuel` is `1001`, but this host allows `1000`"), "{told}");
    validated().env("COGWIT_MAX_FUEL", "lots").ends(2).stdout_eq("");
}

#[test]
fn what_is_no_set_at_all() {
    let folder = Folder::new()
        .with("broken.toml", "schema = 1\n[set")
        .with("newer.toml", "schema = 2")
        .with("a.wasm", denying("not here"));
    let told = |source: &str| folder.cogwit("validate").arg(source).ends(4).stdout_eq("");
    told("missing").stderr_eq(str![[r#"
error: `missing` is no policy set: name a folder with a policies.toml, a policies.toml, or a .wasm file

"#]]);
    told("missing.toml").stderr_eq(str![[r#"
error: cannot read `missing.toml`: No such file or directory (os error 2); check the path

"#]]);
    told("broken.toml").stderr_eq(str![[r#"
error: `broken.toml`: TOML parse error at line 2, column 5
  |
2 | [set
  |     ^
unclosed table, expected `]`

"#]]);
    told("newer.toml").stderr_eq(str![[r#"
error: `newer.toml`: `schema` is 2, but this version of cogwit reads 1: write `schema = 1`, or use a newer cogwit

"#]]);
    folder.cogwit("validate").arg("a.wasm").ends(0);
    folder.cogwit("validate").ends(2).stdout_eq("");
}
