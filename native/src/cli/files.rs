//! Questions answered straight from files: nothing is stored, every thread reads, parses and filters blocks.

use super::feed::{Block, Feed};
use super::literal::Literal;
use super::outlines::{Outlines, Reading, may_match};
use super::settings::Settings;
use super::{Problem, backend, import};
use rayon::prelude::*;
use reqlog::store::wall_clock;
use reqlog_core::accept::Rules;
use reqlog_core::aggregate::EndpointCounts;
use reqlog_core::auth::Scope;
use reqlog_core::filter::{Filter, Predicate};
use reqlog_core::format::{Format, Parser, Rejection, Report, Unit};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::intake::unknown_format;
use reqlog_core::plan::{self, IngestMode, IngestRequest};
use reqlog_core::query::{Counts, Direction, Order, Position, Stats};
use reqlog_core::record::{Field, Record, Stored};
use reqlog_core::timestamp::Timestamp;
use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Which records of which kind of files.
pub struct Files {
    predicate: Predicate,
    outlines: Outlines,
    format: Option<Format>,
    rules: Rules,
    now: Timestamp,
}

/// Which of the matching rows are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub order: Order,
    pub direction: Direction,
    pub limit: usize,
}

impl Files {
    pub fn new(
        filter: &Filter,
        project: Option<&str>,
        format: Option<Format>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let now = wall_clock();
        let predicate = filter.resolve(now).map_err(|fault| Problem::Usage(fault.to_string()))?;
        let scope = project.map(Predicate::project);
        let predicate = Predicate::all_of(scope.into_iter().chain([predicate]));
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: None,
            environment: None,
            session: None,
            service: None,
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Import,
            idempotency_key: None,
            limit: u64::MAX,
        };
        let rules =
            Rules::new(&backend::redact_key(settings).unwrap_or_default(), &plan::Settings::default(), &request);
        let outlines = Outlines::of(&predicate);
        Ok(Self { predicate, outlines, format, rules, now })
    }

    /// The matching rows in order. Sequences are places in the input.
    pub fn rows(&self, files: &[PathBuf], keep: Keep) -> Result<Vec<Stored>, Problem> {
        let tops = self.scan(files, Reading::Whole, || Top::new(keep), Top::push)?;
        let all = tops.into_iter().reduce(Top::merge);
        Ok(all.map(Top::finish).unwrap_or_default())
    }

    /// Counts of the matching rows.
    pub fn stats(&self, files: &[PathBuf]) -> Result<Stats, Problem> {
        let counts = self.scan(files, Reading::Counts, Stats::default, |stats, row| count(stats, &row.record))?;
        Ok(counts.into_iter().reduce(merge).unwrap_or_default())
    }

    /// The calls among the matching rows, by method and route.
    pub fn endpoints(&self, files: &[PathBuf]) -> Result<EndpointCounts, Problem> {
        let calls = Predicate::calls();
        let add = |counts: &mut EndpointCounts, row: Stored| {
            if calls.matches(&row.record) {
                counts.add(&row.record);
            }
        };
        let counts = self.scan(files, Reading::Whole, EndpointCounts::default, add)?;
        Ok(counts.into_iter().reduce(EndpointCounts::merge).unwrap_or_default())
    }

    /// Shows every matching row to the accumulator of the thread that found it.
    fn scan<A: Send>(
        &self,
        files: &[PathBuf],
        reading: Reading,
        empty: impl Fn() -> A + Sync,
        add: impl Fn(&mut A, Stored) + Sync,
    ) -> Result<Vec<A>, Problem> {
        let mut found: Vec<A> = Vec::new();
        let mut first = 1;
        for path in files {
            let (name, _, input) = import::open(path)?;
            let failed = |error: io::Error| Problem::Failed(format!("{name}: {error}"));
            let Some(feed) = Feed::open(&name, input, self.format, first, self.now).map_err(failed)? else {
                return Err(Problem::Failed(format!("{name}: {}", unknown_format())));
            };
            let literal = Literal::required(&self.predicate, feed.format);
            let feed = Mutex::new(feed);
            let results: Vec<io::Result<(A, Report)>> = (0..rayon::current_num_threads())
                .into_par_iter()
                .with_max_len(1)
                .map(|_| {
                    let (mut mine, mut report, mut buffer) = (empty(), Report::default(), Vec::new());
                    loop {
                        let block = feed.lock().unwrap_or_else(PoisonError::into_inner).next(&mut buffer)?;
                        let Some(block) = block else { return Ok((mine, report)) };
                        let mut add = |row| add(&mut mine, row);
                        self.block(&block, &buffer, reading, literal.as_ref(), &mut report, &mut add);
                    }
                })
                .collect();
            let mut refused = Report::default();
            for result in results {
                let (mine, report) = result.map_err(failed)?;
                found.push(mine);
                refused.absorb(report);
            }
            let feed = feed.into_inner().unwrap_or_else(PoisonError::into_inner);
            first = feed.seq;
            feed.broken.into_iter().for_each(|rejection| refused.reject(rejection));
            tell(&name, &mut refused);
        }
        Ok(found)
    }

    /// Goes through the units of one block.
    fn block(
        &self,
        block: &Block,
        lines: &[u8],
        reading: Reading,
        literal: Option<&Literal>,
        report: &mut Report,
        add: &mut impl FnMut(Stored),
    ) {
        match block {
            Block::Units { parser, chunk, seq } => {
                for (unit, seq) in chunk.units().zip(*seq..) {
                    if let Err(rejection) = self.unit(parser, &unit, reading, seq, add) {
                        report.reject(rejection);
                    }
                }
            }
            Block::Lines { parser, seq, line } => {
                let mut at = 0;
                while let Some(span) = next_line(lines, at, literal) {
                    at = span.end + 1;
                    let bytes = &lines[span.clone()];
                    if bytes.trim_ascii().is_empty() {
                        continue;
                    }
                    let (unit, seq) = (Unit::new(*line, bytes), *seq + span.start as u64);
                    if let Err(mut rejection) = self.unit(parser, &unit, reading, seq, add) {
                        rejection.line += memchr::memchr_iter(b'\n', &lines[..span.start]).count() as u64;
                        report.reject(rejection);
                    }
                }
            }
        }
    }

    /// Reads as much of one unit as the answer needs.
    fn unit(
        &self,
        parser: &Parser,
        unit: &Unit<'_>,
        reading: Reading,
        seq: u64,
        add: &mut impl FnMut(Stored),
    ) -> Result<(), Rejection> {
        let outlines = &self.outlines;
        if outlines.pay(reading)
            && let Some(outline) = parser.outline(unit, outlines.wanted())
        {
            if outlines.suffice(reading) {
                self.judge(outline, seq, add);
                return Ok(());
            }
            if !outlines.may_match(outline, &self.rules) {
                return Ok(());
            }
        }
        self.judge(parser.parse(unit)?, seq, add);
        Ok(())
    }

    /// Rows are judged as they would be stored; what would not be stored matches nothing.
    fn judge(&self, record: Record, seq: u64, add: &mut impl FnMut(Stored)) {
        // acceptance, redaction above all, costs as much as parsing
        if !may_match(&self.predicate, &record) {
            return;
        }
        let accepted = self.rules.accept(record).ok().filter(|record| self.predicate.matches(record));
        if let Some((record, seq)) = accepted.zip(Seq::new(seq)) {
            add(Stored { id: EntryId::new(0, seq), record });
        }
    }
}

/// The next line worth parsing at or after `at`, which begins a line.
fn next_line(lines: &[u8], at: usize, literal: Option<&Literal>) -> Option<Range<usize>> {
    let rest = lines.get(at..).filter(|rest| !rest.is_empty())?;
    let (start, hit) = match literal {
        None => (at, 0),
        Some(literal) => {
            let hit = literal.next(rest)?;
            (at + memchr::memrchr(b'\n', &rest[..hit]).map_or(0, |before| before + 1), hit)
        }
    };
    let end = memchr::memchr(b'\n', &rest[hit..]).map_or(lines.len(), |end| at + hit + end);
    Some(start..end)
}

/// Says on stderr what could not be read.
fn tell(name: &str, refused: &mut Report) {
    refused.errors.sort_by_key(|rejection| rejection.line);
    if let Some(first) = refused.errors.first() {
        eprintln!("reqlog: {name}: {} not understood; {first}", refused.rejected);
    }
}

/// The rows kept so far, at least those that will be in the answer.
struct Top {
    keep: Keep,
    rows: Vec<Stored>,
}

impl Top {
    fn new(keep: Keep) -> Self {
        Self { keep, rows: Vec::new() }
    }

    fn push(&mut self, row: Stored) {
        self.rows.push(row);
        if self.rows.len() >= self.keep.limit.saturating_mul(2).saturating_add(1024) {
            self.cut();
        }
    }

    fn compare(keep: Keep) -> impl Fn(&Stored, &Stored) -> Ordering {
        move |a, b| {
            let ascending = Position::of(a, keep.order).cmp(&Position::of(b, keep.order));
            if keep.direction == Direction::Descending { ascending.reverse() } else { ascending }
        }
    }

    fn cut(&mut self) {
        if self.rows.len() > self.keep.limit {
            self.rows.select_nth_unstable_by(self.keep.limit, Self::compare(self.keep));
            self.rows.truncate(self.keep.limit);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        self.cut();
        self
    }

    fn finish(mut self) -> Vec<Stored> {
        self.cut();
        self.rows.sort_by(Self::compare(self.keep));
        self.rows
    }
}

fn count(stats: &mut Stats, record: &Record) {
    let add = |counts: &mut Counts, value: Option<&str>| {
        let Some(value) = value else { return };
        match counts.get_mut(value) {
            Some(count) => *count += 1,
            None => drop(counts.insert(value.to_owned(), 1)),
        }
    };
    stats.total += 1;
    add(&mut stats.levels, Some(record.level.name()));
    add(&mut stats.kinds, Some(record.kind.name()));
    let class = record.status.and_then(|status| CLASSES.get(usize::from(status / 100).checked_sub(1)?).copied());
    add(&mut stats.classes, class);
    add(&mut stats.methods, record.text(Field::Method));
    add(&mut stats.projects, record.text(Field::Project));
    add(&mut stats.containers, record.text(Field::Container));
    add(&mut stats.services, record.text(Field::Service));
}

const CLASSES: [&str; 9] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"];

fn merge(mut to: Stats, from: Stats) -> Stats {
    to.total += from.total;
    for (to, from) in [
        (&mut to.levels, from.levels),
        (&mut to.kinds, from.kinds),
        (&mut to.classes, from.classes),
        (&mut to.methods, from.methods),
        (&mut to.projects, from.projects),
        (&mut to.containers, from.containers),
        (&mut to.services, from.services),
    ] {
        for (value, count) in from {
            *to.entry(value).or_default() += count;
        }
    }
    to
}
