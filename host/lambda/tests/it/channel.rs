//! Publishes while a host follows: each set decides in its turn, and the record says which.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::package::Package;
use crate::store::{SIGNER, Store, Wanted};

#[test]
fn what_is_published_decides_after_the_refresh_that_follows() {
    let store = Store::new();
    let first = store.publish(11);
    let host = store.host(&Package::empty(), &[]);
    assert_eq!(host.mark(), Some(11));
    assert_eq!(host.mark(), Some(11));
    for (sequence, mark) in [(2, 12), (3, 13)] {
        store.publish(mark);
        // Decided before the store was asked, then asked after the answer.
        assert_eq!(host.mark(), Some(mark - 1));
        assert_eq!(host.mark(), Some(mark));
        host.says(&format!("sequence {sequence} of {}", store.place("prod")));
    }
    // Back to the first release, under a new sequence.
    store.point(&first.payload.release, Wanted::default());
    assert_eq!([host.mark(), host.mark(), host.mark()], [Some(13), Some(11), Some(11)]);
    assert!(host.said("error") + host.said("warning") == 0, "{}", host.stderr());
}

#[test]
fn a_record_says_what_the_host_knows_of_its_set() {
    let store = Store::new();
    let published = store.publish(11);
    let host = store.host(&Package::empty(), &[]);
    host.mark();
    let (_, mut record) = host.mark_and_record();
    let refreshed = record["set"]["refreshed"].take();
    let refreshed = humantime::parse_rfc3339(refreshed.as_str().unwrap()).unwrap();
    assert!(refreshed.elapsed().unwrap() < Duration::from_secs(30));
    let expected = json!({
        "name": "acme", "digest": published.payload.release, "channel": "prod", "sequence": 1, "known": 1,
        "key": SIGNER.trusted.id, "ageSeconds": 0, "refreshed": null,
    });
    assert_eq!(record["set"], expected);
    assert_eq!((&record["level"], &record["SetAge"], &record["Fallback"]), (&json!("info"), &json!(0), &json!(0)));
}

#[test]
fn an_expired_channel_serves_and_says_so_unless_the_operator_refuses_it() {
    let store = Store::new();
    let expires = Some(SystemTime::now() - Duration::from_secs(60));
    store.publish_as(11, Wanted { expires, ..Wanted::default() });
    let host = store.host(&Package::empty(), &[]);
    let (mark, record) = host.mark_and_record();
    assert_eq!((mark, &record["set"]["expired"], &record["level"]), (Some(11), &json!(true), &json!("warning")));
    assert_eq!((&record["Fallback"], host.said("the channel is expired: publish again")), (&json!(0), 1));

    let host = store.host(&Package::empty(), &[("COGWIT_ON_EXPIRED", "deny")]);
    let (mark, record) = host.mark_and_record();
    let error = "the channel is expired, and COGWIT_ON_EXPIRED=deny: publish again";
    assert_eq!((mark, &record["error"], &record["decision"]), (None, &json!(error), &json!("fault")));
    assert_eq!((&record["level"], &record["set"]["expired"]), (&json!("error"), &json!(true)));
    // Published anew, it serves: before it refuses again, it asks.
    store.publish(11);
    assert_eq!(host.mark(), Some(11));
}

#[test]
fn a_channel_that_expires_while_it_serves_is_told_by_the_next_record() {
    let store = Store::new();
    // Written in whole seconds.
    let expires = Some(SystemTime::now() + Duration::from_secs(4));
    store.publish_as(11, Wanted { expires, ..Wanted::default() });
    let host = store.host(&Package::empty(), &[]);
    let (_, record) = host.mark_and_record();
    assert!(record["set"].get("expired").is_none() && record["level"] == "info", "{record}");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(host.mark_and_record().1["set"]["expired"], true);
}

#[test]
fn a_channel_that_nobody_signed_serves_only_where_that_is_allowed() {
    let store = Store::new();
    store.publish(11);
    let signed: serde_json::Value = serde_json::from_slice(&store.read("channels/prod.json")).unwrap();
    let unsigned = json!({ "payload": signed["payload"], "signature": "" });
    store.write("channels/prod.json", unsigned.to_string());
    let host = store.host(&Package::empty(), &[]);
    assert_eq!(host.mark(), None);
    host.says("it is not signed: publish it with `--key`, or set COGWIT_ALLOW_UNSIGNED=on");
    let host = store.host(&Package::empty(), &[("COGWIT_ALLOW_UNSIGNED", "on")]);
    let (mark, record) = host.mark_and_record();
    assert_eq!((mark, &record["set"]["key"], &record["set"]["sequence"]), (Some(11), &json!(null), &json!(1)));
}

#[test]
fn machine_code_that_was_changed_gives_way_to_the_component() {
    let store = Store::new();
    store.publish(11);
    let code = store.all().into_keys().find(|key| key.starts_with("native/")).unwrap();
    store.write(&code, "another program");
    let host = store.host(&Package::empty(), &[]);
    let (mark, record) = host.mark_and_record();
    assert_eq!((mark, &record["level"], &record["set"]["sequence"]), (Some(11), &json!("info"), &json!(1)));
    host.says("warning: policy `mark`: its machine code is not used, so the component was compiled: ");
}

#[test]
fn what_names_no_channel_keeps_the_host_from_starting() {
    let wrong = [
        ("s3://bucket/prefix", "COGWIT_POLICIES: `s3://bucket/prefix` names no channel: add one, such as `#prod`"),
        ("gs://bucket#prod", "COGWIT_POLICIES: `gs://bucket` is no release store"),
        ("file:///nowhere/at/all#prod", "COGWIT_POLICIES: there is no folder `/nowhere/at/all`"),
    ];
    for (place, told) in wrong {
        let host = crate::store::follow(place, &Package::empty(), &[("COGWIT_MAX_FUEL", "lots")]);
        assert_eq!(host.ends().code(), Some(1));
        assert!(host.stderr().contains("COGWIT_MAX_FUEL is `lots`"), "{}", host.stderr());
        let host = crate::store::follow(place, &Package::empty(), &[]);
        assert_eq!(host.ends().code(), Some(1));
        let posts = host.api.seen().posts.clone();
        assert!(posts[0].json()["stackTrace"][0].as_str().unwrap().starts_with(told), "{:?}", posts[0]);
    }
    let host = crate::store::follow("s3://bucket#prod", &Package::empty(), &[("COGWIT_TRUSTED_KEYS", "")]);
    assert_eq!(host.ends().code(), Some(1));
    assert!(host.stderr().contains("COGWIT_TRUSTED_KEYS is not set, so nothing of"), "{}", host.stderr());
}
