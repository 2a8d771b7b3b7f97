//! Plain SQLite: one row a record, the indexes that a person would make, trigrams over message and URL.

use super::engine::Place;
use super::questions::{Question, Sql};
use super::report::Rate;
use super::{PAGE, Result};
use reqlog_core::format::{Format, Head, Parser, Splitter};
use reqlog_core::headers::Headers;
use reqlog_core::level::Level;
use reqlog_core::query::{Counts, Order};
use reqlog_core::record::{Field, Message, Record};
use reqlog_core::timestamp::Timestamp;
use rusqlite::{Connection, params_from_iter, types::Value};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// At every commit, as reqlog does.
    Full,
    /// Never: a power failure can destroy the database.
    Off,
}

/// A database with the corpus in it.
pub struct Sqlite {
    pub(super) connection: Connection,
    /// Each transaction committed.
    pub ingested: Rate,
    /// Bytes on disk a record, after a checkpoint.
    pub disk: f64,
}

const SCHEMA: &str = "
    CREATE INDEX by_time ON records (time);
    CREATE INDEX by_service ON records (service, time);
    CREATE INDEX by_status ON records (status, time);
    CREATE INDEX by_trace ON records (trace_id);
    CREATE INDEX by_duration ON records (duration);
    CREATE VIRTUAL TABLE words USING fts5(message, url, content='', tokenize='trigram');";

// records a transaction
const TRANSACTION: usize = 1000;

impl Sqlite {
    /// Inserts the first `rows` records of `file`; they are parsed on another thread, so that only inserting counts.
    pub fn build(path: &Path, file: &Path, rows: u64, sync: Sync) -> Result<Self> {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", if sync == Sync::Full { "full" } else { "off" })?;
        connection.pragma_update(None, "cache_size", -262_144)?;
        let columns = columns();
        connection
            .execute_batch(&format!("CREATE TABLE records (seq INTEGER PRIMARY KEY, {});", columns.join(", ")))?;
        connection.execute_batch(SCHEMA)?;

        let (sender, chunks) = sync_channel(8);
        let start = Instant::now();
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || read(file, rows, &sender));
            insert(&mut connection, &columns, &chunks)?;
            reading.join().map_err(|_| "the reading thread panicked")?
        })?;
        let ingested = Rate { rows, time: start.elapsed() };
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")?;
        let disk = path.metadata()?.len() as f64 / rows as f64;
        eprintln!("SQLite, {sync:?}: {:.0} records/s, {disk:.1} bytes a record", ingested.per_second());
        Ok(Self { connection, ingested, disk })
    }

    /// The variant of a page that is answered soonest; all have to give the `expected` rows.
    pub fn fastest(&self, question: &Question, after: Place, expected: &[i64]) -> Result<String> {
        let mut best: Option<(Duration, String)> = None;
        for variant in &question.sql {
            let sql = page_sql(variant, question.order, after);
            // the first time warms the cache
            let rows = self.page(&sql, after)?;
            assert_eq!(rows, expected, "{}: {sql}", question.name);
            let start = Instant::now();
            self.page(&sql, after)?;
            let time = start.elapsed();
            if best.as_ref().is_none_or(|(least, _)| time < *least) {
                best = Some((time, sql));
            }
        }
        best.map(|(_, sql)| sql).ok_or_else(|| "a question has SQL".into())
    }

    /// Sequences of a page; every column of its rows is read, bodies as previews.
    pub fn page(&self, sql: &str, after: Place) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let parameters = after.map_or(vec![], |(key, seq)| vec![key, seq]);
        let mut rows = statement.query(params_from_iter(parameters))?;
        let (mut found, mut bytes) = (Vec::with_capacity(PAGE), 0);
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
            for column in 1..columns {
                bytes += row.get_ref(column)?.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len);
            }
        }
        std::hint::black_box(bytes);
        Ok(found)
    }

    /// How many rows match.
    pub fn total(&self, question: &Question) -> Result<u64> {
        let Sql { from, condition } = &question.sql[0];
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT count(*) FROM {from} WHERE {condition}"))?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Counts by level and by service.
    pub fn counts(&self, question: &Question) -> Result<(Counts, Counts)> {
        let Sql { from, condition } = &question.sql[0];
        let sql = format!("SELECT level, service, count(*) FROM {from} WHERE {condition} GROUP BY level, service");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (mut rows, mut levels, mut services) = (statement.query([])?, Counts::new(), Counts::new());
        while let Some(row) = rows.next()? {
            let (level, service, count): (u8, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let level = Level::from_stored(level).ok_or("no such level")?;
            *levels.entry(level.name().into()).or_default() += count as u64;
            *services.entry(service).or_default() += count as u64;
        }
        Ok((levels, services))
    }
}

// in the order of `values`
fn columns() -> Vec<&'static str> {
    let mut columns = vec!["time", "level", "kind", "status", "duration", "url"];
    columns.extend(Field::ALL.iter().map(|field| field.name()));
    columns.extend(["request_headers", "request_type", "request_size", "response_headers", "response_type"]);
    // last, so that rows are read without walking over them
    columns.extend(["response_size", "request_body", "response_body"]);
    columns
}

fn values(record: &Record) -> Vec<Value> {
    let text = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
    let mut values = vec![
        record.time.as_nanos().into(),
        i64::from(record.level as u8).into(),
        i64::from(record.kind as u8).into(),
        record.status.map(i64::from).into(),
        record.duration.map(|duration| duration as i64).into(),
        text(record.url().as_deref()),
    ];
    values.extend(Field::ALL.iter().map(|&field| text(record.text(field))));
    for Message { headers, body } in [&record.request, &record.response] {
        values.push(header_lines(headers).into());
        values.push(text(body.as_ref().and_then(|body| body.content_type.as_deref())));
        values.push(body.as_ref().map(|body| body.size as i64).into());
    }
    for Message { body, .. } in [&record.request, &record.response] {
        values.push(body.as_ref().map(|body| body.bytes.clone()).into());
    }
    values
}

fn header_lines(headers: &Headers) -> Option<String> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    (!lines.is_empty()).then_some(lines)
}

fn read(file: &Path, rows: u64, chunks: &SyncSender<Vec<Record>>) -> Result<()> {
    let mut input = File::open(file)?;
    let (mut splitter, mut slice) = (Splitter::new(Format::Ndjson), vec![0; 1 << 20]);
    let parser = Parser::new(Format::Ndjson, &Head::default(), Timestamp::from_nanos(0));
    let (mut chunk, mut left) = (Vec::with_capacity(TRANSACTION), rows);
    while left > 0 {
        let filled = input.read(&mut slice)?;
        if filled == 0 {
            break;
        }
        splitter.push(&slice[..filled]);
        while let Some(unit) = splitter.next().filter(|_| left > 0) {
            chunk.push(parser.parse(&unit).map_err(|rejection| rejection.reason)?);
            left -= 1;
            if chunk.len() == TRANSACTION {
                chunks.send(std::mem::take(&mut chunk))?;
            }
        }
    }
    Ok(chunks.send(chunk)?)
}

fn insert(connection: &mut Connection, columns: &[&str], chunks: &Receiver<Vec<Record>>) -> Result<()> {
    let places = vec!["?"; columns.len()].join(", ");
    let insert = format!("INSERT INTO records ({}) VALUES ({places})", columns.join(", "));
    for chunk in chunks {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(&insert)?;
            let mut index = transaction.prepare_cached("INSERT INTO words (rowid, message, url) VALUES (?, ?, ?)")?;
            for record in &chunk {
                insert.execute(params_from_iter(values(record)))?;
                let seq = transaction.last_insert_rowid();
                index.execute((seq, record.text(Field::Message), record.url().as_deref()))?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

fn page_sql(Sql { from, condition }: &Sql, order: Order, after: Place) -> String {
    let key = if order == Order::Duration { "duration" } else { "time" };
    let selected: Vec<String> = columns()
        .into_iter()
        .map(|column| if column.ends_with("_body") { format!("substr({column}, 1, 256)") } else { column.into() })
        .collect();
    let keyset = if after.is_some() { format!(" AND ({key}, seq) < (?1, ?2)") } else { String::new() };
    format!(
        "SELECT seq, {} FROM {from} WHERE {condition}{keyset} ORDER BY {key} DESC, seq DESC LIMIT {PAGE}",
        selected.join(", ")
    )
}
