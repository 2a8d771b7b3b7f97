//! A project's key in every dialect: another project's rows can neither be listed, counted, paged to nor guessed.

use crate::client::{Answer, Client};
use crate::security::{Setting, id};
use reqlog_core::id::{EntryId, Half};
use serde_json::Value;

/// How Cognigy names a project: the beginning of its name's SHA-256.
const ALPHA: &str = "8ed3f6ad685b959ead702251";
const BETA: &str = "f44e64e75f3948e9f73f8dfa";
/// Of a project that nobody has.
const ZETA: &str = "5cc10d9143b2cff082cf5fb3";

fn entry(row: &Value) -> EntryId {
    EntryId::from_text(id(row)).unwrap()
}

/// The answer, in which nothing of beta is to be read.
fn silent(answer: Answer) -> Answer {
    let (text, fields) = (answer.text(), format!("{:?}", answer.headers));
    assert!(!text.contains("beta") && !fields.contains("beta"), "{fields} {text}");
    answer
}

/// Two refusals that differ by nothing but what was asked for.
fn alike(client: &Client, status: u16, real: &str, invented: &str) {
    let told = |path: &str| {
        let mut answer = client.get(path).expect(status);
        answer.headers.remove("date");
        // Cognigy's refusals have ids of their own
        let mut body = answer.json();
        if let Some(body) = body.as_object_mut() {
            body.remove("traceId");
        }
        let asked = path.split('/').find(|part| [BETA, ZETA].contains(part)).unwrap_or(path);
        (body.to_string().replace(path, "path").replace(asked, "name"), answer.headers.len())
    };
    assert_eq!(told(real), told(invented), "{real}");
}

#[test]
fn lists_and_counts_are_of_the_keys_project() {
    let setting = Setting::new();
    let reader = setting.key("read", Some("alpha"));
    for (path, rows, total, wanted) in [
        ("/v1/logs".to_owned(), "/data", "", 3),
        ("/v1/logs?sort_by=duration_ms&sort_dir=asc".to_owned(), "/data", "", 3),
        ("/_logs".to_owned(), "/entries", "/total", 6),
        ("/api/proxy-logs/_logs?last=1000".to_owned(), "/entries", "/total", 6),
        ("/_logs?afterId=0&includeResponseBody=true".to_owned(), "/entries", "/total", 6),
        ("/logs".to_owned(), "/data/logs", "/data/pagination/total", 3),
        (format!("/v2.1/projects/{ALPHA}/logs"), "/items", "/total", 3),
        (format!("/v2.0/projects/{ALPHA}/logs/tail"), "/items", "/total", 3),
    ] {
        let page = silent(reader.get(&path).expect(200)).json();
        assert_eq!(page.pointer(rows).unwrap().as_array().unwrap().len(), wanted, "{path}");
        if let Some(total) = page.pointer(total).filter(|_| !total.is_empty()) {
            assert_eq!(*total, wanted, "{path}");
        }
    }
    // what would only match over there
    for (path, rows) in [
        ("/_logs?serviceName=beta-api".to_owned(), "/entries"),
        ("/logs?service=beta-api".to_owned(), "/data/logs"),
        ("/logs?search=word-of-beta".to_owned(), "/data/logs"),
        (format!("/v2.1/projects/{ALPHA}/logs?filter=word-of-beta"), "/items"),
    ] {
        assert_eq!(reader.json(&path).pointer(rows).unwrap(), &Value::Array(Vec::new()), "{path}");
    }
    for accept in ["application/hal+json", "application/xml", "text/csv"] {
        let path = format!("/v2.1/projects/{ALPHA}/logs");
        silent(reader.send(&http::Method::GET, &path, &[("accept", accept)], b"").expect(200));
    }
}

#[test]
fn another_project_is_refused_by_name_and_not_found_by_id_whether_or_not_it_exists() {
    let setting = Setting::new();
    let reader = setting.key("read", Some("alpha"));
    let named = |path: &str, status, real: &str, invented: &str| {
        let path = |name: &str| path.replace("{}", name);
        setting.admin.get(&path(real)).expect(200);
        alike(&reader, status, &path(real), &path(invented));
    };
    reader.get("/_logs?projectId=beta").expect(403);
    let refused = |project: &str| reader.get(&format!("/_logs?projectId={project}")).expect(403).text();
    assert_eq!(refused("beta").replace("beta", "zeta"), refused("zeta"));
    named("/v2.1/projects/{}/logs", 403, BETA, ZETA);
    named("/new/v2.0/projects/{}/logs/tail", 403, BETA, ZETA);

    let never = EntryId::new(1, reqlog_core::id::Seq::new(900).unwrap());
    for row in &setting.beta {
        named("/v1/logs/{}", 404, &entry(row).to_uuid(), &never.to_uuid());
        let (real, invented) = (entry(row).to_cognigy(), never.to_cognigy());
        setting.admin.get(&format!("/v2.1/projects/{BETA}/logs/{real}")).expect(200);
        alike(
            &reader,
            404,
            &format!("/v2.1/projects/{ALPHA}/logs/{real}"),
            &format!("/v2.1/projects/{ALPHA}/logs/{invented}"),
        );
        // neither by its own project's name
        reader.get(&format!("/v2.1/projects/{BETA}/logs/{real}")).expect(403);
        // an id as a place shows only what its bearer may see
        let after = entry(row).to_row(Half::First);
        silent(reader.get(&format!("/_logs?afterId={after}")).expect(200));
    }
    for row in &setting.alpha {
        reader.get(&format!("/v1/logs/{}", entry(row).to_uuid())).expect(200);
        reader.get(&format!("/v2.1/projects/{ALPHA}/logs/{}", entry(row).to_cognigy())).expect(200);
    }
}

#[test]
fn a_cursor_goes_on_in_its_own_project_only() {
    let setting = Setting::new();
    let (alpha, beta) = (setting.key("read", Some("alpha")), setting.key("read", Some("beta")));
    let scrip =
        |client: &Client| client.json("/v1/logs?limit=1")["pagination"]["next_cursor"].as_str().unwrap().to_owned();
    for foreign in [scrip(&beta), scrip(&setting.admin)] {
        alpha.get(&format!("/v1/logs?limit=1&cursor={foreign}")).expect(400);
    }
    alpha.get(&format!("/v1/logs?limit=2&cursor={}", scrip(&alpha))).expect(200);
    let cognigy = |client: &Client, project: &str| {
        client.json(&format!("/v2.1/projects/{project}/logs?limit=1"))["nextCursor"].as_str().unwrap().to_owned()
    };
    let foreign = cognigy(&beta, BETA);
    for side in ["next", "previous"] {
        alpha.get(&format!("/v2.1/projects/{ALPHA}/logs?limit=1&{side}={foreign}")).expect(400);
    }
    let own = cognigy(&alpha, ALPHA);
    alpha.get(&format!("/v2.1/projects/{ALPHA}/logs?limit=2&next={own}")).expect(200);
    // every other spelling of it
    for at in 0..own.len() {
        for with in ["0", "a", "z"] {
            let mut forged = own.clone();
            forged.replace_range(at..=at, with);
            if forged != own {
                alpha.get(&format!("/v2.1/projects/{ALPHA}/logs?limit=1&next={forged}")).expect(400);
            }
        }
    }
}
