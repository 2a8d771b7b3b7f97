//! Seals batches into segments, merges segments, makes deletions and expiry physical, and cleans up after a grace.
//!
//! One step at a time, each small enough for an isolate. Nothing rests on this object being alone: an exchange of sources
//! is refused by the catalog when another was made since this one looked.

use crate::committer::post;
use crate::database::{Fault, Sealed};
use crate::limits::{GRACE, ORPHANS, RUN, STEP_WEIGHT, STEPS};
use crate::shell::{Bindings, now};
use crate::signal::Signal;
use crate::view::{Reader, View, failed, key};
use futures_util::future::{Either, select, try_join_all};
use reqlog_core::catalog::{Catalog, Entry, Replacement, SourceId, Sources, due};
use reqlog_core::codec::Portable;
use reqlog_core::compact::{self, Bounds, Merge, Survivors, Urgency};
use reqlog_core::filter::Predicate;
use reqlog_core::id::Seq;
use reqlog_core::plan::Failure;
use reqlog_core::query::Unit;
use reqlog_core::retention::{self, Look, Retained};
use reqlog_core::scan::Scan;
use reqlog_core::segment::{self, Built};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Delay, DurableObject, Env, Request, Response, State, console_error, durable_object};

/// The Durable Object.
#[durable_object(fetch)]
pub struct Compactor {
    env: Env,
    running: Cell<bool>,
    ended: Signal,
    // what could not be read or built: left as it is until this object starts again
    avoided: RefCell<HashSet<SourceId>>,
}

type Columns = HashMap<SourceId, Vec<(u64, u64)>>;

impl DurableObject for Compactor {
    fn new(_: State, env: Env) -> Self {
        Self { env, running: Cell::new(false), ended: Signal::default(), avoided: RefCell::default() }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let path = request.inner().url();
        let bindings = Bindings::of(self.env.clone())?;
        loop {
            let ended = self.ended.next();
            if !self.running.replace(true) {
                break;
            }
            let _ = ended.await;
        }
        let urgency = if path.ends_with("settle") { Urgency::Settle } else { Urgency::Relaxed };
        let run = pin!(self.run(&bindings, urgency, path.ends_with("tick")));
        // one that is dropped is an invocation cut off, which every exchange survives
        let ran = match select(run, Delay::from(RUN)).await {
            Either::Left((ran, _)) => ran,
            Either::Right(_) => Err(failed(Fault::Failed("no answer".into()))),
        };
        self.running.set(false);
        self.ended.tell();
        match ran {
            Ok(()) => Response::empty(),
            Err(failure) => {
                console_error!("compaction: {failure}");
                Response::error("not compacted", 500)
            }
        }
    }
}

impl Compactor {
    async fn run(&self, bindings: &Bindings, urgency: Urgency, tick: bool) -> Result<(), Failure> {
        if tick {
            // what it could not look at is looked at in a minute
            if let Err(failure) = retain(bindings).await {
                console_error!("retention: {failure}");
            }
        }
        let mut steps = 0;
        let mut removed = false;
        // what cannot be read at present; the next run tries again
        let mut unread = HashSet::new();
        while self.step(bindings, urgency, &mut removed, &mut unread).await? {
            steps += 1;
            if !unread.is_empty() {
                break;
            }
            if steps == STEPS && urgency == Urgency::Relaxed {
                // the rest in an invocation of its own, which has its own time
                if let Ok(compactor) = bindings.compactor() {
                    spawn_local(async move { drop(post(&compactor, "seal", &[]).await) });
                }
                return Ok(());
            }
        }
        if (removed || tick)
            && let Err(failure) = forget_imports(bindings).await
        {
            console_error!("imports: {failure}");
        }
        if tick { tidy(bindings).await } else { Ok(()) }
    }

    // whether there was anything to do
    async fn step(
        &self,
        bindings: &Bindings,
        urgency: Urgency,
        removed: &mut bool,
        unread: &mut HashSet<SourceId>,
    ) -> Result<bool, Failure> {
        let view = bindings.view().await?;
        let reader = bindings.reader(view.clone());
        let catalog = catalog(bindings, &view)?;
        let (size, erased) = (|entry: &Entry| view.size(entry.id), |id| view.erased(id));
        let gone = compact::gone(&catalog);
        if !gone.is_empty() {
            exchange(bindings, &view, &catalog, &gone, &[]).await?;
            *removed = true;
            return Ok(true);
        }
        let avoided = self.avoided.borrow().clone();
        let entries: Vec<Entry> =
            catalog.entries.iter().filter(|entry| !avoided.contains(&entry.id)).cloned().collect();
        let bounds = &Bounds::EDGE;
        let mut merge = compact::plan(&entries, size, urgency, bounds)
            .or_else(|| compact::erase(&catalog, &entries, erased, size, bounds));
        if merge.is_none() {
            merge = expire(bindings, &reader, &catalog, &entries).await?;
        }
        let Some(Merge { inputs }) = merge else { return Ok(false) };
        match rewrite(&reader, &catalog, &inputs).await {
            Ok(rewritten) => {
                *removed |= rewritten.fewer;
                exchange(bindings, &view, &catalog, &rewritten.inputs, &rewritten.built).await?;
            }
            Err(failure) => {
                console_error!("not compacted: {inputs:?}: {failure}");
                match failure {
                    // KV does not show it yet, or the catalog did not answer
                    Failure::Busy { .. } => unread.extend(inputs),
                    _ => self.avoided.borrow_mut().extend(inputs),
                }
            }
        }
        Ok(true)
    }
}

fn catalog(bindings: &Bindings, view: &View) -> Result<Catalog, Failure> {
    view.catalog(&bindings.shell.retention, &BTreeSet::new()).map_err(|_| Failure::Corrupt)
}

struct Rewritten {
    inputs: Vec<SourceId>,
    built: Vec<Built>,
    // than the inputs had
    fewer: bool,
}

// The segments that stand for the first of some sources: as many as fit into memory, however well they were compressed.
async fn rewrite(reader: &Reader<'_>, catalog: &Catalog, inputs: &[SourceId]) -> Result<Rewritten, Failure> {
    let mut rewritten = Rewritten { inputs: Vec::new(), built: Vec::new(), fewer: false };
    let (mut rows, mut weight) = (Vec::new(), 0);
    for entry in inputs.iter().filter_map(|id| catalog.entries.iter().find(|entry| entry.id == *id)) {
        let survivors = Survivors::of(catalog, entry);
        let read = reader.rows(&[entry.id]).await?.into_iter().filter(|row| survivors.keep(row));
        let before = rows.len() as u64;
        rows.extend(read.inspect(|row| weight += row.record.weight()));
        rewritten.fewer |= rows.len() as u64 - before < entry.summary.rows;
        rewritten.inputs.push(entry.id);
        if weight > STEP_WEIGHT {
            break;
        }
    }
    for mut group in compact::by_project(rows) {
        compact::sort(&mut group);
        rewritten.built.extend(segment::portions(&group).filter_map(|rows| segment::build(rows, &Portable)));
    }
    Ok(rewritten)
}

/// Writes segments and has them stand for what they were made of.
async fn exchange(
    bindings: &Bindings,
    view: &View,
    catalog: &Catalog,
    removed: &[SourceId],
    built: &[Built],
) -> Result<(), Failure> {
    let values = built.iter().map(|built| segment::values(&built.bytes)).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|unstorable| failed(Fault::Failed(unstorable.to_string())))?;
    let volumes: Vec<usize> = values.iter().map(Vec::len).collect();
    let ids = bindings.database.reserve(&volumes, now()).await.map_err(failed)?;
    let puts = ids.iter().zip(&values).flat_map(|(id, values)| values.iter().enumerate().map(move |at| (*id, at)));
    let puts = puts.map(async |(id, (at, value))| {
        let put = bindings.segments.put_bytes(&key(id, at), value).map_err(unwritten)?;
        put.execute().await.map_err(unwritten)
    });
    try_join_all(puts).await?;
    let sealed = ids.iter().zip(built).map(|(id, built)| Sealed {
        id: *id,
        size: built.bytes.len() as u64,
        summary: &built.summary,
    });
    let replacement = Replacement {
        id: view.store.replaced + 1,
        at_ms: now().as_millis() as u64,
        removed: Sources::of(removed, &view.entries),
        added: ids.clone(),
    };
    let sealed: Vec<Sealed<'_>> = sealed.collect();
    let stays = |entry: &&Entry| matches!(entry.id, SourceId::Batch(_)) && !removed.contains(&entry.id);
    let kept = catalog.entries.iter().filter(stays).map(|entry| entry.summary.seq.0.get()).min();
    let kept = kept.unwrap_or(view.head().map_or(0, |head| head.seq().get() + 1));
    match bindings.database.replace(&replacement, &sealed, catalog.last_deletion(), kept).await {
        // somebody else was quicker: what was written is tidied up later
        Err(Fault::Refused) => Ok(()),
        result => result.map_err(failed),
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unwritten(error: worker::kv::KvError) -> Failure {
    failed(Fault::Failed(error.to_string()))
}

/// Hides what has expired by now.
async fn retain(bindings: &Bindings) -> Result<(), Failure> {
    let limits = &bindings.shell.retention;
    if limits.is_endless() {
        return Ok(());
    }
    let view = bindings.view().await?;
    let reader = bindings.reader(view.clone());
    let mut catalog = catalog(bindings, &view)?;
    let (size, at) = (|entry: &Entry| view.size(entry.id), now());
    let mut known = Columns::new();
    loop {
        let mut missing = None;
        let mut look = |entry: &Entry| {
            let columns = known.get(&entry.id).cloned();
            missing = missing.or(columns.is_none().then_some(entry.id));
            columns
        };
        let arrivals = |rows: Vec<(u64, u64)>| {
            let mut arrivals: Vec<u64> = rows.into_iter().map(|(arrival, _)| arrival).collect();
            arrivals.sort_unstable();
            arrivals
        };
        let cuts = retention::cuts(limits, &catalog, size, |entry| look(entry).map(arrivals));
        let expiry = catalog.expiry.max(&limits.by_age(at.as_millis().max(0) as u64)).max(&cuts);
        let hidden = retention::hidden(&catalog, &expiry, |entry| look(entry).map_or(Look::Spared, Look::Columns));
        if let Some(id) = missing {
            known.insert(id, reader.arrivals(id).await?);
            continue;
        }
        let Some(last) = hidden else { return Ok(()) };
        catalog.expired.add(at, last);
        catalog.expiry = Arc::new(expiry);
        let retained = view.retained.cut(&catalog, &cuts);
        let retained = retained.unwrap_or_else(|| Retained::new(&catalog.expired, view.retained.cuts()));
        return bindings.database.retain(&retained, at).await.map_err(failed);
    }
}

/// The next source that has to be rewritten for what has expired in it.
async fn expire(
    bindings: &Bindings,
    reader: &Reader<'_>,
    catalog: &Catalog,
    entries: &[Entry],
) -> Result<Option<Merge>, Failure> {
    let size = |entry: &Entry| reader.view.size(entry.id);
    let mut halves: HashMap<SourceId, u64> = HashMap::new();
    loop {
        let half = |entry: &Entry| halves.get(&entry.id).copied().ok_or(entry.id);
        match retention::due(&bindings.shell.retention, catalog, entries.iter(), size, half) {
            Ok(entry) => return Ok(entry.and_then(|entry| compact::rewrite(entry, entries, size, &Bounds::EDGE))),
            Err(id) => {
                // one that cannot be read is not rewritten
                let arrivals = reader.arrivals(id).await.unwrap_or_default();
                let arrivals = arrivals.into_iter().map(|(arrival, _)| arrival).collect();
                halves.insert(id, retention::half(arrivals).unwrap_or(u64::MAX));
            }
        }
    }
}

/// Removes what was replaced long enough ago, and values that nobody names.
async fn tidy(bindings: &Bindings) -> Result<(), Failure> {
    let written = bindings.database.written().await.map_err(failed)?;
    let volumes: HashMap<u64, u64> = written.iter().map(|row| (row.segment, row.volumes)).collect();
    let view = bindings.view().await?;
    let at = now().as_millis() as u64;
    for replacement in due(&view.replacements, at, GRACE.as_millis() as u64) {
        for id in replacement.removed.segments() {
            discard(bindings, id, volumes.get(&id).copied().unwrap_or_default()).await?;
        }
        bindings.database.forget_replaced(replacement).await.map_err(failed)?;
    }
    // a deletion is needed as long as what it hides can come back: in what was replaced, too
    let view = bindings.view().await?;
    let stored = Catalog { entries: view.entries.clone(), deletions: view.deletions.clone(), ..Catalog::default() };
    let settled = compact::settled(&stored, |id| view.erased(id), &[]);
    bindings.database.settle(&settled).await.map_err(failed)?;
    let orphans = written.iter().filter(|row| row.used == 0 && row.at + (ORPHANS.as_millis() as u64) < at);
    for row in orphans {
        discard(bindings, row.segment, row.volumes).await?;
        bindings.database.forget_written(row.segment).await.map_err(failed)?;
    }
    Ok(())
}

async fn discard(bindings: &Bindings, segment: u64, volumes: u64) -> Result<(), Failure> {
    let deletes =
        (0..volumes as usize).map(async |at| bindings.segments.delete(&key(segment, at)).await.map_err(unwritten));
    try_join_all(deletes).await.map(|_| ())
}

/// Forgets imports of which nothing is left, so that they can be made again.
async fn forget_imports(bindings: &Bindings) -> Result<(), Failure> {
    let imports = bindings.database.imports(None).await.map_err(failed)?;
    let reader = bindings.reader(bindings.view().await?);
    for import in imports.iter().filter(|import| !import.ranges().is_empty()) {
        let stored = Predicate::Number(reqlog_core::filter::Number::Seq, import.ranges());
        let scan = reader.scan(|catalog| Scan::stats(&stored, Seq::MAX, Unit::Record, catalog)).await?;
        if scan.finish_stats().total == 0 {
            bindings.database.forget(import).await.map_err(failed)?;
        }
    }
    Ok(())
}
