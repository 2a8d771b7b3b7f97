//! What vectors cannot say: every record, whatever its attributes.

use super::documented::{ABOUT, PAGE};
use super::*;
use crate::record::{Kind, Record};
use crate::shown::shown;
use crate::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value};

const MEMBERS: [&str; 6] = ["method", "path", "status", "duration_ms", "trace_id", "request_id"];

fn attributes() -> impl Strategy<Value = Option<String>> {
    let name = prop_oneof![prop::sample::select(MEMBERS.to_vec()).prop_map(str::to_owned), "[a-c\"\\\\é]{0,3}"];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "\\PC{0,4}".prop_map(Value::from),
        Just(json!({"deep": [1, null, {"method": true}]})),
    ];
    let object = prop::collection::btree_map(name, value, 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()).to_string());
    let text = prop_oneof![4 => object, 1 => "[{}\\[\\]\"a:1, ]{0,8}", 1 => Just("{\"method\":1,\"b\":".to_owned())];
    prop::option::of(text)
}

fn record() -> impl Strategy<Value = Record> {
    let facts = (any::<i64>(), prop::sample::select(Kind::ALL.to_vec()), prop::sample::select(Level::ALL.to_vec()));
    let numbers = (prop::option::of(100..1000u16), prop::option::of(any::<u64>()));
    let texts =
        prop::collection::vec((prop::sample::select(Field::ALL.to_vec()), "(\\PC|[\\x00-\\x20\"\\\\]){0,6}"), 0..8);
    (facts, numbers, texts, attributes()).prop_map(|((time, kind, level), (status, duration), texts, attributes)| {
        let mut record = Record::new(Timestamp::from_nanos(time));
        (record.kind, record.level, record.status, record.duration) = (kind, level, status, duration);
        for (field, text) in texts {
            record.texts.set(field, &text);
        }
        record.attributes = attributes;
        record
    })
}

fn written(record: &Record) -> String {
    let mut out = Vec::new();
    entry::write(record, &mut out);
    String::from_utf8(out).unwrap()
}

/// `details` by definition: what is known, then what is said.
fn details(record: &Record) -> Map<String, Value> {
    let mut details = Map::new();
    let text = |field| record.text(field).map(Value::from);
    let facts = [
        text(Field::Method),
        text(Field::Path),
        record.status.map(Value::from),
        record.duration.map(|nanos| json!(nanos as f64 / 1e6)),
        text(Field::TraceId),
        text(Field::RequestId),
    ];
    details.extend(MEMBERS.iter().zip(facts).filter_map(|(name, fact)| Some(((*name).to_owned(), fact?))));
    match record.attributes.as_deref().map(|text| (text, serde_json::from_str::<Map<String, Value>>(text))) {
        Some((_, Ok(members))) => {
            for (name, value) in members {
                details.entry(name).or_insert(value);
            }
        }
        Some((text, Err(_))) => drop(details.insert("attributes".to_owned(), json!(text))),
        None => {}
    }
    details
}

proptest! {
    #[test]
    fn every_entry_is_json_of_the_documented_shape(record in record()) {
        let text = written(&record);
        let entry: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let details = details(&record);
        let names = ["timestamp", "level", "service", "message", "details"];
        prop_assert!(entry.keys().eq(&names[..if details.is_empty() { 4 } else { 5 }]), "{}", text);
        prop_assert_eq!(&entry["timestamp"], &record.time.to_string());
        prop_assert!(LEVELS.contains(&entry["level"].as_str().unwrap()));
        prop_assert_eq!(entry["service"].as_str(), record.text(Field::Service));
        prop_assert_eq!(entry["message"].as_str().unwrap(), shown(&record).unwrap_or_default());
        let told = entry.get("details").and_then(Value::as_object).cloned().unwrap_or_default();
        prop_assert!(told.keys().eq(details.keys()), "{}", text);
        for (name, value) in &details {
            if let (Some(wanted), Some(got)) = (value.as_f64(), told[name].as_f64()) {
                prop_assert!((wanted - got).abs() <= wanted.abs() * 1e-15, "{}", text);
            } else {
                prop_assert_eq!(value, &told[name]);
            }
        }
    }

    #[test]
    fn a_level_selects_what_is_shown_as_it(record in record(), wanted in prop::sample::select(LEVELS.to_vec())) {
        let query = format!("level={}", wanted.to_lowercase());
        let params = Params::read(&query, ENDPOINTS[0].params).unwrap();
        let found = filter(&params).unwrap().matches(&record);
        prop_assert_eq!(found, written(&record).contains(&format!("\"level\":\"{wanted}\",\"service\"")));
    }

    #[test]
    fn a_search_finds_what_is_shown(record in record(), at in any::<prop::sample::Index>(), len in 1..4usize) {
        let message = shown(&record).unwrap_or_default().into_owned();
        let letters: Vec<char> = message.chars().collect();
        prop_assume!(!letters.is_empty());
        let start = at.index(letters.len());
        let phrase: String = letters[start..letters.len().min(start + len)].iter().collect();
        let query = format!("search={}", link::escape(&phrase));
        let params = Params::read(&query, ENDPOINTS[0].params).unwrap();
        prop_assert!(filter(&params).unwrap().matches(&record), "{:?} in {:?}", phrase, message);
    }
}

#[test]
fn values_of_attributes_are_copied_as_they_are_spelt() {
    let mut record = Record::new(Timestamp::from_nanos(0));
    record.attributes = Some("{ \"n\" : 1.50 , \"big\":123456789012345678901234567890,\"s\":\"\\u0061\" }".into());
    let text = written(&record);
    assert!(text.ends_with(r#","details":{"n":1.50,"big":123456789012345678901234567890,"s":"\u0061"}}"#), "{text}");
}

#[test]
fn the_documented_example_has_the_documented_shape() {
    let example = (PAGE[0].media[0].example.unwrap())();
    let schema = (ABOUT.schemas)()[0].1.clone();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&example["data"]["logs"][0]), names(&schema["properties"]));
    let page = (PAGE[0].media[0].schema)();
    assert_eq!(names(&example), names(&page["properties"]));
    assert_eq!(
        names(&example["data"]["pagination"]),
        names(&page["properties"]["data"]["properties"]["pagination"]["properties"])
    );
}
