//! Zstandard (RFC 8878).

use super::{Fault, Inflate, Step, with_room};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fmt;
use std::io::Read;
use xxhash_rust::xxh64::Xxh64;

/// Frames one after another, block by block.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    // taken, from `at` on not yet decoded; at most one block and what was taken with it
    waiting: Vec<u8>,
    at: usize,
    // bytes of a skippable frame that are still to come
    skip: u64,
    frame: Option<Frame>,
    frames: u64,
}

struct Frame {
    checksum: Checksum,
    plain: Xxh64,
    length: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Checksum {
    Present,
    Absent,
}

/// Taken at a time.
const TAKE: usize = 64 << 10;
/// Longest block, compressed or not (RFC 8878, 3.1.1.2.4).
const BLOCK: usize = 128 << 10;

impl Default for Zstd {
    fn default() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(Inflate::WINDOW);
        Self { decoder, waiting: Vec::new(), at: 0, skip: 0, frame: None, frames: 0 }
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd")
            .field("frames", &self.frames)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Zstd {
    pub(super) fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, Fault> {
        if self.give(out)? || self.decode()? {
            return Ok(Step::More);
        }
        if input.is_empty() {
            return Ok(Step::Starved);
        }
        self.waiting.drain(..self.at);
        self.at = 0;
        let (taken, rest) = input.split_at(input.len().min(TAKE));
        self.waiting.extend_from_slice(taken);
        *input = rest;
        Ok(Step::More)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.frame.is_none() && self.skip == 0 && self.at == self.waiting.len() && self.frames > 0
    }

    /// Gives out what is decoded and no longer needed; says whether there was something. Then the frame may be at its
    /// end.
    fn give(&mut self, out: &mut Vec<u8>) -> Result<bool, Fault> {
        let Some(frame) = &mut self.frame else { return Ok(false) };
        if self.decoder.can_collect() > 0 {
            let before = out.len();
            let decoder = &mut self.decoder;
            with_room(out, |room| match decoder.read(room) {
                Ok(read) => (read, Ok(())),
                Err(_) => (0, Err(Fault::Corrupt)),
            })?;
            let plain = &out[before..];
            frame.plain.update(plain);
            frame.length += plain.len() as u64;
            return Ok(true);
        }
        if self.decoder.is_finished() {
            // the lower half of XXH64 (RFC 8878, 3.1.1)
            let sum = self.decoder.get_checksum_from_data().filter(|_| frame.checksum == Checksum::Present);
            let size = self.decoder.content_size();
            if sum.is_some_and(|sum| sum != frame.plain.digest() as u32) || size > 0 && size != frame.length {
                return Err(Fault::Corrupt);
            }
            self.frame = None;
        }
        Ok(false)
    }

    /// Takes the next header or block off what is waiting; false when it is not whole yet.
    fn decode(&mut self) -> Result<bool, Fault> {
        let waiting = (self.waiting.len() - self.at) as u64;
        let skipped = self.skip.min(waiting);
        self.at += skipped as usize;
        self.skip -= skipped;
        if self.at == self.waiting.len() {
            return Ok(false);
        }
        let Some(frame) = &self.frame else { return self.begin() };
        let mut source = &self.waiting[self.at..];
        let [a, b, c, ..] = *source else { return Ok(false) };
        // RFC 8878, 3.1.1.2: last block, type, size; the block of one repeated byte is one byte long
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = if header >> 1 & 3 == 1 { 1 } else { (header >> 3) as usize };
        let checksum = if header & 1 == 1 && frame.checksum == Checksum::Present { 4 } else { 0 };
        if size > BLOCK {
            return Err(Fault::Corrupt);
        }
        if source.len() < 3 + size + checksum {
            return Ok(false);
        }
        self.decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Fault::Corrupt)?;
        self.at = self.waiting.len() - source.len();
        Ok(true)
    }

    /// Takes the header of a frame, or of a skippable one.
    fn begin(&mut self) -> Result<bool, Fault> {
        use FrameDecoderError::{ReadFrameHeaderError as Header, WindowSizeTooBig};
        let mut rest = &self.waiting[self.at..];
        let descriptor = rest.get(4).copied().unwrap_or_default();
        match self.decoder.reset(&mut rest) {
            Ok(()) => {
                let checksum = if descriptor & 4 == 0 { Checksum::Absent } else { Checksum::Present };
                self.frame = Some(Frame { checksum, plain: Xxh64::new(0), length: 0 });
            }
            Err(Header(ReadFrameHeaderError::SkipFrame { length, .. })) => self.skip = u64::from(length),
            Err(Header(ReadFrameHeaderError::BadMagicNumber(_) | ReadFrameHeaderError::InvalidFrameDescriptor(_))) => {
                return Err(Fault::Corrupt);
            }
            // the others say that it is not whole
            Err(Header(_)) if may_begin(&self.waiting[self.at..]) => return Ok(false),
            Err(WindowSizeTooBig { requested, .. }) => return Err(Fault::Window(requested)),
            Err(_) => return Err(Fault::Corrupt),
        }
        self.frames += 1;
        self.at = self.waiting.len() - rest.len();
        Ok(true)
    }
}

/// Whether the magic number of a frame, or of a skippable one, begins like this.
fn may_begin(bytes: &[u8]) -> bool {
    let magic = &bytes[..bytes.len().min(4)];
    let is_skippable = magic[0] & 0xf0 == 0x50 && [0x2a, 0x4d, 0x18].starts_with(&magic[1..]);
    is_skippable || [0x28, 0xb5, 0x2f, 0xfd].starts_with(magic)
}
