//! `application/xml` and `text/xml`: the JSON representation as elements.
//!
//! The root is `<response>`; `items` holds one `<item>` an entry. **Ours:**
//!
//! - An object's members are child elements, and an array repeats the element of its member: `{"a":[1,2]}` is
//!   `<a>1</a><a>2</a>`, an empty array nothing. An array in an array has its values in elements named `item`.
//!   `null` is an empty element. Below 32 levels the rest is JSON text.
//! - A name that is no XML name is escaped as ISO 9075-14 and .NET's `XmlConvert` do: a character that cannot stand
//!   there is `_x` with its code in four hexadecimal digits (eight past U+FFFF) and `_`: `1st` is `_x0031_st`. So is `:`, which
//!   would be a namespace; the first letter of names that begin with the reserved `xml`; and an underscore before an
//!   `x`. The empty name is `_x_`.
//! - A character that XML 1.0 has no way to write (U+0000, other control characters, U+FFFE, U+FFFF) becomes U+FFFD.
//!   A carriage return is `&#13;`, so that it is read back as it was.

use super::item::{Item, Members};
use crate::json::unescape;
use crate::query::Page;
use serde_json::value::RawValue;

/// The page of a list: items, total, cursors.
pub(super) fn page(page: &Page, cursors: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut out = begin();
    open("items", &mut out);
    for row in &page.rows {
        open("item", &mut out);
        members(&Item::of(row), &mut out);
        close("item", &mut out);
    }
    close("items", &mut out);
    leaf("total", &page.total.unwrap_or_default().to_string(), &mut out);
    for (name, cursor) in cursors {
        leaf(name, cursor.unwrap_or_default(), &mut out);
    }
    close(ROOT, &mut out);
    out
}

/// One entry: its members right below the root.
pub(super) fn entry(item: &Item<'_>) -> Vec<u8> {
    let mut out = begin();
    members(item, &mut out);
    close(ROOT, &mut out);
    out
}

const ROOT: &str = "response";
const DEEPEST: usize = 32;

fn begin() -> Vec<u8> {
    let mut out = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
    open(ROOT, &mut out);
    out
}

fn members(item: &Item<'_>, out: &mut Vec<u8>) {
    leaf("_id", &item.id, out);
    leaf("timestamp", &item.timestamp, out);
    leaf("msg", &item.msg, out);
    element("meta", &item.meta, 0, out);
    if let Some(trace) = item.trace_id {
        leaf("traceId", trace, out);
    }
    leaf("type", item.level, out);
}

/// Appends the elements of a member: one, or one for each value of an array.
fn member(name: &str, json: &str, depth: usize, out: &mut Vec<u8>) {
    match elements(json, depth) {
        Some(values) => values.iter().for_each(|value| element(name, value.get(), depth + 1, out)),
        None => element(name, json, depth, out),
    }
}

/// Appends one element with the content that a JSON value has.
fn element(name: &str, json: &str, depth: usize, out: &mut Vec<u8>) {
    if let Some(values) = elements(json, depth) {
        open(name, out);
        values.iter().for_each(|value| element("item", value.get(), depth + 1, out));
        return close(name, out);
    }
    if json.starts_with('{')
        && depth < DEEPEST
        && let Ok(Members(members)) = serde_json::from_str(json)
    {
        open(name, out);
        for (name, value) in members {
            member(&escaped(&name), value.get(), depth + 1, out);
        }
        return close(name, out);
    }
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => leaf(name, &unescape(inside.as_bytes()), out),
        None if json == "null" => leaf(name, "", out),
        None => leaf(name, json, out),
    }
}

fn elements(json: &str, depth: usize) -> Option<Vec<&RawValue>> {
    (json.starts_with('[') && depth < DEEPEST).then(|| serde_json::from_str(json).ok())?
}

fn open(name: &str, out: &mut Vec<u8>) {
    for part in ["<", name, ">"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn close(name: &str, out: &mut Vec<u8>) {
    for part in ["</", name, ">"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn leaf(name: &str, content: &str, out: &mut Vec<u8>) {
    if content.is_empty() {
        for part in ["<", name, "/>"] {
            out.extend_from_slice(part.as_bytes());
        }
    } else {
        open(name, out);
        text(content, out);
        close(name, out);
    }
}

fn text(content: &str, out: &mut Vec<u8>) {
    let mut clean = 0;
    for (at, c) in content.char_indices() {
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            // `]]>` must not stand in text
            '>' => "&gt;",
            '\r' => "&#13;",
            '\t' | '\n' => continue,
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        out.extend_from_slice(&content.as_bytes()[clean..at]);
        out.extend_from_slice(written.as_bytes());
        clean = at + c.len_utf8();
    }
    out.extend_from_slice(&content.as_bytes()[clean..]);
}

fn escaped(name: &str) -> String {
    if name.is_empty() {
        return "_x_".to_owned();
    }
    let reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let stands = if first { is_name_start(c) && !reserved } else { is_name_start(c) || is_name_rest(c) };
        first = false;
        if stands && !(c == '_' && chars.peek() == Some(&'x')) {
            out.push(c);
        } else if u32::from(c) > 0xffff {
            out += &format!("_x{:08X}_", u32::from(c));
        } else {
            out += &format!("_x{:04X}_", u32::from(c));
        }
    }
    out
}

// XML 1.0, productions 4 and 4a, without the colon
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn is_name_rest(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests;
