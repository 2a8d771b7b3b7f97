//! Secrets in URLs, wherever in a text they stand: userinfo and query parameters.

use super::{Redactor, names};
use percent_encoding::percent_decode;
use std::borrow::Cow;

impl Redactor {
    /// A query string or form with the listed parameters replaced; none when there is nothing to replace.
    pub(super) fn pairs(&self, query: &[u8]) -> Option<Vec<u8>> {
        self.assignments(query, |byte| byte == b'&')
    }

    /// Free text with userinfo of URLs and listed `name=value` replaced; none when there is nothing to replace.
    pub(super) fn text(&self, text: &[u8]) -> Option<Vec<u8>> {
        memchr::memchr2(b'@', b'=', text)?;
        let userinfo = self.userinfo(text);
        let params = self.assignments(userinfo.as_deref().unwrap_or(text), |byte| {
            matches!(byte, b'&' | b'#' | b'"' | b'\'' | b'\\' | b'<' | b'>') || byte.is_ascii_whitespace()
        });
        params.or(userinfo)
    }

    /// A host with userinfo before it.
    pub(super) fn host(&self, host: &str) -> Option<String> {
        let at = host.rfind('@')?;
        match self.token(&host[..at]) {
            Cow::Owned(token) => Some(token + &host[at..]),
            Cow::Borrowed(_) => None,
        }
    }

    // Replaces the value of each listed name before a `=`; `ends` tells where a value ends.
    fn assignments(&self, text: &[u8], ends: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(next) = memchr::memchr(b'=', &text[at..]) {
            let equals = at + next;
            let name = name_before(text, at, equals);
            at = equals + 1;
            let secret = match memchr::memchr(b'%', name) {
                Some(_) => names::is_secret(&percent_decode(name).collect::<Vec<u8>>()),
                None => names::is_secret(name),
            };
            if !secret {
                continue;
            }
            let end = text[at..].iter().position(|&byte| ends(byte)).map_or(text.len(), |len| at + len);
            if let Cow::Owned(token) = self.token(&decode(&text[at..end])) {
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(token.as_bytes());
                copied = end;
            }
            at = end;
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(&text[copied..]);
        Some(out)
    }

    // RFC 3986, section 3.2.1; slashes may be escaped, as in JSON.
    fn userinfo(&self, text: &[u8]) -> Option<Vec<u8>> {
        memchr::memchr(b'@', text)?;
        let mut out = Vec::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(next) = memchr::memchr(b':', &text[at..]) {
            at += next + 1;
            let slashes = [&b"//"[..], b"\\/\\/"].into_iter().find(|slashes| text[at..].starts_with(slashes));
            let Some(slashes) = slashes else { continue };
            at += slashes.len();
            let authority = text[at..]
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\\' | b'<' | b'>') || *byte <= b' ')
                .map_or(&text[at..], |len| &text[at..at + len]);
            if let Some(len) = memchr::memrchr(b'@', authority)
                && let Cow::Owned(token) = self.token(&decode(&authority[..len]))
            {
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(token.as_bytes());
                copied = at + len;
            }
            at += authority.len();
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(&text[copied..]);
        Some(out)
    }
}

// The name that ends before `equals`, not reaching back before `from`.
fn name_before(text: &[u8], from: usize, equals: usize) -> &[u8] {
    let len = text[from..equals]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'+'))
        .count();
    let start = equals - len;
    let name = &text[start..equals];
    // `&` as Go writes it in JSON
    match name.strip_prefix(b"u0026") {
        Some(name) if start > 0 && text[start - 1] == b'\\' => name,
        _ => name,
    }
}

fn decode(value: &[u8]) -> String {
    percent_decode(value).decode_utf8_lossy().into_owned()
}
