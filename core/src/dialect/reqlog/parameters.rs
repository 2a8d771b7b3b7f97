//! The query parameters of reqlog's own API.

use crate::aggregate::FacetKey;
use crate::dialect::params::{Param, Shape};
use std::time::Duration;

pub(super) static Q: Param =
    Param::optional("q", Shape::Text, "Which records, in the query language; absent means all.");
pub(super) static PROJECT: Param = Param::optional("project", Shape::Name, "Only records of this project.");
pub(super) static LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 1000 }, "50", "At most this many records.");
pub(super) static CURSOR: Param =
    Param::optional("cursor", Shape::Text, "`next` or `prev` of another page of the same query, sort and direction.");
pub(super) static OFFSET: Param = Param::optional(
    "offset",
    Shape::Integer { least: 0, most: 1 << 48 },
    "Begin after this many records, however many; with a cursor in the snapshot that its walk sees, wherever in it the cursor stands. Not together with wait.",
);
pub(super) static SORT: Param = Param::defaulted(
    "sort",
    Shape::Choice(&["time", "duration", "status", "size", "arrival"]),
    "time",
    "What records are sorted by.",
);
pub(super) static DIR: Param =
    Param::defaulted("dir", Shape::Choice(&["desc", "asc"]), "desc", "Which end comes first.");
pub(super) static FIELDS: Param = Param::optional(
    "fields",
    Shape::Words(MEMBERS),
    "Only these members of each record; `size`, the bytes of both bodies, is there when it is named.",
);
pub(super) static TOTAL: Param =
    Param::defaulted("total", Shape::Choice(&["none", "exact"]), "none", "Whether to count all matching records.");
pub(super) static WAIT: Param = Param::optional(
    "wait",
    Shape::Wait { most: Duration::from_secs(30) },
    "Answer an empty page only after this time. With sort=arrival and dir=asc, `next` then stands at the end of the log and continues with what arrives later.",
);
pub(super) static CONTEXT: Param = Param::optional(
    "context",
    Shape::Integer { least: 0, most: 100 },
    "Also this many records before it and as many after it, in time order, of the same project.",
);
pub(super) static BUCKETS: Param = Param::defaulted(
    "buckets",
    Shape::Integer { least: 1, most: 1000 },
    "60",
    "At most this many buckets, as narrow as round intervals allow; not together with interval.",
);
pub(super) static INTERVAL: Param =
    Param::optional("interval", Shape::Interval, "How wide every bucket is; at most 1000 of them may fit in the time.");
pub(super) static FACET_FIELDS: Param = Param::defaulted(
    "fields",
    Shape::Words(FacetKey::NAMES),
    "level,kind,class,method,service",
    "By what records are counted, as the query language calls it; `class` is the hundreds of the status.",
);
pub(super) static TOP: Param =
    Param::defaulted("top", Shape::Integer { least: 1, most: 1000 }, "10", "At most this many values of each field.");
pub(super) static ENDPOINT_SORT: Param = Param::defaulted(
    "sort",
    Shape::Choice(&["count", "errors", "error_rate", "p50", "p95", "p99", "bytes"]),
    "count",
    "Which endpoints come first: those with the greatest of this.",
);
pub(super) static ENDPOINT_LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 1000 }, "50", "At most this many endpoints.");
pub(super) static SIDE: Param = Param::required("side", Shape::Choice(&["request", "response"]), "Which body.");
pub(super) static VIEW: Param = Param::optional(
    "view",
    Shape::Choice(&["text", "json", "hex"]),
    "How to show the body instead of sending the captured bytes.",
);
pub(super) static AS: Param = Param::required(
    "as",
    Shape::Choice(&["curl", "har", "http"]),
    "The form: a curl command, a HAR file or a request as text.",
);
pub(super) static EXPORT_FORMAT: Param =
    Param::defaulted("format", Shape::Choice(&["ndjson", "csv", "har", "json"]), "ndjson", "The format of the file.");
pub(super) static EXPORT_CURSOR: Param = Param::optional(
    "cursor",
    Shape::Text,
    "The `X-Reqlog-Cursor` of an export that broke off; followed by `.` and the id of the last record received, it resumes after that record.",
);
pub(super) static INGEST_PROJECT: Param =
    Param::optional("project", Shape::Name, "For records that name none; also as header X-Reqlog-Project.");
pub(super) static ENVIRONMENT: Param =
    Param::optional("environment", Shape::Name, "For records that name none; also as header X-Reqlog-Environment.");
pub(super) static SESSION: Param =
    Param::optional("session", Shape::Name, "For records that name none; also as header X-Reqlog-Session.");
pub(super) static SERVICE: Param =
    Param::optional("service", Shape::Name, "For records that name none; also as header X-Reqlog-Service.");
pub(super) static INGEST_FORMAT: Param = Param::optional(
    "format",
    Shape::Choice(&["ndjson", "json", "har", "access", "csv"]),
    "The format of the body; detected when absent.",
);
pub(super) static IMPORT: Param =
    Param::optional("import", Shape::Flag, "Skip what an earlier import of the same source has stored.");

/// The members of a record in JSON.
const MEMBERS: &[&str] = &[
    "id",
    "seq",
    "time",
    "kind",
    "level",
    "source",
    "project",
    "environment",
    "session",
    "service",
    "container",
    "method",
    "scheme",
    "host",
    "path",
    "query",
    "route",
    "status",
    "duration_ms",
    "client_ip",
    "user_agent",
    "protocol",
    "request_id",
    "trace_id",
    "span_id",
    "auth_type",
    "user_id",
    "flow_name",
    "error_code",
    "message",
    "overridden",
    "redacted",
    "request",
    "response",
    "attributes",
    "size",
];
