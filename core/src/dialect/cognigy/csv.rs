//! `text/csv`: RFC 4180 with a header row.
//!
//! The columns are the members of an item, `_id,timestamp,msg,meta,traceId,type`; `meta` is JSON, what is absent an empty
//! cell. **Ours:** a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe before it,
//! numbers too, so that no spreadsheet computes it. The total is in `X-Total-Count`, the cursors are in `Link`.

use super::item::Item;
use crate::record::Stored;
use csv::{Terminator, WriterBuilder};
use std::borrow::Cow;

/// The rows below a header row.
pub(super) fn rows(rows: &[Stored]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let mut write = |cells: [&str; 6]| {
        let cells = cells.map(disarmed);
        writer.write_record(cells.iter().map(|cell| cell.as_bytes())).expect("writing to memory does not fail");
    };
    write(["_id", "timestamp", "msg", "meta", "traceId", "type"]);
    for row in rows {
        let item = Item::of(row);
        write([&item.id, &item.timestamp, &item.msg, &item.meta, item.trace_id.unwrap_or_default(), item.level]);
    }
    writer.into_inner().expect("writing to memory does not fail")
}

fn disarmed(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::super::item::tests::{json_of, row};
    use super::*;
    use csv::ReaderBuilder;
    use proptest::prelude::*;
    use serde_json::Value;

    proptest! {
        #[test]
        fn any_records_come_back_and_nothing_is_computed(stored in prop::collection::vec(row(), 0..4)) {
            let bytes = rows(&stored);
            prop_assert!(bytes.ends_with(b"\r\n"));
            let mut reader = ReaderBuilder::new().terminator(Terminator::CRLF).from_reader(&bytes[..]);
            prop_assert_eq!(reader.headers().unwrap(), vec!["_id", "timestamp", "msg", "meta", "traceId", "type"]);
            let read: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), stored.len());
            for (cells, row) in read.iter().zip(&stored) {
                let told = json_of(row);
                for (cell, name) in cells.iter().zip(["_id", "timestamp", "msg", "meta", "traceId", "type"]) {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{:?}", cell);
                    if name == "meta" {
                        prop_assert_eq!(&cell.parse::<Value>().unwrap(), &told["meta"]);
                    } else {
                        prop_assert_eq!(cell, disarmed(told.get(name).and_then(Value::as_str).unwrap_or_default()));
                    }
                }
            }
        }
    }
}
