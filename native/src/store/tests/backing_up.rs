//! Backups taken of a store, what is refused of them, and stores made of them.

use super::repairing::copy_dir;
use super::*;
use crate::store::backup::MARGIN;
use reqlog_core::filter::Filter;
use reqlog_core::query::{Detail, Unit};
use std::fs;
use std::io::Read;
use tar::{EntryType, Header};

fn stream(backup: Backup) -> Vec<u8> {
    backup.map(|chunk| chunk.unwrap().to_vec()).collect::<Vec<_>>().concat()
}

// two segments, a batch, a deletion that is not physical yet, a key and a project without records
fn store(dir: &Path) -> Store {
    let store = Store::open(dir, manual()).unwrap();
    for prefix in ["a", "b"] {
        store.commit(records(prefix, prefix, 300)).unwrap();
    }
    store.compact_now().unwrap();
    store.commit(records("p", "c", 7)).unwrap();
    store.delete(erasure("message:a-1*")).unwrap();
    store.create_project("declared", &["live".into()]).unwrap();
    store.ensure_admin(Some(Secret::given("an admin".to_owned()))).unwrap();
    store
}

fn erasure(query: &str) -> Erasure {
    let filter = Filter::parse(query).unwrap().filter;
    Erasure::new(&filter, Timestamp::from_millis(0), None).unwrap()
}

fn messages(store: &Store) -> BTreeMap<u64, String> {
    let all = store.catalog().head.map_or(0, |head| head.seq().get());
    let get = |seq| store.get(Seq::new(seq).unwrap(), None, &Predicate::ALL, Detail::Preview).unwrap();
    let row = |seq| Some((seq, get(seq)?.record.text(Field::Message)?.to_owned()));
    (1..=all.min(2_000)).filter_map(row).collect()
}

fn findings(dir: &Path) -> Vec<Finding> {
    doctor(dir, &manual()).unwrap().findings
}

/// Breaks off where the bytes end.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::ConnectionReset.into()) } else { self.0.read(buffer) }
    }
}

/// A backup as its receiver reads it.
struct Stream(Backup, Vec<u8>);

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.1 = self.0.next().transpose()?.unwrap_or_default().to_vec();
        }
        let len = self.1.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.1[..len]);
        self.1.drain(..len);
        Ok(len)
    }
}

struct Places {
    dir: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn names(&self, name: &str) -> Vec<String> {
        let mut names = OsDisk.list(&self.path(name)).unwrap();
        names.sort();
        names
    }
}

#[test]
fn a_restored_store_is_the_moment_of_its_backup_and_goes_on_ahead() {
    let places = Places::new();
    let original = store(&places.path("data"));
    let before = messages(&original);
    let bytes = stream(original.backup().unwrap());
    assert_eq!(places.names("data").iter().filter(|name| name.starts_with("catalog.db.backup-")).count(), 0);
    original.commit(records("p", "later", 3)).unwrap();
    let manifest = receive(&bytes[..], &places.path("backup")).unwrap();
    assert_eq!((manifest.head, manifest.files.len()), (607, 3));
    assert_eq!(places.names("backup"), ["backup.json", "catalog.db", "segments"]);
    assert_eq!(findings(&places.path("backup")), []);

    assert_eq!(restore(&places.path("backup"), &places.path("new"), &manual()).unwrap(), manifest);
    assert_eq!(findings(&places.path("new")), []);
    let restored = Store::open(&places.path("new"), manual()).unwrap();
    assert_eq!(
        (messages(&restored), restored.stats(&Predicate::ALL, Seq::MAX, Unit::Record).unwrap().total),
        (before, 496)
    );
    assert_eq!((restored.secret(), &*restored.projects()), (original.secret(), &*original.projects()));
    assert_eq!(restored.keyring().keys(), original.keyring().keys());
    assert_ne!(restored.redact_key(), original.redact_key(), "that key is in no backup");
    let committed = restored.commit(records("p", "new", 1)).unwrap();
    assert_eq!(committed.first.unwrap().get(), 608 + MARGIN);
    assert!(committed.arrival_ms > original.catalog().entries.iter().map(|e| e.summary.arrival.1).min().unwrap());
    // the deletion has not lost its hold, and a new one is younger
    restored.compact_now().unwrap();
    restored.delete(erasure("message:new-0")).unwrap();
    assert_eq!(restored.stats(&Predicate::ALL, Seq::MAX, Unit::Record).unwrap().total, 496);
    drop(restored);
    assert_eq!(findings(&places.path("new")), []);
    // the backup is as it was
    assert_eq!(restore(&places.path("backup"), &places.path("third"), &manual()).unwrap(), manifest);
}

#[test]
fn files_of_a_running_backup_stay_though_compaction_replaced_them_and_are_gone_afterwards() {
    let places = Places::new();
    let store = store(&places.path("data"));
    let before = messages(&store);
    let mut backup = store.backup().unwrap();
    let first = places.names("data/segments");
    let mut bytes = backup.next().unwrap().unwrap().to_vec();
    for round in 0..3 {
        store.commit(records("p", &format!("more{round}"), 40)).unwrap();
        store.delete(erasure(&format!("message:*-{round}"))).unwrap();
        store.compact_now().unwrap();
    }
    let during = places.names("data/segments");
    assert!(first.iter().all(|name| during.contains(name)), "{first:?} are needed, {during:?} are there");
    // as a crash at this moment would leave it
    copy_dir(&places.path("data"), &places.path("crashed"));
    let live: Vec<String> = store.snapshot().files().iter().map(|file| format!("{}.seg", file.id())).collect();
    assert!(first.iter().all(|name| !live.contains(name)), "all of them were replaced");
    bytes.extend(stream(backup));
    // numbers are not names: 10 comes after 9
    let mut after = places.names("data/segments");
    after.sort_by_key(String::len);
    assert_eq!(after, live, "with the backup its files are gone, and nothing else");
    receive(&bytes[..], &places.path("backup")).unwrap();
    restore(&places.path("backup"), &places.path("new"), &manual()).unwrap();
    assert_eq!(messages(&Store::open(&places.path("new"), manual()).unwrap()), before);
    drop(store);
    assert_eq!(findings(&places.path("data")), []);
    drop(Store::open(&places.path("crashed"), manual()).unwrap());
    let mut started = places.names("crashed/segments");
    started.sort_by_key(String::len);
    assert_eq!((started, findings(&places.path("crashed"))), (live, vec![]));
    assert!(!places.names("crashed").iter().any(|name| name.starts_with("catalog.db.backup-")));
}

#[test]
fn a_segment_that_cannot_be_read_breaks_the_backup_off_and_is_named() {
    let places = Places::new();
    let store = store(&places.path("data"));
    fs::remove_file(places.path("data/segments/2.seg")).unwrap();
    let refused = receive(Stream(store.backup().unwrap(), Vec::new()), &places.path("backup")).unwrap_err();
    assert!(matches!(&refused, BackupError::CutOff(why) if why.contains("segment 2")), "{refused}");
    assert_eq!(places.names(""), ["data"]);
}

#[test]
fn a_backup_that_is_given_up_or_dies_with_its_process_leaves_nothing() {
    let places = Places::new();
    let store = store(&places.path("data"));
    let mut backup = store.backup().unwrap();
    backup.next().unwrap().unwrap();
    assert!(places.names("data").iter().any(|name| name.starts_with("catalog.db.backup-")));
    drop(backup);
    assert!(!places.names("data").iter().any(|name| name.starts_with("catalog.db.backup-")));
    drop(store);
    fs::write(places.path("data/catalog.db.backup-3"), "half a copy").unwrap();
    drop(Store::open(&places.path("data"), manual()).unwrap());
    assert!(!places.names("data").iter().any(|name| name.starts_with("catalog.db.backup-")));
}

#[test]
fn a_backup_takes_no_room_that_is_reserved() {
    let dir = tempfile::tempdir().unwrap();
    let room = Arc::new(AtomicU64::new(1 << 30));
    let options = Options { disk: Arc::new(Room(room.clone())), reserve: 1 << 20, ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    store.commit(records("p", "a", 5_000)).unwrap();
    room.store((1 << 20) + 1_000, Ordering::SeqCst);
    assert_eq!(store.backup().err(), Some(Fault::DiskFull));
    room.store(1 << 30, Ordering::SeqCst);
    store.backup().unwrap();
}

#[test]
fn a_stream_that_is_cut_off_anywhere_is_refused_and_leaves_nothing() {
    let places = Places::new();
    let bytes = stream(store(&places.path("data")).backup().unwrap());
    // the two blocks at the end of a tar say nothing
    let whole = bytes.len() - 1024 - 511;
    for cut in (0..whole).step_by(997).chain(whole - 40..whole) {
        let refused = receive(&bytes[..cut], &places.path("backup")).unwrap_err();
        assert!(matches!(refused, BackupError::CutOff(_)), "{cut} of {}: {refused}", bytes.len());
    }
    assert!(matches!(receive(Broken(&bytes[..whole / 2]), &places.path("backup")), Err(BackupError::CutOff(_))));
    assert_eq!(places.names(""), ["data"]);
}

#[test]
fn a_backup_never_damages_another_and_is_never_served() {
    let places = Places::new();
    let store = store(&places.path("data"));
    let bytes = stream(store.backup().unwrap());
    fs::create_dir(places.path("backup")).unwrap();
    receive(&bytes[..], &places.path("backup")).unwrap();
    let mtime = || fs::metadata(places.path("backup/backup.json")).unwrap().modified().unwrap();
    let made = mtime();
    assert!(matches!(receive(&bytes[..], &places.path("backup")), Err(BackupError::NotEmpty(_))));
    fs::create_dir(places.path("other.partial")).unwrap();
    assert!(matches!(receive(&bytes[..], &places.path("other")), Err(BackupError::Unfinished(_))));
    assert!(places.path("other.partial").is_dir(), "it is somebody else's");
    assert!(matches!(Store::open(&places.path("backup"), manual()).err(), Some(OpenError::Backup(_))));
    assert!(matches!(repair(&places.path("backup"), &manual()), Err(OpenError::Backup(_))));
    assert_eq!(
        (places.names("backup"), mtime()),
        (vec!["backup.json".into(), "catalog.db".into(), "segments".into()], made)
    );
}

fn entry(name: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o777);
    header.set_cksum();
    let mut bytes = [header.as_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn a_hostile_stream_writes_nothing_but_files_of_the_two_forms() {
    let places = Places::new();
    fs::create_dir(places.path("home")).unwrap();
    let file = |name: &str| entry(name, EntryType::Regular, b"evil");
    let catalog = || file("catalog.db");
    let manifest =
        br#"{"format":1,"reqlog":"x","taken":"x","head":0,"files":[{"name":"../../evil","size":4,"sha256":""}]}"#;
    let elsewhere = "A".repeat(300);
    for hostile in [
        file("../evil"),
        file("/tmp/evil"),
        file("segments/1.seg"),
        entry("catalog.db", EntryType::Symlink, b""),
        entry("catalog.db", EntryType::Link, b""),
        entry("catalog.db", EntryType::Directory, b""),
        [catalog(), catalog()].concat(),
        [catalog(), file("segments/../../evil.seg")].concat(),
        [catalog(), file("segments/01.seg")].concat(),
        [catalog(), file("segments/+1.seg")].concat(),
        [catalog(), file("./segments/1.seg")].concat(),
        [catalog(), file("redact.key")].concat(),
        [catalog(), file("run.json")].concat(),
        [catalog(), file("segments/2.seg"), file("segments/1.seg")].concat(),
        [catalog(), file("segments/2.seg"), file("segments/2.seg")].concat(),
        // extensions give the next entry another name
        [catalog(), entry("././@LongLink", EntryType::GNULongName, elsewhere.as_bytes()), file("segments/1.seg")]
            .concat(),
        [catalog(), entry("pax", EntryType::XHeader, b"20 path=../../evil\n"), file("segments/1.seg")].concat(),
        [catalog(), entry("backup.json", EntryType::Regular, manifest)].concat(),
        [catalog(), entry("backup.json", EntryType::Regular, b"{}")].concat(),
    ] {
        let refused = receive(&[hostile, vec![0; 1024]].concat()[..], &places.path("home/backup")).unwrap_err();
        assert!(matches!(refused, BackupError::Damaged(_)), "{refused}");
        assert_eq!((places.names("home"), places.names("")), (Vec::new(), vec!["home".to_owned()]));
    }
}

#[test]
fn what_was_changed_in_a_backup_is_refused_before_anything_is_written() {
    let places = Places::new();
    let bytes = stream(store(&places.path("data")).backup().unwrap());
    receive(&bytes[..], &places.path("backup")).unwrap();
    let restored = || restore(&places.path("backup"), &places.path("new"), &manual());
    for name in ["catalog.db", "segments/1.seg", "segments/2.seg"] {
        let path = places.path("backup").join(name);
        let sound = fs::read(&path).unwrap();
        let mut flipped = sound.clone();
        flipped[sound.len() / 2] ^= 1;
        for wrong in [&flipped[..], &sound[1..], &[&sound[..], b"?"].concat()] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(restored(), Err(BackupError::Damaged(what)) if what.contains(name)));
            assert!(!findings(&places.path("backup")).is_empty(), "{name}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(restored(), Err(BackupError::Damaged(what)) if what.contains(name)));
        assert!(!findings(&places.path("backup")).is_empty(), "{name}");
        fs::write(&path, sound).unwrap();
    }
    let path = places.path("backup/backup.json");
    let sound = fs::read_to_string(&path).unwrap();
    for (from, to) in
        [("\"format\": 1", "\"format\": 2"), ("segments/2", "../2"), ("segments/1", "segments/9"), ("{", "[")]
    {
        fs::write(&path, sound.replacen(from, to, 1)).unwrap();
        assert!(matches!(restored(), Err(BackupError::Damaged(_))), "{from}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(restored(), Err(BackupError::NoBackup(_))));
    assert!(matches!(restore(&places.path("data"), &places.path("new"), &manual()), Err(BackupError::NoBackup(_))));
    assert!(!places.path("new").exists());
}

#[test]
fn a_restore_goes_into_nothing_but_what_is_empty_or_unfinished() {
    let places = Places::new();
    let bytes = stream(store(&places.path("data")).backup().unwrap());
    receive(&bytes[..], &places.path("backup")).unwrap();
    let into = |name: &str| restore(&places.path("backup"), &places.path(name), &manual());
    assert!(matches!(into("data"), Err(BackupError::NotEmpty(_))));
    assert_eq!(messages(&Store::open(&places.path("data"), manual()).unwrap()).len(), 496);
    fs::create_dir(places.path("new")).unwrap();
    into("new").unwrap();
    assert!(matches!(into("new"), Err(BackupError::NotEmpty(_))));

    // what a restore that died may leave
    fs::create_dir_all(places.path("half/segments")).unwrap();
    for (name, bytes) in
        [("restoring", ""), ("segments/1.seg", "half"), ("segments/77.seg", "x"), ("catalog.db.new", "x")]
    {
        fs::write(places.path("half").join(name), bytes).unwrap();
    }
    assert!(matches!(Store::open(&places.path("half"), manual()).err(), Some(OpenError::Restoring(_))));
    assert!(matches!(repair(&places.path("half"), &manual()), Err(OpenError::Restoring(_))));
    let lock = OsDisk.lock(&places.path("half/lock")).unwrap();
    assert!(matches!(into("half"), Err(BackupError::Store(OpenError::Locked(_)))), "another one is at it");
    drop(lock);
    into("half").unwrap();
    assert_eq!(places.names("half/segments"), ["1.seg", "2.seg"]);
    assert_eq!(findings(&places.path("half")), []);
}

#[test]
fn an_empty_store_has_a_backup_too() {
    let places = Places::new();
    let bytes = stream(Store::open(&places.path("data"), manual()).unwrap().backup().unwrap());
    assert_eq!(receive(&bytes[..], &places.path("backup")).unwrap().head, 0);
    restore(&places.path("backup"), &places.path("new"), &manual()).unwrap();
    assert_eq!(findings(&places.path("new")), []);
    Store::open(&places.path("new"), manual()).unwrap().commit(records("p", "a", 1)).unwrap();
}
