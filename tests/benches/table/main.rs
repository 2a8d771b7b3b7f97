//! The end-to-end tables: reqlog beside SQLite, and `reqlog query` over a file beside `rg` and `jq`.
//!
//! `REQLOG_BENCH_ROWS` is the number of records, 1 000 000 by default; `REQLOG_BENCH_DIR` keeps the files of a run where
//! they can be looked at. Both engines have to give the same rows and counts before anything is timed.

mod aggregates;
mod engine;
mod parts;
mod questions;
mod report;
mod sqlite;
mod tools;

use engine::Engine;
use questions::{Ask, Corner, Question};
use report::{Latency, Rate, Table};
use reqlog_tests::corpus::Corpus;
use sqlite::{Sqlite, Sync};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + std::marker::Sync>>;

const SEED: u64 = 1;
// rows that a page comes after
const DEPTHS: [usize; 3] = [0, 1_000, 10_000];
const PAGE: usize = 50;

fn main() -> Result<()> {
    // only `cargo bench` says so; `cargo test --benches` builds and runs this too
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let rows = setting("REQLOG_BENCH_ROWS", 1_000_000)?;
    let kept = std::env::var_os("REQLOG_BENCH_DIR").map(PathBuf::from);
    let scratch = tempfile::tempdir()?;
    let dir = kept.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(dir)?;
    let file = dir.join("corpus.ndjson");
    let corner = generate(&file, rows)?;
    let bytes = file.metadata()?.len();
    println!("{}\n", report::conditions(rows, bytes));

    let engine = Engine::build(&dir.join("reqlog"), &file, rows)?;
    let sqlite = Sqlite::build(&dir.join("sqlite.db"), &file, rows, Sync::Full)?;
    let loose = Sqlite::build(&dir.join("sqlite-off.db"), &file, rows.min(200_000), Sync::Off)?;
    println!("{}", ingestion(&engine, &sqlite, &loose));
    println!("{}", parts::table(&dir.join("reqlog"), rows)?);

    let mut table = Table::new(&["question", "after row", "reqlog p50 ms", "p99", "SQLite p50 ms", "p99", "ratio p50"]);
    for question in questions::all(&corner, rows) {
        measure(&question, &engine, &sqlite, &mut table)?;
    }
    println!("{table}");
    drop((engine, sqlite, loose));
    println!("{}", tools::table(&file)?);
    Ok(())
}

fn setting(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|error| format!("{name}={text}: {error}").into()),
        Err(_) => Ok(default),
    }
}

fn generate(path: &Path, rows: u64) -> Result<Corner> {
    let mut corpus = Corpus::new(SEED);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut line, mut corner) = (Vec::new(), Corner::default());
    for at in 0..rows {
        let entry = corpus.next_entry();
        if at == rows / 2 {
            corner = Corner { trace: entry.trace_id.clone(), time_ms: entry.time_ms };
        }
        line.clear();
        entry.write_line(&mut line);
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok(corner)
}

fn ingestion(engine: &Engine, sqlite: &Sqlite, loose: &Sqlite) -> Table {
    let mut table = Table::new(&["ingestion of the NDJSON file", "records/s", "bytes on disk a record"]);
    let mut row = |name: String, rate: Rate, disk: Option<f64>| {
        let disk = disk.map_or(String::from("–"), |bytes| format!("{bytes:.1}"));
        table.row(vec![name, format!("{:.0}", rate.per_second()), disk]);
    };
    row("reqlog, acknowledged (durable)".into(), engine.acknowledged, None);
    row("reqlog, settled (all compacted)".into(), engine.settled, Some(engine.disk));
    row("SQLite, synchronous=FULL".into(), sqlite.ingested, Some(sqlite.disk));
    row(format!("SQLite, synchronous=OFF, first {}", loose.ingested.rows), loose.ingested, Some(loose.disk));
    table
}

fn measure(question: &Question, engine: &Engine, sqlite: &Sqlite, table: &mut Table) -> Result<()> {
    let mut line = |after: String, ours: &Latency, theirs: &Latency| {
        table.row(vec![
            question.name.clone(),
            after,
            ours.p50(),
            ours.p99(),
            theirs.p50(),
            theirs.p99(),
            format!("{:.4}", ours.ratio(theirs)),
        ]);
    };
    match question.ask {
        Ask::Page => {
            for depth in DEPTHS {
                let Some(after) = engine.place(question, depth)? else {
                    continue;
                };
                let expected = engine.page(question, after)?;
                let statement = sqlite.fastest(question, after, &expected)?;
                let ours = Latency::of(|| engine.page(question, after).map(|rows| rows.len()))?;
                let theirs = Latency::of(|| sqlite.page(&statement, after).map(|rows| rows.len()))?;
                line(depth.to_string(), &ours, &theirs);
            }
        }
        Ask::Total => {
            let (ours, theirs) = (engine.total(question)?, sqlite.total(question)?);
            assert_eq!(ours, theirs, "{}", question.name);
            let ours = Latency::of(|| engine.total(question))?;
            let theirs = Latency::of(|| sqlite.total(question))?;
            line("–".into(), &ours, &theirs);
        }
        Ask::Stats | Ask::Histogram | Ask::Facets | Ask::Endpoints => {
            let answer = aggregates::ask(engine, question)?;
            let statements = answer.statements(question);
            assert_eq!(answer.groups(), aggregates::groups(sqlite, &statements)?, "{}", question.name);
            let ours = Latency::of(|| aggregates::ask(engine, question))?;
            let theirs = Latency::of(|| aggregates::groups(sqlite, &statements))?;
            line("–".into(), &ours, &theirs);
        }
        Ask::Counts => {
            let (ours, theirs) = (engine.counts(question)?, sqlite.counts(question)?);
            assert_eq!(ours, theirs, "{}", question.name);
            let ours = Latency::of(|| engine.counts(question))?;
            let theirs = Latency::of(|| sqlite.counts(question))?;
            line("–".into(), &ours, &theirs);
        }
    }
    eprintln!("measured: {}", question.name);
    Ok(())
}
