//! Retried requests and repeated imports.

use super::*;
use reqlog_core::filter::Filter;
use reqlog_core::identity::{Import, Imported};

#[test]
fn a_remembered_identity_is_not_stored_twice_even_after_a_restart() {
    for count in [3usize, 400] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), manual()).unwrap();
        let request = |from: u64| Ingest {
            identities: (from..from + count as u64).collect(),
            ..records("p", &from.to_string(), count)
        };
        let outcome = |store: &Store, from| {
            let committed = store.commit(request(from)).unwrap();
            (committed.rows as usize, committed.duplicates as usize)
        };
        assert_eq!(outcome(&store, 1), (count, 0));
        assert_eq!(outcome(&store, 1), (0, count));
        drop(store);
        let store = Store::open(dir.path(), manual()).unwrap();
        assert_eq!((outcome(&store, 1), store.remembered()), ((0, count), count));
        assert_eq!(outcome(&store, 2), (1, count - 1));
        assert_eq!(batched(&store).last_key_value().unwrap().1.0, format!("2-{}", count - 1));
        assert_eq!(batched(&store).len(), count + 1);
        let twice = Ingest { identities: vec![9_999, 9_999], ..records("p", "twice", 2) };
        assert_eq!(store.commit(twice).unwrap().duplicates, 1, "within one request");
    }
}

#[test]
fn a_record_that_is_not_stored_again_brings_its_project_not_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let request = || Ingest { identities: vec![1, 2], ..records("p", "x", 2) };
    assert_eq!(store.commit(request()).unwrap().rows, 2);
    store.delete_project("p").unwrap();
    assert_eq!(store.commit(request()).unwrap().duplicates, 2);
    assert!(store.projects().environments("p").is_none());
}

#[test]
fn an_identity_is_forgotten_after_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(1));
    let clock = now.clone();
    let options =
        Options { clock: Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst) as i64)), ..manual() };
    let store = Store::open(dir.path(), options).unwrap();
    let rows = |at: u64, identity: u64| {
        now.store(at, Ordering::SeqCst);
        store.commit(Ingest { identities: vec![identity], ..records("p", "x", 1) }).unwrap().rows
    };
    let day = 24 * 60 * 60 * 1000;
    assert_eq!([rows(1, 7), rows(day, 7), rows(day + 1, 7), rows(day + 2, 8)], [1, 0, 1, 1]);
    let stored = store.run(|committer| committer.database.identities()).unwrap();
    assert_eq!(stored.len(), 2, "what has left the window is gone from the database too");
}

fn import(store: &Store, lines: &[String], part: usize) -> u64 {
    let (seed, scope) = (store.seed(), store.seed().scope(&["p"]));
    let mut import = Import::new(seed, store.imports(scope).unwrap());
    let mut stored = 0;
    let mut commit = |import: &mut Import<Record>| {
        let (records, progress) = import.take();
        let imported = Imported { scope, progress: progress.clone() };
        let committed = store.commit(Ingest { records, import: Some(imported), ..Ingest::default() }).unwrap();
        import.stored(committed.source.unwrap(), &progress);
        stored += committed.rows;
    };
    for line in lines {
        import.push(record("p", line), seed.unit(line.as_bytes()));
        if import.ready() >= part {
            commit(&mut import);
        }
    }
    import.finish();
    commit(&mut import);
    assert_eq!(stored + import.skipped(), lines.len() as u64);
    stored
}

#[test]
fn a_file_imported_again_adds_what_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..1_000).map(|n| format!("line {}", n % 17)).collect();
    for (length, part, added) in [(900, 300, 900), (900, 50, 0), (910, 7, 10), (1_000, 64, 90), (1_000, 2_000, 0)] {
        let store = Store::open(dir.path(), manual()).unwrap();
        assert_eq!(import(&store, &lines[..length], part), added);
    }
}

#[test]
fn what_was_deleted_whole_can_be_imported_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let lines: Vec<String> = (0..500).map(|n| format!("line {n}")).collect();
    let delete = |store: &Store, query: &str| {
        let filter = Filter::parse(query).unwrap().filter;
        store.delete(Erasure::new(&filter, Timestamp::from_nanos(0), None).unwrap()).unwrap()
    };
    assert_eq!(import(&store, &lines, 90), 500);
    // what others store meanwhile is not the import's
    store.commit(records("other", "x", 5)).unwrap();
    assert_eq!(delete(&store, "message:\"line 7\""), 1);
    assert_eq!(import(&store, &lines, 90), 0, "a deleted record stays deleted while others of its import are there");
    let grown: Vec<String> = lines.iter().cloned().chain(["more".into()]).collect();
    assert_eq!(import(&store, &grown, 90), 1);
    assert_eq!(delete(&store, "-message:more project:p"), 499);
    assert_eq!(import(&store, &grown, 90), 0);
    assert_eq!(delete(&store, "project:p"), 1);
    assert_eq!(import(&store, &lines, 90), 500, "before compaction too");
    store.delete_project("p").unwrap();
    store.compact_now().unwrap();
    let stored = |store: &Store| store.run(|committer| committer.database.imported(None)).unwrap().len();
    assert_eq!(stored(&store), 0, "compaction forgets what nothing is left of");
    drop(store);
    let store = Store::open(dir.path(), manual()).unwrap();
    assert_eq!((import(&store, &lines, 90), import(&store, &lines, 90)), (500, 0));
    assert_eq!(stored(&store), 1);
    store.compact_now().unwrap();
    assert_eq!(import(&store, &lines, 90), 0);
}

#[test]
fn an_import_that_another_one_overtook_fails_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), manual()).unwrap();
    let progress = |from| reqlog_core::identity::Progress { source: Some(1), from, blocks: vec![5], tail: vec![] };
    let mut first = progress(0);
    first.source = None;
    let commit = |progress| {
        let imported = Some(Imported { scope: 3, progress });
        store.commit(Ingest { import: imported, ..records("p", "x", 2) }).map(|committed| committed.rows)
    };
    assert_eq!([commit(first), commit(progress(0)), commit(progress(1))], [Ok(2), Err(Fault::Busy), Ok(2)]);
    assert_eq!(batched(&store).len(), 4);
}
