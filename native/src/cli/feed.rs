//! An input cut into blocks that threads take in turn.

use reqlog::decompress::{self, Limit};
use reqlog::server::Reader;
use reqlog_core::format::{Chunk, Compression, Format, Head, Parser, Rejection, SNIFF, Splitter, UNIT_LIMIT};
use reqlog_core::timestamp::Timestamp;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

// large enough that taking turns does not count, small enough to stay in a core's cache
const BLOCK: usize = 1 << 20;

/// One input on its way to several threads.
pub struct Feed {
    /// What it holds.
    pub format: Format,
    /// The place of the next block, counted over all inputs: of bytes for lines, of units otherwise.
    pub seq: u64,
    /// What cut the input off, once it has ended.
    pub broken: Option<Rejection>,
    input: Reader,
    kind: Kind,
    ended: bool,
    now: Timestamp,
}

enum Kind {
    /// Lines are found again by whoever takes the block, which is cheap: here only the last line end is looked for.
    Lines { parser: Arc<Parser>, rest: Vec<u8>, line: u64 },
    /// What only a splitter can cut.
    Units { splitter: Box<Splitter>, parser: Option<Arc<Parser>>, slice: Vec<u8>, pending: usize },
}

/// What one thread takes.
pub enum Block {
    /// Whole lines in the buffer given to [`Feed::next`]; `seq` and `line` are of its first byte.
    Lines { parser: Arc<Parser>, seq: u64, line: u64 },
    /// Units; `seq` is of the first.
    Units { parser: Arc<Parser>, chunk: Chunk, seq: u64 },
}

impl Feed {
    /// Begins to read; `None` when the format is not recognised.
    pub fn open(
        name: &str,
        input: Reader,
        format: Option<Format>,
        seq: u64,
        now: Timestamp,
    ) -> io::Result<Option<Self>> {
        let mut input = decompress::plain(input, Compression::parse_name(name), Limit::Unlimited)?;
        let mut first = Vec::with_capacity(BLOCK);
        input.by_ref().take(SNIFF as u64).read_to_end(&mut first)?;
        let empty = first.is_empty().then_some(Format::Ndjson);
        let Some(format) = format.or_else(|| Format::detect(&first, Some(name))).or(empty) else { return Ok(None) };
        let kind = match format {
            Format::Ndjson | Format::Access => {
                if first.starts_with(b"\xef\xbb\xbf") {
                    first.drain(..3);
                }
                let parser = Arc::new(Parser::new(format, &Head::default(), now));
                Kind::Lines { parser, rest: first, line: 1 }
            }
            Format::JsonArray | Format::Har | Format::Csv => {
                let pending = first.len();
                first.resize(BLOCK, 0);
                Kind::Units { splitter: Box::new(Splitter::new(format)), parser: None, slice: first, pending }
            }
        };
        Ok(Some(Self { format, seq, broken: None, input, kind, ended: false, now }))
    }

    /// The next block; lines are put into `buffer`.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Block>> {
        buffer.clear();
        match &mut self.kind {
            Kind::Lines { parser, rest, line } => {
                if !fill_lines(&mut self.input, &mut self.ended, rest, buffer)? {
                    return Ok(None);
                }
                let block = Block::Lines { parser: parser.clone(), seq: self.seq, line: *line };
                self.seq += buffer.len() as u64;
                *line += memchr::memchr_iter(b'\n', buffer).count() as u64;
                Ok(Some(block))
            }
            Kind::Units { splitter, parser, slice, pending } => loop {
                if self.ended {
                    return Ok(None);
                }
                let read = if *pending > 0 { std::mem::take(pending) } else { read(&mut self.input, slice)? };
                if read == 0 {
                    self.ended = true;
                    self.broken = splitter.finish().err();
                } else {
                    splitter.push(&slice[..read]);
                }
                if let Some(chunk) = splitter.take_chunk() {
                    let head = splitter.head().cloned().unwrap_or_default();
                    let parser = parser.get_or_insert_with(|| Arc::new(Parser::new(self.format, &head, self.now)));
                    let block = Block::Units { parser: parser.clone(), seq: self.seq, chunk };
                    if let Block::Units { chunk, .. } = &block {
                        self.seq += chunk.len() as u64;
                    }
                    return Ok(Some(block));
                }
            },
        }
    }
}

/// Puts whole lines into `buffer` and keeps the unfinished one in `rest`; `false` at the end.
fn fill_lines(input: &mut Reader, ended: &mut bool, rest: &mut Vec<u8>, buffer: &mut Vec<u8>) -> io::Result<bool> {
    std::mem::swap(buffer, rest);
    rest.clear();
    buffer.reserve(BLOCK);
    while !*ended {
        let from = buffer.len();
        let most = from.max(BLOCK / 2) + BLOCK / 2 - from;
        // into room that need not be cleared first
        let got = input.by_ref().take(most as u64).read_to_end(buffer)?;
        *ended = got < most;
        if buffer.len() >= BLOCK / 2
            && let Some(end) = memchr::memrchr(b'\n', &buffer[from..])
        {
            rest.extend_from_slice(&buffer[from + end + 1..]);
            buffer.truncate(from + end + 1);
            break;
        }
        if buffer.len() > UNIT_LIMIT {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("a line is longer than {UNIT_LIMIT} bytes")));
        }
    }
    Ok(!buffer.is_empty())
}

fn read(input: &mut Reader, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
