//! Puts into the store what must not be followed: after each, the last good set still answers, and the reason is told.

use std::fs;

use serde_json::{Value, json};

use crate::package::Package;
use crate::store::{STRANGER, Store, Wanted};

/// Something bad that is done to a store, and what the operator is told of it.
struct Deed {
    told: &'static str,
    /// Whether the host learns of a newer sequence by it, which it then cannot serve.
    newer: bool,
    done: fn(&Store),
}

const CHANNEL: &str = "channels/prod.json";

fn deed(told: &'static str, done: fn(&Store)) -> Deed {
    Deed { told, newer: false, done }
}

fn newer(told: &'static str, done: fn(&Store)) -> Deed {
    Deed { told, newer: true, done }
}

/// Publishes a newer set, and then does something to an object of it.
fn then(store: &Store, folder: &str, change: impl Fn(&Store, &str)) {
    let before = store.all();
    store.publish(12);
    // Of what is the same in both sets there is one object.
    let of_both = folder.starts_with("components");
    let keys = store.all().into_keys();
    let key = keys.filter(|key| key.starts_with(folder)).find(|key| of_both || !before.contains_key(key));
    change(store, &key.unwrap());
}

fn cut(store: &Store, key: &str) {
    let bytes = store.read(key);
    store.write(key, &bytes[..bytes.len() / 2]);
}

fn grow(store: &Store, key: &str) {
    store.write(key, [store.read(key), vec![b' '; 20 << 20]].concat());
}

fn flip(store: &Store, key: &str) {
    let mut bytes = store.read(key);
    *bytes.last_mut().unwrap() ^= 1;
    store.write(key, bytes);
}

fn lose(store: &Store, key: &str) {
    fs::remove_file(store.file(key)).unwrap();
}

/// Changes the channel without signing it anew.
fn forge(store: &Store, change: impl Fn(&mut Value)) {
    let mut object: Value = serde_json::from_slice(&store.read(CHANNEL)).unwrap();
    change(&mut object);
    store.write(CHANNEL, object.to_string());
}

/// What somebody can do who has the bucket, but not the key; and what the key's owner can do by mistake.
fn deeds() -> Vec<Deed> {
    vec![
        deed("it is signed by a key that is not trusted: COGWIT_TRUSTED_KEYS has ", |store| {
            store.publish_as(12, Wanted { signer: &STRANGER, ..Wanted::default() });
        }),
        deed("it is not signed: ", |store| forge(store, |object| object["signature"] = json!(""))),
        deed("its signature is none of minisign's", |store| forge(store, |object| object["signature"] = json!("mine"))),
        deed("its signature does not hold: it was changed after the key ", |store| {
            forge(store, |object| {
                object["payload"] =
                    json!(object["payload"].as_str().unwrap().replace("\"sequence\":2", "\"sequence\":3"));
            });
        }),
        deed("it cannot be read: ", |store| store.write(CHANNEL, "<html>")),
        deed("it cannot be read: ", |store| cut(store, CHANNEL)),
        deed("has more than 65536 bytes: it is not what was published", |store| grow(store, CHANNEL)),
        deed("is not there: ", |store| lose(store, CHANNEL)),
        deed("it is the channel `dev`, copied to the place of `prod`", |store| {
            store.publish_as(12, Wanted { channel: "dev", ..Wanted::default() });
            store.write(CHANNEL, store.read("channels/dev.json"));
        }),
        deed("it is of the set `other`, not of `acme`", |store| {
            store.publish_as(12, Wanted { set: "other", ..Wanted::default() });
        }),
        deed("its sequence is 1, but 2 was seen before: an older channel was put back", |store| {
            let first = store.all().into_keys().find(|key| key.starts_with("history/")).unwrap();
            store.write(CHANNEL, store.read(&first));
        }),
        deed("its sequence 2 had another release before", |store| {
            let first = store.all().into_keys().find(|key| key.starts_with("history/")).unwrap();
            store.write(CHANNEL, store.read(&first));
            lose(store, "history/prod/00000000000000000002.json");
            store.publish(12);
        }),
        newer("was changed: it has the digest ", |store| then(store, "components/", flip)),
        newer("was changed: it has the digest ", |store| then(store, "components/", cut)),
        newer("bytes: it is not what was published", |store| then(store, "components/", grow)),
        newer("is not there: ", |store| then(store, "components/", lose)),
        newer("was changed: it has the digest ", |store| then(store, "releases/", flip)),
        newer("bytes: it is not what was published", |store| then(store, "releases/", grow)),
        newer("is not there: ", |store| then(store, "releases/", lose)),
        newer("policy `mark`: it broke when it was started once: ", |store| {
            store.publish_as(12, Wanted { lines: "fuel = 1_000", ..Wanted::default() });
        }),
        newer("limit `memory` is `1.0 GiB`, but this host allows", |store| {
            drop(store.publish_as(12, Wanted { lines: "memory = '1 GiB'", ..Wanted::default() }));
        }),
    ]
}

#[test]
fn the_last_good_set_answers_whatever_lies_in_the_store() {
    for Deed { told, newer, done } in deeds() {
        let store = Store::new();
        store.publish(10);
        store.publish(11);
        let host = store.host(&Package::empty(), &[]);
        assert_eq!(host.mark(), Some(11), "{told}");
        let good = store.all();
        done(&store);
        assert_eq!(host.mark(), Some(11), "{told}");
        for _ in 0..3 {
            let (mark, record) = host.mark_and_record();
            assert_eq!(mark, Some(11), "{told}");
            let set = &record["set"];
            assert!(set["problem"].as_str().unwrap().contains(told), "{told}: {set}");
            assert_eq!((&set["sequence"], &set["known"]), (&json!(2), &json!(if newer { 3 } else { 2 })), "{told}");
            let level = if newer { "error" } else { "warning" };
            assert_eq!((&record["level"], &record["Fallback"]), (&json!(level), &json!(u8::from(newer))), "{told}");
        }
        host.says(told);
        assert_eq!(host.said(told), 1, "{}", host.stderr());
        if !newer {
            store.restore(&good);
        }
        store.publish(13);
        assert_eq!([host.mark(), host.mark()], [Some(11), Some(13)], "{told}: {}", host.stderr());
        let (_, record) = host.mark_and_record();
        assert!(record["set"].get("problem").is_none() && record["level"] == "info", "{told}: {record}");
    }
}
