//! The keys of the query language: names, aliases and what values they take, as data.

use super::ast::Key;
use crate::record::Field;

/// A key with a fixed name.
#[derive(Debug)]
pub struct KeyName {
    /// The canonical name, which is printed.
    pub name: &'static str,
    /// Other names, in lower case. Of a key and its aliases case is ignored.
    pub aliases: &'static [&'static str],
    /// One line for completion lists.
    pub about: &'static str,
    key: Key,
}

/// The beginning of keys that go on with a name of the user's: `query.`, `attr.`.
#[derive(Debug)]
pub struct KeyPrefix {
    /// The canonical beginning, with its last dot.
    pub prefix: &'static str,
    /// Other beginnings, in lower case.
    pub aliases: &'static [&'static str],
    /// One line for completion lists.
    pub about: &'static str,
    make: MakeKey,
}

/// What makes a key of the user's name.
pub(super) type MakeKey = fn(String) -> Key;

const fn name(name: &'static str, aliases: &'static [&'static str], key: Key, about: &'static str) -> KeyName {
    KeyName { name, aliases, about, key }
}

/// Every key with a fixed name. The aliases are the members of the wires' JSON, the names of OpenTelemetry's semantic
/// conventions that ingestion reads into fields, and what people type.
pub static KEYS: &[KeyName] = &[
    name("time", &["ts", "timestamp", "@timestamp"], Key::Time, "when it happened: -1h.., today, 2026-06-23"),
    name("level", &["lvl", "severity"], Key::Level, "trace, debug, info, warn, error, fatal"),
    name("kind", &[], Key::Kind, "exchange, request, response, event"),
    name("method", &["verb", "http.method", "http.request.method"], Key::Field(Field::Method), "HTTP method"),
    name(
        "status",
        &["code", "status_code", "statuscode", "http.status_code", "http.response.status_code"],
        Key::Status,
        "status code: 404, 5xx, 200..299",
    ),
    name("path", &["url.path"], Key::Field(Field::Path), "path without query"),
    name("url", &["uri"], Key::Url, "path and query"),
    name("query", &["query_string", "url.query"], Key::Field(Field::Query), "the whole query string"),
    name("route", &["http.route"], Key::Field(Field::Route), "template of the path"),
    name("host", &["hostname", "server.address"], Key::Field(Field::Host), "host and port as requested"),
    name("scheme", &["url.scheme"], Key::Field(Field::Scheme), "http or https"),
    name("protocol", &["proto"], Key::Field(Field::Protocol), "HTTP/1.1, HTTP/2"),
    name(
        "duration",
        &["duration_ms", "durationms", "dur", "latency", "elapsed"],
        Key::Duration,
        "how long it took: >1.5s; bare numbers are ms",
    ),
    name("size", &["bytes"], Key::Size, "bytes of both bodies: >10kb"),
    name("req.size", &["request.size", "request_size"], Key::ReqSize, "bytes of the request body"),
    name("res.size", &["response.size", "response_size"], Key::ResSize, "bytes of the response body"),
    name(
        "ip",
        &["client_ip", "clientip", "remote_addr", "client.address"],
        Key::Field(Field::ClientIp),
        "address of the client",
    ),
    name("ua", &["user_agent", "useragent", "user_agent.original"], Key::Field(Field::UserAgent), "User-Agent"),
    name("service", &["svc", "service.name"], Key::Field(Field::Service), "originating service"),
    name("project", &[], Key::Field(Field::Project), "project"),
    name("environment", &["env"], Key::Field(Field::Environment), "deployment environment"),
    name("session", &["session_key", "sessionkey"], Key::Field(Field::Session), "test run or session key"),
    name("container", &["container_id", "containerid"], Key::Field(Field::Container), "container or instance"),
    name("source", &[], Key::Source, "backend or edge"),
    name("trace", &["trace_id", "traceid"], Key::Field(Field::TraceId), "trace id"),
    name("span", &["span_id", "spanid"], Key::Field(Field::SpanId), "span id"),
    name("request_id", &["requestid", "req_id"], Key::Field(Field::RequestId), "request id"),
    name("user", &["user_id", "userid"], Key::Field(Field::UserId), "the caller"),
    name("flow", &["flow_name", "flowname"], Key::Field(Field::FlowName), "named flow"),
    name("auth", &["auth_type", "authtype"], Key::Field(Field::AuthType), "how the caller authenticated"),
    name("error", &["err", "error_code", "errorcode", "error.type"], Key::Field(Field::ErrorCode), "error code"),
    name("message", &["msg"], Key::Field(Field::Message), "the whole message; bare text searches in it"),
    name("overridden", &[], Key::Overridden, "true where a rule changed the answer"),
    name("req.body", &["request.body", "request_body"], Key::ReqBody, "text in the request body"),
    name("res.body", &["response.body", "response_body"], Key::ResBody, "text in the response body"),
    name("body", &[], Key::Body, "text in either body"),
    name("type", &["content_type", "contenttype", "mime"], Key::Type, "media type: application/json, json"),
    name("is", &[], Key::Is, "error, slow, truncated, redacted, overridden"),
];

/// Every beginning of keys that end in a name of the user's.
pub static PREFIXES: &[KeyPrefix] = &[
    KeyPrefix { prefix: "query.", aliases: &["param."], about: "one query parameter", make: Key::QueryParam },
    KeyPrefix {
        prefix: "req.header.",
        aliases: &["req.headers.", "request.header.", "request.headers.", "http.request.header."],
        about: "one request header field",
        make: |name| Key::ReqHeader(name.to_ascii_lowercase()),
    },
    KeyPrefix {
        prefix: "res.header.",
        aliases: &["res.headers.", "response.header.", "response.headers.", "http.response.header."],
        about: "one response header field",
        make: |name| Key::ResHeader(name.to_ascii_lowercase()),
    },
    KeyPrefix {
        prefix: "req.json.",
        aliases: &["request.json."],
        about: "the value at a path of the request body",
        make: Key::ReqJson,
    },
    KeyPrefix {
        prefix: "res.json.",
        aliases: &["response.json."],
        about: "the value at a path of the response body",
        make: Key::ResJson,
    },
    KeyPrefix {
        prefix: "attr.",
        aliases: &["attrs.", "attribute.", "attributes."],
        about: "the value at a path of the attributes",
        make: Key::Attr,
    },
];

// Longer than any name and two slips, so that comparing costs little.
const LONGEST_SLIP: usize = 32;

/// What values a key takes and what a comparison of them means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Time,
    Level,
    Kind,
    Source,
    Status,
    Duration,
    Bytes,
    Truth,
    Flag,
    /// Text that is never a number: equality is of the text.
    Text,
    /// Text that may be a number: equality is of either.
    Open,
    /// Long text: a value is looked for in it.
    Body,
}

impl Key {
    /// The key of a fixed name or alias.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        KEYS.iter().find(|entry| is(&entry.name) || entry.aliases.iter().any(is)).map(|entry| entry.key.clone())
    }

    /// How long the prefix is that `text` begins with, and what makes a key of the rest.
    pub(super) fn prefixed(text: &str) -> Option<(usize, MakeKey)> {
        let fits = |prefix: &&str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        PREFIXES.iter().find_map(|entry| {
            let prefix = std::iter::once(&entry.prefix).chain(entry.aliases).find(|prefix| fits(prefix))?;
            Some((prefix.len(), entry.make))
        })
    }

    /// The known name nearest to an unknown one, if it is likely a slip.
    pub(super) fn nearest(unknown: &str) -> Option<&'static str> {
        if unknown.len() > LONGEST_SLIP {
            return None;
        }
        let unknown = unknown.to_ascii_lowercase();
        let most = if unknown.len() < 5 { 1 } else { 2 };
        KEYS.iter()
            .flat_map(|entry| std::iter::once(&entry.name).chain(entry.aliases))
            .filter(|known| known.len() > 2)
            .map(|known| (distance(&unknown, known), *known))
            .filter(|(distance, _)| *distance <= most)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    }

    /// The canonical beginning of the key and, for those that have one, the user's name behind it.
    pub(super) fn spelling(&self) -> (&'static str, Option<&str>) {
        let prefixed = match self {
            Self::QueryParam(name) => ("query.", Some(name)),
            Self::ReqHeader(name) => ("req.header.", Some(name)),
            Self::ResHeader(name) => ("res.header.", Some(name)),
            Self::ReqJson(path) => ("req.json.", Some(path)),
            Self::ResJson(path) => ("res.json.", Some(path)),
            Self::Attr(name) => ("attr.", Some(name)),
            fixed => (KEYS.iter().find(|entry| entry.key == *fixed).map_or("", |entry| entry.name), None),
        };
        (prefixed.0, prefixed.1.map(String::as_str))
    }

    pub(super) fn family(&self) -> Family {
        match self {
            Self::Time => Family::Time,
            Self::Level => Family::Level,
            Self::Kind => Family::Kind,
            Self::Source => Family::Source,
            Self::Status => Family::Status,
            Self::Duration => Family::Duration,
            Self::Size | Self::ReqSize | Self::ResSize => Family::Bytes,
            Self::Overridden => Family::Truth,
            Self::Is => Family::Flag,
            Self::Field(_) | Self::Url | Self::Type => Family::Text,
            Self::ReqBody | Self::ResBody | Self::Body => Family::Body,
            Self::QueryParam(_)
            | Self::ReqHeader(_)
            | Self::ResHeader(_)
            | Self::ReqJson(_)
            | Self::ResJson(_)
            | Self::Attr(_) => Family::Open,
        }
    }
}

// Levenshtein; names are short
fn distance(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_key_and_every_name_is_its_own() {
        for field in Field::ALL {
            assert_ne!(Key::Field(*field).spelling().0, "", "{field:?}");
        }
        let mut seen = std::collections::BTreeSet::new();
        let prefixes = PREFIXES.iter().map(|entry| (&entry.prefix, entry.aliases));
        for (name, aliases) in KEYS.iter().map(|entry| (&entry.name, entry.aliases)).chain(prefixes) {
            for known in std::iter::once(name).chain(aliases) {
                assert!(seen.insert(*known), "{known} twice");
                assert_eq!(known.to_ascii_lowercase(), *known);
            }
        }
    }

    #[test]
    fn slips_find_their_key() {
        let check = |typed, meant| assert_eq!(Key::nearest(typed), meant, "{typed}");
        check("stauts", Some("status"));
        check("methd", Some("method"));
        check("Servce", Some("service"));
        check("retries", None);
        check("a", None);
    }
}
