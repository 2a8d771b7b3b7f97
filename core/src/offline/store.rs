//! What was opened, as far as it has been indexed, and where its rows are.

use super::answer::Answer;
use super::parts::Parts;
use super::setup::Setup;
use super::{Indexed, Input, Place};
use crate::catalog::{Catalog, Entry, SourceId};
use crate::codec::{Corrupt, Portable};
use crate::format::Rejection;
use crate::id::EntryId;
use crate::limit::Buckets;
use crate::plan::{Context, Projects};
use crate::record::Field;
use crate::scan::{Question, Scan};
use crate::segment::{Columns, Directory, Part, PartId, Text};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opened files and every segment that was made of them; answers requests of all dialects.
///
/// Files are adopted portion by portion, and each answer is over what was adopted when it was asked for. Adopt in the
/// order of sequences (one file after another, each from its front), and a walk by cursor is not disturbed by what is
/// adopted meanwhile. Nothing is ever written, and there is nothing to wait for.
///
/// Segments stay as they are encoded; decoded parts are kept within a budget. Details and bodies of rows that a segment
/// has not (*cold* parts) are read from the file again, see [`Answer`].
pub struct Store {
    pub(super) setup: Setup,
    inputs: BTreeMap<Place, Opened>,
    segments: Vec<Segment>,
    // the number of the first of them: none is used again
    first: u64,
    catalog: Catalog,
    projects: Projects,
    parts: Mutex<Parts>,
    counts: Mutex<BTreeMap<(u64, Question), u64>>,
    buckets: Mutex<Buckets>,
    unread: usize,
}

/// An opened file, as far as it has been indexed.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The file.
    pub input: Input,
    /// Records of it that can be found.
    pub rows: u64,
    /// Bytes of it, after decompression, that were read.
    pub bytes: u64,
    /// Lines of it that were read.
    pub lines: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// The first of them, at most [`Store::REJECTIONS`]; their lines count from the beginning of the file.
    pub rejections: Vec<Rejection>,
}

struct Segment {
    place: Place,
    directory: Directory,
    bytes: Bytes,
    // whether details and bodies are in the file only
    is_hot: bool,
}

impl Store {
    /// At most so many rejected records of a file are kept.
    pub const REJECTIONS: usize = 100;
    // of some 100 bytes each
    const COUNTS: usize = 50_000;

    /// Nothing opened yet. Decoded parts take at most `budget` bytes beside the encoded segments.
    pub fn new(setup: Setup, budget: usize) -> Self {
        let projects = setup.projects.clone();
        Self {
            setup,
            inputs: BTreeMap::new(),
            segments: Vec::new(),
            first: 0,
            catalog: Catalog::default(),
            projects,
            parts: Mutex::new(Parts::new(budget)),
            counts: Mutex::default(),
            buckets: Mutex::default(),
            unread: 0,
        }
    }

    /// How it is set up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Forgets all files and what was made of them, and goes on with another setup. What keys have asked for is not
    /// forgotten. Answers under way fail.
    pub fn reset(&mut self, setup: Setup) {
        self.projects = setup.projects.clone();
        self.setup = setup;
        self.inputs.clear();
        self.first += self.segments.len() as u64;
        self.segments.clear();
        self.catalog = Catalog::default();
        self.unread = 0;
        lock(&self.parts).clear();
        lock(&self.counts).clear();
    }

    /// Says how many files are still to be indexed or on their way: before there are none, the store is not ready.
    pub fn set_unread(&mut self, files: usize) {
        self.unread = files;
    }

    /// How many files are still to be indexed or on their way, as far as it was said.
    pub fn unread(&self) -> usize {
        self.unread
    }

    pub(super) fn ready(&self) -> Result<(), String> {
        match self.unread {
            0 => Ok(()),
            1 => Err("1 file is still being read.".to_owned()),
            files => Err(format!("{files} files are still being read.")),
        }
    }

    /// Opens a file; before anything of it is adopted.
    pub fn insert(&mut self, place: Place, input: Input) {
        let opened = Opened { input, rows: 0, bytes: 0, lines: 0, rejected: 0, rejections: Vec::new() };
        self.inputs.insert(place, opened);
    }

    /// Takes over what was made of the next portion of a file. Segments with details and bodies are taken too; nothing
    /// is read again for them.
    ///
    /// Fails where a segment is not what was written; then nothing of the portion is taken.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn adopt(&mut self, place: Place, indexed: Indexed) -> Result<(), Corrupt> {
        let read = indexed.segments.into_iter().map(|bytes| Segment::read(place, bytes));
        let segments = read.collect::<Result<Vec<_>, _>>()?;
        let named = segments.iter().map(Segment::projects).collect::<Result<Vec<_>, _>>()?;
        for (project, environment) in named.iter().flatten() {
            self.projects.declare(project, environment.as_deref());
        }
        for segment in segments {
            let (id, summary) =
                (SourceId::Segment(self.first + self.segments.len() as u64), segment.directory.summary().clone());
            let head = self.catalog.head.map_or((summary.arrival.1, summary.seq.1), |head| {
                (head.arrival_ms().max(summary.arrival.1), head.seq().max(summary.seq.1))
            });
            self.catalog.head = Some(EntryId::new(head.0, head.1));
            self.catalog.entries.push(Entry { id, summary: Arc::new(summary) });
            self.segments.push(segment);
        }
        let opened = self.inputs.get_mut(&place).expect("a file is opened before it is adopted");
        opened.rows += indexed.rows;
        opened.bytes += indexed.bytes;
        let report = indexed.report;
        opened.rejected += report.rejected;
        for mut rejection in report.errors.into_iter().take(Self::REJECTIONS - opened.rejections.len()) {
            rejection.line += opened.lines;
            opened.rejections.push(rejection);
        }
        opened.lines += indexed.lines;
        Ok(())
    }

    /// The same for a portion that begins on `line`, as a [`Cutter`](super::Cutter) says: what stands before it is of no portion.
    pub fn adopt_from(&mut self, place: Place, line: u64, indexed: Indexed) -> Result<(), Corrupt> {
        self.inputs.get_mut(&place).expect("a file is opened before it is adopted").lines = line - 1;
        self.adopt(place, indexed)
    }

    /// An opened file.
    pub fn opened(&self, place: Place) -> Option<&Opened> {
        self.inputs.get(&place)
    }

    /// Every opened file.
    pub fn inputs(&self) -> impl Iterator<Item = (Place, &Opened)> {
        self.inputs.iter().map(|(place, opened)| (*place, opened))
    }

    /// The highest sequence that was adopted and the latest arrival; `None` before the first row.
    pub fn head(&self) -> Option<EntryId> {
        self.catalog.head
    }

    /// Takes note of rows up to this one that were there and are gone: what was signed for them stays valid.
    pub fn raise(&mut self, head: EntryId) {
        self.catalog.head = self.catalog.head.max(Some(head));
    }

    /// Rows that can be found.
    pub fn rows(&self) -> u64 {
        self.catalog.entries.iter().map(|entry| entry.summary.rows).sum()
    }

    /// Bytes of memory: encoded segments, and decoded parts that are kept at the moment.
    pub fn weight(&self) -> (usize, usize) {
        (self.segments.iter().map(|segment| segment.bytes.len()).sum(), lock(&self.parts).bytes())
    }

    /// The answer to a request, to be [stepped](Answer::step).
    pub fn answer(&self, request: Request<Bytes>, now: Timestamp) -> Answer {
        Answer::new(self, request, now)
    }

    pub(super) fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            keyring: &self.setup.keyring,
            projects: &self.projects,
            head: self.catalog.head,
            now,
            secret: &self.setup.secret,
            settings: &self.setup.settings,
        }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        lock(&self.buckets)
    }

    pub(super) fn input(&self, place: Place) -> Option<&Input> {
        self.inputs.get(&place).map(|opened| &opened.input)
    }

    /// A part; `None` where it is in the file only.
    pub(super) fn part(&self, source: SourceId, id: PartId) -> Result<Option<Arc<Part>>, Corrupt> {
        let (number, segment) = self.segment(source)?;
        let Some(range) = segment.directory.locate(id) else {
            let is_cold = segment.is_hot && matches!(id, PartId::Details(_) | PartId::Bodies(_));
            return Ok((!is_cold).then(|| Arc::new(Part::Absent)));
        };
        if let Some(part) = lock(&self.parts).get(number, id) {
            return Ok(Some(part));
        }
        let stored = segment.stored(range)?;
        let part = Arc::new(segment.directory.decode(id, stored, &Portable)?);
        lock(&self.parts).insert(number, id, &part);
        Ok(Some(part))
    }

    /// Whether headers, attributes and bodies of a segment's rows are in the file only.
    pub(super) fn is_hot(&self, source: SourceId) -> Result<bool, Corrupt> {
        Ok(self.segment(source)?.1.is_hot)
    }

    /// The file whose rows a segment has.
    pub(super) fn place(&self, source: SourceId) -> Result<Place, Corrupt> {
        Ok(self.segment(source)?.1.place)
    }

    fn segment(&self, source: SourceId) -> Result<(u64, &Segment), Corrupt> {
        let SourceId::Segment(number) = source else { return Err(Corrupt { what: "source" }) };
        let segment = number.checked_sub(self.first).and_then(|at| self.segments.get(at as usize));
        Ok((number, segment.ok_or(Corrupt { what: "source" })?))
    }

    /// Tells a scan what earlier ones counted.
    pub(super) fn recall(&self, scan: &mut Scan) {
        let counts = lock(&self.counts);
        scan.recall(|source, question| match source {
            SourceId::Segment(number) => counts.get(&(number, question)).copied(),
            SourceId::Batch(_) => None,
        });
    }

    /// Keeps what a scan counted.
    pub(super) fn learn(&self, scan: &Scan) {
        let mut counts = lock(&self.counts);
        for (source, question, count) in scan.learned() {
            if counts.len() >= Self::COUNTS {
                counts.clear();
            }
            if let SourceId::Segment(number) = source {
                counts.insert((number, question), count);
            }
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let segments = self.segments.len();
        f.debug_struct("Store").field("inputs", &self.inputs).field("segments", &segments).finish_non_exhaustive()
    }
}

impl Segment {
    fn read(place: Place, bytes: Bytes) -> Result<Self, Corrupt> {
        let size = bytes.len() as u64;
        let trailer = bytes.len().checked_sub(Directory::TRAILER_LEN as usize).ok_or(Corrupt { what: "segment" })?;
        let footer = Directory::footer(&bytes[trailer..], size)?;
        let directory = Directory::read(&bytes[footer.start as usize..footer.end as usize])?;
        let is_hot = directory.locate(PartId::Details(0)).is_none();
        Ok(Self { place, directory, bytes, is_hot })
    }

    fn stored(&self, range: std::ops::Range<u64>) -> Result<&[u8], Corrupt> {
        self.bytes.get(range.start as usize..range.end as usize).ok_or(Corrupt { what: "segment footer" })
    }

    /// The projects that its rows name, each with its environments.
    fn projects(&self) -> Result<Vec<(String, Option<String>)>, Corrupt> {
        let mut columns = Columns::new(self.directory.summary().rows);
        for field in [Field::Project, Field::Environment] {
            let id = PartId::Text(field);
            let Some(range) = self.directory.locate(id) else { continue };
            columns.insert(id, Arc::new(self.directory.decode(id, self.stored(range)?, &Portable)?));
        }
        let Some(projects) = columns.text(Field::Project) else { return Ok(Vec::new()) };
        let environments = columns.text(Field::Environment);
        let code = |row| (projects.codes.get(row), environments.map_or(0, |text| text.codes.get(row)));
        let mut pairs = BTreeSet::new();
        let mut last = (0, 0);
        for pair in (0..columns.rows()).map(code) {
            if std::mem::replace(&mut last, pair) != pair && pair.0 > 0 {
                pairs.insert(pair);
            }
        }
        let value = |text: &Text, code: u64| Some(text.values.get(code.checked_sub(1)? as usize).to_owned());
        let named = pairs.into_iter().filter_map(|(project, environment)| {
            Some((value(projects, project)?, environments.and_then(|text| value(text, environment))))
        });
        Ok(named.collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what is behind these locks is whole between any two statements
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_store_answers_on_many_threads() {
        fn is_shared<T: Send + Sync>() {}
        fn is_sent<T: Send>() {}
        is_shared::<Store>();
        is_sent::<Answer>();
    }
}
