//! Text with names in double braces: filled into requests, fitted to answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use regex::bytes::Regex;
use std::collections::BTreeMap;

/// What steps captured, by name.
pub(super) type Captured = BTreeMap<String, Vec<u8>>;

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Clone, Copy, Debug)]
enum Piece<'t> {
    Text(&'t str),
    /// `{{0x0d0a}}`: bytes in hexadecimal digits.
    Bytes(&'t str),
    /// `{{_}}`: anything.
    Any,
    /// `{{name}}`.
    Name(&'t str),
    /// `{{name|url}}`: percent-encoded.
    Url(&'t str),
}

/// Braces around anything else are text.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = template[at..].find("{{").map(|open| at + open) {
        let close = template[open..].find("}}").map(|close| open + close);
        let Some((close, piece)) = close.and_then(|close| Some((close, placeholder(&template[open + 2..close])?)))
        else {
            at = open + 1;
            continue;
        };
        pieces.extend([Piece::Text(&template[from..open]), piece]);
        (from, at) = (close + 2, close + 2);
    }
    pieces.push(Piece::Text(&template[from..]));
    pieces
}

fn placeholder(inside: &str) -> Option<Piece<'_>> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match (inside.strip_prefix("0x"), inside.strip_suffix("|url")) {
        (Some(hex), _) if hex.len() % 2 == 0 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Some(Piece::Bytes(hex))
        }
        (_, Some(name)) if is_name(name) => Some(Piece::Url(name)),
        _ if inside == "_" => Some(Piece::Any),
        _ => is_name(inside).then_some(Piece::Name(inside)),
    }
}

/// The bytes that a piece stands for, if it is known.
fn known(piece: Piece<'_>, captured: &Captured) -> Option<Vec<u8>> {
    match piece {
        Piece::Text(text) => Some(text.as_bytes().to_vec()),
        Piece::Bytes(hex) => {
            Some((0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect())
        }
        Piece::Any => None,
        Piece::Name(name) => captured.get(name).cloned(),
        Piece::Url(name) => Some(percent_encode(captured.get(name)?, RESERVED).to_string().into_bytes()),
    }
}

/// The template with what was captured in the place of names.
pub(super) fn fill(template: &str, captured: &Captured) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for piece in pieces(template) {
        let lacking = || match piece {
            Piece::Name(name) | Piece::Url(name) => format!("nothing was captured as {name}"),
            _ => "{{_}} stands for nothing in a request".to_owned(),
        };
        out.extend(known(piece, captured).ok_or_else(lacking)?);
    }
    Ok(out)
}

/// Compares and captures; where the two part, if they do.
///
/// A name that is not captured yet takes the shortest text that fits. One line end after the last byte is ignored.
pub(super) fn fit(template: &str, got: &[u8], captured: &mut Captured) -> Result<(), String> {
    let pieces = pieces(template);
    for piece in &pieces {
        if let Piece::Url(name) = piece
            && !captured.contains_key(*name)
        {
            return Err(format!(": nothing was captured as {name}"));
        }
    }
    let whole = regex(&pattern(&pieces, captured), "\n?\\z")?;
    let found = whole.captures(got).ok_or_else(|| difference(&pieces, got, captured))?;
    let names = pieces.iter().filter_map(|piece| match piece {
        Piece::Name(name) if !captured.contains_key(*name) => Some(*name),
        _ => None,
    });
    let mut fresh = Captured::new();
    for (at, name) in names.enumerate() {
        let value = found[at + 1].to_vec();
        if fresh.insert(name.to_owned(), value.clone()).is_some_and(|before| before != value) {
            return Err(format!(": {name} stands for two different texts"));
        }
    }
    captured.append(&mut fresh);
    Ok(())
}

fn pattern(pieces: &[Piece<'_>], captured: &Captured) -> String {
    let mut pattern = String::new();
    for piece in pieces {
        match (known(*piece, captured), piece) {
            (Some(bytes), _) => pattern += &escape(&bytes),
            (None, Piece::Any) => pattern += ".*?",
            (None, _) => pattern += "(.*?)",
        }
    }
    pattern
}

fn regex(pattern: &str, end: &str) -> Result<Regex, String> {
    let built = regex::bytes::RegexBuilder::new(&format!("(?s-u)\\A{pattern}{end}")).size_limit(1 << 28).build();
    built.map_err(|error| format!(": {error}"))
}

fn escape(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'"' | b',' | b':' | b'/' | b'_' => {
            char::from(*byte).to_string()
        }
        byte => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(one).collect()
}

/// The last of what agrees, then both sides of where they part.
fn difference(pieces: &[Piece<'_>], got: &[u8], captured: &Captured) -> String {
    const AROUND: usize = 40;
    let reaches = |pieces: &[Piece<'_>], more: &[u8]| {
        let pattern = pattern(pieces, captured) + &escape(more);
        regex(&pattern, "").ok().and_then(|prefix| prefix.find(got)).map(|found| found.end())
    };
    let agreed = (0..=pieces.len()).take_while(|count| reaches(&pieces[..*count], b"").is_some()).last().unwrap_or(0);
    let Some(piece) = pieces.get(agreed) else {
        let end = reaches(pieces, b"").unwrap_or(0);
        return format!(
            "\n    expected its end after {}\n    answered {}",
            tail(&got[..end], AROUND),
            head(&got[end..])
        );
    };
    let bytes = known(*piece, captured).unwrap_or_default();
    // a longer prefix fits only where a shorter one does
    let (mut least, mut most) = (0, bytes.len());
    while least < most {
        let middle = least + (most - least).div_ceil(2);
        if reaches(&pieces[..agreed], &bytes[..middle]).is_some() { least = middle } else { most = middle - 1 }
    }
    let end = reaches(&pieces[..agreed], &bytes[..least]).unwrap_or(0);
    let rest: Vec<u8> = bytes[least..].to_vec();
    format!(
        " after {}\n    expected {}\n    answered {}",
        tail(&got[..end], AROUND),
        head(&rest),
        if end == got.len() { "its end".to_owned() } else { head(&got[end..]) }
    )
}

fn head(bytes: &[u8]) -> String {
    const MOST: usize = 120;
    let cut = if bytes.len() > MOST { "…" } else { "" };
    format!("`{}{cut}`", printable(&bytes[..bytes.len().min(MOST)]))
}

fn tail(bytes: &[u8], most: usize) -> String {
    let cut = if bytes.len() > most { "…" } else { "" };
    format!("`{cut}{}`", printable(&bytes[bytes.len().saturating_sub(most)..]))
}

/// For people: control characters but line ends as escapes.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let escape = |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pairs: &[(&str, &str)]) -> Captured {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn requests_are_filled_in() {
        let captured = known(&[("a", "x/y z~é")]);
        let filled =
            |template: &str| fill(template, &captured).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(filled("<{{a}}|{{a|url}}>").unwrap(), "<x/y z~é|x%2Fy%20z~%C3%A9>");
        assert_eq!(fill("a{{0x00Ff}}b", &captured).unwrap(), b"a\x00\xffb");
        assert_eq!(filled("{{\"a\":1}} {{").unwrap(), "{{\"a\":1}} {{", "braces around no name are text");
        assert_eq!(filled("{{b}}").unwrap_err(), "nothing was captured as b");
        assert!(filled("{{_}}").is_err());
    }

    #[test]
    fn answers_are_compared_byte_for_byte_but_for_names() {
        let mut captured = known(&[("old", "1")]);
        fit("{\"a\":{{old}},\"b\":\"{{b}}\",{{_}}}", b"{\"a\":1,\"b\":\"\xff\",\"c\":[]}\n", &mut captured).unwrap();
        assert_eq!(captured["b"], b"\xff");
        let mut differs = |template: &str, got: &str| fit(template, got.as_bytes(), &mut captured).unwrap_err();
        assert!(differs("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}").contains("after `{\"`\n    expected `a\":1"));
        assert!(differs("a{{x}}c", "abd").contains("expected `c`"));
        assert!(differs("a", "ab").contains("expected its end after `a`\n    answered `b`"));
        assert!(differs("abc", "ab").contains("expected `c`\n    answered its end"));
        assert!(differs("{{old}}", "2").contains("expected `1`"));
        assert!(differs("{{n}}-{{n}}", "1-2").contains("n stands for two different texts"));
        assert!(differs("{{0x0d}}x", "x").contains("answered `x`"));
        assert!(differs("{{no|url}}", "x").contains("nothing was captured as no"));
        assert!(!captured.contains_key("x"), "what does not fit captures nothing");
    }
}
