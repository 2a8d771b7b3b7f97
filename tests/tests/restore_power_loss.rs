//! A restore onto a disk whose power fails at every step: afterwards there is nothing, or what no store opens and another
//! restore replaces, or the whole.

use reqlog::store::{Compaction, Ingest, OpenError, Options, Store, doctor, receive, restore};
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::query::Unit;
use reqlog_core::record::{Field, Record};
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::simdisk::{Fault, Loss, SimDisk};
use reqlog_tests::vfs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ROWS: u64 = 320;

fn options(disk: &SimDisk) -> Options {
    Options {
        disk: Arc::new(disk.clone()),
        vfs: Some(vfs::register().to_owned()),
        reserve: 0,
        compaction: Compaction::Manual,
        ..Options::default()
    }
}

fn data(disk: &SimDisk) -> PathBuf {
    disk.root().join("above/data")
}

fn records(project: &str, count: usize) -> Ingest {
    let record = |n: usize| {
        let mut record = Record::new(Timestamp::from_millis(n as i64));
        record.texts.set(Field::Project, project);
        record.texts.set(Field::Message, &format!("{project}/{n}"));
        record
    };
    Ingest { records: (0..count).map(record).collect(), ..Ingest::default() }
}

/// Two segments and a batch.
fn backup(dir: &Path) -> PathBuf {
    let options = Options { reserve: 0, compaction: Compaction::Manual, ..Options::default() };
    let store = Store::open(&dir.join("original"), options).unwrap();
    for (project, count) in [("p", 200), ("q", 100)] {
        store.commit(records(project, count)).unwrap();
    }
    store.compact_now().unwrap();
    store.commit(records("p", 20)).unwrap();
    let stream = store.backup().unwrap().collect::<Result<Vec<_>, _>>().unwrap().concat();
    let backup = dir.join("backup");
    receive(&stream[..], &backup).unwrap();
    backup
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Nothing,
    Unfinished,
    Whole,
}

/// What a restart finds; whatever it is, a restore or a start makes it whole.
fn look(disk: &SimDisk, backup: &Path) -> Result<Left, String> {
    let (root, options) = (data(disk), options(disk));
    let names = options.disk.list(&root).unwrap_or_default();
    let left = if names.is_empty() {
        Left::Nothing
    } else {
        match Store::open(&root, options.clone()) {
            Ok(_) => Left::Whole,
            Err(OpenError::Restoring(_)) => Left::Unfinished,
            Err(error) => return Err(format!("{names:?}: {error}")),
        }
    };
    if left != Left::Whole {
        restore(backup, &root, &options).map_err(|error| format!("{left:?}: {error}"))?;
    }
    let store = Store::open(&root, options.clone()).map_err(|error| error.to_string())?;
    let rows = store.stats(&Predicate::ALL, Seq::MAX, Unit::Record).map_err(|fault| fault.to_string())?.total;
    let first = store.commit(records("p", 1)).map_err(|fault| fault.to_string())?.first.map_or(0, Seq::get);
    drop(store);
    let findings = doctor(&root, &options).map_err(|error| error.to_string())?.findings;
    if (rows, first, findings.len()) == (ROWS, ROWS + 1 + (1 << 20), 0) {
        return Ok(left);
    }
    Err(format!("{left:?}: {rows} rows, {first} is the next, {findings:?}"))
}

#[test]
fn power_that_fails_at_any_step_of_a_restore_leaves_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    let backup = backup(dir.path());
    let steps = {
        let disk = SimDisk::new();
        restore(&backup, &data(&disk), &options(&disk)).unwrap();
        let steps = disk.steps();
        assert_eq!(look(&disk.restart(Loss::Unsynced), &backup), Ok(Left::Whole), "a restore that returned is durable");
        steps
    };
    assert!(steps > 40, "only {steps} steps");
    let mut seen: BTreeMap<Left, u32> = BTreeMap::new();
    for step in 1..=steps {
        let disk = SimDisk::new();
        disk.fail_at(step);
        assert!(restore(&backup, &data(&disk), &options(&disk)).is_err(), "step {step}");
        let torn = [512, 4096].map(|sector| Loss::Torn { seed: step, sector });
        for loss in [Loss::Unsynced, torn[0], torn[1]] {
            let left = look(&disk.restart(loss), &backup)
                .unwrap_or_else(|wrong| panic!("step {step} of {steps}, {loss:?}: {wrong}"));
            *seen.entry(left).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn a_step_that_fails_alone_fails_the_restore_or_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let backup = backup(dir.path());
    let disk = SimDisk::new();
    restore(&backup, &data(&disk), &options(&disk)).unwrap();
    for step in 1..=disk.steps() {
        for fault in [Fault::Undone, Fault::Done] {
            let disk = SimDisk::new();
            disk.fault_at(step, fault);
            let done = restore(&backup, &data(&disk), &options(&disk));
            let left = look(&disk.restart(Loss::Unsynced), &backup)
                .unwrap_or_else(|wrong| panic!("step {step} {fault:?}: {wrong}"));
            assert!(done.is_err() || left == Left::Whole, "step {step} {fault:?} was not told");
        }
    }
}
