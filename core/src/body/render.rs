//! A body as JSON, whatever it is: text as a string, binary as a string of base64, JSON as it is.

use super::{Body, cut_json, cut_text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// How a body is spelt inside JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Json,
    /// As one string.
    Text,
    /// As one string of standard base64 with padding.
    Base64,
}

impl Encoding {
    /// The name in `X-Body-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Base64 => "base64",
        }
    }
}

/// A body as a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Valid JSON.
    pub json: Vec<u8>,
    /// What it is.
    pub encoding: Encoding,
    /// Whether it is less than what is kept.
    pub truncated: bool,
}

impl Body {
    /// How this body is spelt inside JSON: JSON where it is valid or was cut, text where it is UTF-8.
    pub fn encoding(&self) -> Encoding {
        let Ok(text) = std::str::from_utf8(&self.bytes) else { return Encoding::Base64 };
        let json = if self.is_json() { cut_json(&self.bytes, self.bytes.len()) } else { None };
        match json {
            Some(json) if *json == *self.bytes || self.cut.is_some() => Encoding::Json,
            // valid JSON without the media type
            None if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => Encoding::Json,
            _ => Encoding::Text,
        }
    }

    fn is_json(&self) -> bool {
        let named = self.content_type.as_deref().is_some_and(|name| name.to_ascii_lowercase().contains("json"));
        named || matches!(self.bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
    }

    /// The body as valid JSON of at most `cap` bytes (at least 4), cut structurally where it is JSON.
    pub fn render_json(&self, cap: usize) -> Rendered {
        let encoding = self.encoding();
        let (json, truncated) = match encoding {
            Encoding::Json => match cut_json(&self.bytes, cap) {
                Some(json) => {
                    let truncated = *json != *self.bytes;
                    (json.into_owned(), truncated)
                }
                None => (b"null".to_vec(), true),
            },
            Encoding::Text => quote(&String::from_utf8_lossy(&self.bytes), cap),
            // whole groups of three bytes, so that what is sent decodes by itself
            Encoding::Base64 => {
                let kept = self.bytes.len().min(cap.saturating_sub(2) / 4 * 3);
                (format!("\"{}\"", STANDARD.encode(&self.bytes[..kept])).into_bytes(), kept < self.bytes.len())
            }
        };
        Rendered { json, encoding, truncated }
    }

    /// The body as one value within other JSON: as [`Self::render_json`], but what some parsers refuse, and with it all
    /// around it, is a string: JSON of more than 64 levels, or with half a surrogate pair.
    pub fn embedded(&self, cap: usize) -> Vec<u8> {
        let rendered = self.render_json(cap);
        if rendered.encoding == Encoding::Json && !is_tame(&rendered.json) {
            return quote(&String::from_utf8_lossy(&self.bytes), cap).0;
        }
        rendered.json
    }

    /// Keeps at most `cap` bytes: of JSON a valid shorter document, of text whole characters.
    pub fn cap(&mut self, cap: usize) {
        if self.bytes.len() <= cap {
            return;
        }
        let json = if self.is_json() { cut_json(&self.bytes, cap).map(Cow::into_owned) } else { None };
        if let Some(json) = json {
            self.bytes = json;
        } else {
            let kept = std::str::from_utf8(&self.bytes).map_or(cap, |text| cut_text(text, cap).len());
            self.bytes.truncate(kept);
        }
        self.cut = self.cut.or(Some(super::Cut::Cap));
    }

    /// Makes what ends anywhere end well: JSON is closed, text loses half a character.
    pub(crate) fn mend(&mut self) {
        let json = if self.is_json() { cut_json(&self.bytes, self.bytes.len()).map(Cow::into_owned) } else { None };
        if let Some(json) = json.filter(|json| json.len() <= self.bytes.len()) {
            self.bytes = json;
        } else if let Err(error) = std::str::from_utf8(&self.bytes)
            && error.error_len().is_none()
        {
            self.bytes.truncate(error.valid_up_to());
        }
    }
}

// As much of the text as fits into a JSON string of `cap` bytes.
fn quote(text: &str, cap: usize) -> (Vec<u8>, bool) {
    let mut json = serde_json::to_vec(text).unwrap_or_default();
    if json.len() <= cap {
        return (json, false);
    }
    let mut left = cap.saturating_sub(2);
    let escaped = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    };
    let fits = |&(_, c): &(usize, char)| {
        let fits = escaped(c) <= left;
        left = left.saturating_sub(escaped(c));
        fits
    };
    let kept = text.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8());
    json = serde_json::to_vec(&text[..kept]).unwrap_or_default();
    (json, true)
}

const DEEPEST: usize = 64;

/// Whether every parser of JSON reads this, which is valid JSON: not too deep, escapes of whole characters.
fn is_tame(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut at) = (0_usize, false, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => {
                match surrogate(&json[at - 1..]) {
                    Some(0xd800..0xdc00) => match json.get(at + 5..).and_then(surrogate) {
                        Some(0xdc00..0xe000) => at += 6,
                        _ => return false,
                    },
                    Some(_) => return false,
                    None => {}
                }
                at += 1;
            }
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return false;
        }
    }
    true
}

// the half of a surrogate pair that an escape at the start stands for
fn surrogate(text: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(text.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..0xe000).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(bytes: &[u8], content_type: Option<&str>) -> Body {
        Body { size: 0, bytes: bytes.to_vec(), withheld: 0, content_type: content_type.map(Into::into), cut: None }
    }

    #[test]
    fn every_body_has_a_spelling() {
        let check = |bytes: &[u8], encoding, json: &str| {
            let rendered = body(bytes, None).render_json(1000);
            assert_eq!((rendered.encoding, std::str::from_utf8(&rendered.json).unwrap()), (encoding, json));
            assert!(!rendered.truncated);
        };
        check(b"{\"a\": [1]}", Encoding::Json, "{\"a\": [1]}");
        check(b"7", Encoding::Json, "7");
        check(b"hello \"you\"", Encoding::Text, "\"hello \\\"you\\\"\"");
        check(b"{broken", Encoding::Text, "\"{broken\"");
        check(&[0xff, 0xfe, 1], Encoding::Base64, "\"//4B\"");
        check(b"", Encoding::Text, "\"\"");
    }

    proptest! {
        #[test]
        fn it_is_valid_json_within_the_cap_for_any_bytes(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..300), "\\PC{0,100}".prop_map(String::into_bytes),
                "[\\[{\"a:,}\\]\\\\\n ]{0,80}".prop_map(String::into_bytes)
            ],
            json in any::<bool>(), cut in any::<bool>(), cap in 4usize..200
        ) {
            let mut body = body(&bytes, json.then_some("application/json"));
            body.cut = cut.then_some(super::super::Cut::Cap);
            let rendered = body.render_json(cap);
            prop_assert!(rendered.json.len() <= cap, "{} > {}", rendered.json.len(), cap);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&rendered.json).is_ok());
            let mut capped = body.clone();
            capped.cap(cap);
            prop_assert!(capped.bytes.len() <= cap);
            prop_assert!(capped.bytes == bytes || capped.cut.is_some());
            if std::str::from_utf8(&bytes).is_ok() {
                prop_assert!(std::str::from_utf8(&capped.bytes).is_ok());
            }
        }
    }
}
