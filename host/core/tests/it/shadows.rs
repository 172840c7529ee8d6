//! Lets policies look on, and sees that nothing of them is in the answer and all of it is told.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cogwit_core::case::{self, CaseFile, ID};
use cogwit_core::policy::Document;
use cogwit_core::run::{Chance, Fault};
use cogwit_core::store::{Package, PolicySet, Tests};
use cogwit_core::{Call, Decision, Shadow, Verdict, decide, shadow};

use crate::scenario::policies_wasm;
use crate::support::{ADMISSION, admit, caps, probe};

const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"ina","request":{"userAttributes":{"email":"i@x.example"}},"response":{"autoConfirmUser":false}}"#;

/// Keeps the policy compiled from one set to the next.
static SCRIPTED: LazyLock<PolicySet> = LazyLock::new(|| set("", "component = 'scripted.wasm'"));

/// What a set decides whose one policy answers this, and what one that looks on made of it.
fn looked_on(event: &str, answer: &str, looks_on: &str) -> (Decision, Vec<Shadow>) {
    LazyLock::force(&SCRIPTED);
    let set = set(answer, &format!("component = 'scripted.wasm'\nsettings = {{ {looks_on} }}"));
    let call = Call::new(event.as_bytes(), ID, Chance::real());
    let decision = decide(&set, &call);
    let shadows = shadow(&set, &call, &decision);
    (decision, shadows)
}

fn set(answer: &str, looks_on: &str) -> PolicySet {
    admit(&package(answer, looks_on)).unwrap()
}

fn package(answer: &str, looks_on: &str) -> Package {
    let text = format!(
        "schema = 1\n[set]\nname = 'it'\n[limits]\ndeadline = '2 s'
        [[policy]]\nname = 'answers'\ncomponent = 'scripted.wasm'\nsettings = {{ {answer} }}
        [[policy]]\nname = 'looks-on'\nmode = 'shadow'\n{looks_on}"
    );
    let scripted = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let probes = ["endless-loop", "trap", "memory-bomb"].map(|name| (format!("{name}.wasm"), probe(name)));
    let components: BTreeMap<_, _> = probes.into_iter().chain([("scripted.wasm".to_owned(), scripted)]).collect();
    Package::of(Document::parse(&text).unwrap(), components)
}

#[test]
fn in_what_it_disagrees_is_told() {
    let confirms = "autoConfirmUser = 'true'";
    for (answer, looks_on, differs) in [
        (confirms, confirms, &[] as &[_]),
        (confirms, "", &[]),
        (confirms, "autoConfirmUser = 'false'", &["autoConfirmUser"]),
        ("", "autoConfirmUser = 'true', autoVerifyEmail = 'true'", &["autoConfirmUser", "autoVerifyEmail"]),
        // As the event says already.
        ("", "autoConfirmUser = 'false'", &[]),
        ("", "autoVerifyEmail = 'false'", &["autoVerifyEmail"]),
        (confirms, "deny = 'No'", &["denies"]),
        ("deny = 'No'", "deny = 'Never'", &[]),
        ("deny = 'No'", confirms, &["allows"]),
        // A fault refuses too.
        ("panic = 'Oh'", "deny = 'No'", &[]),
        ("panic = 'Oh'", confirms, &["allows"]),
        ("", "panic = 'Oh'", &["faults"]),
        // Cognito would refuse it.
        ("", "autoVerifyPhone = 'true'", &["faults"]),
        // Here only what both want together.
        ("autoConfirmUser = 'true', autoVerifyEmail = 'true'", "autoConfirmUser = 'false'", &["autoConfirmUser"]),
    ] {
        let (decision, shadows) = looked_on(EVENT, answer, looks_on);
        let [shadow] = shadows.as_slice() else { panic!("{shadows:?}") };
        assert_eq!(shadow.differs, differs, "{answer}, {looks_on}");
        assert_eq!(decision.runs.len(), 1);
        assert_eq!(decision.reply, looked_on(EVENT, answer, "").0.reply);
    }
}

#[test]
fn a_no_of_the_answer_hides_no_yes_of_those_who_look_on() {
    let claim = |name: &str, value: &str| format!("'idTokenGeneration.claimsToAddOrOverride.{name}' = '{value}'");
    let (tier, suppresses) = (claim("tier", "gold"), "'idTokenGeneration.claimsToSuppress' = 'tier'");
    let both = format!("{tier}, {}", claim("team", "a"));
    let deep = |leaf: &str| claim("tree", &format!("json:{}{leaf}{}", "[".repeat(200), "]".repeat(200)));
    let (verify, define) = ("VerifyAuthChallengeResponse_Authentication", "DefineAuthChallenge_Authentication");
    let (tokens, message) = ("TokenGeneration_Authentication", "CustomMessage_SignUp");
    let groups = |names: &str| format!("'groupOverrideDetails.groupsToOverride' = '{names}'");
    let create = "CreateAuthChallenge_Authentication";
    let details = &["claimsAndScopeOverrideDetails"][..];
    for (source, answer, looks_on, differs) in [
        (verify, "answerCorrect = 'false'", "answerCorrect = 'true'", &["answerCorrect"] as &[_]),
        (verify, "answerCorrect = 'true'", "answerCorrect = 'false'", &["answerCorrect"]),
        (verify, "answerCorrect = 'true'", "answerCorrect = 'true'", &[]),
        (define, "issueTokens = 'false'", "issueTokens = 'true'", &["issueTokens"]),
        (define, "failAuthentication = 'true'", "failAuthentication = 'false'", &["failAuthentication"]),
        (define, "failAuthentication = 'true'", "issueTokens = 'true'", &["issueTokens"]),
        (define, "challengeName = 'CUSTOM_CHALLENGE'", "challengeName = 'CUSTOM_CHALLENGE'", &[]),
        // A part of what the answer says is said already; another value, or more, is not.
        (tokens, &both, &tier, &[]),
        (tokens, &tier, &both, details),
        (tokens, &tier, &claim("tier", "iron"), details),
        (tokens, suppresses, &tier, details),
        (tokens, &tier, suppresses, details),
        // Groups count as a whole.
        (tokens, &groups("a, b"), &groups("a"), details),
        (tokens, &groups("a, b"), &groups("a, b"), &[]),
        // No reader follows it, and it is told all the same.
        (tokens, &deep("1"), &deep("2"), details),
        (tokens, &deep("1"), &deep("1"), &[]),
        // Those who answer would have to agree.
        (message, "smsMessage = 'a {####}'", "smsMessage = 'b {####}'", &["smsMessage"]),
        (message, "smsMessage = 'a {####}'", "smsMessage = 'a {####}'", &[]),
        (
            create,
            "'publicChallengeParameters.a' = '1'",
            "'publicChallengeParameters.a' = '2'",
            &["publicChallengeParameters"],
        ),
        (
            create,
            "'publicChallengeParameters.a' = '1', 'publicChallengeParameters.b' = '1'",
            "'publicChallengeParameters.a' = '1'",
            &[],
        ),
    ] {
        let event = format!(
            r#"{{"version":"2","triggerSource":"{source}","userName":"ina","request":{{"codeParameter":"{{####}}"}},"response":{{}}}}"#
        );
        let (decision, shadows) = looked_on(&event, answer, looks_on);
        assert_eq!(decision.outcome.word(), "allow", "{source}: {answer}: {decision:?}");
        assert_eq!(shadows[0].differs, differs, "{source}: {answer}, {looks_on}");
    }
}

#[test]
fn what_cognito_would_refuse_is_told_as_it_is_of_those_who_answer() {
    let shadow = |looks_on| looked_on(EVENT, "", looks_on).1.remove(0);
    let Shadow { run, differs } = shadow("autoVerifyPhone = 'true'");
    assert_eq!(differs, ["faults"]);
    let Verdict::Fault(Fault::Verdict(rule)) = run.verdict else { panic!("{run:?}") };
    assert!(rule.contains("autoVerifyPhone"), "{rule}");
}

#[test]
fn all_that_look_on_have_the_time_of_a_chain_together() {
    let looks_on = |name: &str| {
        let limits = "limits = { fuel = 100_000_000_000 }";
        format!("[[policy]]\nname = '{name}'\nmode = 'shadow'\ncomponent = 'endless-loop.wasm'\n{limits}\n")
    };
    let lines = ["one", "two", "three"].map(looks_on).concat();
    let text = format!("schema = 1\n[set]\nname = 'it'\n[limits]\nchain-deadline = '300 ms'\n{lines}");
    let components = BTreeMap::from([("endless-loop.wasm".to_owned(), probe("endless-loop"))]);
    let set = admit(&Package::of(Document::parse(&text).unwrap(), components)).unwrap();
    let call = Call::new(EVENT.as_bytes(), ID, Chance::real());
    let decision = decide(&set, &call);
    let since = Instant::now();
    let shadows = shadow(&set, &call, &decision);
    // Three times as long would be 900 ms.
    assert!(since.elapsed() < Duration::from_millis(800), "{:?}", since.elapsed());
    let is_late = |shadow: &Shadow| matches!(shadow.run.verdict, Verdict::Fault(Fault::Deadline { .. }));
    assert!(shadows.len() == 3 && shadows.iter().all(is_late), "{shadows:?}");
}

#[test]
fn whatever_breaks_while_looking_on_is_told_there_alone() {
    for (probe, kind) in [("endless-loop", "fuel"), ("trap", "trap"), ("memory-bomb", "memory")] {
        let set = set("autoConfirmUser = 'true'", &format!("component = '{probe}.wasm'"));
        let call = Call::new(EVENT.as_bytes(), ID, Chance::real());
        let decision = decide(&set, &call);
        assert!(!decision.is_broken() && decision.runs.len() == 1, "{decision:?}");
        let shadows = shadow(&set, &call, &decision);
        assert_eq!((shadows[0].run.verdict.word(), &*shadows[0].differs), ("fault", &["faults"][..]), "{probe}");
        assert!(format!("{:?}", shadows[0].run.verdict).to_lowercase().contains(kind), "{:?}", shadows[0].run.verdict);
    }
}

#[test]
fn the_cases_of_a_policy_that_looks_on_are_about_what_it_will_answer() {
    let problems = |case: &str| {
        let text = format!("source = 'PreSignUp_SignUp'\n{case}");
        let cases = CaseFile::parse(&text, &|name| Err(name.to_owned()));
        assert_eq!(cases.errors, [""; 0]);
        let tests = [Tests { policy: "looks-on".to_owned(), file: "cases.toml".to_owned(), cases }];
        let package = package("autoConfirmUser = 'true'", "component = 'scripted.wasm'\nsettings = { deny = 'No' }");
        case::admit(&ADMISSION, (&package, &tests), &caps(), |_| None, None).1
    };
    LazyLock::force(&SCRIPTED);
    // It refuses once it answers after the other, by itself, and not before.
    assert_eq!(problems("expect = { decision = 'deny', ran = ['answers', 'looks-on'] }"), []);
    assert_eq!(problems("policies = ['looks-on']\nexpect = { decision = 'deny', ran = ['looks-on'] }"), []);
    let [problem] = problems("expect = { decision = 'allow' }").try_into().unwrap();
    assert!(problem.to_string().contains("\"allow\" expected, \"deny\" given"), "{problem}");
}

#[test]
fn a_set_that_only_looks_on_answers_nothing() {
    let text = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\nmode = 'shadow'";
    let components = BTreeMap::from([("it.wasm".to_owned(), probe("allow"))]);
    let set = admit(&Package::of(Document::parse(text).unwrap(), components)).unwrap();
    let [warning] = set.warnings.as_slice() else { panic!("{:?}", set.warnings) };
    assert!(warning.text.starts_with("`pre-sign-up`: policies only look on: "), "{warning}");
    let call = Call::new(EVENT.as_bytes(), ID, Chance::real());
    let decision = decide(&set, &call);
    assert!(decision.is_unmatched());
    assert_eq!(decision.reply.as_deref().unwrap(), EVENT.as_bytes());
    assert!(shadow(&set, &call, &decision)[0].differs.is_empty());
}
