//! Changes the files of a set that is watched: what can serve does, and what cannot leaves what served before.

use std::fs;
use std::os::unix::fs::symlink;

use crate::http::Answer;
use crate::program::{cogwit, stderr};
use crate::server::{DENY, EVENT, PATIENT, Server, eventually};
use crate::support::{ALLOW, Folder, checking_probe, probe};

/// A set that lets everyone in.
fn open() -> Folder {
    Folder::new().with_probes(PATIENT, &[("it", ALLOW)])
}

fn watching(folder: &Folder) -> Server {
    Server::start(folder.serve().arg("--watch"))
}

fn denies(answer: &Answer) -> bool {
    answer.text().contains("PolicyDenied")
}

#[track_caller]
fn comes_to_deny(server: &Server) {
    eventually(|| denies(&server.invoke("a", EVENT)).then_some(()));
}

#[track_caller]
fn comes_to_allow(server: &Server) {
    eventually(|| (server.invoke("a", EVENT).text() == EVENT).then_some(()));
}

impl Folder {
    /// Puts a new file in the place of one, as editors and deployments do.
    fn replace(&self, file: &str, bytes: impl AsRef<[u8]>) {
        self.write("new.tmp", bytes);
        fs::rename(self.path("new.tmp"), self.path(file)).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }
}

#[test]
fn a_change_serves_as_soon_as_it_is_there() {
    let folder = open();
    let server = watching(&folder);
    let digest = server.status()["set"]["policies"][0]["digest"].clone();
    folder.write("it.wasm", probe(DENY));
    comes_to_deny(&server);
    assert_ne!(server.status()["set"]["policies"][0]["digest"], digest);
    folder.replace("it.wasm", probe(ALLOW));
    comes_to_allow(&server);
    assert_eq!(server.status()["set"]["policies"][0]["digest"], digest);
    let set = folder.text("policies.toml");
    folder.replace("policies.toml", set.replace("it.wasm", "other/it.wasm"));
    server.says("cannot read");
    folder.write("other/it.wasm", probe(DENY));
    folder.replace("policies.toml", set.replace("it.wasm", "other/it.wasm") + "on-fault = 'deny'\n");
    comes_to_deny(&server);
    folder.replace("other/it.wasm", probe(ALLOW));
    comes_to_allow(&server);
    server.says("it.wasm changed: serving `it`: it");
}

#[test]
fn a_candidate_is_watched_too() {
    let candidate = "candidate = { component = 'next.wasm', rollout = 100 }\n";
    let folder = open().with("next.wasm", probe(ALLOW));
    folder.write("policies.toml", folder.text("policies.toml") + candidate);
    let server = watching(&folder);
    comes_to_allow(&server);
    folder.replace("next.wasm", probe(DENY));
    server.says("next.wasm changed: serving `it`: it");
    comes_to_deny(&server);
}

#[test]
fn what_cannot_serve_leaves_what_served_before() {
    let folder = open();
    let set = folder.text("policies.toml");
    let server = watching(&folder);
    let case = "source = 'PreSignUp_SignUp'\nexpect.decision = 'deny'\n";
    folder.write("cases.toml", case);
    let with_lines = |lines: &str| set.clone() + lines;
    for (file, bytes, reason) in [
        ("policies.toml", with_lines(&format!("sha256 = '{}'\n", "0".repeat(64))).into_bytes(), "has the digest"),
        ("policies.toml", b"schema = ".to_vec(), "TOML parse error"),
        ("policies.toml", with_lines("tests = ['cases.toml']\n").into_bytes(), "\"deny\" expected"),
        ("policies.toml", with_lines("tests = ['none.toml']\n").into_bytes(), "names no file"),
        ("policies.toml", with_lines("limits = { fuel = 'lots' }\n").into_bytes(), "limit `fuel` is `lots`"),
        ("policies.toml", set.replace("it.wasm", "none.wasm").into_bytes(), "cannot read"),
        ("it.wasm", b"no component".to_vec(), "not WebAssembly"),
        ("it.wasm", probe(ALLOW)[..200].to_vec(), "it.wasm changed: error: "),
    ] {
        let said = server.said(reason);
        let good = fs::read(folder.path(file)).unwrap();
        folder.replace(file, bytes);
        eventually(|| (server.said(reason) > said).then_some(()));
        eventually(|| server.status()["problem"].is_string().then_some(()));
        assert_eq!((server.get("/readyz").status, server.invoke("a", EVENT).text().as_str()), (200, EVENT));
        assert_eq!(server.counted("cogwit_set_problem", ""), 1);
        assert_eq!(server.said(reason), said + 1, "{}", server.stderr());
        folder.replace(file, good);
        eventually(|| server.status()["problem"].is_null().then_some(()));
    }
    assert!(server.said("; what served before serves on") >= 8, "{}", server.stderr());
    assert_eq!(server.said("panicked"), 0);
}

#[test]
fn a_file_that_is_gone_may_come_back() {
    let folder = open();
    let server = watching(&folder);
    for file in ["policies.toml", "it.wasm", "it.wasm"] {
        let (bytes, said) = (fs::read(folder.path(file)).unwrap(), server.said("cannot read"));
        folder.remove(file);
        eventually(|| (server.said("cannot read") > said).then_some(()));
        assert_eq!(server.invoke("a", EVENT).text(), EVENT);
        folder.replace(file, bytes);
        eventually(|| server.status()["problem"].is_null().then_some(()));
    }
    folder.remove("it.wasm");
    server.says("it.wasm changed: error: ");
    folder.replace("it.wasm", probe(DENY));
    comes_to_deny(&server);
}

#[test]
fn a_start_with_a_bad_set_waits_for_a_good_one_if_it_is_watched() {
    let folder = open();
    folder.write("it.wasm", "no component");
    let told = stderr(&folder.serve().args(["--listen", "127.0.0.1:0"]).ends(4).stdout_eq(""));
    assert!(told.contains("not WebAssembly"), "{told}");

    let server = watching(&folder);
    server.says("not WebAssembly");
    let answer = server.invoke("a", EVENT);
    assert_eq!(answer.json()["errorType"], "Function.PolicyFault");
    assert!(server.record(&answer.id())["error"].as_str().unwrap().contains("not WebAssembly"));
    let status = server.status();
    assert!(status["ready"] == false && status["reason"].as_str().unwrap().contains("not WebAssembly"), "{status}");
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    folder.replace("it.wasm", probe(ALLOW));
    comes_to_allow(&server);
    assert_eq!((server.get("/readyz").status, server.status()["ready"].as_bool()), (200, Some(true)));
}

#[test]
fn what_admission_finds_in_a_set_is_told() {
    let folder = open();
    let finding = "warning: policy `it`: one";
    let doubtful = checking_probe("(call $log) (i32.const 0)");
    let server = watching(&folder);
    assert_eq!(server.said("warning"), 0);
    folder.replace("it.wasm", &doubtful);
    server.says(finding);
    Server::start(folder.serve()).says(finding);
}

#[test]
fn a_set_behind_links_is_watched_too() {
    let folder = Folder::new();
    for (name, body) in [("one", ALLOW), ("two", DENY)] {
        let made = Folder::new().with_probes(PATIENT, &[("it", body)]);
        for file in ["policies.toml", "it.wasm"] {
            folder.write(&format!("set/{name}/{file}"), fs::read(made.path(file)).unwrap());
        }
    }
    // As Kubernetes mounts a ConfigMap: the files are links into a folder that is a link.
    let link = |to: &str, from: &str| symlink(to, folder.path(from)).unwrap();
    link("one", "set/..data");
    link("..data/policies.toml", "set/policies.toml");
    link("..data/it.wasm", "set/it.wasm");
    link("set", "current");
    let server = Server::start(folder.cogwit("serve").args(["--policies", "current", "--watch"]));
    comes_to_allow(&server);
    link("two", "set/..data.new");
    fs::rename(folder.path("set/..data.new"), folder.path("set/..data")).unwrap();
    comes_to_deny(&server);
}

#[test]
fn only_files_are_watched() {
    let told = stderr(&cogwit("serve").arg("--watch").ends(2).stdout_eq(""));
    assert!(told.contains("the built-in set does not change: name one with `--policies`"), "{told}");
    let channel = cogwit("serve").args(["--watch", "--policies", "file:///nowhere#prod"]);
    let told = stderr(&channel.env("COGWIT_ALLOW_UNSIGNED", "on").ends(2).stdout_eq(""));
    assert!(told.contains("a channel is followed without `--watch`"), "{told}");
}
