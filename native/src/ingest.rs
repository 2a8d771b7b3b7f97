//! From bytes to committed records: split, parse, accept, encode and commit, each stage while the next one works.
//!
//! One thread reads, decompresses and splits; the calling one parses and encodes chunk by chunk on the pool's threads;
//! the store's committer writes. A few chunks are under way at a time, whatever the length of the input.

mod pipeline;

use crate::decompress::{self, Limit};
use crate::server::Reader;
use crate::store::Store;
use pipeline::Pipeline;
use reqlog_core::accept::Rules;
use reqlog_core::format::{Compression, Rejection, Report, SNIFF};
use reqlog_core::intake::{self, Gate, Taken, Units};
use reqlog_core::plan::{Failure, IngestMode, IngestRequest, Settings};
use reqlog_core::timestamp::Timestamp;
use std::io::{self, ErrorKind, Read};
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
        let gate = Gate::new(request, Rules::new(redact_key, settings, request), store.seed());
        Pipeline::new(store, gate).run(chunks)
    })
}

/// What the reader hands to the parser.
enum Piece {
    /// Units and what reads them.
    Chunk(Taken),
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
    let broken = |error: io::Error| match (decompress::reason(&error), error.kind(), limit) {
        (Some(reason), ..) => reason.into(),
        (None, ErrorKind::FileTooLarge, Limit::Bytes(limit)) => Failure::TooLarge { limit },
        (None, ErrorKind::UnexpectedEof | ErrorKind::TimedOut, _) => intake::broken_off(),
        (None, ..) => intake::unreadable(error),
    };
    for encoding in request.encodings.iter().rev() {
        input = decompress::plain(input, Some(*encoding), Limit::Unlimited).map_err(broken)?;
    }
    let mut input = decompress::plain(input, name.and_then(Compression::parse_name), limit).map_err(broken)?;
    let mut slice = vec![0; SLICE];
    let mut filled = fill(&mut input, &mut slice, SNIFF).map_err(broken)?;
    let Some(mut units) = Units::begin(request.format.as_deref(), name, &slice[..filled], now)? else { return Ok(()) };
    while filled > 0 {
        units.push(&slice[..filled]);
        if let Some(taken) = units.take()
            && chunks.send(Ok(Piece::Chunk(taken))).is_err()
        {
            return Ok(());
        }
        filled = fill(&mut input, &mut slice, SLICE).map_err(broken)?;
    }
    let end = units.finish();
    if let Some(taken) = units.take() {
        let _ = chunks.send(Ok(Piece::Chunk(taken)));
    }
    if let Some(rejection) = end {
        let _ = chunks.send(Ok(Piece::Rejection(rejection)));
    }
    Ok(())
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
