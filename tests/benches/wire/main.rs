//! Pages per second of each dialect: the real server under 32 keep-alive connections that walk from page to page.
//!
//! `REQLOG_BENCH_ROWS` is the number of records, 1 000 000 by default, `REQLOG_BENCH_SECONDS` the time for each line, 5 by
//! default. Clients and server share the machine. `GET /healthz` over the same connections is the floor: what HTTP alone
//! costs here.

mod load;
mod server;

use load::{Ask, Load, run};
use reqlog_tests::corpus::Corpus;
use server::{KEY, Server};
use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A name that every dialect can spell.
const PROJECT: &str = "abcdefghijklmnopqrstuvwx";
const SESSIONS: u64 = 20;
const CONNECTIONS: usize = 32;

fn main() -> Result<()> {
    // only `cargo bench` says so; `cargo test --benches` builds and runs this too
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let setting = |name: &str, default: u64| match std::env::var(name) {
        Ok(text) => text.parse::<u64>().map_err(|error| format!("{name}: {error}")),
        Err(_) => Ok(default),
    };
    let rows = setting("REQLOG_BENCH_ROWS", 1_000_000)?;
    let time = Duration::from_secs(setting("REQLOG_BENCH_SECONDS", 5)?);
    let server = Server::start()?;
    let services = fill(&server, rows)?;
    settle(&server)?;
    let cores = std::thread::available_parallelism()?;
    println!("{rows} records in segments, {CONNECTIONS} connections, {cores} cores shared with the clients\n");
    println!("| pages of 50 | total | pages/s | of the floor | p50 ms | p99 ms |");
    println!("|---|---|---|---|---|---|");
    let mut floor = None;
    for Load { name, total, asks } in loads(&services) {
        let measured = run(&server, &asks, CONNECTIONS, time)?;
        let rate = measured.len() as f64 / time.as_secs_f64();
        let share = rate / *floor.get_or_insert(rate);
        let at = |part: f64| measured[((measured.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        println!("| {name} | {total} | {rate:.0} | {share:.2} | {:.2} | {:.2} |", at(0.5), at(0.99));
    }
    Ok(())
}

/// Sends the corpus in as many parts as there are sessions; the names of its services.
fn fill(server: &Server, rows: u64) -> Result<Vec<String>> {
    let mut corpus = Corpus::new(1);
    let mut services = Vec::new();
    for session in 0..SESSIONS {
        let mut lines = Vec::new();
        let (from, to) = (rows * session / SESSIONS, rows * (session + 1) / SESSIONS);
        for _ in from..to {
            let entry = corpus.next_entry();
            if !services.contains(&entry.service) {
                services.push(entry.service.clone());
            }
            entry.write_line(&mut lines);
        }
        server.ingest(&format!("/api/v1/ingest?project={PROJECT}&session=s{session}"), &lines)?;
    }
    Ok(services)
}

/// Waits until everything is in segments.
fn settle(server: &Server) -> Result<()> {
    loop {
        let url = format!("http://{}/metrics", server.address);
        let mut answer = ureq::get(url).header("Authorization", format!("Bearer {KEY}")).call()?;
        let text = answer.body_mut().read_to_string()?;
        let batches = text.lines().find_map(|line| line.strip_prefix("reqlog_batches ")).ok_or("no metric")?;
        if batches.parse::<u64>()? < 8 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn loads(services: &[String]) -> Vec<Load> {
    let each = |ask: &dyn Fn(&str, usize) -> Ask| {
        services.iter().take(16).enumerate().map(|(at, service)| ask(service, at)).collect::<Vec<_>>()
    };
    let window = "startDate=2026-06-23&endDate=2026-06-23";
    let levels = ["error", "warn", "info"];
    let load = |name, total, asks| Load { name, total, asks };
    vec![
        load("floor: GET /healthz", "", vec![Ask::once("/healthz")]),
        load(
            "FlowMock, a session",
            "",
            each(&|_, at| {
                let path = format!("/sessions/s{}/logs?project={PROJECT}&limit=50", at as u64 % SESSIONS);
                Ask::by_member(path, "\"nextCursor\":\"", "before")
            }),
        ),
        load(
            "Scrip, by status",
            "",
            each(&|_, at| {
                Ask::by_member(format!("/v1/logs?limit=50&status_min={}", 400 + at), "\"next_cursor\":\"", "cursor")
            }),
        ),
        load(
            "Scrip, by duration",
            "",
            vec![Ask::by_member(
                "/v1/logs?limit=50&sort_by=duration_ms&method=POST".to_owned(),
                "\"next_cursor\":\"",
                "cursor",
            )],
        ),
        load(
            "Hoody, a service's errors",
            "exact",
            each(&|service, _| Ask::by_link(format!("/_logs?limit=50&serviceName={service}&level=error,warn"))),
        ),
        load(
            "generic, a service and level",
            "exact",
            each(&|service, at| Ask::by_link(format!("/logs?limit=50&service={service}&level={}", levels[at % 3]))),
        ),
        load(
            "Cognigy, a day by type",
            "exact",
            each(&|_, at| {
                let path = format!("/v2.1/projects/{PROJECT}/logs?limit=50&{window}&type={}", levels[at % 3]);
                Ask::by_member(path, "\"nextCursor\":\"", "next")
            }),
        ),
        load(
            "own, a service's failures",
            "",
            each(&|service, _| {
                Ask::by_member(
                    format!("/api/v1/logs?limit=50&q=service:{service}+status:%3E%3D400"),
                    "\"next\":\"",
                    "cursor",
                )
            }),
        ),
        load(
            "own, the same",
            "exact",
            each(&|service, _| {
                let path = format!("/api/v1/logs?limit=50&total=exact&q=service:{service}+status:%3E%3D400");
                Ask::by_member(path, "\"next\":\"", "cursor")
            }),
        ),
    ]
}
