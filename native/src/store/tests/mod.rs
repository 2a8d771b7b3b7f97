//! The store against the laws of its module documentation.

mod backing_up;
mod compacting;
mod doctoring;
mod remembering;
mod repairing;
mod retaining;

use super::*;
use reqlog_core::auth::{NewKey, Role, Scope, Secret};
use reqlog_core::batch;
use reqlog_core::catalog::{Erasure, SourceId};
use reqlog_core::filter::{Number, Predicate};
use reqlog_core::query::Unit;
use reqlog_core::record::{Field, Record};
use reqlog_core::timestamp::Timestamp;
use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub(super) fn record(project: &str, message: &str) -> Record {
    let mut record = Record::new(Timestamp::from_millis(1_000));
    record.texts.set(Field::Project, project);
    record.texts.set(Field::Environment, "test");
    record.texts.set(Field::Message, message);
    record
}

pub(super) fn records(project: &str, prefix: &str, count: usize) -> Ingest {
    let records = (0..count).map(|n| record(project, &format!("{prefix}-{n}"))).collect();
    Ingest { records, ..Ingest::default() }
}

pub(super) fn manual() -> Options {
    Options { reserve: 0, compaction: Compaction::Manual, ..Options::default() }
}

// message and arrival by sequence, from every batch
fn batched(store: &Store) -> BTreeMap<u64, (String, u64)> {
    let snapshot = store.snapshot();
    let mut rows = BTreeMap::new();
    for entry in &snapshot.catalog().entries {
        let SourceId::Batch(first) = entry.id else { continue };
        let blob = snapshot.batch(first).unwrap();
        for row in batch::decode(blob, entry.summary.seq.0, entry.summary.arrival.0, &Zstd).unwrap() {
            let message = row.record.text(Field::Message).unwrap().to_owned();
            assert!(
                rows.insert(row.id.seq().get(), (message, row.id.arrival_ms())).is_none(),
                "twice: {}",
                row.id.seq()
            );
        }
    }
    rows
}

#[test]
fn many_threads_get_dense_unique_sequences_and_all_of_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let sizes = [1usize, 3, 300, 17_000];
    let expected: BTreeMap<u64, String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    let mut rows = Vec::new();
                    for round in 0..12 {
                        let size = if writer == 0 && round == 5 { sizes[3] } else { sizes[(writer + round) % 3] };
                        let prefix = format!("{writer}-{round}");
                        let committed = store.commit(records("p", &prefix, size)).unwrap();
                        let first = committed.first.unwrap().get();
                        rows.extend((0..size).map(|n| (first + n as u64, format!("{prefix}-{n}"))));
                    }
                    rows
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let check = |store: &Store| {
        let rows: BTreeMap<u64, String> = batched(store).into_iter().map(|(seq, (text, _))| (seq, text)).collect();
        assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=expected.len() as u64).collect::<Vec<_>>());
        assert_eq!(rows, expected);
        assert_eq!(store.catalog().head.map(EntryId::seq), Seq::new(expected.len() as u64));
    };
    check(&store);
    drop(store);
    check(&Store::open(dir.path(), manual()).unwrap());
}

#[test]
fn an_ingestion_without_records_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    assert_eq!(store.commit(Ingest::default()).unwrap().first, None);
    assert_eq!((store.catalog().head, store.catalog().entries.len()), (None, 0));
}

#[test]
fn projects_keys_and_secrets_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let secret = store.ensure_admin(None).unwrap().expect("a fresh store has no admin key");
    assert_eq!(store.ensure_admin(None).unwrap(), None);
    assert_eq!(store.ensure_admin(Some(Secret::given("chosen".into()))).unwrap(), None);
    assert_eq!(store.ensure_admin(Some(Secret::given("chosen".into()))).unwrap(), None);
    let new = NewKey { name: "ci".into(), role: Role::Ingest, scope: Scope::Project("p".into()), expires: None };
    let (key, _) = store.create_key(new.clone()).unwrap();
    store.revoke_key(key.id).unwrap();
    assert_eq!(store.revoke_key(key.id), Err(Fault::Missing));
    assert!(store.create_key(new).unwrap().0.id > key.id, "numbers are not used again");
    store.create_project("declared", &["staging".into()]).unwrap();
    store.commit(records("named", "x", 1)).unwrap();
    let before = (store.keyring().keys().to_vec(), store.projects(), *store.secret(), *store.redact_key());
    assert_eq!(before.1.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["declared", "named"]);
    assert!(before.1.environments("named").unwrap().contains("test"));
    store.close().unwrap();
    drop(store);
    let store = Store::open(dir.path(), manual()).unwrap();
    assert_eq!(before, (store.keyring().keys().to_vec(), store.projects(), *store.secret(), *store.redact_key()));
    assert!(store.keyring().authenticate(secret.expose(), Timestamp::from_nanos(0)).is_some());
    assert!(store.keyring().authenticate("chosen", Timestamp::from_nanos(0)).is_some());
    let files: Vec<_> = ["catalog.db", "redact.key"].map(|name| std::fs::read(dir.path().join(name)).unwrap()).into();
    let needle = secret.expose().as_bytes();
    assert!(files.iter().all(|file| !file.windows(needle.len()).any(|window| window == needle)), "keys are hashed");
}

#[test]
fn a_directory_has_one_owner_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let refused = Store::open(dir.path(), manual()).err().unwrap();
    assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
    drop(store);
    Store::open(dir.path(), manual()).unwrap();
}

#[test]
fn a_catalog_of_another_version_or_program_is_left_as_it_is() {
    let check = |sql: &str, known: fn(&OpenError) -> bool| {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path(), manual()).unwrap());
        let path = dir.path().join("catalog.db");
        if sql.starts_with("PRAGMA") {
            rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        } else {
            std::fs::write(&path, sql).unwrap();
        }
        let before = std::fs::read(&path).unwrap();
        let error = Store::open(dir.path(), manual()).err().unwrap();
        assert!(known(&error), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    };
    check("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)", |e| {
        matches!(e, OpenError::Version { found: 99, known: 1, .. })
    });
    check("PRAGMA application_id = 7; PRAGMA wal_checkpoint(TRUNCATE)", |e| matches!(e, OpenError::Foreign(_)));
    check("this is no database, only a text that is long enough to be read as one by mistake", |e| {
        matches!(e, OpenError::Foreign(_))
    });
}

#[test]
fn no_catalog_is_made_beside_segments() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("segments")).unwrap();
    std::fs::write(dir.path().join("segments/1.seg"), "rows").unwrap();
    let error = Store::open(dir.path(), manual()).err().unwrap();
    assert!(matches!(error, OpenError::NoCatalog(_)), "{error}");
    assert!(!dir.path().join("catalog.db").exists());
}

#[test]
fn unknown_files_move_to_lost_under_names_that_are_free() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..3 {
        drop(Store::open(dir.path(), manual()).unwrap());
        std::fs::write(dir.path().join("segments/7.seg"), format!("round {round}")).unwrap();
    }
    drop(Store::open(dir.path(), manual()).unwrap());
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!([read("lost/7.seg"), read("lost/7.seg.1")], ["round 1", "round 2"]);
    assert_eq!(std::fs::read_dir(dir.path().join("segments")).unwrap().count(), 0);
}

#[test]
fn nothing_arrives_before_a_moment_that_a_reader_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicU64::new(5_000));
    let now = clock.clone();
    let options =
        Options { clock: Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst) as i64)), ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    let commit = |at: u64| {
        clock.store(at, Ordering::SeqCst);
        store.commit(records("p", "x", 1)).unwrap().arrival_ms
    };
    assert_eq!(commit(5_000), 5_000);
    clock.store(9_000, Ordering::SeqCst);
    assert_eq!(store.now(), Timestamp::from_millis(9_000), "the beginning of a walk, for one");
    assert_eq!([commit(6_000), commit(6_000), commit(9_500)], [9_000, 9_001, 9_500]);
    clock.store(7_000, Ordering::SeqCst);
    assert_eq!(store.now(), Timestamp::from_millis(7_000), "time itself is told as it is");
}

#[test]
fn arrival_grows_from_commit_to_commit_whatever_the_clock_does() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(0));
    let options = || {
        let now = now.clone();
        Options { clock: Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst) as i64)), ..manual() }
    };
    let store = Store::open(dir.path(), options()).unwrap();
    let commit = |store: &Store, at| {
        now.store(at, Ordering::SeqCst);
        let arrival = store.commit(records("p", "x", 2)).unwrap().arrival_ms;
        assert_eq!(store.catalog().head.map(EntryId::arrival_ms), Some(arrival));
        arrival
    };
    // standing still, going back, going on
    assert_eq!([5_000, 5_000, 4_000, 6_000].map(|at| commit(&store, at)), [5_000, 5_001, 5_002, 6_000]);
    drop(store);
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(store.catalog().head, Seq::new(8).map(|seq| EntryId::new(6_000, seq)));
    assert_eq!([1, 6_001, 6_003].map(|at| commit(&store, at)), [6_001, 6_002, 6_003]);
    let arrivals: Vec<u64> = batched(&store).into_values().map(|(_, at)| at).collect();
    assert_eq!(arrivals, [5_000, 5_001, 5_002, 6_000, 6_001, 6_002, 6_003].map(|at| [at, at]).concat(), "one a commit");
    // so a bound by arrival is a bound by sequence, in batches as in segments
    for segments in [false, true] {
        if segments {
            store.compact_now().unwrap();
        }
        for at in 4_999..6_005 {
            let last = arrivals.iter().filter(|arrival| **arrival <= at).count() as u64;
            let count = |number, bound: u64| {
                let filter = Predicate::between(number, 0, bound as i64);
                store.stats(&filter, Seq::MAX, Unit::Record).unwrap().total
            };
            assert_eq!((count(Number::Arrival, at), count(Number::Seq, last)), (last, last), "up to {at}");
        }
    }
}

/// The system's disk with as much room as a test says.
pub(super) struct Room(pub(super) Arc<AtomicU64>);

impl Disk for Room {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        OsDisk.list(dir)
    }
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OsDisk.create(path, bytes)
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OsDisk.append(path, bytes)
    }
    fn read(&self, path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
        OsDisk.read(path, range)
    }
    fn len(&self, path: &Path) -> io::Result<u64> {
        OsDisk.len(path)
    }
    fn sync_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_file(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        OsDisk.sync_dir(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }
    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        OsDisk.lock(path)
    }
}

#[test]
fn at_the_reserve_nothing_is_ingested_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let room = Arc::new(AtomicU64::new(10 << 20));
    let options = Options { disk: Arc::new(Room(room.clone())), reserve: 5 << 20, ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    store.commit(records("p", "before", 2)).unwrap();
    room.store(5 << 20, Ordering::SeqCst);
    assert_eq!(store.commit(records("p", "during", 2)), Err(Fault::DiskFull));
    store.create_project("still", &[]).unwrap();
    room.store(10 << 20, Ordering::SeqCst);
    store.commit(records("p", "after", 1)).unwrap();
    let rows: Vec<_> = batched(&store).into_iter().map(|(seq, (text, _))| (seq, text)).collect();
    let expected = [(1, "before-0"), (2, "before-1"), (3, "after-0")].map(|(seq, text)| (seq, text.to_owned()));
    assert_eq!(rows, expected);
}

#[test]
fn a_closed_store_refuses_writes_and_goes_on_reading() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let tickets: Vec<_> =
        (0..20).map(|n| store.submit(store.prepare(records("p", &format!("{n}"), 2))).unwrap()).collect();
    store.close().unwrap();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(store.commit(records("p", "late", 1)), Err(Fault::Closed));
    assert_eq!(batched(&store).len(), 40);
    let wal: PathBuf = dir.path().join("catalog.db-wal");
    assert!(std::fs::metadata(wal).map_or(0, |file| file.len()) == 0, "the log was emptied");
    store.close().unwrap();
}
