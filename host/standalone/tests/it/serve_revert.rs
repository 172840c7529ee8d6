//! Follows a channel to a set that breaks, and sees that the server goes back and stays there.

use crate::channel::Channel;
use crate::server::{EVENT, PATIENT, Server, eventually};
use crate::support::{ALLOW, probe};

/// The body of a probe that traps.
const TRAPS: &str = "(unreachable)";

/// The sign-up of a caller for whom the set breaks.
fn breaking() -> String {
    EVENT.replace(r#""userName":"rroe""#, r#""userName":"rroe","callerContext":{"clientId":"new"}"#)
}

/// Waits until the release of this sequence decides.
#[track_caller]
fn comes_to(server: &Server, sequence: u64) {
    eventually(|| (server.status()["channel"]["sequence"] == sequence).then_some(()));
}

#[test]
fn a_set_that_breaks_gives_way_to_the_one_before_and_is_not_tried_again() {
    let channel = Channel::in_a_folder();
    let policy = |name: &str| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\n");
    let good = format!("schema = 1\n[set]\nname = 'it'\n{PATIENT}{}", policy("allow"));
    let bad = format!("{good}{}when = {{ client-id = ['new'] }}\n", policy("trap"));
    for (folder, document) in [("good", good), ("bad", bad)] {
        channel.folder.write(&format!("{folder}/policies.toml"), document);
        channel.folder.write(&format!("{folder}/allow.wasm"), probe(ALLOW));
        channel.folder.write(&format!("{folder}/trap.wasm"), probe(TRAPS));
    }
    channel.published("good");
    let server = Server::start(channel.followed().env("COGWIT_AUTO_REVERT", "on"));
    channel.published("bad");
    comes_to(&server, 2);
    for _ in 0..20 {
        assert_eq!(server.invoke("a", EVENT).status, 200);
    }
    for faults in 1..=5 {
        let answer = server.invoke("a", breaking());
        let record = server.record(&answer.id());
        assert_eq!((&record["decision"], &record["Faulty"]), (&"fault".into(), &u8::from(faults == 5).into()));
    }
    let answer = server.invoke("a", breaking());
    let record = server.record(&answer.id());
    assert_eq!(
        (&record["decision"], &record["level"], &record["Reverted"]),
        (&"allow".into(), &"error".into(), &1.into())
    );
    assert_eq!(answer.header("x-amz-executed-version"), Some("1"));

    // It goes on to ask, and is told the same.
    let refreshed = || server.status()["channel"]["refreshed"].clone();
    for _ in 0..3 {
        let before = refreshed();
        eventually(|| (refreshed() != before).then_some(()));
    }
    let status = server.status();
    let (followed, left) = (&status["channel"], &status["channel"]["reverted"]);
    assert_eq!((&followed["sequence"], &followed["known"], &left["sequence"]), (&1.into(), &2.into(), &2.into()));
    assert!(followed["fallback"] == true && status["set"]["faulty"] == false, "{status}");
    let broke = "broke in 5 of its first 25 decisions";
    assert!(status["problem"].as_str().unwrap().contains(broke), "{status}");
    assert_eq!((server.counted("cogwit_set_reverted", ""), server.counted("cogwit_set_faulty", "")), (1, 0));
    assert_eq!((server.said(broke), server.said("error: ")), (1, 1), "{}", server.stderr());

    channel.strange("rollback").args([&channel.place(), "--key", "it.key"]).ends(0);
    comes_to(&server, 3);
    let status = server.status();
    assert!(status["channel"]["reverted"].is_null() && status["problem"].is_null(), "{status}");
    assert_eq!(server.counted("cogwit_set_reverted", ""), 0);
    assert_eq!(server.invoke("a", breaking()).status, 200);
}

#[test]
fn without_the_variable_it_stays_and_tells() {
    let channel = Channel::in_a_folder();
    let set = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'trap'\ncomponent = 'trap.wasm'\n";
    channel.folder.write("bad/policies.toml", set);
    channel.folder.write("bad/trap.wasm", probe(TRAPS));
    channel.published("four");
    let server = Server::start(channel.followed());
    channel.published("bad");
    comes_to(&server, 2);
    for _ in 0..8 {
        server.invoke("a", EVENT);
    }
    let status = server.status();
    assert!(status["set"]["faulty"] == true && status["channel"]["reverted"].is_null(), "{status}");
    assert_eq!((server.counted("cogwit_set_reverted", ""), server.counted("cogwit_set_faulty", "")), (0, 1));
    assert_eq!(server.said("COGWIT_AUTO_REVERT=on"), 1, "{}", server.stderr());
}
