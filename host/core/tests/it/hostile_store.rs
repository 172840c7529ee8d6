//! Plays what somebody does to a store who knows how a host reads it.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cogwit_core::digest::sha256;
use cogwit_core::release::{Channel, Live, NativeArtifact, NativeCode, Order, Refreshed, Release, Setup, StoreError};
use cogwit_core::run::Engine;
use cogwit_core::store::Admission;
use tempfile::tempdir;

use crate::s3::{Fault, S3};
use crate::ship::{Publisher, RUNTIME, Signer, access, decide_by, in_folder, in_s3, mark_of, marked, package, setup};

const BUDGET: Duration = Duration::from_secs(10);

fn in_bucket<'a>(s3: &S3, signer: &'a Signer) -> Publisher<'a> {
    let place = format!("s3://{}#prod", S3::BUCKET).parse().unwrap();
    Publisher { bucket: in_s3(s3, ""), place, signer }
}

fn follow(setup: Setup) -> Live {
    RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap()
}

fn refresh(live: &Live) -> Refreshed {
    RUNTIME.block_on(live.refresh(BUDGET))
}

fn mark(live: &Live) -> Option<u32> {
    live.set(&live.serving(), SystemTime::now()).ok().map(|set| mark_of(&decide_by(set)))
}

/// Publishes over whatever stands there.
fn force(publisher: &Publisher<'_>, mark: u32) -> u64 {
    let package = marked(mark);
    let release = Release::of(&package, Vec::new(), &NativeCode::new()).unwrap();
    let trust = publisher.signer.trusted();
    let pointed = RUNTIME.block_on(async {
        let standing = publisher.bucket.standing(&publisher.place, &trust).await.unwrap();
        publisher.bucket.upload(&release, &package, &NativeCode::new(), &|_| {}).await.unwrap();
        let order = Order {
            place: &publisher.place,
            set: "marked",
            release: &sha256(&release.to_bytes()),
            expires: None,
            key: None,
            sign: &|bytes, comment| Ok(publisher.signer.sign(bytes, comment)),
            force: true,
            seen: None,
            above: 0,
        };
        publisher.bucket.point(&order, &standing, &trust).await
    });
    pointed.unwrap().payload.sequence
}

#[test]
fn machine_code_that_cannot_be_had_for_a_moment_is_had_at_the_next_refresh() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = in_bucket(&s3, &signer);
    let engine = Engine::new(2, 16 << 20).unwrap();
    let package = package("[[policy]]\nname = 'a'\ncomponent = 'deny-short-username.wasm'\n", &["deny-short-username"]);
    let component = &package.components["deny-short-username.wasm"];
    let code = engine.precompile(component).unwrap();
    let native = NativeCode::from([(sha256(component), vec![(NativeArtifact::of(&code), code)])]);
    publisher.publish_with(&package, &native, Vec::new(), None).unwrap();
    s3.fail_on(|_, key| key.contains("native/"), Fault::Status(500));
    // A host that compiles nothing of this size, as a Lambda function.
    let admission = Admission::new(engine).compiling_at_most(10);
    let live = follow(Setup { access: access(&s3, S3::SECRET_KEY), admission, ..setup(&publisher, None) });
    assert!(live.serving().set.as_ref().err().unwrap().contains("no machine code"));
    s3.heal();
    assert_eq!(refresh(&live), Refreshed::Swapped);
}

#[test]
fn nothing_is_confirmed_by_a_store_that_says_not_modified_to_somebody_who_knows_nothing() {
    let (s3, signer, folder) = (S3::start(), Signer::new(), tempdir().unwrap());
    let publisher = in_bucket(&s3, &signer);
    publisher.publish(&marked(7));
    let cache = folder.path().join("cache");
    let start = || follow(Setup { access: access(&s3, S3::SECRET_KEY), ..setup(&publisher, Some(&cache)) });
    refresh(&start());
    s3.fail(Fault::Status(304));
    let live = start();
    let serving = live.serving();
    assert_eq!((mark(&live), serving.confirmed), (Some(7), None));
    assert!(serving.problem.as_ref().unwrap().contains("to somebody who does not know it"), "{:?}", serving.problem);
}

#[test]
fn a_host_with_nothing_to_serve_asks_again_soon() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = in_bucket(&s3, &signer);
    publisher.publish(&marked(7));
    s3.fail(Fault::Status(500));
    let live = follow(Setup { access: access(&s3, S3::SECRET_KEY), ..setup(&publisher, None) });
    s3.heal();
    assert_eq!(mark(&live), None);
    let soon = SystemTime::now() + Duration::from_secs(2);
    assert!(live.is_due(soon) && live.is_stale(soon));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert!(!live.is_stale(SystemTime::now() + Duration::from_secs(2)));
}

#[test]
fn a_host_that_keeps_itself_fresh_does_so_soon_where_it_has_nothing_to_serve() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = in_bucket(&s3, &signer);
    publisher.publish(&marked(7));
    s3.fail(Fault::Status(500));
    let live = Arc::new(follow(Setup { access: access(&s3, S3::SECRET_KEY), ..setup(&publisher, None) }));
    s3.heal();
    // The interval is 30 s.
    let keeping = RUNTIME.spawn({
        let live = live.clone();
        async move { live.keep_fresh().await }
    });
    let serves = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        mark(&live) == Some(7)
    });
    keeping.abort();
    assert!(serves);
}

#[test]
fn processes_that_share_a_cache_do_not_lower_each_others_floor() {
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    let (store, cache) = (in_folder(&folder.path().join("store"), "prod", &signer), folder.path().join("cache"));
    store.publish(&marked(1));
    let slow = follow(setup(&store, Some(&cache)));
    store.publish(&marked(2));
    let second = store.read("channels/prod.json");
    store.publish(&marked(3));
    let quick = follow(setup(&store, Some(&cache)));
    refresh(&quick);
    // The slow one never saw the third, so it takes the second that somebody put back; the disk is not misled by that.
    store.write("channels/prod.json", second);
    assert_eq!((refresh(&slow), mark(&slow)), (Refreshed::Swapped, Some(2)));
    let fresh = follow(setup(&store, Some(&cache)));
    assert_eq!(mark(&fresh), Some(3));
    assert!(fresh.serving().problem.as_ref().unwrap().contains("its sequence is 2, but 3 was seen before"));
}

#[test]
fn a_lock_that_leads_elsewhere_changes_nothing_there() {
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    let store = in_folder(&folder.path().join("store"), "prod", &signer);
    let precious = folder.path().join("precious");
    fs::write(&precious, "the key").unwrap();
    std::os::unix::fs::symlink(&precious, folder.path().join("store/.lock")).unwrap();
    store.publish(&marked(1));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "the key");
}

#[test]
fn a_pipe_in_the_place_of_an_object_keeps_nobody() {
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    let store = in_folder(&folder.path().join("store"), "prod", &signer);
    store.publish(&marked(1));
    let live = follow(setup(&store, None));
    let channel = folder.path().join("store/channels/prod.json");
    fs::remove_file(&channel).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&channel).status().unwrap().success());
    let Refreshed::Failed(reason) = refresh(&live) else { panic!("followed") };
    assert!(reason.contains("it is no file"), "{reason}");
    assert_eq!(mark(&live), Some(1));
}

#[test]
fn what_a_host_says_of_a_channel_has_a_bound_and_is_said_once() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    let store = in_folder(folder.path(), "prod", &signer);
    store.publish(&marked(1));
    let say: fn(&str) = |text| SAID.lock().unwrap().push(text.to_owned());
    let live = follow(Setup { say, ..setup(&store, None) });
    SAID.lock().unwrap().clear();
    for round in 0..3 {
        for letter in ["a", "b"] {
            store.write("channels/prod.json", format!("{{\"{}\":1}}", letter.repeat(60_000)));
            assert!(matches!(refresh(&live), Refreshed::Failed(_)), "{round}");
        }
    }
    let said = SAID.lock().unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|line| line.len() < 600), "{said:?}");
}

#[test]
fn a_channel_of_any_size_can_be_gone_over() {
    let (s3, signer) = (S3::start(), Signer::new());
    let folder = tempdir().unwrap();
    for publisher in [in_bucket(&s3, &signer), in_folder(folder.path(), "prod", &signer)] {
        publisher.publish(&marked(1));
        publisher.write("channels/prod.json", vec![b' '; 70_000]);
        assert!(publisher.try_publish(&marked(2), None).unwrap_err().to_string().contains("more than 65536 bytes"));
        assert_eq!(force(&publisher, 2), 2);
    }
}

#[test]
fn going_over_another_keys_channel_goes_on_above_it() {
    let (folder, old, new) = (tempdir().unwrap(), Signer::new(), Signer::new());
    let before = in_folder(folder.path(), "prod", &old);
    (1..=3).for_each(|number| drop(before.publish(&marked(number))));
    let first = before.read("history/prod/00000000000000000001.json");
    let after = in_folder(folder.path(), "prod", &new);
    assert_eq!(force(&after, 4), 4);
    assert_eq!(before.read("history/prod/00000000000000000001.json"), first);
    // A number that nobody counted to uses nothing up.
    let object: Channel = serde_json::from_slice(&after.read("channels/prod.json")).unwrap();
    let payload = object.payload.replace("\"sequence\":4", &format!("\"sequence\":{}", u64::MAX));
    after.write("channels/prod.json", Channel { payload, ..object }.to_bytes());
    assert_eq!(force(&after, 5), 5);
}

#[test]
fn a_history_full_of_junk_costs_a_few_requests() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = in_bucket(&s3, &signer);
    publisher.publish(&marked(1));
    for number in 0..3_000 {
        s3.put(&format!("history/prod/junk-{number}"), "");
        s3.put(&format!("history/prod/{:020}.json", u64::MAX - number), "{}");
    }
    for number in 10..900 {
        s3.put(&format!("history/prod/{number:020}.json"), "{}");
    }
    s3.forget_requests();
    assert_eq!(publisher.publish(&marked(2)).payload.sequence, 2);
    assert!(s3.requests().len() < 250, "{}", s3.requests().len());
}

#[test]
fn a_part_of_the_history_that_cannot_be_read_is_not_passed_over() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = in_bucket(&s3, &signer);
    (1..=3).for_each(|number| drop(publisher.publish(&marked(number))));
    s3.fail_on(|_, key| key.ends_with("2.json"), Fault::Status(403));
    let history = || RUNTIME.block_on(publisher.bucket.history(&publisher.place, &signer.trusted(), 10));
    assert!(matches!(history(), Err(StoreError::Denied { .. })));
    s3.heal();
    s3.remove("history/prod/00000000000000000002.json");
    assert_eq!(history().unwrap().len(), 2);
}

#[test]
fn a_release_may_not_name_sizes_that_no_host_reads() {
    let text = String::from_utf8(Release::of(&marked(1), Vec::new(), &NativeCode::new()).unwrap().to_bytes()).unwrap();
    let (start, rest) = text.split_once("\"size\": ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let text = format!("{start}\"size\": {}\n{rest}", u64::MAX);
    let error = Release::parse(text.as_bytes(), &sha256(text.as_bytes())).unwrap_err();
    assert!(error.to_string().contains("larger than any that is read"), "{error}");
}
