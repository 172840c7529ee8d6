//! Starts a host whose store is out of reach, or tells lies: the newest set that is near and verified serves.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, iter};

use serde_json::json;
use tempfile::TempDir;

use crate::host::Host;
use crate::package::{Package, shipped};
use crate::store::{Store, Wanted, copy, document};

/// A package with a copy of a store.
fn copy_of(store: &Store) -> Package {
    let package = Package::empty();
    copy(&store.all(), &package.path().join("policies"));
    package
}

/// A package with a set that no channel named.
fn plain(mark: u32) -> Package {
    Package::of(&document(mark, Wanted::default()), &shipped(&["deny-short-username"]))
}

/// A folder in which a host kept what it followed.
fn kept(store: &Store) -> TempDir {
    let cache = tempfile::tempdir().unwrap();
    let host = caching(store, &Package::empty(), cache.path());
    assert!(host.mark().is_some(), "{}", host.stderr());
    cache
}

fn caching(store: &Store, package: &Package, cache: &Path) -> Host {
    store.host(package, &[("COGWIT_CACHE", cache.to_str().unwrap())])
}

/// Takes everything out of a store.
fn away(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let all = store.all();
    store.restore(&BTreeMap::new());
    all
}

/// The one file below the cache's folder of the channel whose path has this part.
fn file_of(cache: &Path, part: &str) -> std::path::PathBuf {
    let mut folders = vec![cache.to_owned()];
    let files = iter::from_fn(|| {
        let folder = folders.pop()?;
        let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.extend(entries.iter().filter(|path| path.is_dir()).cloned());
        Some(entries)
    });
    let found: Vec<_> =
        files.flatten().filter(|path| path.is_file() && path.to_string_lossy().contains(part)).collect();
    let [file] = found.as_slice() else { panic!("{part}: {found:?}") };
    file.clone()
}

#[test]
fn what_was_kept_serves_until_the_store_is_back() {
    let store = Store::new();
    store.publish(11);
    let cache = kept(&store);
    let all = away(&store);
    let host = caching(&store, &Package::empty(), cache.path());
    let (mark, record) = host.mark_and_record();
    assert_eq!(mark, Some(11), "{}", host.stderr());
    let set = &record["set"];
    assert_eq!((&set["sequence"], &set["known"], &set["ageSeconds"]), (&json!(1), &json!(1), &json!(null)));
    assert!(set["problem"].as_str().unwrap().contains("channels/prod.json` is not there"), "{set}");
    assert_eq!((&record["level"], &record["Fallback"]), (&json!("warning"), &json!(0)));
    host.says("warning: without the store, the release of sequence 1 serves");
    store.restore(&all);
    store.publish(12);
    // Nobody confirmed the other one, so the store is asked before it decides.
    assert_eq!(host.mark(), Some(12));
}

#[test]
fn the_age_of_a_set_that_was_never_confirmed_grows() {
    let store = Store::new();
    store.publish(11);
    let package = copy_of(&store);
    away(&store);
    let host = store.host(&package, &[]);
    assert_eq!(host.mark_and_record().1["SetAge"], 0);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let record = host.mark_and_record().1;
    assert!((2..30).contains(&record["SetAge"].as_u64().unwrap()), "{record}");
}

#[test]
fn what_was_kept_is_verified_again() {
    let store = Store::new();
    store.publish(11);
    for (part, bytes) in [
        ("components/", &b"no component"[..]),
        ("releases/", b"{}"),
        ("channels/", b"{}"),
        ("channels/", br#"{"payload":"{}","signature":""}"#),
    ] {
        let cache = kept(&store);
        fs::write(file_of(cache.path(), part), bytes).unwrap();
        let all = away(&store);
        let host = caching(&store, &Package::empty(), cache.path());
        let (mark, record) = host.mark_and_record();
        assert_eq!((mark, &record["decision"]), (None, &json!("fault")), "{part}: {}", host.stderr());
        assert!(record["set"].get("name").is_none() && record["set"]["sequence"].is_null(), "{record}");
        store.restore(&all);
        // The store mends it.
        assert_eq!(host.mark(), Some(11), "{part}: {}", host.stderr());
        drop(host);
        away(&store);
        assert_eq!(caching(&store, &Package::empty(), cache.path()).mark(), Some(11), "{part}");
        store.restore(&all);
    }
}

#[test]
fn machine_code_that_was_kept_is_verified_too() {
    let store = Store::new();
    store.publish(11);
    let cache = kept(&store);
    fs::write(file_of(cache.path(), "native/"), "another program").unwrap();
    away(&store);
    let host = caching(&store, &Package::empty(), cache.path());
    assert_eq!(host.mark(), Some(11), "{}", host.stderr());
}

#[test]
fn a_copy_of_the_store_in_the_package_serves() {
    let store = Store::new();
    store.publish(11);
    let package = copy_of(&store);
    away(&store);
    let host = store.host(&package, &[]);
    let (mark, record) = host.mark_and_record();
    assert_eq!((mark, &record["set"]["sequence"], &record["Fallback"]), (Some(11), &json!(1), &json!(0)));
}

#[test]
fn a_copy_of_the_store_without_its_channel_is_told_what_is_missing() {
    let store = Store::new();
    store.publish(11);
    let host = Host::start(&copy_of(&store));
    assert_eq!(host.ask(crate::store::EVENT).error_type(), Some("Function.PolicyFault"));
    host.says("serves only with its channel: set COGWIT_POLICIES to it");
}

#[test]
fn the_packages_plain_set_serves_last_and_that_is_an_error() {
    let store = Store::new();
    store.publish(11);
    let all = away(&store);
    let host = store.host(&plain(5), &[]);
    let (mark, record) = host.mark_and_record();
    assert_eq!(mark, Some(5), "{}", host.stderr());
    let set = &record["set"];
    assert_eq!((&set["name"], &set["channel"], &set["sequence"]), (&json!("acme"), &json!("prod"), &json!(null)));
    assert_eq!((&record["level"], &record["Fallback"]), (&json!("error"), &json!(1)));
    host.says("error: without the store, `acme` of no sequence serves\n");
    store.restore(&all);
    assert_eq!(host.mark(), Some(11), "{}", host.stderr());
    assert_eq!(host.mark_and_record().1["Fallback"], 0);
}

#[test]
fn the_highest_sequence_of_all_that_is_near_serves() {
    let store = Store::new();
    store.publish(11);
    let (old_cache, old_package) = (kept(&store), copy_of(&store));
    store.publish(12);
    let (new_cache, new_package) = (kept(&store), copy_of(&store));
    away(&store);
    for (cache, package, mark) in
        [(&old_cache, &new_package, 12), (&new_cache, &old_package, 12), (&old_cache, &old_package, 11)]
    {
        assert_eq!(caching(&store, package, cache.path()).mark(), Some(mark));
    }
    // Before any set that no channel named.
    let both = plain(5);
    copy(&BTreeMap::from_iter(fs_all(old_package.path())), both.path());
    assert_eq!(store.host(&both, &[]).mark(), Some(11));
}

fn fs_all(package: &Path) -> BTreeMap<String, Vec<u8>> {
    crate::store::objects(package, package)
}

#[test]
fn a_store_that_is_older_than_what_is_near_is_not_followed() {
    let store = Store::new();
    store.publish(11);
    let old = store.all();
    store.publish(12);
    let (cache, package) = (kept(&store), copy_of(&store));
    store.restore(&old);
    let told = "its sequence is 1, but 2 was seen before";
    for host in [caching(&store, &Package::empty(), cache.path()), store.host(&package, &[])] {
        let (mark, record) = host.mark_and_record();
        assert_eq!(mark, Some(12), "{}", host.stderr());
        assert!(record["set"]["problem"].as_str().unwrap().contains(told), "{record}");
        host.says(told);
        assert_eq!(host.said(told), 1);
    }
}

#[test]
fn what_was_seen_but_never_served_counts_too() {
    let store = Store::new();
    store.publish(11);
    let old = store.all();
    let cache = kept(&store);
    store.publish_as(12, Wanted { lines: "fuel = 1_000", ..Wanted::default() });
    assert_eq!(caching(&store, &Package::empty(), cache.path()).mark(), Some(11));
    store.restore(&old);
    let host = caching(&store, &Package::empty(), cache.path());
    let (mark, record) = host.mark_and_record();
    assert_eq!((mark, &record["set"]["known"], &record["level"]), (Some(11), &json!(2), &json!("error")));
    host.says("its sequence is 1, but 2 was seen before");
}

#[test]
fn nothing_below_the_least_sequence_serves() {
    let store = Store::new();
    store.publish(11);
    let (cache, package) = (kept(&store), copy_of(&store));
    let least = [("COGWIT_MIN_SEQUENCE", "2"), ("COGWIT_CACHE", cache.path().to_str().unwrap())];
    let host = store.host(&package, &least);
    assert_eq!(host.mark(), None);
    host.says("its sequence is 1, but ");
    store.publish(12);
    assert_eq!(host.mark(), Some(12));
}

#[test]
fn without_the_stores_word_the_host_refuses_where_it_was_told_to() {
    let store = Store::new();
    store.publish(11);
    let package = copy_of(&store);
    let deny = [("COGWIT_FALLBACK", "deny"), ("COGWIT_MAX_STALENESS", "1 ms"), ("COGWIT_REFRESH", "1 ms")];
    let host = store.host(&package, &deny);
    assert_eq!([host.mark(), host.mark()], [Some(11), Some(11)]);
    let all = away(&store);
    for host in [&host, &store.host(&package, &deny)] {
        let (mark, record) = host.mark_and_record();
        assert_eq!((mark, &record["decision"], &record["level"]), (None, &json!("fault"), &json!("error")));
        let error = record["error"].as_str().unwrap();
        assert!(error.contains("COGWIT_FALLBACK=deny: ") && error.contains("is not there"), "{error}");
    }
    store.restore(&all);
    assert_eq!(host.mark(), Some(11));
}

#[test]
fn a_set_that_is_stale_is_checked_before_it_decides() {
    let store = Store::new();
    store.publish(11);
    let host = store.host(&Package::empty(), &[("COGWIT_MAX_STALENESS", "1 ms")]);
    assert_eq!(host.mark(), Some(11));
    store.publish(12);
    assert_eq!(host.mark(), Some(12));
}

#[test]
fn a_folder_that_cannot_be_written_keeps_nothing_and_serves() {
    let store = Store::new();
    store.publish(11);
    let host = caching(&store, &Package::empty(), Path::new("/proc/cogwit"));
    assert_eq!(host.mark(), Some(11));
    host.says("warning: nothing is kept for a start without the store: ");
}
