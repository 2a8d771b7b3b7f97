//! JSON strings as bytes: escaping and unescaping, without a tree.

/// Appends `text` as a JSON string with its quotes; only what RFC 8259 demands is escaped.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(text, out);
    out.push(b'"');
}

/// Appends the inside of the JSON string of `text`, without quotes.
pub fn escaped(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPE[byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[clean..at]);
        clean = at + 1;
        if escape == b'u' {
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[clean..]);
}

/// How many bytes `character` takes inside a JSON string.
pub fn escaped_len(character: char) -> usize {
    match u8::try_from(character).map(|byte| ESCAPE[byte as usize]) {
        Ok(b'u') => 6,
        Ok(0) | Err(_) => character.len_utf8(),
        Ok(_) => 2,
    }
}

/// The text that the inside of a JSON string stands for.
///
/// Tolerant, because it also reads strings that were cut: an escape that is incomplete or unknown is kept as written, half a
/// surrogate pair and bytes that are not UTF-8 become U+FFFD.
pub fn unescape(inside: &[u8]) -> String {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (character, len) = escape(rest);
        match character {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(&rest[..len]),
        }
        rest = &rest[len..];
    }
    out.extend_from_slice(rest);
    String::from_utf8_lossy(&out).into_owned()
}

// The character of the escape at the start of `bytes` (None where it is unknown or incomplete) and its length.
fn escape(bytes: &[u8]) -> (Option<char>, usize) {
    let character = match bytes.get(1) {
        None => return (None, 1),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&byte @ (b'"' | b'\\' | b'/')) => byte as char,
        Some(b'u') => {
            let Some(unit) = code_unit(bytes) else { return (None, 2) };
            let pair = match unit {
                0xd800..0xdc00 => code_unit(&bytes[6..]).filter(|low| (0xdc00..0xe000).contains(low)),
                _ => None,
            };
            return match pair {
                Some(low) => (char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), 12),
                None => (Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)), 6),
            };
        }
        Some(_) => return (None, 2),
    };
    (Some(character), 2)
}

// The number of a `\u` escape with all its digits.
fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | (digit as char).to_digit(16)?))
}

const HEX: &[u8; 16] = b"0123456789abcdef";

// The letter after the backslash, `u` for four digits, 0 for a byte that needs no escape.
static ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_json_and_come_back(text in "(\\PC|[\\x00-\\x20\"\\\\]){0,40}") {
            let mut out = Vec::new();
            string(&text, &mut out);
            prop_assert_eq!(&serde_json::from_slice::<String>(&out).unwrap(), &text);
            prop_assert_eq!(unescape(&out[1..out.len() - 1]), text.clone());
            prop_assert_eq!(text.chars().map(escaped_len).sum::<usize>(), out.len() - 2);
        }

        #[test]
        fn unescaping_reads_any_bytes(bytes in prop::collection::vec(prop::sample::select(b"\\u\"dD89aE0n\xff\xc3".to_vec()), 0..40)) {
            unescape(&bytes);
        }
    }

    #[test]
    fn surrogates_are_paired() {
        assert_eq!(unescape(br"\ud83d\ude00\/\u00e9"), "😀/é");
        assert_eq!(unescape(br"\ud83d\u0041\q\"), "\u{fffd}A\\q\\");
    }
}
