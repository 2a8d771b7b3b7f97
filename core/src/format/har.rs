//! HTTP Archive 1.1 and 1.2 as browsers, proxies and test tools really write it.
//!
//! Every member may be missing, null or -1. What has no field of its own stays in the attributes under its own name,
//! `_` extensions and timings included; cookies and query lists repeat header fields and URL and are not kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::attributes::Attributes;
use super::content;
use super::draft::describe;
use super::json::{self, Value};
use super::time::{self, Unit};
use super::url::{Url, protocol};
use crate::body::{Body, Cut};
use crate::level::Level;
use crate::record::{Field, Kind, Record};
use crate::timestamp::Timestamp;

/// Reads one entry.
pub(super) fn read(text: &str, now: Timestamp) -> Result<Record, String> {
    let mut entry = Entry::default();
    let mut record = Record::new(now);
    let mut attributes = Attributes::default();
    let mut parts = (None, None);
    json::object(text, |key, raw| match key.as_ref() {
        "request" => parts.0 = Value::Json(raw).object(),
        "response" => parts.1 = Value::Json(raw).object(),
        _ if entry.clock(&key, raw) || is_nothing(raw) => {}
        _ => attributes.push(&key, Value::Json(raw)),
    })
    .map_err(|error| describe(&error))?;
    if parts == (None, None) {
        return Err("an entry without request and response".to_owned());
    }
    if let Some(request) = parts.0 {
        let rest = entry.request(request, &mut record).map_err(|error| describe(&error))?;
        attributes.nest("request", rest);
    }
    if let Some(response) = parts.1 {
        let rest = entry.response(response, &mut record).map_err(|error| describe(&error))?;
        attributes.nest("response", rest);
    }
    record.time = entry.started.unwrap_or(now);
    record.duration = entry.took;
    let answered = record.status.is_some() || !record.response.is_empty() || parts.1.is_some();
    record.kind = match (record.text(Field::Method), answered) {
        (Some(_), true) => Kind::Exchange,
        (_, false) => Kind::Request,
        (None, true) => Kind::Response,
    };
    content::derive(&mut record);
    record.level = Level::at_ingestion(entry.failed.then_some(Level::Error), record.status);
    record.attributes = attributes.finish();
    Ok(record)
}

#[derive(Default)]
struct Entry {
    started: Option<Timestamp>,
    took: Option<u64>,
    failed: bool,
}

impl Entry {
    /// Takes the entry's time and duration, which some writers put into the request.
    fn clock(&mut self, key: &str, raw: &str) -> bool {
        let text = Value::Json(raw).text();
        match key {
            "startedDateTime" => {
                let started = text.and_then(|text| time::timestamp(&text));
                self.started = self.started.or(started);
                started.is_some() || raw == "null"
            }
            "time" => {
                self.took = self.took.or(text.and_then(|text| time::duration(&text, Unit::Millis)));
                true
            }
            _ => false,
        }
    }

    fn request(&mut self, text: &str, record: &mut Record) -> Result<Attributes, serde_json::Error> {
        let mut rest = Attributes::default();
        let (mut post, mut size) = (None, None);
        json::object(text, |key, raw| {
            let value = Value::Json(raw);
            match key.as_ref() {
                "method" => {
                    record
                        .texts
                        .set_some(Field::Method, value.string().map(|name| name.to_ascii_uppercase()).as_deref());
                }
                "url" => {
                    let url = value.string().unwrap_or_default();
                    let url = Url::split(&url);
                    url.fill(record);
                    rest.push_text("fragment", url.fragment.unwrap_or_default());
                }
                "httpVersion" => version(value, record),
                "headers" => _ = content::headers(value, &mut record.request.headers),
                "postData" => post = value.object(),
                "bodySize" => size = count(raw),
                "cookies" | "queryString" | "headersSize" => {}
                _ if self.clock(&key, raw) || is_nothing(raw) => {}
                _ => rest.push(&key, value),
            }
        })?;
        let post = post.map(|post| post_data(post, size)).transpose()?.flatten();
        record.request.body = post.or_else(|| size.filter(|size| *size > 0).map(content::sized));
        Ok(rest)
    }

    fn response(&mut self, text: &str, record: &mut Record) -> Result<Attributes, serde_json::Error> {
        let mut rest = Attributes::default();
        let (mut body, mut size) = (None, None);
        json::object(text, |key, raw| {
            let value = Value::Json(raw);
            match key.as_ref() {
                "status" => {
                    let status = value.text().and_then(|text| text.parse().ok());
                    record.status = status.filter(|status| (100..1000).contains(status));
                }
                "httpVersion" => version(value, record),
                "headers" => _ = content::headers(value, &mut record.response.headers),
                "content" => body = value.object(),
                "bodySize" => size = count(raw),
                "_error" => self.error(value, record),
                "cookies" | "headersSize" | "statusText" | "redirectURL" => {}
                _ if is_nothing(raw) => {}
                _ => rest.push(&key, value),
            }
        })?;
        record.response.body = body.map(|body| response_content(body, size)).transpose()?.flatten();
        if record.response.body.is_none() {
            record.response.body = size.filter(|size| *size > 0).map(content::sized);
        }
        Ok(rest)
    }

    /// Chrome and mitmproxy write a text, chrome-har-capturer an object of message and code.
    fn error(&mut self, value: Value<'_>, record: &mut Record) {
        let (mut code, mut message) = (None, None);
        if let Some(object) = value.object() {
            let _read = json::object(object, |key, raw| match key.as_ref() {
                "code" => code = Value::Json(raw).text(),
                "message" => message = Value::Json(raw).text(),
                _ => {}
            });
        } else if let Some(text) = value.string().filter(|text| !text.is_empty()) {
            let is_code = !text.contains(char::is_whitespace);
            *(if is_code { &mut code } else { &mut message }) = Some(text);
        }
        self.failed |= code.is_some() || message.is_some();
        if message.is_some() && code.is_none() {
            code = Some("network_error".into());
        }
        record.texts.set_some(Field::ErrorCode, code.as_deref());
        record.texts.set_some(Field::Message, message.as_deref());
    }
}

/// The first version named is kept: what the client spoke, or where it did not come that far, the server.
fn version(value: Value<'_>, record: &mut Record) {
    if let Some(name) = value.string().filter(|name| !name.is_empty() && name != "unknown") {
        record.texts.set_default(Field::Protocol, protocol(&name));
    }
}

fn post_data(text: &str, size: Option<u64>) -> Result<Option<Body>, serde_json::Error> {
    let (mut content_type, mut body, mut encoding, mut params) = (None, None, None, None);
    json::object(text, |key, raw| {
        let value = Value::Json(raw);
        match key.as_ref() {
            "mimeType" => content_type = value.string().filter(|name| !name.is_empty()),
            "text" => body = value.string(),
            "encoding" | "_encoding" => encoding = value.string(),
            "params" => params = value.nested().filter(|list| list.starts_with('[')),
            _ => {}
        }
    })?;
    let content_type = content_type.map(std::borrow::Cow::into_owned);
    let mut body = match body.filter(|body| !body.is_empty()) {
        Some(text) => decoded(&text, encoding.as_deref()),
        None => match params.map(form).transpose()?.filter(|form| !form.is_empty()) {
            Some(form) => Body { size: form.len() as u64, bytes: form.into_bytes(), ..Body::default() },
            None => match size.filter(|size| *size > 0) {
                Some(size) => content::sized(size),
                None => return Ok(None),
            },
        },
    };
    body.size = size.filter(|size| *size > 0).unwrap_or(body.size);
    body.content_type = content_type;
    Ok(Some(body))
}

/// The parameters as `application/x-www-form-urlencoded`; of an uploaded file its name.
fn form(params: &str) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    json::array(params, |param| {
        let (mut name, mut content, mut file) = (None, None, None);
        let _read = json::object(param, |key, raw| match key.as_ref() {
            "name" => name = Value::Json(raw).text(),
            "value" => content = Value::Json(raw).text(),
            "fileName" => file = Value::Json(raw).text(),
            _ => {}
        });
        if let Some(name) = name {
            if !out.is_empty() {
                out.push('&');
            }
            let value = content.or(file).unwrap_or_default();
            out.extend(utf8_percent_encode(&name, NON_ALPHANUMERIC));
            out.push('=');
            out.extend(utf8_percent_encode(&value, NON_ALPHANUMERIC));
        }
    })?;
    Ok(out)
}

fn response_content(text: &str, wire: Option<u64>) -> Result<Option<Body>, serde_json::Error> {
    let (mut content_type, mut body, mut encoding) = (None, None, None);
    let (mut size, mut saved) = (None, 0);
    json::object(text, |key, raw| {
        let value = Value::Json(raw);
        match key.as_ref() {
            "mimeType" => content_type = value.string().filter(|name| !name.is_empty() && name != "x-unknown"),
            "text" => body = value.string(),
            "encoding" => encoding = value.string(),
            "size" => size = count(raw),
            "compression" => saved = count(raw).unwrap_or(0),
            _ => {}
        }
    })?;
    let text = body.filter(|body| !body.is_empty());
    let mut body = match (text, size) {
        (Some(text), _) => decoded(&text, encoding.as_deref()),
        (None, Some(size)) => content::sized(size),
        (None, None) => return Ok(None),
    };
    let unpacked = size.unwrap_or(body.size).max(body.bytes.len() as u64);
    // 0 is what a browser writes for an answer from its cache
    body.size = wire.filter(|wire| *wire > 0).unwrap_or_else(|| unpacked.saturating_sub(saved));
    body.content_type = content_type.map(std::borrow::Cow::into_owned);
    Ok(Some(body))
}

fn decoded(text: &str, encoding: Option<&str>) -> Body {
    let bytes = match encoding {
        Some("base64") => {
            let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(packed)
        }
        _ => Ok(text.as_bytes().to_vec()),
    };
    match bytes {
        Ok(bytes) => Body { size: bytes.len() as u64, bytes, ..Body::default() },
        Err(_) => Body { size: text.len() as u64, cut: Some(Cut::Undecodable), ..Body::default() },
    }
}

/// A count of bytes; -1 and null are unknown.
fn count(raw: &str) -> Option<u64> {
    raw.parse().ok().or_else(|| raw.parse::<f64>().ok().filter(|size| *size >= 0.0).map(|size| size as u64))
}

fn is_nothing(raw: &str) -> bool {
    matches!(raw, "null" | "\"\"" | "{}" | "[]")
}
