//! What vectors cannot say: every record, every request id.

use super::row::{detail, of_request, summary};
use super::*;
use crate::body::{Body, Cut};
use crate::id::Seq;
use crate::record::{Kind, Record, Stored};
use proptest::prelude::*;
use serde_json::Value;

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["(req_){0,2}[ab]{0,2}", "(\\PC|[\\x00-\\x20\"\\\\]){0,8}"]
}

fn body() -> impl Strategy<Value = Option<Body>> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[\\[{\"a:,}\\]\\\\\n\u{1}é ]{0,40}".prop_map(String::into_bytes),
        "(\\[|\\{\"a\":){0,20}".prop_map(String::into_bytes),
    ];
    let cut = prop::option::of(prop::sample::select(Cut::ALL.to_vec()));
    prop::option::of((bytes, any::<bool>(), cut, 0..3u64).prop_map(|(bytes, json, cut, more)| Body {
        size: bytes.len() as u64 + more,
        bytes,
        withheld: 0,
        content_type: json.then(|| "application/json".to_owned()),
        cut,
    }))
}

fn stored() -> impl Strategy<Value = Stored> {
    let facts = (any::<i64>(), prop::option::of(100..1000u16), prop::option::of(any::<u64>()));
    let texts = prop::collection::vec((prop::sample::select(Field::ALL.to_vec()), word()), 0..8);
    (facts, texts, body(), body(), 1..4u64).prop_map(|((time, status, duration), texts, request, response, seq)| {
        let mut record = Record::new(Timestamp::from_nanos(time));
        (record.kind, record.status, record.duration) = (Kind::Exchange, status, duration);
        for (field, text) in texts {
            record.texts.set(field, &text);
        }
        (record.request.body, record.response.body) = (request, response);
        Stored { id: EntryId::new(1_700_000_000_000 + seq, Seq::new(seq).unwrap()), record }
    })
}

fn json(render: fn(&Stored, &mut Vec<u8>), row: &Stored) -> Value {
    let mut out = Vec::new();
    render(row, &mut out);
    serde_json::from_slice(&out).unwrap()
}

/// Whether the members are those of the schema, all of them, of its types, and stand in alphabetical order.
fn conforms(value: &Value, schema: &Value) -> bool {
    let members = value.as_object().unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let of_type = |value: &Value, name: &str| match name {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    };
    let fits = |name: &String, value: &Value| {
        properties.get(name).is_some_and(|schema| match &schema["type"] {
            Value::String(one) => of_type(value, one),
            Value::Array(some) => some.iter().any(|one| of_type(value, one.as_str().unwrap())),
            _ => true,
        })
    };
    members.len() == properties.len()
        && members.keys().is_sorted()
        && members.iter().all(|(name, value)| fits(name, value))
}

fn schema(name: &str) -> Value {
    (ABOUT.schemas)().into_iter().find(|(known, _)| *known == name).unwrap().1
}

proptest! {
    #[test]
    fn every_row_is_json_of_the_documented_shape(row in stored()) {
        prop_assert!(conforms(&json(summary, &row), &schema("ScripLog")));
        prop_assert!(conforms(&json(detail, &row), &schema("ScripLogDetail")));
    }

    #[test]
    fn a_call_is_found_by_the_request_id_that_it_shows_and_by_no_other(
        rows in prop::collection::vec(stored(), 1..6), other in word(),
    ) {
        let shown: Vec<String> =
            rows.iter().map(|row| json(summary, row)["request_id"].as_str().unwrap().to_owned()).collect();
        for wanted in shown.iter().chain([&other, &format!("req_{other}")]) {
            let prefixed = if wanted.starts_with("req_") { wanted.clone() } else { format!("req_{wanted}") };
            for (row, shown) in rows.iter().zip(&shown) {
                prop_assert_eq!(of_request(wanted).matches_stored(row), *shown == prefixed, "{} {}", wanted, shown);
            }
            if let Some(bare) = wanted.strip_prefix("req_").filter(|bare| !bare.starts_with("req_")) {
                prop_assert_eq!(of_request(wanted), of_request(bare));
            }
        }
    }
}

#[test]
fn the_documented_examples_have_the_documented_shape() {
    let page = (LOGS[0].media[0].example.unwrap())();
    assert!(conforms(&page["data"][0], &schema("ScripLog")));
    assert!(EntryId::from_uuid(page["data"][0]["id"].as_str().unwrap()).is_some());
    assert!(conforms(&(LOG[0].media[0].example.unwrap())(), &schema("ScripLogDetail")));
}

#[test]
fn every_refusal_has_a_status_of_its_own_kind() {
    let status = |error: Error| refuse(&error).status().as_u16();
    assert_eq!(status(Failure::TooMuchWork.into()), 422);
    assert_eq!(status(Failure::Closing.into()), 503);
    assert_eq!(status(Failure::Corrupt.into()), 500);
    assert_eq!(status(Error::OtherProject { project: "p".into() }), 403);
}
