//! What the documentation says of Cognigy's endpoints.

use super::Action;
use super::accept::Representation;
use super::parameters::{ENTRY, LIST, TAIL};
use crate::auth::Role;
use crate::dialect::endpoint::{
    About, Access, Answer, BUSY, Endpoint, FAILED, FORBIDDEN, MISSING, Media, Refusal, UNAUTHORIZED,
};
use crate::dialect::schema::{nullable, object, reference, with_optional};
use crate::level::Level;
use http::Method;
use serde_json::{Value, json};

/// Below each of the mounts.
pub(in crate::dialect) static ENDPOINTS: &[Endpoint<Action>] = &[
    Endpoint {
        method: Method::GET,
        path: "/projects/{projectId}/logs",
        access: Access::Role(Role::Read),
        params: &LIST,
        action: Action::List,
        doc: "Entries of a project, page by page, by cursor or offset.",
        takes: &[],
        answers: &[Answer { status: 200, doc: "A page of entries.", media: &PAGE, fields: &PAGE_FIELDS }],
        refusals: &[UNAUTHORIZED, FORBIDDEN, MISSING, INVALID, UNACCEPTABLE, COSTLY, FAILED, BUSY],
    },
    // before the entry, whose template has this path too; an id is never spelt `tail`
    Endpoint {
        method: Method::GET,
        path: "/projects/{projectId}/logs/tail",
        access: Access::Role(Role::Read),
        params: &TAIL,
        action: Action::Tail,
        doc: "The latest 100 entries of a project by _id, and by cursor those before them.",
        takes: &[],
        answers: &[Answer { status: 200, doc: "A page of entries.", media: &PAGE, fields: &PAGE_FIELDS }],
        refusals: &[UNAUTHORIZED, FORBIDDEN, MISSING, INVALID, UNACCEPTABLE, COSTLY, FAILED, BUSY],
    },
    Endpoint {
        method: Method::GET,
        path: "/projects/{projectId}/logs/{logEntryId}",
        access: Access::Role(Role::Read),
        params: &ENTRY,
        action: Action::Entry,
        doc: "One entry.",
        takes: &[],
        answers: &[
            Answer { status: 200, doc: "The entry.", media: &ENTRIES, fields: &["etag", "vary"] },
            Answer {
                status: 304,
                doc: "It is still as If-None-Match knows it.",
                media: &[],
                fields: &["etag", "vary"],
            },
        ],
        refusals: &[UNAUTHORIZED, FORBIDDEN, MISSING, INVALID, UNACCEPTABLE, FAILED, BUSY],
    },
];

const INVALID: Refusal = Refusal(400, "The project's id, a parameter or a cursor is not accepted.");
const UNACCEPTABLE: Refusal = Refusal(406, "Accept allows none of the representations.");
const COSTLY: Refusal = Refusal(422, "The answer needs more work than is allowed; narrow the dates.");
const PAGE_FIELDS: [&str; 3] = ["link", "vary", "x-total-count"];

/// For the documentation.
pub(in crate::dialect) static ABOUT: About = About {
    name: "Cognigy",
    doc: "Log entries of a project, by cursor or offset, as JSON, HAL, XML or CSV.",
    mounts: &["/v2.1", "/v2.0", "/new/v2.1", "/new/v2.0"],
    fields: &[],
    envelope: Media { name: "application/json", schema: error, example: None },
    schemas: || vec![("CognigyEntry", entry(&[])), ("CognigyLink", object(&[("href", text())]))],
};

const PAGE: [Media; 5] = [
    media(Representation::Json, page),
    media(Representation::Hal, hal_page),
    media(Representation::Xml, anything),
    media(Representation::TextXml, anything),
    media(Representation::Csv, anything),
];
const ENTRIES: [Media; 5] = [
    media(Representation::Json, || reference("CognigyEntry")),
    media(Representation::Hal, || entry(&[("_links", object(&[("self", reference("CognigyLink"))]))])),
    media(Representation::Xml, anything),
    media(Representation::TextXml, anything),
    media(Representation::Csv, anything),
];

const fn media(representation: Representation, schema: fn() -> Value) -> Media {
    Media { name: representation.media_type(), schema, example: None }
}

fn anything() -> Value {
    json!(true)
}

fn text() -> Value {
    json!({"type": "string"})
}

fn id() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9]{24}$"})
}

fn page() -> Value {
    let mut cursor = nullable("string");
    cursor["pattern"] = json!("^[a-z0-9]{24}$");
    let envelope = object(&[
        ("items", json!({"type": "array", "items": reference("CognigyEntry"), "maxItems": 100})),
        ("total", json!({"type": "integer", "minimum": 0})),
        ("nextCursor", cursor.clone()),
        ("previousCursor", cursor.clone()),
    ]);
    // v2.0 has the cursors under their first names too
    with_optional(envelope, &[("next", cursor.clone()), ("previous", cursor)])
}

fn hal_page() -> Value {
    let link = || reference("CognigyLink");
    let links = with_optional(object(&[("self", link())]), &[("next", link()), ("previous", link())]);
    let items = json!({"type": "array", "items": reference("CognigyEntry"), "maxItems": 100});
    object(&[
        ("_links", links),
        ("_embedded", object(&[("items", items)])),
        ("total", json!({"type": "integer", "minimum": 0})),
    ])
}

fn entry(more: &[(&str, Value)]) -> Value {
    let members = [
        ("_id", id()),
        ("timestamp", json!({"type": "string", "format": "date-time"})),
        ("msg", text()),
        ("meta", json!({"type": "object"})),
        ("type", json!({"enum": Level::ALL.map(Level::name)})),
    ];
    let members: Vec<_> = members.into_iter().chain(more.iter().cloned()).collect();
    with_optional(object(&members), &[("traceId", text())])
}

fn error() -> Value {
    object(&[
        ("type", text()),
        ("title", text()),
        ("status", json!({"type": "integer", "minimum": 400, "maximum": 599})),
        ("detail", text()),
        ("instance", text()),
        ("code", json!({"type": "integer"})),
        ("traceId", json!({"type": "string", "pattern": "^[0-9a-f]{32}$"})),
        ("details", json!({"type": "object"})),
    ])
}
