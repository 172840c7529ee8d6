//! Asks for more than the machine can do: what is not decided is told to come again, and nothing else suffers.

use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use crate::http::{Answer, Request};
use crate::server::{EVENT, LOOP, Server, eventually};
use crate::support::{ALLOW, Folder};

/// Far more than it takes to say that one lives, on a machine that decides with all it has.
const SOON: Duration = Duration::from_secs(2);

/// Of two policies: `slow` takes until its deadline.
fn serving(deadline: &str, concurrency: usize) -> Server {
    let limits = format!("\n[limits]\nfuel = 5_000_000_000\ndeadline = \"{deadline}\"\n");
    let folder = Folder::new().with_probes(&limits, &[("yes", ALLOW), ("slow", LOOP)]);
    Server::start(folder.serve().args(["--concurrency", &concurrency.to_string()]))
}

#[track_caller]
fn is_told_to_come_again(answer: &Answer) {
    answer.is_error(429, "TooManyRequestsException");
    assert_eq!(answer.json()["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[track_caller]
fn lives(server: &Server) {
    let since = Instant::now();
    assert_eq!(server.get("/healthz").text(), "ok\n");
    assert!(since.elapsed() < SOON, "it took {:?}", since.elapsed());
}

#[test]
fn what_is_too_much_is_told_to_come_again_and_all_else_is_answered() {
    for concurrency in 1..=4 {
        let server = serving("100ms", concurrency);
        let ask = || (0..3).map(|_| server.invoke("cogwit:slow", EVENT)).collect::<Vec<_>>();
        let answers: Vec<_> = thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            (0..5).for_each(|_| lives(&server));
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        let (decided, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        refused.iter().for_each(|answer| is_told_to_come_again(answer));
        for answer in &decided {
            assert_eq!(answer.json()["errorType"], "Function.PolicyFault");
            assert_eq!(server.record(&answer.id())["policies"][0]["fault"]["kind"], "deadline");
        }
        let (decided, refused) = (decided.len() as u64, refused.len() as u64);
        assert!(decided > 0 && decided + refused == 24, "{concurrency}: {decided} and {refused}");

        assert_eq!(server.invoke("cogwit:yes", EVENT).text(), EVENT);
        assert_eq!(server.counted("cogwit_invocations_total", r#"status="200""#), decided + 1);
        assert_eq!(server.counted("cogwit_invocations_total", r#"status="429""#), refused);
        assert_eq!(server.counted("cogwit_invocations_total", ""), 25);
        assert_eq!(server.counted("cogwit_decisions_total", r#"decision="fault""#), decided);
        assert_eq!(server.counted("cogwit_decisions_total", r#"decision="allow""#), 1);
        assert_eq!(server.counted("cogwit_policy_runs_total", r#"policy="slow""#), decided);
        assert_eq!(server.counted("cogwit_faults_total", ""), decided);
        assert_eq!(server.counted("cogwit_decision_seconds_count", ""), decided + 1);
        assert_eq!(server.counted("cogwit_invocations_under_way", ""), 0);
    }
}

#[test]
fn an_invocation_waits_a_second_for_its_turn_and_no_longer() {
    let server = serving("2 s", 100);
    let later = Request::invoke("cogwit:slow", EVENT).header("x-amz-invocation-type", "Event");
    let threads = available_parallelism().unwrap().get();
    let ids: Vec<_> = (0..threads)
        .map(|_| {
            let answer = server.ask(&later);
            assert_eq!(answer.status, 202);
            answer.id()
        })
        .collect();
    assert_eq!(server.status()["invocationsUnderWay"], threads);
    is_told_to_come_again(&server.invoke("cogwit:yes", EVENT));
    lives(&server);
    let waiting = eventually(|| Some(server.invoke("cogwit:yes", EVENT)).filter(|answer| answer.status == 200));
    assert_eq!(waiting.text(), EVENT);
    ids.iter().for_each(|id| assert_eq!(server.record(id)["decision"], "fault"));
}
