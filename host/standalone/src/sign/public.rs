//! Is a public key in minisign's format: its line, its id, and the check of a signature's key.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cogwit_core::release::TrustedKey;

use crate::failure::Failure;

/// The begin of the first line of everything that minisign writes.
pub(super) const UNTRUSTED: &str = "untrusted comment:";

/// A public key, and what it is called in errors.
#[derive(Debug)]
pub(crate) struct PublicKey {
    pub(super) name: String,
    pub(super) number: [u8; 8],
    trusted: TrustedKey,
    verifier: minisign_verify::PublicKey,
}

impl PublicKey {
    /// Reads a file with a comment and the key's line, or with its line alone.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::could_not_run(format!("cannot read the public key `{name}`: {error}; check the path"))
        })?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(UNTRUSTED));
        let key = lines.next().and_then(|line| Self::of_line(&name, line)).filter(|_| lines.next().is_none());
        key.ok_or_else(|| {
            Failure::could_not_run(format!(
                "`{name}` is no public key of minisign: name a file such as `cogwit.pub`, which `cogwit keygen` writes \
                 beside the secret key"
            ))
        })
    }

    /// The key whose line this is.
    pub(super) fn of_line(name: &str, line: &str) -> Option<Self> {
        let bytes = STANDARD.decode(line).ok()?;
        let (_, bytes) = bytes.split_first_chunk::<2>()?;
        let (number, _) = bytes.split_first_chunk()?;
        let verifier = minisign_verify::PublicKey::from_base64(line).ok()?;
        Some(Self { name: name.to_owned(), number: *number, trusted: line.parse().ok()?, verifier })
    }

    /// The key's id, as minisign prints it: 16 upper-case digits.
    pub(crate) fn id(&self) -> String {
        self.trusted.id.clone()
    }

    /// The line that a host is told to trust: `RW...`.
    pub(crate) fn line(&self) -> &str {
        &self.trusted.text
    }

    /// The key as hosts trust it.
    pub(crate) fn trusted(&self) -> &TrustedKey {
        &self.trusted
    }

    /// What stands in a `.pub` file.
    pub(crate) fn file(&self) -> String {
        format!("{UNTRUSTED} minisign public key {}\n{}\n", self.id(), self.line())
    }

    pub(super) fn verifier(&self) -> &minisign_verify::PublicKey {
        &self.verifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Debian's minisign writes it.
    const FILE: &str = "untrusted comment: minisign public key 4485578E2259A52F\n\
                        RWQvpVkijleFRK1gwF0GDOsXU6Lk1aOM0mBVPD7A0b6iWQcqlWBg7cIx\n";

    fn read(text: &str) -> Result<PublicKey, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.pub");
        fs::write(&path, text).unwrap();
        PublicKey::read(&path)
    }

    #[test]
    fn a_file_of_minisign_is_read_and_written_as_it_is() {
        let key = read(FILE).unwrap();
        assert_eq!((key.id().as_str(), key.file().as_str()), ("4485578E2259A52F", FILE));
        let line = key.line();
        for text in
            [line.to_owned(), format!("\r\n {line} \r\n"), FILE.replace('\n', "\r\n"), FILE.replace("\n", "\n\n")]
        {
            assert_eq!(read(&text).unwrap().line(), line, "{text:?}");
        }
    }

    #[test]
    fn an_id_has_all_of_its_digits() {
        let bytes = [&b"Ed\x2f"[..], &[0; 39]].concat();
        assert_eq!(PublicKey::of_line("it", &STANDARD.encode(bytes)).unwrap().id(), "000000000000002F");
    }

    #[test]
    fn what_is_no_public_key_says_what_is() {
        let secret = crate::sign::Pair::generate(None).unwrap().secret;
        let other_kind = FILE.replace("RWQ", "XXQ");
        for text in
            ["", "untrusted comment: x\n", "RWQ", &FILE.replace("cIx", "c!x"), &secret, &other_kind, &FILE.repeat(2)]
        {
            let error = format!("{:?}", read(text).unwrap_err());
            assert!(error.contains("is no public key of minisign: name a file such as `cogwit.pub`"), "{error}");
        }
        let error = format!("{:?}", PublicKey::read(Path::new("none.pub")).unwrap_err());
        assert!(
            error.contains("cannot read the public key `none.pub`: ") && error.contains("check the path"),
            "{error}"
        );
    }
}
