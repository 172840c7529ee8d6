//! Rolls candidates out to parts of the users, and says which side answers whom, in the core and in every host alike.

use std::{env, fs};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::scenario::policies_wasm;

/// What `COGWIT_ROLLOUT_KEY` is for the hosts.
pub(crate) const KEY: &str = "a key that all hosts have";

const POOL: &str = "eu-west-1_Split";

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
        r#"{{"version":"1","triggerSource":"TokenGeneration_Authentication","userPoolId":"{POOL}","userName":"user-{user}","callerContext":{{"clientId":"app"}},"request":{{"userAttributes":{{}},"groupConfiguration":{{}}}},"response":{{}}}}"#
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

/// By policy, whether its candidate answers a user: reckoned here from what the guide says, not by the code that is held to it.
pub(crate) fn expected(user: usize) -> [bool; 4] {
    ROLLOUTS.map(|rollout| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        hmac.update(format!("of-{rollout}\0{POOL}\0user-{user}").as_bytes());
        let number = hmac.finalize().into_bytes()[..8].try_into().unwrap();
        u64::from_be_bytes(number) % 100 < u64::from(rollout)
    })
}

/// Asks for all users in so many threads at once, each for its own.
pub(crate) fn in_threads(clients: usize, ask: impl Fn(&mut dyn Iterator<Item = usize>) + Sync) {
    std::thread::scope(|scope| {
        for client in 0..clients {
            let ask = &ask;
            scope.spawn(move || ask(&mut (client..users()).step_by(clients)));
        }
    });
}
