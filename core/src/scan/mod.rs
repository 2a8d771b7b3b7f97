//! The sans-IO machine that answers a question over a catalog.
//!
//! The shell asks [`Scan::next`] what to do, supplies each [`Task`] with the parts it needs, steps it (on any thread,
//! in any order), and hands what comes back to [`Scan::absorb`]. Segments are visited best first, and only while one
//! of them can still change the answer.
//!
//! A page has up to three phases: where it starts at a row, that row is looked for; then the rows of the page are
//! found; then they are read. Where it starts at an offset, a rank shortly before it is selected first. What is added up over all matching rows is counted source by source, those of which every
//! row matches by their summaries as far as these know it; a histogram is preceded by a survey of the time it covers.

mod aggregates;
mod collect;
mod endpoints;
mod facets;
mod histogram;
mod matching;
mod measure;
mod order;
mod ranks;
mod selection;
mod sorting;
mod tally;
mod task;
mod texts;
mod values;

pub use selection::Selecting;
pub use task::{Partial, Step, Task};

use crate::catalog::{Catalog, Deletion, SourceId, Summary, Verdict};
use crate::filter::{Number, Predicate};
use crate::id::Seq;
use crate::query::{Detail, Page, Query, Scanned, Start, Total, Unit};
use crate::record::{Kind, Stored};
use crate::segment::evaluate::is_cold;
use crate::sort;
use histogram::Survey;
use measure::{Measure, Sum};
use order::Rank;
use selection::{Candidate, Selection};
use sha2::{Digest, Sha256};
use sorting::{Place, Sorting};
use std::sync::Arc;
use task::{Hit, Job, Search};

/// What the shell does next.
#[derive(Debug)]
pub enum Next {
    /// Step this task until it is done, then absorb its partial answer.
    Run(Box<Task>),
    /// Absorb a running task first.
    Wait,
    /// Take the answer.
    Done,
}

/// Answers one question over one catalog.
#[derive(Debug)]
pub struct Scan {
    sorting: Sorting,
    unit: Unit,
    seek: Seek,
    // rows wanted, one more than shown
    wanted: usize,
    work: Vec<Work>,
    // the next of `work`
    at: usize,
    running: usize,
    // tasks that may run although an earlier one may make them needless; doubles while the answer is incomplete
    window: usize,
    hits: Vec<(Hit, usize)>,
    fetch: Option<Fetch>,
    total: u64,
    // how many units of which sources
    learned: Vec<(SourceId, u64)>,
    survey: Option<Survey>,
    selection: Option<Selection>,
    // units of the found rows that the page leaves out
    skipped: u64,
    sum: Sum,
    scanned: Scanned,
}

// One source that may hold rows of the answer.
#[derive(Debug)]
struct Work {
    source: SourceId,
    rows: u64,
    predicate: Predicate,
    // between these all its rows lie; unknown in an order by text
    extent: Option<(Rank, Rank)>,
    // every row must be looked at, whatever the page already has
    whole: bool,
    // its rows are counted by this
    measure: Option<Measure>,
    plain: Plain,
}

// How many sources are counted side by side at most: their counts are held until they are added up.
const TOGETHER: usize = 32;

// Whether the filter alone says which rows of a source match, today and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Yes,
    // a bound, a deletion or retention has a say too
    No,
}

/// A filter and what is counted: with a source, which never changes, the name of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question([u8; 16]);

impl Question {
    // what is derived for `Debug` tells all predicates apart; the hash is a cryptographic one, because filters come from
    // outside and a count of one must never be taken for that of another
    fn of(query: &Query) -> Self {
        let hash = Sha256::digest(format!("{:?} {:?}", query.unit, query.filter));
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        Self(short)
    }
}

// The first phase: the row at which the page starts.
#[derive(Debug)]
enum Seek {
    // looked for in these sources, the likeliest last
    Running(Vec<(SourceId, u64, Predicate)>),
    // found, or not needed
    Done,
    // no source has it
    Lost,
}

// The third phase: the rows of the page, source by source.
#[derive(Debug)]
struct Fetch {
    query: Query,
    left: Vec<(usize, Vec<(usize, u32)>)>,
    // by place on the page
    rows: Vec<(usize, Stored)>,
    more: bool,
    inset: u64,
}

impl Scan {
    /// A scan that finds the rows of one page.
    pub fn page(query: Query, catalog: &Catalog) -> Self {
        Self::page_selecting(query, catalog, Selecting::default())
    }

    /// The same with another way to an offset.
    pub fn page_selecting(query: Query, catalog: &Catalog, selecting: Selecting) -> Self {
        let sorting = Sorting::of(&query);
        let skipped = if let Start::Offset(units) = query.start { units } else { 0 };
        let deep = match &sorting {
            // what has to be read row by row is read once
            Sorting::Numbers(ranking) if skipped > selecting.few && !is_cold(&query.filter) => Some(*ranking),
            _ => None,
        };
        let counting = query.total == Total::Exact;
        let mut scan = Self::new(sorting, query.unit, wanted(skipped, &query), catalog);
        scan.skipped = skipped;
        let mut candidates = Vec::new();
        match query.start {
            Start::AfterRow(seq) | Start::BeforeRow(seq) => scan.seek = Seek::Running(holders(seq, &query, catalog)),
            Start::After(_) | Start::Before(_) if query.order.number().is_none() => scan.lose(),
            _ => {}
        }
        for (entry, predicate, verdict) in visible(catalog, &query.filter, query.bound) {
            let always = verdict == Verdict::Always;
            if counting && always {
                scan.total += units(&entry.summary, scan.unit);
            }
            let plain = if is_cut(query.bound, catalog, &entry.summary) { Plain::No } else { Plain::Yes };
            if let Some(ranking) = deep {
                candidates.push(Candidate {
                    source: entry.id,
                    rows: entry.summary.rows,
                    predicate: predicate.clone(),
                    extent: ranking.of_summary(&entry.summary),
                    count: always.then(|| units(&entry.summary, scan.unit)),
                    plain,
                });
            }
            scan.add(entry.id, &entry.summary, predicate, counting && !always, plain);
        }
        sort::by_key(&mut scan.work, |work| work.extent);
        scan.selection = deep.map(|ranking| Selection::new(ranking, selecting, skipped, candidates));
        scan.fetch = Some(Fetch { query, left: Vec::new(), rows: Vec::new(), more: false, inset: 0 });
        scan
    }

    fn new(sorting: Sorting, unit: Unit, wanted: usize, catalog: &Catalog) -> Self {
        Self {
            sorting,
            unit,
            seek: Seek::Done,
            wanted,
            work: Vec::new(),
            at: 0,
            running: 0,
            window: 1,
            hits: Vec::new(),
            fetch: None,
            total: 0,
            learned: Vec::new(),
            survey: None,
            selection: None,
            skipped: 0,
            sum: Sum::Nothing,
            scanned: Scanned { sources: catalog.entries.len() as u64, ..Scanned::default() },
        }
    }

    /// Takes over what earlier scans counted, before the first task: `known` says how many units of a source answer a
    /// question, where it knows.
    pub fn recall(&mut self, known: impl Fn(SourceId, Question) -> Option<u64>) {
        let Some(question) = self.question() else { return };
        if let Some(selection) = &mut self.selection {
            selection.recall(|source| known(source, question));
        }
        for work in self.work.iter_mut().filter(|work| work.whole && work.plain == Plain::Yes) {
            if let Some(count) = known(work.source, question) {
                self.total += count;
                work.whole = false;
            }
        }
        self.work.retain(|work| work.whole || !self.sorting.is_passed(work.extent));
    }

    /// What this scan counted that holds as long as the source exists, for [`Self::recall`].
    pub fn learned(&self) -> impl Iterator<Item = (SourceId, Question, u64)> {
        let question = self.question();
        self.learned.iter().filter_map(move |(source, count)| Some((*source, question?, *count)))
    }

    fn question(&self) -> Option<Question> {
        let query = &self.fetch.as_ref()?.query;
        let counts = query.total == Total::Exact || !self.learned.is_empty() || self.selection.is_some();
        counts.then(|| Question::of(query))
    }

    fn add(&mut self, source: SourceId, summary: &Summary, predicate: Predicate, whole: bool, plain: Plain) {
        let extent = self.sorting.of_summary(summary);
        if whole || !self.sorting.is_passed(extent) {
            self.work.push(Work { source, rows: summary.rows, predicate, extent, whole, measure: None, plain });
        }
    }

    fn lose(&mut self) {
        self.seek = Seek::Lost;
        self.wanted = 0;
    }

    // The next source that may hold the row at which the page starts; `None` when this phase is over.
    fn seek(&mut self) -> Option<Next> {
        let Seek::Running(holders) = &mut self.seek else { return None };
        if self.running > 0 {
            return Some(Next::Wait);
        }
        let Some((source, rows, predicate)) = holders.pop() else {
            self.lose();
            return None;
        };
        let search = Search {
            predicate,
            sorting: self.sorting.clone(),
            wanted: 1,
            whole: false,
            unit: self.unit,
            measure: None,
        };
        self.running = 1;
        self.scanned.opened += 1;
        Some(Next::Run(Box::new(Task::new(source, rows, 0, Job::Match(search)))))
    }

    /// What to do now. Tasks may run side by side; after [`Next::Wait`] one has to be absorbed.
    #[allow(clippy::should_implement_trait)] // `Wait` is no item; a `for` over it would spin
    pub fn next(&mut self) -> Next {
        if let Some(next) = self.seek().or_else(|| self.survey()).or_else(|| self.select()) {
            return next;
        }
        while let Some(work) = self.work.get(self.at) {
            if !work.whole && self.is_beaten(work.extent) {
                self.at += 1;
                continue;
            }
            if !work.whole && self.running >= self.window {
                return Next::Wait;
            }
            if work.measure.is_some() && self.running >= TOGETHER {
                return Next::Wait;
            }
            if let (Some(Measure::Stats(summary)), Predicate::Const(true)) = (&work.measure, &work.predicate) {
                return self.run(self.at, Job::Count(summary.clone(), self.unit));
            }
            let wanted = if self.is_beaten(work.extent) { 0 } else { self.wanted };
            let worst = self.hits.last().filter(|_| self.hits.len() >= self.wanted);
            let search = Search {
                predicate: work.predicate.clone(),
                sorting: worst.map_or_else(|| self.sorting.clone(), |(hit, _)| self.sorting.ending_before(&hit.place)),
                wanted,
                whole: work.whole,
                unit: self.unit,
                measure: work.measure.clone(),
            };
            return self.run(self.at, Job::Match(search));
        }
        // rows are read side by side once all are found, but not with their bodies: those of one source may be all that
        // there is room for
        let is_light = |fetch: &Fetch| !fetch.left.is_empty() && fetch.query.detail != Detail::Whole;
        if self.running > 0 && !self.fetch.as_ref().is_some_and(is_light) {
            return Next::Wait;
        }
        let Some(fetch) = &mut self.fetch else { return Next::Done };
        if !self.hits.is_empty() {
            fetch.begin(std::mem::take(&mut self.hits), self.skipped);
        }
        let detail = fetch.query.detail;
        match fetch.left.pop() {
            Some((at, rows)) => self.run(at, Job::Rows { rows, detail }),
            None => Next::Done,
        }
    }

    fn run(&mut self, at: usize, job: Job) -> Next {
        let work = &self.work[at];
        let task = Task::new(work.source, work.rows, at, job);
        if !matches!(task.job(), Job::Rows { .. }) {
            self.at += 1;
            self.scanned.opened += 1;
        }
        self.running += 1;
        Next::Run(Box::new(task))
    }

    fn is_beaten(&self, extent: Option<(Rank, Rank)>) -> bool {
        let behind = |last: &Place| extent.is_some_and(|(best, _)| *last < Place::Number(best));
        self.hits.len() >= self.wanted && self.hits.last().is_none_or(|(last, _)| behind(&last.place))
    }

    /// Takes in what a task found, in any order.
    pub fn absorb(&mut self, partial: Partial) {
        self.running -= 1;
        if self.running == 0 {
            self.window = self.window.saturating_mul(2);
        }
        self.scanned.rows += partial.scanned;
        if let Seek::Running(_) = self.seek {
            if let Some(hit) = partial.hits.into_iter().next() {
                self.seek = Seek::Done;
                self.sorting.start_after(hit.place);
                self.work.retain(|work| work.whole || !self.sorting.is_passed(work.extent));
            }
            return;
        }
        if let Some(survey) = &mut self.survey {
            partial.edges.into_iter().for_each(|edges| survey.find(edges));
            return;
        }
        if let Some(selection) = &mut self.selection {
            let (source, plain) = (selection.candidate(partial.at).source, selection.candidate(partial.at).plain);
            if let Some(matched) = selection.absorb(partial) {
                self.know(source, matched, plain);
            }
            return;
        }
        if let (Some(matched), Some(work)) = (partial.matched, self.work.get(partial.at)) {
            self.total += matched;
            if work.plain == Plain::Yes {
                self.learned.push((work.source, matched));
            }
        }
        partial.counted.iter().for_each(|counted| self.sum.add(counted));
        if !partial.hits.is_empty() {
            self.hits.extend(partial.hits.into_iter().map(|hit| (hit, partial.at)));
            self.hits.sort_by(|(a, _), (b, _)| a.place.cmp(&b.place));
            self.hits.truncate(self.wanted);
        }
        if let Some(fetch) = &mut self.fetch {
            fetch.rows.extend(partial.rows);
        }
    }

    /// The work so far.
    pub fn scanned(&self) -> Scanned {
        self.scanned
    }

    /// The page of a scan made by [`Self::page`], after [`Next::Done`].
    pub fn finish(self) -> Page {
        let Some(mut fetch) = self.fetch else { return Page::default() };
        sort::by_key(&mut fetch.rows, |(place, _)| *place);
        let mut rows: Vec<_> = fetch.rows.into_iter().map(|(_, row)| row).collect();
        let lost = matches!(self.seek, Seek::Lost);
        let (more_before, more_after) = match fetch.query.start {
            _ if lost => (false, false),
            Start::First => (false, fetch.more),
            Start::After(_) | Start::AfterRow(_) => (true, fetch.more),
            Start::Offset(skipped) => (skipped > 0, fetch.more),
            Start::Before(_) | Start::BeforeRow(_) => {
                rows.reverse();
                (fetch.more, true)
            }
        };
        let total = (fetch.query.total == Total::Exact).then_some(self.total);
        Page { rows, more_before, more_after, lost, inset: fetch.inset, total, scanned: self.scanned }
    }
}

impl Fetch {
    // Keeps the page's hits and groups them by source.
    fn begin(&mut self, mut hits: Vec<(Hit, usize)>, skipped: u64) {
        if skipped > 0 {
            let mut left = skipped;
            let skipped = hits.iter().take_while(|(hit, _)| {
                let fits = u64::from(hit.units) <= left;
                left -= if fits { hit.units.into() } else { 0 };
                fits
            });
            let skipped = skipped.count();
            hits.drain(..skipped);
            self.inset = if hits.is_empty() { 0 } else { left };
        }
        self.more = hits.len() > self.query.limit;
        hits.truncate(self.query.limit);
        let mut rows: Vec<_> = hits.into_iter().enumerate().map(|(place, (hit, at))| (at, hit.row, place)).collect();
        sort::by(&mut rows, Ord::cmp);
        for (at, row, place) in rows {
            match self.left.last_mut() {
                Some((last, rows)) if *last == at => rows.push((place, row)),
                _ => self.left.push((at, vec![(place, row)])),
            }
        }
    }
}

/// How many rows are found for a page that leaves so many units out: a record is at least one unit, and one row more
/// tells whether there are more.
fn wanted(skipped: u64, query: &Query) -> usize {
    usize::try_from(skipped).unwrap_or(usize::MAX).saturating_add(query.limit).saturating_add(1)
}

/// The sources that may hold visible matches, with what exactly matches in each beyond what its summary decides.
fn visible<'a>(
    catalog: &'a Catalog,
    filter: &'a Predicate,
    bound: Seq,
) -> impl Iterator<Item = (&'a crate::catalog::Entry, Predicate, Verdict)> {
    catalog.entries.iter().filter_map(move |entry| {
        let predicate = effective(filter, bound, catalog, &entry.summary);
        match entry.summary.judge(&predicate) {
            Verdict::Never => None,
            verdict => Some((entry, entry.summary.narrow(predicate), verdict)),
        }
    })
}

/// Whether rows of a source lie past the bound, may be deleted, or have expired.
fn is_cut(bound: Seq, catalog: &Catalog, summary: &Summary) -> bool {
    let touches =
        |deletion: &Arc<Deletion>| summary.seq.0 <= deletion.head && summary.judge(&deletion.filter) != Verdict::Never;
    summary.seq.1 > bound || catalog.deletions.iter().any(touches) || catalog.expiry.of(summary).is_some()
}

fn units(summary: &Summary, unit: Unit) -> u64 {
    Kind::ALL.iter().map(|kind| summary.kinds[*kind as usize] * unit.of(*kind)).sum()
}

/// The sources that may hold the row of a sequence where it is visible, the likeliest last.
fn holders(seq: Seq, query: &Query, catalog: &Catalog) -> Vec<(SourceId, u64, Predicate)> {
    let row = i64::try_from(seq.get()).unwrap_or(i64::MAX);
    let one = Predicate::all_of([Predicate::between(Number::Seq, row, row), query.filter.clone()]);
    let mut holders: Vec<_> = visible(catalog, &one, query.bound).collect();
    let span = |summary: &Summary| summary.seq.1.get() - summary.seq.0.get();
    sort::by_key(&mut holders, |(entry, ..)| std::cmp::Reverse(span(&entry.summary)));
    holders.into_iter().map(|(entry, predicate, _)| (entry.id, entry.summary.rows, predicate)).collect()
}

/// `filter` without rows past the bound and without deleted or expired rows, as far as this source can have any.
fn effective(filter: &Predicate, bound: Seq, catalog: &Catalog, summary: &Summary) -> Predicate {
    let up_to = |seq: Seq| Predicate::between(Number::Seq, 0, i64::try_from(seq.get()).unwrap_or(i64::MAX));
    let mut parts = vec![filter.clone()];
    if summary.seq.1 > bound {
        parts.push(up_to(bound));
    }
    for deletion in &catalog.deletions {
        if summary.seq.0 <= deletion.head && summary.judge(&deletion.filter) != Verdict::Never {
            let gone = Predicate::all_of([deletion.filter.clone(), up_to(deletion.head)]);
            parts.push(gone.negated());
        }
    }
    parts.extend(catalog.expiry.of(summary).map(Predicate::negated));
    Predicate::all_of(parts)
}
