//! Hoody's fan-out: answers put together are the list of all halves, and end as they say.

#[allow(dead_code)] // others use the rest of it
mod model;

use model::Model;
use model::generate::record;
use proptest::prelude::*;
use reqlog_core::auth::{Key, KeyHash, Keyring, Role, Scope};
use reqlog_core::compact::Urgency;
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::level::Level;
use reqlog_core::plan::{Context, Exporter, FanOut, Operation, Outcome, Plan, Projects, Settings, plan};
use reqlog_core::query::Page;
use reqlog_core::record::{Field, Kind, Record};
use reqlog_core::timestamp::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_hours(1);

/// One answer, read to its end.
struct Answer {
    ids: Vec<u64>,
    trailer: Value,
}

impl Answer {
    fn cursor(&self) -> Option<&str> {
        self.trailer["cursor"].as_str()
    }

    fn reason(&self) -> &str {
        self.trailer["stoppedReason"].as_str().unwrap_or_else(|| panic!("{}", self.trailer))
    }
}

/// What is fixed beside the store.
struct Server {
    now: Timestamp,
    fan_out: FanOut,
}

impl Server {
    fn new() -> Self {
        Self { now: NOW, fan_out: FanOut { cursor_age: HOUR, deadline: HOUR } }
    }

    fn plan(&self, model: &Model, target: &str) -> Plan {
        let key = Key {
            id: 1,
            hash: KeyHash::of("admin"),
            name: "admin".to_owned(),
            role: Role::Admin,
            scope: Scope::Organisation,
            created: NOW,
            expires: None,
        };
        let context = Context {
            keyring: &Keyring::new(vec![key]),
            projects: &Projects::default(),
            head: model.catalog.head,
            now: self.now,
            secret: &[3; 32],
            settings: &Settings { fan_out: Some(self.fan_out), ..Settings::default() },
        };
        let request = http::Request::get(target).header("x-api-key", "admin").body(()).unwrap();
        plan(&request.into_parts().0, &context)
    }

    fn exporter(&self, model: &Model, target: &str) -> Exporter {
        self.plan(model, target).export().unwrap_or_else(|plan| panic!("{target}: {:?}", plan.reply(Outcome::Nothing)))
    }

    /// Reads an answer; `meanwhile` happens after each page, with the page's number, before it is supplied.
    fn sweep_while(&self, model: &mut Model, target: &str, mut meanwhile: impl FnMut(usize, &mut Model)) -> Answer {
        let mut exporter = self.exporter(model, target);
        assert_eq!(exporter.head().headers()["content-type"], "application/x-ndjson");
        let mut bytes = Vec::new();
        for number in 0.. {
            let Some(query) = exporter.next().cloned() else { break };
            assert!(query.limit <= 1000, "a page is bounded");
            let page: Page = model.page(query);
            meanwhile(number, model);
            exporter.supply(page, self.now, &model.catalog.expired);
            while let Some(chunk) = exporter.chunk() {
                bytes.extend_from_slice(&chunk);
            }
        }
        bytes.extend_from_slice(&exporter.end());
        assert_eq!(bytes.last(), Some(&b'\n'));
        let mut lines: Vec<Value> = bytes
            .trim_ascii_end()
            .split(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let trailer = lines.pop().unwrap();
        assert_eq!(trailer["__trailer"], true, "{trailer}");
        Answer { ids: lines.iter().map(|line| line["id"].as_u64().unwrap()).collect(), trailer }
    }

    fn sweep(&self, model: &mut Model, target: &str) -> Answer {
        self.sweep_while(model, target, |_, _| {})
    }
}

/// The ids of all halves that fit, one after the other.
fn naive(model: &Model, kind: Option<&str>, level: Option<&str>) -> Vec<u64> {
    let mut ids = Vec::new();
    for row in &model.rows {
        let seq = row.id.seq().get();
        let halves: &[_] = match row.record.kind {
            Kind::Exchange => &[(2 * seq - 1, "request"), (2 * seq, "response")],
            Kind::Request => &[(2 * seq - 1, "request")],
            Kind::Response => &[(2 * seq, "response")],
            Kind::Event => &[(2 * seq - 1, "event")],
        };
        let own = match row.record.level {
            Level::Trace | Level::Debug => "debug",
            Level::Error | Level::Fatal => "error",
            level => level.name(),
        };
        if level.is_none_or(|levels| levels.split(',').any(|name| name == own)) {
            ids.extend(halves.iter().filter(|(_, half)| kind.is_none_or(|kind| kind == *half)).map(|(id, _)| *id));
        }
    }
    ids
}

fn batch() -> impl Strategy<Value = Vec<Record>> {
    proptest::collection::vec(record(), 1..12)
}

fn happen(model: &mut Model, records: Option<&Vec<Record>>) {
    match records {
        Some(records) => model.commit(records),
        None => model.compact(Urgency::Settle),
    }
}

fn stored(batches: &[Vec<Record>], compacted: usize) -> Model {
    let mut model = Model::default();
    for (at, records) in batches.iter().enumerate() {
        if at == compacted {
            model.compact(Urgency::Settle);
        }
        model.commit(records);
    }
    model
}

/// So many exchanges of one project.
fn many(rows: usize) -> Model {
    let mut model = Model::default();
    let record = |at: usize| {
        let mut record = Record::new(Timestamp::from_nanos(at as i64));
        record.kind = Kind::Exchange;
        record.texts.set(Field::Project, "p");
        record
    };
    model.commit(&(0..rows).map(record).collect::<Vec<_>>());
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn answers_put_together_are_the_store_as_it_was_when_the_sweep_began(
        batches in proptest::collection::vec(batch(), 1..5), compacted in 0usize..6,
        kind in prop::sample::select(vec![None, None, Some("request"), Some("response"), Some("event")]),
        level in prop::sample::select(vec![None, None, Some("debug"), Some("error,info")]),
        limits in proptest::collection::vec(1usize..9, 1..5),
        history in proptest::collection::vec(prop::option::of(batch()), 1..6)
    ) {
        let mut model = stored(&batches, compacted);
        let truth = naive(&model, kind, level);
        let server = Server::new();
        let filters = [("kind", kind), ("level", level)]
            .map(|(name, value)| value.map_or(String::new(), |value| format!("&{name}={value}")))
            .concat();
        let (mut seen, mut cursor) = (Vec::<u64>::new(), String::new());
        for (step, limit) in limits.iter().cycle().enumerate() {
            let target = format!("/_logs?limit={limit}{filters}{cursor}");
            let answer = server.sweep_while(&mut model, &target, |_, model| happen(model, history[step % history.len()].as_ref()));
            seen.extend(&answer.ids);
            let ends = seen.len() == truth.len();
            prop_assert_eq!(answer.reason(), if ends { "end" } else { "limit" });
            prop_assert_eq!(answer.cursor().is_some(), !ends);
            prop_assert!(ends && answer.ids.len() <= *limit || answer.ids.len() == *limit);
            let Some(next) = answer.cursor() else { break };
            cursor = format!("&cursor={next}");
            prop_assert!(step < 200);
        }
        prop_assert_eq!(seen, truth);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_sweep_begins_where_it_is_told(
        batches in proptest::collection::vec(batch(), 1..5), compacted in 0usize..6, offset in 0usize..40, last in 1usize..40,
        limit in prop::option::of(1usize..20)
    ) {
        let mut model = stored(&batches, compacted);
        let (truth, server) = (naive(&model, None, None), Server::new());
        let head = model.catalog.head.unwrap().seq().get();
        let limited = limit.map_or(String::new(), |limit| format!("&limit={limit}"));
        let first = |ids: Vec<u64>| ids[..ids.len().min(limit.unwrap_or(usize::MAX))].to_vec();

        let answer = server.sweep(&mut model, &format!("/_logs?offset={offset}{limited}"));
        prop_assert_eq!(&answer.ids, &first(truth.iter().skip(offset).copied().collect()));
        prop_assert_eq!(answer.reason() == "limit", answer.ids.len() + offset < truth.len());

        let wanted = last.min(limit.unwrap_or(last));
        let answer = server.sweep(&mut model, &format!("/_logs?last={last}{limited}"));
        prop_assert_eq!(&answer.ids, &truth[truth.len().saturating_sub(wanted)..]);
        prop_assert_eq!(answer.reason(), "end");

        let snapshot = head / 2 + 1;
        let answer = server.sweep(&mut model, &format!("/_logs?snapshot={snapshot}{limited}"));
        prop_assert_eq!(answer.ids, first(truth.iter().copied().filter(|id| id.div_ceil(2) <= snapshot).collect()));

        for id in 0..=2 * head + 1 {
            let answer = server.sweep(&mut model, &format!("/_logs?afterId={id}{limited}"));
            let rest: Vec<u64> = truth.iter().copied().filter(|row| *row > id).collect();
            prop_assert_eq!(answer.cursor().is_some(), rest.len() > limit.unwrap_or(usize::MAX));
            prop_assert_eq!(answer.ids, first(rest));
        }
    }
}

#[test]
fn every_answer_gets_on_by_a_page_however_short_its_time() {
    let mut model = many(600);
    let mut server = Server::new();
    server.fan_out.deadline = Duration::ZERO;
    let (mut seen, mut cursor, mut reasons) = (Vec::<u64>::new(), String::new(), Vec::new());
    loop {
        let answer = server.sweep(&mut model, &format!("/_logs?level=info{cursor}"));
        seen.extend(&answer.ids);
        reasons.push((answer.reason().to_owned(), answer.ids.len()));
        let Some(next) = answer.cursor() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected = [("deadline", 512), ("deadline", 512), ("end", 176)].map(|(reason, rows)| (reason.to_owned(), rows));
    assert_eq!(reasons, expected);
    assert_eq!(seen, naive(&model, None, None));
}

#[test]
fn rows_are_skipped_page_by_page_before_the_time_is_looked_at() {
    let mut model = many(1_500);
    let mut server = Server::new();
    server.fan_out.deadline = Duration::ZERO;
    let answer = server.sweep(&mut model, "/_logs?offset=2701&limit=3");
    assert_eq!((answer.ids, answer.trailer["stoppedReason"].as_str()), (vec![2702, 2703, 2704], Some("limit")));
    let answer = server.sweep(&mut model, "/_logs?offset=600");
    // the first page is 256 records, the second a thousand
    assert_eq!((answer.ids.len(), answer.trailer["stoppedReason"].as_str()), (2 * 1_256 - 600, Some("deadline")));
}

#[test]
fn pages_with_bodies_are_smaller_and_chunks_are_no_longer_than_they_must_be() {
    let mut model = many(100);
    let mut record = model.rows[0].record.clone();
    let body = vec![b'x'; 100_000];
    record.response.body = Some(reqlog_core::body::Body { size: body.len() as u64, bytes: body, ..Default::default() });
    model.commit(&vec![record; 40]);
    let mut exporter = Server::new().exporter(&model, "/_logs?includeResponseBody=1");
    let (mut chunks, mut pages) = (Vec::new(), Vec::new());
    while let Some(query) = exporter.next().cloned() {
        let page = model.page(query);
        pages.push(page.rows.len());
        exporter.supply(page, NOW, &model.catalog.expired);
        while let Some(chunk) = exporter.chunk() {
            chunks.push(chunk.len());
        }
    }
    assert_eq!(pages, [32, 32, 32, 32, 12]);
    assert!(chunks.iter().all(|len| *len < Exporter::CHUNK + 101_000), "{chunks:?}");
    assert_eq!(chunks.iter().filter(|len| **len >= Exporter::CHUNK).count(), 13, "{chunks:?}");
}

#[test]
fn a_cursor_expires_with_its_sweep() {
    let (mut model, mut server) = (many(20), Server::new());
    let cursor = server.sweep(&mut model, "/_logs?limit=10").cursor().unwrap().to_owned();
    // a later answer of the same sweep makes it no younger
    server.now = NOW.plus_nanos(HOUR.as_nanos() as i64);
    let answer = server.sweep(&mut model, &format!("/_logs?limit=10&cursor={cursor}"));
    assert_eq!(answer.ids, (11..=20).collect::<Vec<_>>());
    server.now = server.now.plus_nanos(1);
    for cursor in [&cursor, answer.cursor().unwrap()] {
        let Err(plan) = server.plan(&model, &format!("/_logs?cursor={cursor}")).export() else { panic!("it goes on") };
        assert!(matches!(plan.operation(), Operation::Nothing));
        let answer = plan.reply(Outcome::Nothing);
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/x-ndjson".parse().unwrap())
        );
        assert_eq!(answer.body(), "{\"__trailer\":true,\"error\":\"snapshot_expired\",\"status\":410}\n");
    }
    // a clock that was set back makes nothing older
    server.now = NOW.plus_nanos(-1);
    assert_eq!(server.sweep(&mut model, &format!("/_logs?cursor={cursor}")).reason(), "end");
}

#[test]
fn a_cursor_expires_when_retention_removes_what_it_was_to_show() {
    let gone = json!({"__trailer": true, "error": "snapshot_expired", "status": 410});
    let (mut model, server) = (many(20), Server::new());
    let seq = |seq| Seq::new(seq).unwrap();
    // before the sweep began, also of rows after its position
    model.catalog.expired.add(NOW.plus_nanos(-1), seq(15));
    let answer = server.sweep(&mut model, "/_logs?limit=10");
    assert_eq!(answer.ids, (1..=10).collect::<Vec<_>>());
    let on = format!("/_logs?cursor={}", answer.cursor().unwrap());
    assert_eq!(server.sweep(&mut model, &on).ids.len(), 30);
    // since then, up to the record it stands on: ten rows are five records
    model.catalog.expired.add(NOW, seq(5));
    assert_eq!(server.sweep(&mut model, &on).ids.len(), 30);
    // and beyond
    model.catalog.expired.add(NOW, seq(6));
    let answer = server.sweep(&mut model, &on);
    assert_eq!((answer.ids.len(), answer.trailer), (0, gone));
}

#[test]
fn a_half_of_an_exchange_that_retention_removes_is_lost_too() {
    let (mut model, server) = (many(20), Server::new());
    let cursor = server.sweep(&mut model, "/_logs?limit=9").cursor().unwrap().to_owned();
    model.catalog.expired.add(NOW, Seq::new(5).unwrap());
    let answer = server.sweep(&mut model, &format!("/_logs?cursor={cursor}"));
    assert_eq!(answer.trailer["error"], "snapshot_expired");
}

#[test]
fn a_sweep_under_way_ends_when_retention_overtakes_it() {
    let (mut model, server) = (many(600), Server::new());
    let answer = server.sweep_while(&mut model, "/_logs", |page, model| {
        if page == 1 {
            model.catalog.expired.add(NOW, Seq::new(257).unwrap());
        }
    });
    assert_eq!((answer.ids.len(), answer.trailer["status"].as_u64()), (512, Some(410)));
    let mut model = many(600);
    let answer = server.sweep_while(&mut model, "/_logs", |page, model| {
        if page == 1 {
            model.catalog.expired.add(NOW, Seq::new(256).unwrap());
        }
    });
    assert_eq!((answer.ids.len(), answer.reason()), (1200, "end"));
}

#[test]
fn a_cursor_of_another_sweep_or_store_is_refused() {
    let (mut model, server) = (many(20), Server::new());
    let cursor = server.sweep(&mut model, "/_logs?limit=10&level=info,warn").cursor().unwrap().to_owned();
    let refused = |model: &Model, target: &str| {
        let Err(plan) = server.plan(model, target).export() else { panic!("{target} goes on") };
        plan.reply(Outcome::Nothing).status().as_u16() == 400
    };
    // levels in another order and bodies are the same sweep
    let on = format!("/_logs?level=warn,info&includeRequestBody=1&cursor={cursor}");
    assert_eq!(server.sweep(&mut model, &on).ids.len(), 30);
    for other in ["", "&level=info", "&level=info,warn&kind=request", "&level=info,warn&method=GET"] {
        assert!(refused(&model, &format!("/_logs?cursor={cursor}{other}")), "{other}");
    }
    // the store was restored from before the sweep
    model.catalog.head = Some(EntryId::new(1, Seq::new(19).unwrap()));
    assert!(refused(&model, &format!("/_logs?level=info,warn&cursor={cursor}")));
}
