//! Swaps sets while sign-ins by challenges are under way, and sees which of them could not end.

use cogwit_core::case::{CaseFile, cross};
use cogwit_core::store::{PolicySet, Tests};

use crate::scenario::policies_wasm;
use crate::support::set_of;

/// It keeps a PIN, and compares the answer with that.
const PIN: &str = "'privateChallengeParameters.pin' = '407182', answerCorrect = 'private:pin'";
/// It keeps the PIN under another name, and does not know the old one.
const CODE: &str = "'privateChallengeParameters.code' = '407182', answerCorrect = 'private:code'";
/// The same, but it knows both.
const BOTH: &str = "'privateChallengeParameters.code' = '407182', answerCorrect = 'private:code, pin'";

fn with(settings: &str, lines: &str) -> PolicySet {
    let component = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let lines = format!("limits = {{ deadline = '2 s' }}\nsettings = {{ {settings} }}\n{lines}");
    set_of(&component, &lines).unwrap()
}

fn cases(text: &str) -> Vec<Tests> {
    let cases = CaseFile::parse(text, &|name| Err(name.to_owned()));
    assert_eq!(cases.errors, [""; 0]);
    vec![Tests { policy: "it".to_owned(), file: "cases.toml".to_owned(), cases }]
}

fn broken(old: &str, new: &str) -> Vec<String> {
    cross((&with(old, ""), &[]), &with(new, "")).broken
}

#[test]
fn what_create_kept_passes_the_new_verify_or_is_told() {
    let told = |says: &str| {
        format!("an answer to the challenge of the built-in example of `it`: the set that serves {says} (`it`)")
    };
    let refused = told("says that it is right, the new one says that it is wrong");
    for (old, new, expected) in [
        (PIN, PIN, vec![]),
        (PIN, BOTH, vec![]),
        (PIN, CODE, vec![refused.clone()]),
        (BOTH, PIN, vec![refused]),
        (PIN, "answerCorrect = 'true'", vec![]),
        (PIN, "deny = 'No'", vec![told("says that it is right, the new one denies it")]),
        // Of one that was wrong, no more is asked than that the sign-in goes on.
        ("answerCorrect = 'false'", "deny = 'No'", vec![]),
        ("answerCorrect = 'false'", "panic = 'Oh'", vec![told("says that it is wrong, the new one breaks")]),
        // What nobody could begin or end, nobody misses.
        ("deny = 'No'", CODE, vec![]),
        ("panic = 'Oh'", CODE, vec![]),
    ] {
        assert_eq!(broken(old, new), expected, "{old} to {new}");
    }
}

#[test]
fn whether_a_right_answer_was_tried_is_known() {
    for (set, known) in [
        (with(PIN, ""), true),
        (with("answerCorrect = 'false'", ""), false),
        (with(PIN, "triggers = ['pre-sign-up']"), true),
    ] {
        assert_eq!(cross((&set, &[]), &set).knows_an_answer, known);
    }
}

#[test]
fn a_verify_that_is_gone_is_missed_where_there_was_one() {
    let (old, none) = (with(PIN, ""), with(PIN, "triggers = ['pre-sign-up']"));
    let of_nobody = with(PIN, "when = { user-pool-id = ['other'] }");
    let lost =
        |triggers: &[&str]| triggers.iter().map(|it| format!("no policy answers `{it}` any more")).collect::<Vec<_>>();
    let of_flows = ["define-auth-challenge", "create-auth-challenge", "verify-auth-challenge-response"];
    assert_eq!(cross((&old, &[]), &none).broken, lost(&of_flows));
    let without_define = with(PIN, "triggers = ['create-auth-challenge', 'verify-auth-challenge-response']");
    assert_eq!(cross((&old, &[]), &without_define).broken, lost(&of_flows[..1]));
    assert_eq!(cross((&none, &[]), &none).broken, [""; 0]);
    let told = cross((&old, &[]), &of_nobody).broken;
    assert!(told[0].ends_with("the new one breaks (no policy answers)"), "{told:?}");
    // An example of a policy is one that it answers.
    let told = cross((&of_nobody, &[]), &with(CODE, "")).broken;
    assert!(told[0].ends_with("the new one says that it is wrong (`it`)"), "{told:?}");
}

#[test]
fn what_cases_recorded_is_played_too() {
    let create = "name = 'tenant'\nsource = 'CreateAuthChallenge_Authentication'\nwith.userPoolId = 'other'\n\
                  expect.decision = 'allow'\n";
    let when = "when = { user-pool-id = ['other', 'another'] }";
    let told = cross((&with(PIN, when), &cases(create)), &with(CODE, "")).broken;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("an answer to the challenge of `cases.toml`: tenant: the set "), "{told:?}");
    // A challenge of long ago, and its answer.
    let verify = "name = 'long ago'\nsource = 'VerifyAuthChallengeResponse_Authentication'\n\
                  with = { request = { privateChallengeParameters = { old = '1' }, challengeAnswer = '1' } }\n\
                  expect.decision = 'allow'\n";
    let old = PIN.replace("private:pin", "private:pin, old");
    let told = cross((&with(&old, ""), &cases(verify)), &with(PIN, "")).broken;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("an answer to the challenge of `cases.toml`: long ago: the set "), "{told:?}");
}

/// A user keeps the bucket, so a rollout that grows moves users between two answers of one sign-in.
#[test]
fn users_who_come_to_another_side_are_thought_of() {
    let rolled_out = |settings: &str, rollout: u8| {
        let candidate =
            format!("candidate = {{ component = 'it.wasm', settings = {{ {settings} }}, rollout = {rollout} }}");
        with(PIN, &candidate)
    };
    for (settings, from, to, side) in [
        (CODE, 10, 10, None),
        (CODE, 10, 25, Some("(`it` [candidate])")),
        (CODE, 25, 10, Some("(`it` [stable])")),
        (CODE, 99, 100, Some("(`it` [candidate])")),
        (CODE, 0, 1, Some("(`it` [candidate])")),
        (BOTH, 10, 25, None),
        // What the candidate keeps, the policy itself does not know.
        (BOTH, 25, 0, Some("(`it` [stable])")),
    ] {
        let told = cross((&rolled_out(settings, from), &[]), &rolled_out(settings, to)).broken;
        assert_eq!(told.len(), usize::from(side.is_some()), "{from} to {to}: {told:?}");
        assert!(told.iter().all(|text| text.ends_with(side.unwrap())), "{from} to {to}: {told:?}");
    }
    // Promoted, it answers everybody.
    assert_eq!(cross((&rolled_out(BOTH, 100), &[]), &with(BOTH, "")).broken, [""; 0]);
    assert_eq!(cross((&rolled_out(CODE, 50), &[]), &with(CODE, "")).broken.len(), 1);
}
