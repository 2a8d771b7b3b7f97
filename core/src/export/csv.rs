//! Rows of RFC 4180 that spreadsheets open without harm and [`crate::format`] reads back.
//!
//! A spreadsheet runs a cell that begins like a formula; [OWASP](https://owasp.org/www-community/attacks/CSV_Injection)
//! names the first characters and the apostrophe that disarms them.

use std::fmt::{Arguments, Write as _};

use super::json::{self, Bodies};
use crate::body::{Body, Cut};
use crate::record::{Field, Message, Stored};

/// Appends the header row.
pub(super) fn header(out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    for name in ["id", "seq", "time", "kind", "level", "source"] {
        row.raw(name);
    }
    for &field in Field::ALL {
        row.raw(field.name());
        if field == Field::Route {
            row.raw("status");
            row.raw("duration_ms");
        }
    }
    for name in ["overridden", "redacted", "request_headers", "request_body", "request_size"] {
        row.raw(name);
    }
    for name in ["response_headers", "response_body", "response_size", "attributes"] {
        row.raw(name);
    }
    row.end();
}

/// Appends one record.
pub(super) fn row(stored: &Stored, out: &mut Vec<u8>) {
    let record = &stored.record;
    let mut row = Row::new(out);
    row.raw(&stored.id.to_text());
    row.number(stored.id.seq().get());
    row.display(format_args!("{}", record.time));
    row.raw(record.kind.name());
    row.raw(record.level.name());
    row.raw(record.source.map_or("", |source| source.name()));
    for &field in Field::ALL {
        row.text(record.text(field).unwrap_or_default());
        if field == Field::Route {
            row.optional(record.status.map(u64::from));
            row.cell();
            if let Some(nanos) = record.duration {
                json::millis(nanos, row.out);
            }
        }
    }
    for flag in [record.overridden, record.redacted] {
        row.raw(if flag { "true" } else { "false" });
    }
    row.message(&record.request, Side::Request);
    row.message(&record.response, Side::Response);
    row.quoted(|out| out.extend_from_slice(record.attributes.as_deref().unwrap_or_default().as_bytes()));
    row.end();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

struct Row<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Row<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { start: out.len(), out }
    }

    // Parts the cell that follows from the one before; every row begins with a name or an id.
    fn cell(&mut self) {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
    }

    /// A cell of letters and digits.
    fn raw(&mut self, text: &str) {
        self.cell();
        self.out.extend_from_slice(text.as_bytes());
    }

    fn display(&mut self, text: Arguments<'_>) {
        let mut cell = String::new();
        cell.write_fmt(text).expect("writing to memory does not fail");
        self.raw(&cell);
    }

    fn number(&mut self, number: u64) {
        self.cell();
        json::decimal(number, self.out);
    }

    fn optional(&mut self, number: Option<u64>) {
        match number {
            Some(number) => self.number(number),
            None => self.cell(),
        }
    }

    /// A cell of any text, disarmed.
    fn text(&mut self, text: &str) {
        self.quoted(|out| {
            if is_formula(text) {
                out.push(b'\'');
            }
            out.extend_from_slice(text.as_bytes());
        });
    }

    /// A cell of what `write` appends, in quotes where it needs them.
    fn quoted(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.cell();
        let start = self.out.len();
        write(self.out);
        let cell = &self.out[start..];
        if !cell.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
            return;
        }
        let quotes = memchr::memchr_iter(b'"', cell).count();
        let end = self.out.len();
        // moved to the right from the end, so that nothing is overwritten before it is read
        let mut to = end + quotes + 2;
        self.out.resize(to, b'"');
        to -= 1;
        for from in (start..end).rev() {
            to -= 1;
            self.out[to] = self.out[from];
            if self.out[from] == b'"' {
                to -= 1;
                self.out[to] = b'"';
            }
        }
        self.out[start] = b'"';
    }

    fn message(&mut self, message: &Message, side: Side) {
        self.quoted(|out| {
            if !message.headers.is_empty() {
                json::headers(&message.headers, out);
            }
        });
        let Some(body) = &message.body else {
            self.cell();
            return self.cell();
        };
        self.quoted(|out| match text_of(body, message, side) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => json::body(body, Bodies::Whole, out),
        });
        self.number(body.size);
    }

    fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// The text of a body that, with the size in the next column, reads back as that body; else it needs its object.
fn text_of<'a>(body: &'a Body, message: &Message, side: Side) -> Option<&'a str> {
    // a body without a type of its own gets the header's when it is accepted
    if body.content_type.is_some() && body.content_type.as_deref() != message.headers.get("content-type") {
        return None;
    }
    if body.bytes.is_empty() {
        let is_told_by_size = match body.cut {
            None => body.size == 0 && side == Side::Response,
            Some(cut) => body.size > 0 && cut == Cut::NotCaptured,
        };
        return is_told_by_size.then_some("");
    }
    let text = std::str::from_utf8(&body.bytes).ok()?;
    (body.cut.is_none() && !is_formula(text) && !is_like_a_body_object(text)).then_some(text)
}

/// Whether a reader could take captured JSON for the object of a body, which has a member `size`.
fn is_like_a_body_object(text: &str) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(text.as_bytes(), part).is_some();
    text.starts_with('{') && (has(b"\"size\"") || has(b"\\u"))
}

/// Whether a spreadsheet would evaluate a cell of this text; a number is only itself.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text != "-" && !is_number(text)
}

/// Whether `text` is a decimal number, with sign, fraction and exponent as they like.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    unsigned(whole) && digits(fraction) && unsigned(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_numbers_stay() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("-1", "-1"),
            ("+1.5e-3", "+1.5e-3"),
            ("-", "-"),
            ("--", "'--"),
            ("-.e", "'-.e"),
            ("a=1", "a=1"),
            ("say \"hi\", twice\n", "\"say \"\"hi\"\", twice\n\""),
            ("\"", "\"\"\"\""),
            ("", ""),
        ] {
            let mut out = Vec::new();
            Row::new(&mut out).text(text);
            assert_eq!(String::from_utf8(out).unwrap(), cell);
        }
    }
}
