//! Is the bucket: reads, writes and deletes objects, and holds to what a request makes a condition.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::SystemTime;

use cogwit_core::digest::sha256;
use http::{Method, Response, StatusCode};
use hyper::body::Bytes;

use super::asked::Asked;
use super::list;
use super::refusal::Refusal;
use super::server::S3;

type Answer = Result<Response<Bytes>, Refusal>;

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    /// Answers a GET in full, although it has a condition.
    pub(super) ignores_conditions: bool,
}

pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) modified: SystemTime,
}

impl Object {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into().into(), modified: SystemTime::now() }
    }

    /// As long as an MD5, which S3 often takes, but a digest of its own.
    pub(super) fn etag(&self) -> String {
        sha256(&self.bytes).chars().take(32).collect()
    }
}

impl Bucket {
    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.bucket() != S3::BUCKET {
            return Err(Refusal::no_such_bucket());
        }
        let parts = ["partNumber", "uploads", "uploadId"].iter().any(|name| asked.parameter(name).is_some());
        match (&asked.method, asked.key()) {
            _ if parts => Err(Refusal::not_implemented("uploads in parts")),
            (&Method::GET, "") if asked.parameter("list-type") == Some("2") => list::answer(&self.objects, asked),
            (&Method::POST, "") if asked.parameter("delete").is_some() => list::delete(&mut self.objects, asked),
            (&Method::HEAD, "") => {
                Ok(Response::builder().header("x-amz-bucket-region", S3::REGION).body(Bytes::new()).unwrap())
            }
            (_, "") => Err(Refusal::not_implemented("such request on a bucket")),
            (&Method::GET | &Method::HEAD, key) => {
                self.read(asked, self.objects.get(key).ok_or_else(Refusal::no_such_key)?)
            }
            (&Method::PUT, _) => self.write(asked),
            (&Method::DELETE, key) => {
                self.objects.remove(key);
                Ok(Response::builder().status(StatusCode::NO_CONTENT).body(Bytes::new()).unwrap())
            }
            (method, _) => Err(Refusal::not_implemented(&format!("{method} on an object"))),
        }
    }

    /// Answers with an object, which need not be in the bucket.
    pub(super) fn read(&self, asked: &Asked, object: &Object) -> Answer {
        let etag = object.etag();
        let names = |condition: &str| asked.header(condition).map(|etags| names(etags, &etag));
        if names("if-match") == Some(false) {
            return Err(Refusal::precondition_failed());
        }
        let unchanged = names("if-none-match") == Some(true) && !self.ignores_conditions;
        let range = asked.header("range").and_then(|range| bytes_of(range, object.bytes.len()));
        let size = object.bytes.len();
        let (status, bytes) = match &range {
            _ if unchanged => (StatusCode::NOT_MODIFIED, Bytes::new()),
            None => (StatusCode::OK, object.bytes.clone()),
            Some(range) if range.is_empty() => {
                return Err(Refusal::new(416, "InvalidRange", "The requested range is not satisfiable"));
            }
            Some(range) => (StatusCode::PARTIAL_CONTENT, object.bytes.slice(range.clone())),
        };
        let mut response = Response::builder()
            .status(status)
            .header("accept-ranges", "bytes")
            .header("etag", format!("\"{etag}\""))
            .header("last-modified", httpdate::fmt_http_date(object.modified));
        if let Some(range) = range.filter(|_| status == StatusCode::PARTIAL_CONTENT) {
            response = response.header("content-range", format!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        if !unchanged {
            response = response.header("content-type", "binary/octet-stream");
        }
        Ok(response.body(bytes).unwrap())
    }

    fn write(&mut self, asked: &Asked) -> Answer {
        if asked.header("x-amz-copy-source").is_some() {
            return Err(Refusal::not_implemented("copies"));
        }
        let there = self.objects.get(asked.key()).map(Object::etag);
        if let Some(etags) = asked.header("if-match") {
            let there = there.as_deref().ok_or_else(Refusal::no_such_key)?;
            if !names(etags, there) {
                return Err(Refusal::precondition_failed());
            }
        }
        match asked.header("if-none-match") {
            Some("*") if there.is_some() => return Err(Refusal::precondition_failed()),
            None | Some("*") => {}
            Some(_) => return Err(Refusal::not_implemented("If-None-Match on a PUT but `*`")),
        }
        let object = Object::new(asked.body.clone());
        let response = Response::builder().header("etag", format!("\"{}\"", object.etag()));
        self.objects.insert(asked.key().to_owned(), object);
        Ok(response.body(Bytes::new()).unwrap())
    }
}

/// Whether a condition names this version.
fn names(etags: &str, etag: &str) -> bool {
    etags
        .split(',')
        .map(|name| name.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|name| name == "*" || name == etag)
}

/// The bytes that a range asks for: empty if there are none, and `None` if it is no range, which asks for all.
fn bytes_of(range: &str, size: usize) -> Option<Range<usize>> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (start.parse::<usize>().ok(), end.parse::<usize>().ok()) {
        (Some(start), None) if end.is_empty() => Some(start..size.max(start)),
        (Some(start), Some(last)) if start <= last => Some(start..size.min(last.saturating_add(1)).max(start)),
        (None, Some(last)) if start.is_empty() => Some(size.saturating_sub(last)..size),
        _ => None,
    }
}
