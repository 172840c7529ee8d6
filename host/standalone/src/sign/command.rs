//! Is a shell command that signs what it reads, so that the secret key may stay in a KMS or an HSM.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use blake2::{Blake2b512, Digest};

use super::public::{PublicKey, UNTRUSTED};
use super::text;
use crate::shell::{self, MOST_OUTPUT};

/// How long a command may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that signs.
pub(super) struct SignCommand {
    command: String,
    patience: Duration,
}

/// What it prints.
#[derive(Debug, PartialEq)]
enum Answer {
    /// The signature of its standard input.
    Bare([u8; 64]),
    /// A minisign signature of its standard input.
    Whole(String),
}

impl SignCommand {
    pub(super) fn new(command: &str) -> Self {
        Self { command: command.to_owned(), patience: PATIENCE }
    }

    /// The signature of a payload as a text, not checked yet. The error tells the reason and the mend.
    ///
    /// Only its first answer tells which form a command prints, so it is asked for the digest first: that is what the bare
    /// form signs, however long the payload, where a KMS takes a few KiB at most.
    pub(super) fn sign(&self, key: &PublicKey, payload: &[u8], trusted_comment: &str) -> Result<String, String> {
        let mixed =
            "it printed a bare signature once, and a whole minisign signature once: let it print one form always";
        match self.ask(&Blake2b512::digest(payload))? {
            Answer::Whole(_) => match self.ask(payload)? {
                Answer::Whole(text) => Ok(text),
                Answer::Bare(_) => Err(mixed.to_owned()),
            },
            Answer::Bare(signature) => match self.ask(&[&signature[..], trusted_comment.as_bytes()].concat())? {
                Answer::Bare(global) => Ok(text::compose(key, &signature, trusted_comment, &global)),
                Answer::Whole(_) => Err(mixed.to_owned()),
            },
        }
    }

    fn ask(&self, input: &[u8]) -> Result<Answer, String> {
        let output = shell::run(&self.command, input, self.patience)?;
        if output.len() == MOST_OUTPUT { Err(wrong("too much")) } else { answer(&output) }
    }
}

impl fmt::Display for SignCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}

/// What an output says.
fn answer(output: &[u8]) -> Result<Answer, String> {
    if let Ok(signature) = output.try_into() {
        return Ok(Answer::Bare(signature));
    }
    if output.starts_with(UNTRUSTED.as_bytes()) {
        let text = text::given(output);
        return text.map(Answer::Whole).ok_or_else(|| {
            "what it printed begins as a minisign signature does, but has not four lines: print them unchanged"
                .to_owned()
        });
    }
    let characters: Vec<_> = output.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match STANDARD_PAD_INDIFFERENT.decode(&characters) {
        Ok(bytes) if bytes.is_empty() => Err(wrong("nothing")),
        Ok(bytes) => {
            let size = bytes.len();
            bytes.try_into().map(Answer::Bare).map_err(|_| wrong(&format!("{size} bytes in base64")))
        }
        Err(_) => Err(wrong(&format!("{} bytes that are no base64", output.len()))),
    }
}

fn wrong(printed: &str) -> String {
    format!("it printed {printed}: let it print an Ed25519 signature, its 64 bytes or base64 of them, and nothing else")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    fn asked(command: &str, input: &[u8]) -> Result<Answer, String> {
        SignCommand::new(command).ask(input)
    }

    #[test]
    fn an_answer_is_64_bytes_or_base64_of_them() {
        let bytes: [u8; 64] = std::array::from_fn(|number| number as u8);
        let base64 = STANDARD_PAD_INDIFFERENT.encode(bytes);
        let lines = format!("  {}\r\n{}\n", base64.get(..76).unwrap(), base64.get(76..).unwrap());
        for output in [&bytes[..], base64.as_bytes(), base64.trim_end_matches('=').as_bytes(), lines.as_bytes()] {
            assert_eq!(answer(output), Ok(Answer::Bare(bytes)), "{output:?}");
        }
        let text = "untrusted comment: a\nb\nc\nd\n";
        assert_eq!(answer(text.trim_end().as_bytes()), Ok(Answer::Whole(text.to_owned())));
    }

    #[test]
    fn an_answer_that_is_no_signature_says_what_it_is() {
        let der = STANDARD_PAD_INDIFFERENT.encode([7; 71]);
        for (output, reason) in [
            (&b" \n"[..], "it printed nothing: let it print an Ed25519 signature, "),
            (der.as_bytes(), "it printed 71 bytes in base64: let it print an Ed25519 signature, "),
            (&[7; 65], "it printed 65 bytes that are no base64: let it print an Ed25519 signature, "),
            (
                b"untrusted comment: a\nb\n",
                "what it printed begins as a minisign signature does, but has not four lines",
            ),
        ] {
            let told = answer(output).unwrap_err();
            assert!(told.starts_with(reason), "{told}");
        }
    }

    #[test]
    fn a_command_reads_what_it_signs() {
        assert_eq!(asked("cat", &[7; 64]), Ok(Answer::Bare([7; 64])));
        // Neither waits for the other, whatever a pipe holds.
        assert_eq!(asked("head -c 64", &[7; 300_000]), Ok(Answer::Bare([7; 64])));
        assert_eq!(asked("wc -c >&2; head -c 64 /dev/zero", &[7; 300_000]), Ok(Answer::Bare([0; 64])));
        assert!(asked("cat", &[7; 300_000]).unwrap_err().starts_with("it printed too much: let it print an Ed25519"));
    }

    #[test]
    fn a_command_that_fails_says_how() {
        let told = asked("exit 3", b"").unwrap_err();
        assert_eq!(told, "it ended with exit status: 3: see what it wrote to standard error, and try it by hand");
        assert!(asked("cat; exit 1", &[7; 64]).is_err());
        assert!(asked("kill -9 $$", b"").unwrap_err().starts_with("it ended with signal: 9"));
        assert!(asked("no-such-command-anywhere 2>&-", b"").unwrap_err().starts_with("it ended with exit status: 127"));
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let start = Instant::now();
        for command in [format!("echo $$ >'{}'; exec sleep 30", file.display()), "exec >&-; exec sleep 30".to_owned()] {
            let command = SignCommand { command, patience: Duration::from_millis(300) };
            let told = command.ask(&[7; 64]).unwrap_err();
            assert_eq!(told, "it did not end within 300ms: see what it waits for, and try it by hand");
        }
        let left_open = asked("sleep 5 & cat", &[7; 64]).unwrap_err();
        assert!(left_open.starts_with("something that it started still holds its standard output: "), "{left_open}");
        assert!(start.elapsed() < Duration::from_secs(20));
        let pid = std::fs::read_to_string(file).unwrap();
        let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().unwrap().success();
        assert!(!alive, "{pid} is still there");
    }
}
