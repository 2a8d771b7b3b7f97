//! How a body is sliced and packed makes no difference; what it is not is said.

use super::*;
use crate::accept::Rules;
use crate::auth::Scope;
use crate::filter::{Number, Predicate};
use crate::format::{Compression, Rejection};
use crate::id::{EntryId, Seq};
use crate::identity::Seed;
use crate::plan::{IngestMode, IngestRequest, Settings};
use crate::query::Page;
use crate::record::{Record, Stored};
use crate::timestamp::Timestamp;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn request(encodings: &[Compression], format: Option<Format>) -> IngestRequest {
    IngestRequest {
        scope: Scope::Organisation,
        project: None,
        environment: None,
        session: None,
        service: None,
        format: format.map(|format| format.name().to_owned()),
        encodings: encodings.to_vec(),
        mode: IngestMode::Live,
        idempotency_key: None,
        limit: 64 << 20,
    }
}

/// Everything that comes of a body.
type Result = std::result::Result<(Vec<Parsed>, Vec<Rejection>), Failure>;

fn read<'b>(request: &IngestRequest, limit: Option<u64>, slices: impl Iterator<Item = &'b [u8]>) -> Result {
    let seed = Seed::new(&[5; 32]);
    let gate = Gate::new(request, Rules::new(&[7; 32], &Settings::default(), request), seed);
    let (mut records, mut rejections) = (Vec::new(), Vec::new());
    let mut source = Source::new(request, NOW, limit);
    let mut take = |source: &mut Source| {
        while let Some((_, parser, chunk)) = source.take() {
            let (more, refused) = gate.parse(&parser, &chunk, 0..chunk.len());
            records.extend(more);
            rejections.extend(refused);
        }
    };
    for slice in slices {
        source.push(slice)?;
        take(&mut source);
    }
    let cut_off = source.finish()?;
    take(&mut source);
    rejections.extend(cut_off);
    Ok((records, rejections))
}

fn whole(request: &IngestRequest, body: &[u8]) -> Result {
    read(request, None, std::iter::once(body))
}

fn packed(compression: Compression, plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    match compression {
        Compression::Gzip => {
            let mut encoder =
                flate2::GzBuilder::new().filename("a.log").comment("b").extra("cd").write(Vec::new(), level);
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => compress_to_vec(plain, CompressionLevel::Fastest),
        Compression::Deflate => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Brotli => brotli(plain),
    }
}

/// Uncompressed meta-blocks (RFC 7932, 9.2) of up to 65 536 bytes in a window of 16 bits.
fn brotli(plain: &[u8]) -> Vec<u8> {
    // WBITS 0: 16 bits
    let (mut out, mut bits, mut count) = (Vec::new(), 0u64, 1);
    for block in plain.chunks(1 << 16) {
        // not the last; four nibbles of length; uncompressed; then padding to a byte
        bits |= ((block.len() as u64 - 1) << 3 | 1 << 19) << count;
        count += 20;
        while count > 0 {
            out.push(bits as u8);
            bits >>= 8;
            count = if count > 8 { count - 8 } else { 0 };
        }
        out.extend_from_slice(block);
    }
    // the last one is empty
    bits |= 0b11 << count;
    out.push(bits as u8);
    out
}

const LINES: &str =
    "{\"method\":\"GET\",\"path\":\"/a\",\"status\":200}\n\nno json\r\n{\"method\":\"GET\",\"path\":\"/é\"}";
const ARRAY: &str = "[{\"method\":\"GET\",\"path\":\"/a\"},\n {\"path\":\"/b\",\"status\":\"x\"}, 7]";
const HAR: &str = "\u{feff}{\"log\":{\"version\":\"1.2\",\"creator\":{},\"entries\":[{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\
    \"request\":{\"method\":\"GET\",\"url\":\"https://a.test/x\"},\"response\":{\"status\":200}},{}]}}";
const ACCESS: &str = "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 2326\ngarbage\n";
const ROWS: &str = "method;path;status\nGET;/a;200\nGET;\"/b\nc\";x\nGET;\"/d";

const BODIES: [(Format, &str); 5] = [
    (Format::Ndjson, LINES),
    (Format::JsonArray, ARRAY),
    (Format::Har, HAR),
    (Format::Access, ACCESS),
    (Format::Csv, ROWS),
];

const PACKINGS: &[&[Compression]] = &[
    &[],
    &[Compression::Gzip],
    &[Compression::Zstd],
    &[Compression::Deflate],
    &[Compression::Brotli],
    &[Compression::Gzip, Compression::Zstd],
    &[Compression::Zstd, Compression::Gzip],
    &[Compression::Brotli, Compression::Deflate, Compression::Gzip],
];

fn pack(packing: &[Compression], plain: &[u8]) -> Vec<u8> {
    packing.iter().fold(plain.to_vec(), |body, compression| packed(*compression, &body))
}

#[test]
fn every_format_in_every_packing_and_slicing_gives_the_same() {
    for (format, body) in BODIES {
        let plain = whole(&request(&[], None), body.as_bytes()).unwrap();
        assert!(!plain.0.is_empty(), "{format:?}");
        assert!(!plain.1.is_empty(), "{format:?}");
        for packing in PACKINGS {
            let body = pack(packing, body.as_bytes());
            for size in [1, 7, 64, 4096] {
                let read = read(&request(packing, None), None, body.chunks(size));
                assert_eq!(read.as_ref(), Ok(&plain), "{format:?} {packing:?} {size}");
            }
        }
    }
}

#[test]
fn what_a_body_of_many_steps_holds_is_read_once() {
    // more than is looked at to detect the format, than a step gives out and than a chunk holds
    let body = (0..12_000)
        .fold(String::new(), |lines, n| lines + "{\"method\":\"GET\",\"path\":\"/" + &n.to_string() + "\"}\n");
    assert!(body.len() > 300 << 10);
    let (plain, rejections) = whole(&request(&[], None), body.as_bytes()).unwrap();
    assert_eq!((plain.len(), rejections.len()), (12_000, 0));
    for packing in PACKINGS {
        let body = pack(packing, body.as_bytes());
        for size in [4096, 100_000, body.len()] {
            let (records, rejections) = read(&request(packing, None), None, body.chunks(size)).unwrap();
            assert!(records == plain && rejections.is_empty(), "{packing:?} {size}");
        }
        // all of it at once, and taken at the end
        let mut source = Source::new(&request(packing, None), NOW, None);
        body.chunks(4096).for_each(|slice| source.push(slice).unwrap());
        assert_eq!(source.finish(), Ok(None));
        let units: usize = std::iter::from_fn(|| source.take()).map(|(_, _, chunk)| chunk.len()).sum();
        assert_eq!(units, 12_000, "{packing:?}");
    }
}

#[test]
fn an_encoding_that_was_undone_on_its_way_or_never_named_makes_no_difference() {
    let plain = whole(&request(&[], None), LINES.as_bytes());
    assert!(plain.is_ok());
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Deflate] {
        assert_eq!(whole(&request(&[compression], None), LINES.as_bytes()), plain, "undone: {compression:?}");
        let body = packed(compression, LINES.as_bytes());
        assert_eq!(whole(&request(&[], None), &body), plain, "not named: {compression:?}");
        assert_eq!(whole(&request(&[Compression::Gzip], None), &body), plain, "another: {compression:?}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let none = |encodings: &[Compression]| whole(&request(encodings, None), b"");
    assert_eq!([none(&[]), none(&[Compression::Gzip])], [Ok((vec![], vec![])), Ok((vec![], vec![]))]);
    let (records, rejections) = whole(&request(&[], Some(Format::JsonArray)), b"").unwrap();
    assert_eq!((records.len(), rejections[0].reason.as_str()), (0, "not a JSON array"));
    let unknown =
        Failure::Body("The format of the input is not recognised; name it: ndjson, json, har, access, csv.".to_owned());
    for body in [&b"what is this?"[..], &[0x1f], b"{\"resourceLogs\":[]}", &b"?".repeat(200_000)] {
        assert_eq!(whole(&request(&[], None), body), Err(unknown.clone()), "{}", body.len());
    }
    let misnamed = IngestRequest { format: Some("xml".to_owned()), ..request(&[], None) };
    assert_eq!(whole(&misnamed, b"<a/>"), Err(unknown));
    // a byte of the checksum, of what should begin another frame
    for (compression, name, damage) in
        [(Compression::Gzip, "gzip", -5), (Compression::Zstd, "zstd", 2), (Compression::Deflate, "deflate", -1)]
    {
        let mut body = packed(compression, LINES.as_bytes());
        let cut = whole(&request(&[compression], None), &body[..body.len() - 1]);
        assert_eq!(cut, Err(Failure::Body("The input breaks off.".to_owned())), "{compression:?}");
        if damage > 0 {
            body.extend_from_slice(&body.clone());
        }
        let at = if damage > 0 { body.len() / 2 } else { body.len() }.saturating_add_signed(damage);
        body[at] ^= 0xff;
        let told = format!("The input cannot be read: {name} data that cannot be decoded.");
        assert_eq!(whole(&request(&[compression], None), &body), Err(Failure::Encoding(told)), "{compression:?}");
    }
    // a frame whose window is 16 MiB
    let wide = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x70, 0x01, 0x00, 0x00];
    let told = "The input cannot be read: zstd data with a window of 16777216 bytes, of which 8388608 are possible.";
    assert_eq!(whole(&request(&[], None), &wide), Err(Failure::Encoding(told.to_owned())));
}

#[test]
fn a_failure_stays_and_nothing_follows_it() {
    let mut source = Source::new(&request(&[], None), NOW, Some(8));
    let too_large = Failure::TooLarge { limit: 8 };
    assert_eq!(source.push(b"{\"a\":1}\n{"), Err(too_large.clone()));
    assert!(source.take().is_none());
    assert_eq!(source.push(b""), Err(too_large.clone()));
    assert_eq!(source.finish(), Err(too_large));
}

#[test]
fn the_limit_counts_plain_bytes() {
    for packing in PACKINGS {
        let body = pack(packing, LINES.as_bytes());
        for size in [1, 64, body.len()] {
            let read = |limit| read(&request(packing, None), Some(limit), body.chunks(size));
            let limit = LINES.len() as u64;
            assert!(read(limit).is_ok(), "{packing:?}");
            assert_eq!(read(limit - 1), Err(Failure::TooLarge { limit: limit - 1 }), "{packing:?}");
        }
    }
}

/// A kilobyte or two that are worth ten gigabytes: blocks that repeat one byte 131 072 times, in one frame of zstd.
fn bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    for _ in 0..80_000 {
        frame.extend([0x02, 0x00, 0x10, b'{']);
    }
    packed(Compression::Gzip, &frame)
}

#[test]
fn a_small_bomb_is_read_no_further_than_its_limit() {
    let bomb = bomb();
    assert!(bomb.len() < 4 << 10, "{}", bomb.len());
    let request = request(&[Compression::Zstd, Compression::Gzip], None);
    let limit = 1 << 20;
    assert_eq!(read(&request, Some(limit), std::iter::once(&bomb[..])), Err(Failure::TooLarge { limit }));
    // it is taken in a slice at a time, and none of it piles up
    let limit = 64 << 20;
    let mut source = Source::new(&request, NOW, Some(limit));
    source.push(&bomb).unwrap();
    assert!(source.length() < 300 << 10, "{}", source.length());
    assert!(source.held() < 200 << 10, "{}", source.held());
    assert!(source.take().is_none(), "there is no end of its first line");
    assert!(source.held() < 200 << 10, "{}", source.held());
    assert_eq!(source.finish(), Err(Failure::TooLarge { limit }));
}

#[test]
fn as_many_identities_as_places() {
    let seed = Seed::new(&[5; 32]);
    let live = request(&[], None);
    assert!(retry_identities(seed, &live, 0..9).is_empty());
    let retried = IngestRequest { idempotency_key: Some("k".to_owned()), ..live };
    assert_eq!(retry_identities(seed, &retried, 3..5), [seed.retry("", "k", 3), seed.retry("", "k", 4)]);
    let scoped = IngestRequest { scope: Scope::Project("shop".to_owned()), ..retried };
    assert_eq!(retry_identities(seed, &scoped, 0..1), [seed.retry("shop", "k", 0)]);
}

#[test]
fn imports_are_compared_within_every_default_and_the_format() {
    let seed = Seed::new(&[5; 32]);
    let some = || Some("a".to_owned());
    let base = request(&[], None);
    let scopes = [
        import_scope(seed, &base, Format::Ndjson),
        import_scope(seed, &base, Format::Csv),
        import_scope(seed, &IngestRequest { project: some(), ..base.clone() }, Format::Ndjson),
        import_scope(seed, &IngestRequest { environment: some(), ..base.clone() }, Format::Ndjson),
        import_scope(seed, &IngestRequest { session: some(), ..base.clone() }, Format::Ndjson),
        import_scope(seed, &IngestRequest { service: some(), ..base.clone() }, Format::Ndjson),
    ];
    assert_eq!(scopes.iter().collect::<std::collections::BTreeSet<_>>().len(), scopes.len());
    let other_key = IngestRequest { idempotency_key: some(), ..base };
    assert_eq!(import_scope(seed, &other_key, Format::Ndjson), scopes[0]);
}

#[test]
fn records_that_are_still_here_are_dropped_once_each() {
    let id = |seq: u64| EntryId::new(1_700_000_000_000, Seq::new(seq).unwrap());
    let parsed = |id| Parsed { record: Record::new(NOW), id, unit: 0 };
    let mut given: Vec<_> = [Some(id(1)), None, Some(id(2)), Some(id(1)), Some(id(7))].map(parsed).into();
    let query = own_query(&given).unwrap();
    assert_eq!((query.filter, query.limit), (Predicate::Number(Number::Seq, vec![(1, 2), (7, 7)]), 3));
    let row = |id| Stored { id, record: Record::new(NOW) };
    // the sequence 7 is here under another arrival
    let other = EntryId::new(1_700_000_000_001, Seq::new(7).unwrap());
    let page = Page { rows: [id(1), id(2), other].map(row).into(), ..Page::default() };
    assert_eq!(drop_own(&mut given, &page), 2);
    assert_eq!(given.iter().map(|parsed| parsed.id).collect::<Vec<_>>(), [None, Some(id(1)), Some(id(7))]);
    assert!(own_query(&given[..1]).is_none());
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "{\"method\":\"GET\",\"path\":\"/a\"}\n",
        "\r\n",
        "[",
        "]",
        ",",
        "{}",
        "{\"a\":\"\\\"]\"}",
        "a,b\n",
        "\"",
        "\u{feff}",
        "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 2326\n",
        "method,path\n",
        "{\"log\":{\"entries\":[",
    ]);
    let bytes = prop::collection::vec(any::<u8>(), 0..6);
    prop::collection::vec(prop_oneof![8 => line.prop_map(|line| line.as_bytes().to_vec()), 1 => bytes], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_body_cut_or_damaged_anywhere_gives_the_same_in_any_slices(
        plain in bodies(),
        format in prop::option::of(prop::sample::select(Format::ALL.to_vec())),
        packing in prop::sample::select(PACKINGS.to_vec()),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        cut in prop::option::of(any::<prop::sample::Index>()),
        sizes in prop::collection::vec(1..40usize, 1..5),
    ) {
        let mut body = pack(packing, &plain);
        if let Some((at, mask)) = damage.filter(|_| !body.is_empty()) {
            let at = at.index(body.len());
            body[at] ^= mask;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len() + 1));
        }
        let request = request(packing, format);
        let whole = whole(&request, &body);
        if damage.is_none_or(|(_, mask)| mask == 0) && cut.is_none() {
            // an empty body in no packing or in any
            prop_assert_eq!(&whole, &self::whole(&IngestRequest { encodings: vec![], ..request.clone() }, &plain));
        }
        let mut slices = Vec::new();
        let mut rest = &body[..];
        for size in sizes.iter().cycle() {
            let (slice, more) = rest.split_at((*size).min(rest.len()));
            slices.push(slice);
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read(&request, None, slices.into_iter()), whole);
    }
}
