//! Decompression as bytes arrive, with a limit on what comes out.

use std::io::{Read, Write};

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

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
    /// The compression whose magic number `first` begins with.
    pub fn detect(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Reads a token of `Content-Encoding`; case is ignored.
    pub fn parse_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
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
}

impl std::fmt::Display for InflateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "more than {limit} bytes when decompressed"),
            Self::Corrupt(compression) => write!(f, "corrupt {compression:?} data"),
            Self::Truncated(compression) => write!(f, "{compression:?} data is cut off"),
        }
    }
}

impl std::error::Error for InflateError {}

/// A push decoder: compressed slices in, plain bytes out, in memory bounded by the largest slice and the window.
pub struct Inflate {
    compression: Compression,
    decoder: Decoder,
    limit: Option<u64>,
    total: u64,
}

enum Decoder {
    Gzip(MultiGzDecoder<Sink>),
    Zstd(Box<Zstd>),
    Deflate(Deflate),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Sink>>),
}

impl Inflate {
    /// A decoder of one input that may grow to `limit` bytes; none is for files, which are streamed.
    pub fn new(compression: Compression, limit: Option<u64>) -> Self {
        let sink = Sink::new(limit);
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(MultiGzDecoder::new(sink)),
            Compression::Zstd => Decoder::Zstd(Box::default()),
            Compression::Deflate => Decoder::Deflate(Deflate::new(sink)),
            Compression::Brotli => Decoder::Brotli(Box::new(brotli_decompressor::DecompressorWriter::new(sink, 4096))),
        };
        Self { compression, decoder, limit, total: 0 }
    }

    /// Decompresses the next slice and appends to `out` what is known so far.
    pub fn push(&mut self, slice: &[u8], out: &mut Vec<u8>) -> Result<(), InflateError> {
        let fed = match &mut self.decoder {
            Decoder::Gzip(decoder) => feed(decoder, slice),
            Decoder::Deflate(decoder) => decoder.push(slice),
            Decoder::Brotli(decoder) => feed(&mut **decoder, slice),
            Decoder::Zstd(decoder) => {
                let room = self.limit.map(|limit| limit.saturating_sub(self.total));
                let before = out.len();
                let fed = decoder.push(slice, out, room);
                self.total += (out.len() - before) as u64;
                return fed.map_err(|()| self.failure());
            }
        };
        self.drain(out);
        fed.map_err(|()| self.failure())
    }

    /// Ends the input; an error when it was cut off.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), InflateError> {
        let ended = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.try_finish().is_ok(),
            Decoder::Deflate(decoder) => decoder.ended,
            Decoder::Brotli(decoder) => decoder.close().is_ok(),
            Decoder::Zstd(decoder) => decoder.is_whole(),
        };
        self.drain(out);
        match self.failure() {
            _ if ended => Ok(()),
            InflateError::TooLarge(limit) => Err(InflateError::TooLarge(limit)),
            _ => Err(InflateError::Truncated(self.compression)),
        }
    }

    fn sink(&mut self) -> Option<&mut Sink> {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => Some(decoder.get_mut()),
            Decoder::Deflate(decoder) => Some(&mut decoder.sink),
            Decoder::Brotli(decoder) => Some(decoder.get_mut()),
            Decoder::Zstd(_) => None,
        }
    }

    fn drain(&mut self, out: &mut Vec<u8>) {
        if let Some(sink) = self.sink() {
            out.append(&mut sink.bytes);
        }
    }

    fn failure(&mut self) -> InflateError {
        let over = match &self.decoder {
            Decoder::Zstd(decoder) => decoder.over,
            _ => self.sink().is_some_and(|sink| sink.over),
        };
        match self.limit {
            Some(limit) if over => InflateError::TooLarge(limit),
            _ => InflateError::Corrupt(self.compression),
        }
    }
}

fn feed(decoder: &mut impl Write, slice: &[u8]) -> Result<(), ()> {
    decoder.write_all(slice).and_then(|()| decoder.flush()).map_err(|_| ())
}

/// Where the writers of other crates put their output, until it is over the limit.
struct Sink {
    bytes: Vec<u8>,
    left: Option<u64>,
    over: bool,
}

impl Sink {
    fn new(left: Option<u64>) -> Self {
        Self { bytes: Vec::new(), left, over: false }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(left) = &mut self.left {
            let Some(less) = left.checked_sub(bytes.len() as u64) else {
                self.over = true;
                return Err(std::io::Error::other("over the limit"));
            };
            *left = less;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One stream of deflate, in zlib's wrapping or bare, which its first two bytes tell.
struct Deflate {
    sink: Sink,
    first: Vec<u8>,
    stream: Option<Decompress>,
    ended: bool,
}

impl Deflate {
    fn new(sink: Sink) -> Self {
        Self { sink, first: Vec::new(), stream: None, ended: false }
    }

    fn push(&mut self, slice: &[u8]) -> Result<(), ()> {
        let Some(mut stream) = self.stream.take() else {
            self.first.extend_from_slice(slice);
            let [method, flags, ..] = *self.first else { return Ok(()) };
            // RFC 1950: method 8, and a header that 31 divides
            let is_zlib = method & 0x0f == 8 && u16::from_be_bytes([method, flags]) % 31 == 0;
            self.stream = Some(Decompress::new(is_zlib));
            let first = std::mem::take(&mut self.first);
            return self.push(&first);
        };
        let (mut rest, mut piece) = (slice, [0; 16 << 10]);
        // what follows the end of the stream is none of it
        while !self.ended {
            let (taken, given) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(rest, &mut piece, FlushDecompress::None).map_err(|_| ())?;
            let (taken, given) = ((stream.total_in() - taken) as usize, (stream.total_out() - given) as usize);
            rest = &rest[taken..];
            self.sink.write_all(&piece[..given]).map_err(|_| ())?;
            self.ended = status == Status::StreamEnd;
            if taken == 0 && given == 0 {
                break;
            }
        }
        self.stream = Some(stream);
        Ok(())
    }
}

/// Frames of Zstandard, block by block, so that a few bytes cannot ask for gigabytes before the limit is looked at.
#[derive(Default)]
struct Zstd {
    decoder: FrameDecoder,
    waiting: Vec<u8>,
    // bytes of a skippable frame that are still to come
    skip: u64,
    frame: Option<Frame>,
    frames: u64,
    over: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    has_checksum: bool,
}

/// Longest frame header (RFC 8878, 3.1.1.1) with its magic number.
const HEADER: usize = 18;

impl Zstd {
    fn push(&mut self, slice: &[u8], out: &mut Vec<u8>, mut room: Option<u64>) -> Result<(), ()> {
        self.waiting.extend_from_slice(slice);
        let waiting = std::mem::take(&mut self.waiting);
        let mut source = waiting.as_slice();
        while self.step(&mut source)? {
            let mut piece = [0; 16 << 10];
            loop {
                let read = self.decoder.read(&mut piece).map_err(|_| ())?;
                if let Some(left) = &mut room {
                    self.over = read as u64 > *left;
                    *left = left.checked_sub(read as u64).ok_or(())?;
                }
                out.extend_from_slice(&piece[..read]);
                if read == 0 {
                    break;
                }
            }
            if self.decoder.is_finished() {
                self.frame = None;
            }
        }
        self.waiting = source.to_vec();
        Ok(())
    }

    /// Takes the next header or block off `source`; false when it is not whole yet.
    fn step(&mut self, source: &mut &[u8]) -> Result<bool, ()> {
        let skipped = self.skip.min(source.len() as u64) as usize;
        *source = &source[skipped..];
        self.skip -= skipped as u64;
        if source.is_empty() {
            return Ok(false);
        }
        let Some(frame) = self.frame else { return self.begin(source) };
        let [a, b, c, ..] = **source else { return Ok(false) };
        // RFC 8878, 3.1.1.2: last block, type, size; the block of one repeated byte is one byte long
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = if header >> 1 & 3 == 1 { 1 } else { (header >> 3) as usize };
        let checksum = if header & 1 == 1 && frame.has_checksum { 4 } else { 0 };
        if source.len() < 3 + size + checksum {
            return Ok(false);
        }
        self.decoder.decode_blocks(source, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| ())?;
        Ok(true)
    }

    fn begin(&mut self, source: &mut &[u8]) -> Result<bool, ()> {
        let mut rest = *source;
        let descriptor = rest.get(4).copied().unwrap_or_default();
        match self.decoder.reset(&mut rest) {
            Ok(()) => {
                self.frame = Some(Frame { has_checksum: descriptor & 4 != 0 });
                self.frames += 1;
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                self.skip = u64::from(length);
                self.frames += 1;
            }
            Err(_) if source.len() < HEADER => return Ok(false),
            Err(_) => return Err(()),
        }
        *source = rest;
        Ok(true)
    }

    fn is_whole(&self) -> bool {
        self.frame.is_none() && self.skip == 0 && self.waiting.is_empty() && self.frames > 0
    }
}
