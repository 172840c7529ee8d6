//! Holds signatures to what they promise: nothing of a channel can be changed, and only a trusted key counts.

use cogwit_core::release::{Channel, ChannelError, Trust, TrustedKey, Untrusted};

use crate::ship::Signer;

const PAYLOAD: &str = r#"{"schema":1,"set":"acme","channel":"prod","release":"0000000000000000000000000000000000000000000000000000000000000000","sequence":7,"issued":"2026-11-22T12:00:00Z"}"#;

fn signed(signer: &Signer) -> Channel {
    Channel { payload: PAYLOAD.to_owned(), signature: signer.sign(PAYLOAD.as_bytes(), "a comment") }
}

fn verify(object: &Channel, trust: &Trust) -> Result<(), ChannelError> {
    Channel::verify(&object.to_bytes(), trust, "prod").map(drop)
}

#[test]
fn what_was_signed_is_what_is_read() {
    let signer = Signer::new();
    let verified = Channel::verify(&signed(&signer).to_bytes(), &signer.trusted(), "prod").unwrap();
    assert_eq!(
        (verified.key, verified.payload.sequence, verified.payload.set.as_str()),
        (Some(signer.id()), 7, "acme")
    );
}

#[test]
fn no_character_of_a_channel_can_be_changed() {
    let signer = Signer::new();
    let (object, trust) = (signed(&signer), signer.trusted());
    verify(&object, &trust).unwrap();
    for at in 0..object.payload.len() {
        let mut payload = object.payload.clone().into_bytes();
        payload[at] ^= 1;
        let Ok(payload) = String::from_utf8(payload) else { continue };
        let error = verify(&Channel { payload, ..object.clone() }, &trust).unwrap_err();
        assert!(matches!(error, ChannelError::Untrusted(Untrusted::Broken(_))), "{at}: {error}");
    }
    // The first line is minisign's untrusted comment, which nobody looks at.
    let start = object.signature.find('\n').unwrap() + 1;
    for at in start..object.signature.trim_end().len() {
        let mut signature = object.signature.clone().into_bytes();
        signature[at] = if signature[at] == b'A' { b'B' } else { b'A' };
        let signature = String::from_utf8(signature).unwrap();
        verify(&Channel { signature, ..object.clone() }, &trust).unwrap_err();
    }
}

#[test]
fn one_of_several_keys_is_enough_so_that_keys_can_be_changed() {
    let (old, new, stranger) = (Signer::new(), Signer::new(), Signer::new());
    let both = Trust { keys: [old.trusted().keys, new.trusted().keys].concat(), unsigned: false };
    verify(&signed(&old), &both).unwrap();
    verify(&signed(&new), &both).unwrap();
    let error = verify(&signed(&stranger), &both).unwrap_err();
    assert_eq!(error, ChannelError::Untrusted(Untrusted::OtherKey(format!("{}, {}", old.id(), new.id()))));
    assert_eq!(verify(&signed(&old), &Trust::default()), Err(ChannelError::Untrusted(Untrusted::NoKey)));
    // To allow what is not signed is not to allow what is signed by anybody.
    let error = verify(&signed(&stranger), &Trust { unsigned: true, ..both }).unwrap_err();
    assert!(matches!(error, ChannelError::Untrusted(Untrusted::OtherKey(_))));
}

#[test]
fn a_key_is_read_as_the_tool_writes_it() {
    // Of the minisign tool's own documentation.
    let line = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{line}\n");
    for text in [line, &file] {
        let key: TrustedKey = text.parse().unwrap();
        assert_eq!((key.id.as_str(), key.text.as_str()), ("E7620F1842B4E81F", line));
    }
    for text in ["", "RWQ", "not base64!", &line[1..], &format!("{line}A")] {
        let error = text.parse::<TrustedKey>().unwrap_err().to_string();
        assert!(error.contains("is no public key"), "{error}");
    }
}
