//! What is wrong with a store, given what it acknowledged.

use crate::ledger::{Found, Ledger, Standing, View};
use crate::script::{self, directory, options};
use reqlog::store::{self, Store};
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::query::{Detail, Direction, Order, Position, Query, SortKey, Start, Total, Unit};
use reqlog_core::record::{Field, Stored};
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::simdisk::{Loss, SimDisk};
use std::collections::{BTreeMap, BTreeSet};

/// Holds a disk after a power failure against the ledger: as it is found, with new records, and after another failure.
pub fn after_restart(disk: &SimDisk, mut ledger: Ledger) -> Result<(), String> {
    let now = ledger.now;
    let start = |disk: &SimDisk| Store::open(&directory(disk), options(disk, now)).map_err(|error| error.to_string());
    let store = start(disk)?;
    check(&store, View::Restarted, &mut ledger)?;
    // sequences of records that came after the failure are new ones
    script::ingest(&store, &mut ledger, "verdict", 2, 5).map_err(|fault| fault.to_string())?;
    check(&store, View::Running, &mut ledger)?;
    store.compact_now().map_err(|fault| fault.to_string())?;
    check(&store, View::Running, &mut ledger)?;
    let disk = disk.restart(Loss::Unsynced);
    drop(store);
    let store = start(&disk)?;
    check(&store, View::Restarted, &mut ledger)?;
    drop(store);
    sound(&disk, now)
}

/// Verifies every checksum and invariant, as `reqlog doctor` does.
fn sound(disk: &SimDisk, now: i64) -> Result<(), String> {
    let diagnosis = store::doctor(&directory(disk), &options(disk, now)).map_err(|error| error.to_string())?;
    diagnosis.findings.first().map_or(Ok(()), |finding| Err(format!("doctor: {finding}")))
}

/// Holds what a store shows against the ledger, which then knows what was in doubt.
pub fn check(store: &Store, view: View, ledger: &mut Ledger) -> Result<(), String> {
    let rows = walk(store)?;
    let mut found: BTreeMap<&str, BTreeMap<usize, &Stored>> = BTreeMap::new();
    for row in &rows {
        let message = row.record.text(Field::Message).ok_or("a record has no message")?;
        let (name, number) = message.split_once('/').ok_or("a message is damaged")?;
        let number = number.parse().map_err(|_| "a message is damaged")?;
        if found.entry(name).or_default().insert(number, row).is_some() {
            return Err(format!("{message} is there twice"));
        }
        ledger.name(row.id.seq().get(), message)?;
        ledger.arrival = ledger.arrival.max(row.id.arrival_ms());
    }
    for ingestion in &mut ledger.ingestions {
        let there = found.remove(ingestion.name.as_str()).unwrap_or_default();
        let how_much = match there.len() {
            0 => Found::Nothing,
            n if n == ingestion.records && there.keys().copied().eq(0..n) => Found::All,
            _ => Found::Part,
        };
        let standing = ingestion.standing.after(how_much, view);
        ingestion.standing = standing.ok_or_else(|| format!("{} of {ingestion:?} are there", there.len()))?;
        let first = ingestion.first.or(there.get(&0).map(|row| row.id.seq().get()));
        let expected = script::records(&ingestion.name, ingestion.records, ingestion.body).records;
        for (number, row) in there {
            if row.record != expected[number] {
                return Err(format!("{}/{number} reads back as {:?}", ingestion.name, row.record));
            }
            if Some(row.id.seq().get()) != first.map(|first| first + number as u64) {
                return Err(format!("{}/{number} has sequence {}, of {ingestion:?}", ingestion.name, row.id.seq()));
            }
        }
    }
    if let Some(name) = found.keys().next() {
        return Err(format!("nobody ingested {name}"));
    }
    access(store, view, ledger)
}

fn access(store: &Store, view: View, ledger: &mut Ledger) -> Result<(), String> {
    let projects: BTreeSet<String> = store.projects().iter().map(|(name, _)| name.to_owned()).collect();
    for (name, standing) in &mut ledger.projects {
        let after = standing.after(Found::whether(projects.contains(name)), view);
        *standing = after.ok_or_else(|| format!("project {name} is {standing:?}, and there are {projects:?}"))?;
    }
    for (secret, standing) in &mut ledger.keys {
        let opens = store.keyring().authenticate(secret, Timestamp::from_nanos(0)).is_some();
        let after = standing.after(Found::whether(opens), view);
        *standing = after.ok_or_else(|| format!("key {secret} is {standing:?}, and whether it opens: {opens}"))?;
    }
    let stored = ledger.ingestions.iter().filter(|ingestion| ingestion.standing == Standing::There);
    if stored.count() > 0 && !(projects.contains("p") || projects.contains("q")) {
        return Err(format!("the projects of records are not among {projects:?}"));
    }
    match ledger.secrets {
        Some(secrets) if secrets != (*store.secret(), *store.redact_key()) => Err("the secrets are others".into()),
        _ => Ok(()),
    }
}

/// Every record in arrival order, by small pages, bodies too; fails when the counts differ.
fn walk(store: &Store) -> Result<Vec<Stored>, String> {
    let mut rows: Vec<Stored> = Vec::new();
    loop {
        let start = rows.last().map_or(Start::First, |row| {
            let seq = row.id.seq();
            Start::After(Position { key: SortKey::of(Some(seq.get() as i64)), seq })
        });
        let query = Query {
            filter: Predicate::ALL,
            order: Order::Arrival,
            direction: Direction::Ascending,
            start,
            bound: Seq::MAX,
            limit: 64,
            detail: Detail::Whole,
            total: Total::Exact,
            unit: Unit::Record,
        };
        let page = store.page(&query).map_err(|fault| format!("page: {fault}"))?;
        let more = page.more_after;
        rows.extend(page.rows);
        if !more {
            return match page.total {
                Some(total) if total == rows.len() as u64 => Ok(rows),
                total => Err(format!("{total:?} records are counted and {} are there", rows.len())),
            };
        }
    }
}
