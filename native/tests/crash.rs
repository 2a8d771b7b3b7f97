//! A server that is killed at random moments under concurrent ingestion loses nothing it acknowledged.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const KILLS: u64 = 32;
const CLIENTS: u64 = 4;
const KEY: &str = "key-of-the-crash-test";

/// `SplitMix64` (Steele, Lea, Flood 2014): the same kills and requests in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A running `reqlog serve`, killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn spawn(data: &Path) -> (Child, mpsc::Receiver<String>) {
        let mut child = reqlog()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, said) = mpsc::channel();
        let listen = |stream: Box<dyn std::io::Read + Send>| {
            let lines = lines.clone();
            // reads to the end, so that the server never waits for a full pipe
            thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| {
                    let _ = lines.send(line);
                });
            });
        };
        listen(Box::new(child.stdout.take().unwrap()));
        listen(Box::new(child.stderr.take().unwrap()));
        (child, said)
    }

    fn start(data: &Path) -> Self {
        let (child, said) = Self::spawn(data);
        let mut before = Vec::new();
        loop {
            match said.recv_timeout(Duration::from_mins(1)) {
                Ok(line) => match line.split_once("listening on ") {
                    Some((_, url)) => return Self { child, url: url.trim().trim_end_matches('/').to_owned() },
                    None => before.push(line),
                },
                Err(error) => panic!("the server did not start ({error}); it said:\n{}", before.join("\n")),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

// SIGKILL, and wait until the process is gone.
fn kill(child: &mut Child) {
    let _ = child.kill();
    child.wait().unwrap();
}

fn reqlog() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reqlog"));
    command.env("REQLOG_ADMIN_KEY", KEY).env_remove("REQLOG_URL").env_remove("REQLOG_DATA");
    command
}

/// What became of a request, as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Sent, and no answer came.
    Unknown,
    /// Answered with a success.
    Acknowledged,
}

/// One ingestion of the records `{session}/0`, `{session}/1`, ….
#[derive(Clone, Copy, Debug)]
struct Sent {
    records: u64,
    stored: Fate,
    deleted: Option<Fate>,
}

/// Every ingestion by session.
type Ledger = Mutex<BTreeMap<String, Sent>>;

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into()
}

/// The answer of a server that lives, or `None`.
fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<(u16, Value)> {
    let mut response = result.ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    Some((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

fn bearer() -> String {
    format!("Bearer {KEY}")
}

/// Stores one session of so many records; false when the server is gone.
fn ingest(agent: &ureq::Agent, url: &str, ledger: &Ledger, session: &str, records: u64) -> bool {
    let body: String = (0..records)
        .map(|n| {
            let time = 1_700_000_000_000u64 + n % 7;
            let record = json!({"time": time, "session": session, "message": format!("{session}/{n}"),
                                "method": "GET", "path": format!("/v1/items/{n}"), "status": 200 + n % 3});
            format!("{record}\n")
        })
        .collect();
    let sent = Sent { records, stored: Fate::Unknown, deleted: None };
    ledger.lock().unwrap().insert(session.to_owned(), sent);
    let request = agent.post(format!("{url}/api/v1/ingest?project=crash")).header("authorization", bearer());
    let Some((status, report)) = answer(request.send(&body)) else { return false };
    assert_eq!((status, report["accepted"].as_u64()), (200, Some(records)), "{session}: {report}");
    ledger.lock().unwrap().get_mut(session).unwrap().stored = Fate::Acknowledged;
    true
}

/// Deletes one session; false when the server is gone.
fn delete(agent: &ureq::Agent, url: &str, ledger: &Ledger, session: &str) -> bool {
    let set = |fate| ledger.lock().unwrap().get_mut(session).unwrap().deleted = Some(fate);
    set(Fate::Unknown);
    let request = agent.delete(format!("{url}/api/v1/logs?project=crash&q=session:{session}"));
    let Some((status, text)) = answer(request.header("authorization", bearer()).call()) else { return false };
    assert!((200..300).contains(&status), "deletion of {session}: {status} {text}");
    set(Fate::Acknowledged);
    true
}

/// Writes until the server is gone.
fn client(name: &str, seed: u64, url: &str, ledger: &Ledger, acknowledged: &AtomicU64) {
    let (mut draw, agent) = (Draw(seed), agent());
    let mut own: Vec<String> = Vec::new();
    for request in 0.. {
        let session = format!("{name}r{request}");
        // now and then a large one, so that compaction has work
        let records = if draw.below(12) == 0 { 2_000 } else { 1 + draw.below(40) };
        if !ingest(&agent, url, ledger, &session, records) {
            return;
        }
        own.push(session);
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if draw.below(8) == 0 {
            let session = own.swap_remove(draw.below(own.len() as u64) as usize);
            if !delete(&agent, url, ledger, &session) {
                return;
            }
        }
    }
}

/// Lets clients write until the server is killed at a drawn moment.
fn round(data: &Path, number: u64, ledger: &Ledger) {
    let mut draw = Draw(number);
    let (after, pause) = (draw.below(40), Duration::from_micros(draw.below(20_000)));
    let mut server = Server::start(data);
    let url = server.url.clone();
    let (acknowledged, gone) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client_number| {
                let (url, acknowledged) = (&url, &acknowledged);
                let (name, seed) = (format!("k{number}c{client_number}"), number * CLIENTS + client_number);
                scope.spawn(move || client(&name, seed, url, ledger, acknowledged))
            })
            .collect();
        scope.spawn(|| {
            while acknowledged.load(Ordering::Relaxed) < after && !gone.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            // the moment within a request is random too, and this is what makes it so
            thread::sleep(pause);
            kill(&mut server.child);
        });
        let ended: Vec<_> = clients.into_iter().map(thread::ScopedJoinHandle::join).collect();
        gone.store(true, Ordering::Relaxed);
        for client in ended {
            client.unwrap();
        }
    });
}

/// Kills a server while it starts, at a drawn moment that may be before it opened the directory or after.
fn kill_at_start(data: &Path, number: u64) {
    let (mut child, _said) = Server::spawn(data);
    thread::sleep(Duration::from_micros(Draw(number).below(60_000)));
    kill(&mut child);
}

fn doctor(data: &Path) {
    let output = reqlog().args(["doctor", "--data"]).arg(data).output().unwrap();
    assert!(
        output.status.success(),
        "doctor: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Every record that the server has, by message, with its id, by walking pages in arrival order.
fn walk(url: &str) -> HashMap<String, String> {
    let agent = agent();
    let mut found = HashMap::new();
    let mut cursor = String::new();
    loop {
        let request = agent.get(format!("{url}/api/v1/logs?project=crash&sort=arrival&dir=asc&limit=1000{cursor}"));
        let (status, page) = answer(request.header("authorization", bearer()).call()).expect("the server lives");
        assert_eq!(status, 200, "{page}");
        for item in page["items"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            let twice = found.insert(text("message"), text("id"));
            assert_eq!(twice, None, "{} is there twice", text("message"));
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Holds what the server has against what clients know; what was in doubt is known from then on.
fn verify(url: &str, ledger: &Ledger, ids: &mut HashMap<String, String>) {
    let found = walk(url);
    let mut by_session: HashMap<&str, BTreeSet<u64>> = HashMap::new();
    for message in found.keys() {
        let (session, n) = message.split_once('/').unwrap();
        assert!(by_session.entry(session).or_default().insert(n.parse().unwrap()));
    }
    let mut ledger = ledger.lock().unwrap();
    for session in by_session.keys() {
        assert!(ledger.contains_key(*session), "nobody sent {session}");
    }
    for (session, sent) in &mut *ledger {
        let there = by_session.get(session.as_str()).map_or(0, BTreeSet::len) as u64;
        let whole = there == sent.records && by_session[session.as_str()].iter().copied().eq(0..there);
        let allowed = match (sent.stored, sent.deleted) {
            (_, Some(Fate::Acknowledged)) => there == 0,
            (Fate::Acknowledged, None) => whole,
            (Fate::Unknown, None) | (_, Some(Fate::Unknown)) => whole || there == 0,
        };
        assert!(allowed, "{there} records of {session}: {sent:?}");
        *sent = if whole {
            Sent { stored: Fate::Acknowledged, deleted: None, ..*sent }
        } else {
            Sent { deleted: Some(Fate::Acknowledged), ..*sent }
        };
    }
    // an id names one record for ever, also when that record is gone
    for (message, id) in found {
        let named = ids.entry(id.clone()).or_insert_with(|| message.clone());
        assert_eq!(*named, message, "{id} names two records");
    }
}

#[test]
fn every_acknowledged_record_survives_kills_at_random_moments() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (ledger, mut ids) = (Ledger::default(), HashMap::new());
    for number in 0..KILLS {
        round(&data, number, &ledger);
        if number % 4 == 3 {
            kill_at_start(&data, number);
        }
        doctor(&data);
        let server = Server::start(&data);
        verify(&server.url, &ledger, &mut ids);
        drop(server);
    }
    doctor(&data);
    let ledger = ledger.into_inner().unwrap();
    let stored = ledger.values().filter(|sent| sent.deleted.is_none()).count();
    assert!(stored > KILLS as usize && stored < ledger.len(), "{stored} of {} sessions are stored", ledger.len());
}

#[test]
#[should_panic(expected = "0 records of only")]
fn a_lost_log_of_the_catalog_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let ledger = Ledger::default();
    let server = Server::start(&data);
    assert!(ingest(&agent(), &server.url, &ledger, "only", 3));
    drop(server);
    std::fs::remove_file(data.join("catalog.db-wal")).unwrap();
    verify(&Server::start(&data).url, &ledger, &mut HashMap::new());
}
