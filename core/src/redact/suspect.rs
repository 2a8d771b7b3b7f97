//! Whether there is anything to replace, seen without unescaping.

use super::names;
use memchr::{memchr, memchr3, memmem, memrchr};

/// What becomes of the secrets of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// A [`Redactor`](super::Redactor) replaces them.
    Replaced,
    /// They stay.
    Kept,
}

impl Secrets {
    /// Whether something may be replaced in a piece of JSON text, see [`may_hold_secrets`].
    pub(crate) fn may_change(self, json: &str) -> bool {
        self == Self::Replaced && may_hold_secrets(json.as_bytes())
    }

    /// The same of any text, as it stands or as a string of JSON.
    pub(crate) fn may_change_text(self, text: &str) -> bool {
        self == Self::Replaced && may_text_hold_secrets(text.as_bytes())
    }

    /// Whether the value of a member of this name is replaced.
    pub(crate) fn change_member(self, name: &str) -> bool {
        self == Self::Replaced && names::is_secret(name.as_bytes())
    }

    /// Whether the value of a header field of this name, in any case, is replaced or something in it.
    pub(crate) fn change_header(self, name: &str) -> bool {
        let listed = || ["cookie", "set-cookie"].iter().chain(names::HEADERS);
        self == Self::Replaced && listed().any(|known| known.eq_ignore_ascii_case(name))
    }
}

// a longer name is not listed, in any spelling
const NAME_MAX: usize = 200;

/// Whether a piece of JSON text, however its strings are escaped, may hold a secret that a [`Redactor`](super::Redactor)
/// would replace in it, or in what its strings say.
///
/// Says so of some that hold none, and of every text with `\u` escapes; never the reverse. Header fields and names of
/// members outside of `json` are not looked at.
pub(crate) fn may_hold_secrets(json: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = memchr3(b':', b'=', b'@', &json[at..]) {
        let here = at + found;
        at = here + 1;
        let suspect = match json[here] {
            b':' => is_secret_member(json, here),
            b'=' => is_secret_parameter(json, here),
            _ => ends_userinfo(json, here),
        };
        if suspect {
            return true;
        }
    }
    memmem::find(json, b"\\u").is_some()
}

/// As [`may_hold_secrets`] of any text, as it stands or as a string of JSON.
pub(crate) fn may_text_hold_secrets(text: &[u8]) -> bool {
    may_hold_secrets(text) || begins_as_secret_member(text)
}

// Whether a listed name in quotes ends before the colon, with blanks and escaped blanks between.
fn is_secret_member(json: &[u8], colon: usize) -> bool {
    let mut end = colon;
    loop {
        match json[..end] {
            [.., b' ' | b'\t' | b'\n' | b'\r' | b'\\'] | [.., b'\\', b'n' | b'r' | b't'] => end -= 1,
            [.., b'"'] => break,
            _ => return false,
        }
    }
    end -= 1;
    while json[..end].ends_with(b"\\") {
        end -= 1;
    }
    let floor = end.saturating_sub(NAME_MAX);
    if !names::may_be_secret(&json[floor..end]) {
        return false;
    }
    let Some(quote) = memrchr(b'"', &json[floor..end]) else { return false };
    let name = &json[floor + quote + 1..end];
    // an escape may stand for anything
    name.contains(&b'\\') || names::is_secret(name)
}

// Whether a listed name ends at the first quote: one more stands before the text where it is a string.
fn begins_as_secret_member(text: &[u8]) -> bool {
    let Some(end) = memchr(b'"', &text[..text.len().min(NAME_MAX)]) else { return false };
    let name = &text[..end];
    name.contains(&b'\\') || names::is_secret(name)
}

// Whether a listed name ends before the equals sign; the letter of an escape before it is none of it.
fn is_secret_parameter(json: &[u8], equals: usize) -> bool {
    let before = &json[..equals];
    let len = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'+'))
        .count();
    let name = &before[equals - len..];
    let escaped = before[..equals - len].ends_with(b"\\") && len > 0;
    // what a control character before it is escaped by is taken for its first letter
    let letter = match before[..equals - len].last() {
        Some(b'\n') => Some(b'n'),
        Some(b'\r') => Some(b'r'),
        Some(b'\t') => Some(b't'),
        _ => None,
    };
    name.contains(&b'%')
        || names::is_secret(name)
        || escaped && names::is_secret(&name[1..])
        || letter.is_some_and(|letter| names::is_secret(&[&[letter], name].concat()))
}

// Whether a slash stands before the word that ends in the at sign.
fn ends_userinfo(json: &[u8], at: usize) -> bool {
    let border = |byte: &&u8| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\\' | b'<' | b'>') || **byte <= b' ';
    json[..at].iter().rev().find(border) == Some(&b'/')
}
