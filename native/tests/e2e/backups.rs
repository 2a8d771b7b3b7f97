//! Backups of a server that is written to, deleted from and compacted meanwhile, and what is restored of them.

use crate::client::Client;
use crate::server::{ADMIN, Server, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

const WRITERS: u64 = 4;
const BACKUPS: usize = 3;

/// What became of a request, as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was sent.
    Asked,
    /// It was answered with a success.
    Acknowledged,
}

/// One ingestion of the records `{session}/0`, `{session}/1`, …
#[derive(Clone, Copy, Debug)]
struct Sent {
    records: u64,
    stored: Fate,
    deleted: Option<Fate>,
}

/// Every ingestion by session, while others are added.
#[derive(Default)]
struct Ledger {
    sent: Mutex<BTreeMap<String, Sent>>,
    more: Condvar,
}

impl Ledger {
    fn note(&self, session: &str, work: impl FnOnce(&mut Sent)) {
        let mut sent = self.sent.lock().unwrap();
        work(sent.entry(session.to_owned()).or_insert(Sent { records: 0, stored: Fate::Asked, deleted: None }));
        self.more.notify_all();
    }

    fn now(&self) -> BTreeMap<String, Sent> {
        self.sent.lock().unwrap().clone()
    }

    // until so many more ingestions and a deletion were acknowledged
    fn wait_for(&self, more: usize) {
        let acknowledged = |sent: &BTreeMap<String, Sent>| {
            let stored = sent.values().filter(|sent| sent.stored == Fate::Acknowledged).count();
            let deleted = sent.values().filter(|sent| sent.deleted == Some(Fate::Acknowledged)).count();
            (stored, deleted)
        };
        let sent = self.sent.lock().unwrap();
        let (stored, deleted) = acknowledged(&sent);
        let waits = |sent: &mut BTreeMap<String, Sent>| {
            let now = acknowledged(sent);
            now.0 < stored + more || now.1 <= deleted
        };
        drop(self.more.wait_while(sent, waits).unwrap());
    }
}

fn write(client: &Client, writer: u64, ledger: &Ledger, stop: &AtomicBool) {
    for request in 0_u64.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let session = format!("w{writer}r{request}");
        let records = if request % 7 == 3 { 700 } else { 1 + (writer + request * 5) % 40 };
        ledger.note(&session, |sent| sent.records = records);
        let body: String = (0..records)
            .map(|n| {
                let time = format!("2026-06-23T12:{:02}:{:02}Z", n % 60, request % 60);
                format!("{{\"time\":\"{time}\",\"kind\":\"event\",\"level\":\"info\",\"message\":\"{session}/{n}\"}}\n")
            })
            .collect();
        client.post(&format!("/api/v1/ingest?project=p{}&session={session}", writer % 2), body).expect(200);
        ledger.note(&session, |sent| sent.stored = Fate::Acknowledged);
        if request % 5 == 4 {
            let session = format!("w{writer}r{}", request - 2);
            ledger.note(&session, |sent| sent.deleted = Some(Fate::Asked));
            client.delete(&format!("/api/v1/logs?q=session:{session}")).expect(200);
            ledger.note(&session, |sent| sent.deleted = Some(Fate::Acknowledged));
        }
    }
}

// every record by its sequence
fn all(server: &Server) -> BTreeMap<u64, Value> {
    let rows = server.admin().get("/api/v1/export?format=ndjson").expect(200).lines();
    let count = rows.len();
    let by_seq: BTreeMap<u64, Value> = rows.into_iter().map(|row| (row["seq"].as_u64().unwrap(), row)).collect();
    assert_eq!(by_seq.len(), count, "a sequence is there twice");
    by_seq
}

fn check(rows: &BTreeMap<u64, Value>, before: &BTreeMap<String, Sent>, after: &BTreeMap<String, Sent>) {
    let mut found: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for row in rows.values() {
        let (session, number) = row["message"].as_str().unwrap().split_once('/').unwrap();
        assert!(found.entry(session).or_default().insert(number.parse().unwrap()), "{row} is there twice");
    }
    for (session, numbers) in &found {
        let sent = after.get(*session).unwrap_or_else(|| panic!("{session} was not sent yet"));
        assert!(numbers.iter().copied().eq(0..sent.records), "{session}: {} of {sent:?}", numbers.len());
    }
    for (session, sent) in before {
        let there = found.contains_key(session.as_str());
        let later = after[session];
        assert!(there || sent.stored == Fate::Asked || later.deleted.is_some(), "{session} is lost: {sent:?}");
        assert!(!there || sent.deleted != Some(Fate::Acknowledged), "{session} is back: {sent:?}");
    }
}

#[test]
fn a_backup_taken_under_load_restores_to_a_consistent_state_that_doctor_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let (ledger, stop) = (Ledger::default(), AtomicBool::new(false));
    let mut taken = Vec::new();
    thread::scope(|scope| {
        let client = server.admin();
        for writer in 0..WRITERS {
            let (client, ledger, stop) = (client.clone(), &ledger, &stop);
            scope.spawn(move || write(&client, writer, ledger, stop));
        }
        for number in 0..BACKUPS {
            ledger.wait_for(25);
            let backup = dir.path().join(format!("backup{number}"));
            let before = ledger.now();
            let ended = if number == 1 {
                run(&[&"backup", &backup, &"--json", &"--url", &server.url, &"--key", &ADMIN])
            } else {
                run(&[&"backup", &backup, &"--json", &"--data", &data])
            };
            let after = ledger.now();
            taken.push((backup, before, after, ended.expect(0).json()));
        }
        ledger.wait_for(1);
        stop.store(true, Ordering::SeqCst);
    });
    let original = all(&server);
    server.stop();
    run(&[&"doctor", &"--data", &data]).expect(0);
    let last = *original.keys().next_back().unwrap();
    for (number, (backup, before, after, told)) in taken.iter().enumerate() {
        assert!(after.len() > 25 * (number + 1));
        let names = names(backup);
        assert_eq!(names, ["backup.json", "catalog.db", "segments"]);
        let doctor = run(&[&"doctor", &"--json", &"--data", backup]).expect(0).json();
        assert_eq!((doctor["sound"].as_bool(), doctor["findings"].as_array().map(Vec::len)), (Some(true), Some(0)));
        let restored = dir.path().join(format!("restored{number}"));
        let ended = run(&[&"restore", backup, &"--json", &"--data", &restored]).expect(0).json();
        assert_eq!((&ended["head"], &ended["files"], &ended["bytes"]), (&told["head"], &told["files"], &told["bytes"]));
        run(&[&"doctor", &"--data", &restored]).expect(0);

        let server = Server::start(&restored);
        let rows = all(&server);
        check(&rows, before, after);
        assert!(rows.keys().all(|seq| *seq <= told["head"].as_u64().unwrap()));
        let new = "{\"kind\":\"event\",\"time\":\"2026-06-24T00:00:00Z\",\"message\":\"new/0\"}\n";
        server.admin().post("/api/v1/ingest?project=p0", new).expect(200);
        let fresh: Vec<u64> = all(&server).into_keys().filter(|seq| !rows.contains_key(seq)).collect();
        assert!(matches!(fresh[..], [seq] if seq > last), "{fresh:?} of a store that was at {last}");
        server.stop();
        run(&[&"doctor", &"--data", &restored]).expect(0);
        assert_eq!(self::names(backup), names, "the backup is as it was");
        run(&[&"doctor", &"--data", backup]).expect(0);
    }
    let counts: BTreeSet<u64> = taken.iter().map(|taken| taken.3["head"].as_u64().unwrap()).collect();
    assert_eq!(counts.len(), BACKUPS, "each is of another moment");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_directory_that_nobody_serves_is_backed_up_and_what_is_wrong_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    std::fs::write(place("x.ndjson"), "{\"kind\":\"event\",\"time\":\"2026-06-23T12:00:00Z\",\"message\":\"x/0\"}\n")
        .unwrap();
    run(&[&"import", &"--data", &place("data"), &place("x.ndjson")]).expect(0);
    run(&[&"backup", &place("backup"), &"--data", &place("data")]).expect(0);

    let refused = |arguments: &[&dyn AsRef<OsStr>], code: i32, word: &str| {
        let ended = run(arguments).expect(code);
        assert!(ended.err.contains(word), "{word} in {ended:?}");
    };
    refused(&[&"backup", &"--data", &place("data")], 2, "DIR");
    refused(&[&"backup", &place("backup"), &"--data", &place("data")], 1, "not empty");
    refused(&[&"backup", &place("other"), &"--data", &place("nothing")], 1, "does not exist");
    refused(&[&"restore", &place("nothing"), &"--data", &place("new")], 1, "no whole backup");
    refused(&[&"restore", &place("backup"), &"--data", &place("data")], 1, "not empty");
    refused(&[&"serve", &"--listen", &"127.0.0.1:0", &"--data", &place("backup")], 1, "is a backup");
    refused(&[&"query", &"--data", &place("backup")], 1, "is a backup");
    refused(&[&"doctor", &"--repair", &"--data", &place("backup")], 1, "is a backup");

    let server = Server::start(&place("data"));
    refused(&[&"restore", &place("backup"), &"--data", &place("data")], 1, "being served");
    let (_, reader) = server.admin().make_key(&serde_json::json!({"role": "read"}));
    refused(&[&"backup", &place("other"), &"--url", &server.url, &"--key", &reader], 1, "");
    let head = server.admin().get("/api/v1/backup").expect(200);
    assert_eq!(head.header("content-type"), Some("application/x-tar"));
    assert!(head.body.len().is_multiple_of(512));
    assert!(!place("other").exists() && !place("other.partial").exists());
    server.stop();

    run(&[&"restore", &place("backup"), &"--data", &place("new")]).expect(0);
    let rows = run(&[&"query", &"--json", &"--data", &place("new")]).expect(0);
    assert!(rows.out.contains("x/0"), "{rows:?}");
    // what was imported before the backup is known after it
    let again = run(&[&"import", &"--json", &"--data", &place("new"), &place("x.ndjson")]).expect(0).json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&0.into(), &1.into()));
}

#[test]
fn doctor_tells_programs_what_it_found_and_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let line = "{\"kind\":\"event\",\"time\":\"2026-06-23T12:00:00Z\",\"message\":\"x\"}\n";
    std::fs::write(dir.path().join("x.ndjson"), line).unwrap();
    run(&[&"import", &"--data", &data, &dir.path().join("x.ndjson")]).expect(0);
    std::fs::write(data.join("segments/stranger"), "?").unwrap();
    let told = run(&[&"doctor", &"--json", &"--data", &data]).expect(1).json();
    assert_eq!(told["sound"], false);
    assert_eq!(told["findings"][0]["name"], "unknown-file");
    assert!(told["findings"][0]["remedy"].as_str().unwrap().contains("--repair"));
    let told = run(&[&"doctor", &"--repair", &"--json", &"--data", &data]).expect(0).json();
    assert_eq!(
        (&told["sound"], &told["repairs"][0]["name"], &told["records"]),
        (&true.into(), &"lost".into(), &1.into())
    );
    assert_eq!(told["remarks"][0]["name"], "lost");
}
