//! The query parameters of Cognigy.

use super::cursor::Began;
use crate::dialect::params::{Param, Shape};

pub(super) static FILTER: Param = Param::optional(
    "filter",
    Shape::Text,
    "Entries whose type or traceId is this text, or whose msg contains it, case ignored; empty is as absent.",
);
pub(super) static LIMIT: Param =
    Param::defaulted("limit", Shape::Integer { least: 1, most: 100 }, "25", "At most this many entries.");
pub(super) static SKIP: Param = Param::defaulted(
    "skip",
    Shape::Integer { least: 0, most: (1 << 53) - 1 },
    "0",
    "Leaves out this many of the first entries; not with a cursor.",
);
pub(super) static SNAPSHOT: Param = Param::optional(
    "snapshot",
    Shape::Integer { least: 0, most: Began::MOST },
    "With skip, as Link carries it: when the walk began, in ms since 1970. Entries that arrived later are left out, and \
     it is the now of defaulted dates.",
);
pub(super) static SORT: Param = Param::defaulted(
    "sort",
    Shape::Choice(&[
        "timestamp:desc",
        "timestamp:asc",
        "_id:desc",
        "_id:asc",
        "type:desc",
        "type:asc",
        "traceId:desc",
        "traceId:asc",
        "msg:desc",
        "msg:asc",
    ]),
    "timestamp:desc",
    "Field and direction; type goes by severity, ties by _id in the same direction.",
);
pub(super) static NEXT: Param =
    Param::optional("next", Shape::Text, "A nextCursor: the page after the one that it was on.");
pub(super) static PREVIOUS: Param =
    Param::optional("previous", Shape::Text, "A previousCursor: the page before the one that it was on.");
pub(super) static TYPE: Param = Param::optional(
    "type",
    Shape::Array(&["fatal", "error", "warn", "info", "debug", "trace"]),
    "Entries of any of these types.",
);
pub(super) static USER_ID: Param = Param::optional("userId", Shape::Text, "Entries of exactly this user.");
pub(super) static FLOW_NAME: Param = Param::optional("flowName", Shape::Text, "Entries of exactly this flow.");
pub(super) static START_DATE: Param =
    Param::optional("startDate", Shape::Time, "Entries of this time or later; by default one hour before endDate.");
pub(super) static END_DATE: Param = Param::optional(
    "endDate",
    Shape::Time,
    "Entries of this time or earlier, its last written unit included; by default now.",
);
pub(super) static API_KEY: Param =
    Param::optional("api_key", Shape::Text, "v2.0 only: the key, where no header field has it.");

pub(super) static LIST: [&Param; 13] = [
    &FILTER,
    &LIMIT,
    &SKIP,
    &SNAPSHOT,
    &SORT,
    &NEXT,
    &PREVIOUS,
    &TYPE,
    &USER_ID,
    &FLOW_NAME,
    &START_DATE,
    &END_DATE,
    &API_KEY,
];
pub(super) static TAIL: [&Param; 3] = [&NEXT, &PREVIOUS, &API_KEY];
pub(super) static ENTRY: [&Param; 1] = [&API_KEY];
