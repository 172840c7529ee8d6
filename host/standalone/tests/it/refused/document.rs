//! Documents that cannot be read: the line is shown, and the nearest word for a misspelt key.

use snapbox::{IntoData, str};

use crate::support::Folder;

const POLICY: &str = "
[[policy]]
name = \"block\"
component = \"block-client.wasm\"
";

/// Refuses the lines of a set.
#[track_caller]
fn refused(lines: &str, report: impl IntoData) {
    Folder::new().with_set(lines).run().ends(4).stdout_eq("").stderr_eq(report);
}

#[test]
fn a_misspelt_key_of_a_policy() {
    refused(
        &format!("{POLICY}settigns = {{ }}"),
        str![[r#"
error: `policies.toml` cannot be loaded
TOML parse error at line 9, column 1
  |
9 | settigns = { }
  | ^^^^^^^^
unknown field `settigns`, expected one of `name`, [..]
did you mean `settings`?

"#]],
    );
}

#[test]
fn a_misspelt_limit() {
    refused(
        &format!("[limits]\nfeul = 1\n{POLICY}"),
        str![[r#"
error: `policies.toml` cannot be loaded
TOML parse error at line 6, column 1
  |
6 | feul = 1
  | ^^^^
unknown field `feul`, expected one of `fuel`, [..]
did you mean `fuel`?

"#]],
    );
}

#[test]
fn a_key_that_is_like_no_other() {
    refused(
        &format!("{POLICY}zzz = 1"),
        str![[r#"
error: `policies.toml` cannot be loaded
TOML parse error at line 9, column 1
  |
9 | zzz = 1
  | ^^^
unknown field `zzz`, expected one of `name`, [..]

"#]],
    );
}

#[test]
fn an_unknown_trigger() {
    refused(
        &format!("{POLICY}triggers = [\"pre-signup\"]"),
        str![[r#"
error: `policies.toml` cannot be loaded
TOML parse error at line 9, column 12
  |
9 | triggers = ["pre-signup"]
  |            ^^^^^^^^^^^^^^
`pre-signup` is no trigger: write one of `pre-sign-up`, [..]

"#]],
    );
}

#[test]
fn a_secret_without_the_prefix() {
    refused(
        &format!("{POLICY}settings = {{ blocked-clients = {{ env = \"HOME\" }} }}"),
        str![[r#"
error: `policies.toml` cannot be loaded
TOML parse error at line 9, column 32
  |
9 | settings = { blocked-clients = { env = "HOME" } }
  |                                ^^^^^^^^^^^^^^^^
`HOME` does not begin with `COGWIT_SECRET_`: rename the variable

"#]],
    );
}

#[test]
fn what_is_not_toml() {
    refused(
        &format!("{POLICY}triggers = ["),
        str![[r#"
error: `policies.toml`: TOML parse error at line 9, [..]
...
"#]],
    );
}

#[test]
fn another_schema() {
    let folder = Folder::new().with("policies.toml", "schema = 2\n[set]\nname = \"it\"\n");
    folder.run().ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml`: `schema` is 2, but this version of cogwit reads 1: write `schema = 1`, or use a newer cogwit

"#]]);
}

#[test]
fn names_that_cannot_be_used() {
    refused(
        &format!("{POLICY}{POLICY}"),
        str![[r#"
error: `policies.toml` cannot be loaded
two policies have the name `block`: rename one

"#]],
    );
    refused(
        &POLICY.replace("block\"", "b c\""),
        str![[r#"
error: `policies.toml` cannot be loaded
the name `b c` cannot be used: write 1 to 64 letters, digits, `-`, `_` or `.`

"#]],
    );
}

#[test]
fn a_condition_that_no_event_meets() {
    refused(
        &format!("{POLICY}when = {{ client-id = [] }}"),
        str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: `client-id` lists nothing, so the policy would never run: fill it, or remove it

"#]],
    );
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::new();
    let run = |source: &str| folder.cogwit("run").args(["--policies", source]).ends(4).stdout_eq("");
    // A folder that lacks the document.
    run(".").stderr_eq(str![[r#"
error: cannot read `./policies.toml`: [..]; check the path

"#]]);
    run("missing.toml").stderr_eq(str![[r#"
error: cannot read `missing.toml`: [..]; check the path

"#]]);
    let missing = run("missing");
    let report = String::from_utf8_lossy(&missing.get_output().stderr).into_owned();
    assert!(report.starts_with("error: ") && report.contains("`missing`"), "{report}");
    assert!(report.contains("name a folder with a policies.toml, a policies.toml, or a .wasm file"), "{report}");
}
