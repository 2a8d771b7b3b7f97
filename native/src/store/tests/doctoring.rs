//! What the doctor sees and does.

use super::*;
use crate::store::backup::MARGIN;
use reqlog_core::filter::Predicate;
use reqlog_core::query::Unit;
use reqlog_core::record::Kind;
use reqlog_core::segment::{Directory, PartId};
use std::fs;

// two segments of project p, one of q, and a batch
fn patient() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    for prefix in ["a", "b"] {
        store.commit(records("p", prefix, 300)).unwrap();
        store.compact_now().unwrap();
    }
    store.commit(records("q", "c", 50)).unwrap();
    store.compact_now().unwrap();
    store.commit(records("p", "d", 5)).unwrap();
    dir
}

fn segment(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("segments/{id}.seg"))
}

fn findings(dir: &Path) -> Vec<Finding> {
    doctor(dir, &manual()).unwrap().findings
}

fn rows(dir: &Path) -> u64 {
    let store = Store::open(dir, manual()).unwrap();
    store.stats(&Predicate::Const(true), Seq::MAX, Unit::Record).unwrap().total
}

#[test]
fn a_sound_directory_has_no_findings() {
    let dir = patient();
    assert_eq!(findings(dir.path()), []);
    assert_eq!(rows(dir.path()), 655);
}

#[test]
fn any_flipped_bit_of_a_segment_is_found() {
    let dir = patient();
    let path = segment(dir.path(), 1);
    let sound = fs::read(&path).unwrap();
    for at in (8..sound.len()).step_by(sound.len() / 40) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        assert!(!findings(dir.path()).is_empty(), "byte {at} of {}", sound.len());
    }
    fs::write(&path, &sound).unwrap();
    assert_eq!(findings(dir.path()), []);
}

#[test]
fn what_is_missing_cut_unknown_or_wrong_is_named() {
    let dir = patient();
    let path = dir.path();
    fs::remove_file(segment(path, 1)).unwrap();
    let cut = fs::read(segment(path, 2)).unwrap();
    fs::write(segment(path, 2), &cut[..cut.len() - 1]).unwrap();
    fs::write(path.join("segments/stranger"), "?").unwrap();
    let sql = "UPDATE batches SET summary = (SELECT summary FROM segments WHERE id = 3);
               UPDATE meta SET value = 3 WHERE key = 'next_seq'";
    rusqlite::Connection::open(path.join("catalog.db")).unwrap().execute_batch(sql).unwrap();
    let found = findings(path);
    for expected in [Finding::Missing(1), Finding::Length(2), Finding::Unknown("stranger".into())] {
        assert!(found.contains(&expected), "{expected} in {found:?}");
    }
    assert!(found.iter().any(|finding| matches!(finding, Finding::Summary(_) | Finding::Unreadable(_))), "{found:?}");
    assert!(found.iter().any(|finding| matches!(finding, Finding::BeyondHead(_))), "{found:?}");
}

#[test]
fn repair_goes_on_without_what_is_damaged_and_keeps_it() {
    let dir = patient();
    let path = segment(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(
        repair(dir.path(), &manual()).unwrap(),
        [Repair::Rewritten { lost: "1.seg".into(), rows: 0, of: Some(300), bodiless: 0 }]
    );
    assert_eq!(findings(dir.path()), []);
    assert_eq!(rows(dir.path()), 355);
    assert_eq!(fs::read(dir.path().join("lost/1.seg")).unwrap(), bytes);
}

#[test]
fn repair_rebuilds_a_lost_catalog_from_footers_each_row_once() {
    let dir = patient();
    // an old file that came back beside the newer one with its rows
    fs::copy(segment(dir.path(), 2), segment(dir.path(), 9)).unwrap();
    for name in ["catalog.db", "catalog.db-wal"] {
        let _ = fs::remove_file(dir.path().join(name));
    }
    assert!(matches!(Store::open(dir.path(), manual()).err(), Some(OpenError::NoCatalog(_))));
    let repairs = repair(dir.path(), &manual()).unwrap();
    assert_eq!(repairs.iter().filter(|repair| matches!(repair, Repair::Adopted(..))).count(), 3, "{repairs:?}");
    assert_eq!((findings(dir.path()), rows(dir.path())), (vec![], 650));
    let store = Store::open(dir.path(), manual()).unwrap();
    assert!(store.commit(records("p", "new", 1)).unwrap().first.unwrap().get() > 655, "no old id names a new record");
    assert_eq!(store.projects().iter().map(|(name, _)| name).collect::<Vec<_>>(), ["p", "q"]);
}

#[test]
fn repair_replaces_a_catalog_that_is_none_and_keeps_it() {
    let dir = patient();
    fs::write(dir.path().join("catalog.db"), "scrambled, and long enough not to pass for an empty file").unwrap();
    let _ = fs::remove_file(dir.path().join("catalog.db-wal"));
    let repairs = repair(dir.path(), &manual()).unwrap();
    assert!(repairs.contains(&Repair::NewCatalog("catalog.db".into())), "{repairs:?}");
    assert_eq!((findings(dir.path()), rows(dir.path())), (vec![], 650));
}

const BY_CONTAINER: PartId = PartId::Counts(Field::Container);

// one segment of 300 containers, more than a summary counts; row 0 is in container `first`
fn crowded(first: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let mut ingest = records("p", "a", 3_000);
    for (at, record) in ingest.records.iter_mut().enumerate() {
        let container = if at == 0 { first } else { at % 300 };
        record.texts.set(Field::Container, &format!("pod-{container:03}"));
    }
    store.commit(ingest).unwrap();
    store.compact_now().unwrap();
    dir
}

fn place(file: &[u8], part: PartId) -> Range<usize> {
    let size = file.len() as u64;
    let footer = Directory::footer(&file[file.len() - Directory::TRAILER_LEN as usize..], size).unwrap();
    let directory = Directory::read(&file[footer.start as usize..footer.end as usize]).unwrap();
    let place = directory.locate(part).unwrap();
    place.start as usize..place.end as usize
}

fn containers(dir: &Path) -> BTreeMap<String, u64> {
    let store = Store::open(dir, manual()).unwrap();
    store.stats(&Predicate::ALL, Seq::MAX, Unit::Record).unwrap().containers
}

#[test]
fn counts_beside_the_summary_outlive_the_catalog_and_damage_to_them_is_found_and_repaired() {
    let dir = crowded(7);
    let before = containers(dir.path());
    assert_eq!((before.len(), before["pod-007"], before["pod-000"]), (300, 11, 9));
    assert_eq!(findings(dir.path()), []);

    for name in ["catalog.db", "catalog.db-wal"] {
        let _ = fs::remove_file(dir.path().join(name));
    }
    let declared = Repair::Declared("p".into());
    let head = Repair::Head(3_000 + MARGIN);
    assert_eq!(repair(dir.path(), &manual()).unwrap(), [Repair::Adopted(1, 3_000), head, declared]);
    assert_eq!((findings(dir.path()), containers(dir.path())), (vec![], before.clone()));

    let path = segment(dir.path(), 1);
    let mut file = fs::read(&path).unwrap();
    let place = place(&file, BY_CONTAINER);
    file[place.end - 1] ^= 1;
    fs::write(&path, &file).unwrap();
    assert!(matches!(&findings(dir.path())[..], [Finding::Unreadable(_)]), "{:?}", findings(dir.path()));
    let rewritten = Repair::Rewritten { lost: "1.seg".into(), rows: 3_000, of: Some(3_000), bodiless: 0 };
    assert_eq!(repair(dir.path(), &manual()).unwrap(), [rewritten]);
    assert_eq!((findings(dir.path()), containers(dir.path())), (vec![], before));
}

#[test]
fn counts_of_other_rows_are_found_although_their_checksum_is_right() {
    let dir = crowded(7);
    let path = segment(dir.path(), 1);
    let mut file = fs::read(&path).unwrap();
    let own = place(&file, BY_CONTAINER);
    let foreign = (8..40).find_map(|first| {
        let other = fs::read(segment(crowded(first).path(), 1)).unwrap();
        let part = other[place(&other, BY_CONTAINER)].to_vec();
        (part.len() == own.len()).then_some(part)
    });
    let foreign = foreign.expect("parts that differ in one container are as long");
    assert_ne!(foreign, file[own.clone()]);
    file[own].copy_from_slice(&foreign);
    fs::write(&path, &file).unwrap();
    assert_eq!(findings(dir.path()), [Finding::Counts(1, Field::Container)]);
}

// one segment of exchanges and events; the first is of this method
fn mixed(method: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let mut ingest = records("p", "a", 60);
    for (at, record) in ingest.records.iter_mut().enumerate() {
        record.kind = if at % 3 == 0 { Kind::Exchange } else { Kind::Event };
        let method = if at == 0 { method } else { at % 9 };
        record.texts.set(Field::Method, &format!("M{method}"));
    }
    store.commit(ingest).unwrap();
    store.compact_now().unwrap();
    dir
}

#[test]
fn a_summary_of_other_exchanges_is_found_although_its_checksum_is_right() {
    let dir = mixed(1);
    assert_eq!(findings(dir.path()), []);
    let path = segment(dir.path(), 1);
    let mut file = fs::read(&path).unwrap();
    let own = place(&file, PartId::Exchanges);
    let foreign = (2..9).find_map(|method| {
        let other = fs::read(segment(mixed(method).path(), 1)).unwrap();
        let part = other[place(&other, PartId::Exchanges)].to_vec();
        (part.len() == own.len() && part != file[own.clone()]).then_some(part)
    });
    file[own].copy_from_slice(&foreign.expect("summaries that differ in one method are as long"));
    fs::write(&path, &file).unwrap();
    assert_eq!(findings(dir.path()), [Finding::Summary("the exchanges of segment 1".into())]);
}
