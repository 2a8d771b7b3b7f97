//! The body of an ingestion request, read in slices.

use super::layer::Layer;
use super::units::{Taken, Units};
use crate::format::{Rejection, SNIFF, Step};
use crate::plan::{Failure, IngestRequest};
use crate::timestamp::Timestamp;

/// A body from compressed slices to units: [`push`](Self::push) each slice and [`take`](Self::take) until there is no
/// more, then [`finish`](Self::finish) and take again.
///
/// How the body is sliced makes no difference. Each `Content-Encoding` is undone where the content bears it out, then
/// one more where the content says so: a body whose encoding was undone on its way, or never named, is read too.
///
/// **Memory**: one slice, per encoding its window (32 KiB, for `zstd` up to
/// [`Inflate::WINDOW`](crate::format::Inflate::WINDOW), for `br` up to 16 MiB) and some KiB, of the plain bytes some
/// 256 KiB or the longest unit ([`UNIT_LIMIT`](crate::format::UNIT_LIMIT)), however much they are, if all is taken
/// between two slices. A failure ends it: what was taken before stands, and every later call fails alike.
#[derive(Debug)]
pub struct Source {
    format: Option<String>,
    now: Timestamp,
    limit: Option<u64>,
    // outermost first; the last is the one that nobody named
    layers: Vec<Layer>,
    length: u64,
    content: Content,
    // plain bytes since units were taken
    fresh: usize,
    failure: Option<Failure>,
}

/// What the plain bytes are.
#[derive(Debug)]
enum Content {
    /// Too little has come to know.
    First(Vec<u8>),
    Units(Box<Units>),
    /// There was none.
    Nothing,
}

/// Plain bytes that make a chunk.
const SLICE: usize = 256 << 10;

impl Source {
    /// The body of `request` that arrives `now`, of at most `limit` bytes after decompression; of an import there may
    /// be no limit.
    pub fn new(request: &IngestRequest, now: Timestamp, limit: Option<u64>) -> Self {
        let named = request.encodings.iter().rev().map(|encoding| Some(*encoding));
        Self {
            format: request.format.clone(),
            now,
            limit,
            layers: named.chain([None]).map(Layer::new).collect(),
            length: 0,
            content: Content::First(Vec::new()),
            fresh: 0,
            failure: None,
        }
    }

    /// Takes the next slice. A few bytes may be worth gigabytes: what they are worth is read as it is taken.
    ///
    /// Fails with [`Failure::TooLarge`], [`Failure::Encoding`] where the compression is broken, [`Failure::Body`] where
    /// no format fits.
    pub fn push(&mut self, slice: &[u8]) -> Result<(), Failure> {
        self.layers[0].push(slice);
        self.read_until(SLICE)
    }

    /// Whole units that have arrived, some hundred KiB of them or one that is longer; `None` when further input is
    /// needed, or when what follows failed, which the next call says.
    pub fn take(&mut self) -> Option<Taken> {
        // a unit may be longer than what is read at a time
        loop {
            let read = self.read_until(SLICE);
            let is_starved = read.is_err() || self.fresh < SLICE;
            self.fresh = 0;
            let taken = match &mut self.content {
                Content::Units(units) => units.take(),
                Content::First(_) | Content::Nothing => None,
            };
            if taken.is_some() || is_starved {
                return taken;
            }
        }
    }

    /// Ends the body: what was cut off inside a unit or between two is a rejection, which stands behind the units that
    /// are still to be taken. A body without a byte has no units and no rejection, unless its format was named.
    ///
    /// Fails as [`Self::push`], and with [`Failure::Body`] where the compression is cut off.
    pub fn finish(&mut self) -> Result<Option<Rejection>, Failure> {
        self.read_until(usize::MAX)?;
        for depth in 0..self.layers.len() {
            self.layers[depth].end_input();
            self.read_until(usize::MAX)?;
            let finished = self.layers[depth].finish();
            self.keep(finished.map_err(Failure::from))?;
        }
        if let Content::First(first) = &mut self.content {
            let first = std::mem::take(first);
            let begun = self.begin(&first);
            self.keep(begun)?;
        }
        match &mut self.content {
            Content::Units(units) => Ok(units.finish()),
            Content::First(_) | Content::Nothing => Ok(None),
        }
    }

    /// Plain bytes so far.
    #[cfg(test)]
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that stand between two layers.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.layers[1..].iter().map(Layer::held).sum()
    }

    /// Reads on until so many plain bytes are fresh or there is no more.
    fn read_until(&mut self, fresh: usize) -> Result<(), Failure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        while self.fresh < fresh {
            let step = self.step();
            if self.keep(step)? == Step::Starved {
                break;
            }
        }
        Ok(())
    }

    fn keep<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &result {
            self.failure = Some(failure.clone());
        }
        result
    }

    /// The innermost layer that can goes on, so that nothing piles up between two.
    fn step(&mut self) -> Result<Step, Failure> {
        for depth in (0..self.layers.len()).rev() {
            let mut out = Vec::new();
            let step = self.layers[depth].step(&mut out);
            if !out.is_empty() {
                match self.layers.get_mut(depth + 1) {
                    Some(inner) => inner.push(&out),
                    None => self.receive(&out)?,
                }
            }
            if step? == Step::More || !out.is_empty() {
                return Ok(Step::More);
            }
        }
        Ok(Step::Starved)
    }

    /// Takes plain bytes.
    fn receive(&mut self, plain: &[u8]) -> Result<(), Failure> {
        self.length += plain.len() as u64;
        if let Some(limit) = self.limit.filter(|limit| self.length > *limit) {
            return Err(Failure::TooLarge { limit });
        }
        self.fresh += plain.len();
        match &mut self.content {
            Content::First(first) => {
                first.extend_from_slice(plain);
                if first.len() >= SNIFF {
                    let first = std::mem::take(first);
                    self.begin(&first)?;
                }
            }
            Content::Units(units) => units.push(plain),
            Content::Nothing => {}
        }
        Ok(())
    }

    fn begin(&mut self, first: &[u8]) -> Result<(), Failure> {
        self.content = match Units::begin(self.format.as_deref(), None, first, self.now)? {
            Some(mut units) => {
                units.push(first);
                Content::Units(Box::new(units))
            }
            None => Content::Nothing,
        };
        Ok(())
    }
}
