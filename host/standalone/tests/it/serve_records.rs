//! Writes records: without the event's secrets, and wherever standard output leads.

use std::io::{BufRead, BufReader, PipeWriter, pipe};
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use crate::http::{PATIENCE, Request};
use crate::probe::{TAKES_IN, component_of};
use crate::scenario::SECRET;
use crate::server::{EVENT, PATIENT, Server, eventually};
use crate::support::{ALLOW, Folder};

/// A sign-up with a secret under each of these names.
fn secrets() -> String {
    let member = |name: &&str| format!(r#""{name}":"HEMMELIG-{name}","nested":{{"{name}":["HEMMELIG-in-a-list"]}}"#);
    let members: Vec<_> = SECRET.iter().chain(&["ONE_CLICK_LINK_VALID"]).map(member).collect();
    format!(
        r#"{{"triggerSource":"PreSignUp_SignUp","userName":"ingrid.olsen","request":{{{},"userAttributes":{{"email":"ingrid@example.com"}}}},"response":{{}}}}"#,
        members.join(",")
    )
}

/// Reads the event, logs it, and then does this.
fn telling(body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module
  (import "cogwit:triggers/raw-event@0.1.0" "get" (func $raw (param i32)))
  (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
  {TAKES_IN}
  (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32)
    (call $raw (i32.const 32))
    (call $log (i32.const 4) (call $at) (call $length) (call $at) (call $length))
    {body}))"#
    );
    component_of(&wat::parse_str(module).unwrap())
}

/// The event is the reason of its denial; the message is empty.
const REASONS: &str = "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 76) (i32.const 1))
  (i32.store (i32.const 80) (call $at)) (i32.store (i32.const 84) (call $length)) (i32.const 64)";

#[test]
fn no_secret_of_an_event_is_written_or_told() {
    for (body, mask) in [(REASONS, "on"), (REASONS, "off"), ("(unreachable)", "on"), ("(unreachable)", "off")] {
        let folder = Folder::new().with_probes(PATIENT, &[("it", ALLOW)]).with("it.wasm", telling(body));
        let server = Server::start(folder.serve().env("COGWIT_MASK", mask));
        let tail = |request: Request| server.ask(&request.header("x-amz-log-type", "Tail"));
        let answer = tail(Request::invoke("my-pre", secrets()));
        server.record(&answer.id());
        let plain = tail(Request::post("/decide", secrets()));
        server.record(&plain.id());
        let cut = [&secrets()[..400], &secrets().replace(":{", ":{,")].map(|event| tail(Request::invoke("a", event)));
        cut.iter().for_each(|answer| answer.is_error(400, "InvalidRequestContentException"));
        let logs = answer.log() + &plain.log();
        assert!(logs.contains("***") && server.stdout().contains("***"), "{logs}");
        let [status, metrics] = ["/status", "/metrics"].map(|path| server.get(path).text());
        let answers = [answer, plain].map(|answer| answer.text()).join("") + &cut.map(|answer| answer.text()).join("");
        for text in [logs, answers, status, metrics, server.stdout(), server.stderr()] {
            assert!(!text.contains("HEMMELIG"), "{text}");
        }
        assert_eq!(server.stdout().contains("ingrid"), mask == "off", "{}", server.stdout());
    }
}

/// A server whose standard output goes there.
fn writing_to(stdout: PipeWriter) -> Server {
    let folder = Folder::new().with_probes(PATIENT, &[("yes", ALLOW)]);
    Server::spawn(&mut folder.serve().args(["--listen", "127.0.0.1:0", "--format", "json"]).process(), stdout)
}

#[test]
fn a_standard_output_that_is_closed_holds_up_no_answer() {
    let server = writing_to(pipe().unwrap().1);
    for _ in 0..20 {
        assert_eq!(server.invoke("my-pre", EVENT).text(), EVENT);
    }
    server.says("records cannot be written");
    assert_eq!(server.invoke("my-pre", EVENT).text(), EVENT);
    eventually(|| (server.counted("cogwit_records_dropped", "") > 0).then_some(()));
    assert_ne!(server.status()["recordsDropped"], 0);
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert_eq!(server.said("error"), 1, "{}", server.stderr());
}

/// Asks for so many decisions over one connection.
fn ask_for(server: &Server, decisions: usize) {
    let mut connection = server.connection();
    let mut sending = connection.another();
    let all = Request::invoke("my-pre", "{\"cut").bytes().repeat(decisions);
    thread::scope(|scope| {
        scope.spawn(move || sending.send(all).unwrap());
        for _ in 0..decisions {
            connection.answer().unwrap().is_error(400, "InvalidRequestContentException");
        }
    });
}

#[test]
fn a_standard_output_that_nobody_reads_holds_up_no_answer() {
    let (reader, writer) = pipe().unwrap();
    let server = writing_to(writer);
    let mut asked = 0;
    while server.said("records are dropped") == 0 {
        assert!(asked < 20_000, "every record is taken");
        ask_for(&server, 1_000);
        asked += 1_000_u64;
    }
    assert_eq!(server.invoke("my-pre", EVENT).text(), EVENT);
    let dropped = server.counted("cogwit_records_dropped", "");
    assert!(dropped > 0 && server.status()["recordsDropped"] == dropped);

    // Whoever reads again finds whole records.
    let (to, lines) = channel();
    thread::spawn(move || BufReader::new(reader).lines().try_for_each(|line| to.send(line.unwrap())));
    let last = eventually(|| {
        let dropped = server.counted("cogwit_records_dropped", "");
        let answer = server.invoke("my-pre", EVENT);
        (server.counted("cogwit_records_dropped", "") == dropped).then_some(answer)
    });
    let dropped = server.counted("cogwit_records_dropped", "");
    let mut read = 0;
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        let record: Value = serde_json::from_str(&line).unwrap();
        read += 1;
        if record["id"] == last.id() {
            break;
        }
    }
    assert!(read + dropped > asked, "{asked} decisions, {read} records, and {dropped} dropped");
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert_eq!(server.said("error"), 1, "{}", server.stderr());
}

#[test]
fn a_server_that_ends_says_that_nobody_took_its_last_records() {
    let (_reader, writer) = pipe().unwrap();
    let server = writing_to(writer);
    ask_for(&server, 500);
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert_eq!(server.said("error: the last records are not written"), 1, "{}", server.stderr());
}
