//! Decoded parts of one source, as far as they are there, and the rows they hold.

use super::ints::Ints;
use super::part::{NUMBERS, Part, PartId};
use super::rows::{Bodies, Details, ROWS};
use super::text::Text;
use crate::body::Body;
use crate::codec::Corrupt;
use crate::filter::Number;
use crate::id::{EntryId, Seq};
use crate::level::Level;
use crate::query::Detail;
use crate::record::{Field, Kind, Record, Source, Stored};
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// Parts that have to be supplied before a question can be answered.
pub type Need = Vec<PartId>;

/// The decoded parts of a source that are at hand.
#[derive(Clone, Debug)]
pub struct Columns {
    rows: usize,
    numbers: [Option<Arc<Part>>; NUMBERS.len()],
    arrival: Option<Arc<Part>>,
    texts: [Option<Arc<Part>>; Field::COUNT],
    grams: [Option<Arc<Part>>; Field::COUNT],
    details: Vec<Option<Arc<Part>>>,
    bodies: Vec<Option<Arc<Part>>>,
    counts: [Option<Arc<Part>>; Field::COUNT],
    exchanges: Option<Arc<Part>>,
}

impl Columns {
    /// Nothing yet of a source of `rows` rows.
    pub fn new(rows: u64) -> Self {
        let rows = rows as usize;
        let blocks = vec![None; rows.div_ceil(ROWS)];
        Self {
            rows,
            numbers: Default::default(),
            arrival: None,
            texts: Default::default(),
            grams: Default::default(),
            details: blocks.clone(),
            bodies: blocks,
            counts: Default::default(),
            exchanges: None,
        }
    }

    /// How many rows the source has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Supplies a part; one that the source has not is supplied as [`Part::Absent`]. A block past the end is ignored.
    pub fn insert(&mut self, id: PartId, part: Arc<Part>) {
        if let Some(slot) = self.slot(id) {
            *slot = Some(part);
        }
    }

    fn slot(&mut self, id: PartId) -> Option<&mut Option<Arc<Part>>> {
        Some(match id {
            PartId::Number(number) => &mut self.numbers[NUMBERS.iter().position(|known| *known == number)?],
            PartId::Arrival => &mut self.arrival,
            PartId::Text(field) => &mut self.texts[field as usize],
            PartId::Grams(field) => &mut self.grams[field as usize],
            PartId::Details(block) => self.details.get_mut(block as usize)?,
            PartId::Bodies(block) => self.bodies.get_mut(block as usize)?,
            PartId::Counts(field) => &mut self.counts[field as usize],
            PartId::Exchanges => &mut self.exchanges,
        })
    }

    /// A supplied part; `None` while it is not there, [`Part::Absent`] when the source has none.
    pub fn part(&self, id: PartId) -> Option<&Part> {
        self.shared(id).map(|part| &**part)
    }

    /// What [`Self::part`] gives, to be kept beyond these columns.
    pub(crate) fn shared(&self, id: PartId) -> Option<&Arc<Part>> {
        match id {
            PartId::Number(number) => self.numbers[NUMBERS.iter().position(|known| *known == number)?].as_ref(),
            PartId::Arrival => self.arrival.as_ref(),
            PartId::Text(field) => self.texts[field as usize].as_ref(),
            PartId::Grams(field) => self.grams[field as usize].as_ref(),
            PartId::Details(block) => self.details.get(block as usize)?.as_ref(),
            PartId::Bodies(block) => self.bodies.get(block as usize)?.as_ref(),
            PartId::Counts(field) => self.counts[field as usize].as_ref(),
            PartId::Exchanges => self.exchanges.as_ref(),
        }
    }

    /// Adds `id` to `need` unless it is at hand.
    pub(crate) fn want(&self, id: PartId, need: &mut Need) {
        if self.part(id).is_none() && !need.contains(&id) {
            need.push(id);
        }
    }

    pub(crate) fn ints(&self, number: Number) -> Option<&Ints> {
        match self.part(PartId::of(number)) {
            Some(Part::Ints(ints)) => Some(ints),
            _ => None,
        }
    }

    pub(crate) fn text(&self, field: Field) -> Option<&Text> {
        match self.part(PartId::Text(field)) {
            Some(Part::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn grams(&self, field: Field) -> Option<&super::Grams> {
        match self.part(PartId::Grams(field)) {
            Some(Part::Grams(grams)) => Some(grams),
            _ => None,
        }
    }

    pub(crate) fn details(&self, row: usize) -> Option<&Details> {
        match self.part(PartId::Details((row / ROWS) as u32)) {
            Some(Part::Details(details)) => Some(details),
            _ => None,
        }
    }

    fn bodies(&self, row: usize) -> Option<&Bodies> {
        match self.part(PartId::Bodies((row / ROWS) as u32)) {
            Some(Part::Bodies(bodies)) => Some(bodies),
            _ => None,
        }
    }

    /// A numeric value; sizes of both bodies are added up here.
    pub(crate) fn number(&self, number: Number, row: usize) -> Option<i64> {
        let stored = |number| self.ints(number).and_then(|ints: &Ints| ints.get(row));
        match number {
            Number::Size => match (stored(Number::ReqSize), stored(Number::ResSize)) {
                (None, None) => None,
                (request, response) => Some(request.unwrap_or(0).saturating_add(response.unwrap_or(0))),
            },
            number => stored(number),
        }
    }

    /// The sequence of a row; 1 where the column is not at hand, which only a corrupt segment brings about.
    pub(crate) fn seq(&self, row: usize) -> Seq {
        let seq = self.number(Number::Seq, row).and_then(|seq| Seq::new(seq as u64));
        seq.unwrap_or_else(|| Seq::new(1).expect("sequences start at 1"))
    }

    /// What [`Self::row`] needs that is not at hand.
    pub(crate) fn want_row(&self, row: usize, detail: Detail, need: &mut Need) {
        for number in NUMBERS {
            self.want(PartId::Number(number), need);
        }
        self.want(PartId::Arrival, need);
        for field in detail.texts().iter() {
            self.want(PartId::Text(field), need);
        }
        let block = (row / ROWS) as u32;
        if !matches!(detail, Detail::Columns(_)) {
            self.want(PartId::Details(block), need);
        }
        if detail == Detail::Whole {
            self.want(PartId::Bodies(block), need);
        }
    }

    /// The row, from parts that [`Self::want_row`] found complete.
    pub(crate) fn row(&self, row: usize, detail: Detail) -> Result<Stored, Corrupt> {
        let corrupt = Corrupt { what: "row" };
        let time = self.number(Number::Time, row).ok_or(corrupt)?;
        let mut record = Record::new(Timestamp::from_nanos(time));
        let small = |number| self.number(number, row);
        record.kind = *Kind::ALL.get(small(Number::Kind).unwrap_or(-1) as usize).ok_or(corrupt)?;
        record.level = Level::from_stored(small(Number::Level).unwrap_or(0) as u8).ok_or(corrupt)?;
        record.source = match small(Number::Source) {
            None => None,
            Some(stored) => Some(*Source::ALL.get(stored as usize - 1).ok_or(corrupt)?),
        };
        record.status = small(Number::Status).map(|status| status as u16);
        record.duration = small(Number::Duration).map(|duration| duration as u64);
        record.overridden = small(Number::Overridden) == Some(1);
        record.redacted = small(Number::Redacted) == Some(1);
        for field in detail.texts().iter() {
            if let Some(value) = self.text(field).and_then(|text| text.get(row)) {
                record.texts.set(field, value);
            }
        }
        self.fill(row, detail, &mut record)?;
        let arrival = small(Number::Arrival).ok_or(corrupt)?;
        let seq = small(Number::Seq).and_then(|seq| Seq::new(seq as u64)).ok_or(corrupt)?;
        Ok(Stored { id: EntryId::new(arrival as u64, seq), record })
    }

    /// Fills headers, attributes and bodies of a row whose blocks are at hand.
    pub(crate) fn fill(&self, row: usize, detail: Detail, record: &mut Record) -> Result<(), Corrupt> {
        let details = || self.details(row).ok_or(Corrupt { what: "details" });
        let none = Bodies::default();
        match detail {
            Detail::Columns(_) => {
                let sizes = [Number::ReqSize, Number::ResSize].map(|number| self.number(number, row));
                for (message, size) in [&mut record.request, &mut record.response].into_iter().zip(sizes) {
                    message.body = size.map(|size| Body { size: size as u64, ..Body::default() });
                }
                Ok(())
            }
            Detail::Preview => details()?.fill(row % ROWS, None, record),
            // A block without a byte beyond the previews is not stored.
            Detail::Whole => details()?.fill(row % ROWS, Some(self.bodies(row).unwrap_or(&none)), record),
        }
    }
}
