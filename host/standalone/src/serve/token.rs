//! Asks callers for the token, where one is set.

use axum::http::{HeaderMap, HeaderName, header};
use cogwit_core::digest::sha256;

/// The header in which an AWS client sends its session token.
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The fewest characters of a token, so that nobody guesses it.
const FEWEST: usize = 16;

/// What a caller has to show.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// Digests are compared: how long that takes tells nothing of the token.
    digest: String,
}

impl Token {
    /// Takes what the operator set, or says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() < FEWEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "COGWIT_SERVE_TOKEN is too easy to guess, or no header can hold it: set it to {FEWEST} or more visible ASCII characters, such as from `openssl rand -hex 32`"
            ));
        }
        Ok(Self { digest: sha256(text.as_bytes()) })
    }

    /// Whether a request shows it: as a bearer token, or as the session token of an AWS client, which signs besides.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let bearer = bearer.and_then(|value| value.split_at_checked(7));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer ")).map(|(_, token)| token);
        let session = headers.get(SESSION_TOKEN).map(|value| value.as_bytes());
        [bearer, session].into_iter().flatten().any(|shown| sha256(shown) == self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_as_a_bearer_token_or_as_a_session_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        for (name, value, shown) in [
            ("authorization", "Bearer 0123456789abcdef", true),
            ("authorization", "bearer 0123456789abcdef", true),
            ("x-amz-security-token", "0123456789abcdef", true),
            ("authorization", "0123456789abcdef", false),
            ("authorization", "Bearer 0123456789abcdeg", false),
            ("authorization", "Bearer", false),
            ("x-amz-security-token", "", false),
        ] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            assert_eq!(token.is_shown(&headers), shown, "{name}: {value}");
        }
        assert!(!token.is_shown(&HeaderMap::new()));
    }

    #[test]
    fn a_token_that_is_guessed_or_cannot_be_sent_is_none() {
        for text in ["", "short", "0123456789 abcdef", "0123456789äabcdef"] {
            assert!(Token::new(text).unwrap_err().contains("16 or more"), "{text}");
        }
    }
}
