//! Is who signs: a secret key, or a command. No signature leaves that hosts would not take.

use std::fmt;
use std::path::Path;

use minisign::SecretKey;

use super::command::SignCommand;
use super::public::PublicKey;
use super::{Password, secret, text};
use crate::failure::Failure;

/// Signs for one key.
pub(crate) struct Signer {
    key: PublicKey,
    way: Way,
}

enum Way {
    Key(SecretKey),
    Command(SignCommand),
}

impl Signer {
    /// Signs with the secret key in a file. Calls for its password if it is encrypted.
    pub(super) fn key(path: &Path, password: impl FnOnce() -> Result<Password, Failure>) -> Result<Self, Failure> {
        let (secret, key) = secret::open(path, password)?;
        Ok(Self { key, way: Way::Key(secret) })
    }

    /// Signs by a shell command, whose signatures are good by the public key in a file.
    pub(super) fn command(command: &str, public_key: &Path) -> Result<Self, Failure> {
        Ok(Self { key: PublicKey::read(public_key)?, way: Way::Command(SignCommand::new(command)) })
    }

    /// The id of the key, as minisign prints it: 16 upper-case digits.
    pub(crate) fn key_id(&self) -> String {
        self.key.id()
    }

    /// The key's public half.
    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Signs a payload: the four lines of a minisign signature, in the prehashed form. The trusted comment is signed too; a
    /// command that prints a whole signature writes its own.
    pub(crate) fn sign(&self, payload: &[u8], trusted_comment: &str) -> Result<String, Failure> {
        if trusted_comment.chars().any(char::is_control) || trusted_comment.trim() != trusted_comment {
            return Err(Failure::failed(format!(
                "the comment {trusted_comment:?} cannot be signed: write one line without control characters and blanks around it"
            )));
        }
        let signed = match &self.way {
            Way::Key(secret) => self.by_key(secret, payload, trusted_comment),
            Way::Command(command) => command.sign(&self.key, payload, trusted_comment),
        };
        let checked = signed.and_then(|text| text::check(&self.key, payload, &text).map(|()| text));
        checked.map_err(|reason| match &self.way {
            Way::Key(_) => Failure::failed(format!("cannot sign with `{}`: {reason}", self.key.name)),
            Way::Command(command) => Failure::failed(format!("cannot sign by `{command}`: {reason}")),
        })
    }

    fn by_key(&self, secret: &SecretKey, payload: &[u8], trusted_comment: &str) -> Result<String, String> {
        let untrusted = text::untrusted(&self.key);
        let signed = minisign::sign(None, secret, payload, Some(trusted_comment), Some(&untrusted));
        signed.map(|signature| signature.into_string()).map_err(|error| format!("{error}; try again"))
    }
}

/// Not derived: the secret key's own would print the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use blake2::{Blake2b512, Digest};
    use minisign_verify::Signature;
    use tempfile::TempDir;

    use super::*;
    use crate::sign::Pair;

    const PAYLOAD: &[u8] = br#"{"serial":7}"#;

    /// A folder with the key `it`, and the signer of its file.
    fn signer() -> (TempDir, Signer) {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair::generate(None).unwrap();
        fs::write(folder.path().join("it.key"), &pair.secret).unwrap();
        fs::write(folder.path().join("it.pub"), pair.public.file()).unwrap();
        let signer = Signer::key(&folder.path().join("it.key"), || panic!("it is not encrypted")).unwrap();
        (folder, signer)
    }

    /// A command that keeps what it is asked, and answers what is laid ready for it in this order.
    fn command(folder: &TempDir, answers: &[&[u8]]) -> Signer {
        for (number, answer) in answers.iter().enumerate() {
            fs::write(folder.path().join(format!("answer-{number}")), answer).unwrap();
        }
        let command =
            format!("cd '{}'; n=$(ls | grep -c asked); cat >asked-$n; cat answer-$n", folder.path().display());
        Signer::command(&command, &folder.path().join("it.pub")).unwrap()
    }

    fn asked(folder: &TempDir) -> Vec<Vec<u8>> {
        let files = (0..).map(|number| fs::read(folder.path().join(format!("asked-{number}"))));
        files.map_while(Result::ok).collect()
    }

    /// The two bare signatures in a text.
    fn bare(text: &str) -> [Vec<u8>; 2] {
        let bytes = |line: usize| STANDARD.decode(text.lines().nth(line).unwrap()).unwrap();
        [bytes(1)[10..].to_vec(), bytes(3)]
    }

    /// As a host verifies it.
    fn verified(signer: &Signer, text: &str) -> Result<String, minisign_verify::Error> {
        let key = minisign_verify::PublicKey::from_base64(signer.public_key().line()).unwrap();
        let signature = Signature::decode(text)?;
        key.verify(PAYLOAD, &signature, false).map(|()| signature.trusted_comment().to_owned())
    }

    fn refused(signer: &Signer) -> String {
        format!("{:?}", signer.sign(PAYLOAD, "release 7").unwrap_err())
    }

    #[test]
    fn a_key_signs() {
        let (_folder, signer) = signer();
        let text = signer.sign(PAYLOAD, "release 7").unwrap();
        assert_eq!(verified(&signer, &text).unwrap(), "release 7");
        let first = format!("untrusted comment: signature by cogwit with the key {}\n", signer.key_id());
        assert!(text.starts_with(&first) && text.ends_with('\n') && text.lines().count() == 4, "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("RU"), "not the prehashed form: {text}");
    }

    #[test]
    fn a_command_signs_the_digest_and_then_the_comment() {
        let (folder, key) = signer();
        let [signature, global] = bare(&key.sign(PAYLOAD, "release 7").unwrap());
        let mut wrapped = STANDARD.encode(&global);
        wrapped.insert_str(76, "\n ");
        let signer = command(&folder, &[&signature, wrapped.as_bytes()]);
        let text = signer.sign(PAYLOAD, "release 7").unwrap();
        assert_eq!(verified(&signer, &text).unwrap(), "release 7");
        assert_eq!(signer.key_id(), key.key_id());
        let signed = [&signature[..], b"release 7"].concat();
        assert_eq!(asked(&folder), [Blake2b512::digest(PAYLOAD).to_vec(), signed]);
    }

    #[test]
    fn a_command_may_print_a_whole_signature_with_its_own_comment() {
        let (folder, key) = signer();
        let whole = key.sign(PAYLOAD, "its own").unwrap();
        let signer = command(&folder, &[b"untrusted comment: a\nb\nc\nd\n", whole.as_bytes()]);
        assert_eq!(signer.sign(PAYLOAD, "release 7").unwrap(), whole);
        assert_eq!(asked(&folder), [Blake2b512::digest(PAYLOAD).to_vec(), PAYLOAD.to_vec()]);
    }

    #[test]
    fn a_broken_signature_never_leaves() {
        let (folder, key) = signer();
        let [signature, global] = bare(&key.sign(PAYLOAD, "release 7").unwrap());
        let [other, other_global] = bare(&key.sign(b"{}", "release 7").unwrap());
        let of_another = self::signer().1.sign(PAYLOAD, "release 7").unwrap();
        let whole = key.sign(b"{}", "release 7").unwrap();
        let not_good = "the signature is not good by the public key `";
        let mixed = "it printed a bare signature once, and a whole minisign signature once";
        for (answers, reason) in [
            ([&other[..], &global], not_good),
            ([&signature, &other_global], not_good),
            ([&[0; 64], &[0; 64]], not_good),
            ([whole.as_bytes(), whole.as_bytes()], not_good),
            ([whole.as_bytes(), of_another.as_bytes()], "the signature is of the key "),
            ([&signature, whole.as_bytes()], mixed),
            ([whole.as_bytes(), &signature], mixed),
            ([&signature, b""], "it printed nothing: "),
        ] {
            for number in 0..2 {
                let _ = fs::remove_file(folder.path().join(format!("asked-{number}")));
            }
            let told = refused(&command(&folder, &answers));
            assert!(told.starts_with("Failure { code: 1, text: \"cannot sign by `cd '"), "{told}");
            assert!(told.contains(&format!("answer-$n`: {reason}")), "{told}");
        }
    }

    #[test]
    fn a_damaged_key_does_not_sign() {
        let (folder, _) = signer();
        let path = folder.path().join("it.key");
        let text = fs::read_to_string(&path).unwrap();
        let mut bytes = STANDARD.decode(text.lines().nth(1).unwrap()).unwrap();
        bytes[70] ^= 1;
        // Without a checksum, only its signatures tell.
        bytes[126..].fill(0);
        fs::write(&path, STANDARD.encode(bytes)).unwrap();
        let told = refused(&Signer::key(&path, || panic!("it is not encrypted")).unwrap());
        assert!(told.contains("cannot sign with `") && told.contains("the signature is not good by"), "{told}");
    }

    #[test]
    fn a_comment_is_one_plain_line() {
        let (_folder, signer) = signer();
        for comment in ["a\nb", "a\r", "a\u{1b}[0m", " a", "a "] {
            let told = format!("{:?}", signer.sign(PAYLOAD, comment).unwrap_err());
            assert!(told.contains("cannot be signed: write one line"), "{told}");
        }
        for comment in ["", "é, and so on"] {
            assert_eq!(verified(&signer, &signer.sign(PAYLOAD, comment).unwrap()).unwrap(), comment);
        }
    }

    #[test]
    fn nothing_prints_the_key() {
        let (_folder, signer) = signer();
        assert_eq!(format!("{signer:?}"), format!("Signer {{ key_id: {:?}, .. }}", signer.key_id()));
    }
}
