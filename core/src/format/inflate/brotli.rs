//! Brotli (RFC 7932).

use super::{Fault, Step, with_room};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use std::fmt;

/// One stream of Brotli; its window is at most 16 MiB.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Inside,
    Ended,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new(alloc(), alloc(), alloc()), progress: Progress::Inside }
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Brotli {
    pub(super) fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, Fault> {
        if self.progress == Progress::Ended {
            return if input.is_empty() { Ok(Step::Starved) } else { Err(Fault::Corrupt) };
        }
        let (mut available, mut taken) = (input.len(), 0);
        let result = with_room(out, |room| {
            let (mut left, mut filled, mut total) = (room.len(), 0, 0);
            let state = &mut self.state;
            let result = BrotliDecompressStream(
                &mut available,
                &mut taken,
                input,
                &mut left,
                &mut filled,
                room,
                &mut total,
                state,
            );
            (filled, result)
        });
        *input = &input[taken..];
        match result {
            BrotliResult::NeedsMoreInput => Ok(Step::Starved),
            BrotliResult::NeedsMoreOutput => Ok(Step::More),
            BrotliResult::ResultSuccess => {
                self.progress = Progress::Ended;
                Ok(Step::More)
            }
            BrotliResult::ResultFailure => Err(Fault::Corrupt),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.progress == Progress::Ended
    }
}
