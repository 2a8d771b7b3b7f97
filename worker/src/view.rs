//! One moment of the store, and scans over it.

use crate::cache::{Parts, Stored as Kept};
use crate::database::{Database, Fault};
use crate::limits::{FETCH, FETCHES, READS, TOGETHER};
use crate::rows::{self, BatchRow, Everything, Horizon, StoreRow};
use futures_util::future::{join_all, try_join_all};
use futures_util::lock::Mutex;
use reqlog_core::auth::Keyring;
use reqlog_core::batch;
use reqlog_core::catalog::{Catalog, Deletion, Entry, Replacement, SourceId, live};
use reqlog_core::codec::{Corrupt, Portable};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::plan::{Failure, Projects};
use reqlog_core::record::Stored;
use reqlog_core::retention::{self, COLUMNS, Retained, Retention};
use reqlog_core::scan::{Next, Partial, Scan, Step, Task};
use reqlog_core::segment::{self, Part, PartId};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use worker::KvStore;

/// What the catalog says, kept by an isolate until it says something else.
pub struct View {
    pub store: StoreRow,
    pub keyring: Rc<Keyring>,
    pub projects: Rc<Projects>,
    pub entries: Vec<Entry>,
    pub replacements: Vec<Replacement>,
    pub deletions: Vec<Arc<Deletion>>,
    pub retained: Retained,
    pub secret: [u8; 32],
    pub redact_key: [u8; 32],
    head: Option<EntryId>,
    // for which ages are counted
    at: u64,
    sizes: HashMap<SourceId, u64>,
    erased: HashMap<u64, u64>,
    // by first sequence, where it came with the catalog
    blobs: BTreeMap<u64, Rc<String>>,
    // sequences from here on are in no batch of this view
    next: u64,
}

impl View {
    /// The present view, as little of it loaded as has changed since `known`; `None` where there is no catalog yet.
    pub async fn load(database: &Database, known: Option<&Rc<Self>>) -> Result<Option<Rc<Self>>, Fault> {
        if let Some(known) = known {
            let (store, batches) = database.look(known.next).await?;
            match store {
                Some(store) if store.generation == known.store.generation && batches.is_empty() => {
                    return Ok(Some(known.clone()));
                }
                Some(store) if store.generation == known.store.generation => {
                    return known.with(batches).map(|view| Some(Rc::new(view)));
                }
                _ => {}
            }
        }
        let everything = database.load(known.map_or(0, |known| known.next)).await?;
        Ok(Self::new(everything, known)?.map(Rc::new))
    }

    fn new(everything: Everything, known: Option<&Rc<Self>>) -> Result<Option<Self>, Fault> {
        let Some(store) = everything.store else { return Ok(None) };
        let damaged = |what: &str| Fault::Failed(format!("{what} does not read back as it was written"));
        let key = |text: &str| rows::decode(text).and_then(|bytes| bytes.try_into().ok());
        let (at, retained) = Horizon::read(&store.retained).ok_or_else(|| damaged("what was retained"))?;
        let mut projects = Projects::default();
        for place in &everything.places {
            projects.declare(&place.project, Some(place.environment.as_str()).filter(|name| !name.is_empty()));
        }
        let replacements = everything.replacements.iter().map(rows::ReplacementRow::decode).collect::<Option<_>>();
        let mut view = Self {
            secret: key(&store.secret).ok_or_else(|| damaged("the secret"))?,
            redact_key: key(&store.redact_key).ok_or_else(|| damaged("the redaction key"))?,
            keyring: Rc::new(Keyring::new(everything.keys.into_iter().filter_map(rows::KeyRow::decode).collect())),
            projects: Rc::new(projects),
            entries: Vec::new(),
            replacements: replacements.ok_or_else(|| damaged("a replacement"))?,
            deletions: everything.deletions.iter().filter_map(rows::DeletionRow::decode).collect(),
            retained,
            head: Seq::new(store.next - 1).map(|seq| EntryId::new(store.arrival, seq)),
            at,
            sizes: HashMap::new(),
            erased: HashMap::new(),
            blobs: BTreeMap::new(),
            next: 0,
            store,
        };
        for row in everything.segments {
            let summary = rows::summary(&row.summary).ok_or_else(|| damaged("a summary"))?;
            let id = SourceId::Segment(row.id);
            view.entries.push(Entry { id, summary: Arc::new(summary) });
            view.sizes.insert(id, row.size);
            view.erased.insert(row.id, row.erased);
        }
        view.add(everything.batches, known.map(|known| &**known))?;
        Ok(Some(view))
    }

    // the same with batches that came later
    fn with(&self, batches: Vec<BatchRow>) -> Result<Self, Fault> {
        let mut view = Self {
            store: self.store.clone(),
            keyring: self.keyring.clone(),
            projects: self.projects.clone(),
            entries: self.entries.clone(),
            replacements: self.replacements.clone(),
            deletions: self.deletions.clone(),
            retained: self.retained.clone(),
            sizes: self.sizes.clone(),
            erased: self.erased.clone(),
            blobs: self.blobs.clone(),
            ..*self
        };
        view.add(batches, None)?;
        Ok(view)
    }

    fn add(&mut self, batches: Vec<BatchRow>, known: Option<&Self>) -> Result<(), Fault> {
        for row in batches {
            let id = SourceId::Batch(row.first);
            let summary = match &row.summary {
                Some(text) => rows::summary(text).map(Arc::new),
                None => known.and_then(|known| known.entry(id)).map(|entry| entry.summary.clone()),
            };
            let summary = summary.ok_or_else(|| Fault::Failed("a batch is not what it was".into()))?;
            self.entries.push(Entry { id, summary });
            self.sizes.insert(id, row.size);
            let blob = row.rows.map(Rc::new).or_else(|| known?.blobs.get(&row.first).cloned());
            blob.into_iter().for_each(|blob| drop(self.blobs.insert(row.first, blob)));
            self.next = row.next;
            self.head = Seq::new(row.next - 1).map(|seq| EntryId::new(row.arrival, seq));
        }
        Ok(())
    }

    /// Whether it is of a later moment.
    pub fn is_later_than(&self, other: &Self) -> bool {
        (self.store.generation, self.next) > (other.store.generation, other.next)
    }

    /// The highest sequence given out and the arrival of the newest commit.
    pub fn head(&self) -> Option<EntryId> {
        self.head
    }

    /// Stored bytes of a source.
    pub fn size(&self, id: SourceId) -> u64 {
        self.sizes.get(&id).copied().unwrap_or_default()
    }

    /// The number of the last deletion that was made physical in a source.
    pub fn erased(&self, id: SourceId) -> u64 {
        match id {
            SourceId::Batch(_) => 0,
            SourceId::Segment(id) => self.erased.get(&id).copied().unwrap_or_default(),
        }
    }

    /// What is there and not hidden, read without the segments in `unread`; the one that nothing stands for fails.
    pub fn catalog(&self, retention: &Retention, unread: &BTreeSet<u64>) -> Result<Catalog, u64> {
        Ok(Catalog {
            head: self.head,
            entries: live(&self.entries, &self.replacements, unread)?,
            deletions: self.deletions.clone(),
            expiry: Arc::new(retention.by_age(self.at).max(&self.retained.cuts())),
            expired: self.retained.expired(),
        })
    }

    /// Rows and stored bytes of the batches that no segment stands for.
    pub fn backlog(&self) -> (u64, u64) {
        let is_live = |id| !self.replacements.iter().any(|replacement| replacement.removed.contains(id));
        let batches = self.entries.iter().filter(|entry| matches!(entry.id, SourceId::Batch(_)) && is_live(entry.id));
        batches.fold((0, 0), |(rows, bytes), entry| (rows + entry.summary.rows, bytes + self.size(entry.id)))
    }

    fn entry(&self, id: SourceId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}

/// Why a source could not be read.
enum Unreadable {
    /// KV does not show a value of this segment, or not the right one.
    Segment(u64),
    Other(Failure),
}

/// Reads the sources of one view, for one request.
pub struct Reader<'a> {
    pub view: Rc<View>,
    pub retention: &'a Retention,
    pub database: &'a Database,
    pub segments: &'a KvStore,
    pub parts: &'a Parts,
    /// Segments that KV did not show.
    pub unread: RefCell<BTreeSet<u64>>,
    /// Values read from KV.
    pub reads: Cell<u32>,
    /// Queries for contents of batches.
    pub queries: Cell<u32>,
    /// What they gave and nobody has decoded yet.
    pub fetched: RefCell<HashMap<u64, Rc<String>>>,
    /// Held by who asks for contents: what others need is likely to come with them.
    pub fetching: Mutex<()>,
}

impl Reader<'_> {
    /// Runs a scan to its end. Where KV does not show a segment yet, what it replaced is read in its place.
    pub async fn scan(&self, plan: impl Fn(&Catalog) -> Scan) -> Result<Scan, Failure> {
        loop {
            let catalog = self.view.catalog(self.retention, &self.unread.borrow()).map_err(|segment| {
                worker::console_error!("segment {segment} is not in KV, nor what it replaced");
                Failure::Busy { retry_after: Duration::from_secs(10) }
            })?;
            let mut scan = plan(&catalog);
            match self.drive(&mut scan).await {
                Ok(()) => return Ok(scan),
                Err(Unreadable::Segment(id)) => {
                    worker::console_warn!("segment {id} is not in KV yet; read from what it replaced");
                    self.unread.borrow_mut().insert(id);
                }
                Err(Unreadable::Other(failure)) => return Err(failure),
            }
        }
    }

    async fn drive(&self, scan: &mut Scan) -> Result<(), Unreadable> {
        loop {
            let mut tasks = Vec::new();
            // each holds what it reads until it is done
            while tasks.len() < TOGETHER
                && let Next::Run(task) = scan.next()
            {
                tasks.push(self.work(*task));
            }
            if tasks.is_empty() {
                return Ok(());
            }
            try_join_all(tasks).await?.into_iter().for_each(|partial| scan.absorb(partial));
        }
    }

    async fn work(&self, mut task: Task) -> Result<Partial, Unreadable> {
        let source = task.source();
        loop {
            match task.step().map_err(|corrupt| damaged(source, corrupt))? {
                Step::Done(partial) => return Ok(partial),
                Step::Need(need) => {
                    for (id, part) in self.supply(source, need).await? {
                        task.supply(id, part);
                    }
                }
            }
        }
    }

    async fn supply(&self, source: SourceId, need: Vec<PartId>) -> Result<Vec<(PartId, Arc<Part>)>, Unreadable> {
        let absent = || Arc::new(Part::Absent);
        match source {
            SourceId::Batch(first) => {
                let columns = self.columns(first).await?;
                Ok(need.into_iter().map(|id| (id, columns.get(&id).cloned().unwrap_or_else(absent))).collect())
            }
            SourceId::Segment(number) => {
                let directory = self.volume(number, 0, None).await?;
                let volumes = &directory.volumes;
                // what is kept now may not be kept any more when the rest has come
                let kept = need.iter().filter_map(|id| Some((*id, self.parts.part(number, *id)?)));
                let kept: HashMap<PartId, Arc<Part>> = kept.collect();
                let wanted: BTreeSet<usize> = need
                    .iter()
                    .filter(|id| !kept.contains_key(id))
                    .filter_map(|id| volumes.locate(*id).map(|(volume, _)| volume))
                    .collect();
                let read = wanted.into_iter().map(async |at| match at {
                    0 => Ok((at, directory.clone())),
                    _ => Ok((at, self.volume(number, at, Some(directory.clone())).await?)),
                });
                let read = join_all(read).await;
                let read = read.into_iter().collect::<Result<HashMap<usize, Rc<Kept>>, Unreadable>>()?;
                let decode = |id: PartId| {
                    if let Some(part) = kept.get(&id) {
                        return Ok((id, part.clone()));
                    }
                    let Some((volume, range)) = volumes.locate(id) else { return Ok((id, absent())) };
                    let bytes = read.get(&volume).and_then(|kept| kept.bytes().get(range));
                    let bytes = bytes.ok_or_else(|| damaged(source, Corrupt { what: "volume" }))?;
                    let part =
                        directory.directory.decode(id, bytes, &Portable).map_err(|corrupt| damaged(source, corrupt))?;
                    Ok((id, self.parts.keep_part(number, id, part)))
                };
                need.into_iter().map(decode).collect()
            }
        }
    }

    /// The rows of a batch as a scan expects them.
    async fn columns(&self, first: u64) -> Result<Arc<HashMap<PartId, Arc<Part>>>, Unreadable> {
        if let Some(columns) = self.parts.batch(first) {
            return Ok(columns);
        }
        let mut rows = self.batch(first).await?;
        rows.sort_unstable_by_key(|row| (row.record.time, row.id.seq()));
        let columns = segment::columns(&rows).into_iter().map(|(id, part)| (id, Arc::new(part))).collect();
        Ok(self.parts.keep_batch(first, columns))
    }

    async fn batch(&self, first: u64) -> Result<Vec<Stored>, Unreadable> {
        let source = SourceId::Batch(first);
        let corrupt = || damaged(source, Corrupt { what: "batch" });
        let entry = self.view.entry(source).ok_or_else(corrupt)?;
        let is_there = || self.view.blobs.contains_key(&first) || self.fetched.borrow().contains_key(&first);
        if !is_there() {
            let _alone = self.fetching.lock().await;
            if !is_there() {
                self.fetch(first).await.map_err(Unreadable::Other)?;
            }
        }
        let fetched = self.fetched.borrow_mut().remove(&first);
        let blob = fetched.as_ref().or_else(|| self.view.blobs.get(&first)).and_then(|blob| rows::decode(blob));
        let (seq, arrival) = (entry.summary.seq.0, entry.summary.arrival.0);
        batch::decode(&blob.ok_or_else(corrupt)?, seq, arrival, &Portable).map_err(|corrupt| damaged(source, corrupt))
    }

    // What stands around it is likely to be needed too: one query for some MiB of batches.
    async fn fetch(&self, first: u64) -> Result<(), Failure> {
        if self.queries.replace(self.queries.get() + 1) >= FETCHES {
            return Err(Failure::TooMuchWork);
        }
        let lacks = |id: SourceId| match id {
            SourceId::Batch(first) if !self.view.blobs.contains_key(&first) => Some(first),
            _ => None,
        };
        let mut lacking: Vec<u64> = self.view.entries.iter().filter_map(|entry| lacks(entry.id)).collect();
        lacking.retain(|first| !self.fetched.borrow().contains_key(first) && self.parts.batch(*first).is_none());
        lacking.sort_unstable();
        let at = lacking.partition_point(|known| *known < first);
        let (mut from, mut to, mut bytes) = (at, at, 0);
        while bytes < FETCH && to - from < lacking.len() {
            let next = if to < lacking.len() && (from == 0 || to - at <= at - from) { to } else { from - 1 };
            bytes += self.view.size(SourceId::Batch(lacking[next]));
            (from, to) = (from.min(next), to.max(next + 1));
        }
        let (Some(least), Some(greatest)) = (lacking.get(from), lacking.get(to.wrapping_sub(1))) else {
            return Ok(());
        };
        for (first, blob) in self.database.contents(*least, *greatest).await.map_err(failed)? {
            self.fetched.borrow_mut().insert(first, Rc::new(blob));
        }
        // what is not there any more was sealed and forgotten since the view was loaded
        let retry = Failure::Busy { retry_after: Duration::from_secs(1) };
        if self.fetched.borrow().contains_key(&first) { Ok(()) } else { Err(retry) }
    }

    // the first one, which has the directory, is needed for the others
    async fn volume(&self, segment: u64, at: usize, first: Option<Rc<Kept>>) -> Result<Rc<Kept>, Unreadable> {
        if let Some(kept) = self.parts.volume(segment, at) {
            return Ok(kept);
        }
        if self.reads.replace(self.reads.get() + 1) >= READS {
            return Err(Unreadable::Other(Failure::TooMuchWork));
        }
        let get = self.segments.get(&key(segment, at));
        // Written once and never changed: what a location has seen, it may keep. That something is not there is kept as
        // long, so not while it may still be on its way.
        let is_new = self.view.replacements.iter().any(|replacement| replacement.added.contains(&segment));
        let read = if is_new { get.bytes().await } else { get.cache_ttl(86_400).bytes().await };
        let value = match read {
            Ok(Some(value)) => value,
            Ok(None) => return Err(Unreadable::Segment(segment)),
            Err(error) => return Err(Unreadable::Other(failed(Fault::Failed(error.to_string())))),
        };
        let kept = Kept::read(value, at, first).map_err(|_| Unreadable::Segment(segment))?;
        // whole, but that of another
        if self.view.entry(SourceId::Segment(segment)).is_none_or(|entry| *entry.summary != *kept.directory.summary()) {
            return Err(Unreadable::Segment(segment));
        }
        Ok(self.parts.keep_volume(segment, at, kept))
    }

    /// Arrival and sequence of each row of a source.
    pub async fn arrivals(&self, id: SourceId) -> Result<Vec<(u64, u64)>, Failure> {
        let rows = self.view.entry(id).map_or(0, |entry| entry.summary.rows);
        let parts = self.supply(id, COLUMNS.to_vec()).await.map_err(|_| Failure::Corrupt)?;
        let columns = match parts.as_slice() {
            [(_, arrival), (_, seq)] => retention::columns(rows, [arrival, seq]),
            _ => None,
        };
        columns.ok_or(Failure::Corrupt)
    }

    /// Every row of some sources with its bodies.
    pub async fn rows(&self, ids: &[SourceId]) -> Result<Vec<Stored>, Failure> {
        let entries: Vec<Entry> = ids.iter().filter_map(|id| self.view.entry(*id).cloned()).collect();
        let catalog = Catalog { entries, ..Catalog::default() };
        let mut scan = Scan::page(reqlog_core::query::Query::everything(), &catalog);
        match self.drive(&mut scan).await {
            Ok(()) => Ok(scan.finish().rows),
            Err(Unreadable::Other(failure)) => Err(failure),
            Err(Unreadable::Segment(_)) => Err(Failure::Busy { retry_after: Duration::from_mins(1) }),
        }
    }
}

/// The name of a value in KV.
pub fn key(segment: u64, volume: usize) -> String {
    format!("s/{segment}/{volume}")
}

fn damaged(source: SourceId, corrupt: Corrupt) -> Unreadable {
    worker::console_error!("{source:?}: {corrupt}");
    Unreadable::Other(Failure::Corrupt)
}

/// What a client is told of a fault; the log has the rest.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub fn failed(fault: Fault) -> Failure {
    worker::console_error!("{fault:?}");
    Failure::Busy { retry_after: Duration::from_secs(1) }
}
