use super::*;
use std::collections::BTreeSet;

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn every_operation_is_named_once_and_every_reference_leads_somewhere() {
    let document = document("");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
    }
    let text = document.to_string();
    for (at, _) in text.match_indices("#/components/schemas/") {
        let name = text[at..].split('"').next().unwrap().rsplit('/').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[test]
fn what_needs_a_key_says_so() {
    for (path, method, operation) in operations(&document("")) {
        let public = operation["security"] == json!([]);
        // Hoody's stream refuses by 403, as its documentation has it
        let status = if path.ends_with("/_logs/stream") { "403" } else { "401" };
        assert_eq!(public, operation["responses"].get(status).is_none(), "{method} {path}");
    }
}

#[test]
fn the_server_is_where_it_is_reached() {
    assert_eq!(document("/logs")["servers"][0]["url"], "/logs");
    assert_eq!(document("")["servers"][0]["url"], "/");
}

#[test]
fn the_page_shows_every_path() {
    let document = document("");
    let page = page(&document);
    for (path, ..) in operations(&document) {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
}
