//! The bounds of compaction, over summaries alone: millions of records without their data.

use proptest::prelude::*;
use reqlog_core::catalog::{Entry, SourceId, Summary};
use reqlog_core::compact::{self, MOST_BATCHES, MOST_WRITES, Urgency, most_segments};
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
        while let Some(merge) = compact::plan(&self.entries, |entry| entry.summary.rows * self.bytes, Urgency::Relaxed)
        {
            let inputs: BTreeSet<SourceId> = merge.inputs.iter().copied().collect();
            assert_eq!(inputs.len(), merge.inputs.len(), "an input twice");
            let taken: Vec<Entry> = self.entries.extract_if(.., |entry| inputs.contains(&entry.id)).collect();
            assert_eq!(taken.len(), inputs.len(), "an unknown input");
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
        let batches = self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_))).count();
        assert!(batches < MOST_BATCHES, "{batches} batches");
        let mut segments: BTreeMap<&String, u64> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Segment(_))) {
            *segments.entry(entry.summary.projects.as_ref().unwrap().keys().next().unwrap()).or_default() += 1;
        }
        for (project, count) in segments {
            let rows = self.rows[project];
            assert!(count <= most_segments(rows, rows * self.bytes), "{count} segments of {rows} rows");
        }
        let rows: u64 = self.rows.values().sum();
        assert!(
            self.written <= rows * MOST_WRITES * if self.bytes > 512 { 3 } else { 1 },
            "{} rows written of {rows}",
            self.written
        );
        assert_eq!(self.entries.iter().map(|entry| entry.summary.rows).sum::<u64>(), rows);
    }

    fn segments(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Segment(_))).count()
    }
}

#[test]
fn the_bound_is_logarithmic_until_segments_are_full() {
    assert_eq!([0, 1, 8, 1_000, 32_768, 65_535].map(|rows| most_segments(rows, 0)), [0, 7, 14, 28, 42, 42]);
    assert_eq!(most_segments(1_000_000, 100_000_000), 59);
    assert_eq!(most_segments(100_000_000, 0), 42 + 1525);
    assert_eq!(MOST_WRITES, 7);
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
        bytes in prop::sample::select(vec![0u64, 80, 500, 3_000, 40_000])
    ) {
        let mut store = Store { bytes, ..Store::default() };
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
