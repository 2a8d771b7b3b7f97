//! A data directory that begins with what was encoded and numbered elsewhere.

use super::data_dir::DataDir;
use super::database::{self, Creation, Database, Head};
use super::{Fault, OpenError, Options};
use bytes::Bytes;
use reqlog_core::batch;
use reqlog_core::catalog::Summary;
use reqlog_core::plan::Projects;
use std::path::Path;

/// What a new catalog begins with.
#[derive(Clone, Debug)]
pub struct Founding {
    /// Encoded batches with their summaries, by ascending sequence and arrival.
    pub batches: Vec<(Summary, Bytes)>,
    /// What is known beside them; a batch does not say which projects its records name.
    pub projects: Projects,
    /// The key that signs cursors, so that walks begun where the batches come from go on here.
    pub secret: [u8; 32],
}

/// Makes a data directory for [`Store::open`](super::Store::open): ids, sequences and walks are those of the origin.
///
/// Every batch is decoded once before anything is stored. Fails where the directory holds records already or a batch
/// is not what its summary says.
pub fn found(root: &Path, options: &Options, founding: &Founding) -> Result<(), OpenError> {
    let dir = DataDir::open(root, options.disk.clone())?;
    let failed = |fault| OpenError::Failed(root.to_owned(), fault);
    let mut next = Head { next: 1, arrival: 0 };
    for (summary, blob) in &founding.batches {
        next = check(summary, blob, next, options).map_err(failed)?;
    }
    let creation = if dir.files().map_err(failed)?.is_empty() { Creation::Allowed } else { Creation::Refused };
    let mut database = Database::open(&dir.catalog(), options.vfs.as_deref(), creation)?;
    if database.head().map_err(failed)?.next != 1 {
        return Err(failed(Fault::Failed("there are records in it already".into())));
    }
    let write = |tx: &rusqlite::Transaction<'_>| {
        founding.batches.iter().try_for_each(|(summary, blob)| database::put_batch(tx, summary, blob))?;
        for (project, environments) in founding.projects.iter() {
            database::declare(tx, project, None)?;
            environments.iter().try_for_each(|name| database::declare(tx, project, Some(name)))?;
        }
        database::put_secret(tx, &founding.secret)?;
        database::put_head(tx, next)
    };
    database.write(write).map_err(failed)
}

/// What follows a batch that may come next.
fn check(summary: &Summary, blob: &[u8], next: Head, options: &Options) -> Result<Head, Fault> {
    let ((first, last), arrival) = (summary.seq, summary.arrival.0);
    let rows = batch::decode(blob, first, arrival, &*options.codec)?;
    let draft = Summary::draft(rows.iter().map(|row| &row.record));
    // scans leave out what a summary rules out
    if draft.and_then(|draft| draft.place(first, arrival)).as_ref() != Some(summary) {
        return Err(Fault::Corrupt(format!("batch {first}")));
    }
    if first.get() < next.next || arrival < next.arrival {
        return Err(Fault::Failed(format!("batch {first} is not after the one before it")));
    }
    Ok(Head { next: last.get() + 1, arrival })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{manual, record};
    use crate::store::{Ingest, Store};
    use reqlog_core::batch::encode;
    use reqlog_core::codec::Portable;
    use reqlog_core::filter::Predicate;
    use reqlog_core::id::Seq;
    use reqlog_core::query::Detail;
    use reqlog_core::timestamp::Timestamp;
    use std::sync::Arc;

    fn batch(first: u64, rows: usize, arrival: u64) -> (Summary, Bytes) {
        let records: Vec<_> = (0..rows).map(|at| record("p", &format!("{first}+{at}"))).collect();
        let encoded = encode(&records, &Portable).unwrap();
        (encoded.draft.place(Seq::new(first).unwrap(), arrival).unwrap(), encoded.blob.into())
    }

    fn founding(batches: Vec<(Summary, Bytes)>) -> Founding {
        let mut projects = Projects::default();
        projects.declare("p", Some("test"));
        Founding { batches, projects, secret: [9; 32] }
    }

    #[test]
    fn a_store_goes_on_where_its_founding_ends() {
        let dir = tempfile::tempdir().unwrap();
        let options = || crate::store::Options { clock: Arc::new(|| Timestamp::from_millis(50)), ..manual() };
        let founding = founding(vec![batch(1, 2, 70), batch(5, 1, 90)]);
        found(dir.path(), &options(), &founding).unwrap();
        let store = Store::open(dir.path(), options()).unwrap();
        assert_eq!((store.secret(), &*store.projects()), (&[9; 32], &founding.projects));
        let committed = store.commit(Ingest { records: vec![record("p", "x")], ..Ingest::default() }).unwrap();
        assert_eq!((committed.first, committed.arrival_ms), (Seq::new(6), 91));
        store.compact_now().unwrap();
        for (seq, arrival) in [(1, 70), (2, 70), (5, 90), (6, 91)] {
            let row = store.get(Seq::new(seq).unwrap(), Some(arrival), &Predicate::ALL, Detail::Preview).unwrap();
            assert!(row.is_some(), "{seq}");
        }
        drop(store);
        let again = found(dir.path(), &options(), &founding).unwrap_err().to_string();
        assert!(again.contains("records in it already"), "{again}");
    }

    #[test]
    fn what_does_not_follow_or_does_not_read_is_refused() {
        let refuse = |batches| {
            let dir = tempfile::tempdir().unwrap();
            let refused = found(dir.path(), &manual(), &founding(batches)).unwrap_err().to_string();
            let store = Store::open(dir.path(), manual()).unwrap();
            assert!(store.catalog().entries.is_empty(), "{refused}");
            refused
        };
        assert!(refuse(vec![batch(1, 2, 70), batch(2, 1, 70)]).contains("not after"));
        assert!(refuse(vec![batch(1, 2, 70), batch(3, 1, 69)]).contains("not after"));
        let (summary, blob) = batch(1, 2, 70);
        assert!(refuse(vec![(Summary { levels: [0; 6], ..summary.clone() }, blob)]).contains("batch 1"));
        assert!(refuse(vec![(summary.clone(), batch(1, 3, 70).1)]).contains("batch 1"));
        assert!(!refuse(vec![(summary, Bytes::from_static(b"nothing"))]).is_empty());
    }
}
