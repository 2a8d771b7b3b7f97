//! Making a catalog and its files agree again, without losing a record that can be read.

use super::super::data_dir::{DataDir, SegmentFile};
use super::super::database::{self, Database, Head, RawBatch, RawSegment, StoredSegment};
use super::super::source::{Reader, read_directory};
use super::super::{Fault, Options, Snapshot, backup};
use super::examination::{check, understood};
use super::reading::{Rescued, projects, rescue};
use super::repair::Repair;
use reqlog_core::batch;
use reqlog_core::catalog::{Catalog, Deletion, Entry, SourceId, Summary};
use reqlog_core::id::Seq;
use reqlog_core::record::{Field, Stored};
use reqlog_core::segment::{self, Built};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::ErrorKind;
use std::sync::Arc;

/// What becomes of files that the catalog does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strangers {
    /// The catalog knows all of its own.
    Lose,
    /// The catalog may have forgotten some.
    Adopt,
}

/// Goes through every source, newest segment first: a segment replaces older ones and batches, and of those only rows
/// that no newer one has are wanted. Holds one source and the sequences of all rows in memory.
pub(super) fn mend(
    dir: &Arc<DataDir>,
    database: &mut Database,
    options: &Options,
    strangers: Strangers,
) -> Result<Vec<Repair>, Fault> {
    let mut refused = Vec::new();
    let stored = database.deletions()?;
    let deletions = understood(&stored, |id, _| refused.push(id));
    let mut patient = Patient {
        dir,
        options,
        seen: HashSet::new(),
        found: database.head()?,
        last: 0,
        named: BTreeSet::new(),
        repairs: Vec::new(),
        deletions,
        database,
    };
    for deletion in stored.iter().filter(|deletion| refused.contains(&deletion.id)) {
        patient.database.write(|tx| database::drop_deletion(tx, deletion.id))?;
        patient.repairs.push(Repair::Deletion(deletion.id, deletion.query.clone()));
    }
    for id in patient.database.useless_keys()? {
        patient.database.write(|tx| database::drop_key(tx, id))?;
        patient.repairs.push(Repair::Key(id));
    }
    patient.sources(strangers)?;
    patient.settle()?;
    Ok(patient.repairs)
}

struct Patient<'a> {
    dir: &'a Arc<DataDir>,
    database: &'a mut Database,
    options: &'a Options,
    seen: HashSet<Seq>,
    found: Head,
    // the highest sequence of any row
    last: u64,
    named: BTreeSet<String>,
    deletions: Vec<Arc<Deletion>>,
    repairs: Vec<Repair>,
}

impl Patient<'_> {
    fn sources(&mut self, strangers: Strangers) -> Result<(), Fault> {
        let files = self.dir.files()?;
        if let Some(newest) = files.iter().filter_map(|(_, id)| *id).max() {
            self.database.write(|tx| database::pass_segment(tx, newest))?;
        }
        let mut known: HashSet<u64> = self.database.leftovers()?.into_iter().collect();
        for raw in self.database.raw_segments()? {
            known.insert(raw.id);
            self.segment(&raw)?;
        }
        let mut unknown: Vec<_> =
            files.into_iter().filter(|(_, id)| id.is_none_or(|id| !known.contains(&id))).collect();
        unknown.sort_by_key(|(_, id)| std::cmp::Reverse(*id));
        // before the batches, of which they may hold the rows
        for (name, id) in unknown {
            match id.filter(|_| strangers == Strangers::Adopt) {
                Some(id) => self.stranger(id)?,
                None => self.lose(&name)?,
            }
        }
        for raw in self.database.raw_batches()? {
            self.batch(&raw)?;
        }
        Ok(())
    }

    fn segment(&mut self, raw: &RawSegment) -> Result<(), Fault> {
        let file = Arc::new(SegmentFile::new(self.dir.clone(), raw.id, raw.size, raw.erased));
        match file.size_on_disk() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.forget(raw.id)?;
                self.repairs.push(Repair::Forgotten(raw.id));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let whole = raw.summary.as_ref().and_then(|summary| self.whole(&file, summary));
        let is_whole = whole.is_some();
        let rescued = whole.map_or_else(|| rescue(&file, &*self.options.codec), |rows| Rescued { rows, bodiless: 0 });
        let all = rescued.rows.len();
        let rows = self.fresh(rescued.rows);
        if is_whole && rows.len() == all {
            return Ok(());
        }
        let of = raw.summary.as_ref().map(|summary| summary.rows);
        let id = raw.id;
        self.rewrite(
            rows,
            raw.erased,
            |tx| {
                database::drop_segment(tx, id)?;
                // as a leftover it would be removed
                database::drop_leftover(tx, id)
            },
            |lost, rows| Repair::Rewritten { lost, rows, of, bodiless: rescued.bodiless },
            &format!("{id}.seg"),
        )
    }

    // a file whose row in the catalog is gone
    fn stranger(&mut self, id: u64) -> Result<(), Fault> {
        let size = self.dir.segment_len(id)?;
        let file = Arc::new(SegmentFile::new(self.dir.clone(), id, size, 0));
        let summary = read_directory(&file).ok().map(|directory| directory.summary().clone());
        let whole = summary.as_ref().and_then(|summary| self.whole(&file, summary));
        let is_whole = whole.is_some();
        let rescued = whole.map_or_else(|| rescue(&file, &*self.options.codec), |rows| Rescued { rows, bodiless: 0 });
        let all = rescued.rows.len();
        let rows = self.fresh(rescued.rows);
        if let Some(summary) = summary.clone().filter(|_| is_whole && rows.len() == all) {
            let count = summary.rows;
            let stored = StoredSegment { id, size, erased: 0, summary: Arc::new(summary) };
            self.database.write(|tx| database::put_segment(tx, &stored))?;
            self.repairs.push(Repair::Adopted(id, count));
            return Ok(());
        }
        let of = summary.map(|summary| summary.rows);
        self.rewrite(
            rows,
            0,
            |_| Ok(()),
            |lost, rows| Repair::Rewritten { lost, rows, of, bodiless: rescued.bodiless },
            &format!("{id}.seg"),
        )
    }

    fn batch(&mut self, raw: &RawBatch) -> Result<(), Fault> {
        let first = raw.first;
        let rows =
            Seq::new(first).and_then(|seq| batch::decode(&raw.blob, seq, raw.arrival, &*self.options.codec).ok());
        let Some(rows) = rows else {
            let lost = self.dir.keep_lost(&format!("{first}.batch"), &raw.blob)?;
            self.database.write(|tx| database::drop_batch(tx, first))?;
            self.repairs.push(Repair::Lost(lost));
            return Ok(());
        };
        let (all, is_sound) = (rows.len(), Summary::of(rows.iter()) == raw.summary);
        let rows = self.fresh(rows);
        if is_sound && rows.len() == all {
            return Ok(());
        }
        let count = rows.len() as u64;
        self.put(rows, 0, |tx| database::drop_batch(tx, first))?;
        self.repairs.push(Repair::Batch { first, rows: count, of: all as u64 });
        Ok(())
    }

    // the rows of a segment that is as it should be
    fn whole(&self, file: &Arc<SegmentFile>, summary: &Summary) -> Option<Vec<Stored>> {
        let entry = Entry { id: SourceId::Segment(file.id()), summary: Arc::new(summary.clone()) };
        let catalog = Catalog { entries: vec![entry.clone()], ..Catalog::default() };
        let snapshot = Snapshot::new(catalog, Vec::new(), vec![file.clone()]);
        let reader = Reader { snapshot: &snapshot, codec: &*self.options.codec, cache: None, aside: None };
        let mut findings = Vec::new();
        check(&reader, &entry, &mut findings).ok().filter(|_| findings.is_empty())
    }

    // the rows that no source before had
    fn fresh(&mut self, mut rows: Vec<Stored>) -> Vec<Stored> {
        rows.retain(|row| self.seen.insert(row.id.seq()));
        for row in &rows {
            self.last = self.last.max(row.id.seq().get());
            self.found.arrival = self.found.arrival.max(row.id.arrival_ms());
        }
        self.named.extend(projects(&rows, &self.deletions).map(str::to_owned));
        rows
    }

    fn forget(&mut self, id: u64) -> Result<(), Fault> {
        self.database.write(|tx| {
            database::drop_segment(tx, id)?;
            database::drop_leftover(tx, id)
        })
    }

    fn lose(&mut self, name: &str) -> Result<(), Fault> {
        let lost = self.dir.lose(name)?;
        self.repairs.push(Repair::Lost(lost));
        Ok(())
    }

    // other segments in the place of a file, which moves to `lost/`
    fn rewrite(
        &mut self,
        rows: Vec<Stored>,
        erased: u64,
        remove: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), Fault>,
        told: impl FnOnce(String, u64) -> Repair,
        name: &str,
    ) -> Result<(), Fault> {
        let count = rows.len() as u64;
        self.put(rows, erased, remove)?;
        let lost = self.dir.lose(name)?;
        // also when it is none: what was lost has to be told
        self.repairs.push(told(lost, count));
        Ok(())
    }

    // rows as segments; what they stand for goes in the same transaction
    fn put(
        &mut self,
        rows: Vec<Stored>,
        erased: u64,
        remove: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut stored = Vec::new();
        for built in self.built(rows) {
            let id = self.database.write(database::reserve_segment)?;
            self.dir.write_segment(id, &built.bytes)?;
            let size = built.bytes.len() as u64;
            stored.push(StoredSegment { id, size, erased, summary: Arc::new(built.summary) });
        }
        self.dir.sync_segments()?;
        self.database.write(|tx| {
            remove(tx)?;
            stored.iter().try_for_each(|segment| database::put_segment(tx, segment))
        })
    }

    fn built(&self, rows: Vec<Stored>) -> Vec<Built> {
        let mut projects: BTreeMap<Option<String>, Vec<Stored>> = BTreeMap::new();
        for row in rows {
            projects.entry(row.record.text(Field::Project).map(str::to_owned)).or_default().push(row);
        }
        let mut built = Vec::new();
        for rows in projects.values_mut() {
            rows.sort_unstable_by_key(|row| (row.record.time, row.id.seq()));
            built.extend(rows.chunks(segment::MAX_ROWS).filter_map(|rows| segment::build(rows, &*self.options.codec)));
        }
        built
    }

    // the head, the projects and the key of redacted values
    fn settle(&mut self) -> Result<(), Fault> {
        if self.last >= self.found.next {
            // there may have been newer ones
            self.found.next = self.last + backup::MARGIN;
        }
        if self.found != self.database.head()? {
            let head = self.found;
            self.database.write(|tx| database::put_head(tx, head))?;
            self.repairs.push(Repair::Head(head.next));
        }
        let known = self.database.projects()?;
        for project in std::mem::take(&mut self.named) {
            if known.environments(&project).is_none() {
                self.database.write(|tx| database::declare(tx, &project, None))?;
                self.repairs.push(Repair::Declared(project));
            }
        }
        if self.dir.redact_key_len()?.is_some_and(|len| len != 32) {
            self.repairs.extend(self.dir.lose_beside("redact.key")?.map(Repair::Lost));
        }
        Ok(())
    }
}
