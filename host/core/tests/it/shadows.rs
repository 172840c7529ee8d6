//! Lets policies look on, and sees that nothing of them is in the answer and all of it is told.

use std::collections::BTreeMap;

use cogwit_core::case::ID;
use cogwit_core::policy::Document;
use cogwit_core::run::Chance;
use cogwit_core::store::{Package, PolicySet};
use cogwit_core::{Call, Decision, Shadow, decide, shadow};

use crate::scenario::policies_wasm;
use crate::support::{admit, probe};

const EVENT: &[u8] = br#"{"triggerSource":"PreSignUp_SignUp","userName":"ina","request":{"userAttributes":{"email":"i@x.example"}},"response":{"autoConfirmUser":false}}"#;

/// What a set decides whose one policy answers this, and what one that looks on made of it.
fn looked_on(answer: &str, looks_on: &str) -> (Decision, Vec<Shadow>) {
    let set = set(answer, &format!("component = 'scripted.wasm'\nsettings = {{ {looks_on} }}"));
    let call = Call::new(EVENT, ID, Chance::real());
    let decision = decide(&set, &call);
    let shadows = shadow(&set, &call, &decision);
    (decision, shadows)
}

fn set(answer: &str, looks_on: &str) -> PolicySet {
    let text = format!(
        "schema = 1\n[set]\nname = 'it'\n[limits]\ndeadline = '2 s'
        [[policy]]\nname = 'answers'\ncomponent = 'scripted.wasm'\nsettings = {{ {answer} }}
        [[policy]]\nname = 'looks-on'\nmode = 'shadow'\n{looks_on}"
    );
    let scripted = std::fs::read(policies_wasm().join("scripted.wasm")).unwrap();
    let probes = ["endless-loop", "trap", "memory-bomb"].map(|name| (format!("{name}.wasm"), probe(name)));
    let components: BTreeMap<_, _> = probes.into_iter().chain([("scripted.wasm".to_owned(), scripted)]).collect();
    admit(&Package::of(Document::parse(&text).unwrap(), components)).unwrap()
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
    ] {
        let (decision, shadows) = looked_on(answer, looks_on);
        let [shadow] = shadows.as_slice() else { panic!("{shadows:?}") };
        assert_eq!(shadow.differs, differs, "{answer}, {looks_on}");
        assert_eq!(decision.runs.len(), 1);
        assert_eq!(decision.reply, looked_on(answer, "").0.reply);
    }
}

#[test]
fn whatever_breaks_while_looking_on_is_told_there_alone() {
    for (probe, kind) in [("endless-loop", "fuel"), ("trap", "trap"), ("memory-bomb", "memory")] {
        let set = set("autoConfirmUser = 'true'", &format!("component = '{probe}.wasm'"));
        let call = Call::new(EVENT, ID, Chance::real());
        let decision = decide(&set, &call);
        assert!(!decision.is_broken() && decision.runs.len() == 1, "{decision:?}");
        let shadows = shadow(&set, &call, &decision);
        assert_eq!((shadows[0].run.verdict.word(), &*shadows[0].differs), ("fault", &["faults"][..]), "{probe}");
        assert!(format!("{:?}", shadows[0].run.verdict).to_lowercase().contains(kind), "{:?}", shadows[0].run.verdict);
    }
}

#[test]
fn a_set_that_only_looks_on_answers_nothing() {
    let text = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\nmode = 'shadow'";
    let components = BTreeMap::from([("it.wasm".to_owned(), probe("allow"))]);
    let set = admit(&Package::of(Document::parse(text).unwrap(), components)).unwrap();
    let call = Call::new(EVENT, ID, Chance::real());
    let decision = decide(&set, &call);
    assert!(decision.is_unmatched());
    assert_eq!(decision.reply.as_deref().unwrap(), EVENT);
    assert!(shadow(&set, &call, &decision)[0].differs.is_empty());
}
