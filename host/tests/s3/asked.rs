//! Reads a request as S3 does: bucket, key and query, decoded once.

use std::fmt::Write as _;

use http::request::Parts;
use http::{HeaderMap, Method};
use hyper::body::Bytes;

pub(super) struct Asked {
    pub(super) method: Method,
    /// The path, decoded: `/bucket/key`.
    pub(super) path: String,
    /// The query, decoded, in the order in which it came.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn new(parts: Parts, body: Bytes) -> Self {
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        let query = query.collect();
        Self { method: parts.method, path: decode(parts.uri.path()), query, headers: parts.headers, body }
    }

    pub(super) fn bucket(&self) -> &str {
        self.place().0
    }

    /// Empty: the bucket itself.
    pub(super) fn key(&self) -> &str {
        self.place().1
    }

    fn place(&self) -> (&str, &str) {
        let place = self.path.strip_prefix('/').unwrap_or(&self.path);
        place.split_once('/').unwrap_or((place, ""))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// A text without its percent signs. What is no encoding stays as it is, and then no signature fits it.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%');
        bytes.push(decoded.unwrap_or(byte));
        rest = decoded.map_or(after, |_| after.get(2..).unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text as a signature has it: all but letters, digits, `-._~` and what is kept in `%XX`.
pub(super) fn encode(text: &str, keep: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}
