//! The value at a dotted path of a JSON text, found without building a tree.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The text of the value at `path`: a string's content, a number's, truth value's, object's or array's JSON as written.
/// `None` where there is nothing or null, or where `json` is no JSON.
///
/// A key of an object may itself hold dots (`service.name`): of the keys that the path begins with, the longest leads
/// on. In an array the first segment of the path is an index. Of equal keys the last counts.
pub(super) fn lookup<'a>(json: &'a str, path: &str) -> Option<Cow<'a, str>> {
    let mut source = serde_json::Deserializer::from_str(json);
    let raw = Path(path).deserialize(&mut source).ok()??;
    source.end().ok()?;
    match raw.as_bytes().first()? {
        b'n' => None,
        // borrowed unless there are escapes
        b'"' => serde_json::from_str::<Text<'a>>(raw).ok().map(|text| text.0),
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

// What is left of the path; at an object's member it may go on behind the member's key.
#[derive(Clone, Copy)]
struct Path<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Path<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_any(self)
    }
}

// At the end of the path.
struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        <&RawValue as serde::Deserialize>::deserialize(source).map(|raw| Some(raw.get()))
    }
}

impl<'de> Visitor<'de> for Path<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut best: Option<(usize, &'de str)> = None;
        while let Some(Text(key)) = members.next_key::<Text<'de>>()? {
            let found = match self.0.strip_prefix(&*key) {
                Some("") => members.next_value_seed(Whole)?,
                Some(rest) if rest.starts_with('.') => members.next_value_seed(Path(&rest[1..]))?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if let Some(found) = found
                && best.is_none_or(|(length, _)| key.len() >= length)
            {
                best = Some((key.len(), found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (index, rest) = match self.0.split_once('.') {
            Some((index, rest)) => (index, Some(rest)),
            None => (self.0, None),
        };
        // an index that is no number is never reached
        let wanted: usize = index.parse().unwrap_or(usize::MAX);
        let mut found = None;
        let mut at = 0;
        loop {
            if at == wanted {
                let item = match rest {
                    Some(rest) => items.next_element_seed(Path(rest))?,
                    None => items.next_element_seed(Whole)?,
                };
                match item {
                    Some(item) => found = item,
                    None => return Ok(None),
                }
            } else if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_by_path() {
        let json = r#" {"a":{"b":[{"c":1.50},"x\ny",null]},"service.name":"api","service":{"name":"no","v.2":true},
            "k":"flat","k.l":{"m":[ 1, 2 ]},"n":null,"twice":1,"twice":2,"s":"a"} "#;
        for (path, value) in [
            ("a.b.0.c", Some("1.50")),
            ("a.b.1", Some("x\ny")),
            ("a.b.2", None),
            ("a.b.3", None),
            ("a.b.x", None),
            ("a.b", Some(r#"[{"c":1.50},"x\ny",null]"#)),
            ("service.name", Some("api")),
            ("service.v.2", Some("true")),
            ("k", Some("flat")),
            ("k.l.m", Some("[ 1, 2 ]")),
            ("k.l.m.1", Some("2")),
            ("n", None),
            ("n.o", None),
            ("twice", Some("2")),
            ("s.t", None),
            ("", None),
        ] {
            assert_eq!(lookup(json, path).as_deref(), value, "{path}");
        }
        assert_eq!(lookup("[10,20]", "1").as_deref(), Some("20"));
        for broken in ["", "{", r#"{"a":1"#, r#"{"a":1} x"#, "5", &"[".repeat(100_000)] {
            assert_eq!(lookup(broken, "a"), None, "{broken:.20}");
        }
    }
}
