//! An opened input: its format, what stands before its units, and the rules its records are accepted by.

use crate::accept::Rules;
use crate::auth::Scope;
use crate::format::{Format, Head, Parser, Preamble, Rejection, SNIFF, Unit};
use crate::id::{EntryId, Seq};
use crate::intake::unknown_format;
use crate::plan::{Failure, IngestMode, IngestRequest, Settings};
use crate::record::Stored;
use crate::segment::{HotBuilder, Row};
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// Where an opened input stands among those that are opened together, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(u8);

/// Bits of a sequence that tell the offset; the eight above them tell the place.
const OFFSET_BITS: u32 = 40;

impl Place {
    /// How many inputs can be opened together.
    pub const COUNT: usize = 256;

    /// The place with this number.
    pub const fn new(place: u8) -> Self {
        Self(place)
    }

    /// Its number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The sequence of the record whose unit begins at `offset`; `None` from 2^40 − 1 on (a tebibyte).
    pub const fn seq(self, offset: u64) -> Option<Seq> {
        if offset + 1 < 1 << OFFSET_BITS { Seq::new((self.0 as u64) << OFFSET_BITS | (offset + 1)) } else { None }
    }

    /// The place and the offset that make `seq`; `None` where no unit has it.
    pub const fn of(seq: Seq) -> Option<(Self, u64)> {
        match (seq.get() & ((1 << OFFSET_BITS) - 1)).checked_sub(1) {
            Some(offset) => Some((Self((seq.get() >> OFFSET_BITS) as u8), offset)),
            None => None,
        }
    }
}

/// What is said of an input when it is opened.
#[derive(Clone)]
pub struct Opening {
    /// The file's name, which tells the format where the content does not; see [`Format::detect`].
    pub name: Option<String>,
    /// The format's name, where it is not to be detected.
    pub format: Option<String>,
    /// Last modification of the file: arrival of its records, and the time of those that have none.
    pub modified: Timestamp,
    /// What hashes of replaced secrets are keyed with, one for all inputs opened together; `None` where secrets stay.
    pub redact_key: Option<[u8; 32]>,
    /// For records that name no project, instead of `default`.
    pub project: Option<String>,
    /// For records that name no environment.
    pub environment: Option<String>,
    /// For records that name no session.
    pub session: Option<String>,
    /// For records that name no service.
    pub service: Option<String>,
}

impl Opening {
    /// Of a file of which nothing else is known.
    pub const fn new(modified: Timestamp, redact_key: Option<[u8; 32]>) -> Self {
        Self {
            name: None,
            format: None,
            modified,
            redact_key,
            project: None,
            environment: None,
            session: None,
            service: None,
        }
    }

    pub(super) fn rules(&self) -> Rules {
        let request = IngestRequest {
            scope: Scope::Organisation,
            project: self.project.clone(),
            environment: self.environment.clone(),
            session: self.session.clone(),
            service: self.service.clone(),
            format: None,
            encodings: Vec::new(),
            mode: IngestMode::Import,
            idempotency_key: None,
            limit: u64::MAX,
        };
        match &self.redact_key {
            Some(key) => Rules::new(key, &Settings::default(), &request),
            None => Rules::keeping_secrets(&Settings::default(), &request),
        }
    }
}

/// Where an input may be cut into portions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Splits {
    /// Anywhere: where the next line begins is seen from there (NDJSON, access logs).
    Anywhere,
    /// Where a [`Cutter`](super::Cutter) that reads it from its beginning says (HAR, JSON array, CSV).
    FromTheBeginning,
}

/// An opened input, as far as its first bytes tell. All who read it make one alike, or share a clone.
#[derive(Clone, Debug)]
pub struct Input(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    name: Option<String>,
    format: Format,
    preamble: Preamble,
    preamble_lines: u64,
    parser: Parser,
    rules: Rules,
    arrival_ms: u64,
}

impl Input {
    /// An input that begins with `first`: [`SNIFF`] bytes of it, plain, or all that there are.
    ///
    /// `None` where there is nothing: an input without a byte in no format that was named. [`Failure::Body`] where no
    /// format fits. **Ours:** the header of a CSV file ends within [`SNIFF`] bytes, or the input is refused.
    pub fn open(place: Place, first: &[u8], opening: &Opening) -> Result<Option<Self>, Failure> {
        let format = match &opening.format {
            Some(name) => Format::parse_name(name),
            None if first.is_empty() => return Ok(None),
            None => Format::detect(first, opening.name.as_deref()),
        };
        let format = format.ok_or_else(|| Failure::Body(unknown_format()))?;
        let first = &first[..first.len().min(SNIFF)];
        let preamble = Preamble::of(format, first, first.len() < SNIFF)
            .ok_or_else(|| Failure::Body(format!("The header of the CSV file is longer than {SNIFF} bytes.")))?;
        Ok(Some(Self(Arc::new(Inner {
            place,
            name: opening.name.as_deref().and_then(|name| name.rsplit(['/', '\\']).next()).map(str::to_owned),
            format,
            preamble_lines: memchr::memchr_iter(b'\n', &first[..preamble.len]).count() as u64,
            parser: Parser::new(format, &preamble.head, opening.modified),
            preamble,
            rules: opening.rules(),
            arrival_ms: u64::try_from(opening.modified.as_millis()).unwrap_or(0),
        }))))
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.0.format
    }

    /// Where it stands among the inputs.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// Where it may be cut.
    pub fn splits(&self) -> Splits {
        match self.0.format {
            Format::Ndjson | Format::Access => Splits::Anywhere,
            Format::Har | Format::JsonArray | Format::Csv => Splits::FromTheBeginning,
        }
    }

    /// Why it cannot be read again where it is not what it was.
    pub(super) fn changed(&self) -> Failure {
        Failure::Changed { name: self.0.name.clone() }
    }

    pub(super) fn head(&self) -> &Head {
        &self.0.preamble.head
    }

    /// Bytes before the first place where a unit may begin, and the line feeds among them.
    pub(super) fn preamble(&self) -> (u64, u64) {
        (self.0.preamble.len as u64, self.0.preamble_lines)
    }

    pub(super) fn arrival_ms(&self) -> u64 {
        self.0.arrival_ms
    }

    /// Adds the row of a unit to `rows`, which holds those of the units before it.
    pub(super) fn index(&self, unit: &Unit<'_>, rows: &mut HotBuilder) -> Result<(), Rejection> {
        let Inner { place, parser, rules, .. } = &*self.0;
        let mut lean = parser.blank(rules.secrets());
        if let Some(seq) = place.seq(unit.offset)
            && parser.lean(unit, rules.lean_limit(), &mut lean).is_some()
            && rules.accept_lean(&mut lean).is_some()
        {
            rows.push(seq, &lean.row);
            return Ok(());
        }
        let row = self.record(unit)?;
        rows.push(row.id.seq(), &Row::of(&row.record));
        Ok(())
    }

    /// The record of a unit as it would be stored.
    pub(super) fn record(&self, unit: &Unit<'_>) -> Result<Stored, Rejection> {
        self.accepted(unit, &self.0.rules)
    }

    /// The same with all that the unit has of its bodies.
    pub(super) fn whole_record(&self, unit: &Unit<'_>) -> Result<Stored, Rejection> {
        self.accepted(unit, &self.0.rules.clone().uncapped())
    }

    fn accepted(&self, unit: &Unit<'_>, rules: &Rules) -> Result<Stored, Rejection> {
        let reject = |reason: String| Rejection::new(unit.line, reason, unit.bytes);
        let seq = self.0.place.seq(unit.offset);
        let seq = seq.ok_or_else(|| reject("too far into the input: a tebibyte".to_owned()))?;
        let record = rules.accept(self.0.parser.parse(unit)?).map_err(reject)?;
        Ok(Stored { id: EntryId::new(self.0.arrival_ms, seq), record })
    }
}
