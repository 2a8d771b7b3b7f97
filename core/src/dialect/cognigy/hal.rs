//! `application/hal+json`: the items under `_embedded`, the ways on as links.
//!
//! **Ours:** the links are relative references with the whole query, but without `api_key`; a page that there is not
//! has no link. The items are those of the JSON representation.

use super::item::{self, Item};
use crate::json::string;
use crate::query::Page;

/// The page of a list: `{"_links":{"self","next","previous"},"_embedded":{"items"},"total"}`.
pub(super) fn page(page: &Page, this: &str, next: Option<&str>, previous: Option<&str>) -> Vec<u8> {
    let mut out = b"{\"_links\":".to_vec();
    links(&[("self", Some(this)), ("next", next), ("previous", previous)], &mut out);
    out.extend_from_slice(b",\"_embedded\":{\"items\":");
    item::array(&page.rows, &mut out);
    out.extend_from_slice(format!("}},\"total\":{}}}", page.total.unwrap_or_default()).as_bytes());
    out
}

/// One entry: the item with `_links`.
pub(super) fn entry(item: &Item<'_>, this: &str) -> Vec<u8> {
    let mut out = Vec::new();
    item.open_json(&mut out);
    out.extend_from_slice(b",\"_links\":");
    links(&[("self", Some(this))], &mut out);
    out.push(b'}');
    out
}

fn links(links: &[(&str, Option<&str>)], out: &mut Vec<u8>) {
    let mut separator = b'{';
    for (rel, href) in links.iter().filter_map(|(rel, href)| Some((rel, (*href)?))) {
        out.push(separator);
        string(rel, out);
        out.extend_from_slice(b":{\"href\":");
        string(href, out);
        out.push(b'}');
        separator = b',';
    }
    out.push(b'}');
}
