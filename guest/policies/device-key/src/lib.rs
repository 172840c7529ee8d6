//! Signs users in by a key of their device: a passwordless custom sign-in in three triggers.
//!
//! Create hands the client a fresh nonce of 32 random bytes, and how many attempts are left; the device signs the nonce with its Ed25519 key; verify checks that with the
//! public key in an attribute of the user. What is signed are the bytes of this text, in UTF-8:
//!
//! ```text
//! cogwit-device-key-v1:<user pool id>:<user name>:<nonce in base64>
//! ```
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `key-attribute` | the attribute with the public key, 32 bytes in base64 | `custom:device_key` |
//! | `attempts` | how many answers may be wrong before the sign-in ends | 3 |
//!
//! Needs `capabilities = ["random"]`. **No client may write the attribute**: take it out of every app client's write attributes, and
//! have the back end set it by `AdminUpdateUserAttributes` once it has seen the device. A user who does not exist walks the same
//! steps and is never signed in. What create keeps for verify is named by a version: a change of these parameters has to be
//! understood by both for as long as sign-ins last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cogwit_sdk::create_auth_challenge::{self as create, CreateAuthChallenge};
use cogwit_sdk::define_auth_challenge::{self as define, DefineAuthChallenge};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::verify_auth_challenge_response::{self as verify, VerifyAuthChallengeResponse};
use cogwit_sdk::{Denial, export, log, random};
use ed25519_compact::{PublicKey, Signature};

/// The policy.
pub struct DeviceKey;
export!(DeviceKey: define_auth_challenge, create_auth_challenge, verify_auth_challenge_response, settings);

/// The challenge of a custom sign-in that is ours.
const OURS: &str = "CUSTOM_CHALLENGE";

/// What a device is asked for, as the client and later calls see it.
const METADATA: &str = "DEVICE_KEY";

/// The parameter that holds the nonce.
const NONCE: &str = "nonce-v1";

/// A public key that nobody has the other half of: a point of the curve that a hash named (SHA-256 of `cogwit device-key: nobody 2`).
const NOBODYS: [u8; 32] = *b"\xda\x85\x2b\x90\xe4\x18\x93\xc1\x66\xdc\x83\xd6\x2b\xd2\xbc\x48\xc8\x0b\x8f\x25\xee\xcf\x79\xf1\x02\x7d\x26\x87\x9c\xbd\x61\x0d";

impl DefineAuthChallenge for DeviceKey {
    fn decide(event: define::Event) -> Result<define::Response, Denial> {
        let nobody = event.is_nobody();
        Ok(match event.session.last() {
            None => define::Response::challenge(),
            // What the client began with a password, or anything that we did not ask for, is not ours to go on with.
            Some(_) if event.session.iter().any(|challenge| challenge.challenge_name != OURS) => {
                define::Response::end()
            }
            Some(last) if last.challenge_result == Some(true) && !nobody => define::Response::tokens(),
            Some(_) if event.session.len() >= attempts() => define::Response::end(),
            Some(_) => define::Response::challenge(),
        })
    }
}

impl CreateAuthChallenge for DeviceKey {
    fn decide(event: create::Event) -> Result<create::Response, Denial> {
        if event.challenge_name.as_deref().is_some_and(|name| name != OURS) {
            return Err(Denial::new("This way to sign in is not offered").because("another challenge was chosen"));
        }
        let nonce = STANDARD.encode(random::bytes::<32>());
        let left = attempts().saturating_sub(event.session.len());
        let response = create::Response::default()
            .with_public("challenge", METADATA)
            .with_public("attempts-left", left.to_string())
            .with_public(NONCE, &nonce);
        Ok(create::Response { challenge_metadata: Some(METADATA.to_owned()), ..response.with_private(NONCE, nonce) })
    }
}

impl VerifyAuthChallengeResponse for DeviceKey {
    fn decide(event: verify::Event) -> Result<verify::Response, Denial> {
        let verified = verified(&event);
        if let Err(reason) = verified {
            log::info(reason);
        }
        Ok(verify::Response::of(verified.is_ok() && !event.is_nobody()))
    }
}

impl Settings for DeviceKey {
    fn validate() -> Result<(), String> {
        settings::only(&["key-attribute", "attempts"])?;
        match settings::parsed("attempts", 3_u8)? {
            1..=10 => Ok(()),
            other => Err(format!("`attempts` is `{other}`: write 1 to 10")),
        }
    }
}

fn attempts() -> usize {
    settings::parsed("attempts", 3_u8).unwrap_or(1).into()
}

/// Checks the device's signature, or says what is wrong with it.
fn verified(event: &verify::Event) -> Result<(), &'static str> {
    let attribute = settings::text("key-attribute", "custom:device_key");
    let known = event.attribute(&attribute);
    let key = known.and_then(bytes).and_then(|key| PublicKey::from_slice(&key).ok());
    let nonce = event.private_parameter(NONCE).filter(|nonce| !nonce.is_empty()).ok_or("there is no nonce")?;
    let signature = bytes(event.answer()).and_then(|answer| Signature::from_slice(&answer).ok());
    let signature = signature.ok_or("the answer is no signature")?;
    let pool = event.header.user_pool_id.as_deref().unwrap_or_default();
    let signed = format!("cogwit-device-key-v1:{pool}:{}:{nonce}", event.user_name());
    // Where there is no key, another is tried all the same: the answer takes as long.
    let tried = key.unwrap_or(PublicKey::new(NOBODYS)).verify(signed.as_bytes(), &signature);
    match (known, key, tried) {
        (None, ..) => Err("the user has no device key"),
        (_, None, _) => Err("the device key is none"),
        (_, _, Err(_)) => Err("the signature is another key's, or of another nonce"),
        (_, _, Ok(())) => Ok(()),
    }
}

fn bytes(base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(base64.trim()).ok()
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::Challenge;
    use cogwit_sdk::testing::World;
    use ed25519_compact::{KeyPair, Seed};

    use super::*;

    fn device() -> KeyPair {
        KeyPair::from_seed(Seed::new([7; 32]))
    }

    fn step(name: &str, result: bool) -> Challenge {
        Challenge { challenge_name: name.to_owned(), challenge_result: Some(result), challenge_metadata: None }
    }

    fn defined(session: &[Challenge], nobody: bool) -> define::Response {
        let event = define::Event {
            session: session.to_vec(),
            user_not_found: nobody.then_some(true),
            ..define::Event::default()
        };
        World::default().run(|| <DeviceKey as DefineAuthChallenge>::decide(event)).value.unwrap()
    }

    /// The answer to a nonce, by the key of this device.
    fn answer(key: &KeyPair, pool: &str, user: &str, nonce: &str) -> String {
        let signed = format!("cogwit-device-key-v1:{pool}:{user}:{nonce}");
        STANDARD.encode(key.sk.sign(signed.as_bytes(), None).as_ref())
    }

    fn judged(answer: &str, nonce: &str, nobody: bool) -> bool {
        let mut event = verify::Event::default()
            .with_user_name("ina")
            .with_attribute("custom:device_key", &STANDARD.encode(device().pk.as_ref()))
            .with_private_parameter(NONCE, nonce)
            .with_answer(answer);
        event.header.user_pool_id = Some("pool".to_owned());
        event.user_not_found = nobody.then_some(true);
        let run = World::default().run(|| <DeviceKey as VerifyAuthChallengeResponse>::decide(event));
        run.value.unwrap().answer_correct.unwrap()
    }

    #[test]
    fn a_right_answer_signs_in_and_wrong_ones_are_counted() {
        let (challenge, end) = (define::Response::challenge(), define::Response::end());
        assert_eq!(defined(&[], false), challenge);
        assert_eq!(defined(&[step(OURS, true)], false), define::Response::tokens());
        assert_eq!(defined(&[step(OURS, false), step(OURS, true)], false), define::Response::tokens());
        assert_eq!(defined(&[step(OURS, false), step(OURS, false)], false), challenge);
        assert_eq!(defined(&[step(OURS, false), step(OURS, false), step(OURS, false)], false), end);
    }

    #[test]
    fn no_other_challenge_signs_anybody_in() {
        for name in ["SRP_A", "PASSWORD_VERIFIER", "SMS_MFA", ""] {
            assert_eq!(defined(&[step(name, true)], false), define::Response::end(), "{name}");
        }
        assert_eq!(defined(&[step("SRP_A", true), step(OURS, true)], false), define::Response::end());
    }

    #[test]
    fn who_does_not_exist_walks_the_same_steps_and_is_never_signed_in() {
        assert_eq!(defined(&[], true), defined(&[], false));
        assert_eq!(defined(&[step(OURS, false)], true), defined(&[step(OURS, false)], false));
        assert_eq!(defined(&[step(OURS, true)], true), define::Response::challenge());
        let right = answer(&device(), "pool", "ina", "n");
        assert!(judged(&right, "n", false) && !judged(&right, "n", true));
    }

    #[test]
    fn every_challenge_has_a_nonce_of_its_own() {
        let made = |random: &[u8]| {
            let run = World::default()
                .random(random)
                .run(|| <DeviceKey as CreateAuthChallenge>::decide(create::Event::default()));
            run.value.unwrap()
        };
        let (one, other) = (made(&[1]), made(&[2]));
        assert_ne!(one.private_challenge_parameters, other.private_challenge_parameters);
        let nonce = one.private_challenge_parameters.unwrap().remove(0);
        assert!(one.public_challenge_parameters.unwrap().contains(&nonce));
        assert_eq!(STANDARD.decode(nonce.1).unwrap(), [1; 32]);
    }

    #[test]
    fn the_client_knows_how_many_attempts_are_left() {
        for (session, left) in [(vec![], "3"), (vec![step(OURS, false)], "2"), (vec![step(OURS, false); 2], "1")] {
            let event = create::Event { session, ..create::Event::default() };
            let made = World::default().run(|| <DeviceKey as CreateAuthChallenge>::decide(event)).value.unwrap();
            let public = made.public_challenge_parameters.unwrap();
            assert!(public.contains(&("attempts-left".to_owned(), left.to_owned())), "{public:?}");
        }
    }

    #[test]
    fn only_the_devices_signature_of_this_nonce_for_this_user_counts() {
        let other = KeyPair::from_seed(Seed::new([8; 32]));
        assert!(judged(&answer(&device(), "pool", "ina", "n"), "n", false));
        for wrong in [
            answer(&device(), "pool", "ina", "replayed"),
            answer(&device(), "pool", "ola", "n"),
            answer(&device(), "other", "ina", "n"),
            answer(&other, "pool", "ina", "n"),
            String::new(),
            "not base64".to_owned(),
            STANDARD.encode([0; 64]),
        ] {
            assert!(!judged(&wrong, "n", false), "{wrong}");
        }
        assert!(!judged(&answer(&device(), "pool", "ina", ""), "", false));
    }

    #[test]
    fn settings_are_checked() {
        for attempts in ["0", "11", "many"] {
            let refused = World::default().setting("attempts", attempts).run(DeviceKey::validate).value;
            assert!(refused.unwrap_err().contains("attempts"), "{attempts}");
        }
        World::default().run(DeviceKey::validate).value.unwrap();
    }
}
