//! Plays whole flows with the policies that come along: a device that signs, another directory, another provider, tokens.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_compact::{KeyPair, Seed};
use serde_json::{Value, json};

use crate::program::{self, Cogwit, cogwit, stdout};
use crate::scenario::policies_wasm;
use crate::simulate_flows::exception;

fn by(flow: &str, policy: &str) -> Cogwit {
    cogwit("simulate").args([flow, "--policy"]).arg(policies_wasm().join(format!("{policy}.wasm")))
}

fn setting(policy: &str, key: &str, value: &str) -> String {
    format!("--setting={policy}.{key}={value}")
}

const USER: &str = "ingrid.o";
const POOL: &str = "eu-north-1_k7Qm2ZxTb";

fn device(seed: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([seed; 32]))
}

/// The answer of a device to the nonce of a challenge.
fn signed(device: &KeyPair, challenge: &Value) -> String {
    let text = format!("cogwit-device-key-v1:{POOL}:{USER}:{}", challenge["nonce-v1"].as_str().unwrap());
    STANDARD.encode(device.sk.sign(text.as_bytes(), None).as_ref())
}

fn sign_in() -> Cogwit {
    let key = STANDARD.encode(device(7).pk.as_ref());
    by("custom-auth", "device-key")
        .args(["--grant=device-key.random", "--format=json", "--user", USER, "--pool-id", POOL])
        .arg(format!("--attribute=custom:device_key={key}"))
}

/// Signs in, each challenge answered by `answer`, which gets all challenges so far. Gives what is told, and the challenges.
fn answered(args: &[&str], code: i32, answer: fn(&[Value]) -> String) -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let pipe = |name: &str| {
        let path = folder.path().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let (asked, told) = (pipe("asked"), pipe("told"));
    let command = format!("cat > '{}'; cat '{}'", asked.display(), told.display());
    let challenges = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&challenges);
    // It ends with the test: nobody opens the pipe after the last challenge.
    thread::spawn(move || {
        loop {
            let challenge = serde_json::from_slice(&fs::read(&asked).unwrap()).unwrap();
            let mut all = seen.lock().unwrap();
            all.push(challenge);
            let answer = answer(&all);
            drop(all);
            fs::write(&told, answer).unwrap();
        }
    });
    let told = program::json(&sign_in().args(args).args(["--answer-command", &command]).ends(code));
    let challenges = challenges.lock().unwrap().clone();
    (told, challenges)
}

#[test]
fn a_device_signs_in_after_a_wrong_signature() {
    let (told, challenges) = answered(&[], 0, |challenges| match challenges.len() {
        1 => signed(&device(8), &challenges[0]),
        _ => signed(&device(7), challenges.last().unwrap()),
    });
    assert_eq!(told["outcome"]["exception"], Value::Null, "{told}");
    let left: Vec<_> = challenges.iter().map(|challenge| challenge["attempts-left"].as_str().unwrap()).collect();
    assert_eq!(left, ["3", "2"]);
    assert_ne!(challenges[0]["nonce-v1"], challenges[1]["nonce-v1"]);
}

#[test]
fn a_device_that_signs_wrongly_too_often_is_refused() {
    let (told, challenges) = answered(&["--setting=device-key.attempts=2"], 1, |challenges| match challenges.len() {
        3 => signed(&device(7), &challenges[2]),
        _ => "not a signature".to_owned(),
    });
    assert_eq!((exception(&told).split(':').next(), challenges.len()), (Some("NotAuthorizedException"), 2), "{told}");
}

#[test]
fn a_signature_of_an_earlier_nonce_is_refused() {
    let (told, challenges) = answered(&[], 1, |challenges| match challenges.len() {
        1 => "nothing yet".to_owned(),
        _ => signed(&device(7), &challenges[0]),
    });
    assert_eq!((exception(&told).split(':').next(), challenges.len()), (Some("NotAuthorizedException"), 3), "{told}");
}

#[test]
fn who_does_not_exist_is_asked_as_often_and_never_signed_in() {
    let (told, challenges) =
        answered(&["--user-not-found"], 1, |challenges| signed(&device(7), challenges.last().unwrap()));
    assert_eq!((exception(&told).split(':').next(), challenges.len()), (Some("NotAuthorizedException"), 3), "{told}");
}

/// The answer to an event, by `cogwit run`, with members of its request set.
fn run(source: &str, request: &Value) -> Value {
    let mut event: Value = serde_json::from_str(&stdout(&cogwit("event").args(["new", source]).ends(0))).unwrap();
    event["userName"] = USER.into();
    for (name, value) in request.as_object().unwrap() {
        event["request"][name] = value.clone();
    }
    let run = cogwit("run").arg("--policy").arg(policies_wasm().join("device-key.wasm"));
    let ended = run.args(["--grant=device-key.random", "-"]).stdin(&event.to_string()).ends(0);
    serde_json::from_str::<Value>(&stdout(&ended)).unwrap()["response"].take()
}

#[test]
fn a_device_signs_in_event_by_event() {
    let attributes = json!({ "custom:device_key": STANDARD.encode(device(7).pk.as_ref()) });
    let mut session = Vec::new();
    for key in [8, 7] {
        let define = run("DefineAuthChallenge_Authentication", &json!({ "session": session }));
        assert_eq!((&define["challengeName"], &define["issueTokens"]), (&json!("CUSTOM_CHALLENGE"), &json!(false)));
        let create = run("CreateAuthChallenge_Authentication", &json!({ "session": session }));
        let answer = signed(&device(key), &create["publicChallengeParameters"]);
        let private = &create["privateChallengeParameters"];
        let asked =
            json!({ "userAttributes": attributes, "privateChallengeParameters": private, "challengeAnswer": answer });
        let right = run("VerifyAuthChallengeResponse_Authentication", &asked)["answerCorrect"].take();
        assert_eq!(right, key == 7);
        let metadata = &create["challengeMetadata"];
        session.push(
            json!({ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": right, "challengeMetadata": metadata }),
        );
    }
    let define = run("DefineAuthChallenge_Authentication", &json!({ "session": session }));
    assert_eq!((&define["challengeName"], &define["issueTokens"]), (&Value::Null, &json!(true)));
}

/// What was set at an event of this source.
fn set<'a>(told: &'a Value, source: &str) -> &'a Value {
    let steps = told["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["source"] == source).unwrap_or_else(|| panic!("{told}"));
    &step["report"]["policies"][0]["set"]
}

#[test]
fn a_refresh_gets_claims_and_scopes() {
    let claims = setting("token-claims", "claims", "tenant=custom:tenant");
    let flow = by("refresh", "token-claims").args([&claims, "--attribute=custom:tenant=fjord-42", "--format=json"]);
    let told = program::json(&flow.ends(0));
    let set = set(&told, "TokenGeneration_RefreshTokens").to_string();
    assert!(set.contains(r#""tenant":"fjord-42""#), "{set}");
}

#[test]
fn a_user_of_another_provider_gets_a_clean_profile_and_an_unknown_tenant_none() {
    let by_tenant = |tenant: &str, code| {
        let flow = by("federated", "federation-map").arg("--format=json").args([
            setting("federation-map", "attributes", "email=email, custom:tenant=tid"),
            setting("federation-map", "tenant-claim", "tid"),
            setting("federation-map", "tenants", "fjord-42"),
            format!("--claim=tid={tenant}"),
            "--claim=email=Ingrid@Northwind.example".to_owned(),
        ]);
        program::json(&flow.ends(code))
    };
    let told = by_tenant("fjord-42", 0);
    let set = set(&told, "InboundFederation_ExternalProvider").to_string();
    // Their values are in the reply alone.
    assert_eq!(set, r#"{"userAttributesToMap":{"custom:tenant":"***","email":"***"}}"#);
    let refused = exception(&by_tenant("other", 1));
    assert!(refused.ends_with("Your organization has no access here."), "{refused}");
}

#[test]
fn a_user_of_another_directory_comes_in_by_the_right_password() {
    let verifier = "$argon2id$v=19$m=64,t=1,p=1$c2FsdC1vZi0xNi1ieXRlcw$ElyvfDuuXHf9gps/fBs4F3CqRtSPdibLxxKAS9H5OAA";
    let users = format!("legacy {verifier} email=aase@fjord.example email_verified=true");
    let by_password = |password: &str, code| {
        let flow = by("migrate", "import-users").args(["--user=legacy", "--format=json", "--password", password]);
        program::json(&flow.arg(setting("import-users", "users", &users)).ends(code))
    };
    let told = by_password("grønn-Båt\"91\\", 0);
    assert_eq!(set(&told, "UserMigration_Authentication")["finalUserStatus"], "CONFIRMED", "{told}");
    assert!(exception(&by_password("another", 1)).starts_with("UserNotFoundException"));
}
