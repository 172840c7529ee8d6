//! Holds the S3 of the tests to what `object_store` makes of an S3, in good hours and in bad ones.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use http::Method;
use hyper::body::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpError, HttpErrorKind, HttpRequest, ReqwestConnector};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, Error, GetOptions, GetRange, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, Result, RetryConfig, UpdateVersion,
};
use tokio::task::{JoinSet, yield_now};

use crate::s3::{Fault, S3, Seen};

/// A client that asks once, and waits long.
fn builder(s3: &S3) -> AmazonS3Builder {
    // Once a process; a host's own client may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let named = AmazonS3Builder::new().with_bucket_name(S3::BUCKET).with_retry(retries(0));
    let variables = s3.env().into_iter();
    variables.fold(named, |builder, (name, value)| builder.with_config(name.to_lowercase().parse().unwrap(), value))
}

fn retries(max_retries: usize) -> RetryConfig {
    let soon = Duration::from_millis(1);
    let backoff = BackoffConfig { init_backoff: soon, max_backoff: soon, base: 2.0 };
    RetryConfig { max_retries, backoff, ..RetryConfig::default() }
}

fn store(s3: &S3) -> AmazonS3 {
    builder(s3).build().unwrap()
}

/// A client that waits for a moment only.
fn hasty(s3: &S3) -> AmazonS3 {
    builder(s3).with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "200ms").build().unwrap()
}

fn path(key: &str) -> Path {
    Path::parse(key).unwrap()
}

async fn get(store: &AmazonS3, key: &str) -> Result<Bytes> {
    store.get(&path(key)).await?.bytes().await
}

async fn put(store: &AmazonS3, key: &str, bytes: &'static str, mode: PutMode) -> Result<String> {
    Ok(store.put_opts(&path(key), bytes.into(), mode.into()).await?.e_tag.unwrap())
}

async fn list(store: &AmazonS3, prefix: Option<&str>) -> Result<Vec<ObjectMeta>> {
    store.list(prefix.map(path).as_ref()).try_collect().await
}

fn update(etag: &str) -> PutMode {
    PutMode::Update(UpdateVersion { e_tag: Some(etag.to_owned()), version: None })
}

fn names(objects: &[ObjectMeta]) -> Vec<&str> {
    objects.iter().map(|object| object.location.as_ref()).collect()
}

/// What the connection did, if that was the trouble.
fn kind<T>(result: Result<T>) -> Option<HttpErrorKind> {
    let error = result.err()?;
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

fn statuses(s3: &S3) -> Vec<Option<u16>> {
    s3.requests().iter().map(|seen| seen.status).collect()
}

#[tokio::test]
async fn a_client_reads_back_what_it_wrote() {
    let s3 = S3::start();
    let store = store(&s3);
    let etag = put(&store, "a/one", "first", PutMode::Overwrite).await.unwrap();
    assert_eq!(s3.get("a/one"), Some(b"first".to_vec()));
    assert_eq!(get(&store, "a/one").await.unwrap(), "first");
    let head = store.head(&path("a/one")).await.unwrap();
    assert_eq!((head.size, head.e_tag.as_ref()), (5, Some(&etag)));
    let listed = list(&store, None).await.unwrap();
    assert_eq!((names(&listed), listed[0].size, listed[0].e_tag.as_ref()), (vec!["a/one"], 5, Some(&etag)));
    let age = head.last_modified.timestamp() - listed[0].last_modified.timestamp();
    assert!(age == 0 && head.last_modified.timestamp() > 1_700_000_000, "{head:?} {listed:?}");

    s3.put("a/one", "second");
    assert_eq!(get(&store, "a/one").await.unwrap(), "second");
    assert_ne!(store.head(&path("a/one")).await.unwrap().e_tag, Some(etag));
    let before = s3.all();
    s3.remove("a/one");
    assert!(matches!(get(&store, "a/one").await, Err(Error::NotFound { .. })));
    s3.restore(before);
    assert_eq!((s3.keys("a/"), s3.keys("b")), (vec!["a/one".to_owned()], vec![]));
    store.delete(&path("a/one")).await.unwrap();
    assert_eq!(s3.all().len(), 0);

    let single = builder(&s3).with_disable_bulk_delete(true).build().unwrap();
    put(&single, "b", "", PutMode::Overwrite).await.unwrap();
    single.delete(&path("b")).await.unwrap();
    assert!(matches!(single.head(&path("b")).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn odd_keys_come_through() {
    let s3 = S3::start();
    let store = store(&s3);
    let keys = ["a b/ü+%", "a b/%C3%BC", "&lt;<&>'\"", "日本/?#=;,:@$!*()[]{}|\\^`", "~-._", "a+b", "a b", "a%20b"];
    for key in keys {
        put(&store, key, "odd", PutMode::Create).await.unwrap();
        assert_eq!(s3.get(key), Some(b"odd".to_vec()), "{key}");
        assert_eq!(get(&store, key).await.unwrap(), "odd", "{key}");
        assert_eq!(s3.requests().last().unwrap().key, key);
    }
    let mut sorted = keys.to_vec();
    sorted.sort();
    assert_eq!(names(&list(&store, None).await.unwrap()), sorted);
    assert_eq!(names(&list(&store, Some("a b")).await.unwrap()), ["a b/%C3%BC", "a b/ü+%"]);
    for key in keys {
        store.delete(&path(key)).await.unwrap();
        assert_eq!(s3.get(key), None, "{key}");
    }
}

#[tokio::test]
async fn a_list_comes_by_pages_and_groups() {
    let s3 = S3::start();
    for number in 0..1001 {
        s3.put(&format!("many/{number:04}"), "");
    }
    for key in ["few/a/1", "few/a/2", "few/b", "few/c/3", "fewer"] {
        s3.put(key, "");
    }
    let store = store(&s3);
    let many = list(&store, Some("many")).await.unwrap();
    assert_eq!((many.len(), many[1000].location.as_ref()), (1001, "many/1000"));
    assert_eq!(statuses(&s3), [Some(200), Some(200)], "two pages");
    let offset = store.list_with_offset(Some(&path("many")), &path("many/0998")).try_collect::<Vec<_>>().await;
    assert_eq!(names(&offset.unwrap()), ["many/0999", "many/1000"]);
    let groups = store.list_with_delimiter(Some(&path("few"))).await.unwrap();
    assert_eq!(names(&groups.objects), ["few/b"]);
    assert_eq!(groups.common_prefixes, [path("few/a"), path("few/c")]);

    let (mut pages, mut page_token) = (Vec::new(), None);
    loop {
        let (max_keys, delimiter) = (Some(1), Some("/".into()));
        let options = PaginatedListOptions { max_keys, delimiter, page_token, ..PaginatedListOptions::default() };
        let page = store.list_paginated(Some("few/"), options).await.unwrap();
        let groups = page.result.common_prefixes.iter().map(Path::as_ref);
        pages.push(names(&page.result.objects).into_iter().chain(groups).collect::<Vec<_>>().join(" "));
        page_token = page.page_token;
        if page_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["few/a", "few/b", "few/c"]);
}

#[tokio::test]
async fn a_range_is_a_part() {
    let s3 = S3::start();
    s3.put("key", "0123456789");
    let store = store(&s3);
    let cases = [
        (GetRange::Bounded(2..5), "234", "bytes=2-4"),
        (GetRange::Bounded(8..50), "89", "bytes=8-49"),
        (GetRange::Offset(7), "789", "bytes=7-"),
        (GetRange::Suffix(1), "9", "bytes=-1"),
    ];
    for (range, part, asked) in cases {
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let result = store.get_opts(&path("key"), options).await.unwrap();
        assert_eq!((result.meta.size, result.bytes().await.unwrap()), (10, part.into()));
        let seen = s3.requests().pop().unwrap();
        assert_eq!((seen.status, seen.range.as_deref()), (Some(206), Some(asked)));
    }
    let beyond = store.get_range(&path("key"), 10..11).await.unwrap_err().to_string();
    assert!(beyond.contains("416") && beyond.contains("InvalidRange"), "{beyond}");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let s3 = S3::start();
    let store = store(&s3);
    let etag = put(&store, "key", "old", PutMode::Overwrite).await.unwrap();
    let unless = || GetOptions { if_none_match: Some(etag.clone()), ..GetOptions::default() };
    assert!(matches!(store.get_opts(&path("key"), unless()).await, Err(Error::NotModified { .. })));
    s3.ignore_conditions(true);
    assert_eq!(store.get_opts(&path("key"), unless()).await.unwrap().bytes().await.unwrap(), "old");
    s3.ignore_conditions(false);
    let only = |etag: &str| GetOptions { if_match: Some(etag.to_owned()), ..GetOptions::default() };
    assert!(store.get_opts(&path("key"), only(&etag)).await.is_ok());
    s3.put("key", "new");
    assert_eq!(store.get_opts(&path("key"), unless()).await.unwrap().bytes().await.unwrap(), "new");
    assert!(matches!(store.get_opts(&path("key"), only(&etag)).await, Err(Error::Precondition { .. })));
    assert_eq!(statuses(&s3), [200, 304, 200, 200, 200, 412].map(Some));
}

#[tokio::test]
async fn of_many_creations_one_wins() {
    let s3 = S3::start();
    let store = store(&s3);
    let mut tasks = JoinSet::new();
    for bytes in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let store = store.clone();
        tasks.spawn(async move { put(&store, "key", bytes, PutMode::Create).await.map(|_| bytes) });
    }
    let (won, lost): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert_eq!(s3.get("key").unwrap(), won[0].as_ref().unwrap().as_bytes());
    assert!(lost.iter().all(|lost| matches!(lost, Err(Error::AlreadyExists { .. }))), "{lost:?}");
    assert_eq!(statuses(&s3).iter().filter(|status| **status == Some(412)).count(), 7);
}

#[tokio::test]
async fn an_update_needs_the_newest_version() {
    let s3 = S3::start();
    let store = store(&s3);
    let first = put(&store, "key", "1", PutMode::Overwrite).await.unwrap();
    let second = put(&store, "key", "2", update(&first)).await.unwrap();
    assert!(matches!(put(&store, "key", "3", update(&first)).await, Err(Error::Precondition { .. })));
    assert_eq!(s3.get("key"), Some(b"2".to_vec()));
    s3.remove("key");
    assert!(matches!(put(&store, "key", "3", update(&second)).await, Err(Error::Precondition { .. })));
    let expected = [(200, false), (200, true), (412, true), (404, true)].map(|(status, conditional)| Seen {
        method: Method::PUT,
        key: "key".to_owned(),
        status: Some(status),
        conditional,
        range: None,
    });
    assert_eq!(s3.requests(), expected);
    s3.forget_requests();
    assert_eq!(s3.requests(), []);
}

#[tokio::test]
async fn who_asks_and_for_what_must_be_right() {
    let s3 = S3::start();
    s3.put("key", "bytes");
    type Change = fn(AmazonS3Builder) -> AmazonS3Builder;
    let cases: [(&str, u16, Change); 5] = [
        ("SignatureDoesNotMatch", 403, |builder| builder.with_secret_access_key("another")),
        ("InvalidAccessKeyId", 403, |builder| builder.with_access_key_id("another")),
        ("AccessDenied", 403, |builder| builder.with_skip_signature(true)),
        ("NoSuchBucket", 404, |builder| builder.with_bucket_name("another")),
        ("AuthorizationHeaderMalformed", 400, |builder| builder.with_region("us-east-1")),
    ];
    for (code, status, change) in cases {
        let store = change(builder(&s3)).build().unwrap();
        let put = put(&store, "key", "", PutMode::Overwrite).await.map(drop);
        for error in [get(&store, "key").await.map(drop), put, list(&store, None).await.map(drop)] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&format!("<Code>{code}</Code>")), "{code}: {error}");
        }
        assert_eq!(statuses(&s3), [Some(status); 3], "{code}");
        s3.forget_requests();
    }
    assert_eq!(s3.get("key"), Some(b"bytes".to_vec()));
}

#[tokio::test]
async fn a_signature_holds_for_the_request_it_was_made_for_alone() {
    let s3 = S3::start();
    drop(builder(&s3));
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
    let url = format!("{}/{}/key?x=2&x=1&empty", s3.endpoint(), S3::BUCKET);
    type Change = fn(&mut HttpRequest);
    let changes: [(u16, Change); 7] = [
        (200, |_| {}),
        (403, |request| *request.method_mut() = Method::DELETE),
        (403, |request| *request.uri_mut() = request.uri().to_string().replace("key", "other").parse().unwrap()),
        (403, |request| *request.uri_mut() = request.uri().to_string().replace("empty", "full").parse().unwrap()),
        (403, |request| {
            let time = request.headers()["x-amz-date"].to_str().unwrap().replace('Z', "Y").parse().unwrap();
            request.headers_mut().insert("x-amz-date", time);
        }),
        (403, |request| drop(request.headers_mut().insert("x-amz-acl", "public-read".parse().unwrap()))),
        (400, |request| *request.body_mut() = "another".to_owned().into()),
    ];
    for (status, change) in changes {
        let body = "body".to_owned().into();
        let mut request = HttpRequest::new(body);
        (*request.method_mut(), *request.uri_mut()) = (Method::PUT, url.parse().unwrap());
        request.headers_mut().insert("x-amz-meta-spaces", "  a   b ".parse().unwrap());
        let (key_id, secret_key) = (S3::ACCESS_KEY.to_owned(), S3::SECRET_KEY.to_owned());
        let credential = AwsCredential { key_id, secret_key, token: None };
        AwsAuthorizer::new(&credential, "s3", S3::REGION).try_authorize(&mut request, None).unwrap();
        change(&mut request);
        let response = client.execute(request).await.unwrap();
        let (status_is, text) = (response.status(), response.into_body().bytes().await.unwrap());
        assert_eq!(status_is, status, "{text:?}");
    }
    assert_eq!(s3.all().into_iter().collect::<Vec<_>>(), [("key".to_owned(), b"body".to_vec())]);
}

#[tokio::test]
async fn a_status_comes_with_its_code_and_before_any_deed() {
    let s3 = S3::start();
    s3.put("key", "bytes");
    let store = store(&s3);
    let codes = [
        (400, "InvalidRequest"),
        (403, "AccessDenied"),
        (404, "NoSuchKey"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (429, "SlowDown"),
        (500, "InternalError"),
        (503, "SlowDown"),
    ];
    for (status, code) in codes {
        s3.fail(Fault::Status(status));
        let put = put(&store, "key", "", PutMode::Overwrite).await.map(drop);
        for error in [get(&store, "key").await.map(drop), put, list(&store, None).await.map(drop)] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&format!("{status} ")) && error.contains(code), "{error}");
        }
    }
    s3.heal();
    assert_eq!(get(&store, "key").await.unwrap(), "bytes");
}

#[tokio::test]
async fn a_connection_breaks_before_the_answer() {
    let s3 = S3::start();
    let faults = [
        (Fault::Reset, store(&s3), HttpErrorKind::Interrupted, false),
        (Fault::Hang, hasty(&s3), HttpErrorKind::Timeout, false),
        (Fault::LoseAnswer, store(&s3), HttpErrorKind::Request, true),
    ];
    let patient = store(&s3);
    for (fault, store, expected, done) in faults {
        s3.put("key", "old");
        s3.fail(fault.clone());
        assert_eq!(kind(get(&store, "key").await), Some(expected), "{fault:?}");
        assert_eq!(kind(list(&store, None).await), Some(expected), "{fault:?}");
        assert_eq!(kind(put(&store, "key", "new", PutMode::Overwrite).await), Some(expected), "{fault:?}");
        assert_eq!(s3.get("key").unwrap() == b"new", done, "{fault:?}");
        assert!(statuses(&s3).iter().all(Option::is_none), "{fault:?}");
        s3.forget_requests();
        s3.heal();
        assert!(get(&patient, "key").await.is_ok(), "{fault:?}");
        s3.forget_requests();
    }
}

#[tokio::test]
async fn a_body_is_not_what_was_promised() {
    let s3 = S3::start();
    s3.put("key", "0123456789");
    let (patient, hasty) = (store(&s3), hasty(&s3));

    let drip = Fault::Drip { bytes: 2, every: Duration::from_millis(100) };
    s3.fail(drip);
    assert_eq!(get(&patient, "key").await.unwrap(), "0123456789");
    assert_eq!(kind(get(&hasty, "key").await), Some(HttpErrorKind::Timeout));
    assert_eq!(kind(list(&hasty, None).await), Some(HttpErrorKind::Timeout));

    for bytes in [0, 4] {
        s3.fail(Fault::Truncate(bytes));
        let result = patient.get(&path("key")).await.unwrap();
        assert_eq!(result.meta.size, 10);
        let (mut stream, mut came) = (result.into_stream(), 0);
        let error = loop {
            match stream.try_next().await {
                Ok(part) => came += part.unwrap().len(),
                Err(error) => break error,
            }
        };
        assert_eq!((came, kind::<()>(Err(error))), (bytes, Some(HttpErrorKind::Interrupted)));
        assert_eq!(kind(list(&patient, None).await), Some(HttpErrorKind::Interrupted));
    }

    s3.fail(Fault::Oversize(1_000_000));
    assert_eq!(patient.head(&path("key")).await.unwrap().size, 1_000_000);
    assert_eq!(get(&patient, "key").await.unwrap(), vec![0; 1_000_000]);
    assert!(list(&patient, None).await.unwrap_err().to_string().contains("invalid list response"));

    s3.fail(Fault::Endless);
    assert!(get(&patient, "absent").await.unwrap_err().to_string().contains("Content-Length Header missing"));
    assert_eq!(s3.requests().last().unwrap().status, Some(200));
    assert_eq!(kind(list(&hasty, None).await), Some(HttpErrorKind::Timeout));

    s3.fail(Fault::Replace(b"another".to_vec()));
    let other = patient.get(&path("absent")).await.unwrap();
    let unless = GetOptions { if_none_match: other.meta.e_tag.clone(), ..GetOptions::default() };
    assert_eq!(other.bytes().await.unwrap(), "another");
    assert!(matches!(patient.get_opts(&path("key"), unless).await, Err(Error::NotModified { .. })));
    put(&patient, "key", "new", PutMode::Overwrite).await.unwrap();
    assert_eq!(s3.get("key"), Some(b"new".to_vec()));
}

#[tokio::test]
async fn a_fault_meets_whom_it_is_for() {
    let s3 = S3::start();
    s3.put("a", "bytes");
    s3.put("b", "bytes");
    let store = store(&s3);
    s3.fail(Fault::Status(500));
    s3.fail_on(|method, key| method == Method::GET && key == "a", Fault::Replace(b"another".to_vec()));
    assert_eq!(get(&store, "a").await.unwrap(), "another");
    assert!(get(&store, "b").await.is_err() && put(&store, "a", "", PutMode::Overwrite).await.is_err());
    s3.heal();
    s3.fail_on(|method, key| method == Method::GET && key.is_empty(), Fault::Reset);
    assert!(list(&store, None).await.is_err() && get(&store, "a").await.is_ok());
    s3.heal();

    s3.fail_on(|method, _| method == Method::PUT, Fault::CloseAfter(2));
    for key in ["1", "2", "3", "4"] {
        assert_eq!(put(&store, key, "", PutMode::Overwrite).await.is_ok(), key < "3");
        assert!(get(&store, "a").await.is_ok());
    }
    assert_eq!(s3.keys(""), ["1", "2", "a", "b"]);
}

#[tokio::test]
async fn somebody_else_may_be_faster() {
    let s3 = Arc::new(S3::start());
    let store = store(&s3);
    let other = Arc::clone(&s3);
    let faster = move |method: &Method, key: &str| {
        other.put(key, "theirs");
        method == Method::DELETE
    };
    s3.fail_on(faster, Fault::Hang);
    assert!(matches!(put(&store, "key", "mine", PutMode::Create).await, Err(Error::AlreadyExists { .. })));
    assert_eq!(s3.get("key"), Some(b"theirs".to_vec()));
    s3.heal();
}

#[tokio::test]
async fn a_port_is_closed_and_opened() {
    let s3 = S3::start();
    s3.put("key", "bytes");
    // Without connections from before, on which a client meets their end and not a closed port.
    let idle = AmazonS3ConfigKey::Client(ClientConfigKey::PoolMaxIdlePerHost);
    let store = builder(&s3).with_config(idle, "0").build().unwrap();
    for _ in 0..20 {
        assert_eq!(get(&store, "key").await.unwrap(), "bytes");
        s3.stop_listening();
        assert_eq!(kind(get(&store, "key").await), Some(HttpErrorKind::Connect));
        s3.listen_again();
    }
    assert_eq!(s3.requests().len(), 20);
}

#[tokio::test]
async fn what_ends_leaves_nobody_waiting() {
    let s3 = S3::start();
    let store = store(&s3);
    s3.fail(Fault::Hang);
    let waiting = tokio::spawn(async move { kind(get(&store, "key").await) });
    while s3.requests().is_empty() {
        yield_now().await;
    }
    drop(s3);
    assert_eq!(waiting.await.unwrap(), Some(HttpErrorKind::Request));
}

/// Not of this server, but what a store of releases has to know.
#[tokio::test]
async fn a_client_that_tries_again_goes_on_and_may_lose_to_itself() {
    let s3 = S3::start();
    s3.put("key", "0123456789");
    let store = builder(&s3).with_retry(retries(3)).build().unwrap();
    s3.fail(Fault::Truncate(4));
    assert_eq!(get(&store, "key").await.unwrap(), "0123456789");
    let ranges: Vec<_> = s3.requests().into_iter().map(|seen| seen.range).collect();
    assert_eq!(ranges, [None, Some("bytes=4-9".to_owned()), Some("bytes=8-9".to_owned())]);
    s3.heal();
    s3.forget_requests();

    let asked = AtomicUsize::new(0);
    s3.fail_on(move |_, _| asked.fetch_add(1, Ordering::SeqCst) == 0, Fault::LoseAnswer);
    assert!(matches!(put(&store, "new", "mine", PutMode::Create).await, Err(Error::AlreadyExists { .. })));
    assert_eq!((s3.get("new"), statuses(&s3)), (Some(b"mine".to_vec()), vec![None, Some(412)]));
}
