//! Files as other programs read them, and as reqlog reads them back.

mod csv;
mod har;
mod records;

use proptest::prelude::*;

use super::{Format, Writer};
use crate::format::{self, Head, Parser, Splitter};
use crate::record::{Record, Stored};
use crate::timestamp::Timestamp;
use records::stored;

/// The file of `rows`.
fn file(format: Format, rows: &[Stored]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(format);
    writer.start(&mut out);
    for row in rows {
        writer.row(row, &mut out);
    }
    writer.end(&mut out);
    out
}

/// What reqlog's own reader makes of a file, which it must accept to the end.
fn read(format: format::Format, file: &[u8]) -> Vec<format::Parsed> {
    let mut splitter = Splitter::new(format);
    splitter.push(file);
    splitter.finish().unwrap();
    let mut units = Vec::new();
    let parser = Parser::new(format, splitter.head().unwrap_or(&Head::default()), Timestamp::from_nanos(0));
    while let Some(unit) = splitter.next() {
        units.push(parser.parse_identified(&unit).unwrap());
    }
    units
}

/// The record with what acceptance takes from its header fields, which no file needs to repeat.
fn accepted(mut record: Record) -> Record {
    for message in [&mut record.request, &mut record.response] {
        if let Some(body) = message.body.as_mut().filter(|body| body.content_type.is_none()) {
            body.content_type = message.headers.get("content-type").map(str::to_owned);
        }
    }
    record
}

#[test]
fn a_file_without_rows_is_whole() {
    assert_eq!(file(Format::Ndjson, &[]), b"");
    assert_eq!(file(Format::Json, &[]), b"[]\n");
    assert!(read(format::Format::Csv, &file(Format::Csv, &[])).is_empty());
    assert!(read(format::Format::Har, &file(Format::Har, &[])).is_empty());
}

#[test]
fn formats_go_by_their_names() {
    for format in Format::ALL {
        assert_eq!(Format::parse_name(format.name()), Some(format));
    }
    assert_eq!(Format::parse_name("xml"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn json_files_come_back_whole(rows in proptest::collection::vec(stored(), 0..4)) {
        for (written, reader) in [(Format::Ndjson, format::Format::Ndjson), (Format::Json, format::Format::JsonArray)] {
            let back = read(reader, &file(written, &rows));
            let back: Vec<_> = back.into_iter().map(|parsed| Stored { id: parsed.id.unwrap(), record: parsed.record }).collect();
            prop_assert_eq!(&back, &rows);
        }
    }

    #[test]
    fn every_file_is_detected(rows in proptest::collection::vec(stored(), 1..3)) {
        for (written, detected) in [
            (Format::Ndjson, format::Format::Ndjson),
            (Format::Json, format::Format::JsonArray),
            (Format::Csv, format::Format::Csv),
            (Format::Har, format::Format::Har),
        ] {
            prop_assert_eq!(format::Format::detect(&file(written, &rows), None), Some(detected));
        }
    }
}
