//! CSV with a header.

use super::{NOW, read, refused};
use crate::format::Format;
use crate::format::row::Cells;
use crate::record::{Field, Record};
use proptest::prelude::*;

fn rows(input: &str) -> Vec<Record> {
    read(Format::Csv, input.as_bytes(), input.len()).into_iter().map(Result::unwrap).collect()
}

#[test]
fn columns_go_by_the_same_names_as_members() {
    let all = rows(
        "\u{feff}Timestamp,method,URL path,uri,statusCode,duration_ms,note\r\n1693840791.5,get,x,/a?b=c,503,1.5,\"say \"\"hi\"\"\nthere\"\n,POST,,/z,,,\n",
    );
    assert_eq!(all.len(), 2);
    let [first, second] = all.as_slice() else { unreachable!() };
    assert_eq!(first.time.to_string(), "2023-09-04T15:19:51.500Z");
    assert_eq!((first.status, first.duration, first.level.name()), (Some(503), Some(1_500_000), "error"));
    assert_eq!(
        [Field::Method, Field::Path, Field::Query].map(|field| first.text(field).unwrap()),
        ["GET", "/a", "b=c"]
    );
    assert_eq!(first.attributes.as_deref(), Some(r#"{"URL path":"x","note":"say \"hi\"\nthere"}"#));
    assert_eq!((second.time, second.status, second.kind.name()), (NOW, None, "request"));
}

#[test]
fn semicolons_and_tabs_delimit_too() {
    for delimiter in [";", "\t"] {
        let all = rows(&["method,path,n", "GET,/a,\"1\"", "PUT,\"/b\",2"].join("\n").replace(',', delimiter));
        assert_eq!(all.iter().map(|row| row.text(Field::Path).unwrap()).collect::<Vec<_>>(), ["/a", "/b"]);
    }
}

#[test]
fn a_stray_quote_swallows_nothing_and_an_endless_one_is_named() {
    let stray = rows("method,note,path\nGET,5\" pipe,/a\nGET,x,/b\n");
    assert_eq!(stray.len(), 2);
    assert_eq!(stray[0].attributes.as_deref(), Some(r#"{"note":"5\" pipe"}"#));
    assert_eq!(
        refused(Format::Csv, b"method,path\nGET,/a,surplus\nGET,\"/never\nends"),
        [(2, "3 columns where the header has 2".to_owned()), (3, "the input ends inside a quoted field".to_owned())]
    );
}

#[test]
fn cells_of_json_are_json() {
    let all = rows(
        "method,request_headers,attributes\nGET,\"{\"\"Accept\"\":\"\"*/*\"\"}\",\"{\"\"k\"\":1}\"\nGET,{not json,x\n",
    );
    assert_eq!(all[0].request.headers.get("accept"), Some("*/*"));
    assert_eq!(all[0].attributes.as_deref(), Some(r#"{"k":1}"#));
    assert_eq!(all[1].attributes.as_deref(), Some(r#"{"request_headers":"{not json","attributes":"x"}"#));
}

/// The cells of a row by the csv crate.
fn by_the_crate(row: &str, delimiter: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(row.as_bytes());
    let mut cells = csv::StringRecord::new();
    reader.read_record(&mut cells).unwrap();
    cells.iter().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn cells_are_those_of_the_csv_crate(
        pieces in prop::collection::vec(prop::sample::select(vec![
            ",", ",", ";", "\t", "\"", "\"", "\"\"", ",\"", "\",", "a", "bc", " ", "é", "\r", "\n", "{\"\"k\"\":1}",
        ]), 0..16),
        delimiter in prop::sample::select(vec![b',', b';', b'\t'])
    ) {
        let row = pieces.concat();
        let cells: Vec<String> = Cells::new(&row, delimiter).map(std::borrow::Cow::into_owned).collect();
        prop_assert_eq!(cells, by_the_crate(&row, delimiter), "{:?}", row);
    }
}
