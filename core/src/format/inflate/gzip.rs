//! gzip (RFC 1952): the wrapping around deflate, member after member.

use super::deflate::Bits;
use super::{Fault, Step};
use crate::checksum::Hasher;
use memchr::memchr;

/// Members one after another.
#[derive(Debug)]
pub(super) struct Gzip {
    place: Place,
    // of a field of fixed length, as far as it has come
    held: Vec<u8>,
    // the fields of the header that are still to come
    flags: u8,
    // bytes of the extra field that are still to come
    extra: usize,
    // of the header, then of the plain bytes
    sum: Hasher,
    // of the plain bytes, modulo 2^32
    length: u32,
    bits: Bits,
    members: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    HeaderSum,
    Body,
    Trailer,
}

const HEADER_SUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

impl Default for Gzip {
    fn default() -> Self {
        Self {
            place: Place::Fixed,
            held: Vec::new(),
            flags: 0,
            extra: 0,
            sum: Hasher::new(),
            length: 0,
            bits: Bits::bare(),
            members: 0,
        }
    }
}

impl Gzip {
    pub(super) fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, Fault> {
        if self.place != Place::Body {
            return Ok(if self.field(input)? { Step::More } else { Step::Starved });
        }
        let before = out.len();
        let step = self.bits.step(input, out);
        let plain = &out[before..];
        self.sum.update(plain);
        self.length = self.length.wrapping_add(plain.len() as u32);
        if self.bits.is_ended() {
            self.place = Place::Trailer;
        }
        step
    }

    pub(super) fn is_whole(&self) -> bool {
        self.place == Place::Fixed && self.held.is_empty() && self.members > 0
    }

    /// Takes what there is of a field around the body; says whether it is whole.
    fn field(&mut self, input: &mut &[u8]) -> Result<bool, Fault> {
        let (taken, is_whole) = match self.place {
            Place::Name | Place::Comment => memchr(0, input).map_or((input.len(), false), |zero| (zero + 1, true)),
            Place::Extra => {
                let taken = self.extra.min(input.len());
                self.extra -= taken;
                (taken, self.extra == 0)
            }
            Place::Fixed => self.hold(input, 10),
            Place::Trailer => self.hold(input, 8),
            Place::ExtraLength | Place::HeaderSum | Place::Body => self.hold(input, 2),
        };
        let (bytes, rest) = input.split_at(taken);
        *input = rest;
        if !matches!(self.place, Place::HeaderSum | Place::Trailer) {
            self.sum.update(bytes);
        }
        if is_whole {
            let field = std::mem::take(&mut self.held);
            self.place = self.behind(&field)?;
        }
        Ok(is_whole)
    }

    fn hold(&mut self, input: &[u8], length: usize) -> (usize, bool) {
        let taken = (length - self.held.len()).min(input.len());
        self.held.extend_from_slice(&input[..taken]);
        (taken, self.held.len() == length)
    }

    /// The place behind a whole field.
    fn behind(&mut self, field: &[u8]) -> Result<Place, Fault> {
        match (self.place, field) {
            (Place::Fixed, [0x1f, 0x8b, 8, flags, ..]) if flags & RESERVED == 0 => self.flags = *flags,
            (Place::ExtraLength, &[low, high]) => {
                self.extra = u16::from_le_bytes([low, high]).into();
                return Ok(Place::Extra);
            }
            (Place::HeaderSum, &[low, high])
                if self.sum.clone().finalize() as u16 == u16::from_le_bytes([low, high]) => {}
            (Place::Extra | Place::Name | Place::Comment, _) => {}
            (Place::Trailer, _) => {
                let sums = [self.sum.clone().finalize().to_le_bytes(), self.length.to_le_bytes()].concat();
                if field != sums {
                    return Err(Fault::Corrupt);
                }
                *self = Self { members: self.members + 1, ..Self::default() };
                return Ok(Place::Fixed);
            }
            _ => return Err(Fault::Corrupt),
        }
        let fields = [
            (EXTRA, Place::ExtraLength),
            (NAME, Place::Name),
            (COMMENT, Place::Comment),
            (HEADER_SUM, Place::HeaderSum),
        ];
        if let Some((flag, place)) = fields.into_iter().find(|(flag, _)| self.flags & flag != 0) {
            self.flags &= !flag;
            return Ok(place);
        }
        self.sum.reset();
        Ok(Place::Body)
    }
}
