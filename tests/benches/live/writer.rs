//! One client that sends records at a steady rate and waits for each acknowledgement.

use super::Result;
use super::server::KEY;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Records a second.
pub const RATE: usize = 5000;
// of a request
const BATCH: usize = 100;

/// What all moments are counted from.
pub static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Numbers its records from 0.
pub struct Writer {
    socket: BufReader<TcpStream>,
    // of each request: when it was sent, and when it was acknowledged
    moments: Vec<(Duration, Duration)>,
}

/// Which of 50 values of a kind a record has; kinds are independent of each other.
pub const fn value(number: usize, kind: usize) -> usize {
    match kind {
        0 => number % 50,
        1 => number / 50 % 50,
        _ => (number + number / 50 + number / 2500) % 50,
    }
}

impl Writer {
    pub fn new(address: &str) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        LazyLock::force(&START);
        Ok(Self { socket: BufReader::new(socket), moments: Vec::new() })
    }

    /// How many records were written.
    pub fn written(&self) -> usize {
        self.moments.len() * BATCH
    }

    /// When the request with a record was sent.
    pub fn sent(&self, record: usize) -> Duration {
        self.moments[record / BATCH].0
    }

    /// When a record was known to be stored.
    pub fn acknowledged(&self, record: usize) -> Duration {
        self.moments[record / BATCH].1
    }

    /// Writes for so long; how long each acknowledgement took. One that comes late delays no other for longer.
    pub fn run(&mut self, time: Duration) -> Result<Vec<Duration>> {
        let (began, mut took) = (Instant::now(), Vec::new());
        for at in 0.. {
            let due = Duration::from_secs_f64(f64::from(at) * BATCH as f64 / RATE as f64);
            if due >= time {
                break;
            }
            std::thread::sleep(due.saturating_sub(began.elapsed()));
            let sent = START.elapsed();
            self.send()?;
            let acknowledged = START.elapsed();
            self.moments.push((sent, acknowledged));
            took.push(acknowledged.saturating_sub(sent));
        }
        Ok(took)
    }

    fn send(&mut self) -> Result<()> {
        let mut lines = String::new();
        for number in self.written()..self.written() + BATCH {
            let [service, route, session] = [0, 1, 2].map(|kind| value(number, kind));
            let (status, millis) = ([200, 200, 201, 304, 404, 500][number % 6], number % 997);
            writeln!(
                lines,
                "{{\"method\":\"POST\",\"host\":\"api.example.test\",\"path\":\"/v1/r{route}/{number}\",\"status\":{status},\
                 \"duration_ms\":{millis},\"service\":\"s{service}\",\"session\":\"u{session}\",\
                 \"client_ip\":\"203.0.113.42\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64)\",\
                 \"request\":{{\"headers\":[[\"content-type\",\"application/json\"],[\"accept\",\"*/*\"]]}},\
                 \"message\":\"order {number} was taken by the shop and is on its way to the store\"}}"
            )?;
        }
        let head = format!(
            "POST /api/v1/ingest?project=p HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Length: {}\r\n\r\n",
            lines.len()
        );
        self.socket.get_mut().write_all((head + &lines).as_bytes())?;
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            if self.socket.read_line(&mut head)? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(text) = head[from..].strip_prefix("content-length: ") {
                length = text.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body)?;
        let report: serde_json::Value = serde_json::from_slice(&body)?;
        if report["accepted"] == BATCH { Ok(()) } else { Err(format!("{head}{report}").into()) }
    }
}
