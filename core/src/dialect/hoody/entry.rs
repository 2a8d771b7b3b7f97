//! One row as JSON, written byte by byte.
//!
//! `data` of a request has `bytesIn` and `userAgent`, `data` of a response `bytesOut` and `durationMs`, `null` where
//! unknown. Ours beyond that:
//!
//! - A row that is all there is of its record (an event, half an exchange) has the other members too, where known.
//! - The first row of each record has its `message` and its attributes, each under its own name. Attributes that are
//!   called like one of these five stay together under `attributes`.
//! - A body that was asked for and not captured, or of which nothing was kept, is `null`.

use super::halves::{Row, Share};
use super::level;
use crate::body::Body;
use crate::export::json::{decimal, raw};
use crate::format::json::object;
use crate::json::string;
use crate::record::{Field, Message, Record, Source};

/// Which bodies rows show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bodies {
    /// `includeRequestBody`.
    pub(super) request: Shown,
    /// `includeResponseBody`.
    pub(super) response: Shown,
}

/// Whether something is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is.
    Yes,
    /// It is left out.
    #[default]
    No,
}

/// At most this many bytes of JSON for each body; one that is longer is cut, and still valid.
const BODY_LIMIT: usize = 262_144;

/// Appends one row.
pub(super) fn write(row: &Row<'_>, bodies: Bodies, out: &mut Vec<u8>) {
    let record = row.record;
    let time = row.time();
    out.extend_from_slice(b"{\"id\":");
    decimal(row.id, out);
    text("traceId", record.text(Field::TraceId), out);
    out.extend_from_slice(b",\"tsMs\":");
    signed(time.as_millis(), out);
    text("tsIso", Some(&time.to_rfc3339_millis()), out);
    text("kind", Some(row.kind.name()), out);
    text("level", Some(level::name(record.level)), out);
    text("projectId", record.text(Field::Project), out);
    text("containerId", record.text(Field::Container), out);
    text("serviceName", record.text(Field::Service), out);
    text("method", record.text(Field::Method), out);
    text("url", record.url().as_deref(), out);
    text("clientIp", record.text(Field::ClientIp), out);
    number("status", record.status.map(u64::from), out);
    out.extend_from_slice(b",\"data\":");
    data(row, out);
    text("source", record.source.map(Source::name), out);
    body("requestBody", bodies.request, row.request(), &record.request, out);
    body("responseBody", bodies.response, row.response(), &record.response, out);
    out.push(b'}');
}

fn data(row: &Row<'_>, out: &mut Vec<u8>) {
    let record = row.record;
    let start = out.len();
    let size = |message: &Message| message.body.as_ref().map(|body| body.size);
    let (bytes_in, bytes_out) = (size(&record.request), size(&record.response));
    let user_agent = record.text(Field::UserAgent);
    let mut own = vec!["attributes"];
    if shows(row.request(), bytes_in) {
        own.push("bytesIn");
        number("bytesIn", bytes_in, out);
    }
    if shows(row.request(), user_agent) {
        own.push("userAgent");
        text("userAgent", user_agent, out);
    }
    if shows(row.response(), bytes_out) {
        own.push("bytesOut");
        number("bytesOut", bytes_out, out);
    }
    if shows(row.response(), record.duration) {
        own.push("durationMs");
        number("durationMs", row.duration_ms(), out);
    }
    if row.is_first() {
        if let Some(message) = record.text(Field::Message) {
            own.push("message");
            text("message", Some(message), out);
        }
        attributes(record, &own, out);
    }
    // each member begins with a comma; the first one's place is the bracket's
    if out.len() == start {
        out.push(b'{');
    } else {
        out[start] = b'{';
    }
    out.push(b'}');
}

// `own` are the members that the row has beside them
fn attributes(record: &Record, own: &[&str], out: &mut Vec<u8>) {
    let Some(attributes) = &record.attributes else { return };
    let (start, mut aside) = (out.len(), Vec::new());
    let whole = object(attributes, |name, json| {
        let out = if own.contains(&&*name) { &mut aside } else { &mut *out };
        member(&name, out);
        raw(json, out);
    });
    if whole.is_err() {
        // only what no parser of ours has stored
        out.truncate(start);
        text("attributes", Some(attributes), out);
    } else if let Some(first) = aside.first_mut() {
        *first = b'{';
        member("attributes", out);
        out.append(&mut aside);
        out.push(b'}');
    }
}

fn body(name: &str, asked: Shown, share: Share, message: &Message, out: &mut Vec<u8>) {
    if asked == Shown::No || !shows(share, message.body.as_ref()) {
        return;
    }
    let kept = |body: &&Body| !body.bytes.is_empty() || body.size == 0;
    match message.body.as_ref().filter(kept) {
        None => null(name, out),
        Some(body) => {
            member(name, out);
            let json = body.embedded(BODY_LIMIT);
            // JSON is UTF-8
            raw(&String::from_utf8_lossy(&json), out);
        }
    }
}

fn shows(share: Share, value: Option<impl Copy>) -> bool {
    match share {
        Share::Always => true,
        Share::Known => value.is_some(),
        Share::Never => false,
    }
}

fn member(name: &str, out: &mut Vec<u8>) {
    out.push(b',');
    string(name, out);
    out.push(b':');
}

fn null(name: &str, out: &mut Vec<u8>) {
    member(name, out);
    out.extend_from_slice(b"null");
}

fn text(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        None => null(name, out),
        Some(value) => {
            member(name, out);
            string(value, out);
        }
    }
}

fn number(name: &str, value: Option<u64>, out: &mut Vec<u8>) {
    match value {
        None => null(name, out),
        Some(value) => {
            member(name, out);
            decimal(value, out);
        }
    }
}

fn signed(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    decimal(number.unsigned_abs(), out);
}
