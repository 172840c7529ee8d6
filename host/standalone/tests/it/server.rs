//! Is `cogwit serve` as the tests start it, what it answers, and what it writes.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::http::{Answer, Connection, PATIENCE, Request};
use crate::program::Cogwit;
use crate::support::{Folder, probe};

/// The wall time of a policy on a machine that does other work too.
pub(crate) const PATIENT: &str = "\n[limits]\ndeadline = \"2 s\"\n";

/// The verdict of a probe that denies, with the message `one`.
pub(crate) const DENY: &str = "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const 1024))
  (i32.store (i32.const 72) (i32.const 3)) (i32.const 64)";

/// It runs until a limit.
pub(crate) const LOOP: &str = "(loop $again (br $again)) (unreachable)";

/// A sign-up that says nothing more.
pub(crate) const EVENT: &str = r#"{"triggerSource":"PreSignUp_SignUp","userName":"rroe","response":{}}"#;

/// A running server. Dropped, it ends; it never panicked.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Mutex<Child>,
    stdout: Stream,
    stderr: Stream,
}

impl Folder {
    /// Adds a set of probes, each a policy of its name with this body; the lines come before them.
    pub(crate) fn with_probes(self, lines: &str, probes: &[(&str, &str)]) -> Self {
        let policy = |name: &str| format!("[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'\n");
        let policies: String = probes.iter().map(|(name, _)| policy(name)).collect();
        let folder = self.with_set(&format!("{lines}{policies}"));
        probes.iter().fold(folder, |folder, (name, body)| folder.with(&format!("{name}.wasm"), probe(body)))
    }

    /// `cogwit serve` with this folder's set.
    pub(crate) fn serve(&self) -> Cogwit {
        self.cogwit("serve").args(["--policies", "policies.toml"]).env("COGWIT_CACHE", "off")
    }
}

impl Server {
    /// Serves probes, each a policy of its name with this body.
    #[track_caller]
    pub(crate) fn of_probes(probes: &[(&str, &str)]) -> Self {
        Self::start(Folder::new().with_probes(PATIENT, probes).serve())
    }

    /// Serves on a free port of loopback, and writes records.
    #[track_caller]
    pub(crate) fn start(serve: Cogwit) -> Self {
        Self::on("127.0.0.1", serve)
    }

    #[track_caller]
    pub(crate) fn on(address: &str, serve: Cogwit) -> Self {
        let serve = serve.args(["--listen", &format!("{address}:0"), "--format", "json"]);
        Self::spawn(&mut serve.process(), Stdio::piped())
    }

    /// Starts a process whose standard output goes there, and waits until it listens.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command, stdout: impl Into<Stdio>) -> Self {
        let mut process = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = process.stdout.take().map_or_else(|| Stream::read(std::io::empty()), Stream::read);
        let stderr = Stream::read(process.stderr.take().unwrap());
        let listens = |line: &String| line.strip_prefix("listening on http://")?.trim().parse().ok();
        let address = stderr.wait(|lines, ended| match lines.iter().find_map(listens) {
            None if ended => panic!("it does not listen: {}", lines.concat()),
            address => address,
        });
        Self { address, process: Mutex::new(process), stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn connection(&self) -> Connection {
        Connection::to(self.address).unwrap()
    }

    #[track_caller]
    pub(crate) fn ask(&self, request: &Request) -> Answer {
        self.connection().ask(request).unwrap()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&Request::get(path))
    }

    /// Invokes a function of this name.
    #[track_caller]
    pub(crate) fn invoke(&self, name: &str, event: impl AsRef<[u8]>) -> Answer {
        self.ask(&Request::invoke(name, event))
    }

    /// What `/status` says.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.get("/status").json()
    }

    /// The sum of a metric over its labels that have this part.
    #[track_caller]
    pub(crate) fn counted(&self, metric: &str, labels: &str) -> u64 {
        let text = self.get("/metrics").text();
        let of = |line: &&str| line.split(['{', ' ']).next() == Some(metric) && line.contains(labels);
        text.lines().filter(of).map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// The record of a decision: it may be read a moment after its answer.
    #[track_caller]
    pub(crate) fn record(&self, id: &str) -> Value {
        let of = format!(r#"{{"id":"{id}""#);
        let line = self.stdout.wait(|lines, ended| {
            let found = lines.iter().find(|line| line.starts_with(&of)).cloned();
            assert!(found.is_some() || !ended, "no record of {id} in {}", lines.concat());
            found
        });
        serde_json::from_str(&line).unwrap()
    }

    /// Everything that it wrote so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until standard error has a line with this part.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) {
        self.stderr.wait(|lines, ended| {
            let found = lines.iter().any(|line| line.contains(part));
            assert!(found || !ended, "no `{part}` in {}", lines.concat());
            found.then_some(())
        });
    }

    /// How many lines of standard error have this part.
    pub(crate) fn said(&self, part: &str) -> usize {
        self.stderr().lines().filter(|line| line.contains(part)).count()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.lock().unwrap()), signal).unwrap();
    }

    /// Waits until it ends by itself, and until what it wrote is read.
    #[track_caller]
    pub(crate) fn ends(&self) -> ExitStatus {
        let status = eventually(|| self.process.lock().unwrap().try_wait().unwrap());
        self.stdout.ended();
        self.stderr.ended();
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap();
        drop((process.kill(), process.wait()));
        if thread::panicking() {
            eprintln!("the server said:\n{}", self.stderr());
        } else {
            self.stderr.ended();
            assert!(!self.stderr().contains("panicked"), "{}", self.stderr());
        }
    }
}

/// Waits until something is so that nobody tells.
#[track_caller]
pub(crate) fn eventually<T>(look: impl Fn() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "it does not come to pass");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What a process writes to one of its streams.
struct Stream {
    written: Arc<(Mutex<Written>, Condvar)>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Stream {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let written = Arc::<(Mutex<Written>, Condvar)>::default();
        let to = written.clone();
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut ended = false;
            while !ended {
                let mut line = String::new();
                ended = stream.read_line(&mut line).unwrap_or_default() == 0;
                let mut written = to.0.lock().unwrap_or_else(PoisonError::into_inner);
                written.lines.extend(Some(line).filter(|line| !line.is_empty()));
                written.ended = ended;
                to.1.notify_all();
            }
        });
        Self { written, reader: Mutex::new(Some(reader)) }
    }

    /// Waits until something is found in what was written; `find` is told whether that is all.
    #[track_caller]
    fn wait<T>(&self, mut find: impl FnMut(&[String], bool) -> Option<T>) -> T {
        let since = Instant::now();
        let mut written = self.written();
        loop {
            if let Some(found) = find(&written.lines, written.ended) {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "it is not in {}", written.lines.concat());
            written = self.written.1.wait_timeout(written, Duration::from_secs(1)).unwrap().0;
        }
    }

    /// A test that fails while it looks still shows what was written.
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        self.written().lines.concat()
    }

    /// Waits for the end of the stream.
    fn ended(&self) {
        if let Some(reader) = self.reader.lock().unwrap().take() {
            reader.join().unwrap();
        }
    }
}
