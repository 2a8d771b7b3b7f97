//! CSV, by the csv crate and by reqlog's reader.

use proptest::prelude::*;

use super::{accepted, file, read, records};
use crate::body::{Body, Cut};
use crate::export::Format;
use crate::format;
use crate::id::{EntryId, Seq};
use crate::record::{Field, Record, Stored};
use crate::timestamp::Timestamp;

fn cells(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn begins_like_a_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// What a CSV file keeps of a text.
fn kept(text: &str) -> Option<String> {
    match text {
        "" => None,
        _ if begins_like_a_formula(text) && text != "-" && text.parse::<f64>().is_err() => Some(format!("'{text}")),
        _ => Some(text.to_owned()),
    }
}

#[test]
fn a_row_has_the_members_as_columns() {
    let mut record = Record::new(Timestamp::from_nanos(1_782_216_000_000_142_000));
    record.texts.set(Field::Path, "/a,b");
    record.texts.set(Field::Message, "=HYPERLINK(\"x\")");
    (record.status, record.duration) = (Some(201), Some(102_400_000));
    record.request.headers.push("Accept", "*/*");
    record.request.body = Some(Body { size: 2, bytes: b"hi".to_vec(), ..Body::default() });
    record.response.body = Some(Body { size: 9, bytes: b"cut".to_vec(), cut: Some(Cut::Cap), ..Body::default() });
    record.attributes = Some("{\"n\":-1}".to_owned());
    let row = Stored { id: EntryId::new(1_782_216_000_001, Seq::new(84_321).unwrap()), record };
    assert_eq!(
        String::from_utf8(file(Format::Csv, &[row])).unwrap(),
        "id,seq,time,kind,level,source,project,environment,session,service,container,method,scheme,host,path,query,route,\
         status,duration_ms,client_ip,user_agent,protocol,request_id,trace_id,span_id,auth_type,user_id,flow_name,error_code,\
         message,overridden,redacted,request_headers,request_body,request_size,response_headers,response_body,response_size,\
         attributes\r\n\
         01KVT5M0G10000002JB1,84321,2026-06-23T12:00:00.000142Z,event,info,,,,,,,,,,\"/a,b\",,,201,102.4,,,,,,,,,,,\
         \"'=HYPERLINK(\"\"x\"\")\",false,false,\"[[\"\"accept\"\",\"\"*/*\"\"]]\",hi,2,,\
         \"{\"\"size\"\":9,\"\"captured\"\":3,\"\"truncated\"\":true,\"\"reason\"\":\"\"cap\"\",\"\"text\"\":\"\"cut\"\"}\",9,\
         \"{\"\"n\"\":-1}\"\r\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn rows_are_rectangular_and_harmless(rows in proptest::collection::vec(records::stored(), 0..4)) {
        let file = file(Format::Csv, &rows);
        let cells = cells(&file);
        prop_assert_eq!(cells.len(), rows.len() + 1);
        for cell in cells.iter().flatten().filter(|cell| begins_like_a_formula(cell)) {
            prop_assert!(cell == "-" || cell.parse::<f64>().is_ok(), "{:?}", cell);
        }
        for (cells, row) in cells[1..].iter().zip(&rows) {
            let column = |name: &str| &cells[cells_of(&file, name)];
            prop_assert_eq!(column("id"), &row.id.to_text());
            prop_assert_eq!(column("message"), &row.record.text(Field::Message).and_then(kept).unwrap_or_default());
        }
    }

    #[test]
    fn a_file_comes_back(rows in proptest::collection::vec(records::stored(), 0..4)) {
        let back = read(format::Format::Csv, &file(Format::Csv, &rows));
        prop_assert_eq!(back.len(), rows.len());
        for (back, row) in back.into_iter().zip(rows) {
            prop_assert_eq!(back.id, Some(row.id));
            let mut record = row.record;
            for &field in Field::ALL {
                match record.text(field).and_then(kept) {
                    Some(text) => record.texts.set(field, &text),
                    None => record.texts.clear(field),
                }
            }
            prop_assert_eq!(accepted(back.record), accepted(record));
        }
    }
}

fn cells_of(file: &[u8], name: &str) -> usize {
    let end = file.iter().position(|byte| *byte == b'\r').unwrap();
    let header = std::str::from_utf8(&file[..end]).unwrap();
    header.split(',').position(|column| column == name).unwrap()
}
