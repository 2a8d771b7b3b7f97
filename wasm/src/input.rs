//! Reading a file for the first time: what it is, where it is cut, what its portions come to.

use crate::{key, refuse};
use reqlog_core::format::{Compression, Inflate, Step};
use reqlog_core::offline::{self, Borders, Opening, Place, Splits};
use reqlog_core::timestamp::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// An opened file, as far as its first bytes tell.
#[wasm_bindgen]
pub struct Input(pub(crate) offline::Input);

#[wasm_bindgen]
impl Input {
    /// A file whose plain bytes begin with `first` (64 KiB or all); `undefined` where there is nothing. `modified` is in ms,
    /// `key` the 32 bytes that hashes of replaced secrets are keyed with; without it secrets stay.
    #[allow(clippy::needless_pass_by_value, reason = "JavaScript hands over what it sends")]
    pub fn open(
        place: u8,
        first: &[u8],
        name: Option<String>,
        format: Option<String>,
        modified: f64,
        key: Option<Vec<u8>>,
    ) -> Result<Option<Self>, JsValue> {
        let key = key.as_deref().map(self::key).transpose()?;
        let opening = Opening { name, format, ..Opening::new(Timestamp::from_millis(modified as i64), key) };
        let opened = offline::Input::open(Place::new(place), first, &opening);
        Ok(opened.map_err(|failure| refuse("format", failure))?.map(Self))
    }

    /// The format's name.
    pub fn format(&self) -> String {
        self.0.format().name().to_owned()
    }

    /// Whether it may be cut anywhere; else a `Cutter` says where.
    pub fn splits(&self) -> bool {
        self.0.splits() == Splits::Anywhere
    }
}

/// Finds where an input may be cut.
#[wasm_bindgen]
pub struct Cutter(offline::Cutter);

#[wasm_bindgen]
impl Cutter {
    /// Into portions of about `target` bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(input: &Input, target: f64) -> Self {
        Self(offline::Cutter::new(&input.0, target as u64))
    }

    /// The next plain bytes, from the first on.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// The next portion that is known: where it begins, where it ends, the line it begins on.
    #[allow(clippy::should_implement_trait, reason = "there may be more after there was none")]
    pub fn next(&mut self) -> Option<Vec<f64>> {
        let cut = self.0.next()?;
        Some(vec![cut.bytes.start as f64, cut.bytes.end as f64, cut.line as f64])
    }

    /// Ends the input: what is cut off at its end, as a portion without a row. Take what is `next` then.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let mut indexed = offline::Indexed::default();
        indexed.report.reject(self.0.finish()?);
        Some(indexed.encode())
    }
}

/// Part of an input on its way to segments.
#[wasm_bindgen]
pub struct Portion(offline::Portion);

#[wasm_bindgen]
impl Portion {
    /// From `start` to `end` of the plain bytes; `exact` where a `Cutter` cut.
    #[wasm_bindgen(constructor)]
    pub fn new(input: &Input, start: f64, end: f64, exact: bool) -> Self {
        let borders = if exact { Borders::Exact } else { Borders::Nominal };
        Self(offline::Portion::new(&input.0, start as u64..end as u64, borders))
    }

    /// Where the next bytes to push begin and end; they may end behind the input.
    pub fn want(&self) -> Option<Vec<f64>> {
        self.0.want().map(|range| vec![range.start as f64, range.end as f64])
    }

    /// The next bytes, none at the end of the input.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// What it came to, for `Store.adopt`.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().encode()
    }
}

/// The compression of a file by its first bytes or its name.
#[wasm_bindgen]
pub fn compression(first: &[u8], name: &str) -> Option<String> {
    Compression::detect(first, Compression::parse_name(name)).map(|compression| compression.name().to_owned())
}

/// Undoes a compression as bytes arrive: push, then pull until nothing comes.
#[wasm_bindgen]
pub struct Inflater(Inflate, Vec<u8>);

#[wasm_bindgen]
impl Inflater {
    #[wasm_bindgen(constructor)]
    pub fn new(compression: &str) -> Result<Self, JsValue> {
        let known = Compression::parse_name(compression).ok_or_else(|| refuse("query", "no such compression"))?;
        Ok(Self(Inflate::new(known, None), Vec::new()))
    }

    /// The next bytes of the file, once all of the last ones have been taken.
    pub fn push(&mut self, bytes: Vec<u8>) {
        self.1 = bytes;
    }

    /// About so many plain bytes; fewer, or none, when more must be pushed.
    pub fn pull(&mut self, most: usize) -> Result<Vec<u8>, JsValue> {
        let mut out = Vec::with_capacity(most);
        let mut left = &self.1[..];
        while out.len() < most {
            let step = self.0.step(&mut left, &mut out).map_err(|error| refuse("corrupt", error))?;
            if step == Step::Starved {
                break;
            }
        }
        self.1 = left.to_vec();
        Ok(out)
    }

    /// Ends the input.
    pub fn finish(self) -> Result<(), JsValue> {
        self.0.finish().map_err(|error| refuse("corrupt", error))
    }
}
