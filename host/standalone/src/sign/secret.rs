//! Is a secret key in minisign's format: made together with its public key, and read from its file.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{ErrorKind, KeyPair, PError, SecretKey, SecretKeyBox};

use super::Password;
use super::public::{PublicKey, UNTRUSTED};
use crate::failure::Failure;

/// A new key: the text of its `.key` file, and its public half.
pub(crate) struct Pair {
    pub(crate) secret: String,
    pub(crate) public: PublicKey,
}

impl Pair {
    /// Makes a key, encrypted with the password where there is one.
    pub(crate) fn generate(password: Option<Password>) -> Result<Self, Failure> {
        let failed = |error: PError| Failure::failed(format!("no key could be made: {error}; try again"));
        let how = if password.is_some() { "encrypted" } else { "not encrypted" };
        let pair = match password {
            Some(password) => KeyPair::generate_encrypted_keypair(Some(password.into_text())),
            None => KeyPair::generate_unencrypted_keypair(),
        }
        .map_err(failed)?;
        let public = PublicKey::of_line("the new key", &pair.pk.to_base64())
            .ok_or_else(|| Failure::failed("no key could be made: its public half is malformed; try again"))?;
        let comment = format!("secret key {} of cogwit, {how}", public.id());
        let secret = pair.sk.to_box(Some(&comment)).map_err(failed)?.into_string();
        Ok(Self { secret, public })
    }
}

/// Reads the file of a secret key and its public half; calls for the password of an encrypted one.
pub(super) fn open(
    path: &Path,
    password: impl FnOnce() -> Result<Password, Failure>,
) -> Result<(SecretKey, PublicKey), Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::could_not_run(format!("cannot read the secret key `{name}`: {error}; check the path"))
    })?;
    let strange = || {
        Failure::could_not_run(format!(
            "`{name}` is no secret key of minisign: name a file such as `cogwit.key`, which `cogwit keygen` writes"
        ))
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(UNTRUSTED));
    let line = line.ok_or_else(strange)?;
    let key = match Kind::of(line).ok_or_else(strange)? {
        // Its checksum is left out, so nothing can be compared with it.
        Kind::Unchecked(bytes) => SecretKey::from_bytes(&bytes),
        Kind::Plain => boxed(line).into_unencrypted_secret_key(),
        Kind::Encrypted => boxed(line).into_secret_key(Some(password()?.into_text())),
    };
    let key = key.map_err(|error| Failure::could_not_run(unopened(&name, &error)))?;
    let public = minisign::PublicKey::from_secret_key(&key).ok();
    let public = public.and_then(|public| PublicKey::of_line(&name, &public.to_base64())).ok_or_else(strange)?;
    Ok((key, public))
}

/// How a secret key lies in its file.
enum Kind {
    Encrypted,
    Plain,
    /// As `minisign -G -W` of version 0.11 writes it.
    Unchecked(Vec<u8>),
}

impl Kind {
    /// The layout of the bytes: three names of algorithms with two bytes each, the salt and the limits of the encryption,
    /// the key's number, the key, and the checksum.
    fn of(line: &str) -> Option<Self> {
        let bytes = STANDARD.decode(line).ok().filter(|bytes| bytes.len() == 158)?;
        match (bytes.get(..6)?, bytes.last_chunk::<32>()?) {
            (b"EdScB2", _) => Some(Self::Encrypted),
            (b"Ed\0\0B2", [0, rest @ ..]) if rest.iter().all(|byte| *byte == 0) => Some(Self::Unchecked(bytes)),
            (b"Ed\0\0B2", _) => Some(Self::Plain),
            _ => None,
        }
    }
}

fn boxed(line: &str) -> SecretKeyBox {
    SecretKeyBox::from(format!("{UNTRUSTED}\n{line}\n"))
}

fn unopened(name: &str, error: &PError) -> String {
    match error.kind() {
        ErrorKind::Verify => {
            format!("`{name}` does not open: the password is another one, or the file is damaged; check both")
        }
        _ => format!("`{name}` does not open: {error}; check whether `minisign -S -s {name}` takes it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Debian's `minisign -G -W`: without a checksum.
    const UNCHECKED: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAL6VZIo5XhUQZatTl8NqeK+ypdzE2lYgaoNX2rO662aY/qo4uOZlbgq1gwF0GDOsXU6Lk1aOM0mBVPD7A0b6iWQcqlWBg7cIxAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";

    fn password(text: &str) -> Password {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("it"), text).unwrap();
        Password::read(&folder.path().join("it")).unwrap()
    }

    /// The public half of what opens; or the error.
    fn opened(text: &str, word: Option<&str>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.key");
        fs::write(&path, text).unwrap();
        let asked = || word.map(password).ok_or_else(|| Failure::usage("it is encrypted"));
        match open(&path, asked) {
            Ok((_, public)) => Ok(public.line().to_owned()),
            Err(failure) => Err(format!("{failure:?}").replace(&path.display().to_string(), "it.key")),
        }
    }

    #[test]
    fn a_key_that_is_made_opens() {
        let pair = Pair::generate(None).unwrap();
        assert_eq!(opened(&pair.secret, None).unwrap(), pair.public.line());
        let comment = format!("untrusted comment: secret key {} of cogwit, not encrypted\n", pair.public.id());
        assert!(pair.secret.starts_with(&comment), "{}", pair.secret);
        let line = pair.secret.lines().nth(1).unwrap();
        assert_eq!(opened(&format!("\r\n{line}\r\n"), None).unwrap(), pair.public.line());
        assert_ne!(Pair::generate(None).unwrap().public.id(), pair.public.id());
    }

    #[test]
    fn an_encrypted_key_opens_with_its_password_alone() {
        let pair = Pair::generate(Some(password("pa ss\n"))).unwrap();
        assert!(pair.secret.contains(" of cogwit, encrypted\n"), "{}", pair.secret);
        assert_eq!(opened(&pair.secret, Some("pa ss")).unwrap(), pair.public.line());
        let wrong = opened(&pair.secret, Some("pass")).unwrap_err();
        assert!(
            wrong.contains("`it.key` does not open: the password is another one, or the file is damaged"),
            "{wrong}"
        );
        assert!(opened(&pair.secret, None).unwrap_err().contains("it is encrypted"));
    }

    #[test]
    fn a_key_of_the_tool_without_a_checksum_opens() {
        let line = "RWQvpVkijleFRK1gwF0GDOsXU6Lk1aOM0mBVPD7A0b6iWQcqlWBg7cIx";
        assert_eq!(opened(UNCHECKED, None).unwrap(), line);
    }

    #[test]
    fn what_is_no_secret_key_says_so() {
        let pair = Pair::generate(None).unwrap();
        let public = pair.public.file();
        let other_kind = UNCHECKED.replace("RWQAAEIy", "RWQAAEIz");
        for text in ["", "untrusted comment: x\n", &public, &UNCHECKED.replace("QAA", "Q!A"), &other_kind] {
            let told = opened(text, None).unwrap_err();
            assert!(told.contains("`it.key` is no secret key of minisign: name a file such as `cogwit.key`"), "{told}");
        }
        let bytes = STANDARD.decode(pair.secret.lines().nth(1).unwrap()).unwrap();
        for text in [&bytes[..157], &[&bytes[..], &[0; 3]].concat()] {
            let told = opened(&STANDARD.encode(text), None).unwrap_err();
            assert!(told.contains("is no secret key of minisign"), "{told}");
        }
        // A checksum that begins as one that is left out does is a checksum all the same.
        for wrong in [70, 126, 157] {
            let mut bytes = bytes.clone();
            bytes[wrong] = bytes[wrong].wrapping_add(1);
            bytes[126] = if wrong == 126 { bytes[126] } else { 0 };
            let told = opened(&STANDARD.encode(bytes), None).unwrap_err();
            assert!(told.contains("`it.key` does not open: "), "{told}");
        }
        let missing = open(Path::new("none.key"), || Err(Failure::usage(""))).err().unwrap();
        assert!(format!("{missing:?}").contains("cannot read the secret key `none.key`: "), "{missing:?}");
    }
}
