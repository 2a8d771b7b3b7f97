//! What the documentation says of the answers of reqlog's own API.

mod aggregates;

use crate::dialect::endpoint::{
    About, Answer, BUSY, FAILED, FORBIDDEN, MISSING, Media, NOT_LIVE, READ_ONLY, Refusal, UNAUTHORIZED,
};
use crate::dialect::flowmock::BODY_FIELDS;
use crate::dialect::schema::{nullable, object, reference, with_optional};
use serde_json::{Value, json};

/// The API as a whole.
pub(in crate::dialect) static ABOUT: About = About {
    name: "reqlog",
    doc: "reqlog's own API, and the paths of the server itself.",
    mounts: &[""],
    fields: &[],
    envelope: Media { name: "application/problem+json", schema: problem, example: Some(a_problem) },
    schemas: || vec![("Record", record()), ("Message", message()), ("Report", report()), ("Key", key(&[]))],
};

const fn of_json(schema: fn() -> Value) -> Media {
    Media { name: "application/json", schema, example: None }
}

const fn shown(schema: fn() -> Value, example: fn() -> Value) -> Media {
    Media { name: "application/json", schema, example: Some(example) }
}

const fn of_text(name: &'static str) -> Media {
    Media { name, schema: || json!(true), example: None }
}

const fn answer(status: u16, doc: &'static str, media: &'static [Media]) -> Answer {
    Answer { status, doc, media, fields: &[] }
}

macro_rules! answers {
    ($($name:ident = $($answer:expr),+;)*) => { $(pub(super) static $name: &[Answer] = &[$($answer),+];)* };
}

answers! {
    INDEX = Answer {
        status: 200,
        doc: "The web UI's document; or the name, the version and the API's path.",
        media: &[of_text("text/html"), of_json(index)],
        fields: &["etag", "content-security-policy"],
    }, UNCHANGED, Answer { status: 308, doc: "The document is at this path with a slash.", media: &[], fields: &["location"] };
    OPENAPI = answer(200, "OpenAPI 3.1.", &[of_json(|| json!({"type": "object", "required": ["openapi", "info", "paths"]}))]);
    DOCS = answer(200, "A page.", &[of_text("text/html")]);
    HEALTH = answer(200, "It answers.", &[of_json(|| object(&[("status", json!({"const": "ok"}))]))]);
    READINESS = answer(200, "Ready.", &[of_json(|| object(&[("status", json!({"const": "ready"}))]))]),
        answer(503, "Not yet, or not now, and why.", &[of_json(unready)]);
    METRICS = answer(200, "Prometheus text.", &[of_text("text/plain")]);
    PAGE = Answer { status: 200, doc: "A page.", media: &[shown(page, a_page)], fields: &["link"] };
    DELETED = answer(200, "How many were destroyed.", &[of_json(|| object(&[("deleted", count())]))]);
    ENTRY = Answer { status: 200, doc: "The record.", media: &[shown(record_in_context, a_record)], fields: &["etag"] },
        UNCHANGED;
    BODY = Answer { status: 200, doc: "The bytes, with their own content type.", media: &[of_text("*/*")], fields: &BODY_FIELDS },
        Answer { status: 206, doc: "The bytes of a range.", media: &[of_text("*/*")], fields: &BODY_FIELDS },
        UNCHANGED;
    REPLAY = Answer {
        status: 200,
        doc: "The exchange.",
        media: &[of_text("text/plain"), of_json(|| json!({"type": "object", "required": ["log"]}))],
        fields: &["etag"],
    }, UNCHANGED;
    STATS = answer(200, "Counts.", &[shown(stats, some_stats)]);
    HISTOGRAM = answer(200, "Counts.", &[shown(aggregates::histogram, aggregates::a_histogram)]);
    FACETS = answer(200, "Counts.", &[shown(aggregates::facets, aggregates::some_facets)]);
    ENDPOINTS = answer(200, "Counts.", &[shown(aggregates::endpoints, aggregates::some_endpoints)]);
    EXPORT = Answer {
        status: 200,
        doc: "Every record.",
        media: &[of_text("application/x-ndjson"), of_text("text/csv"), of_json(|| json!({"type": ["array", "object"]}))],
        fields: &["content-disposition", "x-reqlog-cursor"],
    };
    STREAM = Answer {
        status: 200,
        doc: "Events: a record each, its id the record's sequence; `heartbeat`, `scope-destroyed` and `reset`.",
        media: &[Media { name: "text/event-stream", schema: text, example: Some(a_stream) }],
        fields: &["x-accel-buffering"],
    };
    REPORT = answer(200, "All records were taken.", &[shown(|| reference("Report"), a_report)]),
        answer(207, "Some were taken; the report names the others.", &[of_json(|| reference("Report"))]);
    PROJECTS = answer(200, "Projects.", &[of_json(|| object(&[("items", json!({"type": "array", "items": project()}))]))]);
    PROJECT = answer(200, "The project was known; this is all of it.", &[of_json(project)]),
        answer(201, "The project is new.", &[of_json(project)]);
    KEYS = answer(200, "Keys.", &[of_json(|| object(&[("items", json!({"type": "array", "items": reference("Key")}))]))]);
    KEY = answer(201, "The key.", &[of_json(|| key(&[("secret", json!({"type": "string"}))]))]);
    GONE = answer(204, "It is gone.", &[]);
    BACKUP = Answer {
        status: 200,
        doc: "A tar of the catalog, the segments and, as its last file, `backup.json` with their sizes and checksums; without that it was cut off.",
        media: &[of_text("application/x-tar")],
        fields: &["content-disposition"],
    };
}

const UNCHANGED: Answer =
    Answer { status: 304, doc: "It is still as If-None-Match knows it.", media: &[], fields: &["etag"] };

const REFUSED: Refusal = Refusal(400, "A parameter, query, cursor or body is not accepted.");
const TOO_MUCH: Refusal = Refusal(422, "It needs more work than is allowed.");
const FULL: Refusal = Refusal(507, "Free space is down to the reserve.");

pub(super) static KEYED: &[Refusal] = &[UNAUTHORIZED, FORBIDDEN, FAILED, BUSY];
pub(super) static COUNTED: &[Refusal] = &[
    UNAUTHORIZED,
    FORBIDDEN,
    FAILED,
    Refusal(501, "This deployment has no metrics of its own; use the platform's observability."),
    BUSY,
];
pub(super) static COPY: &[Refusal] = &[
    UNAUTHORIZED,
    FORBIDDEN,
    FAILED,
    Refusal(501, "This deployment has no backup of its own; use the export as NDJSON."),
    BUSY,
    FULL,
];
pub(super) static SEARCH: &[Refusal] = &[REFUSED, UNAUTHORIZED, FORBIDDEN, TOO_MUCH, FAILED, BUSY];
pub(super) static STREAMED: &[Refusal] = &[
    REFUSED,
    UNAUTHORIZED,
    FORBIDDEN,
    Refusal(429, "The key has as many streams as it may have; Retry-After says when to try again."),
    FAILED,
    NOT_LIVE,
    BUSY,
];
pub(super) static WRITE: &[Refusal] = &[REFUSED, UNAUTHORIZED, FORBIDDEN, FAILED, READ_ONLY, BUSY, FULL];
pub(super) static ONE: &[Refusal] = &[REFUSED, UNAUTHORIZED, FORBIDDEN, MISSING, FAILED, BUSY];
pub(super) static RANGE: &[Refusal] = &[
    REFUSED,
    UNAUTHORIZED,
    FORBIDDEN,
    MISSING,
    Refusal(416, "None of the bytes asked for were captured."),
    FAILED,
    BUSY,
];
pub(super) static FORM: &[Refusal] =
    &[REFUSED, UNAUTHORIZED, FORBIDDEN, MISSING, Refusal(422, "The record has no request."), FAILED, BUSY];
pub(super) static INGEST: &[Refusal] = &[
    REFUSED,
    UNAUTHORIZED,
    FORBIDDEN,
    TOO_LARGE,
    Refusal(415, "The Content-Encoding is unknown or broken."),
    Refusal(422, "None of the records could be read; the problem has the report's members."),
    FAILED,
    READ_ONLY,
    BUSY,
    FULL,
];
pub(super) static CHANGE: &[Refusal] = &[REFUSED, UNAUTHORIZED, FORBIDDEN, TOO_LARGE, FAILED, READ_ONLY, BUSY, FULL];
pub(super) static REMOVE: &[Refusal] = &[REFUSED, UNAUTHORIZED, FORBIDDEN, MISSING, FAILED, READ_ONLY, BUSY, FULL];
const TOO_LARGE: Refusal = Refusal(413, "The request's body is too long.");

pub(super) static RECORDS: &[Media] = &[
    Media {
        name: "application/x-ndjson",
        schema: || json!({"type": "string"}),
        example: Some(|| {
            json!(
                "{\"kind\":\"exchange\",\"time\":\"2026-06-23T12:00:00Z\",\"method\":\"GET\",\"path\":\"/v1/users\",\"status\":200}\n"
            )
        }),
    },
    of_text("application/json"),
    of_text("text/csv"),
    of_text("text/plain"),
];
pub(super) static NEW_PROJECT: &[Media] = &[Media {
    name: "application/json",
    schema: || {
        let name = || json!({"type": "string", "minLength": 1, "maxLength": 128});
        let environments = json!({"type": "array", "items": name()});
        json!({"type": "object", "properties": {"name": name(), "environments": environments}, "required": ["name"]})
    },
    example: Some(|| json!({"name": "checkout", "environments": ["staging"]})),
}];
pub(super) static NEW_KEY: &[Media] = &[Media {
    name: "application/json",
    schema: || {
        json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 128},
                "role": {"enum": ["read", "ingest", "admin"]},
                "project": {"type": ["string", "null"], "minLength": 1, "maxLength": 128},
                "expires": {"type": ["string", "null"], "format": "date-time"},
            },
            "required": ["role"],
            "additionalProperties": false,
        })
    },
    example: Some(|| json!({"name": "ci", "role": "ingest", "project": "checkout"})),
}];

fn text() -> Value {
    json!({"type": "string"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn index() -> Value {
    object(&[("name", text()), ("version", text()), ("api", text())])
}

fn unready() -> Value {
    object(&[("status", json!({"const": "unavailable"})), ("reason", text())])
}

fn problem() -> Value {
    let core = json!({
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    });
    with_optional(core, &[("position", count()), ("hint", text()), ("parameter", text())])
}

fn page() -> Value {
    let page = object(&[
        ("items", json!({"type": "array", "items": reference("Record")})),
        ("next", nullable("string")),
        ("prev", nullable("string")),
        ("scanned", object(&[("sources", count()), ("opened", count()), ("rows", count())])),
    ]);
    with_optional(page, &[("total", count()), ("hints", json!({"type": "array", "items": text()}))])
}

fn stats() -> Value {
    let counts = || json!({"type": "object", "additionalProperties": count()});
    let by = ["level", "kind", "class", "method", "project", "container", "service"].map(|name| (name, counts()));
    let members: Vec<_> = [("total", count())].into_iter().chain(by).collect();
    object(&members)
}

/// Absent members are left out, and `fields` leaves out more.
fn record() -> Value {
    let texts = crate::record::Field::ALL.iter().map(|field| (field.name(), text()));
    let others = [
        ("id", json!({"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{20}$"})),
        ("seq", json!({"type": "integer", "minimum": 1})),
        ("time", json!({"type": "string", "format": "date-time"})),
        ("kind", json!({"enum": crate::record::Kind::ALL.map(crate::record::Kind::name)})),
        ("level", json!({"enum": crate::level::Level::ALL.map(crate::level::Level::name)})),
        ("source", json!({"enum": crate::record::Source::ALL.map(crate::record::Source::name)})),
        ("status", json!({"type": "integer", "minimum": 100, "maximum": 999})),
        ("duration_ms", json!({"type": "number", "minimum": 0})),
        ("overridden", json!({"type": "boolean"})),
        ("redacted", json!({"type": "boolean"})),
        ("request", reference("Message")),
        ("response", reference("Message")),
        ("attributes", json!({"type": "object"})),
        (
            "size",
            json!({"type": "integer", "minimum": 0, "description": "Bytes of both bodies; only where `fields` names it."}),
        ),
    ];
    let members: Vec<_> = others.into_iter().chain(texts).collect();
    with_optional(object(&[]), &members)
}

/// With the parameter `context` there are those around it, and no entity tag.
fn record_in_context() -> Value {
    let rows = || json!({"type": "array", "items": reference("Record"), "maxItems": 100});
    with_optional(record(), &[("context", object(&[("before", rows()), ("after", rows())]))])
}

fn message() -> Value {
    let body = with_optional(
        object(&[("size", count()), ("captured", count()), ("truncated", json!({"type": "boolean"}))]),
        &[("content_type", text()), ("reason", text()), ("preview", text())],
    );
    let field = json!({"type": "array", "items": text(), "minItems": 2, "maxItems": 2});
    with_optional(object(&[]), &[("headers", json!({"type": "array", "items": field})), ("body", body)])
}

fn report() -> Value {
    let error = object(&[("line", count()), ("reason", text()), ("excerpt", text())]);
    object(&[
        ("accepted", count()),
        ("duplicates", count()),
        ("rejected", count()),
        ("errors", json!({"type": "array", "items": error, "maxItems": 100})),
    ])
}

fn project() -> Value {
    object(&[("name", text()), ("environments", json!({"type": "array", "items": text()}))])
}

fn key(more: &[(&str, Value)]) -> Value {
    let members = [
        ("id", count()),
        ("name", text()),
        ("role", json!({"enum": crate::auth::Role::ALL.map(crate::auth::Role::name)})),
        ("project", nullable("string")),
        ("created", json!({"type": "string", "format": "date-time"})),
        ("expires", json!({"type": ["string", "null"], "format": "date-time"})),
    ];
    object(&members.into_iter().chain(more.iter().cloned()).collect::<Vec<_>>())
}

fn a_record() -> Value {
    json!({
        "id": "01HZZZ0000000000012J", "seq": 84_321, "time": "2026-06-23T12:00:00.000142Z", "kind": "exchange", "level": "info",
        "project": "checkout", "service": "user-api", "method": "POST", "path": "/v1/users", "status": 201, "duration_ms": 102.4,
        "request": {
            "headers": [["content-type", "application/json"]],
            "body": {
                "size": 412, "captured": 412, "truncated": false, "content_type": "application/json", "preview": "{\"name\":\"Ada\"}",
            },
        },
    })
}

fn a_page() -> Value {
    let scanned = json!({"sources": 61, "opened": 1, "rows": 4_096});
    json!({"items": [a_record()], "next": "AQEAAAAAAAAAAA", "prev": null, "scanned": scanned})
}

fn a_stream() -> Value {
    let counts = "{\"delivered\":1,\"filtered\":7}";
    let record = a_record();
    format!(":\nid: 84320\n\nid: 84321\ndata: {record}\n\nid: 84328\nevent: heartbeat\ndata: {counts}\n\n").into()
}

fn some_stats() -> Value {
    json!({
        "total": 3, "level": {"error": 1, "info": 2}, "kind": {"exchange": 3}, "class": {"2xx": 2, "5xx": 1},
        "method": {"GET": 2, "POST": 1}, "project": {"checkout": 3}, "container": {}, "service": {"user-api": 3},
    })
}

fn a_report() -> Value {
    json!({"accepted": 2, "duplicates": 0, "rejected": 0, "errors": []})
}

fn a_problem() -> Value {
    json!({
        "type": "urn:reqlog:problem:invalid-parameter", "title": "Parameter refused", "status": 400,
        "detail": "limit does not take '0'; it takes a whole number from 1 to 1000.", "parameter": "limit",
    })
}
