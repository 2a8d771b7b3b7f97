//! Header fields and bodies in the shapes that JSON logs give them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::{self, Value};
use crate::body::{Body, Cut};
use crate::headers::Headers;
use crate::record::{Field, Record};

/// Appends the fields of `value` to `headers`; false when it is no shape of header fields.
///
/// Known shapes: an object of strings or arrays of strings, an array of `[name, value]`, HAR's array of
/// `{"name":…,"value":…}`. Pseudo-header fields of HTTP/2 (`:path`) are dropped, because the record has them.
pub(super) fn headers(value: Value<'_>, headers: &mut Headers) -> bool {
    let Some(text) = value.nested() else { return false };
    let mut push = |name: &str, value: &str| {
        if !name.is_empty() && !name.starts_with(':') {
            headers.push(name, value);
        }
    };
    if text.starts_with('{') {
        let read = json::object(text, |name, value| each_text(value, |value| push(&name, value)));
        return read.is_ok();
    }
    json::array(text, |field| {
        if field.starts_with('[') {
            let mut pair = Vec::new();
            let _read = json::array(field, |piece| pair.push(Value::Json(piece).text().unwrap_or_default()));
            if let [name, value] = pair.as_slice() {
                push(name, value);
            }
        } else if field.starts_with('{') {
            let (mut name, mut content) = (None, None);
            let _read = json::object(field, |key, value| match key.as_ref() {
                "name" | "key" => name = Value::Json(value).text(),
                "value" => content = Value::Json(value).text(),
                _ => {}
            });
            if let Some(name) = name {
                push(&name, content.as_deref().unwrap_or_default());
            }
        }
    })
    .is_ok()
}

fn each_text(value: &str, mut each: impl FnMut(&str)) {
    if value.starts_with('[') {
        let _read = json::array(value, |value| {
            if let Some(text) = Value::Json(value).text() {
                each(&text);
            }
        });
    } else if let Some(text) = Value::Json(value).text() {
        each(&text);
    }
}

/// A body as a log gives it: a string, any JSON value, or the metadata object of reqlog's own records.
pub(super) fn body(value: Value<'_>) -> Option<Body> {
    if value.is_null() {
        return None;
    }
    if let Some(own) = value.object().and_then(metadata) {
        return Some(own);
    }
    if let Some(text) = value.string() {
        return Some(whole(text.into_owned().into_bytes(), None));
    }
    let Value::Json(json) = value else { return None };
    Some(whole(json.as_bytes().to_vec(), Some("application/json".to_owned())))
}

/// A body of which only its size is known.
pub(super) fn sized(size: u64) -> Body {
    Body { size, cut: (size > 0).then_some(Cut::NotCaptured), ..Body::default() }
}

fn whole(bytes: Vec<u8>, content_type: Option<String>) -> Body {
    Body { size: bytes.len() as u64, bytes, withheld: 0, content_type, cut: None }
}

/// Reads `{"size":…,"captured":…,"truncated":…,"content_type":…,"preview":…,"text"|"base64"|"json":…}`.
fn metadata(text: &str) -> Option<Body> {
    let (mut size, mut captured, mut truncated) = (None, None, false);
    let (mut cut, mut content_type, mut preview, mut bytes) = (None, None, None, None);
    let mut known = true;
    json::object(text, |key, raw| {
        let value = Value::Json(raw);
        let text = value.text();
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
    })
    .ok()?;
    let size = size.filter(|_| known)?;
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
    Some(Body { size, bytes, withheld: 0, content_type, cut })
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
