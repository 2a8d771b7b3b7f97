//! Records committed together, row by row in one block: quick to write, rewritten as segments by compaction.

use crate::body::{Body, Cut};
use crate::catalog::{Summary, SummaryDraft};
use crate::codec::{self, Codec, Corrupt, Effort};
use crate::headers::Headers;
use crate::id::{EntryId, Seq};
use crate::level::Level;
use crate::record::{Field, Kind, Message, Record, Source, Stored};
use crate::stored::{Reader, put_bytes, put_varint, unzigzag, zigzag};
use crate::timestamp::Timestamp;

/// Records as one block, before they have sequences.
#[derive(Clone, Debug)]
pub struct EncodedBatch {
    /// The sealed block.
    pub blob: Vec<u8>,
    /// How many records are in it; their sequences will be consecutive.
    pub rows: u64,
    /// The summary but for what the commit decides.
    pub draft: SummaryDraft,
}

/// Encodes records for one commit; `None` without records.
pub fn encode(records: &[Record], codec: &dyn Codec) -> Option<EncodedBatch> {
    encode_each(records.iter(), codec)
}

/// As [`encode`], of records that do not lie together.
pub(crate) fn encode_each<'a>(
    records: impl ExactSizeIterator<Item = &'a Record> + Clone,
    codec: &dyn Codec,
) -> Option<EncodedBatch> {
    let draft = Summary::draft(records.clone())?;
    let rows = records.len();
    let mut raw = Vec::with_capacity(rows * 512);
    put_varint(&mut raw, rows as u64);
    let mut last = 0;
    for record in records {
        put_record(&mut raw, record, last);
        last = record.time.as_nanos();
    }
    Some(EncodedBatch { blob: codec::seal(&raw, codec, Effort::Fast), rows: rows as u64, draft })
}

/// What a sealed batch adds to its records, at most.
pub(crate) const FRAME: usize = 32;

/// Bytes that a record takes in a batch, at most: as many when it cannot be compressed.
pub(crate) fn bound(record: &Record) -> usize {
    // a length takes five bytes at most: no text is longer than 4 GiB
    const LENGTH: usize = 5;
    const NUMBER: usize = 10;
    // flags, kinds, status, the set of texts; time and duration; attributes
    let fixed = 2 + 3 + 3 + 2 * NUMBER + LENGTH;
    let side = |message: &Message| {
        let body = message.body.as_ref();
        let body = body.map_or(0, |body| body.content_type.as_ref().map_or(0, |name| LENGTH + name.len()));
        1 + 2 * LENGTH + NUMBER + body + 2 * LENGTH * message.headers.len()
    };
    let texts = record.texts.iter().count() * LENGTH;
    fixed + texts + side(&record.request) + side(&record.response) + record.weight()
}

/// Decodes a batch committed at `arrival_ms` whose first record got `first`.
pub fn decode(blob: &[u8], first: Seq, arrival_ms: u64, codec: &dyn Codec) -> Result<Vec<Stored>, Corrupt> {
    let raw = codec::open(blob, codec)?;
    let mut input = Reader::new(&raw, "batch");
    let rows = input.count(raw.len())?;
    let mut records = Vec::with_capacity(rows);
    let mut last = 0;
    for at in 0..rows {
        let seq = first.after(at as u64).ok_or(input.corrupt())?;
        let record = take_record(&mut input, last)?;
        last = record.time.as_nanos();
        records.push(Stored { id: EntryId::new(arrival_ms, seq), record });
    }
    input.end()?;
    Ok(records)
}

const HAS_STATUS: u8 = 1;
const HAS_DURATION: u8 = 2;
const OVERRIDDEN: u8 = 4;
const REDACTED: u8 = 8;
const HAS_ATTRIBUTES: u8 = 16;
const HAS_REQUEST: u8 = 32;
const HAS_RESPONSE: u8 = 64;

// bytes of text fields that room is made for at first
const TEXTS: usize = 384;

fn put_record(out: &mut Vec<u8>, record: &Record, last: i64) {
    let when = |yes: bool, flag: u8| if yes { flag } else { 0 };
    out.push(
        when(record.status.is_some(), HAS_STATUS)
            | when(record.duration.is_some(), HAS_DURATION)
            | when(record.overridden, OVERRIDDEN)
            | when(record.redacted, REDACTED)
            | when(record.attributes.is_some(), HAS_ATTRIBUTES)
            | when(!record.request.is_empty(), HAS_REQUEST)
            | when(!record.response.is_empty(), HAS_RESPONSE),
    );
    out.push(record.kind as u8 | (record.level as u8) << 2 | record.source.map_or(0, |source| source as u8) << 5);
    put_varint(out, zigzag(record.time.as_nanos().wrapping_sub(last)));
    if let Some(status) = record.status {
        put_varint(out, status.into());
    }
    if let Some(duration) = record.duration {
        put_varint(out, duration);
    }
    let present = record.texts.iter().fold(0u32, |set, (field, _)| set | 1 << field as u8);
    out.extend_from_slice(&present.to_le_bytes()[..3]);
    for (_, value) in record.texts.iter() {
        put_bytes(out, value.as_bytes());
    }
    if let Some(attributes) = &record.attributes {
        put_bytes(out, attributes.as_bytes());
    }
    for message in [&record.request, &record.response] {
        if !message.is_empty() {
            put_headers(out, &message.headers);
            put_body(out, message.body.as_ref());
        }
    }
}

fn take_record(input: &mut Reader, last: i64) -> Result<Record, Corrupt> {
    let flags = input.u8()?;
    let kinds = input.u8()?;
    let time = last.wrapping_add(unzigzag(input.varint()?));
    let mut record = Record::new(Timestamp::from_nanos(time));
    record.kind = Kind::ALL[usize::from(kinds & 3)];
    record.level = Level::from_stored(kinds >> 2 & 7).ok_or(input.corrupt())?;
    record.source = match kinds >> 5 {
        0 => None,
        stored => Some(*Source::ALL.get(usize::from(stored) - 1).ok_or(input.corrupt())?),
    };
    if flags & HAS_STATUS != 0 {
        record.status = Some(u16::try_from(input.varint()?).map_err(|_| input.corrupt())?);
    }
    if flags & HAS_DURATION != 0 {
        record.duration = Some(input.varint()?);
    }
    record.overridden = flags & OVERRIDDEN != 0;
    record.redacted = flags & REDACTED != 0;
    let present = input.take(3)?;
    let present = u32::from_le_bytes([present[0], present[1], present[2], 0]);
    record.texts.reserve(input.remaining().min(TEXTS));
    for &field in Field::ALL {
        if present & 1 << field as u8 != 0 {
            record.texts.set(field, input.str()?);
        }
    }
    if flags & HAS_ATTRIBUTES != 0 {
        record.attributes = Some(input.str()?.to_owned());
    }
    for (flag, message) in [(HAS_REQUEST, &mut record.request), (HAS_RESPONSE, &mut record.response)] {
        if flags & flag != 0 {
            *message = Message { headers: take_headers(input)?, body: take_body(input)? };
        }
    }
    Ok(record)
}

/// Appends header fields: their number, then names and values.
pub(crate) fn put_headers(out: &mut Vec<u8>, headers: &Headers) {
    put_varint(out, headers.len() as u64);
    for (name, value) in headers.iter() {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

/// Reads [`put_headers`].
pub(crate) fn take_headers(input: &mut Reader) -> Result<Headers, Corrupt> {
    let mut headers = Headers::default();
    for _ in 0..input.count(input.remaining())? {
        headers.push(input.str()?, input.str()?);
    }
    Ok(headers)
}

fn put_body(out: &mut Vec<u8>, body: Option<&Body>) {
    let Some(body) = body else { return out.push(0) };
    out.push(1 | body.cut.map_or(0, |cut| cut as u8) << 1 | u8::from(body.content_type.is_some()) << 7);
    put_varint(out, body.size);
    if let Some(content_type) = &body.content_type {
        put_bytes(out, content_type.as_bytes());
    }
    put_bytes(out, &body.bytes);
}

fn take_body(input: &mut Reader) -> Result<Option<Body>, Corrupt> {
    let flags = input.u8()?;
    if flags == 0 {
        return Ok(None);
    }
    let cut = match flags >> 1 & 0x3f {
        0 => None,
        stored => Some(*Cut::ALL.get(usize::from(stored) - 1).ok_or(input.corrupt())?),
    };
    let size = input.varint()?;
    let content_type = if flags & 0x80 != 0 { Some(input.str()?.to_owned()) } else { None };
    Ok(Some(Body { size, bytes: input.bytes()?.to_vec(), withheld: 0, content_type, cut }))
}
