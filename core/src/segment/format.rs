//! The file: magic, parts one after another, a footer that finds them, and a trailer that finds the footer.
//!
//! ```text
//! "REQLOG1\n" | part … part | footer (sealed) | footer length u32 | "REQLOGS1"
//! ```
//! Every part and the footer is a checksummed block of [`crate::codec`].

use super::part::{Part, PartId};
use crate::catalog::Summary;
use crate::checksum;
use crate::codec::{Codec, Corrupt, Effort, Portable, open, seal, verify};
use crate::stored::{Reader, put_bytes, put_varint};
use std::ops::Range;

/// Where one part is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) id: PartId,
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// The footer: the summary and where each part is.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    pub(super) summary: Summary,
    pub(super) slots: Vec<Slot>,
    // CRC-32 of the footer that it was read from
    pub(super) check: u32,
}

impl Directory {
    pub(super) const MAGIC: [u8; 8] = *b"REQLOG1\n";
    const TRAILER: [u8; 8] = *b"REQLOGS1";
    /// Bytes at the end of a file from which [`Self::footer`] tells where the footer is.
    pub const TRAILER_LEN: u64 = 12;

    /// Ends a file of these parts with a footer and the trailer.
    pub(super) fn finish(summary: &Summary, slots: &[Slot], file: &mut Vec<u8>) {
        let mut raw = Vec::new();
        put_bytes(&mut raw, &summary.encode());
        put_varint(&mut raw, slots.len() as u64);
        for slot in slots {
            let (kind, at) = slot.id.code();
            raw.push(kind);
            put_varint(&mut raw, at.into());
            put_varint(&mut raw, slot.len);
        }
        // Readable by every build.
        let footer = seal(&raw, &Portable, Effort::Dense);
        file.extend_from_slice(&footer);
        file.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        file.extend_from_slice(&Self::TRAILER);
    }

    /// Where the footer of a file of `size` bytes is, from its last [`Self::TRAILER_LEN`] bytes.
    pub fn footer(trailer: &[u8], size: u64) -> Result<Range<u64>, Corrupt> {
        let corrupt = Corrupt { what: "segment trailer" };
        let trailer: [u8; 12] = trailer.try_into().map_err(|_| corrupt)?;
        if trailer[4..] != Self::TRAILER {
            return Err(corrupt);
        }
        let len = u64::from(u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]));
        let end = size.checked_sub(Self::TRAILER_LEN).ok_or(corrupt)?;
        let start = end.checked_sub(len).filter(|start| *start >= Self::MAGIC.len() as u64).ok_or(corrupt)?;
        Ok(start..end)
    }

    /// Reads the footer's bytes.
    pub fn read(footer: &[u8]) -> Result<Self, Corrupt> {
        let raw = open(footer, &Portable)?;
        let mut input = Reader::new(&raw, "segment footer");
        let summary = Summary::decode(input.bytes()?)?;
        let mut slots = Vec::new();
        let mut offset = Self::MAGIC.len() as u64;
        for _ in 0..input.count(raw.len())? {
            let kind = input.u8()?;
            let at = u32::try_from(input.varint()?).map_err(|_| input.corrupt())?;
            let len = input.varint()?;
            slots.push(Slot { id: PartId::from_code(kind, at).ok_or(input.corrupt())?, offset, len });
            offset = offset.checked_add(len).ok_or(input.corrupt())?;
        }
        input.end()?;
        Ok(Self { summary, slots, check: checksum::hash(footer) })
    }

    /// What the catalog keeps of this segment.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The parts the segment has.
    pub fn parts(&self) -> impl Iterator<Item = PartId> {
        self.slots.iter().map(|slot| slot.id)
    }

    /// Where a part is in the file; `None` when every row lacks it.
    pub fn locate(&self, id: PartId) -> Option<Range<u64>> {
        let slot = self.slots.iter().find(|slot| slot.id == id)?;
        Some(slot.offset..slot.offset + slot.len)
    }

    /// Decodes the stored bytes of a part.
    pub fn decode(&self, id: PartId, stored: &[u8], codec: &dyn Codec) -> Result<Part, Corrupt> {
        Part::decode(id, &open(stored, codec)?, self.summary.rows as usize)
    }

    /// Checks the stored bytes of a part without decoding them.
    pub fn verify(stored: &[u8]) -> Result<(), Corrupt> {
        verify(stored).map(|_| ())
    }
}
