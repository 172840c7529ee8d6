//! Tells candidates and policies that look on wherever policies are told, and lets either side answer.

use serde_json::json;
use snapbox::str;

use crate::channel::{Channel, RROE};
use crate::program::{Cogwit, json, stderr, stdout};
use crate::server::{PATIENT, Server};
use crate::support::Folder;

const LENGTH: &str = "
[[policy]]
name = 'length'
component = 'deny-short-username.wasm'
settings = { minimum-length = 4 }
tests = ['cases.toml']
candidate = { component = 'deny-short-username.wasm', settings = { minimum-length = 5 }, rollout = 10 }
[[policy]]
name = 'longer'
component = 'deny-short-username.wasm'
mode = 'shadow'
settings = { minimum-length = 8 }
";

const SIDES: &str = "source = 'PreSignUp_SignUp'\n[[case]]\nname = 'long'\nwith.userName = 'ingrid'\nexpect.decision = 'allow'\n\
                     [[case]]\nname = 'short'\nside = 'stable'\nwith.userName = 'rroe'\nexpect.decision = 'allow'\n\
                     [[case]]\nname = 'too short'\nside = 'candidate'\nwith.userName = 'rroe'\nexpect.decision = 'deny'\n";

/// A set whose one policy has a candidate, and another that looks on.
fn folder() -> Folder {
    Folder::new().with_set(&format!("{PATIENT}{LENGTH}")).with("cases.toml", SIDES)
}

fn run(folder: &Folder, side: &str) -> Cogwit {
    folder.run().args(["-", "--side", side]).stdin(RROE)
}

#[test]
fn either_side_answers() {
    let folder = folder();
    run(&folder, "stable").ends(0).stdout_eq(RROE).stderr_eq(str![[r#"
allow: pre-sign-up by the set `it`
  length [stable]  allow, nothing set  ([..])
  longer           (looks on) differs: denies; deny, "Cannot register users with username less than the minimum length of 8"  ([..])
warning: policy `length`: its candidate answers a part of the sign-ups, and whoever signs up can try several names
warning: without COGWIT_ROLLOUT_KEY whoever knows the set can compute which side answers a user, and a host that has the key parts them otherwise
the caller sees: no message, the operation goes on

"#]]);
    let told = json(&run(&folder, "candidate").args(["--format", "json"]).ends(1));
    assert_eq!((&told["policies"][0]["side"], &told["policies"][0]["verdict"]), (&json!("candidate"), &json!("deny")));
    let shadow = &told["shadows"][0];
    assert_eq!((&shadow["name"], &shadow["agrees"], &shadow["differs"]), (&json!("longer"), &json!(true), &json!([])));
    let told = stderr(&run(&folder, "both").ends(2).stdout_eq(""));
    assert!(told.contains("write stable or candidate"), "{told}");
    let document = folder.text("policies.toml");
    folder.write("policies.toml", document.replace("rollout = 10", "rollout = 0"));
    let told = stderr(&run(&folder, "candidate").ends(2).stdout_eq(""));
    assert!(told.contains("--side candidate: the `rollout` of every candidate is 0"), "{told}");
    run(&folder, "stable").ends(0);
    folder.write("policies.toml", document.replace("candidate = ", "# candidate = "));
    let told = stderr(&run(&folder, "stable").ends(2).stdout_eq(""));
    assert!(told.contains("--side stable: no policy of the set `it` has a candidate"), "{told}");
}

#[test]
fn they_are_told_where_policies_are() {
    let folder = folder();
    let told = stdout(&folder.cogwit("validate").arg(".").ends(0));
    for line in [
        "  length  [..]  answers pre-sign-up\n          [..]  is its candidate, for 10 of a hundred users\n",
        "  longer  [..]  looks on at pre-sign-up\n",
    ] {
        let parts: Vec<_> = line.split("[..]").collect();
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    let validated = json(&folder.cogwit("validate").args([".", "--format", "json"]).ends(0));
    let [length, longer] = [&validated["policies"][0], &validated["policies"][1]];
    assert_eq!(length["candidate"], json!({ "sha256": length["sha256"], "rollout": 10 }));
    assert_eq!([&length["mode"], &longer["mode"]], ["enforce", "shadow"]);
    let server = Server::start(folder.serve());
    let status = server.status();
    let [length, longer] = [&status["set"]["policies"][0], &status["set"]["policies"][1]];
    assert_eq!(length["candidate"], json!({ "digest": length["digest"], "rollout": 10 }));
    assert_eq!((&longer["mode"], &longer["candidate"]), (&json!("shadow"), &json!(null)));
    let channel = Channel::in_a_folder();
    let set = folder.path("policies.toml");
    channel.strange("publish").args([&set, &channel.place(), "--key", "it.key"]).ends(0);
    let status = channel.status(0);
    assert_eq!((&status["candidates"], &status["shadows"]), (&json!({ "length": 10 }), &json!(["longer"])));
    let told = stdout(&channel.cogwit("status").arg(channel.place()).ends(0));
    assert!(told.contains("\n  rollout   length for 10 of 100 users\n  looks on  longer\n"), "{told}");
}

#[test]
fn cases_hold_on_both_sides_unless_they_name_one() {
    let folder = folder();
    let test = |code| stdout(&folder.cogwit("test").arg(".").ends(code));
    assert!(test(0).contains("3 passed in "));
    folder.write("cases.toml", SIDES.replace("side = 'stable'\n", ""));
    let told = test(1);
    assert!(
        told.contains("FAIL  cases.toml: short [candidate]\n      decision: \"allow\" expected, \"deny\" given\n"),
        "{told}"
    );
    assert!(told.contains("where they are meant to differ, write `side = \"stable\"` there"), "{told}");
    // Nobody can tell which side is right.
    let updated = folder.cogwit("test").args([".", "--update"]).ends(1);
    assert!(stderr(&updated).contains("not updated cases.toml: short: say with `side` which"), "{}", stderr(&updated));
    let told = stdout(&folder.cogwit("validate").arg(".").ends(4));
    assert!(told.contains("`cases.toml`: short [candidate]: decision: \"allow\" expected, \"deny\" given"), "{told}");
    // Beside no candidate, what is of its time passes over.
    folder.write("cases.toml", SIDES);
    folder.write(
        "policies.toml",
        folder.text("policies.toml").replace("candidate = ", "# candidate = ").replace('4', "5"),
    );
    let told = test(0);
    assert!(told.contains("----  cases.toml: short\n") && told.contains("2 passed, 1 not run in "), "{told}");
    folder.cogwit("validate").arg(".").ends(0);
}
