//! `--update` writes what came into the expectations, and leaves everything else as it stands.

use snapbox::str;

use super::probes::set;
use crate::program::is;
use crate::support::Folder;

const CASES: &str = r#"# What every case has.
source = "PreSignUp_SignUp"

[[case]]
name = "denied" # a short name
policies = ["deny"]

  [case.expect]
  # by the policy
  decision = "allow"   # not yet
  message  = "what?"
  reason   = 'why?'
  reply = 'what?'
  response = { autoConfirmUser = true }
  reply-file = "denied.json" # beside this
  max-fuel = 1 # tight
  max-memory = "1 KiB"
  ran = [
    "confirm", # first
  ]

[[case]]
name = "confirmed"
policies = ["confirm"]
expect.decision = "allow"
expect.response = { autoConfirmUser = false, autoVerifyEmail = true }

[[case]]
name = "in other words"
policies = ["verify"]
expect = { decision = "deny", message = "no", exact-response = '''{"autoConfirmUser": null}''', warnings = [] }

[[case]]
name = "passes"
policies = ["confirm"]
expect = { decision = 'allow' }   # untouched

[[case]]
name = "broke"
policies = ["broken"]
expect.decision = 'allow'
# The end.
"#;

#[test]
fn what_came_is_written_and_the_rest_stays() {
    let folder = set().with("cases/it.toml", CASES).with("cases/denied.json", "{}\n");
    folder.cogwit("test").arg("--update").ends(0).stderr_eq(str![[r#"
updated cases/it.toml: denied: decision, message, reason, response, reply, reply-file, ran, max-fuel, max-memory
updated cases/it.toml: confirmed: response
updated cases/it.toml: in other words: decision, message, exact-response, warnings
updated cases/it.toml: broke: fault

"#]]);
    is(
        folder.text("cases/it.toml"),
        str![[r##"
# What every case has.
source = "PreSignUp_SignUp"

[[case]]
name = "denied" # a short name
policies = ["deny"]

  [case.expect]
  # by the policy
  decision = "deny"   # not yet
  message  = "not here"
  reason   = "too soon"
  reply = '{"errorType":"Function.PolicyDenied","errorMessage":"not here"}'
  reply-file = "denied.json" # beside this
  max-fuel = 61 # tight
  max-memory = 65544
  ran = ["deny"]

[[case]]
name = "confirmed"
policies = ["confirm"]
expect.decision = "allow"
expect.response = { autoConfirmUser = true, autoVerifyEmail = false }

[[case]]
name = "in other words"
policies = ["verify"]
expect = { decision = "allow", exact-response = '{"autoConfirmUser":true,"autoVerifyEmail":true,"autoVerifyPhone":false}', warnings = ["moves-alias"] }

[[case]]
name = "passes"
policies = ["confirm"]
expect = { decision = 'allow' }   # untouched

[[case]]
name = "broke"
policies = ["broken"]
expect.decision = 'allow'
expect.fault = "trap"
# The end.

"##]],
    );
    is(folder.text("cases/denied.json"), str![[r#"{"errorType":"Function.PolicyDenied","errorMessage":"not here"}"#]]);
    folder.cogwit("test").ends(0).stderr_eq("");
    let updated = folder.text("cases/it.toml");
    folder.cogwit("test").arg("--update").ends(0).stderr_eq("");
    assert_eq!(folder.text("cases/it.toml"), updated);
}

/// A file with one case has its expectations at the top, and every case may share some.
#[test]
fn expectations_at_the_top() {
    let one = "source = 'PreSignUp_SignUp'\npolicies = ['deny']\nexpect.decision = 'allow'\n";
    let shared = "source = 'PreSignUp_SignUp'\n[expect]\ndecision = 'allow' # as a rule\n\
                  [[case]]\nname = 'a'\npolicies = ['deny']\n[[case]]\nname = 'b'\npolicies = ['confirm']\n";
    let inline = "source = 'PreSignUp_SignUp'\nexpect.decision = 'allow'\n\
                  case = [{ name = 'a', policies = ['deny'] }, { name = 'b', policies = ['verify'], expect = { warnings = [] } }]\n";
    let folder = set().with("cases/a.toml", one).with("cases/b.toml", shared).with("cases/c.toml", inline);
    folder.cogwit("test").arg("--update").ends(0);
    let told: String = ["a", "b", "c"].iter().map(|name| folder.text(&format!("cases/{name}.toml")) + "\n").collect();
    is(
        told,
        str![[r#"
source = 'PreSignUp_SignUp'
policies = ['deny']
expect.decision = "deny"

source = 'PreSignUp_SignUp'
[expect]
decision = 'allow' # as a rule
[[case]]
name = 'a'
policies = ['deny']

[case.expect]
decision = "deny"
[[case]]
name = 'b'
policies = ['confirm']

source = 'PreSignUp_SignUp'
expect.decision = 'allow'
case = [{ name = 'a', policies = ['deny'] , expect.decision = "deny" }, { name = 'b', policies = ['verify'], expect = { warnings = ["moves-alias"] } }]


"#]],
    );
    folder.cogwit("test").ends(0);
}

/// A case cannot say that there is none of what the top expects of every case.
#[test]
fn what_only_the_top_says_cannot_be_taken_back_by_a_case() {
    let cases = "source = 'PreSignUp_SignUp'\nexpect = { decision = 'deny', message = 'not here' }\n\
                 [[case]]\nname = 'a'\npolicies = ['deny']\n[[case]]\nname = 'b'\npolicies = ['confirm']\n";
    let folder = set().with("cases/it.toml", cases);
    folder.cogwit("test").arg("--update").ends(1).stderr_eq(str![[r#"
not updated cases/it.toml: b: `message` stands at the file's top: move it to the cases

"#]]);
    assert_eq!(folder.text("cases/it.toml"), cases);
    let cases = cases.replace("message", "reply-file").replace("not here", "it.json");
    let folder = folder.with("cases/it.toml", &cases).with("cases/it.json", "{}");
    folder.cogwit("test").arg("--update").ends(1).stderr_eq(str![[r#"
not updated cases/it.toml: a: `reply-file` stands at the file's top: move it to the cases

"#]]);
    assert_eq!((folder.text("cases/it.toml"), folder.text("cases/it.json")), (cases, "{}".to_owned()));
}

#[test]
fn a_file_with_a_mistake_is_left_alone() {
    let fails = "source = 'PreSignUp_SignUp'\npolicies = ['deny']\n[[case]]\nexpect.decision = 'allow'\n";
    let broken = format!("{fails}\n[[case]]\nexpect.desicion = 'allow'\n");
    let folder = set().with("cases/broken.toml", &broken).with("cases/whole.toml", fails);
    folder.cogwit("test").arg("--update").ends(4).stderr_eq(str![[r#"
not updated cases/broken.toml: mend what is wrong with the file first
updated cases/whole.toml: decision

"#]]);
    assert_eq!(folder.text("cases/broken.toml"), broken);
    assert_ne!(folder.text("cases/whole.toml"), fails);
}

#[test]
fn what_only_a_person_can_decide_is_left_and_still_fails() {
    let case = "source = 'PreSignUp_SignUp'\npolicies = ['confirm']\n\
                [expect]\ndecision = 'deny'\nlog = ['night']\nforbidden-imports = ['wasi:logging/*']\n";
    let folder = set().with("cases/it.toml", case);
    folder.cogwit("test").arg("--update").ends(1).stderr_eq(str![[r#"
updated cases/it.toml: decision

"#]]);
    assert_eq!(folder.text("cases/it.toml"), case.replace("'deny'", "\"allow\""));
    folder.cogwit("test").arg("--update").ends(1).stderr_eq(str![[r#""#]]);
}

#[test]
fn only_the_chosen_cases_are_updated() {
    let case = |name: &str| format!("[[case]]\nname = '{name}'\npolicies = ['deny']\nexpect.decision = 'allow'\n");
    let folder: Folder =
        set().with("cases/it.toml", format!("source = 'PreSignUp_SignUp'\n{}{}", case("a"), case("b")));
    folder.cogwit("test").args(["--update", "--run", "b$"]).ends(0);
    let text = folder.text("cases/it.toml");
    assert!(text.contains(&case("a")) && text.contains(&case("b").replace("'allow'", "\"deny\"")), "{text}");
}
