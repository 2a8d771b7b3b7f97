//! What the documentation says of the generic dialect's answers.

use super::LEVELS;
use crate::dialect::endpoint::{About, Answer, Media};
use crate::dialect::schema::{nullable, object, reference, with_optional};
use serde_json::{Value, json};

/// The dialect as a whole.
pub(in crate::dialect) static ABOUT: About = About {
    name: "Generic",
    doc: "Log entries, newest first, by offset.",
    mounts: &[""],
    fields: &[],
    envelope: Media {
        name: "application/json",
        schema: envelope,
        example: Some(|| {
            json!({
                "status": "error",
                "message": "Invalid date format for 'startDate'. Please use ISO 8601 format (YYYY-MM-DDTHH:MM:SSZ).",
            })
        }),
    },
    schemas: || vec![("GenericLog", entry())],
};

pub(super) static PAGE: &[Answer] = &[Answer {
    status: 200,
    doc: "A page of entries.",
    media: &[Media { name: "application/json", schema: page, example: Some(a_page) }],
    fields: &["link"],
}];

fn envelope() -> Value {
    object(&[("status", json!({"const": "error"})), ("message", json!({"type": "string"}))])
}

fn page() -> Value {
    let count = |least: u64| json!({"type": "integer", "minimum": least});
    let pagination = object(&[
        ("total", count(0)),
        ("limit", json!({"type": "integer", "minimum": 1, "maximum": 1000})),
        ("offset", count(0)),
        ("nextOffset", json!({"type": ["integer", "null"], "minimum": 1})),
    ]);
    let logs = json!({"type": "array", "items": reference("GenericLog"), "maxItems": 1000});
    let data = object(&[("logs", logs), ("pagination", pagination)]);
    object(&[("status", json!({"const": "success"})), ("data", data)])
}

fn entry() -> Value {
    let entry = object(&[
        ("timestamp", json!({"type": "string", "format": "date-time"})),
        ("level", json!({"enum": LEVELS})),
        ("service", nullable("string")),
        ("message", json!({"type": "string"})),
    ]);
    let details = json!({
        "type": "object",
        "minProperties": 1,
        "description": "Free-form: method, path, status, duration_ms, trace_id and request_id where they are known, and the entry's own attributes.",
    });
    with_optional(entry, &[("details", details)])
}

fn a_page() -> Value {
    json!({
        "status": "success",
        "data": {
            "logs": [{
                "timestamp": "2023-10-27T10:35:15Z",
                "level": "ERROR",
                "service": "user-service",
                "message": "Failed to authenticate user: invalid credentials for user_id 12345",
                "details": {"user_id": 12345, "ip_address": "192.168.1.100"},
            }],
            "pagination": {"total": 150, "limit": 10, "offset": 0, "nextOffset": 10},
        },
    })
}
