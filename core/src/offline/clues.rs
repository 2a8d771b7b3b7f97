//! What the bytes of a unit must contain before it is worth parsing for a filter.

use crate::filter::{Needle, Predicate, TextKey, TextMatcher};
use crate::format::Format;
use crate::sort;
use memchr::memchr_iter;
use memchr::memmem::Finder;

/// Literals, one of which is in every unit whose headers, attributes or bodies decide a filter: where none is, each leaf of
/// the filter over these is as false as over a record without any.
///
/// Of each such leaf a run of ASCII letters, digits, `-` and `_` is taken that every matching value contains. Parsing
/// leaves such a run as it is in the unit, with these exceptions, which are looked for as well:
/// - a character of it is written as an escape (`\u0041`, `\x41`);
/// - the text is packed: base64, or a deflated body that is UTF-8, which then has control characters (gzip, zstd and brotli
///   never are);
/// - HAR's `params` become a form, with more percent signs than they had;
/// - a cell of CSV goes on behind its closing quote.
///
/// What reqlog writes itself is no clue: the marks of redaction, a cut number's `null`, the type of a body that is JSON, the
/// name of a URL's fragment, the escapes of control characters.
#[derive(Debug)]
pub(super) struct Clues {
    needles: Vec<Needle>,
    markers: Vec<Finder<'static>>,
    // what an escape begins with, and what tells of the byte behind it whether it matters
    escapes: (Finder<'static>, fn(Option<u8>) -> bool),
    // a quote between two characters of a needle may be none of it
    quotes: bool,
    // a needle may be within the hash of a replaced secret
    hashes: bool,
}

/// A shorter run is in most units.
const LEAST: usize = 3;

impl Clues {
    /// Those of `filter` over units of `format`; `None` where a leaf has none that is certain.
    pub(super) fn of(filter: &Predicate, format: Format) -> Option<Self> {
        let mut runs = Vec::new();
        collect(filter, format, &mut runs)?;
        sort::by(&mut runs, Ord::cmp);
        runs.dedup();
        let hashes = runs.iter().any(|run| run.len() <= HASH && run.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let markers: &[&str] = match format {
            Format::Har => &["base64", "\"params\""],
            Format::Ndjson | Format::JsonArray | Format::Csv => &["base64"],
            Format::Access => &[],
        };
        let mut needles: Vec<Needle> = runs.iter().map(|run| Needle::new(run)).collect();
        // cells hold control characters as they are
        if format == Format::Csv {
            needles.push(Needle::new("deflate"));
        }
        let escapes: (_, fn(Option<u8>) -> bool) = match format {
            Format::Access => ("\\x", |_| true),
            // control characters, and what a needle is made of
            _ => ("\\u00", |next| next.is_some_and(|digit| matches!(digit, b'0'..=b'7'))),
        };
        Some(Self {
            needles,
            markers: markers.iter().map(|marker| Finder::new(*marker)).collect(),
            escapes: (Finder::new(escapes.0), escapes.1),
            quotes: format == Format::Csv,
            hashes,
        })
    }

    /// Whether a unit in which a secret was replaced has to be parsed whatever it contains.
    pub(super) fn hashes(&self) -> bool {
        self.hashes
    }

    /// The longest of them, in bytes, with what must be seen behind it.
    pub(super) fn longest(&self) -> usize {
        let known = self.markers.iter().map(|marker| marker.needle().len());
        let needles = self.needles.iter().map(|needle| needle.bytes().len());
        needles.chain(known).chain([self.escapes.0.needle().len() + 1]).max().unwrap_or(0)
    }

    /// Calls `found` with where each of them occurs in `bytes`; it returns where to go on.
    pub(super) fn search(&self, bytes: &[u8], mut found: impl FnMut(usize) -> usize) {
        let mut each = |find: &dyn Fn(&[u8]) -> Option<usize>| {
            let mut at = 0;
            while let Some(hit) = bytes.get(at..).and_then(find) {
                at = found(at + hit).max(at + hit + 1);
            }
        };
        for needle in &self.needles {
            each(&|bytes| needle.find_ascii(bytes));
        }
        for marker in &self.markers {
            each(&|bytes| marker.find(bytes));
        }
        if self.quotes {
            let plain = |bytes: &[u8], at: usize| bytes.get(at).copied().is_some_and(is_plain);
            let within = |bytes: &[u8], at: usize| at > 0 && plain(bytes, at - 1) && plain(bytes, at + 1);
            each(&|bytes| memchr_iter(b'"', bytes).find(|at| within(bytes, *at)).map(|at| at - 1));
        }
        let (escape, matters) = &self.escapes;
        each(&|bytes| escape.find_iter(bytes).find(|at| matters(bytes.get(at + escape.needle().len()).copied())));
    }
}

/// Hex digits of the hash of a replaced secret.
const HASH: usize = 8;

// One run for each leaf over what only the unit holds.
fn collect(filter: &Predicate, format: Format, runs: &mut Vec<String>) -> Option<()> {
    match filter {
        Predicate::Const(_) | Predicate::Number(..) => Some(()),
        Predicate::Not(inner) => collect(inner, format, runs),
        Predicate::And(all) | Predicate::Or(all) => all.iter().try_for_each(|inner| collect(inner, format, runs)),
        Predicate::Text(key, matcher) => match key {
            TextKey::Field(_) | TextKey::Url | TextKey::Shown | TextKey::Search | TextKey::QueryParam(_) => Some(()),
            key => {
                runs.push(run(key, matcher, format)?);
                Some(())
            }
        },
    }
}

fn run(key: &TextKey, matcher: &TextMatcher, format: Format) -> Option<String> {
    let written: &[&str] = match key {
        // in attributes made of cells and of fields of a line, control characters are escaped
        TextKey::Attr(_) if matches!(format, Format::Csv | Format::Access) => return None,
        TextKey::Attr(_) => &["redacted", "null", "fragment"],
        TextKey::Type => &["redacted", "null", "application/json"],
        _ => &["redacted", "null"],
    };
    let pieces = matcher.required().iter().flat_map(|run| run.split(|byte| !is_plain(*byte)));
    let certain = pieces.filter_map(|piece| {
        let piece = std::str::from_utf8(piece).ok()?;
        if matches!(key, TextKey::Attr(_)) {
            // blanks of an object that is kept as a string are written `\n`, `\r` and `\t`, what else was `\b` or `\f` as `\u00…`
            let piece = piece.trim_start_matches(['n', 'r', 't']);
            return Some(piece).filter(|piece| !piece.contains("u00") && is_certain(piece, written));
        }
        Some(piece).filter(|piece| is_certain(piece, written))
    });
    certain.max_by_key(|piece| piece.len()).map(str::to_owned)
}

fn is_certain(piece: &str, written: &[&str]) -> bool {
    piece.len() >= LEAST && !written.iter().any(|text| text.contains(piece))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Case;

    fn body(matcher: TextMatcher) -> Predicate {
        Predicate::Text(TextKey::Body, matcher)
    }

    fn hits(clues: &Clues, bytes: &str) -> usize {
        let mut count = 0;
        clues.search(bytes.as_bytes(), |at| {
            count += 1;
            at
        });
        count
    }

    #[test]
    fn the_longest_plain_run_of_each_cold_leaf_is_looked_for() {
        let filter = Predicate::any_of([
            body(TextMatcher::contains("id\": \"Order-4711\"")),
            Predicate::Text(TextKey::ReqHeader("x".into()), TextMatcher::glob("ab*gateway?z")).negated(),
            Predicate::Text(TextKey::Url, TextMatcher::contains("checkout")),
        ]);
        let clues = Clues::of(&filter, Format::Ndjson).unwrap();
        let texts: Vec<_> = clues.needles.iter().map(Needle::as_str).collect();
        assert_eq!(texts, ["gateway", "order-4711"]);
        assert!(!clues.hashes());
        assert_eq!(clues.longest(), "order-4711".len());
        assert_eq!(hits(&clues, "ORDER-4711 order-471 GateWay checkout"), 2);
    }

    #[test]
    fn what_could_hide_a_run_is_found() {
        let of = |format| Clues::of(&body(TextMatcher::contains("alpha")), format).unwrap();
        for (text, ndjson, har, access) in [
            (r"\u0061lpha", 1, 1, 0),
            (r"\\u0061", 1, 1, 0),
            (r"\u00e9 \u4e00 \u007f", 1, 1, 0),
            (r"\u00e9\u00E9\u2028", 0, 0, 0),
            (r"\x61lpha", 0, 0, 1),
            (r#"{"base64":"YWxwaGE="}"#, 1, 1, 0),
            (r#"{"params":[]}"#, 0, 1, 0),
            (r"x\u0001", 1, 1, 0),
            ("content-encoding: Deflate", 0, 0, 0),
        ] {
            let found = [Format::Ndjson, Format::Har, Format::Access].map(|format| hits(&of(format), text));
            assert_eq!(found, [ndjson, har, access], "{text}");
        }
        assert_eq!(hits(&of(Format::Csv), "content-encoding: Deflate"), 1);
        assert_eq!(hits(&of(Format::Csv), "\"al\"pha,\"a\"\"b\",\"c\",d\"e"), 2);
        assert_eq!(hits(&of(Format::Ndjson), "al\"pha"), 0);
    }

    #[test]
    fn what_is_not_certain_is_no_clue() {
        let attr = |matcher| Predicate::Text(TextKey::Attr("a".into()), matcher);
        let regex = TextMatcher::regex("alpha", Case::Ignored).unwrap();
        for filter in [
            body(TextMatcher::present()),
            body(TextMatcher::contains("a: b")),
            body(TextMatcher::contains("Redacted")),
            body(TextMatcher::contains("null")),
            body(regex),
            attr(TextMatcher::equal_number("4711")),
            attr(TextMatcher::contains("fragment")),
            attr(TextMatcher::contains("u0008cd")),
            Predicate::Text(TextKey::Type, TextMatcher::equal("application/json")),
            Predicate::any_of([body(TextMatcher::contains("alpha")), body(TextMatcher::contains("x"))]),
        ] {
            assert!(Clues::of(&filter, Format::Ndjson).is_none(), "{filter:?}");
        }
        assert!(Clues::of(&attr(TextMatcher::contains("alpha")), Format::Csv).is_none());
        let texts = |filter| Clues::of(&filter, Format::Ndjson).unwrap().needles[0].as_str().to_owned();
        assert_eq!(texts(attr(TextMatcher::contains("ntalpha"))), "alpha");
        assert_eq!(texts(Predicate::Text(TextKey::Type, TextMatcher::equal("image/png"))), "image");
        assert!(Clues::of(&body(TextMatcher::contains("4711 ")), Format::Ndjson).unwrap().hashes());
        assert!(!Clues::of(&body(TextMatcher::contains("471100815")), Format::Ndjson).unwrap().hashes());
    }
}
