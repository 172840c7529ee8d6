//! Rolls a candidate out to a part of the users, and sees which side answers whom.

use cogwit_core::case::{CaseFile, ID};
use cogwit_core::policy::Document;
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Package, PolicySet, Rejected, Side};
use cogwit_core::{Call, Decision, decide};

use crate::scenario::policies_wasm;
use crate::split;
use crate::support::{ADMISSION, admit, caps, decided, package_of};

/// A set of one policy that sets `autoConfirmUser` to false, and whose candidate sets it to true.
fn set(rollout: u8, admission: &Admission, lines: &str) -> Result<PolicySet, Rejected> {
    let component = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let lines = format!(
        "limits = {{ deadline = '2 s' }}\nsettings = {{ autoConfirmUser = 'false' }}\n{lines}
        candidate = {{ component = 'it.wasm', settings = {{ autoConfirmUser = 'true' }}, rollout = {rollout} }}"
    );
    admission.admit(&package_of(&component, &lines), &caps(), |_| None)
}

/// A set of one policy, and of what else these lines say.
fn set_of(lines: &str) -> PolicySet {
    let component = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let lines = format!("limits = {{ deadline = '2 s' }}\n{lines}");
    ADMISSION.admit(&package_of(&component, &lines), &caps(), |_| None).unwrap()
}

fn of_user(set: &PolicySet, user: usize) -> Decision {
    decided(set, format!(r#"{{"userPoolId":"p","userName":"user-{user}","response":{{}}}}"#).as_bytes())
}

fn side(decision: &Decision) -> Option<Side> {
    let [run] = decision.runs.as_slice() else { panic!("not one side: {decision:?}") };
    run.side
}

#[test]
fn exactly_one_side_answers_and_it_is_the_one_that_is_told() {
    let half = set(50, &ADMISSION, "").unwrap();
    let mut candidates = 0;
    for user in 0..400 {
        let decision = of_user(&half, user);
        let confirmed =
            String::from_utf8(decision.reply.clone().unwrap()).unwrap().contains(r#""autoConfirmUser":true"#);
        assert_eq!(confirmed, side(&decision) == Some(Side::Candidate));
        candidates += usize::from(confirmed);
    }
    assert!((120..280).contains(&candidates), "{candidates}");
}

#[test]
fn nobody_and_everybody_are_exact() {
    let (nobody, everybody) = (set(0, &ADMISSION, "").unwrap(), set(100, &ADMISSION, "").unwrap());
    for user in 0..400 {
        assert_eq!(side(&of_user(&nobody, user)), Some(Side::Stable));
        assert_eq!(side(&of_user(&everybody, user)), Some(Side::Candidate));
    }
}

#[test]
fn a_user_keeps_the_candidate_as_the_rollout_grows() {
    let sides = |rollout| {
        let set = set(rollout, &ADMISSION, "").unwrap();
        (0..400).map(|user| side(&of_user(&set, user)) == Some(Side::Candidate)).collect::<Vec<_>>()
    };
    let (few, more) = (sides(10), sides(50));
    assert!(few.iter().zip(&more).all(|(few, more)| more >= few), "a user left the candidate as it grew");
}

#[test]
fn what_cannot_be_rolled_out_is_refused() {
    let errors =
        |rollout, lines| set(rollout, &ADMISSION, lines).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(errors(101, "").contains("`rollout` is 101"));
    assert!(errors(10, "mode = 'shadow'").contains("its candidate would answer nobody"));
    let warnings = |rollout, lines| {
        set(rollout, &ADMISSION, lines).unwrap().warnings.into_iter().map(|it| it.text).collect::<String>()
    };
    assert!(warnings(10, "").contains("COGWIT_ROLLOUT_KEY") && warnings(1, "").contains("several names"));
    assert!(!warnings(10, "triggers = ['pre-authentication']").contains("several names"));
    assert!(!warnings(0, "").contains("several names") && !warnings(100, "").contains("several names"));
}

#[test]
fn a_candidate_answers_what_its_policy_answers() {
    let names = ["block-client.wasm", "deny-short-username.wasm"];
    let components = names.map(|name| (name.to_owned(), std::fs::read(policies_wasm().join(name)).unwrap()));
    let text = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'block-client.wasm'\n\
                candidate = { component = 'deny-short-username.wasm', rollout = 1 }\n";
    let rejected = admit(&Package::of(Document::parse(text).unwrap(), components.into())).err().unwrap();
    assert_eq!(
        rejected.to_string(),
        "policy `it`: it answers `pre-authentication`, but its candidate `pre-sign-up`: name the `triggers` that both answer"
    );
}

#[test]
fn what_is_wrong_with_a_candidate_alone_is_told_of_it() {
    let component = std::fs::read(policies_wasm().join("deny-short-username.wasm")).unwrap();
    let errors = |lines: &str| {
        let rejected = ADMISSION.admit(&package_of(&component, lines), &caps(), |_| None).err().unwrap();
        rejected.findings.into_iter().map(|it| it.text).collect::<Vec<_>>()
    };
    let (wrong, refused) = ("settings = { minimum-length = 'x' }", "its settings are refused: ");
    let of = |component: &str, settings: &str| {
        format!("candidate = {{ component = '{component}', {settings} rollout = 1 }}")
    };
    let told = errors(&of("it.wasm", &format!("{wrong},")));
    assert!(told.len() == 1 && told[0].starts_with(&format!("its candidate: {refused}")), "{told:?}");
    let told = errors(&format!("{wrong}\n{}", of("absent.wasm", "")));
    assert!(told.len() == 2 && told[1].starts_with("its candidate: the set does not hold `absent.wasm`"), "{told:?}");
    // What it has from its policy is told once.
    let told = errors(&format!("{wrong}\n{}", of("it.wasm", "")));
    assert!(told.len() == 1 && told[0].starts_with(refused), "{told:?}");
}

#[test]
fn challenges_that_several_policies_part_are_warned_of() {
    let component = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let warned = |create: &str, verify: &str| {
        let of = |trigger: &str, lines: &str| {
            format!("triggers = ['{trigger}']\nlimits = {{ deadline = '2 s' }}\n{lines}\n")
        };
        let lines = of("create-auth-challenge", create)
            + "[[policy]]\nname = 'verify'\ncomponent = 'it.wasm'\n"
            + &of("verify-auth-challenge-response", verify);
        let set = ADMISSION.admit(&package_of(&component, &lines), &caps(), |_| None).unwrap();
        let parted = set.warnings.into_iter().filter(|it| it.text.contains("sign-ins by challenges"));
        parted.filter_map(|it| it.policy).collect::<Vec<_>>()
    };
    let candidate = |rollout| format!("candidate = {{ component = 'it.wasm', rollout = {rollout} }}");
    assert_eq!(warned(&candidate(10), ""), ["it"]);
    assert_eq!(warned(&candidate(10), &candidate(10)), ["it", "verify"]);
    assert_eq!(warned(&candidate(0), &candidate(100)), [""; 0]);
    assert_eq!(warned(&candidate(10), "mode = 'shadow'"), [""; 0]);
}

/// Holds a count to what chance allows of so many users.
#[track_caller]
fn is_part(count: usize, of_users: usize, share: f64) {
    let (count, users) = (count as f64, of_users as f64);
    assert!(
        (count - users * share).abs() < 5.0 * (users * share * (1.0 - share)).sqrt(),
        "{count} of {users}: {share}"
    );
}

#[test]
fn many_users_are_parted_by_the_rollouts_and_anew_for_each_policy() {
    let users = split::users();
    let package = Package::of(Document::parse(&split::document()).unwrap(), [split::component()].into());
    let engine = Engine::new(4, caps().limits.memory).unwrap();
    let admission = Admission::new(engine).parting_by(Some(split::KEY.to_owned()));
    let set = admission.admit(&package, &caps(), |_| None).unwrap();
    split::in_threads(2, |users| {
        for user in users {
            let decision = decide(&set, &Call::new(split::event(user).as_bytes(), ID, Chance::real()));
            assert_eq!(split::sides(&decision.reply.unwrap()), split::expected(user), "{user}");
        }
    });
    let sides: Vec<_> = (0..users).map(split::expected).collect();
    let shares = split::ROLLOUTS.map(|rollout| f64::from(rollout) / 100.0);
    for (one, share) in shares.iter().enumerate() {
        is_part(sides.iter().filter(|sides| sides[one]).count(), users, *share);
        for (other, of_other) in shares.iter().enumerate().skip(one + 1) {
            is_part(sides.iter().filter(|sides| sides[one] && sides[other]).count(), users, share * of_other);
        }
    }
}

/// What comes of a case: nothing where it is not of the set; else its side, and what is not as expected.
fn checked(set: &PolicySet, side: &str, confirmed: bool) -> Option<(Option<Side>, Vec<&'static str>)> {
    let text = format!(
        "source = 'PreSignUp_SignUp'\n{side}\n
        [expect]\ndecision = 'allow'\nresponse = {{ autoConfirmUser = {confirmed} }}\n"
    );
    let CaseFile { cases, errors, .. } = CaseFile::parse(&text, &|name| Err(name.to_owned()));
    assert_eq!(errors, [""; 0]);
    let checked = cases[0].1.check(set)?;
    Some((checked.side, checked.mismatches.iter().map(|it| it.key).collect()))
}

#[test]
fn a_case_holds_for_both_sides_unless_it_names_one() {
    let (stable, candidate) = (Some(Side::Stable), Some(Side::Candidate));
    let (of_stable, of_candidate) = ("side = 'stable'", "side = 'candidate'");
    for rollout in [1, 50, 100] {
        let set = set(rollout, &ADMISSION, "").unwrap();
        // The case holds on one side alone.
        assert_eq!(checked(&set, "", false), Some((candidate, vec!["response", "side"])));
        assert_eq!(checked(&set, "", true), Some((stable, vec!["response"])));
        assert_eq!(checked(&set, of_stable, false), Some((stable, vec![])));
        assert_eq!(checked(&set, of_candidate, true), Some((candidate, vec![])));
        assert_eq!(checked(&set, of_candidate, false), Some((candidate, vec!["response"])));
    }
    // The candidate answers nobody yet.
    let before = set(0, &ADMISSION, "").unwrap();
    assert_eq!(checked(&before, "", false), Some((stable, vec![])));
    assert_eq!(checked(&before, of_stable, false), Some((stable, vec![])));
    assert_eq!(checked(&before, of_candidate, true), None);
    // It took the place of its policy.
    let after = set_of("settings = { autoConfirmUser = 'true' }");
    assert_eq!(checked(&after, "", true), Some((None, vec![])));
    assert_eq!(checked(&after, of_candidate, true), Some((None, vec![])));
    assert_eq!(checked(&after, of_stable, false), None);
}

#[test]
fn a_case_is_about_the_sides_of_those_that_answer_its_event() {
    // Another policy has a candidate too, and answers other events.
    let other = "\n[[policy]]\nname = 'other'\ncomponent = 'it.wasm'\ntriggers = ['pre-authentication']\n\
                 candidate = { component = 'it.wasm', settings = { deny = 'No' }, rollout = 50 }";
    let with = |lines: &str| set_of(&format!("triggers = ['pre-sign-up']\n{lines}{other}"));
    let (of_stable, of_candidate) = ("side = 'stable'", "side = 'candidate'");
    let promoted = with("settings = { autoConfirmUser = 'true' }");
    assert_eq!(checked(&promoted, "", true), Some((None, vec![])));
    assert_eq!(checked(&promoted, of_candidate, true), Some((None, vec![])));
    assert_eq!(checked(&promoted, of_stable, false), None);
    // An event that nobody answers is no event of a side that is past: the condition may be misspelt.
    let strange = with("settings = { autoConfirmUser = 'true' }\nwhen = { user-pool-id = ['another'] }");
    assert_eq!(checked(&strange, of_stable, false), Some((None, vec!["ran"])));
    let of_nobody = with(
        "settings = { autoConfirmUser = 'false' }\n\
         candidate = { component = 'it.wasm', settings = { autoConfirmUser = 'true' }, rollout = 0 }",
    );
    assert_eq!(checked(&of_nobody, of_stable, false), Some((Some(Side::Stable), vec![])));
    assert_eq!(checked(&of_nobody, of_candidate, true), None);
}
