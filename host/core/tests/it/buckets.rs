//! Holds every kind of store to the same promises.

use cogwit_core::release::{Access, Bucket, Place, StoreError};
use tempfile::tempdir;

use crate::s3::S3;
use crate::ship::{PATIENCE, RUNTIME, in_s3};

#[test]
fn a_store_in_memory_keeps_its_promises() {
    RUNTIME.block_on(keeps_its_promises(&Bucket::in_memory()));
}

#[test]
fn a_store_in_a_folder_keeps_its_promises() {
    let folder = tempdir().unwrap();
    let place: Place = format!("file://{}/a b/ü#prod", folder.path().display()).parse().unwrap();
    let missing = Bucket::open(&place.root, &Access::default(), PATIENCE).unwrap_err();
    assert!(matches!(missing, StoreError::NoFolder(_)), "{missing}");
    Bucket::make(&place.root).unwrap();
    RUNTIME.block_on(keeps_its_promises(&Bucket::open(&place.root, &Access::default(), PATIENCE).unwrap()));
}

#[test]
fn a_store_in_a_bucket_keeps_its_promises() {
    for prefix in ["", "/p", "/a b/ü+%"] {
        let s3 = S3::start();
        RUNTIME.block_on(keeps_its_promises(&in_s3(&s3, prefix)));
    }
}

#[test]
fn a_store_that_knows_no_conditions_is_read_all_the_same() {
    let s3 = S3::start();
    s3.ignore_conditions(true);
    s3.put("channels/prod.json", "first");
    let bucket = in_s3(&s3, "");
    RUNTIME.block_on(async {
        let read = |known| bucket.read_if_changed("channels/prod.json", 100, known);
        let (_, known) = read(None).await.unwrap().unwrap();
        assert_eq!(read(Some(&known)).await, Ok(None));
        s3.put("channels/prod.json", "second");
        assert_eq!(read(Some(&known)).await.unwrap().unwrap().0, b"second");
    });
}

async fn keeps_its_promises(bucket: &Bucket) {
    let (key, hundred) = ("channels/prod.json", vec![b'x'; 100]);
    // What is not there.
    assert!(matches!(bucket.read(key, 100).await, Err(StoreError::NotFound { .. })));
    assert_eq!(bucket.size(key).await, Ok(None));
    assert_eq!(bucket.list("channels").await, Ok(Vec::new()));
    // Objects as they were written, and no more of them than was asked for.
    bucket.write(key, b"first".to_vec()).await.unwrap();
    bucket.write(key, hundred.clone()).await.unwrap();
    assert_eq!(bucket.read(key, 100).await, Ok(hundred));
    assert_eq!(bucket.size(key).await, Ok(Some(100)));
    assert!(matches!(bucket.read(key, 99).await, Err(StoreError::TooLarge { most: 99, .. })));
    bucket.write("empty", Vec::new()).await.unwrap();
    assert_eq!(bucket.read("empty", 0).await, Ok(Vec::new()));
    // What did not change is not read again.
    let (_, known) = bucket.read_if_changed(key, 100, None).await.unwrap().unwrap();
    assert_eq!(bucket.read_if_changed(key, 100, Some(&known)).await, Ok(None));
    bucket.write(key, b"second".to_vec()).await.unwrap();
    let (bytes, changed) = bucket.read_if_changed(key, 100, Some(&known)).await.unwrap().unwrap();
    assert_eq!(bytes, b"second");
    // Of two who know the same version, one is first.
    bucket.replace(key, b"third".to_vec(), Some(&changed)).await.unwrap();
    let lost = bucket.replace(key, b"fourth".to_vec(), Some(&changed)).await;
    assert!(matches!(lost, Err(StoreError::Lost { .. })), "{lost:?}");
    let lost = bucket.replace(key, b"fourth".to_vec(), None).await;
    assert!(matches!(lost, Err(StoreError::Lost { .. })), "{lost:?}");
    assert_eq!(bucket.read(key, 100).await, Ok(b"third".to_vec()));
    // A request that was made twice met itself.
    bucket.replace(key, b"third".to_vec(), None).await.unwrap();
    bucket.replace("channels/dev.json", b"new".to_vec(), None).await.unwrap();
    // Names, sorted, of one folder alone.
    bucket.write("history/prod/2.json", b"2".to_vec()).await.unwrap();
    bucket.write("history/prod/1.json", b"1".to_vec()).await.unwrap();
    bucket.write("history/production/3.json", b"3".to_vec()).await.unwrap();
    assert_eq!(bucket.list("channels").await, Ok(vec!["dev.json".to_owned(), "prod.json".to_owned()]));
    assert_eq!(bucket.list("history/prod").await, Ok(vec!["1.json".to_owned(), "2.json".to_owned()]));
    bucket.remove("history/prod/1.json").await.unwrap();
    assert_eq!(bucket.list("history/prod").await, Ok(vec!["2.json".to_owned()]));
}
