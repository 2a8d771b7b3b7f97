//! Header fields and bodies in the shapes that JSON logs give them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::Value;
use super::scan::Scan;
use crate::body::{Body, Cut};
use crate::headers::Headers;
use crate::record::{Field, Record};

/// Appends the fields of `value` to `headers`; false when it is no shape of header fields.
///
/// Known shapes: an object of strings or arrays of strings, an array of `[name, value]`, HAR's array of
/// `{"name":…,"value":…}`. Pseudo-header fields of HTTP/2 (`:path`) are dropped, because the record has them.
pub(super) fn headers(value: Value<'_>, headers: &mut Headers) -> bool {
    value.nested().is_some_and(|text| scan_headers(&mut Scan::new(text), headers).is_some())
}

/// As [`headers`] of the object or array that `scan` stands before, which is taken.
pub(super) fn scan_headers(scan: &mut Scan<'_>, headers: &mut Headers) -> Option<()> {
    let mut push = |name: &str, value: &str| {
        if !name.is_empty() && !name.starts_with(':') {
            headers.push(name, value);
        }
    };
    if scan.peek()? == b'{' {
        return scan.object(|name, scan| each_text(scan, |value| push(&name, value)));
    }
    scan.array(|scan| match scan.peek()? {
        b'[' => {
            let (mut name, mut value, mut count) = (Cow::Borrowed(""), Cow::Borrowed(""), 0);
            scan.array(|scan| {
                let piece = Value::Json(scan.value()?).text().unwrap_or_default();
                match count {
                    0 => name = piece,
                    _ => value = piece,
                }
                count += 1;
                Some(())
            })?;
            if count == 2 {
                push(&name, &value);
            }
            Some(())
        }
        b'{' => {
            let (mut name, mut content) = (None, None);
            scan.object(|key, scan| {
                let value = Value::Json(scan.value()?);
                match key.as_ref() {
                    "name" | "key" => name = value.text(),
                    "value" => content = value.text(),
                    _ => {}
                }
                Some(())
            })?;
            if let Some(name) = name {
                push(&name, content.as_deref().unwrap_or_default());
            }
            Some(())
        }
        _ => scan.value().map(drop),
    })
}

fn each_text(scan: &mut Scan<'_>, mut each: impl FnMut(&str)) -> Option<()> {
    let mut one = |scan: &mut Scan<'_>| {
        if let Some(text) = Value::Json(scan.value()?).text() {
            each(&text);
        }
        Some(())
    };
    if scan.peek()? == b'[' { scan.array(one) } else { one(scan) }
}

/// A body as a log gives it: a string, any JSON value, or the metadata object of reqlog's own records.
pub(super) fn body(value: Value<'_>) -> Option<Body> {
    if value.is_null() {
        return None;
    }
    if let Some(own) = value.object().and_then(|object| metadata(&mut Scan::new(object))?.ok()) {
        return Some(own);
    }
    if let Some(text) = value.string() {
        return Some(whole(text.into_owned().into_bytes(), None));
    }
    let Value::Json(json) = value else { return None };
    Some(json_body(json))
}

/// As [`body`] of the object that `scan` stands before, which is taken.
pub(super) fn scan_body(scan: &mut Scan<'_>) -> Option<Body> {
    let (own, json) = scan.spanned(metadata)?;
    Some(own.unwrap_or_else(|NotOurs| json_body(json)))
}

fn json_body(json: &str) -> Body {
    whole(json.as_bytes().to_vec(), Some("application/json".to_owned()))
}

/// A body of which only its size is known.
pub(super) fn sized(size: u64) -> Body {
    Body { size, cut: (size > 0).then_some(Cut::NotCaptured), ..Body::default() }
}

fn whole(bytes: Vec<u8>, content_type: Option<String>) -> Body {
    Body { size: bytes.len() as u64, bytes, withheld: 0, content_type, cut: None }
}

/// An object that does not describe a body but is one.
struct NotOurs;

/// Reads `{"size":…,"captured":…,"truncated":…,"content_type":…,"preview":…,"text"|"base64"|"json":…}`.
fn metadata(scan: &mut Scan<'_>) -> Option<Result<Body, NotOurs>> {
    let (mut size, mut captured, mut truncated) = (None, None, false);
    let (mut cut, mut content_type, mut preview, mut bytes) = (None, None, None, None);
    let mut known = true;
    scan.object(|key, scan| {
        let raw = scan.value()?;
        let text = if known { Value::Json(raw).text() } else { None };
        let number = || raw.parse::<u64>().ok();
        match key.as_ref() {
            "size" => size = number(),
            "captured" => captured = number(),
            "truncated" => truncated = raw == "true",
            "cut" | "reason" | "encoding" => {
                cut = cut.or_else(|| Cut::ALL.into_iter().find(|cut| Some(cut.name()) == text.as_deref()));
            }
            "content_type" | "contentType" => content_type = text.map(std::borrow::Cow::into_owned),
            "preview" => preview = text.map(|text| text.into_owned().into_bytes()),
            "text" => bytes = text.map(|text| text.into_owned().into_bytes()),
            "base64" => bytes = text.and_then(|text| STANDARD.decode(text.as_ref()).ok()),
            "json" => bytes = Some(raw.as_bytes().to_vec()),
            _ => known = false,
        }
        Some(())
    })?;
    let Some(size) = size.filter(|_| known) else { return Some(Err(NotOurs)) };
    let bytes = match (bytes, preview) {
        (Some(bytes), _) => bytes,
        // a list shows the beginning only
        (None, Some(preview)) => {
            if captured.unwrap_or(size) > preview.len() as u64 {
                cut = cut.or(Some(Cut::Cap));
            }
            preview
        }
        (None, None) => {
            if size > 0 {
                cut = cut.or(Some(Cut::NotCaptured));
            }
            Vec::new()
        }
    };
    if truncated {
        cut = cut.or(Some(Cut::Cap));
    }
    Some(Ok(Body { size, bytes, withheld: 0, content_type, cut }))
}

/// Fills fields that header fields tell, for sources that write only those.
pub(super) fn derive(record: &mut Record) {
    let Record { texts, request, response, .. } = record;
    for (field, name) in [(Field::UserAgent, "user-agent"), (Field::Host, "host")] {
        if let (None, Some(value)) = (texts.get(field), request.headers.get(name).filter(|value| !value.is_empty())) {
            texts.set(field, value);
        }
    }
    for message in [request, response] {
        if let (Some(body), Some(content_type)) = (&mut message.body, message.headers.get("content-type")) {
            body.content_type = Some(content_type.to_owned());
        }
    }
}
