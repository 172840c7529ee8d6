//! Command lines and variables that are wrong: exit code 2, and nothing on standard output.

use snapbox::str;

use crate::program::{cogwit, stderr};
use crate::support::component;

/// The whole of standard error, for arguments of `run`.
#[track_caller]
fn refused(args: &[&str]) -> String {
    stderr(&cogwit("run").args(args).ends(2).stdout_eq(""))
}

#[test]
fn an_unknown_trigger() {
    let report = refused(&["--trigger", "pre-signup"]);
    let text = "error: invalid value 'pre-signup' for '--trigger <NAME>': `pre-signup` is no trigger: write one of `pre-sign-up`, ";
    assert!(report.starts_with(text), "{report}");
}

#[test]
fn a_setting_of_no_policy() {
    let run =
        cogwit("run").arg("--policy").arg(component("block-client")).arg("--policy").arg(component("access-gate"));
    run.args(["--setting", "blok-client.blocked-clients=x"]).ends(2).stdout_eq("").stderr_eq(str![[r#"
error: --setting `blok-client.blocked-clients=x`: no policy has that name, the set has `block-client`, `access-gate`; write NAME.KEY=VALUE

"#]]);
}

#[test]
fn a_setting_that_is_malformed() {
    for setting in ["", "=", "=x", "block-client", "block-client.blocked-clients", "block-client=x", "block-client.=x"]
    {
        let report = refused(&["--setting", setting]);
        assert!(report.starts_with(&format!("error: --setting `{setting}`: ")), "{report}");
        assert!(report.ends_with("write NAME.KEY=VALUE\n"), "{report}");
    }
}

#[test]
fn a_grant_that_is_malformed() {
    for (grant, text) in [
        ("blok-client.clock", "the set has `block-client`, `deny-short-username`, `auto-confirm-domain`"),
        ("block-client.clok", "`clok` is no capability: write `clock`, `random` or `wasi`"),
        ("block-client", ""),
        ("clock", ""),
    ] {
        let report = refused(&["--grant", grant]);
        assert!(report.starts_with(&format!("error: --grant `{grant}`: ")), "{report}");
        assert!(report.contains(text) && report.ends_with("write NAME.CAPABILITY\n"), "{report}");
    }
}

#[test]
fn a_time_and_a_seed_that_cannot_be_read() {
    let report = refused(&["--now", "yesterday"]);
    assert!(report.contains("'yesterday' for '--now <TIME>'"), "{report}");
    let report = refused(&["--seed", "dice"]);
    assert!(report.contains("'dice' for '--seed <NUMBER>'"), "{report}");
}

#[test]
fn an_unknown_option() {
    let report = refused(&["--polices", "x"]);
    for text in ["error: unexpected argument '--polices' found", "'--policies'"] {
        assert!(report.contains(text), "no `{text}` in\n{report}");
    }
}

#[test]
fn options_that_exclude_one_another() {
    let report = refused(&["--policies", "policies", "--policy", "a.wasm"]);
    assert!(report.contains("'--policies <SOURCE>' cannot be used with '--policy <FILE.wasm>'"), "{report}");
}

#[test]
fn an_id_that_is_not_plain() {
    for id in ["", "a b", "é", "a\nb", &"x".repeat(129)] {
        let report = refused(&["--id", id]);
        assert!(report.contains("write 1 to 128 ASCII characters without blanks"), "{report}");
    }
}

#[test]
fn no_command_and_an_unknown_one() {
    let report = stderr(&cogwit("frobnicate").ends(2).stdout_eq(""));
    assert!(report.starts_with("error: unrecognized subcommand 'frobnicate'\n"), "{report}");
    let report = stderr(&cogwit("inspect").ends(2).stdout_eq(""));
    assert!(report.contains("<FILE>"), "{report}");
}

#[test]
fn a_misspelt_variable_stops_every_command() {
    for command in ["run", "config"] {
        cogwit(command).env("COGWIT_MAX_MEMROY", "1 MiB").ends(2).stdout_eq("").stderr_eq(str![[r#"
error: COGWIT_MAX_MEMROY is not known; did you mean COGWIT_MAX_MEMORY? `cogwit help config` lists them

"#]]);
    }
    let inspect = cogwit("inspect").arg(component("block-client")).env("COGWIT_MAX_MEMROY", "1 MiB");
    let report = stderr(&inspect.ends(2).stdout_eq(""));
    assert!(report.contains("COGWIT_MAX_MEMROY is not known"), "{report}");
}

#[test]
fn every_variable_that_is_wrong_is_named_at_once() {
    let wrong = [
        ("COGWIT_MAX_FUEL", "lots"),
        ("COGWIT_MAX_DEADLINE", "5"),
        ("COGWIT_MAX_OUTPUT", "much"),
        ("COGWIT_TRIGGER", "pre-signup"),
        ("COGWIT_TRIGGERS", "pre-sign-up"),
    ];
    cogwit("run").envs(wrong).ends(2).stdout_eq("").stderr_eq(str![[r#"
error: COGWIT_MAX_DEADLINE is `5`: write a time such as `100 ms`
COGWIT_MAX_FUEL is `lots`: write a number such as `10_000_000`
COGWIT_MAX_OUTPUT is `much`: write a size such as `16 MiB`
COGWIT_TRIGGER is `pre-signup`: write a trigger such as `pre-sign-up`
COGWIT_TRIGGERS is not known; did you mean COGWIT_TRIGGER? `cogwit help config` lists them

"#]]);
}

#[test]
fn a_cap_of_nothing() {
    for (variable, value) in [("COGWIT_MAX_FUEL", "0"), ("COGWIT_MAX_DEADLINE", "0 s")] {
        let report = stderr(&cogwit("run").env(variable, value).ends(2).stdout_eq(""));
        assert!(report.contains(&format!("{variable} is `{value}`: write a ")), "{report}");
    }
}
