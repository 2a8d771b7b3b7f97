//! The query language for editors: positions are UTF-16 code units, as in JavaScript and the Language Server Protocol, and
//! what is said is JSON.

use super::complete::{Completions, complete as completions, parse_at};
use super::{Filter, Hint};
use serde_json::{Value, json};
use std::ops::Range;

/// Reads a query, that of somebody who writes at `caret` if there is one: `{"canonical", "hints": [{"message", "position",
/// "length"}]}`, or `{"error": {"message", "position", "length", "hint"}}`, the last where there is one.
pub fn parse(query: &str, caret: Option<usize>) -> Value {
    let parsed = match caret {
        Some(caret) => parse_at(query, byte(query, caret)),
        None => Filter::parse(query),
    };
    match parsed {
        Ok(parsed) => {
            let hint = |hint: &Hint| placed(query, &hint.span, &hint.to_string());
            json!({ "canonical": parsed.filter.to_string(), "hints": parsed.hints.iter().map(hint).collect::<Vec<_>>() })
        }
        Err(error) => {
            let mut said = placed(query, &error.span, &error.to_string());
            if let Some(hint) = error.hint() {
                said["hint"] = hint.into();
            }
            json!({ "error": said })
        }
    }
}

/// What can be written at `caret`: `{"from", "to", "key", "items": [{"text", "kind", "detail"}]}`; `key` is null and `detail`
/// left out where there is none.
pub fn complete(query: &str, caret: usize) -> Value {
    let Completions { span, key, items } = completions(query, byte(query, caret));
    let items = items.into_iter().map(|item| {
        let mut said = json!({ "text": item.text, "kind": item.kind.name() });
        if let Some(about) = item.about {
            said["detail"] = about.into();
        }
        said
    });
    let items: Vec<Value> = items.collect();
    json!({ "from": units(query, span.start), "to": units(query, span.end), "key": key, "items": items })
}

fn placed(query: &str, span: &Range<usize>, message: &str) -> Value {
    let position = units(query, span.start);
    json!({ "message": message, "position": position, "length": units(query, span.end) - position })
}

/// Code units before a byte.
fn units(query: &str, byte: usize) -> usize {
    query[..byte].encode_utf16().count()
}

/// The byte at which a code unit stands, or the character it is half of; the end for those behind it.
fn byte(query: &str, unit: usize) -> usize {
    let mut units = 0;
    let at = query.char_indices().find(|(_, char)| {
        units += char.len_utf16();
        units > unit
    });
    at.map_or(query.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_utf_16_code_units() {
        // one, two and three bytes, and a pair of surrogates
        let error = parse("é€😀 status:5x", None);
        assert_eq!((&error["error"]["position"], &error["error"]["length"]), (&json!(12), &json!(2)));
        let read = parse("é€😀 stauts:5", None);
        assert_eq!(read["canonical"], "\"é€😀\" attr.stauts:5");
        assert_eq!((&read["hints"][0]["position"], &read["hints"][0]["length"]), (&json!(5), &json!(6)));
        assert_eq!(parse("😀 status:", None)["error"]["hint"], "write the value right behind it; key:* asks for any");
        assert_eq!(parse("😀 status:", Some(10))["canonical"], "\"😀\" \"status:\"");
        assert_eq!(parse("😀 status: a", Some(12))["error"]["position"], 10);
    }

    #[test]
    fn completions_replace_code_units() {
        let at = |caret| complete("😀 sta", caret);
        assert_eq!(
            at(6),
            json!({ "from": 3, "to": 6, "key": null, "items": [
                { "text": "status:", "kind": "key", "detail": "status code: 404, 5xx, 200..299" }
            ]})
        );
        assert_eq!((at(4)["from"].clone(), at(4)["to"].clone()), (json!(3), json!(6)));
        // half a character, and behind the end
        assert_eq!(at(1)["from"], 0);
        assert_eq!(at(99), at(6));
        assert_eq!(complete("level:fa", 8)["items"], json!([{ "text": "fatal", "kind": "value" }]));
        assert_eq!(complete("level:fa", 8)["key"], "level");
    }
}
