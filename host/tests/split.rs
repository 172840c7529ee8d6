//! Rolls candidates out to parts of the users, and says which side answers whom: the core first, and every host alike.

use std::env;
use std::fs;
use std::sync::LazyLock;

use cogwit_core::policy::{Caps, Document};
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Package, PolicySet};
use cogwit_core::{Call, decide};
use serde_json::Value;

use crate::scenario::policies_wasm;

/// What `COGWIT_ROLLOUT_KEY` is for the hosts.
pub(crate) const KEY: &str = "a key that all hosts have";

/// Of a hundred users, how many the candidate of each policy answers.
pub(crate) const ROLLOUTS: [u8; 4] = [1, 10, 50, 99];

/// A set of a policy for each rollout, whose sides write themselves into a claim.
pub(crate) fn document() -> String {
    let policy = |rollout| {
        let claim = format!("claimsToAddOrOverride.of-{rollout}");
        format!(
            "[[policy]]\nname = 'of-{rollout}'\ncomponent = 'scripted.wasm'\ntriggers = ['pre-token-generation']
            settings = {{ '{claim}' = 'stable' }}
            candidate = {{ component = 'scripted.wasm', settings = {{ '{claim}' = 'candidate' }}, rollout = {rollout} }}\n"
        )
    };
    "schema = 1\n[set]\nname = 'split'\n[limits]\ndeadline = '2 s'\n".to_owned() + &ROLLOUTS.map(policy).concat()
}

/// The component that they all are.
pub(crate) fn component() -> (String, Vec<u8>) {
    ("scripted.wasm".to_owned(), fs::read(policies_wasm().join("scripted.wasm")).unwrap())
}

/// How many users sign in: a thousand in the quick gate; `SPLIT_USERS` asks for more.
pub(crate) fn users() -> usize {
    env::var("SPLIT_USERS").map_or(1_000, |users| users.parse().unwrap())
}

/// The event by which a user gets tokens.
pub(crate) fn event(user: usize) -> String {
    format!(
        r#"{{"version":"1","triggerSource":"TokenGeneration_Authentication","userPoolId":"eu-west-1_Split","userName":"user-{user}","callerContext":{{"clientId":"app"}},"request":{{"userAttributes":{{}},"groupConfiguration":{{}}}},"response":{{}}}}"#
    )
}

/// By policy, whether a reply is its candidate's.
#[track_caller]
pub(crate) fn sides(reply: &[u8]) -> [bool; 4] {
    let reply: Value = serde_json::from_slice(reply).unwrap();
    let claims = &reply["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"];
    assert_eq!(claims.as_object().unwrap().len(), ROLLOUTS.len(), "{reply}");
    ROLLOUTS.map(|rollout| match claims[format!("of-{rollout}")].as_str().unwrap() {
        "candidate" => true,
        "stable" => false,
        other => panic!("{other} is no side"),
    })
}

/// What the core makes of a user.
#[track_caller]
pub(crate) fn of_core(user: usize) -> [bool; 4] {
    static SET: LazyLock<PolicySet> = LazyLock::new(|| {
        let package = Package::of(Document::parse(&document()).unwrap(), [component()].into());
        let engine = Engine::new(1, Caps::default().limits.memory).unwrap();
        Admission::new(engine).parting_by(Some(KEY.to_owned())).admit(&package, &Caps::default(), |_| None).unwrap()
    });
    let (event, chance) = (event(user), Chance::real());
    let call = Call::new(event.as_bytes(), "it", chance);
    sides(&decide(&SET, &call).reply.unwrap())
}
