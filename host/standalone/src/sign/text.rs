//! Is the text of a signature in minisign's format: put together, taken as it is, and checked as hosts check it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, Signature};

use super::public::{PublicKey, UNTRUSTED};

/// The form whose signature is over the digest of the payload.
const PREHASHED: &[u8; 2] = b"ED";

/// The first line of our signatures, without its `untrusted comment:`. Nobody checks it.
pub(super) fn untrusted(key: &PublicKey) -> String {
    format!("signature by cogwit with the key {}", key.id())
}

/// The signature of a digest, and that of the signature with its trusted comment, as a text.
pub(super) fn compose(key: &PublicKey, signature: &[u8; 64], trusted: &str, global: &[u8; 64]) -> String {
    let signature = [&PREHASHED[..], &key.number, signature].concat();
    format!(
        "{UNTRUSTED} {}\n{}\ntrusted comment: {trusted}\n{}\n",
        untrusted(key),
        STANDARD.encode(signature),
        STANDARD.encode(global)
    )
}

/// A text that somebody else put together, with its four lines ended as ours are.
pub(super) fn given(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    let lines: Vec<_> = text.lines().collect();
    (lines.len() == 4 && text.starts_with(UNTRUSTED)).then(|| lines.join("\n") + "\n")
}

/// Checks a signature as hosts do. The error tells why it is not good, and the mend.
pub(super) fn check(key: &PublicKey, payload: &[u8], text: &str) -> Result<(), String> {
    let (name, key_id) = (&key.name, key.id());
    let checked = Signature::decode(text).and_then(|signature| key.verifier().verify(payload, &signature, false));
    checked.map_err(|error| match error {
        Error::UnexpectedKeyId => format!(
            "the signature is of the key {}, but `{name}` is the key {key_id}: name the public key of the one that signs",
            signing_key(text).unwrap_or_default()
        ),
        Error::UnexpectedAlgorithm => {
            "the signature is in minisign's old form, which hosts refuse: let minisign sign without `-l`".to_owned()
        }
        Error::InvalidSignature => format!(
            "the signature is not good by the public key `{name}` ({key_id}): sign the bytes of standard input as they are, \
             by Ed25519, with the secret key that belongs to it"
        ),
        _ => "the signature is not the four lines that minisign prints: print them unchanged".to_owned(),
    })
}

/// The id of the key that a text says it is of.
fn signing_key(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    let (_, bytes) = bytes.split_first_chunk::<2>()?;
    bytes.first_chunk().map(|number| format!("{:016X}", u64::from_le_bytes(*number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWQvpVkijleFRK1gwF0GDOsXU6Lk1aOM0mBVPD7A0b6iWQcqlWBg7cIx";
    const PAYLOAD: &[u8] = br#"{"serial":7}"#;
    /// By Debian's `minisign -S -t 'release 7'` with the secret key of [`KEY`].
    const SIGNED: &str = "untrusted comment: signature from minisign secret key
RUQvpVkijleFRNjvJlf2LWJFAeEsRuKo76ZQApAYyTVYwvGrwWJTvlxQoXW0DVn8mJtxxV2Mj3fkpg3n+mWtpS4k7pvUFR+K3wo=
trusted comment: release 7
8r6QFKKElVLSbTgnK8IcV9ebZto2/UDSDt59EF8QeytGQnJ+WpogywL9B8za53fetvNLwV5V3P3rXs5a0NrfCg==
";
    /// The same with `-l`.
    const OLD_FORM: &str = "untrusted comment: signature from minisign secret key
RWQvpVkijleFRM0kmfoQrQp458heag/6JGjHLxQHkdi0wgUgvNlRvKfOcjotIaLi2m1UCuRzYUKEfuDvtJYEyVxS0YemM7KNPgU=
trusted comment: release 7
KoPpORxMxvs+epYf8cIO5RJ5FnnzVsQsVsLOJVmptu32mEUE5B7+Ro9WEk3OybguaUwczs/6hAiF/jtiNETvCw==
";

    fn key() -> PublicKey {
        PublicKey::of_line("kms.pub", KEY).unwrap()
    }

    #[test]
    fn a_text_is_put_together_as_minisign_does() {
        let bytes = |line: usize| STANDARD.decode(SIGNED.lines().nth(line).unwrap()).unwrap();
        let (signature, global) = (*bytes(1).last_chunk().unwrap(), bytes(3).try_into().unwrap());
        let text = compose(&key(), &signature, "release 7", &global);
        let ours = "untrusted comment: signature by cogwit with the key 4485578E2259A52F";
        assert_eq!(text, SIGNED.replace("untrusted comment: signature from minisign secret key", ours));
        assert_eq!(check(&key(), PAYLOAD, &text), Ok(()));
    }

    #[test]
    fn a_whole_text_keeps_its_lines() {
        for text in
            [SIGNED.to_owned(), SIGNED.trim_end().to_owned(), format!("{SIGNED}\n"), SIGNED.replace('\n', "\r\n")]
        {
            assert_eq!(given(text.as_bytes()).as_deref(), Some(SIGNED), "{text:?}");
        }
        let three = SIGNED.rsplit_once("trusted").unwrap().0;
        for text in ["", three, &SIGNED.repeat(2), &format!("{SIGNED}more"), &format!("signed:\n{three}")] {
            assert_eq!(given(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(given(b"untrusted comment: \xff\n\n\n\n"), None);
    }

    #[test]
    fn a_text_that_hosts_would_not_take_says_why() {
        assert_eq!(check(&key(), PAYLOAD, SIGNED), Ok(()));
        let other = PublicKey::of_line("other.pub", &KEY.replace("IFg", "IFh").replace("RWQvp", "RWQwp")).unwrap();
        let not_good = "the signature is not good by the public key `kms.pub` (4485578E2259A52F): sign the bytes";
        let no_text = "the signature is not the four lines that minisign prints: print them unchanged";
        let of_other =
            "the signature is of the key 4485578E2259A52F, but `other.pub` is the key 4485578E2259A530: name the";
        for (key, payload, text, reason) in [
            (key(), &b"{}"[..], SIGNED, not_good),
            (key(), PAYLOAD, &SIGNED.replace("release 7", "release 8"), not_good),
            (key(), PAYLOAD, &SIGNED.replace("8r6Q", "8r6R"), not_good),
            (
                key(),
                PAYLOAD,
                OLD_FORM,
                "the signature is in minisign's old form, which hosts refuse: let minisign sign without `-l`",
            ),
            (key(), PAYLOAD, "", no_text),
            (key(), PAYLOAD, &SIGNED.replace("Cg==", ""), no_text),
            (key(), PAYLOAD, &SIGNED.replace("RUQ", "AAA"), no_text),
            (other, PAYLOAD, SIGNED, of_other),
        ] {
            let told = check(&key, payload, text).unwrap_err();
            assert!(told.starts_with(reason), "{told}");
        }
    }
}
