//! Names a channel, or one of the releases that it named, on a command line: `s3://bucket/prefix#prod@7`.

use std::fmt;
use std::str::FromStr;

use cogwit_core::release::{Payload, Place};
use cogwit_core::text::one_line;

/// The fewest digits that name a release.
const FEWEST_DIGITS: usize = 8;

/// The fewest digits of a release that is expected.
const MIN_EXPECTED_DIGITS: usize = 12;

/// A channel, and which of its releases is meant; none: the one that it names now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) place: Place,
    pub(crate) wanted: Option<Wanted>,
}

/// A release, by what a person knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The sequence under which the channel named it.
    Sequence(u64),
    /// The first digits of its digest.
    Digest(String),
}

impl Wanted {
    /// The digest, if it was written as a whole.
    pub(crate) fn whole(&self) -> Option<&str> {
        match self {
            Self::Digest(digits) if digits.len() == 64 => Some(digits),
            _ => None,
        }
    }

    /// Whether this is what a channel says.
    pub(crate) fn is(&self, payload: &Payload) -> bool {
        match self {
            Self::Sequence(sequence) => payload.sequence == *sequence,
            Self::Digest(digits) => payload.release.starts_with(digits),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.to_ascii_lowercase();
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match digits.parse() {
            Ok(sequence) if digits.len() < FEWEST_DIGITS && !digits.starts_with('+') => Ok(Self::Sequence(sequence)),
            _ if hexadecimal && (FEWEST_DIGITS..=64).contains(&digits.len()) => Ok(Self::Digest(digits)),
            _ => Err(format!(
                "`{}` is no release: write a sequence such as `7`, or the first {FEWEST_DIGITS} or more digits of its digest",
                one_line(text)
            )),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence(sequence) => write!(formatter, "of sequence {sequence}"),
            Self::Digest(digits) => write!(formatter, "`{digits}`"),
        }
    }
}

/// What a publisher expects a channel to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    /// There is no channel.
    Nothing,
    /// This release.
    Release(Wanted),
}

impl FromStr for Expect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "none" => Ok(Self::Nothing),
            Ok(Wanted::Digest(digits)) if digits.len() < MIN_EXPECTED_DIGITS => Err(format!(
                "`{digits}` is too short: write the first {MIN_EXPECTED_DIGITS} or more digits of the release's digest"
            )),
            Ok(wanted) => Ok(Self::Release(wanted)),
            Err(error) => Err(format!("{error}, or `none` where there should be no channel")),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("none"),
            Self::Release(Wanted::Sequence(sequence)) => sequence.fmt(formatter),
            Self::Release(Wanted::Digest(digits)) => digits.fmt(formatter),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A folder may have an `@` too, but no channel has.
        let split = text.rsplit_once('@').filter(|(before, after)| before.contains('#') && !after.contains('#'));
        let (place, wanted) = match split {
            Some((place, wanted)) => (place, Some(wanted.parse()?)),
            None => (text, None),
        };
        Ok(Self { place: place.parse().map_err(|error: cogwit_core::release::PlaceError| error.to_string())?, wanted })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            None => write!(formatter, "{}", self.place),
            Some(Wanted::Sequence(sequence)) => write!(formatter, "{}@{sequence}", self.place),
            Some(Wanted::Digest(digits)) => write!(formatter, "{}@{digits}", self.place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let whole = "0123456789abcdef".repeat(4);
        for text in [
            "s3://b/p#prod",
            "s3://b/p#prod@7",
            "file:///a@b#c@12345678",
            "file:///a@b#c",
            &format!("s3://b#p@{whole}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        let wanted = |text: &str| text.parse::<Reference>().unwrap().wanted.unwrap();
        assert_eq!(wanted("s3://b#p@0000007"), Wanted::Sequence(7));
        assert_eq!(wanted("s3://b#p@00000007"), Wanted::Digest("00000007".to_owned()));
        assert_eq!(wanted("s3://b#p@ABCDEF01"), Wanted::Digest("abcdef01".to_owned()));
        assert_eq!(wanted(&format!("s3://b#p@{whole}")).whole(), Some(whole.as_str()));
    }

    #[test]
    fn what_is_expected_is_read_as_it_is_written() {
        for text in ["none", "7", "0123456789ab"] {
            assert_eq!(text.parse::<Expect>().unwrap().to_string(), text);
        }
        for text in ["", "abc", "-1", "None", "01234567", "0123456789a"] {
            text.parse::<Expect>().unwrap_err();
        }
    }

    #[test]
    fn what_names_no_release_is_told_what_does() {
        for text in ["s3://b#p@", "s3://b#p@abc", "s3://b#p@+7", "s3://b#p@-7", "s3://b#p@latest", "s3://b#p@abcdefg1"]
        {
            let told = text.parse::<Reference>().unwrap_err();
            assert!(told.contains("is no release: write a sequence such as `7`"), "{text}: {told}");
        }
        assert!("s3://b/p@7".parse::<Reference>().unwrap_err().contains("names no channel"));
    }
}
