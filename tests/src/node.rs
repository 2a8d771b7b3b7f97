//! Scripts in Node that run what Rust cannot: commands are JSON lines on standard input, answers on standard output, each
//! with the number `n` of its command and either `ok` or `error`.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

// only for a process that does not do what it should
const PATIENCE: Duration = Duration::from_mins(1);

/// A script that runs; it ends when its input does, with this process.
#[derive(Debug)]
pub(crate) struct Host {
    commands: Mutex<ChildStdin>,
    waiting: Arc<Mutex<HashMap<u64, Sender<Value>>>>,
    numbers: AtomicU64,
    _child: Child,
}

/// What is missing to run a script that needs these files, if something is; `make` is what makes them.
pub(crate) fn missing(needed: &[&str], make: &str) -> Option<String> {
    let node = Command::new("node").arg("--version").output().ok();
    let Some(version) = node.filter(|out| out.status.success()) else { return Some("there is no Node".to_owned()) };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        return Some(format!("Node {} is older than 20", version.trim()));
    }
    let path = needed.iter().find(|path| !root().join(path).exists())?;
    Some(format!("there is no {path}: run `make {make}`"))
}

impl Host {
    /// Starts the script at a path of the repository.
    pub(crate) fn spawn(script: &str) -> std::io::Result<Self> {
        let mut child =
            Command::new("node").arg(root().join(script)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take().expect("it is a pipe");
        let answers = child.stdout.take().expect("it is a pipe");
        let waiting = Arc::default();
        let told = Arc::clone(&waiting);
        std::thread::spawn(move || dispatch(answers, &told));
        Ok(Self { commands: Mutex::new(commands), waiting, numbers: AtomicU64::new(1), _child: child })
    }

    /// A number that was not given out before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a command; what it came to.
    pub(crate) fn command(&self, mut command: Value) -> Result<Value, String> {
        let number = self.number();
        command["n"] = number.into();
        let (answers, answer) = channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, answers);
        let line = format!("{command}\n");
        let sent = self.commands.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        sent.map_err(|error| format!("the host takes no command: {error}"))?;
        let mut answer = answer.recv_timeout(PATIENCE).map_err(|error| format!("{}: {error}", command["op"]))?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("{}: {error}", command["op"])),
            None => Ok(answer["ok"].take()),
        }
    }
}

/// Gives each answer to who waits for it; at the end of the process, nobody waits any longer.
fn dispatch(answers: ChildStdout, waiting: &Mutex<HashMap<u64, Sender<Value>>>) {
    for line in BufReader::new(answers).lines().map_while(Result::ok) {
        // what is no answer is output of what the script runs
        let Ok(answer) = serde_json::from_str::<Value>(&line) else {
            eprintln!("{line}");
            continue;
        };
        let number = answer["n"].as_u64().unwrap_or_default();
        let waits = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if let Some(waits) = waits {
            let _ = waits.send(answer);
        }
    }
    for (_, waits) in waiting.lock().unwrap_or_else(PoisonError::into_inner).drain() {
        let _ = waits.send(json!({ "error": "the host has ended" }));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}
