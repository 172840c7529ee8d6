//! Shows how a host follows its channel: what it takes over, what it refuses, and what it does without the store.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cogwit_core::digest::sha256;
use cogwit_core::release::{Channel, Live, NativeArtifact, NativeCode, Payload, Refreshed, Setup, channel_key};
use cogwit_core::run::Engine;
use cogwit_core::store::{MOST_COMPILED_AT_START, TestTexts};
use tempfile::tempdir;

use crate::ship::{Publisher, RUNTIME, Shop, Signer, decide_by, in_folder, mark_of, marked, package, setup};

const BUDGET: Duration = Duration::from_secs(10);

fn follow(setup: Setup) -> Live {
    RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap()
}

/// Follows until what is served is kept.
fn keep(setup: Setup) {
    let live = follow(setup);
    RUNTIME.block_on(live.refresh(BUDGET));
}

fn refresh(live: &Live) -> Refreshed {
    RUNTIME.block_on(live.refresh(BUDGET))
}

/// The mark of the set that decides now.
fn mark(live: &Live) -> u32 {
    mark_of(&decide_by(live.set(&live.serving(), SystemTime::now()).unwrap()))
}

/// Why the store was not followed.
fn refused(live: &Live) -> String {
    let Refreshed::Failed(reason) = refresh(live) else { panic!("followed") };
    assert_eq!(live.serving().problem.as_ref(), Some(&reason));
    reason
}

/// Signs what a channel says after it was changed.
fn resign(publisher: &Publisher<'_>, channel: &str, change: impl Fn(&mut Payload)) {
    let key = channel_key(channel);
    let object: Channel = serde_json::from_slice(&publisher.read(&key)).unwrap();
    let mut payload: Payload = serde_json::from_str(&object.payload).unwrap();
    change(&mut payload);
    let payload = serde_json::to_string(&payload).unwrap();
    let signature = publisher.signer.sign(payload.as_bytes(), "changed");
    publisher.write(&key, Channel { payload, signature }.to_bytes());
}

#[test]
fn a_published_set_serves_after_the_next_refresh_and_so_does_the_way_back() {
    let shop = Shop::open();
    let store = shop.store();
    let first = store.publish(&marked(11));
    let live = follow(setup(&store, None));
    assert_eq!((mark(&live), live.serving().sequence()), (11, Some(1)));
    assert_eq!(refresh(&live), Refreshed::Unchanged);
    let before = live.serving();
    store.publish(&marked(12));
    assert_eq!(mark(&live), 11);
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!((mark(&live), live.serving().sequence()), (12, Some(2)));
    // A decision in flight has what it took.
    assert_eq!(mark_of(&decide_by(live.set(&before, SystemTime::now()).unwrap())), 11);
    // Back: a higher sequence for the first release, whose set still lives.
    resign(&store, "prod", |payload| {
        payload.sequence = 3;
        payload.release.clone_from(&first.payload.release);
    });
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!((mark(&live), live.serving().sequence()), (11, Some(3)));
    assert!(std::sync::Arc::ptr_eq(before.set.as_ref().unwrap(), live.serving().set.as_ref().unwrap()));
}

#[test]
fn what_an_attacker_with_the_bucket_can_do_is_refused() {
    let shop = Shop::open();
    let store = shop.store();
    let first = store.publish(&marked(21));
    let old = store.read("channels/prod.json");
    let cache = shop.cache();
    let live = follow(setup(&store, Some(&cache)));
    store.publish(&marked(22));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    let good = store.read("channels/prod.json");
    let hold = |told: &str| {
        let reason = refused(&live);
        assert!(reason.contains(told), "{reason}");
        assert_eq!(mark(&live), 22, "{told}");
        // Whoever starts now starts with the last good one.
        let restarted = follow(setup(&store, Some(&cache)));
        assert_eq!(mark(&restarted), 22, "{told}");
        assert!(restarted.serving().problem.as_ref().unwrap().contains(told), "{told}");
    };
    store.write("channels/prod.json", old);
    hold("its sequence is 1, but 2 was seen before");
    let text = String::from_utf8(good.clone()).unwrap();
    store.write("channels/prod.json", text.replace("\\\"sequence\\\":2", "\\\"sequence\\\":9"));
    hold("its signature does not hold");
    let stranger = Signer::new();
    let strange = Publisher { bucket: store.bucket.clone(), place: store.place.clone(), signer: &stranger };
    resign(&strange, "prod", |payload| payload.sequence = 3);
    hold("signed by a key that is not trusted");
    let object: Channel = serde_json::from_slice(&good).unwrap();
    store.write("channels/prod.json", Channel { signature: String::new(), ..object.clone() }.to_bytes());
    hold("it is not signed");
    store.write("channels/prod.json", Channel { signature: "none".to_owned(), ..object }.to_bytes());
    hold("its signature is none of minisign's");
    let dev = Publisher { bucket: store.bucket.clone(), place: "file:///#dev".parse().unwrap(), signer: &shop.signer };
    dev.publish(&marked(23));
    store.write("channels/prod.json", store.read("channels/dev.json"));
    hold("it is the channel `dev`, copied to the place of `prod`");
    for junk in ["", "{}", "[1", "null", "\"\\ud800\""] {
        store.write("channels/prod.json", junk);
        hold("it cannot be read");
    }
    store.write("channels/prod.json", vec![b' '; 70_000]);
    hold("has more than 65536 bytes");
    RUNTIME.block_on(store.bucket.remove("channels/prod.json")).unwrap();
    hold("is not there");
    store.write("channels/prod.json", good);
    assert_eq!(refresh(&live), Refreshed::Unchanged);
    assert_eq!((mark(&live), live.serving().problem.clone()), (22, None));
    // Only the key's owner can go back.
    resign(&store, "prod", |payload| {
        payload.sequence = 3;
        payload.release.clone_from(&first.payload.release);
    });
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(mark(&live), 21);
}

#[test]
fn what_the_key_signed_for_something_else_is_refused() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(31));
    let good = store.read("channels/prod.json");
    let live = follow(setup(&store, None));
    resign(&store, "prod", |payload| payload.set = "other".to_owned());
    assert!(refused(&live).contains("it is of the set `other`, not of `marked`"));
    resign(&store, "prod", |payload| payload.schema = 2);
    assert!(refused(&live).contains("its schema is 2"));
    resign(&store, "prod", |payload| (payload.schema, payload.key) = (1, Some("0123456789ABCDEF".to_owned())));
    assert!(refused(&live).contains("says that the key 0123456789ABCDEF signed it"));
    let key = shop.signer.id();
    resign(&store, "prod", |payload| {
        payload.set = "marked".to_owned();
        payload.key = Some(key.clone());
        payload.release = "../../channels/prod".to_owned();
    });
    assert!(refused(&live).contains("`release` is no digest"));
    store.write("channels/prod.json", good);
    let expected = Setup {
        following: cogwit_core::release::Following { set: Some("other".to_owned()), ..setup(&store, None).following },
        ..setup(&store, None)
    };
    let other = follow(expected);
    assert!(other.serving().problem.as_ref().unwrap().contains("not of `other`"));
    assert_eq!(mark(&live), 31);
}

#[test]
fn a_release_that_was_changed_or_is_not_complete_is_refused_until_it_is_mended() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(41));
    let live = follow(setup(&store, None));
    let second = store.publish(&package(
        "[[policy]]\nname = 'confirm-42'\ncomponent = 'auto-confirm-domain.wasm'\n\
         [[policy]]\nname = 'short-42'\ncomponent = 'deny-short-username.wasm'\nsettings = { minimum-length = 42 }\n\
         [[policy]]\nname = 'gate'\ncomponent = 'access-gate.wasm'\n",
        &["auto-confirm-domain", "deny-short-username", "access-gate"],
    ));
    let key = store.components(&second)["access-gate.wasm"].clone();
    let whole = store.read(&key);
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (bytes, told) in [
        (flipped, "was changed: it has the digest"),
        (whole[..1000].to_vec(), "was changed: it has the digest"),
        ([whole.clone(), vec![0]].concat(), "has more than"),
        (Vec::new(), "was changed"),
    ] {
        store.write(&key, bytes);
        let reason = refused(&live);
        assert!(reason.contains(told) && reason.contains(&key), "{reason}");
        assert_eq!(mark(&live), 41);
    }
    RUNTIME.block_on(store.bucket.remove(&key)).unwrap();
    assert!(refused(&live).contains("is not there"));
    let release = format!("releases/{}.json", second.payload.release);
    let text = String::from_utf8(store.read(&release)).unwrap();
    store.write(&release, text.replace("minimum-length", "minimum-lengtH"));
    assert!(refused(&live).contains("was changed"));
    store.write(&release, text);
    store.write(&key, whole);
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(live.serving().sequence(), Some(2));
}

#[test]
fn a_release_that_a_host_cannot_admit_is_refused_once_and_for_all() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(51));
    let live = follow(setup(&store, None));
    let policy = "[[policy]]\nname = 'a'\ncomponent = 'deny-short-username.wasm'\nsettings = { minimum-length = 0 }\n";
    store.publish(&package(policy, &["deny-short-username"]));
    let reason = refused(&live);
    assert!(reason.contains("policy `a`: its settings are refused: `minimum-length` is `0`"), "{reason}");
    assert_eq!(refused(&live), reason);
    assert_eq!(mark(&live), 51);
    let case = TestTexts {
        policy: "short-52".to_owned(),
        file: "a.toml".to_owned(),
        text: "source = 'PreSignUp_SignUp'\nwith = { userName = 'x' }\nexpect.decision = 'allow'".to_owned(),
        files: Default::default(),
    };
    store.publish_with(&marked(52), &NativeCode::new(), vec![case.clone()], None).unwrap();
    let reason = refused(&live);
    assert!(
        reason.contains("policy `short-52`: `a.toml`: case 1: decision: \"allow\" expected, \"deny\" given"),
        "{reason}"
    );
    assert_eq!(mark(&live), 51);
    let case = TestTexts { text: case.text.replace("'allow'", "'deny'"), ..case };
    store.publish_with(&marked(52), &NativeCode::new(), vec![case], None).unwrap();
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(mark(&live), 52);
}

#[test]
fn machine_code_is_used_where_it_is_signed_and_whole_and_else_the_component_is() {
    let shop = Shop::open();
    let store = shop.store();
    let engine = Engine::new(1, 16 << 20).unwrap();
    let package = package("[[policy]]\nname = 'a'\ncomponent = 'deny-short-username.wasm'\n", &["deny-short-username"]);
    let component = &package.components["deny-short-username.wasm"];
    let code = engine.precompile(component).unwrap();
    let artifact = NativeArtifact::of(&code);
    let key = artifact.key();
    let native = NativeCode::from([(sha256(component), vec![(artifact, code.clone())])]);
    store.publish_with(&package, &native, Vec::new(), None).unwrap();
    let warnings = || {
        let live = follow(setup(&store, None));
        let serving = live.serving();
        let set = live.set(&serving, SystemTime::now()).unwrap();
        assert!(decide_by(set).reply.is_err());
        set.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(warnings(), "");
    let mut flipped = code.clone();
    flipped[code.len() / 2] ^= 1;
    store.write(&key, flipped);
    assert!(
        warnings().contains("its machine code is not used, so the component was compiled: `file://"),
        "{}",
        warnings()
    );
    RUNTIME.block_on(store.bucket.remove(&key)).unwrap();
    assert!(warnings().contains("is not there"), "{}", warnings());
    // Nobody signed it: whoever writes to the store must not get to run machine code.
    store.write(&key, code);
    let object: Channel = serde_json::from_slice(&store.read("channels/prod.json")).unwrap();
    store.write("channels/prod.json", Channel { signature: String::new(), ..object }.to_bytes());
    let mut unsigned = setup(&store, None);
    unsigned.following.trust.unsigned = true;
    unsigned.admission = cogwit_core::store::Admission::new(engine).compiling_at_most(10);
    let live = follow(unsigned);
    assert!(live.serving().problem.as_ref().unwrap().contains("and no machine code"), "{:?}", live.serving().problem);
    assert!(MOST_COMPILED_AT_START > component.len());
}

#[test]
fn without_the_store_the_newest_that_lies_near_serves_if_its_signature_holds() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(61));
    let own = shop.folder.path().join("own");
    copy(&shop.folder.path().join("store"), &own);
    store.publish(&marked(62));
    let cache = shop.cache();
    keep(setup(&store, Some(&cache)));
    store.publish(&marked(63));
    // This one is seen, but cannot be had.
    let third = serde_json::from_slice::<Channel>(&store.read("channels/prod.json")).unwrap();
    let third: Payload = serde_json::from_str(&third.payload).unwrap();
    RUNTIME.block_on(store.bucket.remove(&format!("releases/{}.json", third.release))).unwrap();
    keep(setup(&store, Some(&cache)));
    RUNTIME.block_on(store.bucket.remove("channels/prod.json")).unwrap();

    let start = |cache: Option<&Path>, own: Option<&Path>| {
        let setup = Setup { own: own.map(Path::to_owned), ..setup(&store, cache) };
        let live = follow(setup);
        let serving = live.serving();
        let mark = live.set(&serving, SystemTime::now()).map(|set| mark_of(&decide_by(set)));
        (mark.ok(), serving.sequence(), serving.known, serving.is_fallback(), serving.confirmed.is_some())
    };
    assert_eq!(start(Some(&cache), Some(&own)), (Some(62), Some(2), Some(3), true, false));
    assert_eq!(start(None, Some(&own)), (Some(61), Some(1), Some(1), false, false));
    assert_eq!(start(None, None), (None, None, Some(0), true, false));
    // What was kept is checked as if it came from the store.
    for entry in walk(&cache) {
        let name = entry.to_string_lossy().into_owned();
        if name.contains("releases") {
            fs::write(&entry, "changed").unwrap();
        }
    }
    assert_eq!(start(Some(&cache), Some(&own)), (Some(61), Some(1), Some(3), true, false));
    for entry in walk(&cache) {
        let Ok(text) = fs::read_to_string(&entry) else { continue };
        fs::write(&entry, text.replace("\\\"sequence\\\":", "\\\"sequence\\\":9")).unwrap();
    }
    assert_eq!(start(Some(&cache), Some(&own)), (Some(61), Some(1), Some(1), false, false));
}

#[test]
fn the_floor_holds_whoever_knows_of_it() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(71));
    let mut raised = setup(&store, None);
    raised.following.min_sequence = 2;
    let live = follow(raised);
    assert!(live.serving().problem.as_ref().unwrap().contains("its sequence is 1, but 2 was seen before"));
    assert!(live.set(&live.serving(), SystemTime::now()).is_err());
    store.publish(&marked(72));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(mark(&live), 72);
    // One sequence, two releases: only one of them can be what its publisher meant.
    let other = Shop { folder: tempdir().unwrap(), signer: shop.signer };
    let fork = other.store();
    fork.publish(&marked(73));
    fork.publish(&marked(74));
    let forked = in_folder(&shop.folder.path().join("store"), "prod", &other.signer);
    forked.write("channels/prod.json", fork.read("channels/prod.json"));
    assert!(refused(&live).contains("its sequence 2 had another release before"));
    assert_eq!(mark(&live), 72);
}

#[test]
fn an_expired_channel_serves_unless_the_host_was_told_otherwise() {
    let shop = Shop::open();
    let store = shop.store();
    store.try_publish(&marked(81), Some(SystemTime::now() - Duration::from_secs(60))).unwrap();
    let live = follow(setup(&store, None));
    assert_eq!(mark(&live), 81);
    assert!(live.serving().is_expired(SystemTime::now()));
    let mut strict = setup(&store, None);
    strict.following.deny_expired = true;
    let live = follow(strict);
    let reason = live.set(&live.serving(), SystemTime::now()).err().unwrap();
    assert!(reason.contains("COGWIT_ON_EXPIRED=deny"), "{reason}");
    store.publish(&marked(82));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(mark(&live), 82);
}

#[test]
fn a_set_that_the_store_does_not_confirm_is_refused_only_by_a_host_that_was_told_so() {
    let shop = Shop::open();
    let store = shop.store();
    store.publish(&marked(91));
    let mut strict = setup(&store, None);
    (strict.following.deny_fallback, strict.following.max_staleness) = (true, Duration::from_secs(60));
    let live = follow(strict);
    assert_eq!(mark(&live), 91);
    RUNTIME.block_on(store.bucket.remove("channels/prod.json")).unwrap();
    refused(&live);
    let (serving, now) = (live.serving(), SystemTime::now());
    assert!(live.set(&serving, now).is_ok() && !live.is_stale(now));
    let later = now + Duration::from_secs(120);
    assert!(live.is_stale(later) && live.is_due(later));
    let reason = live.set(&serving, later).err().unwrap();
    assert!(reason.contains("COGWIT_FALLBACK=deny") && reason.contains("is not there"), "{reason}");
    let patient = follow(setup(&store, None));
    assert!(patient.set(&patient.serving(), later).is_err());
}

#[test]
fn what_is_kept_is_the_release_that_serves_and_no_other() {
    let shop = Shop::open();
    let store = shop.store();
    let cache = shop.cache();
    store.publish(&marked(101));
    let live = follow(setup(&store, Some(&cache)));
    assert!(live.is_due(SystemTime::now()), "what serves is to be kept");
    assert_eq!(refresh(&live), Refreshed::Unchanged);
    let count = || walk(&cache).iter().filter(|path| path.extension().is_some_and(|it| it == "wasm")).count();
    assert_eq!(count(), 2);
    store.publish(&package("[[policy]]\nname = 'gate'\ncomponent = 'access-gate.wasm'\n", &["access-gate"]));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert_eq!(count(), 1);
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { assert!(fs::copy(&path, &to).is_ok()) }
    }
}
