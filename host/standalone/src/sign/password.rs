//! Is the password of a secret key: the first line of a file, or typed on the terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use crate::failure::Failure;

/// A password, which nothing prints.
#[derive(PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// Reads the first line of a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            Failure::could_not_run(format!("cannot read the password in `{path}`: {error}; check the path"))
        })?;
        Ok(Self(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// Asks on the terminal, which shows nothing of what is typed. Where there is none, `otherwise` tells what to do.
    pub(crate) fn ask(prompt: &str, otherwise: &str) -> Result<Self, Failure> {
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(otherwise));
        }
        let typed = rpassword::prompt_password(prompt);
        typed.map(Self).map_err(|error| Failure::usage(format!("{otherwise} ({error})")))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_the_password_in_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (text, password) in [("pa ss", "pa ss"), ("pa ss\n", "pa ss"), ("pä\r\nmore\n", "pä"), ("", "")] {
            fs::write(&path, text).unwrap();
            let read = Password::read(&path).unwrap();
            assert_eq!((read.is_empty(), read.into_text().as_str()), (password.is_empty(), password), "{text:?}");
        }
        let error = format!("{:?}", Password::read(&folder.path().join("none")).err().unwrap());
        assert!(error.contains("cannot read the password in `") && error.ends_with("; check the path\" }"), "{error}");
    }
}
