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

#[cfg(test)]
mod tests {
    use super::*;
    use reqlog_core::auth::Scope;
    use reqlog_core::intake::Source;
    use std::io::{Cursor, Write};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const LINES: &[u8] = b"{\"path\":\"/a\",\"status\":200}\nno json\n\n{\"path\":\"/b\"}\n{\"path\":\"/b\"}";

    /// Units with their lines, and what cut the last off.
    type Units = (Vec<(u64, Vec<u8>)>, Option<Rejection>);

    fn request(encodings: &[Compression]) -> IngestRequest {
        IngestRequest {
            scope: Scope::Organisation,
            project: None,
            environment: None,
            session: None,
            service: None,
            format: None,
            encodings: encodings.to_vec(),
            mode: IngestMode::Live,
            idempotency_key: None,
            limit: 0,
        }
    }

    fn by_threads(request: &IngestRequest, limit: u64, body: &[u8]) -> Result<Units, Failure> {
        let (sender, chunks) = sync_channel(1 << 10);
        read(request, None, Box::new(Cursor::new(body.to_vec())), Limit::Bytes(limit), NOW, &sender)?;
        drop(sender);
        let (mut units, mut end) = (Vec::new(), None);
        for piece in chunks {
            match piece? {
                Piece::Chunk((_, _, chunk)) => units.extend(chunk.units().map(|unit| (unit.line, unit.bytes.to_vec()))),
                Piece::Rejection(rejection) => end = Some(rejection),
            }
        }
        Ok((units, end))
    }

    fn by_slices(request: &IngestRequest, limit: u64, body: &[u8]) -> Result<Units, Failure> {
        let mut source = Source::new(request, NOW, Some(limit));
        let mut units = Vec::new();
        let mut take = |source: &mut Source| {
            while let Some((_, _, chunk)) = source.take() {
                units.extend(chunk.units().map(|unit| (unit.line, unit.bytes.to_vec())));
            }
        };
        for slice in body.chunks(5) {
            source.push(slice)?;
            take(&mut source);
        }
        let end = source.finish()?;
        take(&mut source);
        Ok((units, end))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::GzBuilder::new().filename("a").write(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A frame with a checksum, as the command writes it.
    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn same(encodings: &[Compression], limit: u64, body: &[u8]) -> Result<Units, Failure> {
        let request = request(encodings);
        let answer = by_threads(&request, limit, body);
        assert_eq!(by_slices(&request, limit, body), answer, "{encodings:?}, {limit}, {} bytes", body.len());
        answer
    }

    #[test]
    fn a_body_in_slices_is_read_as_one_from_a_file_is() {
        use Compression::{Brotli, Deflate, Gzip, Zstd};
        let bodies: [(&[Compression], Vec<u8>); 8] = [
            (&[], LINES.to_vec()),
            (&[Gzip], gzip(LINES)),
            (&[Gzip], [gzip(LINES), gzip(LINES)].concat()),
            (&[Deflate], zlib(LINES)),
            (&[Zstd], zstd(LINES)),
            // a skippable frame between two
            (&[], [zstd(LINES), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(LINES)].concat()),
            (&[Zstd, Gzip], gzip(&zstd(LINES))),
            (&[Brotli, Deflate], zlib(&[0x0b, 0x00, 0x80, 0x61, 0x03])),
        ];
        for (encodings, body) in &bodies {
            let whole = same(encodings, u64::MAX, body);
            for limit in [0, 1, LINES.len() as u64 - 1, LINES.len() as u64, 2 * LINES.len() as u64] {
                let _ = same(encodings, limit, body);
            }
            for cut in 0..body.len() {
                let _ = same(encodings, u64::MAX, &body[..cut]);
            }
            for junk in [&b"\0"[..], b"junk", b"more junk than a header has"] {
                let _ = same(encodings, u64::MAX, &[body, junk].concat());
            }
            // undone on its way, or another one
            let _ = same(&[Gzip, Zstd], u64::MAX, body);
            assert!(whole.is_ok() || encodings.contains(&Brotli));
        }
    }

    #[test]
    fn a_damaged_body_is_refused_alike() {
        for (encodings, body) in [([Compression::Gzip], gzip(LINES)), ([Compression::Deflate], zlib(LINES))] {
            for at in 0..body.len() {
                let mut body = body.clone();
                body[at] ^= 0x55;
                let _ = same(&encodings, u64::MAX, &body);
            }
        }
        // each bit of the plain text counts
        let body = zstd(LINES);
        for at in body.len() - 20..body.len() {
            let mut body = body.clone();
            body[at] ^= 0x55;
            assert!(same(&[Compression::Zstd], u64::MAX, &body).is_err());
        }
    }
}
