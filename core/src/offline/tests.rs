//! Portions cut anywhere against the whole input, read by a splitter, a parser and the rules of ingestion.

use super::*;
use crate::codec::Portable;
use crate::format::{Format, Head, Parser, Rejection, Report, SNIFF, Splitter};
use crate::id::{EntryId, Seq};
use crate::record::Stored;
use crate::segment::{Directory, PartId, build};
use crate::timestamp::Timestamp;
use bytes::Bytes;

mod cutting;
mod files;
mod lean;
mod rereading;
mod secrets;

const MODIFIED: Timestamp = Timestamp::from_millis(1_782_216_000_123);

fn opening(format: Format) -> Opening {
    Opening { format: Some(format.name().to_owned()), ..Opening::new(MODIFIED, Some([7; 32])) }
}

fn open(format: Format, file: &[u8]) -> Input {
    let first = &file[..file.len().min(SNIFF)];
    Input::open(Place::new(3), first, &opening(format)).unwrap().expect("a format is named")
}

/// Rows in the order of the input, and what is refused.
type Whole = (Vec<Stored>, Vec<Rejection>);

/// What ingestion makes of all of `file`, read at once.
fn whole(format: Format, file: &[u8]) -> Whole {
    let (mut splitter, rules) = (Splitter::new(format), opening(format).rules());
    let (mut rows, mut rejections) = (Vec::new(), Vec::new());
    splitter.push(file);
    let end = splitter.finish();
    let parser = Parser::new(format, &splitter.head().cloned().unwrap_or(Head::default()), MODIFIED);
    while let Some(unit) = splitter.next() {
        let reject = |reason| Rejection::new(unit.line, reason, unit.bytes);
        match parser.parse(&unit).and_then(|record| rules.accept(record).map_err(reject)) {
            Ok(record) => {
                assert!(file[unit.offset as usize..].starts_with(unit.bytes));
                let seq = Seq::new(3 << 40 | (unit.offset + 1)).unwrap();
                rows.push(Stored { id: EntryId::new(1_782_216_000_123, seq), record });
            }
            Err(rejection) => rejections.push(rejection),
        }
    }
    rejections.extend(end.err());
    (rows, rejections)
}

/// The hot segments of `rows` are `segments`, byte by byte: what [`build`] writes of them but for the cold parts.
fn assert_hot(segments: &[Bytes], rows: &[Stored], what: &str) {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| (row.record.time, row.id.seq()));
    let Some(built) = build(&rows, &Portable) else {
        assert!(segments.is_empty(), "{what}");
        return;
    };
    assert_eq!(segments.len(), 1, "{what}");
    let (hot, ordinary) = (directory(&segments[0]), directory(&built.bytes));
    assert_eq!(hot.summary(), ordinary.summary(), "{what}");
    let is_hot = |id: &PartId| !matches!(id, PartId::Details(_) | PartId::Bodies(_));
    let wanted: Vec<PartId> = ordinary.parts().filter(is_hot).collect();
    assert_eq!(hot.parts().collect::<Vec<_>>(), wanted, "{what}");
    for id in wanted {
        let part = |directory: &Directory, bytes: &[u8]| {
            let range = directory.locate(id).unwrap();
            directory.decode(id, &bytes[range.start as usize..range.end as usize], &Portable).unwrap()
        };
        assert_eq!(part(&hot, &segments[0]), part(&ordinary, &built.bytes), "{what}: {id:?}");
    }
}

fn directory(segment: &[u8]) -> Directory {
    let size = segment.len() as u64;
    let trailer = &segment[segment.len() - Directory::TRAILER_LEN as usize..];
    let footer = Directory::footer(trailer, size).unwrap();
    Directory::read(&segment[footer.start as usize..footer.end as usize]).unwrap()
}

/// What a machine that wants `range` of `file` is given.
fn bytes(file: &[u8], range: &std::ops::Range<u64>) -> Vec<u8> {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(file.len());
    file[place(range.start)..place(range.end)].to_vec()
}

fn read(input: &Input, file: &[u8], range: std::ops::Range<u64>, borders: Borders, slice: usize) -> Indexed {
    let mut portion = Portion::new(input, range, borders);
    while let Some(wanted) = portion.want() {
        let wanted = wanted.start..wanted.end.min(wanted.start + slice as u64);
        portion.push(&bytes(file, &wanted));
    }
    portion.finish()
}

/// Portions adopted one after the other: their rows are those of the whole that begin in them, and so on.
struct Adopted<'a> {
    whole: &'a Whole,
    lines: u64,
    report: Report,
    bytes: u64,
}

impl<'a> Adopted<'a> {
    fn new(whole: &'a Whole) -> Self {
        Self { whole, lines: 0, report: Report::default(), bytes: 0 }
    }

    /// `begin` is where the line of a unit begins, before which a byte order mark may stand.
    fn adopt(&mut self, indexed: Indexed, range: &std::ops::Range<u64>, begin: impl Fn(u64) -> u64, what: &str) {
        assert_eq!(Indexed::decode(&indexed.encode().into()).as_ref(), Ok(&indexed), "{what}");
        let inside = |row: &&Stored| {
            let (place, offset) = Place::of(row.id.seq()).unwrap();
            place == Place::new(3) && range.contains(&begin(offset))
        };
        let rows: Vec<Stored> = self.whole.0.iter().filter(inside).cloned().collect();
        assert_hot(&indexed.segments, &rows, what);
        assert_eq!((indexed.rows, indexed.report.accepted), (rows.len() as u64, rows.len() as u64), "{what}");
        let mut report = indexed.report;
        report.errors.iter_mut().for_each(|rejection| rejection.line += self.lines);
        self.report.absorb(report);
        self.lines += indexed.lines;
        self.bytes += indexed.bytes;
    }

    fn assert_whole(self, what: &str) {
        assert_eq!(self.report.accepted, self.whole.0.len() as u64, "{what}");
        assert_eq!(self.report.rejected, self.whole.1.len() as u64, "{what}");
        let named = self.whole.1.len().min(Report::ERRORS);
        assert_eq!(self.report.errors, self.whole.1[..named], "{what}");
    }
}

/// Reads lines in nominal portions that meet at `borders`.
fn assert_cut_at(format: Format, file: &[u8], whole: &Whole, borders: &[u64], slice: usize) {
    let what = format!("{format:?} cut at {borders:?} in slices of {slice}");
    let input = open(format, file);
    let mut adopted = Adopted::new(whole);
    let ends = borders.iter().copied().chain([file.len() as u64]);
    let begin = |offset: u64| if file.starts_with(b"\xef\xbb\xbf") && offset == 3 { 0 } else { offset };
    let mut start = 0;
    for end in ends {
        adopted.adopt(read(&input, file, start..end, Borders::Nominal, slice), &(start..end), begin, &what);
        start = end;
    }
    assert_eq!(adopted.lines, memchr::memchr_iter(b'\n', file).count() as u64, "{what}");
    assert_eq!(adopted.bytes, file.len() as u64, "{what}");
    adopted.assert_whole(&what);
}

/// Reads exact portions as a cutter cuts them.
fn assert_cutter(format: Format, file: &[u8], whole: &Whole, target: u64, slice: usize) {
    let what = format!("{format:?} in portions of {target}, slices of {slice}");
    let input = open(format, file);
    let (mut cutter, mut cuts) = (Cutter::new(&input, target), Vec::new());
    for slice in file.chunks(slice) {
        cutter.push(slice);
        cuts.extend(std::iter::from_fn(|| cutter.next()));
    }
    let cut_off = cutter.finish();
    cuts.extend(std::iter::from_fn(|| cutter.next()));
    let mut adopted = Adopted::new(whole);
    for (at, Cut { bytes: range, line }) in cuts.iter().enumerate() {
        assert!(at == 0 || cuts[at - 1].bytes.end == range.start, "{what}: {cuts:?}");
        assert_eq!(*line, 1 + memchr::memchr_iter(b'\n', &file[..range.start as usize]).count() as u64, "{what}");
        adopted.lines = line - 1;
        adopted.adopt(read(&input, file, range.clone(), Borders::Exact, slice), range, |offset| offset, &what);
    }
    adopted.report.rejected += u64::from(cut_off.is_some());
    adopted.report.errors.extend(cut_off);
    adopted.report.errors.truncate(Report::ERRORS);
    adopted.assert_whole(&what);
}

/// Reads every row again.
fn assert_reread(format: Format, file: &[u8], rows: &[Stored], slice: usize) {
    let seqs: Vec<Seq> = rows.iter().rev().map(|row| row.id.seq()).collect();
    assert_eq!(reread(&open(format, file), file, &seqs, slice), rows, "{format:?} in slices of {slice}");
}

fn reread(input: &Input, file: &[u8], seqs: &[Seq], slice: usize) -> Vec<Stored> {
    let mut reread = Reread::new(input, seqs);
    while let Some(wanted) = reread.want() {
        let wanted = wanted.start..wanted.end.min(wanted.start + slice as u64);
        reread.push(&bytes(file, &wanted));
    }
    reread.finish()
}
