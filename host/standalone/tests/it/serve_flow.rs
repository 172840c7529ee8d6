//! Swaps sets while sign-ins by challenges are under way: those that were begun go on, or nothing is published without a word.

use serde_json::{Value, json};
use snapbox::str;

use crate::channel::Channel;
use crate::program::{json, stderr, stdout};
use crate::server::{PATIENT, Server, eventually};

/// What each set keeps of a challenge, and what it takes for the answer.
const SETS: [(&str, &str); 3] = [
    ("pin", "'privateChallengeParameters.pin' = '407182', answerCorrect = 'private:pin'"),
    ("code", "'privateChallengeParameters.code' = '407182', answerCorrect = 'private:code'"),
    ("both", "'privateChallengeParameters.code' = '407182', answerCorrect = 'private:code, pin'"),
];

fn set(settings: &str, lines: &str) -> String {
    format!(
        "schema = 1\n[set]\nname = 'it'\n{PATIENT}[[policy]]\nname = 'signs-in'\ncomponent = 'it.wasm'\n\
         settings = {{ challengeName = 'CUSTOM_CHALLENGE', {settings} }}\n{lines}"
    )
}

/// A channel that serves the set `pin`.
fn channel() -> Channel {
    let channel = Channel::in_a_folder();
    let folder = SETS.into_iter().fold(channel.folder, |folder, (name, settings)| {
        folder
            .with_component("scripted", &format!("{name}/it.wasm"))
            .with(&format!("{name}/policies.toml"), set(settings, ""))
    });
    let channel = Channel { folder, ..channel };
    channel.published("pin");
    channel
}

#[test]
fn what_would_end_sign_ins_is_not_published() {
    let channel = channel();
    let before = channel.objects();
    channel.publish("code").ends(1).stdout_eq("").stderr_eq(str![[r#"
error: not published, since sign-ins that began before could not end
an answer to the challenge of the built-in example of `signs-in`: the set that serves says that it is right, the new one says that it is wrong (`signs-in`)
let the new policies take challenges with the old private parameters too, or go on with `--break-flows`: whoever signs in meanwhile begins again

"#]]);
    channel.publish("code").arg("--dry-run").ends(1).stdout_eq("");
    assert_eq!(channel.objects(), before);
    // By way of one that knows both.
    assert_eq!(channel.published("both")["warnings"], json!([]));
    assert_eq!(channel.published("code")["warnings"], json!([]));
    let forced = json(&channel.publish("pin").args(["--break-flows", "--format", "json"]).ends(0));
    let warning = forced["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("sign-ins that began before may not end: an answer to the challenge of "), "{warning}");
    assert!(!warning.contains("407182"), "{warning}");
}

#[test]
fn an_emergency_is_not_held_up() {
    let channel = channel();
    channel.publish("code").arg("--break-flows").ends(0);
    let told = stdout(&channel.strange("rollback").args([&channel.place(), "--key", "it.key"]).ends(0));
    // It is done by then, and says so first.
    let warning = "answer\n  warning   sign-ins that began before may not end: an answer to the challenge of ";
    assert!(told.contains(warning), "{told}");
}

#[test]
fn who_comes_to_another_side_is_thought_of() {
    let channel = channel();
    let roll_out = |name: &str, rollout: u8| {
        let settings = SETS.iter().find(|(set, _)| *set == name).unwrap().1;
        let candidate =
            format!("candidate = {{ component = 'it.wasm', settings = {{ {settings} }}, rollout = {rollout} }}\n");
        channel.folder.write("pin/policies.toml", set(SETS[0].1, &candidate));
    };
    let edit = |change: &[&str]| channel.strange("publish").args(change).args([&channel.place(), "--key", "it.key"]);
    roll_out("code", 0);
    channel.published("pin");
    let told = stderr(&edit(&["--rollout", "signs-in=10"]).ends(1).stdout_eq(""));
    assert!(told.contains("(`signs-in` [candidate])"), "{told}");
    roll_out("both", 0);
    channel.published("pin");
    edit(&["--rollout", "signs-in=10"]).ends(0);
    edit(&["--rollout", "signs-in=100"]).ends(0);
    edit(&["--promote", "signs-in"]).ends(0);
}

#[test]
fn what_cannot_be_played_here_is_not_published_either() {
    let channel = channel();
    let settings = "secret = { env = 'COGWIT_SECRET_IT' }";
    channel.folder.write("code/policies.toml", set(settings, ""));
    channel.publish("code").args(["--break-flows"]).env("COGWIT_SECRET_IT", "s").ends(0);
    let before = channel.objects();
    for publish in [channel.publish("pin"), channel.publish("pin").arg("--dry-run")] {
        let told = stderr(&publish.ends(1).stdout_eq(""));
        for part in [
            "not published, since whether sign-ins that began before can end cannot be tried here",
            "\npolicy `signs-in`: setting `secret`",
            "COGWIT_SECRET_IT",
            "or go on with `--break-flows`",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
    assert_eq!(channel.objects(), before);
    let told = json(&channel.publish("pin").args(["--break-flows", "--dry-run", "--format", "json"]).ends(0));
    let warning = "whether sign-ins that began before can end was not checked: policy `signs-in`: ";
    assert!(told["warnings"][0].as_str().unwrap().starts_with(warning), "{told}");
    // The way back is not held up.
    let told = stdout(&channel.strange("rollback").args([&channel.place(), "--key", "it.key"]).ends(0));
    assert!(told.contains(warning), "{told}");
}

#[test]
fn a_set_that_cannot_be_read_any_more_holds_up_challenges_alone() {
    let channel = channel();
    let component = channel.one("components/");
    let refused = || stderr(&channel.publish("code").ends(1).stdout_eq(""));
    channel.put(&component, "x");
    assert!(refused().contains("cannot be tried here"), "{}", refused());
    channel.publish("code").arg("--break-flows").ends(0);
    let channel = Channel::in_a_folder();
    channel.published("four");
    channel.put(&channel.one("components/"), "x");
    let told = channel.published("five");
    assert!(told["warnings"].to_string().contains("was not checked: "), "{told}");
}

#[test]
fn a_sign_in_goes_on_over_a_swap() {
    let channel = channel();
    let server = Server::start(channel.followed());
    let event = |source: &str, request: Value| {
        json!({ "triggerSource": source, "userName": "ina", "request": request, "response": {} }).to_string()
    };
    let response = |event: &str| {
        let answer = server.invoke("a", event);
        let sequence = answer.header("x-amz-executed-version").unwrap().to_owned();
        (serde_json::from_str::<Value>(&answer.text()).unwrap()["response"].clone(), sequence)
    };
    let session = json!({ "userAttributes": {}, "session": [] });
    let (defined, _) = response(&event("DefineAuthChallenge_Authentication", session.clone()));
    assert_eq!(defined["challengeName"], "CUSTOM_CHALLENGE");
    let (created, of) = response(&event("CreateAuthChallenge_Authentication", session));
    assert_eq!((&created["privateChallengeParameters"], of.as_str()), (&json!({ "pin": "407182" }), "1"));
    channel.published("both");
    let answered = json!({
        "userAttributes": {},
        "privateChallengeParameters": created["privateChallengeParameters"],
        "challengeAnswer": "407182",
    });
    let verify = event("VerifyAuthChallengeResponse_Authentication", answered);
    let verified = eventually(|| {
        let (verified, of) = response(&verify);
        assert_eq!(verified["answerCorrect"], true);
        (of == "2").then_some(verified)
    });
    assert_eq!(verified["answerCorrect"], true);
    // The next challenge is one of the new set.
    let (created, _) =
        response(&event("CreateAuthChallenge_Authentication", json!({ "userAttributes": {}, "session": [] })));
    assert_eq!(created["privateChallengeParameters"], json!({ "code": "407182" }));
}
