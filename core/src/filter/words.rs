//! Words that queries are often made of, whatever was captured.

use super::ast::Key;
use super::keys::Family;
use super::scalar::names;
use crate::record::Field;

type Word = (&'static str, Option<&'static str>);

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];

const STATUSES: &[Word] = &[
    ("2xx", Some("successful")),
    ("3xx", Some("redirects")),
    ("4xx", Some("client errors")),
    ("5xx", Some("server errors")),
    ("1xx", Some("informational")),
    ("200", Some("OK")),
    ("201", Some("Created")),
    ("202", Some("Accepted")),
    ("204", Some("No Content")),
    ("206", Some("Partial Content")),
    ("301", Some("Moved Permanently")),
    ("302", Some("Found")),
    ("304", Some("Not Modified")),
    ("307", Some("Temporary Redirect")),
    ("400", Some("Bad Request")),
    ("401", Some("Unauthorized")),
    ("403", Some("Forbidden")),
    ("404", Some("Not Found")),
    ("409", Some("Conflict")),
    ("422", Some("Unprocessable Content")),
    ("429", Some("Too Many Requests")),
    ("500", Some("Internal Server Error")),
    ("502", Some("Bad Gateway")),
    ("503", Some("Service Unavailable")),
    ("504", Some("Gateway Timeout")),
];

const TIMES: &[Word] = &[
    ("-15m..", Some("the last 15 minutes")),
    ("-1h..", Some("the last hour")),
    ("-24h..", Some("the last 24 hours")),
    ("-7d..", Some("the last 7 days")),
    ("today", None),
    ("yesterday", None),
];

const DURATIONS: &[&str] = &[">100ms", ">1s", ">10s", "100ms..1s"];
const SIZES: &[&str] = &[">10kb", ">100kb", ">1mb"];
const PROTOCOLS: &[&str] = &["HTTP/1.1", "HTTP/2", "HTTP/3", "HTTP/1.0"];
const MEDIA_TYPES: &[&str] =
    &["json", "html", "javascript", "css", "image/*", "font/*", "text/*", "xml", "event-stream"];

/// Values that a key may have in any log, most wanted first, `*` last.
pub(super) fn values(key: &Key) -> Vec<Word> {
    let plain = |words: &[&'static str]| words.iter().map(|word| (*word, None)).collect();
    let mut words: Vec<Word> = match (key.family(), key) {
        (Family::Status, _) => STATUSES.to_vec(),
        (Family::Time, _) => TIMES.to_vec(),
        (Family::Duration, _) => plain(DURATIONS),
        (Family::Bytes, _) => plain(SIZES),
        (_, Key::Field(Field::Method)) => plain(METHODS),
        (_, Key::Field(Field::Scheme)) => plain(&["https", "http"]),
        (_, Key::Field(Field::Protocol)) => plain(PROTOCOLS),
        (_, Key::Type) => plain(MEDIA_TYPES),
        (family, _) => names(family).into_iter().map(|(_, name)| (name, None)).collect(),
    };
    words.push(("*", Some("whatever it is, if it is there")));
    words
}

const REQUEST: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "if-modified-since",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "traceparent",
    "user-agent",
    "x-forwarded-for",
    "x-request-id",
];

const RESPONSE: &[&str] = &[
    "age",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "set-cookie",
    "vary",
    "via",
    "www-authenticate",
    "x-cache",
    "x-request-id",
];

/// Header fields that are often asked for, of the message that a beginning of keys is about.
pub(super) fn headers(beginning: &str) -> &'static [&'static str] {
    let is_of = |message: &str| beginning.get(..message.len()).is_some_and(|start| start.eq_ignore_ascii_case(message));
    let is_header = beginning.to_ascii_lowercase().contains("header");
    match (is_header, is_of("req") || is_of("http.req")) {
        (true, true) => REQUEST,
        (true, false) => RESPONSE,
        (false, _) => &[],
    }
}
