//! Hoody's fan-out over many records, to a reader that is slow and one that is not: the server's memory stays small.

use crate::random::Random;
use crate::server::{ADMIN, Server, reqlog, run_with};
use reqlog::store::{Compaction, Options, Store};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

const MIB: u64 = 1024;

/// How many records are swept; `make soak` has more.
fn records() -> u64 {
    if std::env::var_os("REQLOG_SOAK").is_some() { 1_000_000 } else { 50_000 }
}

/// Like captured traffic: some 700 bytes each, a body of up to 4 KB on a fifth, half of them in an order of their own.
fn traffic(records: u64) -> String {
    let random = &mut Random::seeded(11);
    let mut out = String::new();
    for n in 0..records {
        let late = if random.below(50) == 0 { random.below(3_600_000) as i64 } else { 0 };
        let time = 1_782_172_800_000_i64 + (n as i64) * 80 - late;
        let status = random.pick(&[200, 200, 200, 200, 201, 204, 404, 503]);
        let service = random.below(40);
        let (trace, span) = (random.below(usize::MAX), random.below(usize::MAX));
        let _ = write!(
            out,
            "{{\"time\":{time},\"kind\":\"exchange\",\"service\":\"service-{service}\",\"container\":\"pod-{}\",\
             \"method\":\"{}\",\"host\":\"s{service}.example.test\",\"path\":\"/v1/things/{}\",\"status\":{status},\
             \"duration_ms\":{}.5,\"trace_id\":\"{trace:032x}\",\"span_id\":\"{span:016x}\",\"client_ip\":\"192.0.2.{}\",\
             \"user_agent\":\"agent/{}\",\"request\":{{\"headers\":[[\"accept\",\"application/json\"],[\"x-request-id\",\"{n:024x}\"]]}}",
            random.below(320),
            random.pick(&["GET", "GET", "POST", "DELETE"]),
            random.below(100_000),
            random.below(900),
            random.below(250),
            random.below(9),
        );
        if random.below(5) == 0 {
            let _ = write!(out, ",\"response\":{{\"body\":\"");
            (0..random.below(4_000) / 16).for_each(|_| out += &format!("{:016x}", random.next()));
            out.push_str("\"}");
        }
        out.push_str("}\n");
    }
    out
}

/// A sweep over a connection of its own.
struct Sweep {
    lines: BufReader<TcpStream>,
    line: Vec<u8>,
    rows: u64,
    bytes: u64,
    trailer: Option<String>,
}

impl Sweep {
    fn begin(server: &Server, query: &str) -> Self {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        // the answer to HTTP/1.0 is its bytes until the connection ends
        write!(socket, "GET /_logs?{query} HTTP/1.0\r\nauthorization: Bearer {ADMIN}\r\n\r\n").unwrap();
        let mut lines = BufReader::with_capacity(4096, socket);
        let (mut head, mut line) = (String::new(), String::new());
        while lines.read_line(&mut line).unwrap() > 2 {
            head.push_str(&std::mem::take(&mut line));
        }
        assert!(head.starts_with("HTTP/1.0 200 ") && head.contains("application/x-ndjson"), "{head}");
        Self { lines, line: Vec::new(), rows: 0, bytes: 0, trailer: None }
    }

    /// Reads rows until there are no more, or so many have been read.
    fn read(&mut self, rows: u64, mut each: impl FnMut(u64)) {
        while self.trailer.is_none() && self.rows < rows {
            self.line.clear();
            self.bytes += self.lines.read_until(b'\n', &mut self.line).unwrap() as u64;
            assert_eq!(self.line.last(), Some(&b'\n'), "it broke off after {} rows", self.rows);
            if self.line.starts_with(b"{\"__trailer\"") {
                self.trailer = Some(String::from_utf8(self.line.clone()).unwrap());
                return;
            }
            self.rows += 1;
            // ids are those of one project from the first record on, an exchange each
            let id = format!("{{\"id\":{},", self.rows);
            assert!(self.line.starts_with(id.as_bytes()), "{id} {}", String::from_utf8_lossy(&self.line));
            if self.rows.is_multiple_of(5_000) {
                each(self.rows);
            }
        }
    }

    fn end(mut self) {
        self.read(u64::MAX, |_| {});
        assert_eq!(self.trailer.as_deref(), Some("{\"__trailer\":true,\"cursor\":null,\"stoppedReason\":\"end\"}\n"));
        assert_eq!(self.lines.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
}

fn store(data: &Path, records: u64) {
    let report =
        run_with(traffic(records).as_bytes(), &[&"import", &"-", &"--json", &"--project", &"p", &"--data", &data]);
    assert_eq!(report.expect(0).json()["accepted"], records);
    // what compaction takes is not what is measured
    let store = Store::open(data, Options { compaction: Compaction::Manual, ..Options::default() }).unwrap();
    store.compact_now().unwrap();
    store.close().unwrap();
}

#[test]
fn a_sweep_takes_little_memory_however_long_it_is_and_however_slow_its_reader() {
    let (directory, records) = (tempfile::tempdir().unwrap(), records());
    store(directory.path(), records);
    let mut command = reqlog();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path());
    command.env("REQLOG_ADMIN_KEY", ADMIN).env("LOGS_ADMIN_FANOUT", "true");
    let server = Server::spawn(command, directory.path());
    server.admin().json("/_logs?projectId=p&limit=1");
    let before = server.resident();
    let most = std::cell::Cell::new(before);
    let look = |_: u64| most.set(most.get().max(server.resident()));

    let mut alone = Sweep::begin(&server, "");
    alone.read(u64::MAX, look);
    look(0);
    assert_eq!(alone.rows, 2 * records);
    alone.end();
    let grown = most.get() - before;
    assert!(grown < 64 * MIB, "{} MiB more than {} MiB", grown / MIB, before / MIB);

    // one that reads its first rows and then waits for the other's end: what it does not read must not pile up
    let mut slow = Sweep::begin(&server, "includeResponseBody=true");
    slow.read(1_000, look);
    let mut fast = Sweep::begin(&server, "");
    fast.read(u64::MAX, look);
    look(0);
    assert_eq!(fast.rows, 2 * records);
    let bytes = fast.bytes;
    fast.end();
    slow.read(u64::MAX, look);
    look(0);
    assert_eq!(slow.rows, 2 * records);
    let grown = most.get() - before;
    println!(
        "{records} records, {} MiB and {} MiB with bodies, from {} MiB: grew by {} MiB",
        bytes >> 20,
        slow.bytes >> 20,
        before / MIB,
        grown / MIB
    );
    slow.end();
    // two at once share what they decode, and each has a page of its own
    assert!(grown < 96 * MIB, "{} MiB more than {} MiB", grown / MIB, before / MIB);
}
