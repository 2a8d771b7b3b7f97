//! `GET /export`: everything that matches, in arrival order, page after page.
//!
//! The response's `X-Reqlog-Cursor` fixes the end and the `now` of the export. A client that was cut off sends it back,
//! followed by `.` and the id of the last record it has whole, and gets the rest of the same export.

use super::parameters::{EXPORT_CURSOR, EXPORT_FORMAT};
use super::selection::Selection;
use crate::auth::Key;
use crate::cursor::{Cursor, Walk};
use crate::dialect::params::Params;
use crate::dialect::streamed::File;
use crate::dialect::{Asked, Planned, Render, Streamed, respond, set};
use crate::error::Error;
use crate::export::{Format, Writer};
use crate::id::EntryId;
use crate::plan::Operation;
use crate::query::{Detail, Direction, Order, Position, Query, Start, Total, Unit};
use crate::record::Stored;
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, HeaderName};
use http::{Method, Response, StatusCode};

// Bodies come along: a page of this many rows of two full bodies is 128 MiB, of usual rows less than 1 MiB.
const PAGE: usize = 256;

pub(super) fn plan(asked: &Asked<'_>, key: &Key, params: &Params) -> Result<Planned, Error> {
    let selection = Selection::read(key, params)?;
    let walk = Walk {
        project: selection.project.clone(),
        filter: selection.text(),
        order: Order::Arrival,
        direction: Direction::Ascending,
    };
    let begin = Cursor { start: Start::First, bound: asked.bound(), now: asked.context.now };
    let cursor = match params.text(&EXPORT_CURSOR) {
        None => begin,
        Some(text) => resume(text, &walk, asked).ok_or(Error::Cursor {
            name: EXPORT_CURSOR.name,
            reason: "it is not the X-Reqlog-Cursor of an export of this q and project, followed by '.' and the id of a record",
        })?,
    };
    let format = params.word(&EXPORT_FORMAT).and_then(Format::parse_name).unwrap_or(Format::Ndjson);
    let query = Query {
        filter: selection.predicate(cursor.now)?,
        order: walk.order,
        direction: walk.direction,
        start: cursor.start,
        bound: cursor.bound,
        limit: PAGE,
        detail: Detail::Whole,
        total: Total::Skip,
        unit: Unit::Record,
    };
    let cursor = Cursor { start: Start::First, ..cursor }.sign(&walk, asked.context.secret);
    let file = File { head: head(format, &cursor), writer: Writer::new(format) };
    if asked.method == Method::HEAD {
        return Ok(Planned::Ready(file.head().map(|()| Bytes::new())));
    }
    Ok(Planned::Run(Box::new(Operation::Export(query)), Render::Streamed(Box::new(file))))
}

fn resume(text: &str, walk: &Walk, asked: &Asked<'_>) -> Option<Cursor> {
    let (signed, last) = text.split_once('.').map_or((text, None), |(signed, last)| (signed, Some(last)));
    let mut cursor = Cursor::read(signed, walk, asked.context.secret)?;
    if asked.context.head.is_some_and(|head| cursor.bound > head.seq()) {
        return None;
    }
    if let Some(last) = last {
        let seq = EntryId::from_text(last)?.seq();
        cursor.start = Start::After(Position::arrival(Some(seq).filter(|seq| *seq <= cursor.bound)?));
    }
    Some(cursor)
}

/// Status and header fields.
fn head(format: Format, cursor: &str) -> Response<()> {
    let mut response = respond(StatusCode::OK, format.content_type(), Bytes::new()).map(|_| ());
    let headers = response.headers_mut();
    set(headers, CONTENT_DISPOSITION, &format!("attachment; filename=\"reqlog.{}\"", format.name()));
    set(headers, HeaderName::from_static("x-reqlog-cursor"), cursor);
    response
}

/// A HAR file of one row.
pub(super) fn one(row: &Stored) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(Format::Har);
    writer.start(&mut out);
    writer.row(row, &mut out);
    writer.end(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Seq;
    use crate::record::{Kind, Record};
    use crate::timestamp::Timestamp;

    #[test]
    fn a_file_says_what_it_is() {
        for (format, content_type, file) in [
            (Format::Ndjson, "application/x-ndjson", "reqlog.ndjson"),
            (Format::Csv, "text/csv; charset=utf-8; header=present", "reqlog.csv"),
            (Format::Har, "application/json", "reqlog.har"),
            (Format::Json, "application/json", "reqlog.json"),
        ] {
            let head = head(format, "c");
            assert_eq!(head.headers()["content-type"], content_type);
            assert_eq!(head.headers()["content-disposition"], format!("attachment; filename=\"{file}\""));
            assert_eq!(head.headers()["x-reqlog-cursor"], "c");
        }
    }

    #[test]
    fn one_exchange_is_an_archive_of_one_entry() {
        let mut record = Record::new(Timestamp::from_nanos(0));
        record.kind = Kind::Request;
        let row = Stored { id: EntryId::new(1, Seq::new(1).unwrap()), record };
        let archive: serde_json::Value = serde_json::from_slice(&one(&row)).unwrap();
        assert_eq!(archive["log"]["entries"].as_array().map(Vec::len), Some(1));
    }
}
