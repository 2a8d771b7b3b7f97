//! From bytes to committed records: split, parse, accept, encode and commit, each stage while the next one works.
//!
//! One thread reads, decompresses and splits; the calling one parses and encodes chunk by chunk on the pool's threads;
//! the store's committer writes. A few chunks are under way at a time, whatever the length of the input.

mod intake;

use crate::decompress::{self, Coding, Limit};
use crate::server::Reader;
use crate::store::Store;
use intake::Intake;
use reqlog_core::accept::Rules;
use reqlog_core::format::{Chunk, Format, Head, Parser, Rejection, Report, SNIFF, Splitter};
use reqlog_core::plan::{Failure, IngestMode, IngestRequest, Settings};
use reqlog_core::timestamp::Timestamp;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

// read at once, and about what one chunk holds
const SLICE: usize = 2 << 20;
// chunks between reader and parser
const AHEAD: usize = 2;

/// Takes in all records of `input`, which may be compressed; `name` is its file's, where there is one.
///
/// A live request is refused whole when it is too long or breaks off; an import keeps what came before.
pub fn run(
    store: &Store,
    redact_key: &[u8; 32],
    settings: &Settings,
    request: &IngestRequest,
    name: Option<&str>,
    input: Reader,
) -> Result<Report, Failure> {
    let limit = match request.mode {
        IngestMode::Live => Limit::Bytes(request.limit),
        IngestMode::Import => Limit::Unlimited,
    };
    let now = store.now();
    let (sender, chunks) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        // each end is owned by its side, so that either stops when the other does
        scope.spawn(move || {
            let result = read(request, name, input, limit, now, &sender);
            if let Err(failure) = result {
                let _ = sender.send(Err(failure));
            }
        });
        Intake::new(store, Rules::new(redact_key, settings, request), request).run(chunks)
    })
}

/// What the reader hands to the parser.
enum Piece {
    /// Units and what reads them.
    Chunk(Format, Arc<Parser>, Chunk),
    /// The input was cut off.
    Rejection(Rejection),
}

/// Reads, decompresses and splits until the end or until nobody listens.
fn read(
    request: &IngestRequest,
    name: Option<&str>,
    mut input: Reader,
    limit: Limit,
    now: Timestamp,
    chunks: &SyncSender<Result<Piece, Failure>>,
) -> Result<(), Failure> {
    let broken = |error: io::Error| match (error.kind(), limit) {
        (ErrorKind::FileTooLarge, Limit::Bytes(limit)) => Failure::TooLarge { limit },
        (ErrorKind::UnexpectedEof | ErrorKind::TimedOut, _) => Failure::Body("The input breaks off.".into()),
        _ => Failure::Encoding(format!("The input cannot be read: {error}.")),
    };
    for encoding in request.encodings.iter().rev() {
        input = decompress::plain(input, Coding::named(encoding), Limit::Unlimited).map_err(broken)?;
    }
    let mut input = decompress::plain(input, name.and_then(Coding::named), limit).map_err(broken)?;
    let mut slice = vec![0; SLICE];
    let first = fill(&mut input, &mut slice, SNIFF).map_err(broken)?;
    let format = match &request.format {
        Some(format) => Format::parse_name(format),
        None if first == 0 => return Ok(()),
        None => Format::detect(&slice[..first], name),
    };
    let format = format.ok_or_else(|| Failure::Body(unknown_format()))?;
    let mut splitter = Splitter::new(format);
    let mut parser = None;
    let mut filled = first;
    while filled > 0 {
        splitter.push(&slice[..filled]);
        if let Some(chunk) = splitter.take_chunk() {
            let parser = parser.get_or_insert_with(|| new_parser(format, splitter.head(), now));
            if chunks.send(Ok(Piece::Chunk(format, parser.clone(), chunk))).is_err() {
                return Ok(());
            }
        }
        filled = fill(&mut input, &mut slice, SLICE).map_err(broken)?;
    }
    let end = splitter.finish();
    if let Some(chunk) = splitter.take_chunk() {
        let parser = parser.unwrap_or_else(|| new_parser(format, splitter.head(), now));
        let _ = chunks.send(Ok(Piece::Chunk(format, parser, chunk)));
    }
    if let Err(rejection) = end {
        let _ = chunks.send(Ok(Piece::Rejection(rejection)));
    }
    Ok(())
}

fn new_parser(format: Format, head: Option<&Head>, now: Timestamp) -> Arc<Parser> {
    Arc::new(Parser::new(format, head.unwrap_or(&Head::default()), now))
}

/// What to say when no format fits.
pub fn unknown_format() -> String {
    let known = Format::ALL.map(Format::name).join(", ");
    format!("The format of the input is not recognised; name it: {known}.")
}

/// Reads until `least` bytes are there or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8], least: usize) -> io::Result<usize> {
    let mut filled = 0;
    while filled < least {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
