//! Checks the signature of a request, version 4 of AWS, over all that was signed; only the clock goes unchecked.

use cogwit_core::digest::sha256;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::asked::{Asked, encode};
use super::refusal::Refusal;
use super::server::S3;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

pub(super) fn check(asked: &Asked) -> Result<(), Refusal> {
    let authorization = asked.header("authorization").ok_or_else(Refusal::access_denied)?;
    let malformed = |why: String| Refusal::new(400, "AuthorizationHeaderMalformed", why);
    let fields = authorization.strip_prefix(ALGORITHM).ok_or_else(|| malformed("another algorithm".into()))?;
    let field = |name: &str| {
        let found = fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        found.ok_or_else(|| malformed(format!("no {name}")))
    };
    let (credential, signed, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);

    let (key, scope) = credential.split_once('/').ok_or_else(|| malformed("no scope".into()))?;
    if key != S3::ACCESS_KEY {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        return Err(Refusal::new(403, "InvalidAccessKeyId", message));
    }
    let time = asked.header("x-amz-date").ok_or_else(Refusal::access_denied)?;
    let date = time.split('T').next().unwrap_or_default();
    let due = format!("{date}/{}/s3/aws4_request", S3::REGION);
    if scope != due {
        return Err(malformed(format!("the scope is '{scope}'; expecting '{due}'")));
    }

    let signed: Vec<&str> = signed.split(';').collect();
    let must = |name: &&str| *name == "host" || name.starts_with("x-amz-");
    if asked.headers.keys().map(|name| name.as_str()).filter(must).any(|name| !signed.contains(&name)) {
        let message = "There were headers present in the request which were not signed";
        return Err(Refusal::new(403, "AccessDenied", message));
    }
    let request = sha256(canonical(asked, &signed)?.as_bytes());
    let text = format!("{ALGORITHM}\n{time}\n{due}\n{request}");
    let secret = format!("AWS4{}", S3::SECRET_KEY).into_bytes();
    let key = due.split('/').fold(secret, |key, part| hmac(&key, part));
    let right: String = hmac(&key, &text).iter().map(|byte| format!("{byte:02x}")).collect();
    if signature != right {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message));
    }
    Ok(())
}

/// The request as it is signed.
fn canonical(asked: &Asked, signed: &[&str]) -> Result<String, Refusal> {
    let mut query: Vec<_> = asked.query.iter().map(|(name, value)| (encode(name, ""), encode(value, ""))).collect();
    query.sort();
    let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: String = signed.iter().map(|name| format!("{name}:{}\n", header(asked, name))).collect();
    let (method, path, query) = (&asked.method, encode(&asked.path, "/"), query.join("&"));
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{}\n{}", signed.join(";"), body(asked)?))
}

fn header(asked: &Asked, name: &str) -> String {
    let values = asked.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let words = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
    words.collect::<Vec<_>>().join(",")
}

/// What the request says of its body, which must be true.
fn body(asked: &Asked) -> Result<&str, Refusal> {
    let missing =
        || Refusal::new(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
    let digest = asked.header("x-amz-content-sha256").ok_or_else(missing)?;
    if digest.starts_with("STREAMING-") {
        return Err(Refusal::not_implemented("bodies in signed chunks"));
    }
    if digest != "UNSIGNED-PAYLOAD" && digest != sha256(&asked.body) {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Refusal::new(400, "XAmzContentSHA256Mismatch", message));
    }
    Ok(digest)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(text.as_bytes());
    hmac.finalize().into_bytes().to_vec()
}
