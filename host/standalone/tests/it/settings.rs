//! Lays settings over a set from the command line, and keeps the secret ones out of everything that is written.

use snapbox::str;

use crate::program::{cogwit, json, stderr, stdout};
use crate::support::{CONFIRMED, Folder, SIGN_IN, SIGN_UP};

/// A secret that the denial's reason holds: the client that signs in.
const SECRET: (&str, &str) = ("COGWIT_SECRET_X", "app-7731");

#[test]
fn a_setting_is_laid_over_the_sets() {
    let folder = Folder::new().with_set(
        r#"
[[policy]]
name = "confirm"
component = "auto-confirm-domain.wasm"
settings = { domains = "example.org" }

[[policy]]
name = "length"
component = "deny-short-username.wasm"
settings = { minimum-length = 3 }
"#,
    );
    let run = || folder.run().arg("-").stdin(SIGN_UP);
    assert_eq!(stdout(&run().ends(0)), CONFIRMED.replace("true", "false"));
    // A value may hold equals signs, and the last of two wins.
    let settings = ["--setting", "confirm.domains=example.net", "--setting", "confirm.domains=a=b,example.com"];
    assert_eq!(stdout(&run().args(settings).ends(0)), CONFIRMED);
    run().args(["--setting", "length.minimum-length=9"]).ends(1).stdout_eq(str![[
        r#"{"errorType":"Function.PolicyDenied","errorMessage":"Cannot register users with username less than the minimum length of 9"}"#
    ]]);
}

#[test]
fn a_setting_of_the_built_in_set() {
    let ended = cogwit("run").args(["--setting", "deny-short-username.minimum-length=9"]).ends(1);
    assert!(stdout(&ended).contains("minimum length of 9"));
    ended.stderr_eq(str![[r#"
deny: pre-sign-up by the set `cogwit-default`
  deny-short-username  deny, "Cannot register users with username less than the minimum length of 9"  ([..] fuel, [..]iB, [..] us)
the caller sees: PreSignUp failed with error Cannot register users with username less than the minimum length of 9.

"#]]);
}

#[test]
fn a_name_may_hold_dots_and_the_longest_name_is_meant() {
    let folder =
        Folder::new().with_component("deny-short-username", "a.wasm").with_component("deny-short-username", "a.b.wasm");
    let both = ["-", "--format", "json", "--policy", "a.wasm", "--policy", "a.b.wasm"];
    let denied = |setting| {
        let run = folder.cogwit("run").args(both).args(["--setting", setting]).stdin(SIGN_UP);
        let report = json(&run.ends(1));
        let runs = report["policies"].as_array().unwrap();
        let last = runs.last().unwrap();
        assert_eq!(last["verdict"], "deny", "{report}");
        last["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(denied("a.minimum-length=20"), "a");
    assert_eq!(denied("a.b.minimum-length=20"), "a.b");
}

fn secret_client() -> Folder {
    Folder::new().with_set(
        r#"
[[policy]]
name = "block"
component = "block-client.wasm"
settings = { blocked-clients = { env = "COGWIT_SECRET_X" } }
"#,
    )
}

#[test]
fn a_secret_is_resolved_and_masked_in_a_reason() {
    let folder = secret_client();
    let run = || folder.run().arg("-").stdin(SIGN_IN);
    // The other client shows that the secret's value decides, and not its presence.
    assert_eq!(stdout(&run().env(SECRET.0, "other").ends(0)), SIGN_IN);

    let text = run().env(SECRET.0, SECRET.1).ends(1).stderr_eq(str![[r#"
deny: pre-authentication by the set `it`
  block  deny, "Cannot authenticate users from this user pool app client", because "***"  ([..] fuel, [..]iB, [..] us)
the caller sees: PreAuthentication failed with error Cannot authenticate users from this user pool app client.

"#]]);
    assert!(!stdout(&text).contains(SECRET.1));

    let ended = run().env(SECRET.0, SECRET.1).args(["--format", "json"]).ends(1);
    assert_eq!(json(&ended)["policies"][0]["reason"], "***");
    assert!(!stdout(&ended).contains(SECRET.1) && !stderr(&ended).contains(SECRET.1));
}

#[test]
fn an_entry_of_a_secret_list_is_masked_too() {
    let folder = secret_client();
    let run = folder.run().arg("-").env(SECRET.0, "other-app, app-7731").stdin(SIGN_IN);
    let report = stderr(&run.ends(1));
    assert!(report.contains(r#"because "***""#), "{report}");
}

#[test]
fn without_a_secret_the_reason_is_whole() {
    let folder = secret_client();
    let run = folder.run().args(["-", "--setting", "block.blocked-clients=app-7731"]).env(SECRET.0, SECRET.1);
    let report = stderr(&run.stdin(SIGN_IN).ends(1));
    assert!(report.contains(r#"because "app-7731""#), "{report}");
}

#[test]
fn a_secret_is_masked_in_a_message_wherever_it_is_shown() {
    let folder = Folder::new().with_set(
        r#"
[[policy]]
name = "length"
component = "deny-short-username.wasm"
settings = { minimum-length = { env = "COGWIT_SECRET_X" } }
"#,
    );
    let run = || folder.run().arg("-").env(SECRET.0, "127").stdin(SIGN_UP);
    run().ends(1)
        .stdout_eq(str![[
            r#"{"errorType":"Function.PolicyDenied","errorMessage":"Cannot register users with username less than the minimum length of ***"}"#
        ]])
        .stderr_eq(str![[r#"
deny: pre-sign-up by the set `it`
  length  deny, "Cannot register users with username less than the minimum length of ***"  ([..] fuel, [..]iB, [..] us)
the caller sees: PreSignUp failed with error Cannot register users with username less than the minimum length of ***.

"#]]);
    let report = json(&run().args(["--format", "json"]).ends(1));
    let sentence = "Cannot register users with username less than the minimum length of ***";
    assert_eq!(
        (&report["reply"]["errorMessage"], &report["policies"][0]["message"]),
        (&sentence.into(), &sentence.into())
    );
    assert_eq!(report["callerSees"], format!("PreSignUp failed with error {sentence}."));
}

#[test]
fn a_secret_is_masked_where_the_policy_refuses_its_settings() {
    let folder = Folder::new().with_set(
        r#"
[[policy]]
name = "length"
component = "deny-short-username.wasm"
settings = { minimum-length = { env = "COGWIT_SECRET_X" } }
"#,
    );
    folder.run().env(SECRET.0, "hush-hush").ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `length`: its settings are refused: `minimum-length` is `***`: write a value such as `5`

"#]]);
}

#[test]
fn a_secret_that_is_not_set_refuses_the_set() {
    for value in [None, Some("")] {
        let folder = secret_client();
        let run = value.into_iter().fold(folder.run(), |run, value| run.env(SECRET.0, value));
        run.ends(4).stdout_eq("").stderr_eq(str![[r#"
error: `policies.toml` cannot be loaded
policy `block`: setting `blocked-clients` refers to the environment variable `COGWIT_SECRET_X`, which is not set: set it where this host runs

"#]]);
    }
}
