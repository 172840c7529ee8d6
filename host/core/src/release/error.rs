//! Says why a release store could not be used.

use crate::text::one_line;

/// Why a release store could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The object is the one that is known already; or so the store says to somebody who knows none.
    #[error(
        "`{object}` cannot be had: the store says that it did not change, to somebody who does not know it; look what stands between"
    )]
    NotModified {
        /// The object.
        object: String,
    },
    /// No such object, or no such bucket.
    #[error("`{object}` is not there: {reason}; check bucket, prefix and channel, or publish first")]
    NotFound {
        /// The object.
        object: String,
        /// What the store says.
        reason: String,
    },
    /// The store refuses the credentials.
    #[error("`{object}` is refused: {reason}; check the credentials and what their role may do")]
    Denied {
        /// The object.
        object: String,
        /// What the store says.
        reason: String,
    },
    /// Somebody else wrote the object in between.
    #[error("`{object}` was written by somebody else in the meantime: look at `cogwit status`, and do it again")]
    Lost {
        /// The object.
        object: String,
    },
    /// The object is larger than it may be.
    #[error("`{object}` has more than {most} bytes: it is not what was published; remove it, and publish again")]
    TooLarge {
        /// The object.
        object: String,
        /// The most that it may have, in bytes.
        most: u64,
    },
    /// The object has other bytes than it was published with.
    #[error("`{object}` was changed: it has the digest {found}; publish again to mend it")]
    Changed {
        /// The object.
        object: String,
        /// The digest of the bytes.
        found: String,
    },
    /// No answer, or a broken one.
    #[error("`{object}` cannot be had: {reason}; check network, region and endpoint")]
    Unreachable {
        /// The object.
        object: String,
        /// What came of it.
        reason: String,
    },
    /// There is no such folder.
    #[error("there is no folder `{0}`: publish to it first, or correct the path")]
    NoFolder(String),
    /// The store cannot be used at all.
    #[error("`{root}` cannot be used: {reason}; check the path and who may write there")]
    Unusable {
        /// The store.
        root: String,
        /// What the system says.
        reason: String,
    },
    /// A variable of the client cannot be used.
    #[error("{name} is `{value}`: {reason}; correct it")]
    Setting {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// What an error of the client means.
    pub(super) fn of(root: &str, key: &str, error: object_store::Error) -> Self {
        use object_store::Error;
        let object = if key.is_empty() { root.to_owned() } else { format!("{root}/{key}") };
        let reason = innermost(&error);
        match error {
            Error::NotModified { .. } => Self::NotModified { object },
            Error::NotFound { .. } => Self::NotFound { object, reason },
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied { object, reason },
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Self::Lost { object },
            // The client tells the refusal of a list by its text alone.
            _ if reason.starts_with(&format!("{LIST_STATUS} 404")) => Self::NotFound { object, reason },
            _ if reason.starts_with(&format!("{LIST_STATUS} 403")) => Self::Denied { object, reason },
            _ => Self::Unreachable { object, reason },
        }
    }
}

/// What begins the client's text of a list that was refused, before the status.
const LIST_STATUS: &str = "Server returned non-2xx status code:";

/// The text of the error at the bottom, which says what happened; those above say what was tried.
fn innermost(error: &object_store::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(source) = at.source() {
        at = source;
    }
    plain(&one_line(&at.to_string()))
}

/// The longest reason, in characters.
const MOST_OF_A_REASON: usize = 300;

/// A reason without the XML of S3, whose request id would make every failure another one.
fn plain(text: &str) -> String {
    let said = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(said, _)| said)
    };
    let (status, _) = text.split_once(['<', '{']).unwrap_or((text, ""));
    let said: Vec<_> =
        [Some(status.trim().trim_end_matches(':')), said("Code"), said("Message")].into_iter().flatten().collect();
    said.join(": ").chars().take(MOST_OF_A_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_same_refusal_is_the_same_text() {
        let refusal = |id: &str| {
            plain(&format!(
                "403 Forbidden: <?xml version=\"1.0\"?> <Error><Code>AccessDenied</Code><Message>No</Message><RequestId>{id}</RequestId></Error>"
            ))
        };
        assert_eq!(refusal("1"), "403 Forbidden: AccessDenied: No");
        assert_eq!(refusal("1"), refusal("2"));
        assert_eq!(plain("connection reset"), "connection reset");
        assert_eq!(plain("502 Bad Gateway: <html>"), "502 Bad Gateway");
    }
}
