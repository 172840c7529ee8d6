//! Names a release store and one of its channels, as command lines and variables do.

use std::fmt;
use std::str::FromStr;

use crate::policy::is_name;
use crate::text::one_line;

/// A channel of a release store: `s3://bucket/prefix#channel` or `file:///folder#channel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the store lies.
    pub root: Root,
    /// The channel.
    pub channel: String,
}

/// Where a release store lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// In a bucket, below a prefix, which may be empty.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, without a slash at either end.
        prefix: String,
    },
    /// In a folder, by its absolute path.
    Folder(String),
}

/// Why a text names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Another kind of store, or none.
    #[error("`{0}` is no release store: write s3://bucket/prefix#channel or file:///folder#channel")]
    Unknown(String),
    /// No channel.
    #[error("`{0}` names no channel: add one, such as `#prod`")]
    NoChannel(String),
    /// A channel that cannot be.
    #[error("the channel `{0}` cannot be used: write 1 to 64 letters, digits, `-`, `_` or `.`")]
    Channel(String),
}

impl Place {
    /// Whether a text is meant to name a release store, not a path.
    pub fn is_meant_by(text: &str) -> bool {
        text.contains("://")
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (root, channel) = match text.rsplit_once('#') {
            Some((root, channel)) => (root.parse()?, channel),
            None => return Err(text.parse::<Root>().err().unwrap_or_else(|| PlaceError::NoChannel(one_line(text)))),
        };
        match is_name(channel) {
            true => Ok(Self { root, channel: channel.to_owned() }),
            false if channel.is_empty() => Err(PlaceError::NoChannel(one_line(text))),
            false => Err(PlaceError::Channel(one_line(channel))),
        }
    }
}

impl FromStr for Root {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let unknown = || PlaceError::Unknown(one_line(text));
        match text.split_once("://") {
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                match bucket.is_empty() {
                    true => Err(unknown()),
                    false => Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() }),
                }
            }
            Some(("file", folder)) if folder.starts_with('/') => Ok(Self::Folder(folder.to_owned())),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(formatter, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(formatter, "s3://{bucket}/{prefix}"),
            Self::Folder(folder) => write!(formatter, "file://{folder}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.root, self.channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["s3://b#prod", "s3://b/p#prod", "s3://b/p/q r#prod-2.x", "file:///srv/a b#dev", "file:///a#b#dev"]
        {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("s3://b/p/#prod".parse::<Place>().unwrap().to_string(), "s3://b/p#prod");
    }

    #[test]
    fn what_names_no_channel_is_told_what_does() {
        for (text, told) in [
            ("gs://b#prod", "`gs://b#prod` is no release store"),
            ("s3:///p#prod", "is no release store"),
            ("file://a#prod", "is no release store"),
            ("releases#prod", "is no release store"),
            ("s3://b/p", "`s3://b/p` names no channel: add one, such as `#prod`"),
            ("s3://b/p#", "names no channel"),
            ("s3://b/p#a/b", "the channel `a/b` cannot be used"),
        ] {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(
                error.contains(told) || error.contains("is no release store") && told.ends_with("store"),
                "{error}"
            );
        }
    }
}
