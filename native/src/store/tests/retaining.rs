//! Retention: what it hides, what it frees, and what it must not touch.

use super::*;
use reqlog_core::body::Body;
use reqlog_core::filter::Filter;
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::Stored;
use reqlog_core::retention::{Limits, Retention, target};
use reqlog_core::segment::Directory;

const SECOND: u64 = 1_000;

/// A directory, a clock that tests set, and limits.
struct Bench {
    dir: tempfile::TempDir,
    now: Arc<AtomicU64>,
    retention: Retention,
}

impl Bench {
    fn new(retention: Retention) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), now: Arc::new(AtomicU64::new(0)), retention }
    }

    fn options(&self) -> Options {
        let now = self.now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst) as i64));
        Options { clock, retention: self.retention.clone(), ..manual() }
    }

    fn open(&self) -> Store {
        Store::open(self.dir.path(), self.options()).unwrap()
    }

    fn at(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// Bytes of every file of the directory.
    fn disk(&self) -> u64 {
        let sum = |dir: PathBuf| -> u64 {
            let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            files.filter(std::fs::Metadata::is_file).map(|file| file.len()).sum()
        };
        sum(self.dir.path().to_owned()) + sum(self.dir.path().join("segments"))
    }

    fn segments(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.dir.path().join("segments")).unwrap();
        files.map(|entry| entry.unwrap().path()).collect()
    }
}

fn age(seconds: u64) -> Limits {
    Limits { age: Some(Duration::from_secs(seconds)), bytes: None }
}

fn bytes(bytes: u64) -> Limits {
    Limits { age: None, bytes: Some(bytes) }
}

fn every(default: Limits) -> Retention {
    Retention { default, ..Retention::default() }
}

fn rows(store: &Store) -> Vec<Stored> {
    let query = Query {
        filter: Predicate::ALL,
        order: Order::Arrival,
        direction: Direction::Ascending,
        start: Start::First,
        bound: Seq::MAX,
        limit: 100_000,
        detail: Detail::Preview,
        total: Total::Exact,
        unit: Unit::Record,
    };
    let page = store.page(&query).unwrap();
    assert_eq!(page.total, Some(page.rows.len() as u64));
    assert_eq!(store.stats(&Predicate::ALL, Seq::MAX, Unit::Record).unwrap().total, page.rows.len() as u64);
    page.rows
}

fn seqs(store: &Store) -> Vec<u64> {
    rows(store).iter().map(|row| row.id.seq().get()).collect()
}

fn physical(store: &Store) -> u64 {
    store.catalog().entries.iter().map(|entry| entry.summary.rows).sum()
}

fn expired(store: &Store) -> Option<u64> {
    store.catalog().expired.highest().map(Seq::get)
}

/// Records with bodies of so many bytes that do not compress away.
fn heavy(project: &str, count: usize, body: usize, seed: u64) -> Ingest {
    let mut ingest = records(project, &seed.to_string(), count);
    let mut state = seed;
    for record in &mut ingest.records {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b'!' + ((state >> 33) % 90) as u8
        };
        let bytes: Vec<u8> = (0..body).map(|_| next()).collect();
        let size = bytes.len() as u64;
        record.response.body = Some(Body { size, bytes, withheld: 0, content_type: None, cut: None });
    }
    ingest
}

#[test]
fn an_age_counts_from_arrival_to_the_millisecond_in_batches_and_segments() {
    for segments in [false, true] {
        let bench = Bench::new(every(age(60)));
        let store = bench.open();
        for at in 1..=10 {
            bench.at(at * SECOND);
            // the records say that they are of 1970; they have just arrived
            store.commit(records("p", "x", 2)).unwrap();
        }
        if segments {
            store.compact_now().unwrap();
        }
        for (now, left) in [(61_000, 20), (61_001, 18), (63_000, 16), (63_001, 14), (64_500, 12)] {
            bench.at(now);
            retention::tick(&store.inner.shared, &store.inner.requests).unwrap();
            assert_eq!(seqs(&store), (21 - left..=20).collect::<Vec<u64>>(), "at {now}");
            assert_eq!(expired(&store), (left < 20).then_some(20 - left));
            assert_eq!(physical(&store), 20, "a tick frees nothing");
        }
        // what is hidden does not come back with a clock that goes back
        bench.at(60_000);
        retention::tick(&store.inner.shared, &store.inner.requests).unwrap();
        assert_eq!(rows(&store).len(), 12);
    }
}

#[test]
fn what_arrives_after_the_clock_was_set_back_has_not_expired() {
    let bench = Bench::new(every(age(60)));
    bench.at(1_000 * SECOND);
    let store = bench.open();
    // the start has set a horizon
    bench.at(0);
    store.commit(records("p", "x", 1)).unwrap();
    assert_eq!(seqs(&store), [1]);
    // and so does every look
    bench.at(5_000 * SECOND);
    store.retain_now().unwrap();
    bench.at(0);
    store.commit(records("p", "y", 1)).unwrap();
    store.retain_now().unwrap();
    assert_eq!(seqs(&store), [2]);
}

#[test]
fn a_walk_that_began_before_the_clock_was_set_back_hears_of_what_expires() {
    let bench = Bench::new(every(age(60)));
    bench.at(SECOND);
    let store = bench.open();
    store.commit(records("p", "x", 2)).unwrap();
    bench.at(500 * SECOND);
    let began = store.now();
    bench.at(100 * SECOND);
    store.retain_now().unwrap();
    let lost = |after| store.catalog().expired.lost_since(began, Seq::new(after));
    assert_eq!((seqs(&store), lost(0), lost(1), lost(2)), (vec![], true, true, false));
}

#[test]
fn a_segment_is_rewritten_once_half_of_it_has_expired_and_dropped_unread_once_all_has() {
    let mut bench = Bench::new(every(age(60)));
    let store = bench.open();
    for at in 1..=10 {
        bench.at(at * SECOND);
        store.commit(records("p", "x", 2)).unwrap();
    }
    store.compact_now().unwrap();
    let ids = |store: &Store| store.catalog().entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    let first = ids(&store);
    bench.at(65_000);
    store.retain_now().unwrap();
    assert_eq!((rows(&store).len(), physical(&store), ids(&store)), (12, 20, first.clone()));
    bench.at(65_001);
    store.retain_now().unwrap();
    assert_eq!((rows(&store).len(), physical(&store), expired(&store)), (10, 10, Some(10)));
    assert_ne!(ids(&store), first);
    // damage that nobody has to meet any more
    let [file] = &bench.segments()[..] else { panic!("{:?}", bench.segments()) };
    let mut damaged = std::fs::read(file).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..].fill(7);
    std::fs::write(file, damaged).unwrap();
    store.commit(records("p", "young", 3)).unwrap();
    bench.at(70_001);
    store.retain_now().unwrap();
    assert_eq!((seqs(&store), physical(&store), bench.segments().len()), (vec![21, 22, 23], 3, 0));
    drop(store);
    assert_eq!(doctor(bench.dir.path(), &bench.options()).unwrap().findings, []);
    // and what is gone stays known to be gone
    let store = bench.open();
    assert_eq!((expired(&store), rows(&store).len()), (Some(20), 3));
    store.commit(records("p", "later", 2)).unwrap();
    store.compact_now().unwrap();
    drop(store);
    // what expires while the store is closed is never shown
    bench.at(130_001);
    let store = bench.open();
    assert_eq!((expired(&store), seqs(&store)), (Some(23), vec![24, 25]));
    store.compact_now().unwrap();
    drop(store);
    bench.retention = Retention::default();
    assert_eq!(expired(&bench.open()), Some(23));
}

#[test]
fn each_project_has_its_own_age_in_batches_that_several_share() {
    let projects = [("long".to_owned(), age(100)), ("ever".to_owned(), Limits::default())];
    let bench = Bench::new(Retention { default: age(10), projects: projects.into() });
    let store = bench.open();
    bench.at(SECOND);
    let names = ["long", "ever", "short", "long"];
    let mixed: Vec<Record> =
        names.iter().map(|name| record(name, "x")).chain([Record::new(Timestamp::from_nanos(0))]).collect();
    store.commit(Ingest { records: mixed, ..Ingest::default() }).unwrap();
    bench.at(12 * SECOND);
    store.retain_now().unwrap();
    assert_eq!((seqs(&store), expired(&store)), (vec![1, 2, 4], Some(5)));
    assert_eq!(physical(&store), 5, "less than half of the batch");
    bench.at(102 * SECOND);
    store.retain_now().unwrap();
    assert_eq!((seqs(&store), physical(&store)), (vec![2], 1));
    bench.at(1_000_000 * SECOND);
    drop(store);
    assert_eq!(seqs(&bench.open()), [2]);
}

#[test]
fn what_has_expired_is_not_taken_into_memory_for_tails() {
    let bench = Bench::new(Retention { default: Limits::default(), projects: [("short".to_owned(), age(10))].into() });
    let store = bench.open();
    bench.at(SECOND);
    let mixed = ["long", "short", "long"].map(|name| record(name, "x"));
    store.commit(Ingest { records: mixed.into(), ..Ingest::default() }).unwrap();
    let recent = || {
        let (floor, rows) = store.inner.shared.recent(&store.snapshot(), 0);
        (floor, rows.unwrap().iter().map(|row| row.id.seq().get()).collect::<Vec<_>>())
    };
    assert_eq!(recent(), (0, vec![1, 2, 3]));
    bench.at(12 * SECOND);
    store.retain_now().unwrap();
    assert_eq!((physical(&store), recent()), (3, (0, vec![1, 3])), "it is hidden in its batch");
}

#[test]
fn any_course_of_commits_ticks_restarts_and_compaction_hides_exactly_what_is_too_old() {
    for seed in 0..6u64 {
        let mut state = seed;
        let mut draw = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let projects = [("p".to_owned(), age(40)), ("q".to_owned(), Limits::default())];
        let bench = Bench::new(Retention { default: age(15), projects: projects.into() });
        let mut store = bench.open();
        let (mut now, mut truth) = (0u64, Vec::<(u64, u64, usize)>::new());
        for step in 0..120 {
            match draw(8) {
                0..=3 => {
                    let project = draw(3) as usize;
                    let count = 1 + draw(30) as usize;
                    let done = store.commit(records(["p", "q", "r"][project], &step.to_string(), count)).unwrap();
                    let first = done.first.unwrap().get();
                    truth.extend((first..first + count as u64).map(|seq| (seq, done.arrival_ms, project)));
                }
                4 => store.compact_now().unwrap(),
                5 => store.retain_now().unwrap(),
                6 if draw(3) == 0 => {
                    drop(store);
                    store = bench.open();
                }
                _ => now += draw(9_000),
            }
            bench.at(now);
            retention::tick(&store.inner.shared, &store.inner.requests).unwrap();
            truth.retain(|(_, arrival, project)| {
                [Some(40_000), None, Some(15_000)][*project].is_none_or(|age| *arrival >= now.saturating_sub(age))
            });
            let expected: Vec<u64> = truth.iter().map(|(seq, ..)| *seq).collect();
            assert_eq!(seqs(&store), expected, "seed {seed}, step {step}");
        }
        store.compact_now().unwrap();
        // at most half of a segment is there for nothing
        assert!(physical(&store) <= 2 * truth.len() as u64, "{} of {}", physical(&store), truth.len());
        drop(store);
        assert_eq!(doctor(bench.dir.path(), &bench.options()).unwrap().findings, []);
    }
}

#[test]
fn bytes_are_within_the_limit_and_the_oldest_arrivals_go_first() {
    const LIMIT: u64 = 400_000;
    let projects = [("q".to_owned(), Limits::default())];
    let bench = Bench::new(Retention { default: bytes(LIMIT), projects: projects.into() });
    let store = bench.open();
    let mut last = 0;
    for round in 0..80 {
        bench.at(round * SECOND);
        // a hundred records of 200 bytes, and now and then large ones
        let body = if round % 10 == 3 { 900 } else { 200 };
        last = store.commit(heavy("p", 50, body, round)).unwrap().first.unwrap().get() + 49;
        store.commit(heavy("q", 20, 200, round)).unwrap();
        if round % 7 == 6 {
            // sometimes in one large segment, sometimes in batches and several
            store.compact_now().unwrap();
        }
        if round % 5 == 4 {
            store.retain_now().unwrap();
            let held = store.snapshot().project_bytes("p");
            assert!(held <= LIMIT, "{held} bytes after round {round}");
            let of = |project: &str| {
                let all = rows(&store).into_iter().filter(|row| row.record.text(Field::Project) == Some(project));
                all.map(|row| (row.id.seq().get(), row.id.arrival_ms())).collect::<Vec<_>>()
            };
            assert_eq!(of("q").len() as u64, 20 * (round + 1), "the other project has no limit");
            let p = of("p");
            assert_eq!(p.last().map(|(seq, _)| *seq), Some(last));
            let oldest = p[0].1;
            let young = (0..=round).filter(|at| at * SECOND + 1 >= oldest).count();
            assert!(p.len() >= 50 * (young - 1), "{} rows of {young} rounds: some in the middle are gone", p.len());
            if round > 40 {
                assert!(held >= LIMIT / 2, "only {held} bytes are left of {LIMIT}");
            }
        }
    }
    assert!(expired(&store).is_some_and(|seq| seq < last));
    drop(store);
    assert_eq!(doctor(bench.dir.path(), &bench.options()).unwrap().findings, []);
}

#[test]
fn one_huge_segment_is_cut_where_its_bytes_say() {
    let mut bench = Bench::new(Retention::default());
    let store = bench.open();
    // nearly all rows arrive at the end: a cut by time alone would keep or remove too much
    for round in 0..100 {
        bench.at(if round < 5 { round * 1_000_000 } else { 5_000_000 + round });
        store.commit(heavy("p", 40, 300, round)).unwrap();
    }
    store.compact_now().unwrap();
    let whole = store.snapshot().project_bytes("p");
    assert_eq!(store.catalog().entries.len(), 1);
    drop(store);
    let limit = whole / 2;
    bench.retention = every(bytes(limit));
    let store = bench.open();
    retention::tick(&store.inner.shared, &store.inner.requests).unwrap();
    let left = seqs(&store);
    assert_eq!(left, (left[0]..=4_000).collect::<Vec<_>>(), "exactly what arrived before is hidden");
    let share = left.len() as u64 * whole / 4_000;
    assert!(share <= target(limit) && share >= target(limit) - 2 * whole / 100, "{share} of {limit}");
    assert_eq!((physical(&store), expired(&store)), (4_000, Some(left[0] - 1)));
    drop(store);
    // hidden for good, whatever the limit is now
    bench.retention = Retention::default();
    let store = bench.open();
    assert_eq!((seqs(&store), expired(&store)), (left.clone(), Some(left[0] - 1)));
    bench.retention = every(bytes(limit));
    drop(store);
    let store = bench.open();
    store.retain_now().unwrap();
    assert_eq!((seqs(&store), physical(&store)), (left.clone(), left.len() as u64));
    assert!(store.snapshot().project_bytes("p") <= limit);
    let cuts = store.run(|committer| Ok(committer.retained.cuts())).unwrap();
    store.commit(heavy("p", 1, 10, 7)).unwrap();
    store.retain_now().unwrap();
    assert_eq!(store.run(|committer| Ok(committer.retained.cuts())).unwrap(), cuts, "nothing more is cut");
}

#[test]
fn deletion_and_retention_give_the_disk_back() {
    let bench = Bench::new(every(age(100)));
    let store = bench.open();
    for round in 0..200 {
        bench.at(SECOND + round);
        store.commit(heavy(["p", "q"][round as usize % 2], 40, 1_000, round)).unwrap();
    }
    let batches = bench.disk();
    assert!(batches > 6_000_000, "{batches}");
    store.compact_now().unwrap();
    let whole = bench.disk();
    assert!(whole < batches + (1 << 20), "the batches' pages are given back: {whole} of {batches}");
    let filter = Filter::parse("project:q").unwrap().filter;
    store.delete(Erasure::new(&filter, Timestamp::from_nanos(0), None).unwrap()).unwrap();
    store.compact_now().unwrap();
    let half = bench.disk();
    assert!(half < whole * 6 / 10, "{half} of {whole}");
    bench.at(200 * SECOND);
    store.retain_now().unwrap();
    store.close().unwrap();
    let rest = bench.disk();
    assert!(rest < 1 << 20, "{rest} bytes are left of {whole}");
    assert_eq!((physical(&store), bench.segments().len()), (0, 0));
}

#[test]
fn the_catalog_stays_small_however_much_has_passed_through_it() {
    let bench = Bench::new(every(age(10)));
    let store = bench.open();
    let mut most = 0;
    for round in 0..60 {
        bench.at(round * SECOND);
        for n in 0..10 {
            store.commit(heavy("p", 10, 1_000, round * 10 + n)).unwrap();
        }
        store.compact_now().unwrap();
        store.retain_now().unwrap();
        if round >= 20 {
            most = most.max(std::fs::metadata(bench.dir.path().join("catalog.db")).unwrap().len());
        }
    }
    assert!(most < 3 << 20, "the catalog has {most} bytes");
    assert!(store.catalog().entries.len() < 20);
}

#[test]
fn the_retention_thread_hides_and_the_compactor_frees() {
    let bench = Bench::new(every(age(60)));
    bench.at(SECOND);
    let options = Options { compaction: Compaction::Background, ..bench.options() };
    let store = Store::open(bench.dir.path(), options).unwrap();
    store.commit(records("p", "x", 20_000)).unwrap();
    let shared = &store.inner.shared;
    let until = |done: &dyn Fn() -> bool| {
        let state = shared.state();
        let waited = shared.changed.wait_timeout_while(state, Duration::from_secs(30), |_| !done()).unwrap();
        assert!(!waited.1.timed_out());
    };
    until(&|| store.snapshot().backlog() == 0);
    bench.at(62 * SECOND);
    until(&|| store.catalog().entries.is_empty());
    assert_eq!((rows(&store).len(), expired(&store)), (0, Some(20_000)));
}

#[test]
fn an_unreadable_segment_is_hidden_and_goes_with_its_last_row() {
    let bench = Bench::new(every(age(60)));
    let store = bench.open();
    for at in 1..=4 {
        bench.at(at * SECOND);
        store.commit(records("p", "x", 5)).unwrap();
    }
    store.compact_now().unwrap();
    drop(store);
    let file = bench.segments().remove(0);
    let sound = std::fs::read(&file).unwrap();
    let mut damaged = sound.clone();
    let end = sound.len() - Directory::TRAILER_LEN as usize;
    damaged[8..end].fill(0);
    std::fs::write(&file, damaged).unwrap();
    let store = bench.open();
    bench.at(63 * SECOND + 1);
    store.retain_now().unwrap();
    assert_eq!(bench.segments().len(), 1, "rows of it may be wanted yet");
    bench.at(64 * SECOND + 1);
    store.retain_now().unwrap();
    assert_eq!((bench.segments().len(), rows(&store).len()), (0, 0));
}
