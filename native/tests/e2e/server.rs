//! Processes of the real command.

use crate::client::Client;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// The admin key of every server here.
pub const ADMIN: &str = "admin-key-of-the-end-to-end-tests";

/// The command without settings from outside.
pub fn reqlog() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqlog"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"REQLOG_") {
            command.env_remove(name);
        }
    }
    for name in ["LOGS_ADMIN_FANOUT", "REQLOG_FANOUT_AGE", "REQLOG_FANOUT_DEADLINE", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended = Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        ended
    }

    /// The command's end, with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The last line of standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let last = self.out.lines().last().unwrap_or_else(|| panic!("{self:?}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the command to its end.
#[track_caller]
pub fn run(arguments: &[&dyn AsRef<OsStr>]) -> Ended {
    Ended::of(reqlog().args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// Runs the command to its end with something on standard input.
pub fn run_with(input: &[u8], arguments: &[&dyn AsRef<OsStr>]) -> Ended {
    let mut child =
        reqlog().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // a command that needs no input may end without reading it
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended::of(output)
}

// the lines of both streams, in the order in which they were read, which says nothing of the order between the two
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// A running `reqlog serve`, killed when dropped.
pub struct Server {
    child: Child,
    said: Arc<Said>,
    ends: Vec<thread::JoinHandle<()>>,
    /// Base URL.
    pub url: String,
    /// Its data directory.
    pub data: PathBuf,
}

impl Server {
    /// Serves a directory on a free port; no key is limited, because tests ask as fast as they can.
    pub fn start(data: &Path) -> Self {
        let mut command = reqlog();
        command.args(["serve", "--listen", "127.0.0.1:0", "--flowmock-rate", "off", "--scrip-rate", "off", "--data"]);
        command.arg(data).env("REQLOG_ADMIN_KEY", ADMIN);
        Self::spawn(command, data)
    }

    /// Runs a `serve` command and waits until it listens.
    pub fn spawn(command: Command, data: &Path) -> Self {
        Self::spawn_with(command, data, Stdio::null())
    }

    /// As [`Self::spawn`], with something on standard input.
    pub fn spawn_with(mut command: Command, data: &Path, stdin: impl Into<Stdio>) -> Self {
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Said::default());
        let ends = vec![listen(child.stdout.take().unwrap(), &said), listen(child.stderr.take().unwrap(), &said)];
        let url = said.wait_for("listening on ").unwrap_or_else(|| {
            let _ = child.kill();
            panic!("the server did not start; it said: {:?}", said.lines.lock().unwrap())
        });
        let url = url.trim_end_matches('/').to_owned();
        Self { child, said, ends, url, data: data.to_owned() }
    }

    /// Everything said so far on either stream.
    pub fn said(&self) -> String {
        self.said.lines.lock().unwrap().join("\n")
    }

    /// What follows on the first line that begins with this, once that was said.
    #[track_caller]
    pub fn told(&self, beginning: &str) -> String {
        self.said.wait_for(beginning).unwrap_or_else(|| panic!("no {beginning:?} in: {}", self.said()))
    }

    /// A client with the admin key.
    pub fn admin(&self) -> Client {
        Client::new(&self.url, Some(ADMIN))
    }

    /// A client without a key.
    pub fn stranger(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// Kilobytes that it has in memory.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Asks it to stop with SIGTERM; what it said until its end, which is a good one.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        self.ends.drain(..).for_each(|end| end.join().unwrap());
        assert!(status.success(), "{status}: {}", self.said());
        self.said()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ends.drain(..).for_each(|end| drop(end.join()));
        if thread::panicking() {
            println!("the server said: {}", self.said());
        } else {
            assert!(!self.said().contains("panicked"), "{}", self.said());
        }
    }
}

impl Said {
    fn wait_for(&self, beginning: &str) -> Option<String> {
        let find = |lines: &[String]| lines.iter().find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        let lines = self.lines.lock().unwrap();
        let patience = Duration::from_mins(1);
        let (lines, _) = self.more.wait_timeout_while(lines, patience, |lines| find(lines).is_none()).unwrap();
        find(&lines)
    }
}

// reads to the end, so that the server never waits for a full pipe
fn listen(stream: impl Read + Send + 'static, said: &Arc<Said>) -> thread::JoinHandle<()> {
    let said = said.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            said.lines.lock().unwrap().push(line);
            said.more.notify_all();
        }
    })
}
