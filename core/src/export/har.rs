//! HTTP Archive 1.2 ([specification](http://www.softwareishard.com/blog/har-12-spec/)), entry by entry.
//!
//! HAR's own members say what HAR can say; `_reqlog` says the rest, so that browsers and proxies open the file and nothing
//! of the record but its header fields and the bytes of its bodies has to be guessed from them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::Rows;
use super::json::{self, Shape, decimal, millis};
use crate::body::Body;
use crate::headers::Headers;
use crate::json::string;
use crate::record::{Field, Kind, Message, Record, Stored};

/// What no URL has as it is; anything else of a query stays as sent.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
/// The same of a path, which a question mark would end.
const PATH: &AsciiSet = &QUERY.add(b'?').add(b'`').add(b'{').add(b'}').add(b'^');

/// The same of a host, which a slash would end.
const HOST: &AsciiSet = &PATH.add(b'/');

/// What an archive under way remembers.
#[derive(Debug)]
pub(super) struct Archive {
    rows: Rows,
    skipped: u64,
}

impl Archive {
    pub(super) fn new() -> Self {
        Self { rows: Rows::None, skipped: 0 }
    }

    pub(super) fn start(out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"reqlog\",\"version\":\"");
        out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
        out.extend_from_slice(b"\"},\"entries\":[");
    }

    pub(super) fn row(&mut self, row: &Stored, out: &mut Vec<u8>) {
        if row.record.kind == Kind::Event {
            self.skipped += 1;
            return;
        }
        self.rows.separate(out);
        entry(row, out);
    }

    pub(super) fn end(&self, out: &mut Vec<u8>) {
        self.rows.close(out);
        out.extend_from_slice(b",\"_reqlog\":{\"skipped\":");
        decimal(self.skipped, out);
        out.extend_from_slice(b"}}}\n");
    }
}

fn entry(row: &Stored, out: &mut Vec<u8>) {
    let record = &row.record;
    out.extend_from_slice(b"{\"startedDateTime\":");
    string(&record.time.to_string(), out);
    // an unknown duration is the sum of no timings
    out.extend_from_slice(b",\"time\":");
    millis(record.duration.unwrap_or(0), out);
    request(record, out);
    response(record, out);
    out.extend_from_slice(b",\"cache\":{},\"timings\":");
    match record.duration {
        Some(nanos) => {
            out.extend_from_slice(b"{\"send\":0,\"wait\":");
            millis(nanos, out);
            out.extend_from_slice(b",\"receive\":0}");
        }
        None => out.extend_from_slice(b"{\"send\":-1,\"wait\":-1,\"receive\":-1}"),
    }
    out.extend_from_slice(b",\"_reqlog\":");
    json::write(row, Shape::APART, out);
    out.push(b'}');
}

fn request(record: &Record, out: &mut Vec<u8>) {
    let message = &record.request;
    out.extend_from_slice(b",\"request\":{\"method\":");
    string(record.text(Field::Method).unwrap_or_default(), out);
    member("url", &url(record), out);
    member("httpVersion", record.text(Field::Protocol).unwrap_or_default(), out);
    cookies(message.headers.get_all("cookie").flat_map(|value| value.split(';')).map(Cookie::sent), out);
    headers(&message.headers, out);
    out.extend_from_slice(b",\"queryString\":[");
    let parameters = record.text(Field::Query).unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
    for (at, piece) in parameters.enumerate() {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        if at > 0 {
            out.push(b',');
        }
        pair(&form_decoded(name), &form_decoded(value), out);
        out.push(b'}');
    }
    out.push(b']');
    if let Some(body) = message.body.as_ref().filter(|body| !body.bytes.is_empty()) {
        out.extend_from_slice(b",\"postData\":{\"mimeType\":");
        string(media_type(message), out);
        // HAR has no binary postData; its readers know this extension
        text(body, "_encoding", out);
        out.push(b'}');
    }
    sizes(message, out);
}

fn response(record: &Record, out: &mut Vec<u8>) {
    let message = &record.response;
    out.extend_from_slice(b",\"response\":{\"status\":");
    decimal(record.status.unwrap_or(0).into(), out);
    let reason = record.status.and_then(|status| StatusCode::from_u16(status).ok()?.canonical_reason());
    member("statusText", reason.unwrap_or_default(), out);
    member("httpVersion", record.text(Field::Protocol).unwrap_or_default(), out);
    cookies(message.headers.get_all("set-cookie").map(Cookie::set), out);
    headers(&message.headers, out);
    out.extend_from_slice(b",\"content\":{\"size\":");
    match &message.body {
        None => out.extend_from_slice(b"-1"),
        Some(body) => content_size(body, out),
    }
    member("mimeType", media_type(message), out);
    if let Some(body) = message.body.as_ref().filter(|body| !body.bytes.is_empty()) {
        text(body, "encoding", out);
    }
    out.push(b'}');
    member("redirectURL", message.headers.get("location").unwrap_or_default(), out);
    sizes(message, out);
}

/// Of a body that is whole the decoded size and what its encoding saved; of another the better guess.
fn content_size(body: &Body, out: &mut Vec<u8>) {
    let kept = body.bytes.len() as u64;
    match body.cut {
        None => {
            decimal(kept, out);
            if kept > body.size {
                out.extend_from_slice(b",\"compression\":");
                decimal(kept - body.size, out);
            }
        }
        Some(_) => decimal(kept.max(body.size), out),
    }
}

fn sizes(message: &Message, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"headersSize\":-1,\"bodySize\":");
    match &message.body {
        Some(body) => decimal(body.size, out),
        None => out.extend_from_slice(b"-1"),
    }
    out.push(b'}');
}

fn media_type(message: &Message) -> &str {
    let own = message.body.as_ref().and_then(|body| body.content_type.as_deref());
    own.or_else(|| message.headers.get("content-type")).unwrap_or_default()
}

fn text(body: &Body, encoding: &str, out: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(&body.bytes) {
        return member("text", text, out);
    }
    member("text", &STANDARD.encode(&body.bytes), out);
    member(encoding, "base64", out);
}

/// Appends a string member that is not an object's first.
fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b',');
    string(name, out);
    out.push(b':');
    string(value, out);
}

/// Appends an object of name and value, still open.
fn pair(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    string(name, out);
    member("value", value, out);
}

fn headers(headers: &Headers, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"headers\":[");
    for (at, (name, value)) in headers.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        pair(name, value, out);
        out.push(b'}');
    }
    out.push(b']');
}

struct Cookie<'a> {
    name: &'a str,
    value: &'a str,
    attributes: &'a str,
}

impl<'a> Cookie<'a> {
    /// One pair of a `Cookie` field.
    fn sent(pair: &'a str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self { name: name.trim(), value: value.trim(), attributes: "" }
    }

    /// A `Set-Cookie` field.
    fn set(field: &'a str) -> Self {
        let (pair, attributes) = field.split_once(';').unwrap_or((field, ""));
        Self { attributes, ..Self::sent(pair) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        pair(self.name, self.value, out);
        for name in ["path", "domain"] {
            if let Some(value) = self.attribute(name) {
                member(name, value, out);
            }
        }
        if self.attribute("httponly").is_some() {
            out.extend_from_slice(b",\"httpOnly\":true");
        }
        if self.attribute("secure").is_some() {
            out.extend_from_slice(b",\"secure\":true");
        }
        out.push(b'}');
    }

    /// The last value counts (RFC 6265, 5.3).
    fn attribute(&self, name: &str) -> Option<&'a str> {
        let pairs = self.attributes.rsplit(';').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .map(|(key, value)| (key.trim(), value.trim()))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

fn cookies<'a>(cookies: impl Iterator<Item = Cookie<'a>>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"cookies\":[");
    for (at, cookie) in cookies.filter(|cookie| !cookie.name.is_empty()).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        cookie.write(out);
    }
    out.push(b']');
}

/// The absolute URL; empty where the record has no target, as a response alone.
fn url(record: &Record) -> String {
    let host = record.text(Field::Host).or_else(|| record.request.headers.get("host")).filter(|host| !host.is_empty());
    let path = record.text(Field::Path);
    if host.is_none() && path.is_none() {
        return String::new();
    }
    let scheme = record.text(Field::Scheme).filter(|scheme| is_scheme(scheme)).unwrap_or("http");
    let path = path.unwrap_or_default();
    let mut url = format!("{scheme}://{}", utf8_percent_encode(host.unwrap_or("localhost"), HOST));
    if !path.starts_with('/') {
        url.push('/');
    }
    url.extend(utf8_percent_encode(path, PATH));
    if let Some(query) = record.text(Field::Query) {
        url.push('?');
        url.extend(utf8_percent_encode(query, QUERY));
    }
    url
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// What a piece of a query string stands for.
fn form_decoded(piece: &str) -> Cow<'_, str> {
    if piece.contains('+') {
        let spaced = piece.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(piece).decode_utf8_lossy()
}
