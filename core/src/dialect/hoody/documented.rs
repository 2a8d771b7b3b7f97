//! What the documentation says of the answers.

use super::halves::KINDS;
use super::level::LEVELS;
use super::stats::ORDER;
use crate::dialect::endpoint::{About, Answer, BUSY, FAILED, FORBIDDEN, Media, NOT_LIVE, Refusal, UNAUTHORIZED};
use crate::dialect::schema::{nullable, object, reference, with_optional};
use serde_json::{Value, json};

/// The dialect as a whole.
pub(in crate::dialect) static ABOUT: About = About {
    name: "Hoody",
    doc: "Proxy logs: an exchange is two rows, its request and its response.",
    mounts: &super::MOUNTS,
    fields: &[],
    envelope: Media { name: "application/json", schema: envelope, example: Some(refusal) },
    schemas: || vec![("HoodyEntry", entry()), ("HoodyTrailer", trailer())],
};

pub(super) static LIST: &[Answer] = &[Answer {
    status: 200,
    doc: "Rows by ascending id; of a fan-out one a line, and a trailer.",
    media: &[
        Media { name: "application/json", schema: page, example: Some(example) },
        Media { name: "application/x-ndjson", schema: line, example: Some(last_line) },
    ],
    fields: &["link"],
}];

pub(super) static STATS: &[Answer] = &[Answer {
    status: 200,
    doc: "Counts of rows.",
    media: &[Media { name: "application/json", schema: counts, example: Some(some_counts) }],
    fields: &[],
}];

pub(super) static REFUSALS: &[Refusal] = &[
    Refusal(400, "A parameter is not accepted, or does not go with another."),
    UNAUTHORIZED,
    FORBIDDEN,
    Refusal(422, "It needs more work than is allowed; narrow it."),
    FAILED,
    BUSY,
];

pub(super) static STREAM: &[Answer] = &[Answer {
    status: 200,
    doc: "Events: a row each, its id the row's; `scope-destroyed` when the logs of the container or project were \
          destroyed and `reset` when Last-Event-ID was never issued here, each the last of its stream.",
    media: &[Media { name: "text/event-stream", schema: || json!({"type": "string"}), example: Some(frames) }],
    fields: &["x-accel-buffering"],
}];

pub(super) static STREAM_REFUSALS: &[Refusal] = &[
    Refusal(400, "A parameter is not accepted."),
    Refusal(403, "No key, a bad one, or one whose role or scope does not allow it."),
    Refusal(429, "The key has as many streams as it may have; Retry-After says when to try again."),
    FAILED,
    NOT_LIVE,
    BUSY,
];

fn envelope() -> Value {
    object(&[
        ("statusCode", json!({"type": "integer", "minimum": 400, "maximum": 599})),
        ("error", json!({"type": "string", "description": "The reason phrase of the status."})),
        ("message", json!({"type": "string"})),
    ])
}

fn refusal() -> Value {
    json!({"statusCode": 403, "error": "Forbidden", "message": "Caller is not permitted to read logs for this scope"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn page() -> Value {
    object(&[
        ("entries", json!({"type": "array", "items": reference("HoodyEntry"), "maxItems": 1000})),
        ("total", count()),
        ("limit", json!({"type": "integer", "minimum": 1, "maximum": 1000})),
        ("offset", count()),
    ])
}

/// One of the fan-out.
fn line() -> Value {
    json!({"anyOf": [reference("HoodyEntry"), reference("HoodyTrailer")], "description": "Each line."})
}

fn last_line() -> Value {
    json!({"__trailer": true, "cursor": null, "stoppedReason": "end"})
}

fn trailer() -> Value {
    let trailer = ("__trailer", json!({"const": true}));
    let stopped = object(&[
        trailer.clone(),
        ("cursor", json!({"type": ["string", "null"], "description": "Goes on after the last row; null at the end."})),
        ("stoppedReason", json!({"enum": ["limit", "end", "deadline"]})),
    ]);
    let expired = [trailer, ("error", json!({"const": "snapshot_expired"})), ("status", json!({"const": 410}))];
    json!({"anyOf": [stopped, object(&expired)], "description": "The last line of a fan-out."})
}

fn counts() -> Value {
    let by = || json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}});
    let levels: Vec<_> = ORDER.map(|level| (level, count())).into_iter().collect();
    object(&[
        ("total", count()),
        ("byLevel", object(&levels)),
        ("byProject", by()),
        ("byContainer", by()),
        ("byService", by()),
    ])
}

fn some_counts() -> Value {
    json!({
        "total": 8421,
        "byLevel": {"info": 6200, "warn": 1500, "error": 521, "debug": 200},
        "byProject": {"proj_a1b2c3d4": 5000, "proj_e5f6g7h8": 3421},
        "byContainer": {"cnt_x9y8z7w6": 3000, "cnt_m5n6o7p8": 5421},
        "byService": {"user-api": 4200, "billing-api": 2100, "webhook-svc": 2121},
    })
}

fn entry() -> Value {
    let unknown = |kind: &str| json!({"type": [kind, "null"], "minimum": 0});
    let data = json!({
        "type": "object",
        "properties": {
            "bytesIn": unknown("integer"),
            "userAgent": nullable("string"),
            "bytesOut": unknown("integer"),
            "durationMs": unknown("integer"),
            "message": {"type": "string"},
            "attributes": {"description": "Attributes that are called like a member of data."},
        },
        "additionalProperties": {"description": "An attribute of the record."},
    });
    let row = object(&[
        ("id", json!({"type": "integer", "minimum": 1})),
        ("traceId", nullable("string")),
        ("tsMs", json!({"type": "integer", "description": "ms since 1970."})),
        ("tsIso", json!({"type": "string", "format": "date-time", "description": "The same time, three digits."})),
        ("kind", json!({"enum": KINDS})),
        ("level", json!({"enum": LEVELS})),
        ("projectId", nullable("string")),
        ("containerId", nullable("string")),
        ("serviceName", nullable("string")),
        ("method", nullable("string")),
        ("url", json!({"type": ["string", "null"], "description": "Path and query."})),
        ("clientIp", nullable("string")),
        ("status", json!({"type": ["integer", "null"], "minimum": 100, "maximum": 999})),
        ("data", data),
        ("source", json!({"enum": ["backend", "edge", null]})),
    ]);
    let body = json!({"description": "JSON as it is, text as a string, other bytes as a string of base64."});
    with_optional(row, &[("requestBody", body.clone()), ("responseBody", body)])
}

fn example() -> Value {
    json!({
        "entries": [{
            "id": 84321, "traceId": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "tsMs": 1_718_202_834_000_u64,
            "tsIso": "2024-06-12T14:33:54.000Z", "kind": "request", "level": "info", "projectId": "proj_a1b2c3d4",
            "containerId": "cnt_x9y8z7w6", "serviceName": "user-api", "method": "POST", "url": "/v1/users",
            "clientIp": "203.0.113.42", "status": 201, "data": {"bytesIn": 412, "userAgent": "Hoody-CLI/1.4.2"},
            "source": "backend",
        }],
        "total": 1284, "limit": 200, "offset": 0,
    })
}

/// What a stream begins with, two rows, and a heartbeat.
fn frames() -> Value {
    let row = &example()["entries"][0];
    let (mut response, id) = (row.clone(), row["id"].as_u64().unwrap_or(0) + 1);
    for (name, value) in [
        ("id", json!(id)),
        ("tsMs", json!(1_718_202_834_102_u64)),
        ("tsIso", json!("2024-06-12T14:33:54.102Z")),
        ("kind", json!("response")),
        ("data", json!({"bytesOut": 318, "durationMs": 102})),
    ] {
        response[name] = value;
    }
    format!(":\nid: {}\n\nid: {}\ndata: {row}\n\nid: {id}\ndata: {response}\n\n:\n\n", id - 2, id - 1).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;
    use crate::dialect::hoody::entry::{self, Bodies, Shown};
    use crate::dialect::hoody::halves::Rows;
    use crate::dialect::hoody::stream::Frames;
    use crate::id::{EntryId, Seq};
    use crate::record::{Field, Kind, Record, Source, Stored};
    use crate::timestamp::Timestamp;

    fn documented() -> Stored {
        let mut record = Record::new(Timestamp::from_millis(1_718_202_834_000));
        (record.kind, record.source, record.status) = (Kind::Exchange, Some(Source::Backend), Some(201));
        record.duration = Some(102_000_000);
        for (field, value) in [
            (Field::TraceId, "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
            (Field::Project, "proj_a1b2c3d4"),
            (Field::Container, "cnt_x9y8z7w6"),
            (Field::Service, "user-api"),
            (Field::Method, "POST"),
            (Field::Path, "/v1/users"),
            (Field::ClientIp, "203.0.113.42"),
            (Field::UserAgent, "Hoody-CLI/1.4.2"),
        ] {
            record.texts.set(field, value);
        }
        record.request.body = Some(Body { size: 412, ..Body::default() });
        record.response.body = Some(Body { size: 318, ..Body::default() });
        Stored { id: EntryId::new(1_718_202_834_000, Seq::new(42_161).unwrap()), record }
    }

    fn written(bodies: Bodies) -> Vec<String> {
        let write = |row| {
            let mut out = Vec::new();
            entry::write(&row, bodies, &mut out);
            String::from_utf8(out).unwrap()
        };
        Rows::All.of(&documented()).map(write).collect()
    }

    #[test]
    fn the_example_is_what_is_written() {
        let rows = written(Bodies::default());
        assert_eq!(rows[0], example()["entries"][0].to_string());
        assert!(rows[1].contains("\"data\":{\"bytesOut\":318,\"durationMs\":102},"), "{}", rows[1]);
    }

    #[test]
    fn the_example_of_a_stream_is_what_is_sent() {
        let mut sent = b":\nid: 84320\n\n".to_vec();
        Frames::new(Rows::All, 0).row(&documented(), &mut sent);
        sent.extend_from_slice(b":\n\n");
        assert_eq!(frames(), String::from_utf8(sent).unwrap());
    }

    #[test]
    fn the_schema_has_the_members_that_are_written_in_their_order() {
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut known = names(&entry()["properties"]);
        let bodies = known.split_off(known.len() - 2);
        let shown = Bodies { request: Shown::Yes, response: Shown::Yes };
        for (row, body) in written(shown).iter().zip(bodies) {
            let row = serde_json::from_str::<Value>(row).unwrap();
            assert_eq!(names(&row), [&known[..], &[body]].concat());
        }
    }
}
