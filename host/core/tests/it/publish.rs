//! Lets publishers race for one channel: whoever looked first and wrote second is told, and nothing is lost.

use std::sync::Barrier;
use std::thread;

use cogwit_core::digest::sha256;
use cogwit_core::release::{Bucket, Order, Place, PublishError, StoreError, Verified};
use tempfile::tempdir;

use crate::s3::S3;
use crate::ship::{Publisher, RUNTIME, Signer, in_folder, in_s3};

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
