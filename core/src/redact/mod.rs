//! Secrets are replaced before anything is stored.
//!
//! ```
//! use reqlog_core::{record::{Field, Record}, redact::Redactor, timestamp::Timestamp};
//! let mut record = Record::new(Timestamp::from_nanos(0));
//! record.texts.set(Field::Query, "page=2&api_key=k-1");
//! Redactor::new([7; 32]).apply(&mut record);
//! assert_eq!(record.text(Field::Query), Some("page=2&api_key=[redacted]"));
//! ```
//!
//! A value of 12 characters or more becomes `[redacted:<8 hex of a keyed hash>]`, so that equal secrets stay
//! comparable; a shorter one, which could be guessed, becomes `[redacted]`.

mod header;
mod json;
mod names;
mod suspect;
mod text;

pub(crate) use suspect::Secrets;
#[cfg(test)]
pub(crate) use suspect::{may_hold_secrets, may_text_hold_secrets};

use crate::body::Body;
use crate::headers::Headers;
use crate::record::{Field, Record};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::borrow::Cow;

/// The one rule set of ingestion, export and the browser.
#[derive(Clone)]
pub struct Redactor {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

// Shorter values are replaced without a hash: it would tell which of few possible values it was.
const HASHED_CHARS: usize = 12;

impl Redactor {
    /// A redactor whose hashes are keyed; equal secrets of one store have equal hashes, of two stores different ones.
    pub fn new(key: [u8; 32]) -> Self {
        Self { mac: Hmac::new_from_slice(&key).expect("a MAC takes a key of any length") }
    }

    /// Replaces the secrets of a record and notes whether there were any. Doing it again changes nothing.
    pub fn apply(&self, record: &mut Record) {
        let mut changed = false;
        for field in Self::FIELDS {
            if let Some(clean) = record.text(field).and_then(|value| self.field(field, value)) {
                record.texts.set(field, &clean);
                changed = true;
            }
        }
        if let Some(attributes) = &mut record.attributes
            && let Some(clean) = self.json(attributes.as_bytes())
        {
            *attributes = text_of(clean);
            changed = true;
        }
        for message in [&mut record.request, &mut record.response] {
            changed |= self.headers(&mut message.headers);
            if let Some(body) = &mut message.body {
                changed |= self.body(body);
            }
        }
        record.redacted |= changed;
    }

    /// The text fields in which secrets are looked for.
    pub(crate) const FIELDS: [Field; 5] = [Field::Query, Field::Host, Field::Message, Field::Path, Field::Route];

    /// The value of one of [`Self::FIELDS`] without its secrets; none where it holds none.
    pub(crate) fn field(&self, field: Field, value: &str) -> Option<String> {
        match field {
            Field::Query => self.pairs(value.as_bytes()).map(text_of),
            Field::Host => self.host(value),
            _ => self.text(value.as_bytes()).map(text_of),
        }
    }

    /// What stands for `value`, owned; borrowed where the value is empty or already stands for one.
    fn token<'a>(&self, value: &'a str) -> Cow<'a, str> {
        if value.is_empty() || is_token(value) {
            return value.into();
        }
        if value.chars().nth(HASHED_CHARS - 1).is_none() {
            return Cow::Owned("[redacted]".to_owned());
        }
        let mut mac = self.mac.clone();
        mac.update(value.as_bytes());
        let hash = mac.finalize().into_bytes();
        format!("[redacted:{:02x}{:02x}{:02x}{:02x}]", hash[0], hash[1], hash[2], hash[3]).into()
    }

    fn headers(&self, headers: &mut Headers) -> bool {
        let Some(first) = headers.iter().position(|(name, value)| self.header(name, value).is_some()) else {
            return false;
        };
        let mut clean = Headers::default();
        for (at, (name, value)) in headers.iter().enumerate() {
            let replaced = if at < first { None } else { self.header(name, value) };
            clean.push(name, replaced.as_deref().unwrap_or(value));
        }
        *headers = clean;
        true
    }

    // Fields of JSON are looked for in any body, because JSON travels under every media type, in any encoding of text.
    fn body(&self, body: &mut Body) -> bool {
        let form = body.content_type.as_deref().is_some_and(|declared| {
            let media_type = declared.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        let clean = if form && !matches!(body.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
            self.pairs(&body.bytes)
        } else {
            self.json(&body.bytes)
        };
        let changed = clean.is_some();
        if let Some(clean) = clean {
            body.bytes = clean;
        }
        changed
    }

    // Fields named like secrets, and URLs in any string.
    fn json(&self, text: &[u8]) -> Option<Vec<u8>> {
        let fields = json::fields(self, text);
        self.text(fields.as_deref().unwrap_or(text)).or(fields)
    }
}

// Only whole characters are taken out of a text, and ASCII is put in.
fn text_of(clean: Vec<u8>) -> String {
    String::from_utf8(clean).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn is_token(value: &str) -> bool {
    let Some(inner) = value.strip_prefix("[redacted").and_then(|rest| rest.strip_suffix(']')) else { return false };
    match inner.strip_prefix(':') {
        None => inner.is_empty(),
        Some(hash) => hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
    }
}

#[cfg(test)]
mod tests;
