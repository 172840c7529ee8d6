//! What cannot be run is told, each case by itself, and the rest runs.

use snapbox::str;

use super::probes::{set, statuses};
use crate::program::stdout;

const CASE: &str = "source = 'PreSignUp_SignUp'\npolicies = ['confirm']\nexpect.decision = 'allow'\n";

#[test]
fn every_mistake_of_a_file_is_told_with_its_line_and_its_other_cases_run() {
    let cases = r#"
source = "PreSignUp_SignUp"
policies = ["confirm"]
expect.decision = "allow"
nwo = 2026-11-22T12:00:00Z

[[case]]
name = "fine"

[[case]]
name = "keys"
wiht = { userName = "a" }
expect.desicion = "deny"
expect.zzz = 1

[[case]]
name = "values"
seed = "seven"
now = "noon"
trigger = "pre-signup"
with = "{"
capabilities.confirm = ["luck"]
settings.confirm = { a = { env = "HOME" } }
expect.max-memory = "much"
expect.forbidden-imports = ["a***"]
expect.response = { autoConfirmUser = nan }
candidate = { policy = "confirm" }

[[case]]
name = "no decision"
expect.decision = "refuse"

[[case]]
name = "no paths"
with = { "a..b" = 1 }

[[case]]
name = "no object"
with = '[1]'

[[case]]
name = "no member"
without = ["userName.first"]

[[case]]
name = "no file"
event-file = "missing.json"

[[case]]
name = "no reply"
expect.reply-file = "missing.json"

[[case]]
name = "no secret"
env.HOME = "here"

[[case]]
name = "cases in a case"
[[case.case]]
name = "inner"
"#;
    let folder = set().with("cases/it.toml", cases);
    folder.cogwit("test").ends(4).stderr_eq("").stdout_eq(str![[r#"
error cases/it.toml
      TOML parse error at line 5, column 1
        |
      5 | nwo = 2026-11-22T12:00:00Z
        | ^^^
      unknown field `nwo`, expected one of `name`, `set`, `policies`, `components`, `candidate`, `settings`, `capabilities`, `env`, `event`, `event-file`, `source`, `without`, `with`, `trigger`, `now`, `seed`, `side`, `expect`, `case`
error cases/it.toml
      TOML parse error at line 12, column 1
         |
      12 | wiht = { userName = "a" }
         | ^^^^
      unknown field `wiht`, expected one of `name`, `set`, `policies`, `components`, `candidate`, `settings`, `capabilities`, `env`, `event`, `event-file`, `source`, `without`, `with`, `trigger`, `now`, `seed`, `side`, `expect`, `case`
      did you mean `with`?
error cases/it.toml
      TOML parse error at line 13, column 8
         |
      13 | expect.desicion = "deny"
         |        ^^^^^^^^
      unknown field `desicion`, expected one of `decision`, `message`, `reason`, `response`, `exact-response`, `reply`, `reply-file`, `warnings`, `fault`, `ran`, `log`, `max-fuel`, `max-memory`, `forbidden-imports`
      did you mean `decision`?
error cases/it.toml
      TOML parse error at line 14, column 8
         |
      14 | expect.zzz = 1
         |        ^^^
      unknown field `zzz`, expected one of `decision`, `message`, `reason`, `response`, `exact-response`, `reply`, `reply-file`, `warnings`, `fault`, `ran`, `log`, `max-fuel`, `max-memory`, `forbidden-imports`
error cases/it.toml
      TOML parse error at line 18, column 8
         |
      18 | seed = "seven"
         |        ^^^^^^^
      invalid type: string "seven", expected u64
error cases/it.toml
      TOML parse error at line 19, column 7
         |
      19 | now = "noon"
         |       ^^^^^^
      `noon` is no time: write one such as 2026-11-22T12:00:00Z
error cases/it.toml
      TOML parse error at line 20, column 11
         |
      20 | trigger = "pre-signup"
         |           ^^^^^^^^^^^^
      `pre-signup` is no trigger: write one of `pre-sign-up`, `post-confirmation`, `pre-authentication`, `post-authentication`, `define-auth-challenge`, `create-auth-challenge`, `verify-auth-challenge-response`, `pre-token-generation`, `pre-token-generation-v2`, `user-migration`, `custom-message`, `custom-email-sender`, `custom-sms-sender`, `inbound-federation`
error cases/it.toml
      TOML parse error at line 21, column 8
         |
      21 | with = "{"
         |        ^^^
      not JSON: EOF while parsing an object at line 1 column 1; write a table, or JSON text between '''
error cases/it.toml
      TOML parse error at line 22, column 25
         |
      22 | capabilities.confirm = ["luck"]
         |                         ^^^^^^
      unknown variant `luck`, expected one of `clock`, `random`, `wasi`
      did you mean `clock`?
error cases/it.toml
      TOML parse error at line 23, column 26
         |
      23 | settings.confirm = { a = { env = "HOME" } }
         |                          ^^^^^^^^^^^^^^^^
      `HOME` does not begin with `COGWIT_SECRET_`: rename the variable
error cases/it.toml
      TOML parse error at line 24, column 21
         |
      24 | expect.max-memory = "much"
         |                     ^^^^^^
      `much` is no size: write a size such as `16 MiB`
error cases/it.toml
      TOML parse error at line 25, column 28
         |
      25 | expect.forbidden-imports = ["a***"]
         |                            ^^^^^^^^
      `a***` is no pattern: Pattern syntax error near position 3: wildcards are either regular `*` or recursive `**`
error cases/it.toml
      TOML parse error at line 26, column 19
         |
      26 | expect.response = { autoConfirmUser = nan }
         |                   ^^^^^^^^^^^^^^^^^^^^^^^^^
      JSON has no number `NaN`
error cases/it.toml
      TOML parse error at line 27, column 13
         |
      27 | candidate = { policy = "confirm" }
         |             ^^^^^^^^^^^^^^^^^^^^^^
      missing field `component`
error cases/it.toml
      no decision: `refuse` is no decision: write allow, deny, fault or event-refused
error cases/it.toml
      no paths: `with`: `a..b` is no path: write one such as `request.userAttributes.email`
error cases/it.toml
      no object: `with` is no object: write a table of paths and values
error cases/it.toml
      no member: `without`: `userName.first`: a string has no member `first`
error cases/it.toml
      no file: cannot read `cases/missing.json`: No such file or directory (os error 2); check the path
error cases/it.toml
      no reply: cannot read `cases/missing.json`: No such file or directory (os error 2); check the path
error cases/it.toml
      no secret: `env` has `HOME`, but settings only refer to names that begin with `COGWIT_SECRET_`
error cases/it.toml
      cases in a case: a case cannot hold cases: move them to the top of the file
ok    cases/it.toml: fine
ok    cases/it.toml: keys
ok    cases/it.toml: values
3 passed, 22 could not run in [..] ms

"#]]);
}

#[test]
fn a_case_that_expects_nothing_or_no_decision() {
    let folder = set().with("a.case.toml", "source = 'PreSignUp_SignUp'").with("b.case.toml", "expect.ran = []");
    folder.cogwit("test").ends(4).stderr_eq("").stdout_eq(str![[r#"
error a.case.toml
      case 1: it expects nothing: write `expect = { decision = "allow" }`
error b.case.toml
      case 1: `expect` has no `decision`: write allow, deny, fault or event-refused
0 passed, 2 could not run in [..] ms

"#]]);
}

#[test]
fn a_file_that_is_no_toml_or_no_text() {
    let folder = set().with("cases/a.toml", "expect = [").with("cases/b.toml", CASE).with("cases/c.toml", b"\xff");
    folder.cogwit("test").ends(4).stderr_eq("").stdout_eq(str![[r#"
error cases/a.toml
      TOML parse error at line 1, column 11
        |
      1 | expect = [
        |           ^
      unclosed array, expected `]`
ok    cases/b.toml
error cases/c.toml
      `cases/c.toml` is no text: invalid utf-8 sequence of 1 bytes from index 0; write it in UTF-8
1 passed, 2 could not run in [..] ms

"#]]);
}

#[test]
fn a_set_that_cannot_be_loaded_is_told_by_each_of_its_cases() {
    let cases = format!(
        "{CASE}
        [[case]]\nname = 'missing'\nset = 'nowhere'
        [[case]]\nname = 'missing document'\nset = 'nowhere.toml'
        [[case]]\nname = 'missing component'\npolicies = []\ncomponents = ['nowhere.wasm']
        [[case]]\nname = 'missing candidate'\ncandidate = {{ policy = 'confirm', component = 'nowhere.wasm' }}
        [[case]]\nname = 'unknown candidate'\ncandidate = {{ policy = 'confrim', component = 'deny.wasm' }}
        [[case]]\nname = 'unknown policy'\npolicies = ['confrim']
        [[case]]\nname = 'unknown settings'\nsettings.confrim.a = 1
        [[case]]\nname = 'wrong'\nset = 'wrong.toml'
        [[case]]\nname = 'wrong, too'\nset = 'wrong.toml'
        [[case]]\nname = 'no TOML'\nset = 'broken.toml'
        [[case]]\nname = 'fine'\n"
    );
    let wrong = "schema = 1\nlimts = 1\n[set]\nname = 'it'\n[limits]\nfuel = 'lots'\n\
                 [[policy]]\nname = 'a'\ncomponent = 'gone.wasm'\n[[policy]]\nname = 'confirm'\ncomponent = 'text.wasm'\n";
    let folder = set()
        .with("it.case.toml", cases)
        .with("wrong.toml", wrong)
        .with("text.wasm", "hello")
        .with("broken.toml", "schema = ");
    folder.cogwit("test").ends(4).stderr_eq("").stdout_eq(str![[r#"
error it.case.toml: missing
      `nowhere` is no policy set: name a folder with a policies.toml, a policies.toml, or a .wasm file
error it.case.toml: missing document
      cannot read `nowhere.toml`: No such file or directory (os error 2); check the path
error it.case.toml: missing component
      cannot read `nowhere.wasm`: No such file or directory (os error 2); check the path
error it.case.toml: missing candidate
      cannot read `nowhere.wasm`: No such file or directory (os error 2); check the path
error it.case.toml: unknown candidate
      no policy has the name `confrim`, the set has `confirm`, `verify`, `broken`, `deny`
error it.case.toml: unknown policy
      no policy has the name `confrim`, the set has `confirm`, `verify`, `broken`, `deny`
error it.case.toml: unknown settings
      no policy has the name `confrim`, the set has `confirm`, `verify`, `broken`, `deny`
error it.case.toml: wrong
      `wrong.toml` cannot be loaded
      TOML parse error at line 2, column 1
        |
      2 | limts = 1
        | ^^^^^
      unknown field `limts`, expected one of `schema`, `set`, `limits`, `policy`
      did you mean `limits`?
      limit `fuel` is `lots`: write a number such as `10_000_000`
      policy `confirm`: `text.wasm`: not WebAssembly: a component begins with the bytes `\0asm`; build one with `cogwit pack`
error it.case.toml: wrong, too
      `wrong.toml` cannot be loaded
      TOML parse error at line 2, column 1
        |
      2 | limts = 1
        | ^^^^^
      unknown field `limts`, expected one of `schema`, `set`, `limits`, `policy`
      did you mean `limits`?
      limit `fuel` is `lots`: write a number such as `10_000_000`
      policy `confirm`: `text.wasm`: not WebAssembly: a component begins with the bytes `\0asm`; build one with `cogwit pack`
error it.case.toml: no TOML
      `broken.toml`: TOML parse error at line 1, column 10
        |
      1 | schema = 
        |          ^
      string values must be quoted, expected literal string
ok    it.case.toml: fine
1 passed, 10 could not run in [..] ms

"#]]);
}

#[test]
fn exit_codes_put_what_could_not_run_before_what_failed() {
    let fails = CASE.replace("'allow'", "'deny'");
    let broken = "expect = [";
    for (a, b, code) in [(CASE, CASE, 0), (CASE, &fails, 1), (&fails, broken, 4), (CASE, broken, 4)] {
        set().with("a.case.toml", a).with("b.case.toml", b).cogwit("test").ends(code);
    }
}

#[test]
fn command_lines_that_are_wrong() {
    let folder = set().with("case.toml", CASE);
    let told = |args: &[&str], code: i32| folder.cogwit("test").args(args).ends(code).stdout_eq("");
    told(&["--run", "("], 2).stderr_eq(str![[r#"
error: invalid value '(' for '--run <PATTERN>': regex parse error:
    (
    ^
error: unclosed group

For more information, try '--help'.

"#]]);
    told(&["--watch", "--format", "junit"], 2).stderr_eq(str![[r#"
error: --watch prints results again and again, and JUnit's XML is one document: drop one

"#]]);
    told(&["--run", "nothing"], 4).stderr_eq(str![[r#"
error: no case matches `nothing`: it is compared with `file: name`

"#]]);
    told(&["--policies", "nowhere"], 4).stderr_eq(str![[r#"
error: `nowhere` is no policy set: name a folder with a policies.toml, a policies.toml, or a .wasm file

"#]]);
    folder.cogwit("test").env("COGWIT_MAX_FUEL", "lots").ends(2).stdout_eq("");
    let nothing = folder.cogwit("test").args(["--run", "nothing"]);
    assert_eq!(statuses(nothing, 4), []);
}

#[test]
fn a_choice_of_cases_does_not_hide_a_broken_file() {
    let folder = set().with("a.case.toml", "expect = [").with("b.case.toml", CASE);
    let told = stdout(&folder.cogwit("test").args(["--run", "^b"]).ends(4));
    assert!(told.contains("error a.case.toml") && told.contains("ok    b.case.toml"), "{told}");
}
