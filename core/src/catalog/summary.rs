//! What is known of a batch or segment without opening it.

use crate::codec::Corrupt;
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::id::Seq;
use crate::query::{Counts, Unit};
use crate::record::{Field, Kind, Record, Stored};
use crate::stored::{Reader, put_bytes, put_varint, unzigzag, zigzag};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Least and greatest of the present values; `None` when no row has one.
pub type Extent = Option<(i64, i64)>;

/// What the catalog keeps of a source, at most [`Summary::MAX_BYTES`] encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Rows in it; at least 1.
    pub rows: u64,
    /// Least and greatest sequence.
    pub seq: (Seq, Seq),
    /// Least and greatest arrival in ms.
    pub arrival: (u64, u64),
    /// Least and greatest time in nanoseconds.
    pub time: (i64, i64),
    /// Of the rows that have a status.
    pub status: Extent,
    /// Of the rows that have a duration, in nanoseconds.
    pub duration: Extent,
    /// Of the rows that have a body on either side, both sides together.
    pub size: Extent,
    /// Rows by `Level as u8` − 1.
    pub levels: [u64; 6],
    /// Rows by `Kind as u8`.
    pub kinds: [u64; 4],
    /// Rows by hundreds of the status, 1xx first; others are in none.
    pub classes: [u64; 9],
    /// Rows by project; `None` when there are too many values for the summary.
    pub projects: Option<Counts>,
    /// Rows by service.
    pub services: Option<Counts>,
    /// Rows by container.
    pub containers: Option<Counts>,
    /// Rows by method.
    pub methods: Option<Counts>,
}

/// A summary that lacks what the commit decides: sequences and arrival.
#[derive(Clone, Debug)]
pub struct SummaryDraft(Summary);

impl SummaryDraft {
    /// The summary of rows that got consecutive sequences from `first` at `arrival_ms`; `None` past the last sequence.
    pub fn place(self, first: Seq, arrival_ms: u64) -> Option<Summary> {
        let last = first.after(self.0.rows - 1)?;
        Some(Summary { seq: (first, last), arrival: (arrival_ms, arrival_ms), ..self.0 })
    }
}

/// What a summary says of a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No row matches.
    Never,
    /// Some may.
    Maybe,
    /// Every row matches.
    Always,
}

impl Summary {
    /// Longest encoded summary; counts that do not fit are left to the segment.
    pub const MAX_BYTES: usize = 2048;
    /// Most values of a field that are counted.
    pub(crate) const MAX_VALUES: usize = 256;
    /// The fields by whose values rows are counted.
    pub const COUNTED: [Field; 4] = [Field::Project, Field::Service, Field::Container, Field::Method];

    /// Summarises records before they have sequences; `None` without records.
    pub fn draft<'a>(records: impl Iterator<Item = &'a Record>) -> Option<SummaryDraft> {
        let nowhere = Seq::MAX;
        let mut summary = Self {
            rows: 0,
            seq: (nowhere, nowhere),
            arrival: (0, 0),
            time: (i64::MAX, i64::MIN),
            status: None,
            duration: None,
            size: None,
            levels: [0; 6],
            kinds: [0; 4],
            classes: [0; 9],
            projects: None,
            services: None,
            containers: None,
            methods: None,
        };
        let mut tallies = Self::COUNTED.map(Tally::new);
        for record in records {
            summary.rows += 1;
            let time = record.time.as_nanos();
            summary.time = (summary.time.0.min(time), summary.time.1.max(time));
            stretch(&mut summary.status, record.status.map(i64::from));
            stretch(&mut summary.duration, Number::Duration.of(record));
            stretch(&mut summary.size, Number::Size.of(record));
            summary.levels[record.level as usize - 1] += 1;
            summary.kinds[record.kind as usize] += 1;
            if let Some(class) = record.status.and_then(class_of) {
                summary.classes[class] += 1;
            }
            for tally in &mut tallies {
                tally.add(record);
            }
        }
        let [projects, services, containers, methods] = tallies.map(Tally::finish);
        summary = Self { projects, services, containers, methods, ..summary };
        summary.fit();
        (summary.rows > 0).then_some(SummaryDraft(summary))
    }

    /// Rows of one project, or of none; `None` where projects are not counted.
    pub fn rows_of(&self, project: Option<&str>) -> Option<u64> {
        let counts = self.projects.as_ref()?;
        Some(match project {
            Some(name) => counts.get(name).copied().unwrap_or(0),
            None => self.rows - counts.values().sum::<u64>(),
        })
    }

    /// The project of a segment, which has one at most.
    pub fn project(&self) -> Option<&str> {
        self.projects.as_ref()?.keys().next().map(String::as_str)
    }

    /// Summarises rows of a segment; `None` without rows.
    pub fn of<'a>(rows: impl Iterator<Item = &'a Stored> + Clone) -> Option<Self> {
        let mut summary = Self::draft(rows.clone().map(|row| &row.record))?.0;
        let mut ids = rows.map(|row| (row.id.seq(), row.id.arrival_ms()));
        let (seq, arrival) = ids.next()?;
        (summary.seq, summary.arrival) = ((seq, seq), (arrival, arrival));
        for (seq, arrival) in ids {
            summary.seq = (summary.seq.0.min(seq), summary.seq.1.max(seq));
            summary.arrival = (summary.arrival.0.min(arrival), summary.arrival.1.max(arrival));
        }
        Some(summary)
    }

    /// Summarises the exchanges among the rows of a segment; `None` without exchanges.
    pub fn of_exchanges(rows: &[Stored]) -> Option<Self> {
        Self::of(rows.iter().filter(|row| row.record.kind == Kind::Exchange))
    }

    /// How many units each row is, where that is the same for all.
    pub(crate) fn units_a_row(&self, unit: Unit) -> Option<u64> {
        match unit {
            Unit::Half if self.is_mixed() => None,
            Unit::Half if self.kinds[Kind::Exchange as usize] > 0 => Some(Unit::Half.of(Kind::Exchange)),
            Unit::Half | Unit::Record => Some(1),
        }
    }

    /// Whether some of the rows are exchanges and some are not.
    pub(crate) fn is_mixed(&self) -> bool {
        let exchanges = self.kinds[Kind::Exchange as usize];
        exchanges > 0 && exchanges < self.rows
    }

    /// Rows by the values of a field; `None` where there are too many values for the summary, and of fields that are not
    /// [`Self::COUNTED`].
    pub fn counts(&self, field: Field) -> Option<&Counts> {
        match field {
            Field::Project => self.projects.as_ref(),
            Field::Service => self.services.as_ref(),
            Field::Container => self.containers.as_ref(),
            Field::Method => self.methods.as_ref(),
            _ => None,
        }
    }

    fn maps(&mut self) -> [&mut Option<Counts>; 4] {
        [&mut self.containers, &mut self.services, &mut self.methods, &mut self.projects]
    }

    /// Drops the longest map until the rest fits.
    pub(crate) fn fit(&mut self) {
        while self.encode().len() > Self::MAX_BYTES {
            let bytes = |map: &Option<Counts>| map.as_ref().map_or(0, |map| map.keys().map(|key| key.len() + 4).sum());
            let longest = self.maps().into_iter().max_by_key(|map| bytes(map));
            *longest.expect("there are four maps") = None;
        }
    }

    /// The bytes that the catalog stores.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1];
        put_varint(&mut out, self.rows);
        for value in [self.seq.0.get(), self.seq.1.get(), self.arrival.0, self.arrival.1] {
            put_varint(&mut out, value);
        }
        for extent in [Some(self.time), self.status, self.duration, self.size] {
            out.push(extent.is_some().into());
            if let Some((least, greatest)) = extent {
                put_varint(&mut out, zigzag(least));
                put_varint(&mut out, greatest.abs_diff(least));
            }
        }
        for &count in self.levels.iter().chain(&self.kinds).chain(&self.classes) {
            put_varint(&mut out, count);
        }
        for field in Self::COUNTED {
            let Some(map) = self.counts(field) else {
                out.push(0);
                continue;
            };
            put_varint(&mut out, map.len() as u64 + 1);
            for (value, &count) in map {
                put_bytes(&mut out, value.as_bytes());
                put_varint(&mut out, count);
            }
        }
        out
    }

    /// Reads [`Self::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut input = Reader::new(bytes, "summary");
        let corrupt = input.corrupt();
        if input.u8()? != 1 {
            return Err(corrupt);
        }
        let rows = input.varint()?;
        let seq = |value| Seq::new(value).ok_or(corrupt);
        let seq = (seq(input.varint()?)?, seq(input.varint()?)?);
        let arrival = (input.varint()?, input.varint()?);
        let mut extents = [None; 4];
        for extent in &mut extents {
            if input.u8()? != 0 {
                let least = unzigzag(input.varint()?);
                *extent = Some((least, least.wrapping_add_unsigned(input.varint()?)));
            }
        }
        let [time, status, duration, size] = extents;
        let mut counts = [0; 19];
        for count in &mut counts {
            *count = input.varint()?;
        }
        let mut maps = [None, None, None, None];
        for map in &mut maps {
            if let Some(len) = input.count(bytes.len())?.checked_sub(1) {
                let mut counts = Counts::new();
                for _ in 0..len {
                    counts.insert(input.str()?.to_owned(), input.varint()?);
                }
                *map = Some(counts);
            }
        }
        input.end()?;
        let [projects, services, containers, methods] = maps;
        let part = |from: usize, len: usize| counts[from..from + len].iter().copied();
        let mut summary = Self {
            rows,
            seq,
            arrival,
            time: time.ok_or(corrupt)?,
            status,
            duration,
            size,
            levels: [0; 6],
            kinds: [0; 4],
            classes: [0; 9],
            projects,
            services,
            containers,
            methods,
        };
        summary.levels.iter_mut().zip(part(0, 6)).for_each(|(to, from)| *to = from);
        summary.kinds.iter_mut().zip(part(6, 4)).for_each(|(to, from)| *to = from);
        summary.classes.iter_mut().zip(part(10, 9)).for_each(|(to, from)| *to = from);
        Ok(summary)
    }

    /// Whether rows of this source can match, must match, or neither.
    pub fn judge(&self, predicate: &Predicate) -> Verdict {
        match predicate {
            Predicate::Const(true) => Verdict::Always,
            Predicate::Const(false) => Verdict::Never,
            Predicate::Not(inner) => match self.judge(inner) {
                Verdict::Never => Verdict::Always,
                Verdict::Always => Verdict::Never,
                Verdict::Maybe => Verdict::Maybe,
            },
            Predicate::And(all) => fold(all.iter().map(|inner| self.judge(inner)), Verdict::Never, Verdict::Always),
            Predicate::Or(any) => fold(any.iter().map(|inner| self.judge(inner)), Verdict::Always, Verdict::Never),
            Predicate::Number(number, ranges) => self.judge_number(*number, ranges),
            Predicate::Text(TextKey::Field(field), matcher) => self.judge_text(*field, matcher),
            Predicate::Text(..) => Verdict::Maybe,
        }
    }

    /// What `predicate` asks of the rows of this source beyond what the summary decides.
    pub(crate) fn narrow(&self, predicate: Predicate) -> Predicate {
        match (self.judge(&predicate), predicate) {
            (Verdict::Always, _) => Predicate::Const(true),
            (Verdict::Never, _) => Predicate::Const(false),
            (Verdict::Maybe, Predicate::Not(inner)) => self.narrow(*inner).negated(),
            (Verdict::Maybe, Predicate::And(all)) => Predicate::all_of(all.into_iter().map(|one| self.narrow(one))),
            (Verdict::Maybe, Predicate::Or(any)) => Predicate::any_of(any.into_iter().map(|one| self.narrow(one))),
            (Verdict::Maybe, leaf) => leaf,
        }
    }

    fn judge_number(&self, number: Number, ranges: &[(i64, i64)]) -> Verdict {
        let within = |(least, greatest): (i64, i64), everywhere: bool| {
            if ranges.iter().all(|&(low, high)| high < least || greatest < low) {
                Verdict::Never
            } else if everywhere && ranges.iter().any(|&(low, high)| low <= least && greatest <= high) {
                Verdict::Always
            } else {
                Verdict::Maybe
            }
        };
        let counted = |counts: &[u64], first: i64| {
            let hits = counts.iter().zip(first..).filter(|&(_, value)| contains(ranges, value)).map(|(n, _)| n);
            self.verdict_of(hits.sum())
        };
        let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let extent = |extent: Extent| extent.map_or(Verdict::Never, |extent| within(extent, false));
        match number {
            Number::Time => within(self.time, true),
            Number::Seq => within((clamp(self.seq.0.get()), clamp(self.seq.1.get())), true),
            Number::Arrival => within((clamp(self.arrival.0), clamp(self.arrival.1)), true),
            Number::Status => extent(self.status),
            Number::Duration => extent(self.duration),
            Number::Size => extent(self.size),
            Number::Level => counted(&self.levels, 1),
            Number::Kind => counted(&self.kinds, 0),
            Number::ReqSize | Number::ResSize if self.size.is_none() => Verdict::Never,
            _ => Verdict::Maybe,
        }
    }

    fn judge_text(&self, field: Field, matcher: &TextMatcher) -> Verdict {
        let Some(map) = self.counts(field) else { return Verdict::Maybe };
        self.verdict_of(map.iter().filter(|(value, _)| matcher.matches(value)).map(|(_, n)| n).sum())
    }

    fn verdict_of(&self, hits: u64) -> Verdict {
        match hits {
            0 => Verdict::Never,
            hits if hits == self.rows => Verdict::Always,
            _ => Verdict::Maybe,
        }
    }
}

/// The place of a status in [`Summary::classes`].
pub(crate) const fn class_of(status: u16) -> Option<usize> {
    match status / 100 {
        class @ 1..=9 => Some(class as usize - 1),
        _ => None,
    }
}

/// Whether `value` is in one of the inclusive ranges.
pub(crate) fn contains(ranges: &[(i64, i64)], value: i64) -> bool {
    ranges.iter().any(|&(low, high)| low <= value && value <= high)
}

fn fold(verdicts: impl Iterator<Item = Verdict>, decisive: Verdict, neutral: Verdict) -> Verdict {
    let mut all = neutral;
    for verdict in verdicts {
        if verdict == decisive {
            return decisive;
        }
        if verdict != neutral {
            all = Verdict::Maybe;
        }
    }
    all
}

/// Widens `extent` so that it holds `value`.
pub(crate) fn stretch(extent: &mut Extent, value: Option<i64>) {
    if let Some(value) = value {
        *extent = Some(extent.map_or((value, value), |(least, greatest)| (least.min(value), greatest.max(value))));
    }
}

// Counts one field's values until there are too many of them.
struct Tally {
    field: Field,
    counts: Option<HashTable<(String, u64)>>,
}

impl Tally {
    fn new(field: Field) -> Self {
        Self { field, counts: Some(HashTable::new()) }
    }

    fn add(&mut self, record: &Record) {
        let (Some(counts), Some(value)) = (&mut self.counts, record.text(self.field)) else { return };
        let hash = xxh3_64(value.as_bytes());
        if let Some((_, count)) = counts.find_mut(hash, |(known, _)| known == value) {
            *count += 1;
        } else if counts.len() == Summary::MAX_VALUES {
            self.counts = None;
        } else {
            counts.insert_unique(hash, (value.to_owned(), 1), |(known, _)| xxh3_64(known.as_bytes()));
        }
    }

    fn finish(self) -> Option<Counts> {
        Some(self.counts?.into_iter().collect())
    }
}
