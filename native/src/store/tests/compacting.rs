//! Reading while everything else goes on, compaction, deletion.

use super::*;
use reqlog_core::catalog::SourceId;
use reqlog_core::filter::{Filter, Predicate};
use reqlog_core::level::Level;
use reqlog_core::query::{Detail, Direction, Order, Position, Query, Start, Total, Unit};
use reqlog_core::record::Stored;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;

fn query(order: Order, direction: Direction, bound: Seq, limit: usize) -> Query {
    Query {
        filter: Predicate::Const(true),
        order,
        direction,
        start: Start::First,
        bound,
        limit,
        detail: Detail::Whole,
        total: Total::Exact,
        unit: Unit::Record,
    }
}

// what a row is sorted by, then its sequence
fn place(order: Order, row: &Stored) -> (Option<i64>, Option<String>, Seq) {
    let number = match order {
        Order::Time => Some(row.record.time.as_nanos()),
        Order::Arrival => Some(row.id.seq().get() as i64),
        Order::Duration => row.record.duration.map(|value| value as i64),
        Order::Status => row.record.status.map(i64::from),
        Order::Size => row.record.size().map(|value| value as i64),
        Order::Level => Some(row.record.level as i64),
        Order::Trace | Order::Shown => None,
    };
    let text = match order {
        Order::Trace => row.record.text(Field::TraceId),
        Order::Shown => row.record.text(Field::Message),
        _ => None,
    };
    (number, text.map(str::to_owned), row.id.seq())
}

fn walk(store: &Store, order: Order, direction: Direction, limit: usize, before_each_page: impl Fn()) -> Vec<Stored> {
    let Some(bound) = store.catalog().head.map(EntryId::seq) else { return Vec::new() };
    let mut query = query(order, direction, bound, limit);
    let mut rows = Vec::new();
    loop {
        before_each_page();
        let page = store.page(&query).unwrap();
        assert_eq!(page.total, Some(bound.get()), "nothing present at the start goes, nothing new comes");
        query.start = match page.rows.last() {
            Some(row) => Position::of(row, order).map_or(Start::AfterRow(row.id.seq()), Start::After),
            None => Start::First,
        };
        rows.extend(page.rows);
        if !page.more_after {
            return rows;
        }
    }
}

// records that differ in everything that is sorted by, with many ties
fn varied(prefix: &str, count: usize) -> Ingest {
    let vary = |(n, mut record): (usize, Record)| {
        record.time = Timestamp::from_millis((n % 5) as i64);
        record.status = [None, Some(200), Some(503)][n % 3];
        record.level = Level::ALL[n % 3];
        record.texts.set_some(Field::TraceId, [None, Some("a"), Some("ab"), Some("b")][n % 4]);
        record.duration = (n % 4 > 0).then_some((n % 7) as u64);
        record
    };
    let records = records("p", prefix, count).records.into_iter().enumerate().map(vary).collect();
    Ingest { records, ..Ingest::default() }
}

#[test]
fn walks_see_each_record_once_in_order_while_others_write_and_compaction_runs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let stop = AtomicBool::new(false);
    store.commit(varied("start", 700)).unwrap();
    // every page lets one commit through, so that the store grows with the walks and not away from them
    let (ticks, ticked) = sync_channel(4);
    thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        let ticks = ticks;
        let store = &store;
        scope.spawn(move || {
            for (round, ()) in ticked.iter().enumerate() {
                store.commit(varied(&round.to_string(), [3, 40, 300][round % 3])).unwrap();
            }
        });
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                store.compact_now().unwrap();
            }
        });
        for (order, limit) in [
            (Order::Time, 333),
            (Order::Arrival, 500),
            (Order::Duration, 700),
            (Order::Status, 450),
            (Order::Size, 999),
            (Order::Level, 600),
            (Order::Trace, 800),
            (Order::Shown, 550),
        ] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let rows = walk(store, order, direction, limit, || ticks.send(()).unwrap());
                let places: Vec<_> = rows.iter().map(|row| place(order, row)).collect();
                let sorted = match direction {
                    Direction::Ascending => places.is_sorted_by(|a, b| a < b),
                    Direction::Descending => places.is_sorted_by(|a, b| a > b),
                };
                assert!(sorted, "{order:?} {direction:?}");
                let mut seqs: Vec<u64> = rows.iter().map(|row| row.id.seq().get()).collect();
                seqs.sort_unstable();
                let twice = seqs.windows(2).find(|pair| pair[0] == pair[1]);
                assert_eq!(twice, None, "{order:?} {direction:?}");
                assert_eq!(seqs.last().copied(), Some(rows.len() as u64), "{order:?} {direction:?}: holes");
            }
        }
    });
}

// so that a failed assertion ends the other threads too
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn compaction_and_reopening_change_no_row_and_leave_no_file_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    for round in 0..6 {
        store.commit(varied(&round.to_string(), 500)).unwrap();
        store.commit(records("other", &round.to_string(), 10)).unwrap();
    }
    let read = |store: &Store| walk(store, Order::Arrival, Direction::Ascending, 1000, || {});
    let before = read(&store);
    let held = store.snapshot();
    store.compact_now().unwrap();
    assert_eq!(read(&store), before);
    assert_eq!(store.snapshot().backlog(), 0);
    let named: Vec<_> = store.catalog().entries.iter().map(|entry| entry.id).collect();
    assert!(matches!(named[..], [SourceId::Segment(_), SourceId::Segment(_)]), "one of each project: {named:?}");
    drop(held);
    for round in 0..20 {
        store.commit(varied(&round.to_string(), 20)).unwrap();
        store.compact_now().unwrap();
    }
    let before = read(&store);
    let files = || store_files(dir.path());
    assert_eq!(files(), store.catalog().entries.len(), "replaced files are gone");
    store.close().unwrap();
    drop(store);
    let store = Store::open(dir.path(), manual()).unwrap();
    assert_eq!(read(&store), before);
    assert_eq!(std::fs::read_dir(dir.path().join("lost")).unwrap().count(), 0);
}

fn store_files(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("segments")).unwrap().count()
}

#[test]
fn a_snapshot_keeps_the_files_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    for round in 0..8 {
        store.commit(varied(&round.to_string(), 10)).unwrap();
        if round == 6 {
            store.compact_now().unwrap();
        }
    }
    let held = store.snapshot();
    let first = held.catalog().entries[0].clone();
    let erasure = Erasure::new(&Filter::All, Timestamp::from_nanos(0), None).unwrap();
    assert_eq!(store.delete(erasure).unwrap(), 80);
    store.compact_now().unwrap();
    assert_eq!((store.catalog().entries.len(), store_files(dir.path())), (0, 1));
    let reader = source::Reader { snapshot: &held, codec: &Zstd, cache: None, aside: None };
    assert_eq!(reader.rows(&first).map_err(|unreadable| unreadable.fault).unwrap().len(), 70);
    drop(held);
    assert_eq!(store_files(dir.path()), 0);
}

#[test]
fn a_deletion_hides_at_once_outlives_a_restart_and_becomes_physical() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.commit(varied("old", 600)).unwrap();
    store.commit(records("q", "old", 5)).unwrap();
    store.compact_now().unwrap();
    store.commit(varied("old", 60)).unwrap();
    let filter = Filter::parse("status:503").unwrap().filter;
    let erasure = || Erasure::new(&filter, Timestamp::from_nanos(0), Some("p")).unwrap();
    assert_eq!(store.delete(erasure()).unwrap(), 220);
    assert_eq!(store.delete(erasure()).unwrap(), 0, "they are gone already");
    store.commit(varied("new", 9)).unwrap();
    let check = |store: &Store| {
        let rows = walk_all(store);
        assert_eq!(rows.len(), 600 + 60 + 5 - 220 + 9);
        let failed = rows.iter().filter(|row| row.record.status == Some(503));
        assert!(failed.clone().all(|row| row.id.seq().get() > 665), "later rows are not touched");
        assert_eq!(failed.count(), 3);
        let stats = store.stats(&Predicate::Const(true), Seq::MAX, Unit::Record).unwrap();
        assert_eq!((stats.total, stats.classes.get("5xx")), (rows.len() as u64, Some(&3)));
    };
    check(&store);
    drop(store);
    let store = Store::open(dir.path(), manual()).unwrap();
    check(&store);
    assert_eq!(store.catalog().deletions.len(), 2);
    store.compact_now().unwrap();
    check(&store);
    let catalog = store.catalog();
    assert!(catalog.deletions.is_empty(), "{:?}", catalog.deletions);
    assert_eq!(catalog.entries.iter().map(|entry| entry.summary.rows).sum::<u64>(), 454);
}

fn walk_all(store: &Store) -> Vec<Stored> {
    let mut all = query(Order::Arrival, Direction::Ascending, Seq::MAX, 10_000);
    all.total = Total::Skip;
    store.page(&all).unwrap().rows
}

#[test]
fn a_deleted_project_takes_its_rows_and_keys_along() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.commit(records("gone", "x", 3)).unwrap();
    store.commit(records("stays", "x", 2)).unwrap();
    let key = |project: &str| NewKey {
        name: String::new(),
        role: Role::Read,
        scope: Scope::Project(project.into()),
        expires: None,
    };
    store.create_key(key("gone")).unwrap();
    let (kept, _) = store.create_key(key("stays")).unwrap();
    assert_eq!(store.delete_project("gone").unwrap(), 3);
    assert_eq!(store.delete_project("gone"), Err(Fault::Missing));
    assert_eq!(store.keyring().keys(), [kept]);
    assert_eq!(store.projects().iter().map(|(name, _)| name).collect::<Vec<_>>(), ["stays"]);
    assert_eq!(walk_all(&store).len(), 2);
}

#[test]
fn a_crash_between_file_and_transaction_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.commit(varied("x", 10)).unwrap();
    let ids = store.run(|committer| committer.reserve(2)).unwrap();
    store.inner.shared.dir.write_segment(ids[0], b"written").unwrap();
    drop(store);
    let store = Store::open(dir.path(), manual()).unwrap();
    assert_eq!((store_files(dir.path()), walk_all(&store).len()), (0, 10));
    assert_eq!(std::fs::read_dir(dir.path().join("lost")).unwrap().count(), 0);
    assert!(store.run(|committer| committer.reserve(1)).unwrap()[0] > ids[1], "numbers are not used again");
}

#[test]
fn a_damaged_segment_is_reported_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.commit(varied("x", 100)).unwrap();
    store.compact_now().unwrap();
    store.commit(varied("y", 100)).unwrap();
    drop(store);
    let file = std::fs::read_dir(dir.path().join("segments")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let all = query(Order::Arrival, Direction::Ascending, Seq::MAX, 200);
    assert!(matches!(store.page(&all), Err(Fault::Corrupt(_))));
    store.compact_now().unwrap();
    let young = Predicate::between(reqlog_core::filter::Number::Seq, 101, i64::MAX);
    assert_eq!(store.page(&Query { filter: young, ..all }).unwrap().rows.len(), 100);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn at_the_reserve_rows_are_deleted_compacted_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let room = Arc::new(AtomicU64::new(u64::MAX));
    let options = Options { disk: Arc::new(Room(room.clone())), reserve: 5 << 20, ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    store.commit(varied("x", 300)).unwrap();
    room.store(1 << 20, Ordering::SeqCst);
    assert_eq!(store.ready(), Err(Fault::DiskFull));
    let filter = Filter::parse("status:503").unwrap().filter;
    assert_eq!(store.delete(Erasure::new(&filter, Timestamp::from_nanos(0), None).unwrap()).unwrap(), 100);
    store.compact_now().unwrap();
    assert_eq!((walk_all(&store).len(), store.snapshot().backlog()), (200, 0));
}

#[test]
fn the_background_thread_compacts_what_becomes_due() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options { reserve: 0, ..Options::default() }).unwrap();
    store.commit(varied("x", 20_000)).unwrap();
    let shared = &store.inner.shared;
    let state = shared.state();
    let waiting = |_: &mut State| store.snapshot().backlog() > 0;
    let (state, timeout) = shared.changed.wait_timeout_while(state, Duration::from_secs(30), waiting).unwrap();
    drop(state);
    assert!(!timeout.timed_out());
    assert_eq!(
        store
            .get(Seq::new(20_000).unwrap(), None, &Predicate::Const(true), Detail::Preview)
            .unwrap()
            .unwrap()
            .id
            .seq()
            .get(),
        20_000
    );
}

#[test]
fn compaction_gives_way_to_an_import_until_it_ends_pauses_or_fills_half_of_the_backlog() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { backlog: 40_000, ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    let shared = &store.inner.shared;
    let compactor = compaction::Compactor::new(shared.clone(), store.inner.requests.clone());
    let part = |from: u64| {
        let progress = reqlog_core::identity::Progress {
            source: (from > 0).then_some(1),
            from,
            blocks: vec![from],
            tail: Vec::new(),
        };
        let records = varied(&from.to_string(), 300).records;
        store
            .commit(Ingest {
                records,
                import: Some(reqlog_core::identity::Imported { scope: 1, progress }),
                ..Ingest::default()
            })
            .unwrap();
    };
    store.commit(varied("no import", 10)).unwrap();
    assert!(!compactor.gives_way());
    part(0);
    assert!(compactor.gives_way());
    store.import_ended();
    assert!(!compactor.gives_way());
    part(1);
    assert!(compactor.gives_way());
    // nothing was submitted for as long as it has patience
    let past = Instant::now().checked_sub(compaction::LULL).unwrap();
    shared.state().importing = Some(past);
    assert!(!compactor.gives_way());
    let mut from = 2;
    while store.snapshot().backlog() <= 20_000 {
        part(from);
        assert_eq!(compactor.gives_way(), store.snapshot().backlog() <= 20_000);
        from += 1;
    }
    assert!(!compactor.gives_way());
}

#[test]
fn segments_built_by_many_threads_are_those_that_one_builds() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    // several blocks, texts enough for gram filters, and two projects
    for round in 0..3 {
        let mut ingest = varied(&format!("/v1/users/{round}"), 9_000);
        for (n, record) in ingest.records.iter_mut().enumerate() {
            record
                .texts
                .set(Field::Path, &format!("/v1/users/{:016x}", (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            if n % 4 == 0 {
                record.texts.set(Field::Project, "q");
            }
        }
        store.commit(ingest).unwrap();
    }
    let rows = walk(&store, Order::Arrival, Direction::Ascending, 9_999, || {});
    assert_eq!(rows.len(), 27_000);
    let mut serial = Vec::new();
    for project in ["p", "q"] {
        let mut of: Vec<Stored> =
            rows.iter().filter(|row| row.record.text(Field::Project) == Some(project)).cloned().collect();
        of.sort_by_key(|row| (row.record.time, row.id.seq()));
        serial.push(reqlog_core::segment::build(&of, &Zstd).unwrap());
    }
    let parallel = compaction::build(rows, &store.inner.shared);
    assert_eq!(parallel.len(), 2);
    for (one, many) in serial.iter().zip(&parallel) {
        assert_eq!(one.summary, many.summary);
        assert!(one.bytes == many.bytes, "{} and {} bytes", one.bytes.len(), many.bytes.len());
    }
}
