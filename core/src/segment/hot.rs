//! Segments without their cold parts, made row by row: nothing of a row is kept but its place in the columns.

use super::builder::{SEARCHED, assemble};
use super::counts::ValueCounts;
use super::grams::Grams;
use super::ints::Ints;
use super::part::{NUMBERS, Part, PartId};
use super::text::{Text, TextBuilder};
use crate::catalog::{Summary, class_of, stretch};
use crate::codec::{Codec, Effort, seal};
use crate::filter::Number;
use crate::id::Seq;
use crate::level::Level;
use crate::query::Counts;
use crate::record::{Field, Kind, Record, Source};
use crate::timestamp::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;

/// What the columns hold of a record: all but header fields, attributes and what is in bodies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    pub(crate) source: Option<Source>,
    pub(crate) status: Option<u16>,
    pub(crate) duration: Option<u64>,
    /// Bytes of the bodies of request and response on the wire.
    pub(crate) sizes: [Option<u64>; 2],
    pub(crate) overridden: bool,
    pub(crate) redacted: bool,
    /// Whether a body is not whole.
    pub(crate) truncated: bool,
    pub(crate) texts: [Option<Cow<'a, str>>; Field::COUNT],
}

impl<'a> Row<'a> {
    /// An event of level info at `time` with nothing else set.
    pub(crate) fn new(time: Timestamp) -> Self {
        Self {
            time,
            kind: Kind::Event,
            level: Level::Info,
            source: None,
            status: None,
            duration: None,
            sizes: [None; 2],
            overridden: false,
            redacted: false,
            truncated: false,
            texts: [const { None }; Field::COUNT],
        }
    }

    /// That of an accepted record.
    pub(crate) fn of(record: &'a Record) -> Self {
        let bodies = [&record.request.body, &record.response.body];
        let mut row = Self {
            kind: record.kind,
            level: record.level,
            source: record.source,
            status: record.status,
            duration: record.duration,
            sizes: bodies.map(|body| body.as_ref().map(|body| body.size)),
            overridden: record.overridden,
            redacted: record.redacted,
            truncated: bodies.iter().any(|body| body.as_ref().is_some_and(|body| body.cut.is_some())),
            ..Self::new(record.time)
        };
        for (field, value) in record.texts.iter() {
            row.texts[field as usize] = Some(Cow::Borrowed(value));
        }
        row
    }

    fn number(&self, number: Number) -> Option<i64> {
        let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match number {
            Number::Time => Some(self.time.as_nanos()),
            // of the commit, not of the record
            Number::Seq | Number::Arrival => None,
            Number::Status => self.status.map(i64::from),
            Number::Duration => self.duration.map(clamp),
            Number::ReqSize => self.sizes[0].map(clamp),
            Number::ResSize => self.sizes[1].map(clamp),
            Number::Size => match self.sizes {
                [None, None] => None,
                [request, response] => Some(clamp(request.unwrap_or(0).saturating_add(response.unwrap_or(0)))),
            },
            Number::Level => Some(self.level as i64),
            Number::Kind => Some(self.kind as i64),
            Number::Source => self.source.map(|source| source as i64),
            Number::Overridden => Some(self.overridden.into()),
            Number::Redacted => Some(self.redacted.into()),
            Number::Truncated => Some(self.truncated.into()),
        }
    }
}

/// Collects rows of one arrival, in the order of their sequences, and writes them as [`build`](super::build) would, but
/// for [`PartId::Details`] and [`PartId::Bodies`], which a hot segment has none of.
#[derive(Default)]
pub(crate) struct HotBuilder {
    numbers: [Vec<Option<i64>>; NUMBERS.len()],
    texts: [TextBuilder; Field::COUNT],
    rows: usize,
    all: Tally,
    exchanges: Tally,
}

impl HotBuilder {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Appends a row; `seq` is greater than that of the row before.
    pub(crate) fn push(&mut self, seq: Seq, row: &Row<'_>) {
        for (column, number) in self.numbers.iter_mut().zip(NUMBERS) {
            let value = if number == Number::Seq { Some(seq.get() as i64) } else { row.number(number) };
            if value.is_some() {
                // what is absent from every row costs nothing
                if column.len() < self.rows {
                    column.resize(self.rows, None);
                }
                column.push(value);
            }
        }
        for (column, value) in self.texts.iter_mut().zip(&row.texts) {
            if let Some(value) = value {
                column.push_at(self.rows, value);
            }
        }
        self.all.add(seq, row);
        if row.kind == Kind::Exchange {
            self.exchanges.add(seq, row);
        }
        self.rows += 1;
    }

    /// The segment of all rows, which arrived at `arrival_ms`; `None` without rows.
    pub(crate) fn finish(self, arrival_ms: u64, codec: &dyn Codec) -> Option<super::Built> {
        let Self { numbers, texts, rows, all, exchanges } = self;
        let order = order_of(&numbers[0], rows);
        let gather = |mut column: Vec<Option<i64>>| {
            column.resize(rows, None);
            match &order {
                Some(order) => order.iter().map(|&row| column[row as usize]).collect(),
                None => column,
            }
        };
        let numbers = numbers.map(|column| (!column.is_empty()).then(|| gather(column)));
        let texts = texts.map(|column| column.finish_in(rows, order.as_deref()));
        let kind = NUMBERS.iter().position(|number| *number == Number::Kind);
        let kinds: &[Option<i64>] = kind.and_then(|at| numbers[at].as_deref()).unwrap_or_default();
        let is_exchange = |row: usize| kinds[row] == Some(Kind::Exchange as i64);

        let summary = all.finish(arrival_ms, &texts, |_| true)?;
        let exchanges = if summary.is_mixed() { exchanges.finish(arrival_ms, &texts, is_exchange) } else { None };
        let lacks =
            |field| [Some(&summary), exchanges.as_ref()].into_iter().flatten().any(|s| s.counts(field).is_none());
        let seal = |part: &Part| seal(&part.encode(), codec, Effort::Fast);
        let mut sealed = Vec::new();
        for (number, column) in NUMBERS.into_iter().zip(&numbers) {
            if let Some(column) = column {
                sealed.push((PartId::Number(number), seal(&Part::Ints(Ints::new(column)))));
            }
        }
        let arrivals = vec![Some(arrival_ms as i64); rows];
        sealed.push((PartId::Arrival, seal(&Part::Ints(Ints::new(&arrivals)))));
        for (&field, text) in Field::ALL.iter().zip(texts) {
            let Some(text) = text else { continue };
            let grams = if SEARCHED.contains(&field) { Grams::of(&text.values) } else { None };
            let counts = if Summary::COUNTED.contains(&field) && lacks(field) {
                ValueCounts::of(&text, exchanges.is_some().then_some(&is_exchange))
            } else {
                None
            };
            sealed.push((PartId::Text(field), seal(&Part::Text(text))));
            sealed.extend(grams.map(|grams| (PartId::Grams(field), seal(&Part::Grams(grams)))));
            sealed.extend(counts.map(|counts| (PartId::Counts(field), seal(&Part::Counts(counts)))));
        }
        let exchanges = exchanges.map(|exchanges| Part::Exchanges(Arc::new(exchanges)));
        sealed.extend(exchanges.map(|part| (PartId::Exchanges, seal(&part))));
        Some(assemble(summary, sealed))
    }
}

/// The order of rows by (time, sequence); `None` where they are in it.
fn order_of(times: &[Option<i64>], rows: usize) -> Option<Vec<u32>> {
    if times.is_sorted() {
        return None;
    }
    let mut order: Vec<u32> = (0..rows as u32).collect();
    // rows come in the order of their sequences
    order.sort_by_key(|&row| times[row as usize]);
    Some(order)
}

/// What a summary says of the numbers of rows.
#[derive(Default)]
struct Tally {
    seq: Option<(Seq, Seq)>,
    rows: u64,
    time: Option<(i64, i64)>,
    status: Option<(i64, i64)>,
    duration: Option<(i64, i64)>,
    size: Option<(i64, i64)>,
    levels: [u64; 6],
    kinds: [u64; 4],
    classes: [u64; 9],
}

impl Tally {
    fn add(&mut self, seq: Seq, row: &Row<'_>) {
        self.rows += 1;
        self.seq = Some(self.seq.map_or((seq, seq), |(first, last)| (first.min(seq), last.max(seq))));
        stretch(&mut self.time, row.number(Number::Time));
        stretch(&mut self.status, row.number(Number::Status));
        stretch(&mut self.duration, row.number(Number::Duration));
        stretch(&mut self.size, row.number(Number::Size));
        self.levels[row.level as usize - 1] += 1;
        self.kinds[row.kind as usize] += 1;
        if let Some(class) = row.status.and_then(class_of) {
            self.classes[class] += 1;
        }
    }

    /// The summary of the rows that are `in_it`; `None` without rows.
    fn finish(
        self,
        arrival_ms: u64,
        texts: &[Option<Text>; Field::COUNT],
        in_it: impl Fn(usize) -> bool,
    ) -> Option<Summary> {
        let counts = |field: Field| {
            let Some(text) = &texts[field as usize] else { return Some(Counts::new()) };
            let mut rows = vec![0; text.values.len() + 1];
            (0..text.codes.len()).filter(|row| in_it(*row)).for_each(|row| rows[text.codes.get(row) as usize] += 1);
            let values = rows[1..].iter().filter(|rows| **rows > 0).count();
            let counted = text.values.iter().zip(&rows[1..]).filter(|(_, rows)| **rows > 0);
            let owned = |(value, rows): (&str, &u64)| (value.to_owned(), *rows);
            (values <= Summary::MAX_VALUES).then(|| counted.map(owned).collect())
        };
        let mut summary = Summary {
            rows: self.rows,
            seq: self.seq?,
            arrival: (arrival_ms, arrival_ms),
            time: self.time?,
            status: self.status,
            duration: self.duration,
            size: self.size,
            levels: self.levels,
            kinds: self.kinds,
            classes: self.classes,
            projects: counts(Field::Project),
            services: counts(Field::Service),
            containers: counts(Field::Container),
            methods: counts(Field::Method),
        };
        summary.fit();
        Some(summary)
    }
}
