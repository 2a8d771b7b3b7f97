//! The readers together: slicing, detection, real programs' shapes, and the example files where they are at hand.

use proptest::prelude::*;

use super::{Chunk, Format, Head, Parser, Rejection, Splitter};
use crate::record::Record;
use crate::timestamp::Timestamp;

mod access;
pub(crate) mod corpus;
mod har;
mod inflate;
mod json;
mod outline;
mod own;
mod rows;

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_782_216_000_000);

/// What one input gives: records and rejections in input order, the last of them from the end of the input.
pub(super) fn read(format: Format, input: &[u8], slice: usize) -> Vec<Result<Record, Rejection>> {
    let mut splitter = Splitter::new(format);
    let mut out = Vec::new();
    for piece in input.chunks(slice.max(1)) {
        splitter.push(piece);
        drain(format, &mut splitter, &mut out);
    }
    let end = splitter.finish();
    drain(format, &mut splitter, &mut out);
    out.extend(end.err().map(Err));
    out
}

fn drain(format: Format, splitter: &mut Splitter, out: &mut Vec<Result<Record, Rejection>>) {
    let parser = Parser::new(format, splitter.head().unwrap_or(&Head::default()), NOW);
    while let Some(unit) = splitter.next() {
        out.push(parser.parse(&unit));
    }
}

/// The one record of `input`.
pub(super) fn one(format: Format, input: &str) -> Record {
    let mut all = read(format, input.as_bytes(), input.len());
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).unwrap()
}

/// Line and reason of everything refused in `input`.
pub(super) fn refused(format: Format, input: &[u8]) -> Vec<(u64, String)> {
    read(format, input, input.len()).into_iter().filter_map(Result::err).map(|r| (r.line, r.reason)).collect()
}

const SAMPLES: &[(Format, &[u8])] = &[
    (Format::Ndjson, b"\xef\xbb\xbf{\"path\":\"/a\",\"n\":\"\\u00e9\"}\r\n\n  \n{\"bad\"\n{\"path\":\"/\xc3\xa9\"}\n\xff\xfe\n{\"path\":\"/last\"}"),
    (Format::JsonArray, b" [ {\"path\":\"/a,]}\\\"[\"} ,\n{\"x\":[{},[1]]}, 7, \"s,\", nope,\n {\"path\":\"/b\"} ] \n"),
    (Format::JsonArray, b"[{\"path\":\"/a\"},{\"path\":\"/cut"),
    (
        Format::Har,
        b"\xef\xbb\xbf{\"log\" : {\"comment\":\"entries [\",\"pages\":[{\"entries\":[1]}],\n\"entries\":[{\"request\":{\"url\":\"/]\"}},\n 3 ,{\"response\":{}}],\"x\":[{}]}}\n",
    ),
    (Format::Har, b"{\"log\":{\"entries\":[{\"request\":{\"url\":\"/a\"}},\n{\"request\":{\"url"),
    (Format::Har, b"{\"log\":[1]}"),
    (
        Format::Access,
        b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET /\\\"a HTTP/1.1\" 200 5\n\nbroken\r\n192.0.2.1 - \xff [17/May/2015:10:05:03 +0000] \"\\x16\\x03\" 400 0 \"-\" \"-\"",
    ),
    (
        Format::Csv,
        b"time,method,url,status,note\r\n2026-01-01,GET,\"/a\n,\"\"b\"\"\",200,5\" pipe\n\n2026-01-01,GET,/b,200\n2026-01-01,POST,/c,500,\"x\"\n",
    ),
    (Format::Csv, b"method;url\nGET;\"/never ends\nGET;/x\n"),
];

#[test]
fn slices_of_any_size_give_the_same_records_and_rejections() {
    for (format, input) in SAMPLES {
        let whole = read(*format, input, input.len());
        for slice in [1, 7, 64, 4096] {
            assert_eq!(read(*format, input, slice), whole, "{format:?} in slices of {slice}");
        }
    }
}

#[test]
fn chunks_hold_what_units_do() {
    for (format, input) in SAMPLES {
        let mut splitter = Splitter::new(*format);
        let mut chunks: Vec<Chunk> = Vec::new();
        for piece in input.chunks(40) {
            splitter.push(piece);
            chunks.extend(splitter.take_chunk());
        }
        let end = splitter.finish();
        chunks.extend(splitter.take_chunk());
        let parser = Parser::new(*format, splitter.head().unwrap_or(&Head::default()), NOW);
        let mut all: Vec<_> =
            chunks.iter().flat_map(|chunk| chunk.units().map(|unit| parser.parse(&unit)).collect::<Vec<_>>()).collect();
        all.extend(end.err().map(Err));
        assert_eq!(all, read(*format, input, input.len()), "{format:?}");
    }
}

#[test]
fn a_unit_over_the_limit_is_refused_and_never_buffered() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    let input = format!("{{\"path\":\"/1\"}}\n{long}\n{{\"path\":\"/2\"}}\n{long}");
    for slice in [1, 100, 100_000] {
        let mut splitter = Splitter::with_limit(Format::Ndjson, 1000);
        let parser = Parser::new(Format::Ndjson, &Head::default(), NOW);
        let mut all = Vec::new();
        for piece in input.as_bytes().chunks(slice) {
            splitter.push(piece);
            while let Some(unit) = splitter.next() {
                all.push(parser.parse(&unit));
            }
        }
        splitter.finish().unwrap();
        while let Some(unit) = splitter.next() {
            all.push(parser.parse(&unit));
        }
        let reasons: Vec<_> =
            all.iter().map(|result| result.as_ref().err().map(|r| (r.line, r.reason.as_str()))).collect();
        let long = "longer than 1000 bytes";
        assert_eq!(reasons, [None, Some((2, long)), None, Some((4, long))], "slices of {slice}");
        assert_eq!(all[1].as_ref().unwrap_err().excerpt, input[14..][..256]);
    }
}

#[test]
fn formats_are_known_by_content() {
    let access = "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5\n";
    for (input, name, format) in [
        ("{\"a\":1}\n{\"a\":2}\n", None, Some(Format::Ndjson)),
        ("\u{feff}\n {\"log\" :\n { \"version\": \"1.2\", \"creator\": {}", None, Some(Format::Har)),
        ("{\"log\":{\"level\":\"info\"},\"message\":\"x\"}\n", None, Some(Format::Ndjson)),
        ("{\"log\":\"text\\n\",\"stream\":\"stdout\"}\n", None, Some(Format::Ndjson)),
        ("{\"other\":1}", Some("x.har"), Some(Format::Har)),
        ("{\"resourceLogs\":[]}", None, None),
        (" [\n{}]", None, Some(Format::JsonArray)),
        ("[Fri May 17 2024] started", None, None),
        (access, None, Some(Format::Access)),
        (&format!("rotated by hand\n{access}"), None, Some(Format::Access)),
        ("time,method,status\n", None, Some(Format::Csv)),
        ("statusCode;x\n1;2\n", None, Some(Format::Csv)),
        ("a,b\n1,2\n", None, None),
        ("a,b\n1,2\n", Some("x.csv"), Some(Format::Csv)),
        ("Feb 25 16:19:38 host haproxy[1]: Proxy started.\n", None, None),
        ("", Some("empty.ndjson.gz"), Some(Format::Ndjson)),
        ("", None, None),
    ] {
        assert_eq!(Format::detect(input.as_bytes(), name), format, "{input:?} {name:?}");
    }
    for format in Format::ALL {
        assert_eq!(Format::parse_name(format.name()), Some(format));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_in_any_slices_give_the_same_and_no_panic(
        format in proptest::sample::select(&Format::ALL[..]),
        pieces in proptest::collection::vec(prop_oneof![
            proptest::sample::select(&b"{}[]\",:;\\\n\r\t -x01"[..]).prop_map(|byte| vec![byte]),
            proptest::sample::select(&["\"log\":{", "\"entries\":[", "{\"request\":", "\"url\":\"/a\"", "\u{feff}", "\\u", "\\ud800",
                "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"", "HTTP/1.1\" 200 ", "time,status\n", "\"status\":200", "\"fields\":{"][..])
                .prop_map(|text| text.as_bytes().to_vec()),
            any::<u8>().prop_map(|byte| vec![byte]),
        ], 0..60),
        slice in 1usize..40,
    ) {
        let input: Vec<u8> = pieces.concat();
        let whole = read(format, &input, input.len());
        prop_assert_eq!(read(format, &input, slice), whole.clone());
        for record in whole.into_iter().flatten() {
            if let Some(attributes) = record.attributes {
                prop_assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&attributes).is_ok(), "{}", attributes);
                prop_assert!(!attributes.contains('\n'));
            }
        }
        let _ = Format::detect(&input, None);
    }
}
