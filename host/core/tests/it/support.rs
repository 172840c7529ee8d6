//! What the tests share: one engine and admission, sets made of a document, and decisions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cogwit_core::case::ID;
use cogwit_core::event::Trigger;
use cogwit_core::policy::{Caps, Document, Limits};
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Package, PolicySet, Rejected, Source};
use cogwit_core::{Call, Decision, decide};

use crate::scenario;

#[path = "../../../tests/probe.rs"]
#[expect(dead_code, reason = "the hosts' tests use the rest")]
mod probe;
pub(crate) use probe::*;

/// Compiled components are shared by every test for as long as some set holds them.
pub(crate) static ADMISSION: LazyLock<Admission> =
    LazyLock::new(|| Admission::new(Engine::new(16, caps().limits.memory).unwrap()));

/// The default set, which also keeps its components compiled.
pub(crate) static DEFAULT: LazyLock<PolicySet> = LazyLock::new(|| {
    let package = Source::Document(scenario::policies_wasm().join("policies.toml")).read().unwrap();
    admit(&package).unwrap()
});

/// A set whose one policy allows and sets nothing.
pub(crate) static ALLOWING: LazyLock<PolicySet> = LazyLock::new(|| set_of(&probe("allow"), "").unwrap());

/// Caps that are out of the way of a test that turns a limit off.
pub(crate) fn caps() -> Caps {
    let hour = std::time::Duration::from_secs(3600);
    Caps { limits: Limits { fuel: u64::MAX, deadline: hour, ..Caps::default().limits }, chain_deadline: hour }
}

pub(crate) fn admit(package: &Package) -> Result<PolicySet, Rejected> {
    ADMISSION.admit(package, &caps(), |_| None)
}

/// A set of one policy, `it`, with lines of TOML for it.
pub(crate) fn set_of(component: &[u8], lines: &str) -> Result<PolicySet, Rejected> {
    admit(&package_of(component, lines))
}

pub(crate) fn package_of(component: &[u8], lines: &str) -> Package {
    let text = format!("schema = 1\n[set]\nname = 'test'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\n{lines}");
    let components = BTreeMap::from([("it.wasm".to_owned(), component.to_vec())]);
    Package::of(Document::parse(&text).unwrap(), components)
}

pub(crate) fn decided(set: &PolicySet, event: &[u8]) -> Decision {
    decide(set, &Call { trigger: Some(Trigger::PreSignUp), ..Call::new(event, ID, Chance::real()) })
}

/// The reply's bytes, whatever was decided.
pub(crate) fn reply(decision: &Decision) -> Vec<u8> {
    decision.body().into_owned()
}
