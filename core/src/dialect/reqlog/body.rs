//! `GET /logs/{id}/body`: the captured bytes, or a view of them.
//!
//! Captured bytes come from anywhere and are sent from the origin of the UI. They are never rendered there: type
//! sniffing is off, a policy sandboxes what a browser opens, and what could run script is offered as a download.

use super::entry::tag;
use super::parameters::{SIDE, VIEW};
use super::range::Wanted;
use crate::dialect::flowmock::describe;
use crate::dialect::params::Params;
use crate::dialect::{Asked, respond, set};
use crate::error::{Error, Thing};
use crate::id::EntryId;
use crate::record::Stored;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, IF_RANGE, RANGE,
};
use http::{HeaderValue, Response, StatusCode};
use std::fmt::Write;

/// Which body, and how it is shown.
#[derive(Debug)]
pub(crate) struct View {
    side: &'static str,
    form: Form,
    range: Option<String>,
    if_range: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The bytes.
    Raw,
    /// As UTF-8, what is not replaced.
    Text,
    /// As JSON, whatever it is: as `FlowMock` sends it.
    Json,
    /// As a dump.
    Hex,
}

impl View {
    pub(super) fn read(asked: &Asked<'_>, params: &Params) -> Self {
        let side = params.word(&SIDE).unwrap_or_default();
        let form = match params.word(&VIEW) {
            None => Form::Raw,
            Some("text") => Form::Text,
            Some("json") => Form::Json,
            Some(_) => Form::Hex,
        };
        let field = |name| asked.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { side, form, range: field(RANGE), if_range: field(IF_RANGE) }
    }

    pub(super) fn reply(&self, row: &Stored) -> Result<Response<Bytes>, Error> {
        let message = if self.side == "request" { &row.record.request } else { &row.record.response };
        let body = message.body.as_ref().ok_or(Error::Missing(Thing::Body))?;
        let mut truncated = false;
        let mut encoding = body.encoding().name();
        let (content_type, bytes): (&str, Bytes) = match self.form {
            Form::Raw => (body.content_type.as_deref().unwrap_or(UNKNOWN), body.bytes.clone().into()),
            Form::Text => (PLAIN, String::from_utf8_lossy(&body.bytes).into_owned().into()),
            Form::Hex => (PLAIN, hex(&body.bytes).into()),
            Form::Json => {
                let rendered = body.render_json(JSON_LIMIT);
                (truncated, encoding) = (rendered.truncated, rendered.encoding.name());
                ("application/json", rendered.json.into())
            }
        };
        let mut response = self.slice(row.id, bytes)?;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static(UNKNOWN)));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
        if self.form == Form::Raw && !inert(content_type) {
            set(headers, CONTENT_DISPOSITION, &format!("attachment; filename=\"{}-{}\"", row.id.to_text(), self.side));
        }
        describe(headers, body, encoding, truncated);
        Ok(response)
    }

    fn slice(&self, id: EntryId, bytes: Bytes) -> Result<Response<Bytes>, Error> {
        let form = match self.form {
            Form::Raw => "",
            Form::Text => "-text",
            Form::Json => "-json",
            Form::Hex => "-hex",
        };
        let mut whole = respond(StatusCode::OK, UNKNOWN, Bytes::new());
        tag(&mut whole, id, &format!("-{}{form}", self.side));
        // a range of another representation than the client has would not fit to what it has
        let fits = self.if_range.as_deref().is_none_or(|known| {
            whole.headers().get(http::header::ETAG).is_some_and(|tag| tag.as_bytes() == known.as_bytes())
        });
        whole.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let size = bytes.len();
        match Wanted::read(self.range.as_deref().filter(|_| fits), size) {
            Wanted::Nothing => return Err(Error::Range { size: size as u64 }),
            Wanted::Whole => *whole.body_mut() = bytes,
            Wanted::Part(range) => {
                *whole.status_mut() = StatusCode::PARTIAL_CONTENT;
                let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                set(whole.headers_mut(), CONTENT_RANGE, &content_range);
                *whole.body_mut() = bytes.slice(range);
            }
        }
        Ok(whole)
    }
}

const UNKNOWN: &str = "application/octet-stream";
const PLAIN: &str = "text/plain; charset=utf-8";
const JSON_LIMIT: usize = 262_144;

/// Whether a browser shows the type without ever running script: everything else is downloaded.
fn inert(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let picture = essence.strip_prefix("image/").is_some_and(|kind| kind != "svg+xml");
    let json = essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json");
    let text = ["text/plain", "text/csv", "application/x-ndjson"].contains(&essence.as_str());
    picture || json || text || essence.starts_with("audio/") || essence.starts_with("video/")
}

/// Sixteen bytes a line: offset, hexadecimal, printable ASCII.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5);
    for (line, chunk) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "{:08x} ", line * 16);
        for at in 0..16 {
            let gap = if at == 8 { "  " } else { " " };
            let _ = match chunk.get(at) {
                Some(byte) => write!(out, "{gap}{byte:02x}"),
                None => write!(out, "{gap}  "),
            };
        }
        let shown = chunk.iter().map(|byte| if (0x20..0x7f).contains(byte) { *byte as char } else { '.' });
        out.push_str("  |");
        out.extend(shown);
        out.push_str("|\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_aligned() {
        let dump = hex(b"0123456789abcdefgh\n");
        assert_eq!(
            dump,
            "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n\
             00000010  67 68 0a                                          |gh.|\n"
        );
    }

    #[test]
    fn what_may_run_script_is_downloaded() {
        for shown in ["image/png", "application/json; charset=utf-8", "text/plain", "application/hal+json"] {
            assert!(inert(shown), "{shown}");
        }
        for kept in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf", "", "x"] {
            assert!(!inert(kept), "{kept}");
        }
    }
}
