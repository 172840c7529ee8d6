//! Follows a channel to a set that breaks, and sees that the host goes back where it may.

use serde_json::json;

use crate::package::Package;
use crate::store::{Store, Wanted};

/// A policy that traps, whoever comes.
const TRAP: &str = "[[policy]]\nname = 'trap'\ncomponent = 'trap.wasm'\n";

#[test]
fn a_set_that_breaks_gives_way_to_the_one_before_if_the_operator_wants_that() {
    let store = Store::new();
    for (auto_revert, back) in [("on", true), ("off", false)] {
        store.publish(11);
        let host = store.host(&Package::empty(), &[("COGWIT_AUTO_REVERT", auto_revert)]);
        assert_eq!(host.mark(), Some(11));
        let broken = store.publish_as(12, Wanted { lines: TRAP, ..Wanted::default() }).payload;
        assert_eq!(host.mark(), Some(11));
        for faults in 1..=5 {
            let (mark, record) = host.mark_and_record();
            assert_eq!((mark, &record["Faulty"]), (None, &json!(u8::from(faults == 5))), "{record}");
        }
        // It asks its store after each of these, and is told the same.
        for _ in 0..3 {
            let (mark, record) = host.mark_and_record();
            assert_eq!((mark, &record["level"]), (back.then_some(11), &json!("error")));
            assert_eq!((&record["Reverted"], &record["Fallback"]), (&json!(u8::from(back)), &json!(u8::from(back))));
            let left = json!({ "release": broken.release, "sequence": broken.sequence });
            assert_eq!(record["set"].get("reverted"), back.then_some(&left), "{record}");
        }
        assert_eq!(host.said("broke in 5 of its first 5 decisions"), 1, "{}", host.stderr());
        store.publish(13);
        host.mark();
        let (mark, record) = host.mark_and_record();
        assert_eq!((mark, &record["level"], &record["Reverted"]), (Some(13), &json!("info"), &json!(0)), "{record}");
    }
}
