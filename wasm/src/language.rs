//! The query language while it is typed.

use reqlog_core::filter::{Completions, Filter, complete as completions, parse_at};
use serde_json::{Value, json};
use std::ops::Range;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads a query, that of somebody who writes at `caret` if there is one: JSON of `Parsed` in `api.ts`.
#[wasm_bindgen]
pub fn parse(query: &str, caret: Option<u32>) -> String {
    let parsed = match caret {
        Some(caret) => parse_at(query, byte(query, caret)),
        None => Filter::parse(query),
    };
    let said = match parsed {
        Ok(parsed) => {
            let hint = |hint: &reqlog_core::filter::Hint| placed(query, &hint.span, "message", hint.to_string());
            json!({ "canonical": parsed.filter.to_string(), "hints": parsed.hints.iter().map(hint).collect::<Vec<_>>() })
        }
        Err(error) => {
            let mut said = placed(query, &error.span, "message", error.to_string());
            if let Some(hint) = error.hint() {
                said["hint"] = hint.into();
            }
            json!({ "error": said })
        }
    };
    said.to_string()
}

/// What can be written at `caret`: JSON of `Completions` in `api.ts`.
#[wasm_bindgen]
pub fn complete(query: &str, caret: u32) -> String {
    let Completions { span, key, items } = completions(query, byte(query, caret));
    let items = items.into_iter().map(|item| {
        let mut said = json!({ "text": item.text, "kind": item.kind.name() });
        if let Some(about) = item.about {
            said["detail"] = about.into();
        }
        said
    });
    let (from, to) = (units(query, span.start), units(query, span.end));
    json!({ "from": from, "to": to, "key": key, "items": items.collect::<Vec<_>>() }).to_string()
}

fn placed(query: &str, span: &Range<usize>, name: &str, what: String) -> Value {
    let position = units(query, span.start);
    json!({ name: what, "position": position, "length": units(query, span.end) - position })
}

/// UTF-16 code units before a byte.
fn units(query: &str, byte: usize) -> usize {
    query[..byte].encode_utf16().count()
}

/// The byte at which a UTF-16 code unit stands, or the character it is half of; the end for those behind it.
fn byte(query: &str, unit: u32) -> usize {
    let mut units = 0;
    let at = query.char_indices().find(|(_, char)| {
        units += char.len_utf16();
        units > unit as usize
    });
    at.map_or(query.len(), |(at, _)| at)
}
