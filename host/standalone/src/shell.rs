//! Runs a shell command that reads a text and prints an answer.

use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The most that is read of an answer. One of this length may be longer.
pub(crate) const MOST_OUTPUT: usize = 64 * 1024;

/// How long its output may stay open once it has ended.
const GRACE: Duration = Duration::from_secs(1);

/// What a command prints for this input. Standard error, and the terminal for those that ask for a PIN, are its own. The error
/// tells the reason and the mend.
pub(crate) fn run(command: &str, input: &[u8], patience: Duration) -> Result<Vec<u8>, String> {
    let start = Instant::now();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| format!("`sh` does not start: {error}; install a POSIX shell"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // One that does not read all of it may have its reasons: the answer tells.
        thread::spawn(move || stdin.write_all(&input));
    }
    let output = reader(child.stdout.take());
    let status = wait(&mut child, start, patience)?.ok_or_else(|| {
        let patience = humantime::format_duration(patience);
        format!("it did not end within {patience}: see what it waits for, and try it by hand")
    })?;
    let output = output.recv_timeout(GRACE).map_err(|_| {
        "something that it started still holds its standard output: let it end when all is printed".to_owned()
    })?;
    // Who writes on and on is ended by that.
    match status.success() || output.len() == MOST_OUTPUT {
        true => Ok(output),
        false => Err(format!("it ended with {status}: see what it wrote to standard error, and try it by hand")),
    }
}

/// How it ended; nothing if it did not, and had to be stopped.
fn wait(child: &mut Child, start: Instant, patience: Duration) -> Result<Option<ExitStatus>, String> {
    loop {
        let status = child.try_wait().map_err(|error| format!("how it ended is unknown: {error}; try again"))?;
        if status.is_some() || start.elapsed() > patience {
            if status.is_none() {
                // Fails only if it has ended by now.
                let _ = child.kill().and_then(|()| child.wait());
            }
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Reads an output to its end, on a thread of its own, since a command may leave it open for ever.
fn reader(output: Option<ChildStdout>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What breaks off is no answer, and nobody waits any more for what comes late.
        let _ = output.map(|output| output.take(MOST_OUTPUT as u64).read_to_end(&mut bytes));
        let _ = sender.send(bytes);
    });
    receiver
}
