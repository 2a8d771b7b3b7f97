//! Plain bytes to units and what reads them.

use super::unknown_format;
use crate::format::{Chunk, Format, Head, Parser, Rejection, Splitter};
use crate::plan::Failure;
use crate::timestamp::Timestamp;
use std::sync::Arc;

/// Whole units with their format and what reads them.
pub type Taken = (Format, Arc<Parser>, Chunk);

/// An input whose format is known.
#[derive(Debug)]
pub struct Units {
    format: Format,
    splitter: Splitter,
    parser: Option<Arc<Parser>>,
    now: Timestamp,
}

impl Units {
    /// Begins an input of the format that is `named`, else of the one that its `first` bytes, plain, and the `name` of
    /// its file tell; `first` holds [`SNIFF`](crate::format::SNIFF) bytes, or all that there are, and is to be pushed
    /// too. `now` is the arrival.
    ///
    /// `None` where there is nothing: an input without a byte in no format that was named. [`Failure::Body`] where no
    /// format fits.
    pub fn begin(
        named: Option<&str>,
        name: Option<&str>,
        first: &[u8],
        now: Timestamp,
    ) -> Result<Option<Self>, Failure> {
        let format = match named {
            Some(format) => Format::parse_name(format),
            None if first.is_empty() => return Ok(None),
            None => Format::detect(first, name),
        };
        let format = format.ok_or_else(|| Failure::Body(unknown_format()))?;
        Ok(Some(Self { format, splitter: Splitter::new(format), parser: None, now }))
    }

    /// Takes the next slice.
    pub fn push(&mut self, slice: &[u8]) {
        self.splitter.push(slice);
    }

    /// Every whole unit that has arrived since.
    pub fn take(&mut self) -> Option<Taken> {
        let chunk = self.splitter.take_chunk()?;
        let parser = self.parser.get_or_insert_with(|| {
            let none = Head::default();
            Arc::new(Parser::new(self.format, self.splitter.head().unwrap_or(&none), self.now))
        });
        Some((self.format, parser.clone(), chunk))
    }

    /// Ends the input; what is cut off of it is a rejection that stands behind the units that are still to be taken.
    pub fn finish(&mut self) -> Option<Rejection> {
        self.splitter.finish().err()
    }
}
