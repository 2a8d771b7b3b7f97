//! From what a proxy saw to the record that an importer would make of it.

use crate::accept;
use crate::body::{Body, Cut};
use crate::format::url::{Url, address, protocol};
use crate::headers::Headers;
use crate::level::Level;
use crate::record::{Field, Kind, Record, Source};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use std::borrow::Cow;
use std::time::Duration;

/// One exchange as it was seen between a client and an origin.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    /// As the client sent it.
    pub method: &'a Method,
    /// What the client asked for, absolute; its path and query are kept byte for byte.
    pub url: &'a str,
    /// What the client spoke, in any spelling: `HTTP/2`, `h2`, `1.1`.
    pub protocol: Option<&'a str>,
    /// The client's address, with or without port.
    pub client: Option<&'a str>,
    /// As the client sent them, those of the hop included.
    pub request_headers: &'a HeaderMap,
    /// What the client sent.
    pub request_body: Captured,
    /// What the client was answered; absent where it was not.
    pub status: Option<u16>,
    /// As the origin sent them, those of the hop included; the proxy's own where it answered.
    pub response_headers: &'a HeaderMap,
    /// What was sent to the client.
    pub response_body: Captured,
    /// When the request's head was there.
    pub started: Timestamp,
    /// From then to the end of the response's body.
    pub duration: Duration,
    /// Why the origin did not answer.
    pub failure: Option<Failure<'a>>,
}

/// What was kept of a body that streamed through; the default is that of a message without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its first bytes, as sent; at most the cap.
    pub bytes: Bytes,
    /// How many passed in all.
    pub size: u64,
    /// How it ended.
    pub end: End,
}

/// How a streamed body ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// As its sender meant it.
    #[default]
    Whole,
    /// Its sender broke off.
    Aborted,
    /// Its receiver read no further.
    Cancelled,
}

/// Why an origin did not answer, with the reason for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<'a> {
    /// It was not reached, or what came from it was no HTTP: the client got a 502.
    Unreachable(&'a str),
    /// It took too long: the client got a 504.
    TimedOut(&'a str),
}

impl Exchange<'_> {
    /// The record of this exchange: what an importer makes of the same exchange in a HAR file, of
    /// [`Source::Edge`].
    ///
    /// **Ours:** where an exchange did not end well, `error_code` says why: `upstream_unreachable`, `upstream_timeout`,
    /// `upstream_aborted` (the origin broke its answer off) at level error, `client_aborted` (the client broke its
    /// request off or did not take the whole answer) at level warn. A client that is answered before it sent everything
    /// is no failure. Values of header fields that are not UTF-8 are read as ISO 8859-1.
    pub fn record(self) -> Record {
        let mut record = Record::new(self.started);
        let ended = self.ended();
        record.source = Some(Source::Edge);
        record.status = self.status.filter(|status| (100..1000).contains(status));
        record.duration = Some(u64::try_from(self.duration.as_nanos()).unwrap_or(u64::MAX));
        record.kind = if record.status.is_some() { Kind::Exchange } else { Kind::Request };
        record.texts.set(Field::Method, &self.method.as_str().to_ascii_uppercase());
        Url::split(self.url).fill(&mut record);
        record.texts.set_some(Field::Protocol, self.protocol.map(protocol));
        record.texts.set_some(Field::ClientIp, self.client.map(address));
        record.request.headers = headers(self.request_headers);
        record.response.headers = headers(self.response_headers);
        record.request.body = self.request_body.seen().then(|| self.request_body.body(self.request_headers));
        record.response.body = record.status.map(|_| self.response_body.body(self.response_headers));
        if let Some((code, message, _)) = ended {
            record.texts.set(Field::ErrorCode, code);
            record.texts.set_some(Field::Message, message);
        }
        record.level = Level::at_ingestion(ended.map(|(.., level)| level), record.status);
        accept::derive(&mut record);
        record
    }

    // What the client did comes first: an origin whose request broke off may well fail.
    fn ended(&self) -> Option<(&'static str, Option<&str>, Level)> {
        match (self.failure, self.request_body.end, self.response_body.end) {
            (_, End::Aborted, _) | (None, _, End::Cancelled) => Some(("client_aborted", None, Level::Warn)),
            (Some(Failure::Unreachable(why)), ..) => Some(("upstream_unreachable", Some(why), Level::Error)),
            (Some(Failure::TimedOut(why)), ..) => Some(("upstream_timeout", Some(why), Level::Error)),
            (None, _, End::Aborted) => Some(("upstream_aborted", None, Level::Error)),
            (None, _, End::Whole) => None,
        }
    }
}

impl Captured {
    fn seen(&self) -> bool {
        self.size > 0 || self.end == End::Aborted
    }

    fn body(&self, headers: &HeaderMap) -> Body {
        let cut = match self.end {
            _ if self.size > self.bytes.len() as u64 => Some(Cut::Cap),
            End::Whole => None,
            // the rest never came
            End::Aborted | End::Cancelled => Some(Cut::NotCaptured),
        };
        let content_type = headers.get(http::header::CONTENT_TYPE).map(|value| text(value).into_owned());
        let mut body = Body {
            size: self.size.max(self.bytes.len() as u64),
            bytes: self.bytes.to_vec(),
            withheld: 0,
            content_type,
            cut,
        };
        // half of an encoded body is mended by nothing
        if cut.is_some() && !headers.contains_key(http::header::CONTENT_ENCODING) {
            body.mend();
        }
        body
    }
}

fn headers(seen: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in seen {
        headers.push(name.as_str(), &text(value));
    }
    headers
}

// RFC 9110, 5.5: what is not ASCII is opaque; it is UTF-8, or what the field was once defined to be.
pub(super) fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests;
