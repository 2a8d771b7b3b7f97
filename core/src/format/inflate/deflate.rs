//! Deflate (RFC 1951), in zlib's wrapping (RFC 1950) or bare.

use super::{Fault, Step, with_room};
use flate2::{Decompress, FlushDecompress, Status};

/// A stream whose wrapping is known.
#[derive(Debug)]
pub(super) struct Bits {
    stream: Decompress,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Inside,
    Ended,
}

impl Bits {
    pub(super) fn bare() -> Self {
        Self { stream: Decompress::new(false), progress: Progress::Inside }
    }

    fn zlib() -> Self {
        Self { stream: Decompress::new(true), progress: Progress::Inside }
    }

    /// Takes nothing behind the end of the stream.
    pub(super) fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, Fault> {
        if self.is_ended() {
            return Ok(Step::Starved);
        }
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let (status, is_full) = with_room(out, |room| {
            let status = self.stream.decompress(input, room, FlushDecompress::None);
            let filled = (self.stream.total_out() - before_out) as usize;
            (filled, (status, filled == room.len()))
        });
        let taken = (self.stream.total_in() - before_in) as usize;
        *input = &input[taken..];
        match status {
            Err(_) => Err(Fault::Corrupt),
            Ok(Status::StreamEnd) => {
                self.progress = Progress::Ended;
                Ok(Step::More)
            }
            Ok(_) if is_full || !input.is_empty() && taken > 0 => Ok(Step::More),
            Ok(_) if input.is_empty() => Ok(Step::Starved),
            // input and room, and neither is used
            Ok(_) if self.stream.total_out() == before_out => Err(Fault::Corrupt),
            Ok(_) => Ok(Step::More),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.progress == Progress::Ended
    }
}

/// One stream; its first two bytes tell its wrapping. What follows its end is none of it.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    first: Vec<u8>,
    bits: Option<Bits>,
}

impl Deflate {
    pub(super) fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, Fault> {
        let bits = if let Some(bits) = &mut self.bits {
            bits
        } else {
            let missing = (2 - self.first.len()).min(input.len());
            self.first.extend_from_slice(&input[..missing]);
            *input = &input[missing..];
            let [method, flags] = *self.first else { return Ok(Step::Starved) };
            // RFC 1950: method 8, and a header that 31 divides
            let is_zlib = method & 0x0f == 8 && u16::from_be_bytes([method, flags]) % 31 == 0;
            self.bits.insert(if is_zlib { Bits::zlib() } else { Bits::bare() })
        };
        if !self.first.is_empty() {
            let mut first = self.first.as_slice();
            let step = bits.step(&mut first, out);
            self.first = first.to_vec();
            return step.map(|_| Step::More);
        }
        if bits.is_ended() {
            *input = &[];
            return Ok(Step::Starved);
        }
        bits.step(input, out)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.bits.as_ref().is_some_and(Bits::is_ended)
    }
}
