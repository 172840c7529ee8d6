//! Holds publishing to its promises: of publishers who race one wins, junk is passed over, and secrets stay at home.

use std::sync::Barrier;
use std::thread;

use cogwit_core::digest::sha256;
use cogwit_core::release::{
    Bucket, Channel, Live, Order, Place, PublishError, Setup, StoreError, Verified, release_key,
};
use tempfile::tempdir;

use crate::s3::S3;
use crate::ship::{PATIENCE, Publisher, RUNTIME, Signer, in_folder, in_s3, marked, package, setup};

const RACES: u64 = 100;

fn place() -> Place {
    "s3://anywhere#prod".parse().unwrap()
}

/// Points the channel to a release of this name, as somebody who looks at it just before `start`.
fn point(publisher: &Publisher<'_>, start: &Barrier, release: &str) -> Result<Verified, PublishError> {
    let trust = publisher.signer.trusted();
    let standing = RUNTIME.block_on(publisher.bucket.standing(&publisher.place, &trust)).unwrap();
    start.wait();
    let order = Order {
        place: &publisher.place,
        set: "it",
        release: &sha256(release.as_bytes()),
        expires: None,
        key: None,
        sign: &|bytes, comment| Ok(publisher.signer.sign(bytes, comment)),
        force: false,
        seen: None,
        above: 0,
    };
    RUNTIME.block_on(publisher.bucket.point(&order, &standing, &trust))
}

/// Two publishers begin at the same moment, again and again.
fn race(publishers: [&Publisher<'_>; 2]) {
    let [first, second] = publishers;
    let mut won = [0, 0];
    for race in 1..=RACES {
        let start = Barrier::new(2);
        let [one, other] = thread::scope(|scope| {
            let one = scope.spawn(|| point(first, &start, &format!("one {race}")));
            let other = scope.spawn(|| point(second, &start, &format!("other {race}")));
            [one.join().unwrap(), other.join().unwrap()]
        });
        let (winner, lost) = match (one, other) {
            (Ok(winner), Err(lost)) => (winner, lost),
            (Err(lost), Ok(winner)) => {
                won[1] += 1;
                (winner, lost)
            }
            both => panic!("race {race}: {both:?}"),
        };
        won[0] = race - won[1];
        assert!(matches!(lost, PublishError::Store(StoreError::Lost { .. })), "race {race}: {lost}");
        assert_eq!(winner.payload.sequence, race);
        let trust = first.signer.trusted();
        let standing = RUNTIME.block_on(first.bucket.standing(&first.place, &trust)).unwrap();
        assert_eq!(standing.channel.unwrap().unwrap(), winner);
    }
    // Nothing that was served is missing, and nothing of those who lost is there.
    let trust = first.signer.trusted();
    let history = first.bucket.history(&first.place, &trust, usize::MAX);
    let sequences: Vec<_> = RUNTIME.block_on(history).unwrap().iter().map(|it| it.payload.sequence).collect();
    assert_eq!(sequences, (1..=RACES).collect::<Vec<_>>());
    println!("{} races won by the one, {} by the other", won[0], won[1]);
}

fn race_in(bucket: &Bucket) {
    let signer = Signer::new();
    let publisher = || Publisher { bucket: bucket.clone(), place: place(), signer: &signer };
    race([&publisher(), &publisher()]);
}

#[test]
fn one_publisher_wins_each_race_in_memory() {
    race_in(&Bucket::in_memory());
}

#[test]
fn one_publisher_wins_each_race_in_a_folder() {
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    // Each as a program of its own.
    race([&in_folder(folder.path(), "prod", &signer), &in_folder(folder.path(), "prod", &signer)]);
}

#[test]
fn one_publisher_wins_each_race_in_a_bucket() {
    let (s3, signer) = (S3::start(), Signer::new());
    let publisher = || Publisher { bucket: in_s3(&s3, "/p"), place: place(), signer: &signer };
    race([&publisher(), &publisher()]);
}

#[test]
fn junk_in_the_history_is_passed_over() {
    let (folder, signer, stranger) = (tempdir().unwrap(), Signer::new(), Signer::new());
    let publisher = in_folder(folder.path(), "prod", &signer);
    publisher.publish(&marked(1));
    publisher.publish(&marked(2));
    let strange = in_folder(folder.path(), "prod", &stranger);
    let object: Channel = serde_json::from_slice(&publisher.read("channels/prod.json")).unwrap();
    let payload = object.payload.replace("\"sequence\":2", "\"sequence\":18446744073709551615");
    assert_ne!(payload, object.payload);
    let signature = stranger.sign(payload.as_bytes(), "");
    strange.write("history/prod/18446744073709551615.json", Channel { payload, signature }.to_bytes());
    publisher.write("history/prod/99999999999999999998.json", "{");
    publisher.write("history/prod/zzz", "");
    let history = RUNTIME.block_on(publisher.bucket.history(&publisher.place, &signer.trusted(), 10)).unwrap();
    assert_eq!(history.iter().map(|it| it.payload.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(publisher.publish(&marked(3)).payload.sequence, 3);
}

#[test]
fn secrets_stay_where_the_host_runs() {
    let (folder, signer) = (tempdir().unwrap(), Signer::new());
    let publisher = in_folder(folder.path(), "prod", &signer);
    let policy = "[[policy]]\nname = 'gate'\ncomponent = 'access-gate.wasm'\n\
                  settings = { invitation-codes = { env = 'COGWIT_SECRET_CODES' } }\n";
    let verified = publisher.publish(&package(policy, &["access-gate"]));
    let release = String::from_utf8(publisher.read(&release_key(&verified.payload.release))).unwrap();
    assert!(release.contains("\"env\": \"COGWIT_SECRET_CODES\""), "{release}");
    let start = |env: fn(&str) -> Option<String>| {
        let live = RUNTIME.block_on(Live::follow(Setup { env, ..setup(&publisher, None) }, PATIENCE.request, || None));
        let serving = live.unwrap().serving();
        serving
            .set
            .as_ref()
            .map(|set| set.policies[0].settings.get("invitation-codes").map(str::to_owned))
            .map_err(Clone::clone)
    };
    assert_eq!(start(|_| Some("open-sesame".to_owned())), Ok(Some("open-sesame".to_owned())));
    assert!(start(|_| None).unwrap_err().contains("`COGWIT_SECRET_CODES`, which is not set"));
}
