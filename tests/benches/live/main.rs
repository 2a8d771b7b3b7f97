//! Live tails under load: the real server, 200 subscribers with different filters, one that never reads, and a writer
//! of 5 000 records a second.
//!
//! `REQLOG_BENCH_LIVE_SECONDS` is the time with the reader that never reads, 60 by default; as long again is measured
//! without it, in turns. Clients and server share the machine. A frame that is lost, repeated or out of order fails the
//! benchmark.

mod readers;
#[path = "../wire/server.rs"]
mod server;
mod writer;

use readers::{FRAMES_PER_RECORD, Readers};
use server::Server;
use std::error::Error;
use std::time::Duration;
use writer::{RATE, Writer};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SUBSCRIBERS: usize = 200;
// turns with and without the reader that never reads
const TURNS: u32 = 4;

fn main() -> Result<()> {
    // only `cargo bench` says so; `cargo test --benches` builds and runs this too
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let seconds = match std::env::var("REQLOG_BENCH_LIVE_SECONDS") {
        Ok(text) => text.parse::<u64>().map_err(|error| format!("REQLOG_BENCH_LIVE_SECONDS: {error}"))?,
        Err(_) => 60,
    };
    let turn = Duration::from_secs(seconds) / TURNS;
    let cores = std::thread::available_parallelism()?;
    println!("{SUBSCRIBERS} subscribers, {RATE} records/s, {cores} cores shared with the clients\n");
    let alone = alone(turn)?;
    let server = Server::start()?;
    server.ingest("/api/v1/ingest?project=p", b"{\"path\":\"/first\"}\n")?;
    let mut writer = Writer::new(&server.address)?;

    let mut readers = Readers::new(&server.address)?;
    readers.open(0..1, 0)?;
    let few = writer.run(turn)?;
    let before = resident(&server)?;
    readers.open(1..SUBSCRIBERS, writer.written())?;
    let opened = resident(&server)?;

    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (began, busy) = (std::time::Instant::now(), processor(&server)?);
    let first = writer.written();
    let mut loaded = None;
    for _ in 0..TURNS {
        without.extend(writer.run(turn)?);
        loaded.get_or_insert(resident(&server)?);
        let stuck = readers.stuck()?;
        with.extend(writer.run(turn)?);
        drop(stuck);
    }
    let (time, busy) = (began.elapsed().as_secs_f64(), processor(&server)? - busy);
    let seen = readers.finish(writer.written(), Duration::from_mins(1))?;
    let frames = (writer.written() - first) as f64 * FRAMES_PER_RECORD * SUBSCRIBERS as f64;
    println!("| what | measured |\n|---|---|");
    println!("| records/s, frames/s | {:.0}, {:.0} |", (writer.written() - first) as f64 / time, frames / time);
    println!("| frames lost, repeated, out of order | 0 of {} |", seen.len());
    println!("| processors that the server used | {:.2} |", busy / time);
    let sorted = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all
    };
    let line = |name: &str, all: &[Duration]| {
        let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        println!("| {name}: p50, p99, worst ms | {:.1}, {:.1}, {:.1} |", at(0.5), at(0.99), at(1.0));
    };
    let since = |moments: &dyn Fn(usize) -> Duration| {
        sorted(seen.iter().filter(|(at, _)| *at >= first).map(|(at, came)| came.saturating_sub(moments(*at))).collect())
    };
    line("acknowledgement to frame", &since(&|at| writer.acknowledged(at)));
    line("request sent to frame", &since(&|at| writer.sent(at)));
    line("acknowledgement, one subscriber", &sorted(few));
    line("acknowledgement, all", &sorted(without));
    line("acknowledgement, all and one that never reads", &sorted(with));
    let each = |bytes: u64, without: u64| bytes.saturating_sub(without) as f64 / 1024.0 / (SUBSCRIBERS - 1) as f64;
    let (idle, busy) = (each(opened, before), each(loaded.unwrap_or(opened), alone));
    println!("| KiB of memory for a subscriber: idle, under load | {idle:.1}, {busy:.1} |");
    Ok(())
}

/// Bytes of memory of a server that has stored as much as the other will have after its first turn with all
/// subscribers, and has one.
fn alone(turn: Duration) -> Result<u64> {
    let server = Server::start()?;
    let mut writer = Writer::new(&server.address)?;
    let mut readers = Readers::new(&server.address)?;
    readers.open(0..1, 0)?;
    writer.run(turn * 2)?;
    resident(&server)
}

/// Bytes of memory that the server holds.
fn resident(server: &Server) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

/// Seconds of processor that the server has used.
fn processor(server: &Server) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id()))?;
    // fields 14 and 15, the name before them may hold blanks; in hundredths of a second
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
