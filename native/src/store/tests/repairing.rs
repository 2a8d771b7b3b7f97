//! One damage each, and what a repair makes of it: a directory that the doctor accepts, with every record that can
//! still be read.

use super::*;
use reqlog_core::body::Body;
use reqlog_core::query::{Detail, Direction, Order, Query, Start, Total, Unit};
use reqlog_core::record::Stored;
use reqlog_core::segment::{Directory, PartId, ROWS};
use std::fs;

const ROWS_OF_ONE: usize = 1_300;

// segment 1 with bodies in three blocks, segment 2 of another project, a batch of 5; a key and a deletion
fn patient() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let mut ingest = records("p", "a", ROWS_OF_ONE);
    for (at, record) in ingest.records.iter_mut().enumerate() {
        let bytes = format!("{at}: {}", "body ".repeat(80)).into_bytes();
        let size = bytes.len() as u64;
        record.response.body = Some(Body { size, bytes, withheld: 0, content_type: None, cut: None });
    }
    store.commit(ingest).unwrap();
    store.commit(records("q", "b", 300)).unwrap();
    store.compact_now().unwrap();
    store.commit(records("p", "c", 5)).unwrap();
    store.create_project("declared", &[]).unwrap();
    store.ensure_admin(Some(Secret::given("an admin".to_owned()))).unwrap();
    drop(store);
    assert_eq!(findings(dir.path()), []);
    dir
}

fn findings(dir: &Path) -> Vec<Finding> {
    doctor(dir, &manual()).unwrap().findings
}

fn rows(dir: &Path) -> Vec<Stored> {
    let store = Store::open(dir, manual()).unwrap();
    let query = Query {
        filter: Predicate::ALL,
        order: Order::Arrival,
        direction: Direction::Ascending,
        start: Start::First,
        bound: Seq::MAX,
        limit: 10_000,
        detail: Detail::Whole,
        total: Total::Skip,
        unit: Unit::Record,
    };
    store.page(&query).unwrap().rows
}

// the doctor sees the damage, and nothing of it after the repair, which a second one confirms
fn repaired(dir: &Path) -> Vec<Repair> {
    assert!(!findings(dir).is_empty());
    let repairs = repair(dir, &manual()).unwrap();
    assert_eq!(findings(dir), [], "after {repairs:?}");
    assert_eq!(repair(dir, &manual()).unwrap(), []);
    repairs
}

fn segment(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("segments/{id}.seg"))
}

fn change(path: &Path, work: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    work(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn place(file: &[u8], part: PartId) -> Range<usize> {
    let size = file.len() as u64;
    let footer = Directory::footer(&file[file.len() - Directory::TRAILER_LEN as usize..], size).unwrap();
    let directory = Directory::read(&file[footer.start as usize..footer.end as usize]).unwrap();
    let place = directory.locate(part).unwrap();
    place.start as usize..place.end as usize
}

fn sql(dir: &Path, sql: &str) {
    rusqlite::Connection::open(dir.join("catalog.db")).unwrap().execute_batch(sql).unwrap();
}

fn without(rows: &[Stored], prefix: &str) -> Vec<Stored> {
    rows.iter().filter(|row| !row.record.text(Field::Message).unwrap().starts_with(prefix)).cloned().collect()
}

#[test]
fn of_a_segment_with_a_damaged_block_of_bodies_only_those_bodies_are_gone() {
    let dir = patient();
    let before = rows(dir.path());
    change(&segment(dir.path(), 1), |file| {
        let place = place(file, PartId::Bodies(1));
        file[place.start + 20] ^= 4;
    });
    let rewritten = Repair::Rewritten { lost: "1.seg".into(), rows: 1_300, of: Some(1_300), bodiless: ROWS as u64 };
    assert_eq!(repaired(dir.path()), [rewritten]);
    let after = rows(dir.path());
    assert_eq!(after.len(), before.len());
    let cut = after.iter().zip(&before).filter(|(after, before)| after != before).count();
    assert_eq!(cut, ROWS);
    for (after, before) in after.iter().zip(&before) {
        let (Some(after_body), Some(before_body)) = (&after.record.response.body, &before.record.response.body) else {
            continue;
        };
        assert!(before_body.bytes.starts_with(&after_body.bytes) && after_body.bytes.len() >= 256);
        assert_eq!((after.id, after_body.size), (before.id, before_body.size));
        assert_eq!(after_body.cut.is_some(), after_body.bytes.len() < before_body.bytes.len());
    }
}

#[test]
fn of_a_segment_with_a_damaged_block_of_details_only_its_rows_are_gone() {
    let dir = patient();
    let before = rows(dir.path());
    change(&segment(dir.path(), 1), |file| {
        let place = place(file, PartId::Details(2));
        file[place.start + 3] ^= 4;
    });
    let left = 2 * ROWS as u64;
    let rewritten = Repair::Rewritten { lost: "1.seg".into(), rows: left, of: Some(1_300), bodiless: 0 };
    assert_eq!(repaired(dir.path()), [rewritten]);
    let after = rows(dir.path());
    assert_eq!(after.len(), before.len() - (ROWS_OF_ONE - 2 * ROWS));
    assert!(after.iter().all(|row| before.contains(row)));
}

#[test]
fn parts_that_can_be_made_again_cost_nothing() {
    for part in [PartId::Grams(Field::Message), PartId::Counts(Field::Message)] {
        let dir = patient();
        let before = rows(dir.path());
        let file = fs::read(segment(dir.path(), 1)).unwrap();
        let footer =
            Directory::footer(&file[file.len() - Directory::TRAILER_LEN as usize..], file.len() as u64).unwrap();
        let directory = Directory::read(&file[footer.start as usize..footer.end as usize]).unwrap();
        if directory.locate(part).is_none() {
            continue;
        }
        change(&segment(dir.path(), 1), |file| {
            let place = place(file, part);
            file[place.start + 3] ^= 4;
        });
        repaired(dir.path());
        assert_eq!(rows(dir.path()), before);
    }
}

#[test]
fn a_segment_without_its_footer_is_kept_in_lost() {
    type Damage = fn(&mut Vec<u8>);
    let cut: Damage = |file| file.truncate(file.len() / 2);
    let footer: Damage = |file| {
        let at = file.len() - 40;
        file[at] ^= 1;
    };
    for damage in [cut, footer, |file| file.clear()] {
        let dir = patient();
        let before = rows(dir.path());
        change(&segment(dir.path(), 1), damage);
        let damaged = fs::read(segment(dir.path(), 1)).unwrap();
        let told = Repair::Rewritten { lost: "1.seg".into(), rows: 0, of: Some(1300), bodiless: 0 };
        assert_eq!(repaired(dir.path()), [told]);
        assert_eq!(rows(dir.path()), without(&before, "a-"));
        assert_eq!(fs::read(dir.path().join("lost/1.seg")).unwrap(), damaged);
        let remarks = doctor(dir.path(), &manual()).unwrap().remarks;
        assert_eq!(remarks, [Remark::Lost(1, damaged.len() as u64)]);
    }
}

#[test]
fn a_segment_that_grew_has_all_its_records() {
    let dir = patient();
    let before = rows(dir.path());
    change(&segment(dir.path(), 1), |file| file.extend(b"what a broken file system added"));
    repaired(dir.path());
    assert_eq!(rows(dir.path()), before);
}

#[test]
fn a_missing_segment_is_forgotten() {
    let dir = patient();
    let before = rows(dir.path());
    fs::remove_file(segment(dir.path(), 1)).unwrap();
    assert_eq!(repaired(dir.path()), [Repair::Forgotten(1)]);
    assert_eq!(rows(dir.path()), without(&before, "a-"));
}

#[test]
fn unknown_files_move_to_lost() {
    let dir = patient();
    let before = rows(dir.path());
    fs::write(dir.path().join("segments/stranger"), "?").unwrap();
    fs::copy(segment(dir.path(), 1), segment(dir.path(), 70)).unwrap();
    let repairs = repaired(dir.path());
    assert_eq!(repairs, [Repair::Lost("70.seg".into()), Repair::Lost("stranger".into())]);
    assert_eq!(rows(dir.path()), before);
}

#[test]
fn a_missing_or_foreign_catalog_is_made_of_the_segments() {
    for foreign in [None, Some("CREATE TABLE shopping (item TEXT); PRAGMA user_version = 7")] {
        let dir = patient();
        let before = rows(dir.path());
        for name in ["catalog.db", "catalog.db-wal"] {
            let _ = fs::remove_file(dir.path().join(name));
        }
        if let Some(foreign) = foreign {
            sql(dir.path(), foreign);
        }
        let repairs = repaired(dir.path());
        assert_eq!(repairs.contains(&Repair::NewCatalog("catalog.db".into())), foreign.is_some(), "{repairs:?}");
        assert_eq!(rows(dir.path()), without(&before, "c-"), "the batch was in the catalog only");
    }
}

#[test]
fn of_a_catalog_with_any_page_lost_everything_else_is_kept() {
    let dir = patient();
    let store = Store::open(dir.path(), manual()).unwrap();
    for n in 0..30 {
        store.commit(records("p", &format!("d{n}"), 40)).unwrap();
    }
    store.close().unwrap();
    drop(store);
    let before = rows(dir.path());
    let catalog = fs::read(dir.path().join("catalog.db")).unwrap();
    let page = 8192;
    let pages = catalog.len() / page;
    assert!(pages > 15, "{pages}");
    let mut whole = 0;
    for lost in 0..pages {
        for filler in [0u8, 0xa5] {
            let copy = tempfile::tempdir().unwrap();
            copy_dir(dir.path(), copy.path());
            change(&copy.path().join("catalog.db"), |bytes| bytes[lost * page..(lost + 1) * page].fill(filler));
            if findings(copy.path()).is_empty() {
                // a free page, or one of nothing but zeros
                assert_eq!(rows(copy.path()), before, "page {lost}");
                continue;
            }
            let repairs = repair(copy.path(), &manual()).unwrap();
            assert_eq!(findings(copy.path()), [], "page {lost}: {repairs:?}");
            let after = rows(copy.path());
            let known =
                |row: &Stored| before.binary_search_by_key(&row.id, |row| row.id).map(|at| &before[at]) == Ok(row);
            assert!(after.iter().all(known), "page {lost}");
            // segments need no catalog
            assert!(after.len() >= ROWS_OF_ONE + 300, "page {lost}: {} rows, {repairs:?}", after.len());
            whole += usize::from(after == before);
            let store = Store::open(copy.path(), manual()).unwrap();
            let first = store.commit(records("p", "new", 1)).unwrap().first.unwrap();
            assert!(before.iter().all(|row| row.id.seq() < first) || after.len() < before.len(), "page {lost}");
            assert!(after.iter().all(|row| row.id.seq() < first), "page {lost}");
        }
    }
    assert!(whole >= pages / 2, "{whole} of {pages} pages cost nothing");
}

pub(super) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn rows_that_are_there_twice_are_there_once_again() {
    // as if a crash had undone half of an exchange: the batches are there beside their segment
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.commit(records("p", "a", 20)).unwrap();
    store.commit(records("q", "b", 20)).unwrap();
    store.close().unwrap();
    drop(store);
    let catalog = dir.path().join("catalog.db");
    let old = dir.path().join("old.db");
    fs::copy(&catalog, &old).unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    store.compact_now().unwrap();
    store.commit(records("p", "c", 3)).unwrap();
    drop(store);
    let before = rows(dir.path());
    let attach = format!("ATTACH '{}' AS old; INSERT INTO batches SELECT * FROM old.batches", old.display());
    sql(dir.path(), &attach);
    fs::remove_file(old).unwrap();
    let found = findings(dir.path());
    assert!(found.contains(&Finding::Twice(1)) && found.contains(&Finding::Twice(40)), "{found:?}");
    let repairs = repaired(dir.path());
    assert_eq!(
        repairs.iter().filter(|repair| matches!(repair, Repair::Batch { rows: 0, .. })).count(),
        2,
        "{repairs:?}"
    );
    assert_eq!(rows(dir.path()), before);
}

#[test]
fn what_the_catalog_says_wrongly_is_said_anew() {
    let dir = patient();
    let before = rows(dir.path());
    sql(
        dir.path(),
        "UPDATE segments SET summary = x'00' WHERE id = 1; UPDATE batches SET summary = (SELECT summary FROM segments WHERE id = 2);
         UPDATE meta SET value = 3 WHERE key IN ('next_seq', 'arrival_ms'); DELETE FROM projects; DELETE FROM environments; UPDATE keys SET role = 'owner';
         INSERT INTO deletions (query, now_ns, head) VALUES ('status:(', 0, 9)",
    );
    fs::write(dir.path().join("redact.key"), "short").unwrap();
    let repairs = repaired(dir.path());
    for expected in [
        Repair::Deletion(1, "status:(".into()),
        Repair::Key(1),
        Repair::Declared("p".into()),
        Repair::Declared("q".into()),
        Repair::Lost("redact.key".into()),
    ] {
        assert!(repairs.contains(&expected), "{expected:?} in {repairs:?}");
    }
    assert!(repairs.iter().any(|repair| matches!(repair, Repair::Head(next) if *next > 1_605)), "{repairs:?}");
    assert_eq!(rows(dir.path()), before);
}

#[test]
fn a_batch_that_cannot_be_decoded_is_kept_in_lost() {
    let dir = patient();
    let before = rows(dir.path());
    sql(dir.path(), "UPDATE batches SET blob = x'0102030405'");
    assert_eq!(repaired(dir.path()), [Repair::Lost("1601.batch".into())]);
    assert_eq!(rows(dir.path()), without(&before, "c-"));
    assert_eq!(fs::read(dir.path().join("lost/1601.batch")).unwrap(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_repair_that_died_before_the_new_catalog_was_in_its_place_goes_on() {
    let dir = patient();
    let before = rows(dir.path());
    fs::rename(dir.path().join("catalog.db"), dir.path().join("catalog.db.ready")).unwrap();
    assert!(matches!(Store::open(dir.path(), manual()).err(), Some(OpenError::NoCatalog(_))));
    assert_eq!(repair(dir.path(), &manual()).unwrap(), []);
    assert_eq!((findings(dir.path()), rows(dir.path())), (vec![], before));
}
