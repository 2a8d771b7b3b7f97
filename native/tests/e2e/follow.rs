//! `reqlog tail` as its users meet it.

use crate::server::{ADMIN, Server, reqlog, run};
use crate::tail::write;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running `reqlog tail`, killed when dropped.
struct Following {
    child: Child,
    lines: Receiver<String>,
    said: Receiver<String>,
    ends: [JoinHandle<()>; 2],
}

fn lines(stream: impl Read + Send + 'static) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, lines) = channel();
    let end = thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (lines, end)
}

const PATIENCE: Duration = Duration::from_mins(1);

impl Following {
    fn start(arguments: &[&str], data: &Path) -> Self {
        let mut command = reqlog();
        command.arg("tail").args(arguments).arg("--data").arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, out) = self::lines(child.stdout.take().unwrap());
        let (said, err) = self::lines(child.stderr.take().unwrap());
        Self { child, lines, said, ends: [out, err] }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("it said: {:?}", self.said.try_iter().collect::<Vec<_>>()))
    }

    #[track_caller]
    fn number(&self) -> usize {
        let row: Value = serde_json::from_str(&self.line()).unwrap();
        row["path"].as_str().unwrap()[1..].parse().unwrap()
    }

    #[track_caller]
    fn told(&self, part: &str) {
        while !self.said.recv_timeout(PATIENCE).unwrap().contains(part) {}
    }

    /// Interrupts it; its code.
    fn interrupt(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap();
        for end in self.ends {
            end.join().unwrap();
        }
        assert_eq!(self.lines.try_iter().count(), 0);
        code
    }
}

#[test]
fn it_follows_over_a_server_that_is_killed_and_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::start(directory.path());
    write(&server.admin(), 0..3, 10);
    let every = Following::start(&["--json", "--from", "0"], directory.path());
    let some = Following::start(&["path:/*5", "--format", "ndjson", "--from", "3"], directory.path());
    for number in 0..3 {
        assert_eq!(every.number(), number);
    }
    let mut next = 3;
    for round in 0..4 {
        write(&server.admin(), next..next + 500, 300);
        next += 500;
        if round < 3 {
            // in the middle of whatever it is doing; another port and another key for commands
            drop(server);
            server = Server::start(directory.path());
        }
    }
    for number in 3..next {
        assert_eq!(every.number(), number);
    }
    for number in (5..next).step_by(10) {
        assert_eq!(some.number(), number);
    }
    every.told("connected to");
    assert_eq!(every.interrupt(), 0);
    assert_eq!(some.interrupt(), 0);
}

#[test]
fn rows_look_as_in_a_query_and_begin_with_what_comes_next() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = server.admin();
    write(&client, [1], 10);
    let tail = Following::start(&["status:200", "--project", "p"], directory.path());
    // it begins when it begins: one of these is its first
    let mut number = 2;
    let heading = loop {
        write(&client, [number], 10);
        number += 1;
        if let Ok(line) = tail.lines.try_recv() {
            break line;
        }
        assert!(number < 100_000);
    };
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>(),
        ["time", "level", "method", "status", "ms", "service", "what"]
    );
    let cells = tail.line();
    let cells: Vec<&str> = cells.split_whitespace().collect();
    assert_eq!(cells[1..4], ["info", "GET", "200"], "{cells:?}");
    assert_ne!(cells[4], "/1");
    // a project that is deleted ends it
    client.delete("/api/v1/projects/p").expect(204);
    tail.told("project was deleted");
}

#[test]
fn what_no_attempt_can_mend_is_final() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let nobody = run(&[&"tail", &"--data", &data]).expect(1);
    assert!(nobody.err.contains("nobody serves") && nobody.err.contains("reqlog serve --data"), "{nobody:?}");
    assert!(!data.exists());
    run(&[&"tail", &"status:", &"--data", &data]).expect(2);
    run(&[&"tail", &"--url", &"ftp://127.0.0.1", &"--key", &ADMIN]).expect(2);

    let server = Server::start(&data);
    let wrong = run(&[&"tail", &"--url", &server.url, &"--key", &"wrong"]).expect(1);
    assert!(wrong.err.contains("key"), "{wrong:?}");
    let (_, key) = server.admin().make_key(&json!({"name": "k", "role": "read", "project": "own"}));
    let other = run(&[&"tail", &"--project", &"other", &"--url", &server.url, &"--key", &key]).expect(1);
    assert!(other.err.contains("other"), "{other:?}");
    let url = server.url.clone();
    server.stop();
    let gone = run(&[&"tail", &"--url", &url, &"--key", &key]).expect(1);
    assert!(gone.err.contains(&url), "{gone:?}");
}
