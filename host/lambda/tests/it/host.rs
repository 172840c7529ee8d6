//! Is the program as Lambda starts it: `bootstrap` with Lambda's variables and a package, and what it writes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

use http::StatusCode;
use serde_json::Value;

use crate::package::Package;
use crate::runtime_api::{Invocation, Post, RuntimeApi};

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running host and its Runtime API.
pub(crate) struct Host {
    pub(crate) api: RuntimeApi,
    process: Mutex<Child>,
    stdout: Stream,
    stderr: Stream,
    count: AtomicU32,
    _package: Package,
}

/// What stands in Lambda's environment, with where the Runtime API is and where the package lies.
fn variables(api: &str, package: &Path) -> Vec<(String, String)> {
    let fixed = [
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("LAMBDA_TASK_ROOT", package.to_str().unwrap()),
        ("AWS_LAMBDA_FUNCTION_NAME", "login"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "eu-west-1"),
        ("_HANDLER", "bootstrap"),
        ("TZ", ":UTC"),
    ];
    fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

impl Host {
    pub(crate) fn start(package: &Package) -> Self {
        Self::with(package, &[])
    }

    /// Starts it with further variables. An empty one takes a variable of Lambda's away.
    pub(crate) fn with(package: &Package, further: &[(&str, &str)]) -> Self {
        let further: Vec<_> = further.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
        Self::with_os(package, &further)
    }

    pub(crate) fn with_os(package: &Package, further: &[(&str, &OsStr)]) -> Self {
        let api = RuntimeApi::start();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        command.env_clear().envs(variables(&api.address.to_string(), package.path())).current_dir(package.path());
        for (name, value) in further {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        Self {
            api,
            process: Mutex::new(process),
            stdout: Stream::read(stdout),
            stderr: Stream::read(stderr),
            count: AtomicU32::new(0),
            _package: package.clone(),
        }
    }

    /// An event as Lambda would deliver it, under an id of its own.
    pub(crate) fn invocation(&self, event: impl AsRef<[u8]>) -> Invocation {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        Invocation {
            id: format!("8476a536-e9f4-11e8-9739-{count:012}"),
            body: event.as_ref().to_vec().into(),
            time: PATIENCE,
            headers: Vec::new(),
            status: Some(StatusCode::ACCEPTED),
        }
    }

    /// Delivers an event and waits for its answer.
    pub(crate) fn ask(&self, event: impl AsRef<[u8]>) -> Post {
        self.answer(self.invocation(event))
    }

    pub(crate) fn answer(&self, invocation: Invocation) -> Post {
        let (id, known) = (invocation.id.clone(), self.api.seen().posts.len());
        self.api.deliver(invocation);
        self.wait(&id, known)
    }

    /// The answer to the event `id`, which is not among the first `known` answers.
    pub(crate) fn wait(&self, id: &str, known: usize) -> Post {
        let of = format!("invocation/{id}/");
        let since = Instant::now();
        loop {
            let posted = self.api.wait(Duration::from_millis(200), |seen| {
                seen.posts.iter().skip(known).find(|post| post.path.starts_with(&of)).cloned()
            });
            if let Some(post) = posted {
                assert_eq!(self.api.seen().wrongs, [""; 0]);
                return post;
            }
            let ended = self.process.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the host ended, {}: {}", ended.unwrap(), self.stderr());
            assert!(since.elapsed() < PATIENCE, "no answer to {id}: {}", self.stderr());
        }
    }

    /// Waits until it asks for another event than those that it answered: what it does after an answer is done then.
    pub(crate) fn rests(&self) {
        let rests = self.api.wait(PATIENCE, |seen| (seen.asked > seen.posts.len()).then_some(()));
        assert!(rests.is_some(), "it asks for no event: {}", self.stderr());
    }

    /// The record of the last event `id`. Each is written before its answer, but may be read after it.
    pub(crate) fn record(&self, id: &str) -> Value {
        let answered = self.api.seen().posts.len();
        let found = self.stdout.wait(|lines| (lines.len() >= answered).then(|| lines.to_vec()));
        let lines = found.unwrap_or_else(|| panic!("{answered} answers, but fewer records"));
        lines.iter().rev().map(|line| json(line)).find(|record| record["id"] == *id).unwrap()
    }

    /// What it wrote to standard output, once that is so many records: one in each line.
    pub(crate) fn records(&self, count: usize) -> Vec<Value> {
        let found = self.stdout.wait(|lines| (lines.len() >= count).then(|| lines.to_vec()));
        let lines = found.unwrap_or_else(|| panic!("fewer than {count} records: {}", self.stdout()));
        lines.iter().map(|line| json(line)).collect()
    }

    /// The first record of this kind, once there is one.
    pub(crate) fn record_where(&self, is: impl Fn(&Value) -> bool) -> Value {
        let found = self.stdout.wait(|lines| lines.iter().map(|line| json(line)).find(&is));
        found.unwrap_or_else(|| panic!("no such record: {}", self.stdout()))
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.lines.0.lock().unwrap().concat()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lines.0.lock().unwrap().concat()
    }

    /// Waits until standard error has a line with this part.
    pub(crate) fn says(&self, part: &str) {
        let found = self.stderr.wait(|lines| lines.iter().any(|line| line.contains(part)).then_some(()));
        assert!(found.is_some(), "no `{part}` in {}", self.stderr());
    }

    /// Waits until it ends by itself.
    pub(crate) fn ends(&self) -> ExitStatus {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.process.lock().unwrap().try_wait().unwrap() {
                self.stderr.ended();
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {}", self.stderr());
    }

    /// Whether it runs.
    pub(crate) fn lives(&self) -> bool {
        self.process.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// How nice a thread is to others, by its name.
    pub(crate) fn niceness(&self, thread: &str) -> i32 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.lock().unwrap().id())).unwrap();
        let mut stats = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")).unwrap());
        let stat = stats.find(|stat| stat.contains(&format!("({thread})"))).unwrap();
        // The 19th of all, and the 17th after the name.
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(16).unwrap().parse().unwrap()
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.lock().unwrap().id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

impl Drop for Host {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap();
        drop((process.kill(), process.wait()));
        if thread::panicking() {
            return;
        }
        self.stdout.ended();
        self.stderr.ended();
        assert_eq!(self.api.seen().wrongs, [""; 0]);
        assert!(!self.stderr().contains("panicked"), "{}", self.stderr());
        self.records(0).iter().for_each(crate::record::is_valid);
    }
}

/// What a process writes to one of its streams.
struct Stream {
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Stream {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::<(Mutex<Vec<String>>, Condvar)>::default();
        let to = lines.clone();
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                match stream.read_until(b'\n', &mut line).unwrap_or_default() {
                    0 => return,
                    _ => to.0.lock().unwrap().push(String::from_utf8(line).unwrap()),
                }
                to.1.notify_all();
            }
        });
        Self { lines, reader: Mutex::new(Some(reader)) }
    }

    fn wait<T>(&self, find: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let lines = self.lines.0.lock().unwrap();
        let (lines, _) = self.lines.1.wait_timeout_while(lines, PATIENCE, |lines| find(lines).is_none()).unwrap();
        find(&lines)
    }

    /// Waits for the end of the stream.
    fn ended(&self) {
        self.reader.lock().unwrap().take().map(JoinHandle::join).transpose().map_err(|_| io::ErrorKind::Other).unwrap();
    }
}
