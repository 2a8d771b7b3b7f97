//! JSON taken apart without building values: members as borrowed text, strings unescaped only where they must be.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2, memmem};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::Scan;
use super::word::{self, WORD};

/// Deepest nesting that is kept as JSON; deeper text, which readers refuse or choke on, is kept as a string.
const DEPTH: usize = 100;

/// Calls `member` with each key of the object `text` and the JSON text of its value.
pub(crate) fn object<'a>(
    text: &'a str,
    mut member: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), serde_json::Error> {
    walk_object(text, |name, scan| {
        member(name, scan.value()?);
        Some(())
    })
}

/// Calls `member` with each key of the object `text`; it has to take the value.
pub(super) fn walk_object<'a>(
    text: &'a str,
    member: impl FnMut(Cow<'a, str>, &mut Scan<'a>) -> Option<()>,
) -> Result<(), serde_json::Error> {
    let mut scan = Scan::new(text);
    let whole = scan.object(member).and_then(|()| scan.end());
    whole.ok_or_else(|| fault(parsed_object(text, |_, _| {})))
}

/// Calls `element` with the JSON text of each element of the array `text`.
pub(super) fn array<'a>(text: &'a str, mut element: impl FnMut(&'a str)) -> Result<(), serde_json::Error> {
    let mut scan = Scan::new(text);
    let elements = scan.array(|scan| {
        element(scan.value()?);
        Some(())
    });
    let whole = elements.and_then(|()| scan.end());
    whole.ok_or_else(|| fault(serde_json::from_str::<Vec<&RawValue>>(text).map(drop)))
}

fn fault(parsed: Result<(), serde_json::Error>) -> serde_json::Error {
    parsed.err().unwrap_or_else(|| serde::de::Error::custom("it cannot be read"))
}

/// As [`object`] by `serde_json`, which names what is wrong.
pub(super) fn parsed_object<'a>(
    text: &'a str,
    member: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(Members(member))?;
    deserializer.end()
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            (self.0)(key, map.next_value::<&RawValue>()?.get());
        }
        Ok(())
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// A value as its source wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// Valid JSON without white space around it.
    Json(&'a str),
    /// A CSV cell or the value of a log line's `key=value`.
    Plain(&'a str),
}

impl<'a> Value<'a> {
    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Json("null") | Self::Plain(""))
    }

    /// The text of a string, number or boolean.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain(text) => Some(Cow::Borrowed(text)),
            Self::Json(json) => match json.as_bytes().first()? {
                b'"' => Some(unescape(json.get(1..json.len() - 1)?)),
                b'{' | b'[' | b'n' => None,
                _ => Some(Cow::Borrowed(json)),
            },
        }
    }

    /// The text of a string only.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(json) if !json.starts_with('"') => None,
            value => value.text(),
        }
    }

    /// Whether the source wrote a bare number.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Json(json) => json.starts_with(|c: char| c == '-' || c.is_ascii_digit()),
            Self::Plain(_) => false,
        }
    }

    pub(super) fn boolean(self) -> Option<bool> {
        match self.text()?.as_ref() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// The JSON text of an object.
    pub(super) fn object(self) -> Option<&'a str> {
        self.nested().filter(|json| json.starts_with('{'))
    }

    /// The JSON text of an object or array; a plain cell is one when it is valid JSON.
    pub(super) fn nested(self) -> Option<&'a str> {
        match self {
            Self::Json(json) => json.starts_with(['{', '[']).then_some(json),
            Self::Plain(text) if text.starts_with(['{', '[']) => {
                serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get)
            }
            Self::Plain(_) => None,
        }
    }

    /// Appends the value as JSON that every reader accepts.
    pub(super) fn write(self, out: &mut String) {
        match self {
            Self::Json(json) if is_deeper_than(json, DEPTH) => quote(json, out),
            Self::Json(json) if memchr2(b'\n', b'\r', json.as_bytes()).is_some() => {
                let line = on_one_line(json);
                Value::Json(&line).write(out);
            }
            Self::Json(json) if has_surrogate(json) => out.push_str(&pair_surrogates(json)),
            Self::Json(json) => out.push_str(json),
            Self::Plain(text) => quote(text, out),
        }
    }
}

/// Appends `text` as a JSON string.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => {
                out.push_str("\\u00");
                out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
                out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// What stands between the quotes of a valid JSON string, as text; a lone surrogate becomes U+FFFD.
pub(super) fn unescape(inner: &str) -> Cow<'_, str> {
    let bytes = inner.as_bytes();
    let Some(first) = memchr(b'\\', bytes) else { return Cow::Borrowed(inner) };
    // at worst every two bytes are a broken escape and become U+FFFD
    let mut out = vec![0; bytes.len() / 2 * 3 + 2 * WORD];
    out[..first].copy_from_slice(&bytes[..first]);
    let (mut at, mut end) = (first, first);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            // a word is copied whole and counted up to the next escape: escapes stand close in nested JSON
            let rest = &bytes[at..];
            let len = if let Some(chunk) = rest.first_chunk::<WORD>() {
                out[end..end + WORD].copy_from_slice(chunk);
                word::backslash(*chunk).unwrap_or(WORD)
            } else {
                let len = memchr(b'\\', rest).unwrap_or(rest.len());
                out[end..end + len].copy_from_slice(&rest[..len]);
                len
            };
            (at, end) = (at + len, end + len);
        } else if let Some(byte) = bytes.get(at + 1).and_then(|&letter| simple(letter)) {
            out[end] = byte;
            (at, end) = (at + 2, end + 1);
        } else {
            let (symbol, used) = escape(&inner[at..]);
            end += symbol.encode_utf8(&mut out[end..]).len();
            at += used;
        }
    }
    out.truncate(end);
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// How long [`unescape`] makes what stands between the quotes of a valid JSON string; none where it has `\\u` escapes.
pub(super) fn unescaped_len(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let (mut at, mut escapes) = (0, 0);
    while let Some(found) = memchr(b'\\', &bytes[at..]) {
        simple(*bytes.get(at + found + 1)?)?;
        at += found + 2;
        escapes += 1;
    }
    Some(bytes.len() - escapes)
}

/// What a letter after a backslash stands for.
const fn simple(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        _ => return None,
    })
}

/// The character of the escape that `text` begins with, and how many bytes it is long.
fn escape(text: &str) -> (char, usize) {
    let unit = |at: usize| u32::from_str_radix(text.get(at..at + 4)?, 16).ok();
    if let Some(byte) = text.as_bytes().get(1).and_then(|&letter| simple(letter)) {
        return (char::from(byte), 2);
    }
    match text.as_bytes().get(1) {
        Some(b'u') => match unit(2) {
            Some(high @ 0xd800..=0xdbff) => {
                let low = text.get(6..8).filter(|mark| *mark == "\\u").and_then(|_| unit(8));
                match low {
                    Some(low @ 0xdc00..=0xdfff) => {
                        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                    }
                    _ => (char::REPLACEMENT_CHARACTER, 6),
                }
            }
            Some(code) => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            None => (char::REPLACEMENT_CHARACTER, text.len().min(2)),
        },
        Some(other) if other.is_ascii() => (*other as char, 2),
        _ => ('\\', 1),
    }
}

/// Valid JSON without white space between tokens; records are stored and exported one a line.
pub(super) fn on_one_line(json: &str) -> String {
    let (mut string, mut escaped) = (false, false);
    json.chars()
        .filter(|&symbol| {
            if string {
                string = escaped || symbol != '"';
                escaped = !escaped && symbol == '\\';
                return true;
            }
            string = symbol == '"';
            !matches!(symbol, ' ' | '\t' | '\r' | '\n')
        })
        .collect()
}

fn has_surrogate(json: &str) -> bool {
    memchr(b'\\', json.as_bytes()).is_some()
        && (memmem::find(json.as_bytes(), b"\\ud").is_some() || memmem::find(json.as_bytes(), b"\\uD").is_some())
}

/// JSON in which every `\u` escape of a surrogate has its partner; a lone one becomes U+FFFD.
fn pair_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (symbol, used) = escape(&rest[at..]);
        let end = at + used;
        if symbol == char::REPLACEMENT_CHARACTER {
            out.push_str(&rest[..at]);
            out.push(symbol);
        } else {
            out.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn is_deeper_than(json: &str, limit: usize) -> bool {
    if json.len() <= limit || !json.starts_with(['{', '[']) {
        return false;
    }
    let (mut depth, mut string, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A member as JSON text: any value, any spelling of strings.
    pub(in super::super) fn member_of_an_object() -> impl Strategy<Value = String> {
        let string = prop::collection::vec(
            prop_oneof![
                4 => "[a-z_./?=:-]{1,9}",
                1 => "[ !é😀\\x7f]{1,3}",
                1 => prop::sample::select(vec!["\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\ud83d\\ude00", "\\ud800"]).prop_map(str::to_owned),
            ],
            0..4,
        )
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()));
        let scalar = prop_oneof![
            3 => string.clone(),
            1 => "(-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?)|true|false|null",
        ];
        let value = scalar.prop_recursive(4, 16, 4, move |inner| {
            let space = || "[ \n\t]{0,1}";
            prop_oneof![
                (space(), prop::collection::vec(inner.clone(), 0..4))
                    .prop_map(|(space, items)| format!("[{space}{}{space}]", items.join(&format!("{space},")))),
                (space(), prop::collection::vec((string.clone(), inner), 0..4)).prop_map(|(space, members)| {
                    let members: Vec<String> =
                        members.into_iter().map(|(key, value)| format!("{key}{space}:{space}{value}")).collect();
                    format!("{{{space}{}{space}}}", members.join(","))
                }),
            ]
        });
        ("[a-z]{1,8}|[a-z]{1,3}\\\\u0041", value).prop_map(|(key, value)| format!("\"{key}\":{value}"))
    }

    #[test]
    fn strings_are_unescaped_and_lone_surrogates_replaced() {
        for (inner, text) in [
            ("plain", "plain"),
            (r#"a\"b\\c\/d\n\u0041"#, "a\"b\\c/d\nA"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(unescape(inner), text);
            let mut json = String::new();
            Value::Json(&format!("\"{inner}\"")).write(&mut json);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_json_is_unescaped_too() {
        for (inner, text) in [
            (r"\u12 \uXYZ\u", "\u{fffd}12 \u{fffd}XYZ\u{fffd}"),
            (r"\x\é\", "x\\é\\"),
            (r"\n12345678\\1234567\t123456789012345\u00e9", "\n12345678\\1234567\t123456789012345é"),
        ] {
            assert_eq!(unescape(inner), text);
        }
    }

    proptest! {
        #[test]
        fn strings_read_as_serde_json_reads_them(text in "(\\PC|[\\x00-\\x20\"\\\\/]|😀){0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&json[1..json.len() - 1]), text.as_str());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            prop_assert_eq!(unescape(&escaped), text.as_str());
        }
    }

    #[test]
    fn nesting_that_readers_refuse_is_kept_as_text() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let mut out = String::new();
        Value::Json(&deep).write(&mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), deep);
    }

    #[test]
    fn pretty_printed_values_are_kept_on_one_line() {
        let mut out = String::new();
        Value::Json("{\n  \"a b\": [1,\r\n 2],\n \"c\": \"\\\" d\" }").write(&mut out);
        assert_eq!(out, r#"{"a b":[1,2],"c":"\" d"}"#);
    }

    #[test]
    fn quoting_is_what_serde_reads_back() {
        let text: String = (0..0x100).filter_map(char::from_u32).collect();
        let mut out = String::new();
        quote(&text, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
