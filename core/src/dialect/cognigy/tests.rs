//! What vectors cannot say: a base path, listed origins, failures of the store, bounds of a query.

use crate::auth::{Key, KeyHash, Keyring, Role, Scope};
use crate::filter::{Number, Predicate};
use crate::id::{EntryId, Seq};
use crate::plan::{Context, Failure, Operation, Origins, Outcome, Plan, Projects, Settings, plan};
use crate::query::{Order, Page, Query, Start};
use crate::record::{Record, Stored};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Value;

const NOW: i64 = 1_800_000_000_000;
const LOGS: &str = "/api/v2.0/projects/abcdefghijklmnopqrstuvwx/logs";

fn planned(target: &str, head: (u64, u64), fields: &[(&str, &str)]) -> Plan {
    let key = Key {
        id: 1,
        hash: KeyHash::of("the-key"),
        name: String::new(),
        role: Role::Read,
        scope: Scope::Project("abcdefghijklmnopqrstuvwx".into()),
        created: Timestamp::from_millis(0),
        expires: None,
    };
    let settings = Settings {
        base_path: "/api".into(),
        origins: Origins::Listed(vec!["https://ui.example".into()]),
        ..Settings::default()
    };
    let context = Context {
        keyring: &Keyring::new(vec![key]),
        projects: &Projects::default(),
        head: Some(EntryId::new(head.0, Seq::new(head.1).unwrap())),
        now: Timestamp::from_millis(NOW),
        secret: &[3; 32],
        settings: &settings,
    };
    let mut request = Request::get(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    plan(&request.body(()).unwrap().into_parts().0, &context)
}

fn query(plan: &Plan) -> &Query {
    match plan.operation() {
        Operation::Page { query, .. } => query,
        other => panic!("{other:?}"),
    }
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn row(seq: u64) -> Stored {
    let id = EntryId::new(NOW as u64 - 5, Seq::new(seq).unwrap());
    Stored { id, record: Record::new(Timestamp::from_millis(NOW - 5)) }
}

fn page() -> Page {
    Page { rows: vec![row(7), row(6)], more_before: true, more_after: true, total: Some(9), ..Page::default() }
}

#[test]
fn links_have_the_base_path_and_never_the_key() {
    for representation in ["application/hal+json", "application/json", "text/xml", "text/csv"] {
        for query in ["api_key=the-key&limit=2", "limit=2&api_key=the-key&skip=3", "api%5Fkey=the-key&filter=%3Cx%3E"] {
            let plan = planned(&format!("{LOGS}?{query}"), (5, 9), &[("accept", representation)]);
            let response = plan.reply(Outcome::Page(page()));
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers()["link"].to_str().unwrap().starts_with(&format!("<{LOGS}?")));
            let shown = format!("{:?} {:?}", response.headers(), response.body());
            assert!(!shown.contains("the-key") && !shown.contains("api_key"), "{shown}");
        }
    }
    let response = planned(&format!("{LOGS}?limit=0&api_key=the-key"), (5, 9), &[]).reply(Outcome::Nothing);
    assert_eq!(json(&response)["instance"], LOGS);
    assert!(!format!("{response:?}").contains("the-key"));
}

#[test]
fn an_answer_varies_by_accept_and_by_origin() {
    let fields = [("x-api-key", "the-key"), ("origin", "https://ui.example")];
    let response = planned(LOGS, (5, 9), &fields).reply(Outcome::Page(page()));
    let varies: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(varies, ["accept", "origin"]);
    assert!(response.headers()["access-control-expose-headers"].to_str().unwrap().contains("x-total-count"));
}

#[test]
fn failures_have_codes_and_tell_nothing_of_the_inside() {
    for (failure, status, code, kind) in [
        (Failure::Internal, 500, 1008, "Internal Server Error"),
        (Failure::Corrupt, 500, 1008, "Internal Server Error"),
        (Failure::TooMuchWork, 422, 1005, "Unprocessable Entity"),
        (Failure::Closing, 503, 503, "Service Unavailable"),
        (Failure::Limited { retry_after: std::time::Duration::from_secs(2) }, 429, 429, "Too Many Requests"),
        (Failure::Busy { retry_after: std::time::Duration::from_secs(2) }, 503, 503, "Service Unavailable"),
    ] {
        let response = planned(LOGS, (5, 9), &[("x-api-key", "the-key")]).reply(Outcome::Failed(failure));
        let body = json(&response);
        assert_eq!((response.status().as_u16(), &body["code"]), (status, &Value::from(code)));
        assert_eq!((&body["status"], &body["type"]), (&Value::from(status), &Value::from(kind)));
        assert!(
            body["title"].as_str().unwrap().ends_with(" Error")
                && !body["title"].as_str().unwrap().ends_with("Error Error")
        );
    }
}

#[test]
fn a_lost_place_names_its_parameter() {
    let first = planned(LOGS, (5, 9), &[("x-api-key", "the-key")]).reply(Outcome::Page(page()));
    for (member, name) in [("nextCursor", "next"), ("previousCursor", "previous")] {
        let cursor = json(&first)[member].as_str().unwrap().to_owned();
        let plan = planned(&format!("{LOGS}?{name}={cursor}"), (5, 9), &[("x-api-key", "the-key")]);
        let seq = |seq| Seq::new(seq).unwrap();
        let start = if name == "next" { Start::AfterRow(seq(6)) } else { Start::BeforeRow(seq(7)) };
        assert_eq!((query(&plan).start, query(&plan).order), (start, Order::Time));
        let response = plan.reply(Outcome::Page(Page { lost: true, ..Page::default() }));
        let body = json(&response);
        assert_eq!((response.status().as_u16(), &body["code"]), (400, &Value::from(1005)));
        assert_eq!(body["details"]["parameter"], name);
    }
}

#[test]
fn a_walk_is_bound_by_its_beginning_once_something_has_arrived_since() {
    let bound = |plan: &Plan| match &query(plan).filter {
        Predicate::And(parts) => parts.iter().find_map(|part| match part {
            Predicate::Number(Number::Arrival, ranges) => Some(ranges[0].1),
            _ => None,
        }),
        other => panic!("{other:?}"),
    };
    let key = [("x-api-key", "the-key")];
    let arrival = NOW as u64 - 2_000;
    let first = planned(LOGS, (arrival, 9), &key);
    assert_eq!(bound(&first), None, "the head is the bound");
    let cursor = json(&first.reply(Outcome::Page(page())))["nextCursor"].as_str().unwrap().to_owned();
    let next = format!("{LOGS}?next={cursor}");
    assert_eq!(bound(&planned(&next, (arrival, 9), &key)), None, "nothing has arrived since");
    // also what was being committed while the walk began
    assert_eq!(bound(&planned(&next, (NOW as u64 - 999, 10), &key)), Some(NOW - 1_000));
    let by_skip = planned(&format!("{LOGS}?skip=2&snapshot={arrival}"), (NOW as u64 + 5, 12), &key);
    assert_eq!(bound(&by_skip), Some(arrival as i64));
}
