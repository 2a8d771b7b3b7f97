//! Records that come one a request from many clients: few segments, no stray file, and a disk that is given back.
//!
//! 50 000 of them; `make soak` has a million.

use crate::client::{Client, escaped};
use crate::random::Random;
use crate::server::{ADMIN, Server, reqlog, run};
use crate::walk::metric;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;
const PATIENCE: Duration = Duration::from_mins(2);
/// More than a catalog without records takes.
const EMPTY: u64 = 256 << 10;

fn records() -> usize {
    if std::env::var_os("REQLOG_SOAK").is_some() { 1_000_000 } else { 50_000 }
}

/// The record of a number: what little a client says of one event, and something that does not compress away.
fn record(number: usize) -> String {
    let random = &mut Random::seeded(number as u64);
    let noise: String = (0..12).fold(String::new(), |mut out, _| {
        write!(out, "{:016x}", random.next()).unwrap();
        out
    });
    let half = if number.is_multiple_of(2) { "even" } else { "odd" };
    format!("{{\"message\":\"number {number}\",\"service\":\"{half}\",\"noise\":\"{noise}\"}}")
}

/// One client: a connection of its own, and one request after another, each with one record.
fn send(address: &str, numbers: impl Iterator<Item = usize>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = [0; 4096];
    for number in numbers {
        let record = record(number);
        let head = format!(
            "POST /api/v1/ingest?project=trickle HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {ADMIN}\r\n\
             content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
            record.len()
        );
        stream.write_all((head + &record).as_bytes()).unwrap();
        let mut got = 0;
        while !is_whole(&answer[..got]) {
            let more = stream.read(&mut answer[got..]).unwrap();
            assert!(more > 0, "{}", String::from_utf8_lossy(&answer[..got]));
            got += more;
        }
        let text = String::from_utf8_lossy(&answer[..got]);
        assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("\"accepted\":1"), "{text}");
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or_else(|| panic!("an answer without length: {head}"))
}

/// Serves the directory, with more arguments.
fn serve(data: &Path, arguments: &[&str]) -> Server {
    let mut command = reqlog();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(arguments)
        .env("REQLOG_ADMIN_KEY", ADMIN);
    Server::spawn(command, data)
}

/// Asks until it is so; the server's own threads bring it about.
#[track_caller]
fn wait(client: &Client, what: &str, done: impl Fn(&dyn Fn(&str) -> u64) -> bool) {
    let start = Instant::now();
    while !done(&|name| metric(client, name)) {
        assert!(start.elapsed() < PATIENCE, "{what}: {}", client.get("/metrics").text());
    }
}

/// Bytes of what is in use of the files that hold records: how many pages of the catalog are free is up to how the
/// batches fell, and to whether the server was stopped before it gave them back.
fn in_use(data: &Path) -> u64 {
    let len = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().metadata().unwrap().len();
    let segments: u64 = std::fs::read_dir(data.join("segments")).unwrap().map(len).sum();
    let catalog = rusqlite::Connection::open(data.join("catalog.db")).unwrap();
    let number = |pragma| catalog.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0)).map(u64::from).unwrap();
    segments + number("page_size") * (number("page_count") - number("freelist_count"))
}

fn files(data: &Path) -> u64 {
    std::fs::read_dir(data.join("segments")).unwrap().count() as u64
}

fn stop_and_examine(server: Server, data: &Path) -> u64 {
    server.stop();
    let said = run(&[&"doctor", &"--data", &data]).expect(0).out;
    assert!(said.contains("all is well"), "{said}");
    assert_eq!(std::fs::read_dir(data.join("lost")).unwrap().count(), 0);
    in_use(data)
}

/// The numbers of the records that are there, each once.
fn numbers(client: &Client) -> BTreeSet<usize> {
    let body = client.get("/api/v1/export?project=trickle").expect(200).body;
    let number = |line: &[u8]| {
        let line = std::str::from_utf8(line).unwrap();
        let (_, rest) = line.split_once("\"message\":\"number ").unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut numbers = BTreeSet::new();
    for line in lines {
        assert!(numbers.insert(number(line)), "twice: {}", String::from_utf8_lossy(line));
    }
    numbers
}

#[test]
fn single_records_from_many_clients_leave_few_segments_and_deletion_and_retention_free_the_disk() {
    let (count, scratch) = (records(), tempfile::tempdir().unwrap());
    let data = scratch.path().join("data");
    let server = serve(&data, &[]);
    let start = Instant::now();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let address = server.address();
            scope.spawn(move || send(address, (client..count).step_by(CLIENTS)));
        }
    });
    let sent = start.elapsed();
    let admin = server.admin();
    // the compactor has nothing to do any more; nobody told it to settle
    wait(&admin, "compaction", |metric| metric("reqlog_batches") < 512 && metric("reqlog_segments") < 100);
    assert_eq!(metric(&admin, "reqlog_records"), count as u64);
    wait(&admin, "unlinking", |metric| metric("reqlog_segments") == files(&data));
    let (settled, segments) = (start.elapsed(), metric(&admin, "reqlog_segments"));
    assert!(segments > 0 && numbers(&admin).into_iter().eq(0..count));
    let whole = stop_and_examine(server, &data);

    let server = serve(&data, &[]);
    let admin = server.admin();
    let deletion = format!("/api/v1/logs?q={}", escaped("project:trickle service:odd"));
    assert_eq!(admin.delete(&deletion).expect(200).json()["deleted"], count as u64 / 2);
    wait(&admin, "deletion", |metric| metric("reqlog_deletions") == 0);
    assert_eq!(metric(&admin, "reqlog_records"), count as u64 / 2);
    assert!(numbers(&admin).into_iter().eq((0..count).step_by(2)));
    let half = stop_and_examine(server, &data);
    // more than half, because what is there of each segment and of the catalog does not go by rows
    assert!((whole * 4 / 10..whole * 2 / 3).contains(&half), "{half} bytes are left of {whole}");

    let server = serve(&data, &["--retention-age", "1s"]);
    wait(&server.admin(), "retention", |metric| metric("reqlog_records") == 0 && metric("reqlog_segments") == 0);
    // as many free pages stay in the catalog as are not worth a vacuum: 127
    let catalog = || std::fs::metadata(data.join("catalog.db")).unwrap().len();
    wait(&server.admin(), "vacuum", |_| catalog() < EMPTY + (1 << 20));
    let rest = stop_and_examine(server, &data);
    assert!(rest < EMPTY && catalog() < EMPTY + (1 << 20) && files(&data) == 0, "{rest} bytes are left of {whole}");
    println!(
        "{count} records in {sent:.1?}, settled after {settled:.1?}: {segments} segments, {whole} bytes; {half} after the \
         deletion of half, {rest} after retention"
    );
}
