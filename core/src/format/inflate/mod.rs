//! Decompression as bytes arrive, with a limit on what comes out.

mod brotli;
mod deflate;
mod gzip;
mod zstd;

use brotli::Brotli;
use deflate::Deflate;
use gzip::Gzip;
use zstd::Zstd;

/// A compression that inputs come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
    /// What HTTP calls `deflate`: zlib (RFC 1950), or bare as some servers send it.
    Deflate,
    /// Brotli (RFC 7932); it has no magic number.
    Brotli,
}

impl Compression {
    /// How many first bytes [`detect`](Self::detect) wants to see.
    pub const MAGIC: usize = 4;

    /// The compression that an input begins with: by its `first` bytes, and by what is `named` only where there is no
    /// magic number to go by, which is Brotli.
    pub fn detect(first: &[u8], named: Option<Self>) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // a frame, or a skippable one, which pzstd writes first
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Self::Deflate),
            _ => named.filter(|named| *named == Self::Brotli),
        }
    }

    /// The compression that `Content-Encoding` names, or that a file's name ends in; case is ignored.
    pub fn parse_name(name: &str) -> Option<Self> {
        match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_lowercase().as_str() {
            "gz" | "gzip" | "x-gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            "deflate" | "zz" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }

    /// What `Content-Encoding` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }
}

/// Why decompression stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// More than this many bytes came out.
    TooLarge(u64),
    /// The input is not of its compression.
    Corrupt(Compression),
    /// The input ended before its compression's end.
    Truncated(Compression),
    /// A zstd frame wants a window of this many bytes, more than [`Inflate::WINDOW`].
    Window(u64),
}

impl std::fmt::Display for InflateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "more than {limit} bytes when decompressed"),
            Self::Corrupt(compression) => write!(f, "{} data that cannot be decoded", compression.name()),
            Self::Truncated(compression) => write!(f, "{} data is cut off", compression.name()),
            Self::Window(size) => {
                write!(f, "zstd data with a window of {size} bytes, of which {} are possible", Inflate::WINDOW)
            }
        }
    }
}

impl std::error::Error for InflateError {}

/// How far a step of [`Inflate`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There may be more without further input.
    More,
    /// All of the input was taken, and all that it says was given out.
    Starved,
}

/// What one step gives out at most, in bytes.
const STEP: usize = 32 << 10;

/// A push decoder: compressed slices in, plain bytes out, in memory bounded by the largest slice and the window.
#[derive(Debug)]
pub struct Inflate {
    compression: Compression,
    decoder: Decoder,
    limit: Option<u64>,
    total: u64,
}

#[derive(Debug)]
enum Decoder {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
}

/// What is wrong with the input of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Corrupt,
    Window(u64),
}

impl Inflate {
    /// The largest window of a zstd frame, in bytes: what RFC 9659 allows `Content-Encoding: zstd`. Each decoder may
    /// need as much memory, whatever its input is worth.
    pub const WINDOW: u64 = 8 << 20;

    /// A decoder of one input that may grow to `limit` bytes; none is for files, which are streamed.
    pub fn new(compression: Compression, limit: Option<u64>) -> Self {
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(Box::default()),
            Compression::Zstd => Decoder::Zstd(Box::default()),
            Compression::Deflate => Decoder::Deflate(Box::default()),
            Compression::Brotli => Decoder::Brotli(Box::default()),
        };
        Self { compression, decoder, limit, total: 0 }
    }

    /// Decompresses the next slice and appends to `out` what is known so far.
    pub fn push(&mut self, mut slice: &[u8], out: &mut Vec<u8>) -> Result<(), InflateError> {
        while self.step(&mut slice, out)? == Step::More {}
        Ok(())
    }

    /// Takes some bytes off `input` and appends at most 32 KiB to `out`, so that a few bytes cannot ask for gigabytes
    /// before anybody looks. Call it again until it is [`Step::Starved`], then with the next slice.
    pub fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Step, InflateError> {
        let before = out.len();
        let step = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.step(input, out),
            Decoder::Zstd(decoder) => decoder.step(input, out),
            Decoder::Deflate(decoder) => decoder.step(input, out),
            Decoder::Brotli(decoder) => decoder.step(input, out),
        };
        if let Some(limit) = self.limit {
            let left = limit - self.total;
            if (out.len() - before) as u64 > left {
                // less than a step
                out.truncate(before + left as usize);
                self.total = limit;
                return Err(InflateError::TooLarge(limit));
            }
        }
        self.total += (out.len() - before) as u64;
        step.map_err(|fault| match fault {
            Fault::Corrupt => InflateError::Corrupt(self.compression),
            Fault::Window(size) => InflateError::Window(size),
        })
    }

    /// Ends the input, all of which was taken; an error when it was cut off.
    pub fn finish(self) -> Result<(), InflateError> {
        let is_whole = match &self.decoder {
            Decoder::Gzip(decoder) => decoder.is_whole(),
            Decoder::Zstd(decoder) => decoder.is_whole(),
            Decoder::Deflate(decoder) => decoder.is_whole(),
            Decoder::Brotli(decoder) => decoder.is_whole(),
        };
        if is_whole { Ok(()) } else { Err(InflateError::Truncated(self.compression)) }
    }
}

/// Room for a step behind what is in `out`; `fill` says how much of it was used.
fn with_room<T>(out: &mut Vec<u8>, fill: impl FnOnce(&mut [u8]) -> (usize, T)) -> T {
    let before = out.len();
    out.resize(before + STEP, 0);
    let (filled, result) = fill(&mut out[before..]);
    out.truncate(before + filled);
    result
}
