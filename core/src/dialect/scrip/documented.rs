//! What the documentation says of Scrip's answers.

use crate::dialect::endpoint::{About, Answer, Media, Refusal};
use crate::dialect::schema::{nullable, object, reference};
use serde_json::{Value, json};

/// The dialect as a whole.
pub(in crate::dialect) static ABOUT: About = About {
    name: "Scrip",
    doc: "API request logs, page by page by an opaque cursor.",
    mounts: &[""],
    fields: &super::limited::FIELDS,
    envelope: Media {
        name: "application/json",
        schema: envelope,
        example: Some(|| json!({"code": "unauthorized", "message": "invalid or revoked API key"})),
    },
    schemas: || vec![("ScripLog", log(&[])), ("ScripLogDetail", detail())],
};

pub(super) static LOGS: &[Answer] = &[Answer { status: 200, doc: "A page of logs.", media: &[PAGE], fields: &[] }];
pub(super) static LOG: &[Answer] = &[
    Answer { status: 200, doc: "The log.", media: &[DETAIL], fields: &["etag"] },
    Answer { status: 304, doc: "It is still as If-None-Match knows it.", media: &[], fields: &["etag"] },
];
pub(super) const REFUSED: Refusal = Refusal(400, "A parameter, cursor or path is not accepted.");
pub(super) const TOO_MUCH: Refusal = Refusal(422, "It needs more work than is allowed.");

const PAGE: Media = Media { name: "application/json", schema: page, example: Some(a_page) };
const DETAIL: Media =
    Media { name: "application/json", schema: || reference("ScripLogDetail"), example: Some(a_detail) };

fn text() -> Value {
    json!({"type": "string"})
}

fn envelope() -> Value {
    object(&[("code", json!({"type": "string", "pattern": "^[a-z_]+$"})), ("message", text())])
}

fn page() -> Value {
    object(&[
        ("data", json!({"type": "array", "items": reference("ScripLog"), "maxItems": 100})),
        ("pagination", object(&[("has_more", json!({"type": "boolean"})), ("next_cursor", nullable("string"))])),
    ])
}

fn log(more: &[(&str, Value)]) -> Value {
    let members = [
        ("auth_type", nullable("string")),
        ("created_at", json!({"type": "string", "format": "date-time"})),
        ("duration_ms", json!({"type": ["integer", "null"], "minimum": 0})),
        ("error_code", nullable("string")),
        ("id", json!({"type": "string", "format": "uuid"})),
        ("method", nullable("string")),
        ("path", nullable("string")),
        ("request_id", json!({"type": "string", "pattern": "^req_"})),
        ("route_pattern", nullable("string")),
        ("status_code", json!({"type": ["integer", "null"], "minimum": 100, "maximum": 999})),
    ];
    object(&members.into_iter().chain(more.iter().cloned()).collect::<Vec<_>>())
}

fn detail() -> Value {
    let body = |side: &str| {
        let doc =
            format!("The {side}'s body: JSON as it is, text as a string, bytes as base64; null when none was kept.");
        json!({"description": doc})
    };
    log(&[
        ("ip_address", nullable("string")),
        ("request_body", body("request")),
        ("response_body", body("response")),
        ("user_agent", nullable("string")),
    ])
}

fn a_page() -> Value {
    json!({
        "data": [{
            "auth_type": "api_key",
            "created_at": "2023-11-07T05:31:56Z",
            "duration_ms": 123,
            "error_code": null,
            "id": "018ba844-14e0-8000-8000-0000010808f3",
            "method": "GET",
            "path": "/v1/events",
            "request_id": "req_8f14e45f",
            "route_pattern": "/v1/events",
            "status_code": 200,
        }],
        "pagination": {"has_more": true, "next_cursor": "YWJjMTIz"},
    })
}

fn a_detail() -> Value {
    json!({
        "auth_type": "jwt",
        "created_at": "2023-11-07T05:31:56Z",
        "duration_ms": 123,
        "error_code": "not_found",
        "id": "018ba844-14e0-8000-8000-0000010808f3",
        "ip_address": "203.0.113.7",
        "method": "POST",
        "path": "/v1/participants/7",
        "request_body": {"name": "Ada"},
        "request_id": "req_8f14e45f",
        "response_body": "no such participant",
        "route_pattern": "/v1/participants/{id}",
        "status_code": 404,
        "user_agent": "curl/8.5.0",
    })
}
