//! One decompression of an input, told by its content.

use crate::format::{Compression, Inflate, InflateError, Step};

/// Slices in, slices of what they are in one compression less out.
#[derive(Debug)]
pub(super) struct Layer {
    named: Option<Compression>,
    input: Vec<u8>,
    at: usize,
    coding: Coding,
}

#[derive(Debug)]
enum Coding {
    Unknown,
    Plain,
    Packed(Inflate),
    // told once what came before it has gone through the layers within
    Broken(InflateError),
    Ended,
}

/// Handed on at a time where nothing is to be decompressed, in bytes.
const SLICE: usize = 32 << 10;

impl Layer {
    /// A layer that is said to be compressed so; its content decides.
    pub(super) fn new(named: Option<Compression>) -> Self {
        Self { named, input: Vec::new(), at: 0, coding: Coding::Unknown }
    }

    pub(super) fn push(&mut self, slice: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(slice);
    }

    /// Appends a little to `out`; [`Step::Starved`] when there is no more without further input.
    pub(super) fn step(&mut self, out: &mut Vec<u8>) -> Result<Step, InflateError> {
        let mut input = &self.input[self.at..];
        let before = out.len();
        let step = match &mut self.coding {
            Coding::Unknown if input.len() >= Compression::MAGIC => {
                self.settle();
                return Ok(Step::More);
            }
            Coding::Unknown => return Ok(Step::Starved),
            Coding::Plain => {
                let (slice, rest) = input.split_at(input.len().min(SLICE));
                out.extend_from_slice(slice);
                input = rest;
                Ok(if rest.is_empty() { Step::Starved } else { Step::More })
            }
            Coding::Packed(inflate) => match inflate.step(&mut input, out) {
                Err(error) if out.len() > before => {
                    self.coding = Coding::Broken(error);
                    return Ok(Step::More);
                }
                step => step,
            },
            Coding::Broken(error) => return Err(*error),
            Coding::Ended => return Ok(Step::Starved),
        };
        self.at = self.input.len() - input.len();
        step
    }

    /// Bytes that it has not taken in.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.input.len() - self.at
    }

    /// Says that no more comes; there may be a last few steps.
    pub(super) fn end_input(&mut self) {
        if matches!(self.coding, Coding::Unknown) {
            self.settle();
        }
    }

    /// After the last step: an error when the input was cut off.
    pub(super) fn finish(&mut self) -> Result<(), InflateError> {
        match std::mem::replace(&mut self.coding, Coding::Ended) {
            Coding::Packed(inflate) => inflate.finish(),
            Coding::Broken(error) => Err(error),
            Coding::Unknown | Coding::Plain | Coding::Ended => Ok(()),
        }
    }

    fn settle(&mut self) {
        let compression = Compression::detect(&self.input[self.at..], self.named);
        // what comes out is limited where it leaves the last layer
        self.coding = compression.map_or(Coding::Plain, |compression| Coding::Packed(Inflate::new(compression, None)));
    }
}
