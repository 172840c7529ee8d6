//! Lets sets break that a host follows, and sees that it goes back by itself and stays there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use cogwit_core::policy::Document;
use cogwit_core::record::{Masking, Record, Setting};
use cogwit_core::release::{Access, Live, Refreshed, Serving, Setup};
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Package};
use cogwit_core::{Call, Decision, Outcome};
use serde_json::{Value, json};

use crate::s3::{Fault, S3};
use crate::ship::{Publisher, RUNTIME, Shop, Signer, access, component, in_s3, setup};
use crate::support::{admit, caps, probe};

/// As many threads decide at once.
const THREADS: usize = 8;

const BUDGET: Duration = Duration::from_secs(10);

/// What hosts told their operators. Each test has a set of its own name.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The alarms over a set.
fn told(set: &str) -> Vec<String> {
    let of = format!("error: `{set}` of ");
    TOLD.lock().unwrap().iter().filter(|text| text.starts_with(&of)).cloned().collect()
}

const ALLOWS: &str = "[[policy]]\nname = 'allow'\ncomponent = 'allow.wasm'\n";
const BREAKS: &str = "[[policy]]\nname = 'break'\ncomponent = 'trap.wasm'\nwhen = { client-id = ['break'] }\n";
const DENIES: &str = "[[policy]]\nname = 'deny'\ncomponent = 'short.wasm'\nwhen = { client-id = ['deny'] }\n";

fn set(name: &str, policies: &[&str]) -> Package {
    // A busy machine is no reason for a fault.
    let patient = "[limits]\ndeadline = '30 s'\nchain-deadline = '60 s'\n";
    let text = format!("schema = 1\n[set]\nname = '{name}'\n{patient}{}", policies.join("\n"));
    let components = [("allow", probe("allow")), ("trap", probe("trap")), ("short", component("deny-short-username"))];
    let components = components.map(|(name, component)| (format!("{name}.wasm"), component));
    let components = components.into_iter().filter(|(file, _)| text.contains(file)).collect();
    Package::of(Document::parse(&text).unwrap(), components)
}

/// A set that breaks for some.
fn bad(name: &str) -> Package {
    set(name, &[ALLOWS, BREAKS])
}

fn good(name: &str) -> Package {
    set(name, &[ALLOWS])
}

/// What a host brings in which eight threads decide.
fn host(publisher: &Publisher<'_>) -> Setup {
    let say: fn(&str) = |text| TOLD.lock().unwrap().push(text.to_owned());
    let admission = Admission::new(Engine::new(THREADS as u32 + 1, caps().limits.memory).unwrap());
    Setup { say, caps: caps(), admission, ..setup(publisher, None) }
}

/// A host that follows a channel, and goes back by itself if it may.
fn follow(publisher: &Publisher<'_>, access: Access, auto_revert: bool) -> Live {
    let mut setup = Setup { access, ..host(publisher) };
    setup.following.auto_revert = auto_revert;
    RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap()
}

fn event(client: &str) -> String {
    format!(
        r#"{{"triggerSource":"PreSignUp_SignUp","userName":"","callerContext":{{"clientId":"{client}"}},"request":{{}},"response":{{}}}}"#
    )
}

/// Decides as hosts do, and writes the record.
fn decided(live: &Live, event: &str) -> (Decision, Value) {
    decided_by(live, &live.serving(), event)
}

fn decided_by(live: &Live, serving: &Serving, event: &str) -> (Decision, Value) {
    let now = SystemTime::now();
    let call = Call::new(event.as_bytes(), "test", Chance::real());
    let decision = live.decide(serving, &call);
    let setting = Setting {
        function: "test",
        time: now,
        elapsed: Duration::ZERO,
        cold: false,
        trace: None,
        masking: &Masking::default(),
        serving,
    };
    let line = Record::line(live.set(serving, now).ok(), &call, &decision, &setting);
    (decision, serde_json::from_str(&line).unwrap())
}

/// Decides so often for a client, each time with this outcome.
fn decide(live: &Live, client: &str, times: usize, outcome: &str) {
    for _ in 0..times {
        assert_eq!(decided(live, &event(client)).0.outcome.word(), outcome, "{client}");
    }
}

fn sequence(live: &Live) -> Option<u64> {
    live.serving().sequence()
}

/// A host that followed a channel from a good set to another one.
fn followed(store: &Publisher<'_>, name: &str, second: &Package, auto_revert: bool) -> Live {
    store.publish(&good(name));
    let live = follow(store, Access::default(), auto_revert);
    store.publish(second);
    assert_eq!(refresh(&live), Refreshed::Swapped);
    live
}

fn refresh(live: &Live) -> Refreshed {
    RUNTIME.block_on(live.refresh(BUDGET))
}

#[test]
fn with_the_fifth_fault_in_a_hundred_decisions_the_set_before_serves_again() {
    let (shop, name) = (Shop::open(), "fifth");
    let store = shop.store();
    let live = followed(&store, name, &bad(name), true);
    decide(&live, "app", 96, "allow");
    decide(&live, "break", 5, "fault");
    assert_eq!((sequence(&live), live.serving().is_faulty(), told(name).len()), (Some(2), false, 0), "5 of 101");
    decide(&live, "break", 1, "fault");
    decide(&live, "break", 100, "allow");
    let serving = live.serving();
    assert_eq!((serving.sequence(), serving.known, serving.is_fallback()), (Some(1), Some(2), true));
    assert!(!serving.is_faulty());
    let reverted = serving.reverted.as_ref().unwrap();
    assert_eq!(reverted.sequence, 2);
    let [told] = &told(name)[..] else { panic!("not once: {:?}", told(name)) };
    let broke = format!(
        "`fifth` of release {:.12}, sequence 2, broke in 6 of its first 102 decisions (last `break`: trap), so ",
        reverted.release
    );
    assert!(told.contains(&broke) && told.contains(", sequence 1, serves again until the channel has a new"), "{told}");
    assert_eq!(Some(told.trim_start_matches("error: ")), serving.problem.as_deref());
    let (_, record) = decided(&live, &event("app"));
    assert_eq!((&record["level"], &record["Reverted"], &record["Faulty"]), (&json!("error"), &json!(1), &json!(0)));
    assert_eq!(record["set"]["reverted"], json!({ "release": reverted.release, "sequence": 2 }));
    assert!(record["set"].get("faulty").is_none() && record["set"]["problem"].is_string(), "{record}");
}

#[test]
fn where_it_may_not_go_back_the_operator_is_told_once() {
    let (shop, name) = (Shop::open(), "stays");
    let store = shop.store();
    let live = followed(&store, name, &bad(name), false);
    decide(&live, "app", 95, "allow");
    decide(&live, "break", 4, "fault");
    assert_eq!(told(name).len(), 0);
    let (_, record) = decided(&live, &event("break"));
    assert_eq!((&record["Reverted"], &record["Faulty"]), (&json!(0), &json!(1)), "5 of 100");
    decide(&live, "break", 20, "fault");
    assert_eq!((sequence(&live), refresh(&live)), (Some(2), Refreshed::Unchanged));
    let [told] = &told(name)[..] else { panic!("not once: {:?}", told(name)) };
    assert!(
        told.contains("broke in 5 of its first 100 decisions (last `break`: trap): go back by `cogwit rollback`;"),
        "{told}"
    );
    let (_, record) = decided(&live, &event("app"));
    assert_eq!((&record["level"], &record["set"]["faulty"]), (&json!("error"), &json!(true)));
    assert!(live.serving().problem.is_none() && record["set"].get("reverted").is_none());
    // What comes next is another set.
    store.publish(&set(name, &[ALLOWS, BREAKS, DENIES]));
    assert_eq!((refresh(&live), live.serving().is_faulty()), (Refreshed::Swapped, false));
    assert_eq!(decided(&live, &event("app")).1["level"], "info");
}

#[test]
fn denials_and_what_is_no_event_do_not_count() {
    let (shop, name) = (Shop::open(), "denials");
    let live = followed(&shop.store(), name, &set(name, &[ALLOWS, BREAKS, DENIES]), true);
    decide(&live, "deny", 85, "deny");
    for event in ["", "[", r#"{"triggerSource":"PreSignUp_SignUp","triggerSource":""}"#, "null"] {
        for _ in 0..30 {
            assert!(matches!(decided(&live, event).0.outcome, Outcome::EventRefused(_)), "{event}");
        }
    }
    decide(&live, "break", 4, "fault");
    assert!(!live.serving().is_faulty() && told(name).is_empty());
    decide(&live, "break", 1, "fault");
    assert!(told(name)[0].contains("broke in 5 of its first 90 decisions"), "{:?}", told(name));
}

#[test]
fn faults_that_were_passed_over_count_and_events_that_no_policy_answers_do_not() {
    let (shop, name) = (Shop::open(), "passed-over");
    let open = BREAKS.to_owned() + "on-fault = 'allow'\n";
    let live = followed(&shop.store(), name, &set(name, &[ALLOWS, &open]), true);
    decide(&live, "break", 4, "allow");
    let challenge = event("app").replace("PreSignUp_SignUp", "DefineAuthChallenge_Authentication");
    for _ in 0..200 {
        assert_eq!(decided(&live, &challenge).1["decision"], "fault");
    }
    assert_eq!((sequence(&live), told(name).len()), (Some(2), 0));
    decide(&live, "break", 1, "allow");
    assert_eq!(sequence(&live), Some(1));
    assert!(told(name)[0].contains("broke in 5 of its first 5 decisions (last `break`: trap)"), "{:?}", told(name));
}

#[test]
fn what_decides_without_a_set_does_not_count() {
    let (shop, name) = (Shop::open(), "expired");
    let store = shop.store();
    store.try_publish(&bad(name), Some(SystemTime::now() - Duration::from_secs(60))).unwrap();
    let mut setup = host(&store);
    setup.following.deny_expired = true;
    let live = RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap();
    decide(&live, "break", 20, "fault");
    assert!(live.serving().set.is_ok() && !live.serving().is_faulty());
}

#[test]
fn where_the_store_must_confirm_what_serves_the_host_goes_back_and_decides_for_as_long_as_it_answers() {
    let (shop, name) = (Shop::open(), "strict");
    let store = shop.store();
    store.publish(&good(name));
    let mut setup = host(&store);
    (setup.following.auto_revert, setup.following.deny_fallback) = (true, true);
    setup.following.max_staleness = Duration::from_secs(2);
    let live = RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap();
    thread::sleep(Duration::from_millis(2_100));
    store.publish(&bad(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    decide(&live, "break", 5, "fault");
    assert_eq!(sequence(&live), Some(1));
    thread::sleep(Duration::from_millis(2_100));
    decide(&live, "app", 1, "fault");
    assert_eq!(refresh(&live), Refreshed::Unchanged);
    decide(&live, "app", 1, "allow");
    assert_eq!((sequence(&live), live.serving().reverted.is_some()), (Some(1), true));
}

#[test]
fn it_stays_until_the_channel_says_something_new() {
    let (shop, name) = (Shop::open(), "sticky");
    let store = shop.store();
    let live = followed(&store, name, &bad(name), true);
    decide(&live, "break", 5, "fault");
    let reason = live.serving().problem.clone();
    let stays = |refreshed: Refreshed| {
        assert_eq!((refreshed, sequence(&live)), (Refreshed::Unchanged, Some(1)));
        assert_eq!(live.serving().problem, reason);
    };
    stays(refresh(&live));
    // The same word in another file, after one that cannot be followed.
    let channel = store.read("channels/prod.json");
    store.write("channels/prod.json", "{}");
    assert!(matches!(refresh(&live), Refreshed::Failed(_)));
    assert_ne!(live.serving().problem, reason);
    store.write("channels/prod.json", channel);
    stays(refresh(&live));
    stays(refresh(&live));
    // A new sequence is a new word, whatever it names.
    store.publish(&bad(name));
    assert_eq!((refresh(&live), sequence(&live)), (Refreshed::Swapped, Some(3)));
    let serving = live.serving();
    assert!(serving.reverted.is_none() && serving.problem.is_none() && !serving.is_fallback());
    decide(&live, "break", 5, "fault");
    assert_eq!((sequence(&live), told(name).len()), (Some(1), 2));
    // As `cogwit rollback` does: the release that serves, under a new sequence.
    let before = live.serving();
    store.publish(&good(name));
    assert_eq!((refresh(&live), sequence(&live)), (Refreshed::Swapped, Some(4)));
    let serving = live.serving();
    assert!(serving.reverted.is_none() && serving.problem.is_none() && !serving.is_fallback());
    assert!(Arc::ptr_eq(before.set.as_ref().unwrap(), serving.set.as_ref().unwrap()));
    assert_eq!(decided(&live, &event("app")).1["level"], "info");
}

#[test]
fn there_is_no_way_back_to_what_broke_or_never_served() {
    let (shop, name) = (Shop::open(), "no-way");
    let store = shop.store();
    store.publish(&bad(name));
    let live = follow(&store, Access::default(), true);
    decide(&live, "break", 6, "fault");
    let second = set(name, &[ALLOWS, BREAKS, DENIES]);
    store.publish(&second);
    assert_eq!(refresh(&live), Refreshed::Swapped);
    decide(&live, "break", 6, "fault");
    assert_eq!(sequence(&live), Some(2));
    let told = told(name);
    assert!(
        told.len() == 2 && told.iter().all(|it| it.contains("no set from before is at hand: go back by")),
        "{told:?}"
    );
}

#[test]
fn what_the_operator_went_back_from_does_not_come_back() {
    let (shop, name) = (Shop::open(), "left");
    let store = shop.store();
    store.publish(&bad(name));
    let live = follow(&store, Access::default(), true);
    // It never breaks, and was wrong all the same.
    store.publish(&good(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    let left = live.serving();
    store.publish(&bad(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    decide(&live, "break", 6, "fault");
    assert_eq!((sequence(&live), told(name).len()), (Some(3), 1));
    // It is at hand for whoever publishes it again.
    store.publish(&good(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    assert!(Arc::ptr_eq(left.set.as_ref().unwrap(), live.serving().set.as_ref().unwrap()));
}

#[test]
fn what_it_went_back_to_gives_way_where_it_must_not_decide_any_more() {
    let (shop, name) = (Shop::open(), "in-vain");
    let store = shop.store();
    let expires = SystemTime::now() + Duration::from_secs(6);
    store.try_publish(&good(name), Some(expires)).unwrap();
    let mut setup = host(&store);
    (setup.following.auto_revert, setup.following.deny_expired) = (true, true);
    let live = RUNTIME.block_on(Live::follow(setup, BUDGET, || None)).unwrap();
    store.publish(&bad(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    decide(&live, "break", 5, "fault");
    assert_eq!((sequence(&live), refresh(&live)), (Some(1), Refreshed::Unchanged));
    decide(&live, "app", 1, "allow");
    thread::sleep(expires.duration_since(SystemTime::now()).unwrap_or_default() + Duration::from_millis(100));
    decide(&live, "app", 1, "fault");
    assert_eq!((refresh(&live), sequence(&live)), (Refreshed::Swapped, Some(2)));
    decide(&live, "app", 1, "allow");
    // And it stays with that, for there is nothing better.
    decide(&live, "break", 5, "fault");
    assert_eq!((refresh(&live), sequence(&live)), (Refreshed::Unchanged, Some(2)));
}

#[test]
fn a_set_that_is_signed_again_is_counted_on() {
    let (shop, name) = (Shop::open(), "again");
    let store = shop.store();
    let live = followed(&store, name, &bad(name), true);
    decide(&live, "break", 3, "fault");
    store.publish(&bad(name));
    assert_eq!((refresh(&live), sequence(&live)), (Refreshed::Swapped, Some(3)));
    decide(&live, "break", 2, "fault");
    let serving = live.serving();
    assert_eq!((serving.sequence(), serving.reverted.as_ref().map(|it| it.sequence)), (Some(1), Some(3)));
}

#[test]
fn what_an_older_set_still_decides_moves_no_other() {
    let (shop, name) = (Shop::open(), "older");
    let store = shop.store();
    let live = followed(&store, name, &bad(name), true);
    let before = live.serving();
    store.publish(&set(name, &[ALLOWS, DENIES]));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    for _ in 0..6 {
        assert_eq!(decided_by(&live, &before, &event("break")).1["decision"], "fault");
    }
    assert_eq!((sequence(&live), live.serving().is_faulty(), told(name).len()), (Some(3), false, 1));
    assert!(told(name)[0].ends_with("; another set serves by now"), "{:?}", told(name));
}

#[test]
fn where_many_decide_at_once_it_goes_back_once_and_loses_no_decision() {
    let (shop, name) = (Shop::open(), "threads");
    let store = shop.store();
    store.publish(&good(name));
    let live = follow(&store, Access::default(), true);
    for round in 1..=5_usize {
        store.publish(&bad(name));
        assert_eq!(refresh(&live), Refreshed::Swapped);
        let (faults, start) = (AtomicU64::new(0), Barrier::new(THREADS));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let mut back = false;
                    for _ in 0..50 {
                        let (serving, call) = (live.serving(), event("break"));
                        let outcome = decided(&live, &call).0.outcome;
                        let faulted = outcome.word() == "fault";
                        faults.fetch_add(faulted.into(), Ordering::Relaxed);
                        assert!(!faulted || !back, "it was back: {outcome:?}");
                        back = serving.reverted.is_some();
                    }
                    assert!(back);
                });
            }
        });
        let faults = faults.into_inner();
        assert!((5..5 + THREADS as u64).contains(&faults), "{faults}");
        assert_eq!((told(name).len(), sequence(&live)), (round, Some(1)));
    }
}

#[test]
fn a_refresh_that_was_under_way_does_not_undo_it() {
    let (s3, signer, name) = (S3::start(), Signer::new(), "race");
    let place = format!("s3://{}/acme#prod", S3::BUCKET).parse().unwrap();
    let store = Publisher { bucket: in_s3(&s3, "/acme"), place, signer: &signer };
    store.publish(&good(name));
    let live = Arc::new(follow(&store, access(&s3, S3::SECRET_KEY), true));
    let refreshing = || {
        s3.forget_requests();
        let live = live.clone();
        let refreshing = RUNTIME.spawn(async move { live.refresh(BUDGET).await });
        while s3.requests().is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        refreshing
    };
    store.publish(&bad(name));
    assert_eq!(refresh(&live), Refreshed::Swapped);
    // The channel is read, slowly, and is the one that serves when it is asked for.
    s3.ignore_conditions(true);
    s3.fail(Fault::Drip { bytes: 50, every: Duration::from_millis(40) });
    let slow = refreshing();
    decide(&live, "break", 5, "fault");
    assert!(!slow.is_finished() && sequence(&live) == Some(1));
    assert_eq!(RUNTIME.block_on(slow).unwrap(), Refreshed::Unchanged);
    let serving = live.serving();
    assert_eq!((serving.sequence(), serving.known), (Some(1), Some(2)));
    assert_eq!(serving.problem.as_ref().map(|problem| format!("error: {problem}")), told(name).pop());
    // What comes meanwhile from the channel is followed, and what it left is not what it goes back to.
    s3.heal();
    store.publish(&bad(name));
    refresh(&live);
    store.publish(&set(name, &[ALLOWS, DENIES]));
    s3.fail(Fault::Drip { bytes: 50, every: Duration::from_millis(40) });
    let slow = refreshing();
    decide(&live, "break", 5, "fault");
    assert!(!slow.is_finished() && sequence(&live) == Some(1));
    s3.heal();
    assert_eq!(RUNTIME.block_on(slow).unwrap(), Refreshed::Swapped);
    assert_eq!((sequence(&live), live.serving().reverted.is_none()), (Some(4), true));
}

#[test]
fn a_host_without_a_channel_says_in_its_records_that_its_set_breaks() {
    let live = Live::fixed(Ok(admit(&bad("fixed")).unwrap()));
    decide(&live, "break", 4, "fault");
    let (_, record) = decided(&live, &event("app"));
    assert_eq!((&record["level"], &record["Faulty"]), (&json!("info"), &json!(0)));
    decide(&live, "break", 1, "fault");
    let (_, record) = decided(&live, &event("app"));
    assert_eq!(
        (&record["level"], &record["Faulty"], &record["set"]["faulty"]),
        (&json!("error"), &json!(1), &json!(true))
    );
    // The same files are the same set; others are not.
    live.offer(Ok(admit(&bad("fixed")).unwrap()));
    assert!(live.serving().is_faulty());
    live.offer(Ok(admit(&good("fixed")).unwrap()));
    assert!(!live.serving().is_faulty());
}
