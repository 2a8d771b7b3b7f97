//! Small inputs of every format, cut at every byte.

use super::*;
use proptest::prelude::*;

pub(super) const SAMPLES: &[(Format, &[u8])] = &[
    (Format::Ndjson, b""),
    (Format::Ndjson, b"\n\n"),
    (Format::Ndjson, b"{\"path\":\"/a\"}"),
    (Format::Ndjson, b"\xef\xbb\xbf{\"path\":\"/a\",\"n\":\"\\u00e9\"}\r\n\n  \n{\"bad\"\n{\"path\":\"/\xc3\xa9\",\"time\":\"2020-01-01T00:00:00Z\"}\n\xff\xfe\n{\"session\":\"\"}\n{\"path\":\"/last\"}"),
    (Format::Ndjson, b"{\"method\":\"GET\",\"status\":200,\"time\":\"2026-01-01T00:00:02Z\",\"query\":\"token=123456789012345\"}\n\r\n{\"time\":\"2026-01-01T00:00:01Z\",\"message\":\"event\"}\n[]\n"),
    (Format::JsonArray, b" [ {\"path\":\"/a,]}\\\"[\"} ,\n{\"x\":[{},[1]]}, 7, \"s,\", nope,\n {\"path\":\"/b\"} ] \n"),
    (Format::JsonArray, b"\xef\xbb\xbf[{\"path\":\"/a\"},\n\n{\"path\":\"/cut"),
    (Format::JsonArray, b"[{\"path\":\"/a\"},{\"path\":\"/b\"}\n"),
    (Format::JsonArray, b"[{\"path\":\"/a\"}} ,{\"path\":\"/b\"}]"),
    (Format::JsonArray, b"[{\"path\":\"/a\"}] [{\"path\":\"/b\"}] x"),
    (Format::JsonArray, b"[]"),
    (Format::JsonArray, b"7"),
    (
        Format::Har,
        b"\xef\xbb\xbf{\"log\" : {\"comment\":\"entries [\",\"pages\":[{\"entries\":[1]}],\n\"entries\":[{\"request\":{\"url\":\"/]\",\"method\":\"GET\"}},\n 3 ,{\"response\":{\"status\":500}}],\"x\":[{}]}}\n",
    ),
    (Format::Har, b"{\"log\":{\"entries\":[{\"request\":{\"url\":\"/a\"}},\n{\"request\":{\"url"),
    (Format::Har, b"{\"log\":{\"entries\":[{\"request\":{\"url\":\"/a\"}}\n,{\"request\":{\"url\":\"/b\"}},"),
    (Format::Har, b"{\"log\":[1]}"),
    (
        Format::Access,
        b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET /\\\"a HTTP/1.1\" 200 5\n\nbroken\r\n192.0.2.1 - \xff [17/May/2015:10:05:03 +0000] \"\\x16\\x03\" 400 0 \"-\" \"-\"",
    ),
    (
        Format::Csv,
        b"\xef\xbb\xbf\ntime,method,url,status,note\r\n2026-01-01,GET,\"/a\n,\"\"b\"\"\",200,5\" pipe\n\n2026-01-01,GET,/b,200\n2026-01-01,POST,/c,500,\"x\"\n",
    ),
    (Format::Csv, b"method;url\nGET;\"/never ends\nGET;/x\n"),
    (Format::Csv, b"method\turl\r\nGET\t/a\r\nGET\t\"/a\tb\""),
    (Format::Csv, b"method,url"),
    (Format::Csv, b""),
    (Format::Csv, b"\""),
    (Format::Csv, b"\t\n\nmethod;\"url\n"),
];

#[test]
fn lines_cut_at_any_byte_give_the_rows_and_rejections_of_the_whole() {
    for (format, file) in SAMPLES {
        if open(*format, file).splits() != Splits::Anywhere {
            continue;
        }
        let whole = whole(*format, file);
        for slice in [1, 7, 64, 4096] {
            for border in 0..=file.len() as u64 {
                assert_cut_at(*format, file, &whole, &[border], slice);
            }
        }
        let every: Vec<u64> = (0..file.len() as u64).collect();
        assert_cut_at(*format, file, &whole, &every, 1);
        for by in [2, 3, 5] {
            let some: Vec<u64> = every.iter().copied().step_by(by).collect();
            assert_cut_at(*format, file, &whole, &some, by);
        }
    }
}

#[test]
fn portions_of_a_cutter_give_the_rows_and_rejections_of_the_whole() {
    for (format, file) in SAMPLES {
        let whole = whole(*format, file);
        for slice in [1, 7, 64, 4096] {
            for target in [1, 20, 64, 1 << 20] {
                assert_cutter(*format, file, &whole, target, slice);
            }
        }
    }
}

#[test]
fn a_line_over_the_limit_is_refused_wherever_it_is_cut() {
    let limit = crate::format::UNIT_LIMIT;
    let mut file = b"{\"path\":\"/1\"}\n{\"a\":\"".to_vec();
    file.resize(file.len() + limit, b'x');
    file.extend_from_slice(b"\"}\n{\"path\":\"/2\"}\n");
    let (rows, rejections) = whole(Format::Ndjson, &file);
    assert_eq!((rows.len(), rejections.len(), rejections[0].line), (2, 1, 2));
    let whole = (rows, rejections);
    for slice in [1 << 20, 32 << 20] {
        for border in [5, 14, 100, limit as u64, file.len() as u64 - 16, file.len() as u64 - 15] {
            assert_cut_at(Format::Ndjson, &file, &whole, &[border], slice);
        }
        assert_cutter(Format::Ndjson, &file, &whole, 1 << 20, slice);
    }
}

/// Lines of several kinds, some late, with more values of some fields than summaries count and texts worth a filter.
fn generated() -> Vec<u8> {
    let mut file = Vec::new();
    for at in 0u64..9000 {
        let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let late = if mixed % 50 == 0 { 3_600_000 } else { 0 };
        let time = Timestamp::from_millis(1_782_172_800_000 + at as i64 * 40 / 100 * 100 - late);
        let facts = match mixed % 7 {
            0 => format!("\"message\":\"job {mixed:x} of {at} is done\""),
            1 => format!("\"method\":\"GET\",\"path\":\"/v1/items/{mixed}\""),
            2 => format!(
                "\"method\":\"POST\",\"url\":\"/v1/orders?token=Q-secret-{mixed}\",\"status\":{}",
                200 + mixed % 400
            ),
            _ => format!(
                "\"method\":\"GET\",\"path\":\"/v1/users/{}\",\"status\":200,\"duration_ms\":{}.25,\"message\":\"served {mixed:x} to {}\",\
                 \"response\":{{\"headers\":[[\"x-cache\",\"HIT\"]],\"body\":{{\"size\":{at},\"text\":\"{{\\\"id\\\":{at}}}\"}}}}",
                mixed % 999,
                mixed % 500,
                at / 3
            ),
        };
        let line = format!(
            "{{\"time\":\"{time}\",\"service\":\"s{}\",\"container\":\"c{}\",\"project\":\"p{}\",{facts},\"n\":{at}}}\n",
            mixed % 300,
            at % 700,
            at / 4000
        );
        file.extend_from_slice(line.as_bytes());
    }
    file
}

#[test]
fn a_generated_log_is_indexed_as_it_is_imported() {
    let file = generated();
    let whole = whole(Format::Ndjson, &file);
    assert_eq!((whole.0.len(), whole.1.len()), (9000, 0));
    let len = file.len() as u64;
    for slice in [64, 4096, 32 << 20] {
        assert_cut_at(Format::Ndjson, &file, &whole, &[], slice);
        assert_cut_at(Format::Ndjson, &file, &whole, &[len / 5, len / 2], slice);
        assert_reread(Format::Ndjson, &file, &whole.0, slice);
    }
    let input = open(Format::Ndjson, &file);
    let indexed = read(&input, &file, 0..len, Borders::Nominal, 1 << 20);
    let parts: Vec<PartId> = directory(&indexed.segments[0]).parts().collect();
    for part in
        [PartId::Grams(crate::record::Field::Message), PartId::Counts(crate::record::Field::Service), PartId::Exchanges]
    {
        assert!(parts.contains(&part), "{part:?}");
    }
    // as elements of an array too
    let lines: Vec<&[u8]> = file.trim_ascii_end().split(|byte| *byte == b'\n').collect();
    let array = [b"[".to_vec(), lines.join(&b",\n"[..]), b"]\n".to_vec()].concat();
    let whole = self::whole(Format::JsonArray, &array);
    assert_eq!(whole.0.len(), 9000);
    assert_cutter(Format::JsonArray, &array, &whole, 300_000, 4096);
    assert_reread(Format::JsonArray, &array, &whole.0, 4096);
}

#[test]
fn portions_of_many_rows_are_several_segments() {
    let line = b"{\"method\":\"GET\",\"path\":\"/a\",\"status\":200}\n";
    let rows = crate::segment::MAX_ROWS + 10;
    let file = line.repeat(rows);
    let indexed = read(&open(Format::Ndjson, &file), &file, 0..file.len() as u64, Borders::Nominal, 1 << 20);
    let counts: Vec<u64> = indexed.segments.iter().map(|segment| directory(segment).summary().rows).collect();
    assert_eq!((indexed.rows, counts), (rows as u64, vec![rows as u64 - 10, 10]));
}

#[test]
fn nothing_in_no_named_format_is_no_input_and_an_unknown_one_is_refused() {
    let opening = Opening::new(MODIFIED, Some([7; 32]));
    let open = |first: &[u8], opening: &Opening| Input::open(Place::new(0), first, opening);
    assert!(open(b"", &opening).unwrap().is_none());
    assert!(open(b"what is this", &opening).is_err());
    assert!(open(b"{}", &Opening { format: Some("yaml".into()), ..opening.clone() }).is_err());
    let named = |name: &str, first: &[u8]| {
        let opening = Opening { name: Some(name.into()), ..opening.clone() };
        open(first, &opening).unwrap().unwrap().format()
    };
    assert_eq!(named("x.har", b"{\"other\":1}"), Format::Har);
    assert_eq!(named("x.csv", b"a,b\n1,2\n"), Format::Csv);
    let csv = Opening { format: Some("csv".into()), ..opening };
    assert!(open(&b"header,".repeat(SNIFF), &csv).is_err());
    assert!(open(&[b"header,".repeat(100), b"x\n".repeat(SNIFF)].concat(), &csv).unwrap().is_some());
}

#[test]
fn sequences_tell_place_and_offset() {
    for (place, offset) in [(0, 0), (3, 17), (255, (1 << 40) - 2)] {
        let seq = Place::new(place).seq(offset).unwrap();
        assert_eq!(seq.get(), u64::from(place) << 40 | (offset + 1));
        assert_eq!(Place::of(seq), Some((Place::new(place), offset)));
    }
    assert_eq!(Place::new(0).seq((1 << 40) - 1), None);
    assert_eq!(Place::of(Seq::new(1 << 40).unwrap()), None);
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        2 => prop::sample::select(&b"{}[]\",:;\\\n\r\t -x01"[..]).prop_map(|byte| vec![byte]),
        1 => prop::sample::select(&[
            "\"log\":{", "\"entries\":[", "{\"request\":", "\"url\":\"/a\"", "\u{feff}", "\\u", "\n{\"status\":200}\n", "{\"method\":\"GET\"},",
            "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"", "HTTP/1.1\" 200 ", "time,status\n", "2026-01-01,200\n", "\"status\":200",
        ][..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_in_any_portions_are_what_they_are_as_a_whole(
        format in prop::sample::select(&Format::ALL[..]),
        file in soup(), mut borders in prop::collection::vec(0u64..300, 0..4), slice in 1usize..40, target in 1u64..200
    ) {
        let whole = whole(format, &file);
        borders.iter_mut().for_each(|border| *border = (*border).min(file.len() as u64));
        borders.sort_unstable();
        if open(format, &file).splits() == Splits::Anywhere {
            assert_cut_at(format, &file, &whole, &borders, slice);
        }
        assert_cutter(format, &file, &whole, target, slice);
        assert_reread(format, &file, &whole.0, slice);
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Indexed::decode(&bytes.into());
    }
}
