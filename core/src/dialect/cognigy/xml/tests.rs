//! The writer against a parser that is not ours.

use super::*;
use crate::dialect::cognigy::item::tests::{json_of, row};
use crate::record::{Field, Record, Stored};
use crate::timestamp::Timestamp;
use proptest::prelude::*;
use quick_xml::events::Event;

/// An element as a parser that is not ours reads it.
#[derive(Debug, Default, PartialEq)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

fn parse(xml: &[u8]) -> Element {
    let mut reader = quick_xml::Reader::from_reader(xml);
    reader.config_mut().check_end_names = true;
    let mut stack = vec![Element::default()];
    let named = |name: &[u8]| Element { name: String::from_utf8(name.to_vec()).unwrap(), ..Element::default() };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => stack.push(named(start.name().as_ref())),
            Event::Empty(empty) => stack.last_mut().unwrap().children.push(named(empty.name().as_ref())),
            Event::End(_) => {
                let done = stack.pop().unwrap();
                stack.last_mut().unwrap().children.push(done);
            }
            Event::Text(text) => stack.last_mut().unwrap().text += std::str::from_utf8(&text).unwrap(),
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().unwrap();
                stack.last_mut().unwrap().text.push(c.unwrap_or_else(|| match &*reference.decode().unwrap() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    other => panic!("&{other};"),
                }));
            }
            Event::Eof => break,
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stack.len(), 1);
    stack.remove(0).children.remove(0)
}

fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    element.children.iter().find(|child| child.name == name)
}

fn written(text: &str) -> String {
    text.replace(|c: char| c < ' ' && !"\t\n\r".contains(c) || ['\u{fffe}', '\u{ffff}'].contains(&c), "\u{fffd}")
}

// .NET's XmlConvert.DecodeName
fn decoded(name: &str) -> String {
    let pattern = regex::Regex::new("_x([0-9A-F]{8}|[0-9A-F]{4}|)_").unwrap();
    let decode = |found: &regex::Captures<'_>| {
        u32::from_str_radix(&found[1], 16).ok().and_then(char::from_u32).map(String::from).unwrap_or_default()
    };
    pattern.replace_all(name, decode).into_owned()
}

proptest! {
    #[test]
    fn any_record_is_well_formed_and_says_the_same(row in row()) {
        let root = parse(&entry(&Item::of(&row)));
        prop_assert_eq!(&root.name, "response");
        let told = json_of(&row);
        for name in ["_id", "timestamp", "msg", "type"] {
            prop_assert_eq!(&child(&root, name).unwrap().text, &written(told[name].as_str().unwrap()));
        }
        prop_assert_eq!(child(&root, "traceId").map(|trace| trace.text.clone()), row.record.text(Field::TraceId).map(written));
        let flat: Vec<_> = told["meta"].as_object().unwrap().iter().flat_map(|(name, value)| {
            std::iter::repeat_n(name.clone(), value.as_array().map_or(1, Vec::len))
        }).collect();
        let names: Vec<_> = child(&root, "meta").unwrap().children.iter().map(|child| decoded(&child.name)).collect();
        prop_assert_eq!(names, flat);
    }

    #[test]
    fn names_are_names_and_come_back(name in "([x_0:.\\-xmlXML]|\\PC|[\\x00-\\x20\u{f0000}\u{fffe}\u{200b}]){0,8}") {
        let spelt = escaped(&name);
        prop_assert!(is_name_start(spelt.chars().next().unwrap()));
        prop_assert!(spelt.chars().all(|c| is_name_start(c) || is_name_rest(c)));
        prop_assert!(!spelt.to_ascii_lowercase().starts_with("xml"));
        prop_assert_eq!(decoded(&spelt), name);
    }
}

#[test]
fn names_are_escaped_as_others_do() {
    for (name, spelt) in [
        ("plain", "plain"),
        ("1st", "_x0031_st"),
        ("two words", "two_x0020_words"),
        ("a:b", "a_x003A_b"),
        ("_x0041_", "_x005F_x0041_"),
        ("_y", "_y"),
        ("XmlName", "_x0058_mlName"),
        ("", "_x_"),
        ("\0", "_x0000_"),
        ("\u{f0000}", "_x000F0000_"),
        ("größe-1.2", "größe-1.2"),
        ("-", "_x002D_"),
    ] {
        assert_eq!(escaped(name), spelt);
    }
}

#[test]
fn values_are_elements() {
    let check = |json: &str, xml: &str| {
        let mut out = Vec::new();
        element("meta", json, 0, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), xml);
    };
    check("{}", "<meta></meta>");
    check(
        r#"{"a":[1,null,[2,[]],{"b":true}],"c":[],"d":"\ud83d\ude00<\r\n\u0000]]>"}"#,
        "<meta><a>1</a><a/><a><item>2</item><item></item></a><a><b>true</b></a><d>😀&lt;&#13;\n\u{fffd}]]&gt;</d></meta>",
    );
    check(r#"{"":{"<>":-1.5e3}}"#, "<meta><_x_><_x003C__x003E_>-1.5e3</_x003C__x003E_></_x_></meta>");
}

#[test]
fn what_is_too_deep_is_json_text() {
    for (begin, end) in [("[", "]"), ("{\"a\":", "}")] {
        let mut record = Record::new(Timestamp::from_nanos(0));
        let deep = format!("{}1{}", begin.repeat(20_000), end.repeat(20_000));
        record.attributes = Some(format!("{{\"deep\":{deep}}}"));
        let id = crate::id::EntryId::new(1, crate::id::Seq::new(1).unwrap());
        let xml = entry(&Item::of(&Stored { id, record }));
        let mut at = &parse(&xml);
        let mut levels = 0;
        while let Some(inner) = at.children.iter().find(|child| !["_id", "timestamp", "msg"].contains(&&*child.name)) {
            at = inner;
            levels += 1;
        }
        assert!((30..40).contains(&levels), "{levels}");
        assert!(at.text.starts_with(begin) && at.text.ends_with(end), "{levels}");
    }
}
