//! One generated exchange, as a line of reqlog NDJSON or as a record.

use reqlog_core::body::Body;
use reqlog_core::headers::Headers;
use reqlog_core::level::Level;
use reqlog_core::record::{Field, Kind, Message, Record};
use reqlog_core::timestamp::Timestamp;
use std::io::Write as _;

/// What one exchange was; its buffers are used again for the next.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// When, in ms since 1970.
    pub time_ms: i64,
    /// Status code.
    pub status: u16,
    /// Microseconds.
    pub duration_us: u64,
    /// HTTP method.
    pub method: &'static str,
    /// Of the caller.
    pub agent: &'static str,
    /// Protocol.
    pub protocol: &'static str,
    /// Machine-readable error; empty is none.
    pub error_code: &'static str,
    /// A quiet record of a good exchange.
    pub debug: bool,
    /// Service.
    pub service: String,
    /// Container.
    pub container: String,
    /// Host.
    pub host: String,
    /// Path.
    pub path: String,
    /// Query; empty is none.
    pub query: String,
    /// Template of the path.
    pub route: String,
    /// IPv4.
    pub client_ip: String,
    /// Caller; empty is none.
    pub user_id: String,
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// Log message.
    pub message: String,
    /// Header fields of the request.
    pub request_headers: Vec<(&'static str, &'static str)>,
    /// Header fields of the response.
    pub response_headers: Vec<(&'static str, &'static str)>,
    /// JSON; empty is none.
    pub request_body: Vec<u8>,
    /// JSON; empty is none.
    pub response_body: Vec<u8>,
}

const JSON: &str = "application/json";

impl Entry {
    /// Severity as its service logs it.
    pub fn level(&self) -> Level {
        match self.status {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ if self.debug => Level::Debug,
            _ => Level::Info,
        }
    }

    fn texts(&self) -> [(Field, &str); 16] {
        [
            (Field::Service, &self.service),
            (Field::Container, &self.container),
            (Field::Method, self.method),
            (Field::Host, &self.host),
            (Field::Path, &self.path),
            (Field::Query, &self.query),
            (Field::Route, &self.route),
            (Field::ClientIp, &self.client_ip),
            (Field::UserAgent, self.agent),
            (Field::Protocol, self.protocol),
            (Field::TraceId, &self.trace_id),
            (Field::SpanId, &self.span_id),
            (Field::UserId, &self.user_id),
            (Field::ErrorCode, self.error_code),
            (Field::Message, &self.message),
            (Field::Scheme, ""),
        ]
    }

    /// Appends the line, with its end.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let time = Timestamp::from_millis(self.time_ms).to_rfc3339_millis();
        // writing to a Vec cannot fail
        let _ = write!(out, "{{\"time\":\"{time}\",\"level\":\"{}\"", self.level().name());
        for (field, value) in self.texts().into_iter().filter(|(_, value)| !value.is_empty()) {
            member(out, field.name());
            string(out, value.as_bytes());
        }
        let (ms, us) = (self.duration_us / 1000, self.duration_us % 1000);
        let _ = write!(out, ",\"status\":{},\"duration_ms\":{ms}.{us:03}", self.status);
        side(out, "request", &self.request_headers, &self.request_body);
        side(out, "response", &self.response_headers, &self.response_body);
        out.extend_from_slice(b"}\n");
    }

    /// The record that reading the line gives.
    pub fn record(&self) -> Record {
        let mut record = Record::new(Timestamp::from_millis(self.time_ms));
        record.kind = Kind::Exchange;
        record.level = self.level();
        record.status = Some(self.status);
        record.duration = Some(self.duration_us * 1000);
        for (field, value) in self.texts() {
            record.texts.set_some(field, Some(value));
        }
        let side = |headers: &[(&'static str, &'static str)], bytes: &Vec<u8>| Message {
            headers: headers.iter().copied().collect::<Headers>(),
            body: (!bytes.is_empty()).then(|| Body {
                size: bytes.len() as u64,
                bytes: bytes.clone(),
                content_type: Some(JSON.into()),
                ..Body::default()
            }),
        };
        record.request = side(&self.request_headers, &self.request_body);
        record.response = side(&self.response_headers, &self.response_body);
        record
    }
}

fn member(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn side(out: &mut Vec<u8>, name: &str, headers: &[(&str, &str)], body: &[u8]) {
    if headers.is_empty() && body.is_empty() {
        return;
    }
    member(out, name);
    out.extend_from_slice(b"{\"headers\":[");
    for (n, (name, value)) in headers.iter().enumerate() {
        out.extend_from_slice(if n == 0 { b"[" } else { b",[" });
        string(out, name.as_bytes());
        out.push(b',');
        string(out, value.as_bytes());
        out.push(b']');
    }
    out.push(b']');
    if !body.is_empty() {
        let _ = write!(out, ",\"body\":{{\"size\":{},\"content_type\":\"{JSON}\",\"text\":", body.len());
        string(out, body);
        out.push(b'}');
    }
    out.push(b'}');
}

// generated text is printable ASCII
fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
