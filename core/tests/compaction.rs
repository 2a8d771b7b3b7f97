//! The bounds of compaction, over summaries alone: millions of records without their data.

use proptest::prelude::*;
use reqlog_core::catalog::{Entry, SourceId, Summary};
use reqlog_core::compact::{self, Bounds, Urgency};
use reqlog_core::id::Seq;
use reqlog_core::query::Counts;
use reqlog_core::segment::MAX_ROWS;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A store of which only the summaries exist.
#[derive(Default)]
struct Store {
    entries: Vec<Entry>,
    next: u64,
    segments: u64,
    rows: BTreeMap<String, u64>,
    // rows written as part of segments
    written: u64,
    // of every row
    bytes: u64,
    files: u64,
    bounds: Bounds,
}

fn summary(first: u64, last: u64, projects: Counts) -> Arc<Summary> {
    let seq = |value| Seq::new(value).unwrap();
    Arc::new(Summary {
        rows: projects.values().sum(),
        seq: (seq(first), seq(last)),
        arrival: (first, last),
        time: (0, 0),
        status: None,
        duration: None,
        size: None,
        levels: [0; 6],
        kinds: [0; 4],
        classes: [0; 9],
        projects: Some(projects),
        services: None,
        containers: None,
        methods: None,
    })
}

impl Store {
    fn commit(&mut self, project: &str, rows: u64) {
        let first = self.next + 1;
        self.next += rows;
        let counts = Counts::from([(project.to_owned(), rows)]);
        self.entries.push(Entry { id: SourceId::Batch(first), summary: summary(first, self.next, counts) });
        *self.rows.entry(project.to_owned()).or_default() += rows;
    }

    // what a compactor does until nothing is due
    fn compact(&mut self) {
        let size = |entry: &Entry| entry.summary.rows * self.bytes;
        while let Some(merge) = compact::plan(&self.entries, size, Urgency::Relaxed, &self.bounds) {
            let inputs: BTreeSet<SourceId> = merge.inputs.iter().copied().collect();
            assert_eq!(inputs.len(), merge.inputs.len(), "an input twice");
            let taken: Vec<Entry> = self.entries.extract_if(.., |entry| inputs.contains(&entry.id)).collect();
            assert_eq!(taken.len(), inputs.len(), "an unknown input");
            let (rows, bytes) =
                taken.iter().fold((0, 0), |all, entry| (all.0 + entry.summary.rows, all.1 + size(entry)));
            let Bounds { step_rows, step_bytes, .. } = self.bounds;
            assert!(taken.len() == 1 || rows <= step_rows && bytes <= step_bytes, "{rows} rows, {bytes} bytes");
            // rows of a project, and between which sequences
            let mut merged: BTreeMap<&str, (u64, Seq, Seq)> = BTreeMap::new();
            for entry in &taken {
                for (project, rows) in entry.summary.projects.as_ref().unwrap() {
                    let (first, last) = entry.summary.seq;
                    let all = merged.entry(project).or_insert((0, first, last));
                    *all = (all.0 + rows, all.1.min(first), all.2.max(last));
                }
            }
            for (project, (mut rows, first, last)) in merged {
                self.written += rows;
                while rows > 0 {
                    let some = rows.min(MAX_ROWS as u64);
                    rows -= some;
                    self.segments += 1;
                    self.files += 1;
                    let counts = Counts::from([(project.to_owned(), some)]);
                    let summary = summary(first.get(), last.get(), counts);
                    self.entries.push(Entry { id: SourceId::Segment(self.segments), summary });
                }
            }
        }
    }

    fn check(&self) {
        let batches: Vec<&Entry> = self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).collect();
        assert!(batches.len() < self.bounds.most_batches, "{} batches", batches.len());
        let fresh: u64 = batches.iter().map(|entry| entry.summary.rows).sum();
        assert!(fresh < self.bounds.fresh_rows && fresh * self.bytes < self.bounds.fresh_bytes, "{fresh} rows");
        let mut segments: BTreeMap<&String, u64> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Segment(_))) {
            *segments.entry(entry.summary.projects.as_ref().unwrap().keys().next().unwrap()).or_default() += 1;
        }
        for (project, count) in segments {
            let rows = self.rows[project];
            let most = self.bounds.most_segments(rows, rows * self.bytes);
            assert!(count <= most, "{count} segments of {rows} rows");
        }
        let rows: u64 = self.rows.values().sum();
        // some are full of bytes before they are full of rows
        let steps = if self.bytes * self.bounds.full_rows > self.bounds.full_bytes { 3 } else { 1 };
        assert!(self.written <= rows * self.bounds.most_writes() * steps, "{} rows written of {rows}", self.written);
        assert_eq!(self.entries.iter().map(|entry| entry.summary.rows).sum::<u64>(), rows);
    }

    fn segments(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Segment(_))).count()
    }
}

#[test]
fn the_bound_is_logarithmic_until_segments_are_full() {
    let server = Bounds::default();
    assert_eq!([0, 1, 8, 1_000, 32_768, 65_535].map(|rows| server.most_segments(rows, 0)), [0, 7, 14, 28, 42, 42]);
    assert_eq!(server.most_segments(1_000_000, 100_000_000), 59);
    assert_eq!(server.most_segments(100_000_000, 0), 42 + 1525);
    assert_eq!(server.most_writes(), 7);
    assert_eq!(Bounds::EDGE.most_segments(1_000_000, 100_000_000), 35 + 122 + 31);
    assert_eq!(Bounds::EDGE.most_writes(), 6);
}

#[test]
fn two_segments_that_are_not_full_fit_into_one_step_which_makes_one_segment() {
    for bounds in [Bounds::SERVER, Bounds::EDGE] {
        assert!(2 * bounds.full_rows <= bounds.step_rows && 2 * bounds.full_bytes <= bounds.step_bytes, "{bounds:?}");
        assert!(bounds.step_rows <= MAX_ROWS as u64, "{bounds:?}");
        assert!(bounds.fresh_rows <= bounds.step_rows && bounds.fresh_batches <= bounds.most_batches, "{bounds:?}");
    }
}

#[test]
fn at_the_edge_batches_are_sealed_by_rows_by_bytes_and_by_number() {
    let edge = |bytes| Store { bytes, bounds: Bounds::EDGE, ..Store::default() };
    // rows of small records, 12 in each window
    let mut store = edge(100);
    (0..170).for_each(|_| store.commit("p", 12));
    store.compact();
    assert_eq!(store.segments(), 0);
    store.commit("p", 12);
    store.compact();
    assert_eq!((store.segments(), store.entries.len()), (1, 1));
    // bodies
    let mut store = edge(8_192);
    (0..127).for_each(|_| store.commit("p", 1));
    store.compact();
    assert_eq!(store.segments(), 0);
    store.commit("p", 1);
    store.compact();
    assert_eq!((store.segments(), store.entries.len()), (1, 1));
    // single records, first of few projects, then of many: a segment of each is put off
    let trickle = |store: &mut Store, count: u64, projects: u64| {
        (0..count).for_each(|n| store.commit(&format!("p{}", n % projects), 1));
        store.compact();
    };
    let mut store = edge(100);
    trickle(&mut store, 511, 64);
    assert_eq!(store.segments(), 0);
    trickle(&mut store, 1, 64);
    assert_eq!((store.segments(), store.entries.len()), (64, 64));
    let mut store = edge(100);
    trickle(&mut store, 1_023, 200);
    assert_eq!(store.segments(), 0);
    trickle(&mut store, 1, 200);
    assert_eq!((store.segments(), store.entries.len()), (200, 200));
}

#[test]
fn single_records_one_a_commit() {
    let mut store = Store::default();
    let mut most = 0;
    for round in 0..20_000u64 {
        // as many as come while the compactor looks away
        (0..=round % 100).for_each(|_| store.commit("p", 1));
        store.compact();
        most = most.max(store.segments());
    }
    store.check();
    assert!(store.rows["p"] > 1_000_000);
    // a row goes from its batch into a class of its own three times: 512, 4 096, 32 768, full
    assert!(store.written <= 4 * store.rows["p"], "{} of {}", store.written, store.rows["p"]);
    assert!(most < 70, "{most} segments");
}

#[test]
fn bulk_loads() {
    let mut store = Store::default();
    let mut most = 0;
    for round in 0..600u64 {
        store.commit("p", [8_192, 8_192, 8_192, 100, 5_000, 8_192][(round % 6) as usize]);
        store.compact();
        most = most.max(store.segments());
    }
    store.check();
    assert!(store.rows["p"] > 3_700_000);
    assert!(store.written <= 3 * store.rows["p"], "{} of {}", store.written, store.rows["p"]);
    // 58 of them would hold it if they were as large as can be
    assert!(most < 100, "{most} segments");
}

#[test]
fn two_hundred_projects_with_a_trickle_each() {
    let mut store = Store::default();
    for round in 0..5_000u64 {
        (0..64).for_each(|n| store.commit(&format!("p{}", (round * 64 + n) * 7 % 200), 1));
        store.compact();
    }
    store.check();
    assert_eq!(store.rows.len(), 200);
    // a file of each project is worth writing only for several rows
    assert!(store.files * 6 <= 320_000, "{} files", store.files);
    assert!(store.written <= 5 * 320_000, "{} rows written", store.written);
}

#[test]
fn a_large_segment_does_not_keep_small_ones_from_being_merged() {
    let mut store = Store::default();
    store.commit("p", 120_000);
    store.compact();
    for _ in 0..100 {
        store.commit("p", 33_000);
        store.compact();
    }
    store.check();
    assert!(store.segments() <= 60, "{} segments", store.segments());
}

#[test]
fn what_one_step_holds_in_memory_is_bounded_by_bytes_too() {
    let mut store = Store { bytes: 10_000, ..Store::default() };
    for _ in 0..1_000 {
        store.commit("p", 500);
        store.compact();
    }
    store.check();
    let largest = store.entries.iter().map(|entry| entry.summary.rows * store.bytes).max().unwrap();
    assert!((32 << 20..=64 << 20).contains(&largest), "{largest}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_comes_segments_and_writes_are_bounded(
        phases in proptest::collection::vec((0u8..4, 1u64..60, any::<u64>()), 1..8), settled in any::<bool>(),
        bytes in prop::sample::select(vec![0u64, 80, 380, 500, 3_000, 40_000]),
        bounds in prop::sample::select(vec![Bounds::SERVER, Bounds::EDGE])
    ) {
        let mut store = Store { bytes, bounds, ..Store::default() };
        for (kind, rounds, seed) in phases {
            for round in 0..rounds {
                let vary = seed.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
                match kind {
                    0 => (0..vary % 600).for_each(|_| store.commit("p", 1)),
                    1 => store.commit("p", 1 + vary % 200_000),
                    2 => (0..vary % 2_000).for_each(|n| store.commit(&format!("p{}", n * vary % 200), 1 + n % 3)),
                    _ => (0..vary % 40).for_each(|n| store.commit(["p", "q"][(n % 2) as usize], 1 + n * n)),
                }
                store.compact();
            }
            if settled {
                store.check();
            }
        }
        store.check();
    }
}
