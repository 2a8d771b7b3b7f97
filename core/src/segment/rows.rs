//! What is read only for rows that are shown: headers, attributes, previews, bodies; in blocks of few rows.

use crate::batch::{put_headers, take_headers};
use crate::body::{Body, Cut};
use crate::codec::Corrupt;
use crate::query::Detail;
use crate::record::Record;
use crate::stored::{Reader, put_bytes, put_varint};

/// Rows of one block of details, and of one block of bodies.
pub const ROWS: usize = 512;

/// Byte strings end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Blobs {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Blobs {
    fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[at] as usize]
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.ends.len() as u64);
        for at in 0..self.ends.len() {
            put_varint(out, self.get(at).len() as u64);
        }
        out.extend_from_slice(&self.bytes);
    }

    fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let len = input.count(input.remaining())?;
        let mut ends = Vec::with_capacity(len);
        let mut end = 0u32;
        for _ in 0..len {
            let length = u32::try_from(input.varint()?).map_err(|_| input.corrupt())?;
            end = end.checked_add(length).ok_or(input.corrupt())?;
            ends.push(end);
        }
        Ok(Self { bytes: input.take(end as usize)?.to_vec(), ends })
    }
}

/// Headers, attributes and what is known of bodies, with the text that a preview shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    // attributes; request and response headers; request and response body facts; their first characters
    columns: [Blobs; 7],
}

/// The bytes of bodies after what [`Details`] holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bodies {
    sides: [Blobs; 2],
}

const PREVIEW_CHARS: usize = 256;

impl Details {
    pub(super) fn push(&mut self, record: &Record, bodies: &mut Bodies) {
        let [attributes, columns @ ..] = &mut self.columns;
        attributes.push_with(|out| out.extend(record.attributes.iter().flat_map(|text| text.bytes())));
        for (side, message) in [&record.request, &record.response].into_iter().enumerate() {
            columns[side].push_with(|out| {
                if !message.headers.is_empty() {
                    put_headers(out, &message.headers);
                }
            });
            let body = message.body.as_ref();
            let bytes = body.map_or(&[][..], |body| &body.bytes);
            let (head, rest) = bytes.split_at(preview_len(bytes));
            columns[2 + side].push_with(|out| {
                if let Some(body) = body {
                    put_facts(out, body, rest.len());
                }
            });
            columns[4 + side].push_with(|out| out.extend_from_slice(head));
            bodies.sides[side].push_with(|out| out.extend_from_slice(rest));
        }
    }

    /// Fills what this block knows of its row `at` into `record`; bodies are whole when `bodies` is given.
    pub(super) fn fill(&self, at: usize, bodies: Option<&Bodies>, record: &mut Record) -> Result<(), Corrupt> {
        let [attributes, columns @ ..] = &self.columns;
        if columns.iter().any(|column| at >= column.ends.len()) {
            return Err(Corrupt { what: "details" });
        }
        let corrupt = |_| Corrupt { what: "attributes" };
        let text = std::str::from_utf8(attributes.get(at)).map_err(corrupt)?;
        record.attributes = (!text.is_empty()).then(|| text.to_owned());
        for (side, message) in [&mut record.request, &mut record.response].into_iter().enumerate() {
            let headers = columns[side].get(at);
            if !headers.is_empty() {
                message.headers = take_headers(&mut Reader::new(headers, "headers"))?;
            }
            let facts = columns[2 + side].get(at);
            if !facts.is_empty() {
                let mut body = take_facts(facts)?;
                body.bytes.extend_from_slice(columns[4 + side].get(at));
                if let Some(bodies) = bodies
                    && body.withheld > 0
                {
                    if at >= bodies.sides[side].ends.len() {
                        return Err(Corrupt { what: "bodies" });
                    }
                    body.bytes.extend_from_slice(bodies.sides[side].get(at));
                    body.withheld = 0;
                }
                message.body = Some(body);
            }
        }
        Ok(())
    }

    pub(super) fn weight(&self) -> usize {
        self.columns.iter().map(|column| column.bytes.len() + column.ends.len() * 4).sum()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.columns.iter().for_each(|column| column.encode(out));
    }

    pub(super) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        let mut details = Self::default();
        for column in &mut details.columns {
            *column = Blobs::decode(input)?;
        }
        Ok(details)
    }
}

impl Bodies {
    pub(super) fn is_empty(&self) -> bool {
        self.sides.iter().all(|side| side.bytes.is_empty())
    }

    pub(super) fn weight(&self) -> usize {
        self.sides.iter().map(|side| side.bytes.len() + side.ends.len() * 4).sum()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.sides.iter().for_each(|side| side.encode(out));
    }

    pub(super) fn decode(input: &mut Reader) -> Result<Self, Corrupt> {
        Ok(Self { sides: [Blobs::decode(input)?, Blobs::decode(input)?] })
    }
}

/// Leaves of the bodies of a record what is read with such detail, and no more memory than that takes.
pub(crate) fn leave(detail: Detail, record: &mut Record) {
    for body in [&mut record.request, &mut record.response].into_iter().filter_map(|message| message.body.as_mut()) {
        if detail != Detail::Whole {
            let kept = preview_len(&body.bytes);
            body.withheld = (body.bytes.len() - kept) as u64;
            body.bytes.truncate(kept);
        }
        body.bytes.shrink_to_fit();
    }
}

fn put_facts(out: &mut Vec<u8>, body: &Body, rest: usize) {
    out.push(1 | body.cut.map_or(0, |cut| cut as u8) << 1 | u8::from(body.content_type.is_some()) << 7);
    put_varint(out, body.size);
    put_varint(out, rest as u64);
    if let Some(content_type) = &body.content_type {
        put_bytes(out, content_type.as_bytes());
    }
}

fn take_facts(facts: &[u8]) -> Result<Body, Corrupt> {
    let mut input = Reader::new(facts, "body");
    let flags = input.u8()?;
    let cut = match flags >> 1 & 0x3f {
        0 => None,
        stored => Some(*Cut::ALL.get(usize::from(stored) - 1).ok_or(input.corrupt())?),
    };
    let size = input.varint()?;
    let withheld = input.varint()?;
    let content_type = if flags & 0x80 != 0 { Some(input.str()?.to_owned()) } else { None };
    Ok(Body { size, bytes: Vec::new(), withheld, content_type, cut })
}

/// How many bytes at the front of a body a list shows: 256 characters of text; nothing of what is no text.
fn preview_len(bytes: &[u8]) -> usize {
    let head = &bytes[..bytes.len().min(PREVIEW_CHARS * 4)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && head.len() < bytes.len() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => "",
    };
    text.char_indices().nth(PREVIEW_CHARS).map_or(text.len(), |(at, _)| at)
}
