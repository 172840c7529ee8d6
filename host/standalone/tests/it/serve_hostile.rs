//! Treats the server as nobody should: whatever a client does, the next good request is answered at once.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::{Connection, Request};
use crate::server::{EVENT, PATIENT, Server};
use crate::support::{ALLOW, Folder};

const INVOKE: &str = "POST /2015-03-31/functions/my-pre/invocations HTTP/1.1\r\nhost: localhost\r\n";

/// Far more than an answer takes, and far less than what a client may keep a connection waiting.
const SOON: Duration = Duration::from_secs(5);

fn server() -> Server {
    Server::of_probes(&[("yes", ALLOW)])
}

/// A good request is answered, for whoever asks.
#[track_caller]
fn is_well(server: &Server) {
    let since = Instant::now();
    assert_eq!(server.invoke("my-pre", EVENT).text(), EVENT);
    assert!(since.elapsed() < SOON, "it took {:?}", since.elapsed());
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
}

/// How many connections this process may open, of which some are the other tests'.
fn connections() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.map_or(1_000, |most| usize::try_from(most / 2).unwrap().min(1_000))
}

/// Connections that have sent this.
fn opened(server: &Server, number: usize, bytes: &[u8]) -> Vec<Connection> {
    let open = |_| {
        let mut connection = server.connection();
        connection.send(bytes).unwrap();
        connection
    };
    (0..number).map(open).collect()
}

#[test]
fn a_thousand_connections_that_say_nothing_are_no_burden() {
    let server = server();
    let idle = opened(&server, connections(), b"");
    is_well(&server);
    drop(idle);
    is_well(&server);
}

#[test]
fn who_asks_nothing_leaves_when_there_is_no_place_left() {
    let folder = Folder::new().with_probes(PATIENT, &[("yes", ALLOW)]);
    let serve = folder.serve().args(["--listen", "127.0.0.1:0", "--format", "json"]).process();
    // 200 handles, of which 64 are for other things.
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 200; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    let variables = serve.get_envs().filter_map(|(name, value)| Some((name, value?)));
    few.envs(variables).current_dir(serve.get_current_dir().unwrap());
    let server = Server::spawn(&mut few, Stdio::piped());
    let idle = opened(&server, 150, b"");
    is_well(&server);
    drop(idle);
}

#[test]
fn heads_and_bodies_that_trickle_are_no_burden() {
    let server = server();
    let mut heads = opened(&server, 200, format!("{INVOKE}x-slow: a").as_bytes());
    let mut bodies = opened(&server, 200, format!("{INVOKE}content-length: 1000\r\n\r\n{{").as_bytes());
    let mut chunks = opened(&server, 200, format!("{INVOKE}transfer-encoding: chunked\r\n\r\n").as_bytes());
    let stopped = opened(&server, 200, format!("{INVOKE}content-length: 1000\r\n\r\n").as_bytes());
    for _ in 0..3 {
        is_well(&server);
        for slow in heads.iter_mut().chain(&mut bodies) {
            slow.send("a").unwrap();
        }
        for slow in &mut chunks {
            slow.send("1\r\na\r\n").unwrap();
        }
    }
    drop((heads, bodies, chunks, stopped));
    is_well(&server);
}

#[test]
fn a_body_that_stops_is_waited_for_only_so_long() {
    let server = server();
    let mut stopped = server.connection();
    stopped.send(format!("{INVOKE}content-length: 1000\r\n\r\n{{")).unwrap();
    stopped.answer().unwrap().is_error(408, "InvalidRequestContentException");
    assert_eq!(stopped.rest(), b"");
    is_well(&server);
}

#[test]
fn clients_that_go_away_are_not_missed() {
    let server = server();
    let whole = Request::invoke("my-pre", EVENT).bytes();
    for end in (0..whole.len()).step_by(7).chain([whole.len() - 1, whole.len()]) {
        drop(opened(&server, 2, &whole[..end]));
        let mut half = server.connection();
        half.send(&whole[..end]).unwrap();
        half.finish().unwrap();
        let answer = String::from_utf8(half.rest()).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(if end == whole.len() { status == "200" } else { ["", "400"].contains(&status) }, "{end}: {answer}");
    }
    is_well(&server);
}

#[test]
fn clients_that_never_read_are_no_burden() {
    let server = server();
    let large = format!(r#"{{"triggerSource":"PreSignUp_SignUp","pad":"{}"}}"#, "x".repeat(4 << 20));
    let request = Request::invoke("my-pre", large).bytes();
    let deaf: Vec<_> = thread::scope(|scope| {
        let open: Vec<_> = (0..12).map(|_| scope.spawn(|| opened(&server, 1, &request))).collect();
        open.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    is_well(&server);
    drop(deaf);
    let many = Request::get("/metrics").bytes().repeat(2_000);
    let mut deaf = server.connection();
    let mut sending = deaf.another();
    let sender = thread::spawn(move || drop(sending.send(many)));
    deaf.answer().unwrap();
    is_well(&server);
    drop(deaf);
    sender.join().unwrap();
}

/// What is no request, or none that a client would send in good faith.
fn broken() -> Vec<Vec<u8>> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 56) as u8
    };
    let mut all: Vec<Vec<u8>> = (0..20).map(|_| (0..2_000).map(|_| noise()).collect()).collect();
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], [7; 500].as_slice()].concat();
    let many: String = (0..10_000).map(|number| format!("x-{number}: a\r\n")).collect();
    all.extend([
        hello,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20)).into(),
        format!("{INVOKE}{many}\r\n").into(),
        format!("{INVOKE}x-long: {}\r\n\r\n", "a".repeat(1 << 20)).into(),
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET  /healthz HTTP/1.1\r\n\r\n".to_vec(),
        b"\0".repeat(100_000),
    ]);
    all.extend(
        [
            "x-nul: a\0b\r\n\r\n",
            "x nul: a\r\n\r\n",
            ": a\r\n\r\n",
            "no colon\r\n\r\n",
            "x-folded: a\r\n b\r\n\r\n",
            "content-length: -1\r\n\r\n",
            "content-length: +2\r\n\r\n{}",
            "content-length: 0x2\r\n\r\n{}",
            "content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
            "content-length: 99999999999999999999999999\r\n\r\n{}",
            "transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
            "transfer-encoding: gzip\r\n\r\n{}",
            "transfer-encoding: chunked, gzip\r\n\r\n{}",
        ]
        .map(|rest| format!("{INVOKE}{rest}").into()),
    );
    all
}

#[test]
fn what_is_no_http_is_turned_away() {
    let server = server();
    for bytes in broken() {
        let mut connection = server.connection();
        // It may be turned away before it is sent.
        let _ = connection.send(&bytes).and_then(|()| connection.finish());
        let answer = connection.rest();
        let status = answer.get(9..12).map(String::from_utf8_lossy).unwrap_or_default();
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
        assert!(status.is_empty() || status.starts_with('4'), "{status} to {start}");
    }
    is_well(&server);
}

#[test]
fn a_length_beside_chunks_hides_no_second_request() {
    let server = server();
    let hidden = Request::invoke("hidden", EVENT).bytes();
    let body = [b"0\r\n\r\n", hidden.as_slice()].concat();
    let head = format!("{INVOKE}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n", body.len());
    let mut connection = server.connection();
    connection.send([head.as_bytes(), &body].concat()).unwrap();
    connection.finish().unwrap();
    let answers = String::from_utf8_lossy(&connection.rest()).matches("HTTP/1.1 ").count();
    assert_eq!(answers, 1);
    is_well(&server);
}
