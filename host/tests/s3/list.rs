//! Answers in XML what is about many objects: lists them by pages, and deletes them in bulk.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Bound;

use http::Response;
use hyper::body::Bytes;

use super::asked::{Asked, encode};
use super::bucket::Object;
use super::refusal::{Refusal, escape, xml_answer};
use super::server::S3;

const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// `ListObjectsV2`.
pub(super) fn answer(objects: &BTreeMap<String, Object>, asked: &Asked) -> Result<Response<Bytes>, Refusal> {
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let delimiter = asked.parameter("delimiter").filter(|delimiter| !delimiter.is_empty());
    let most = asked.parameter("max-keys").map_or(Ok(1000), str::parse);
    let most = most.map_err(|_| Refusal::new(400, "InvalidArgument", "max-keys is no number"))?.min(1000_usize);
    let token = asked.parameter("continuation-token").map(|token| token.strip_prefix("after-").unwrap_or_default());
    let after = token.or_else(|| asked.parameter("start-after")).unwrap_or_default();
    let url = asked.parameter("encoding-type") == Some("url");
    let name = |text: &str| if url { encode(text, "/") } else { escape(text) };

    let mut contents = String::new();
    let (mut count, mut group, mut last, mut truncated) = (0, None, after, false);
    let from = (Bound::Excluded(after), Bound::Unbounded);
    for (key, object) in objects.range::<str, _>(from).filter(|(key, _)| key.starts_with(prefix)) {
        let common = delimiter.and_then(|delimiter| {
            let (head, _) = key.strip_prefix(prefix)?.split_once(delimiter)?;
            Some(format!("{prefix}{head}{delimiter}"))
        });
        if common.is_none() || common != group {
            truncated = count == most;
            if truncated {
                break;
            }
            count += 1;
            match &common {
                Some(common) => write!(contents, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name(common)),
                None => write!(contents, "<Contents><Key>{}</Key>{}</Contents>", name(key), facts(object)),
            }
            .unwrap();
            group = common;
        }
        last = key;
    }
    let next = if truncated && most > 0 {
        format!("<NextContinuationToken>{}</NextContinuationToken>", escape(&format!("after-{last}")))
    } else {
        String::new()
    };
    let encoding = if url { "<EncodingType>url</EncodingType>" } else { "" };
    Ok(xml_answer(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult {NAMESPACE}><Name>{}</Name>\
         <Prefix>{}</Prefix>{encoding}<KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{}</IsTruncated>{next}{contents}</ListBucketResult>",
        S3::BUCKET,
        name(prefix),
        !next.is_empty(),
    )))
}

fn facts(object: &Object) -> String {
    let (modified, etag, size) = (humantime::format_rfc3339_millis(object.modified), object.etag(), object.bytes.len());
    format!(
        "<LastModified>{modified}</LastModified><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>\
         <StorageClass>STANDARD</StorageClass>"
    )
}

/// `DeleteObjects`.
pub(super) fn delete(objects: &mut BTreeMap<String, Object>, asked: &Asked) -> Result<Response<Bytes>, Refusal> {
    let malformed = || Refusal::new(400, "MalformedXML", "The XML you provided was not well-formed");
    let text = std::str::from_utf8(&asked.body).map_err(|_| malformed())?;
    let mut deleted = String::new();
    for rest in text.split("<Key>").skip(1) {
        let (key, _) = rest.split_once("</Key>").ok_or_else(malformed)?;
        objects.remove(&unescape(key));
        write!(deleted, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
    }
    Ok(xml_answer(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult {NAMESPACE}>{deleted}</DeleteResult>"
    )))
}

fn unescape(xml: &str) -> String {
    let text = xml.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#13;", "\r").replace("&amp;", "&")
}
