//! The rows of Hoody's wire against the list of all halves, asked for as a client would: over the plan.

#[allow(dead_code)] // the laws use the rest of it
mod model;

use model::Model;
use model::generate::record;
use proptest::prelude::*;
use proptest::sample::Index;
use reqlog_core::auth::{Key, KeyHash, Keyring, Role, Scope};
use reqlog_core::compact::Urgency;
use reqlog_core::level::Level;
use reqlog_core::plan::{Context, Operation, Outcome, Projects, Settings, plan};
use reqlog_core::record::{Field, Kind, Record};
use reqlog_core::timestamp::Timestamp;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A parsed answer and where its links lead.
struct Answer {
    status: u16,
    body: Value,
    links: String,
}

impl Answer {
    fn ids(&self) -> Vec<u64> {
        self.entries().iter().map(|entry| entry["id"].as_u64().unwrap()).collect()
    }

    fn entries(&self) -> &[Value] {
        self.body["entries"].as_array().unwrap_or_else(|| panic!("{} {}", self.status, self.body))
    }

    fn link(&self, rel: &str) -> Option<String> {
        let link = self.links.split(", ").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
        Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned())
    }
}

/// Asks as the key of everything, or of the project alpha.
fn get(model: &Model, key: &str, target: &str) -> Answer {
    let key_of = |id, name: &str, scope| Key {
        id,
        hash: KeyHash::of(name),
        name: name.to_owned(),
        role: Role::Read,
        scope,
        created: NOW,
        expires: None,
    };
    let keyring = Keyring::new(vec![
        key_of(1, "all", Scope::Organisation),
        key_of(2, "alpha", Scope::Project("alpha".to_owned())),
    ]);
    let context = Context {
        keyring: &keyring,
        projects: &Projects::default(),
        head: model.catalog.head,
        now: NOW,
        secret: &[3; 32],
        settings: &Settings::default(),
    };
    let request = http::Request::get(target).header("x-api-key", key).body(()).unwrap();
    let planned = plan(&request.into_parts().0, &context);
    let outcome = match planned.operation() {
        Operation::Page { query, .. } => Outcome::Page(model.page(query.clone())),
        _ => Outcome::Nothing,
    };
    let response = planned.reply(outcome);
    let links = response.headers().get("link").map_or("", |links| links.to_str().unwrap()).to_owned();
    let text = std::str::from_utf8(response.body()).unwrap();
    let body = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    Answer { status: response.status().as_u16(), body, links }
}

/// What is asked for beside the place of the page.
#[derive(Clone, Debug)]
struct Asked {
    base: &'static str,
    key: &'static str,
    kind: Option<&'static str>,
    level: Option<&'static str>,
}

impl Asked {
    fn target(&self, place: &str) -> String {
        let parameter =
            |name: &str, value: Option<&str>| value.map_or(String::new(), |value| format!("&{name}={value}"));
        format!("{}?{place}{}{}", self.base, parameter("kind", self.kind), parameter("level", self.level))
    }

    fn get(&self, model: &Model, place: &str) -> Answer {
        get(model, self.key, &self.target(place))
    }

    /// The ids of all halves that fit, one after the other.
    fn naive(&self, model: &Model) -> Vec<u64> {
        let mut ids = Vec::new();
        let mut rows = model.rows.clone();
        rows.sort_by_key(|row| row.id.seq());
        for row in rows {
            let seq = row.id.seq().get();
            let level = match row.record.level {
                Level::Trace | Level::Debug => "debug",
                Level::Error | Level::Fatal => "error",
                level => level.name(),
            };
            let halves: &[_] = match row.record.kind {
                Kind::Exchange => &[(2 * seq - 1, "request"), (2 * seq, "response")],
                Kind::Request => &[(2 * seq - 1, "request")],
                Kind::Response => &[(2 * seq, "response")],
                Kind::Event => &[(2 * seq - 1, "event")],
            };
            let mine = self.key == "all" || row.record.text(Field::Project) == Some("alpha");
            if mine && self.level.is_none_or(|levels| levels.split(',').any(|name| name == level)) {
                ids.extend(halves.iter().filter(|(_, kind)| self.kind.is_none_or(|k| k == *kind)).map(|(id, _)| *id));
            }
        }
        ids
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let kinds = vec![None, None, Some("request"), Some("response"), Some("event")];
    let levels = vec![None, None, Some("debug"), Some("error,info"), Some("warn,debug,error")];
    (
        prop::sample::select(vec!["/_logs", "/api/proxy-logs/_logs"]),
        prop::sample::select(vec!["all", "all", "alpha"]),
        prop::sample::select(kinds),
        prop::sample::select(levels),
    )
        .prop_map(|(base, key, kind, level)| Asked { base, key, kind, level })
}

fn batch() -> impl Strategy<Value = Vec<Record>> {
    // half of them of the project of the lesser key
    let mine = (record(), any::<bool>()).prop_map(|(mut record, mine)| {
        if mine {
            record.texts.set(Field::Project, "alpha");
        }
        record
    });
    proptest::collection::vec(mine, 1..12)
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Meanwhile {
    Commit(Vec<Record>),
    Compact,
}

impl Meanwhile {
    fn happen(&self, model: &mut Model) {
        match self {
            Self::Commit(records) => model.commit(records),
            Self::Compact => model.compact(Urgency::Settle),
        }
    }
}

fn history() -> impl Strategy<Value = Vec<Meanwhile>> {
    let meanwhile = prop_oneof![2 => batch().prop_map(Meanwhile::Commit), 1 => Just(Meanwhile::Compact)];
    proptest::collection::vec(meanwhile, 1..6)
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

fn batches() -> impl Strategy<Value = Vec<Vec<Record>>> {
    proptest::collection::vec(batch(), 1..5)
}

fn limits() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1usize..9, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_window_is_a_window_of_all_halves(
        batches in batches(), compacted in 0usize..6, asked in asked(), limit in 1usize..30, offset in 0usize..40,
        last in 1usize..40
    ) {
        let model = stored(&batches, compacted);
        let truth = asked.naive(&model);
        let head = model.catalog.head.unwrap().seq().get();

        let page = asked.get(&model, &format!("limit={limit}&offset={offset}"));
        prop_assert_eq!(page.ids(), truth.iter().skip(offset).take(limit).copied().collect::<Vec<_>>());
        prop_assert_eq!(page.link("next").is_some(), offset + limit < truth.len());
        prop_assert_eq!(page.link("prev").is_some(), offset.min(truth.len()) > 0);
        // also from beyond the end, to the last page
        if let Some(prev) = page.link("prev") {
            let before = get(&model, asked.key, &prev).ids();
            let end = offset.min(truth.len());
            prop_assert_eq!(before, &truth[end.saturating_sub(limit)..end]);
        }
        let numbers = ["total", "limit", "offset"].map(|name| page.body[name].as_u64().unwrap() as usize);
        prop_assert_eq!(numbers, [truth.len(), limit, offset]);
        // a walk that began earlier does not see what came later
        let snapshot = head / 2 + 1;
        let earlier: Vec<_> = truth.iter().copied().filter(|id| id.div_ceil(2) <= snapshot).collect();
        let page = asked.get(&model, &format!("limit={limit}&offset={offset}&snapshot={snapshot}"));
        prop_assert_eq!(page.ids(), earlier.iter().skip(offset).take(limit).copied().collect::<Vec<_>>());
        prop_assert_eq!(page.body["total"].as_u64().unwrap(), earlier.len() as u64);

        let newest = |n: usize| truth[truth.len().saturating_sub(n)..].to_vec();
        let page = asked.get(&model, &format!("last={last}"));
        prop_assert_eq!((page.ids(), page.links.as_str()), (newest(last), ""));
        let numbers = ["total", "limit", "offset"].map(|name| page.body[name].as_u64().unwrap() as usize);
        prop_assert_eq!(numbers, [truth.len(), last, 0]);
        prop_assert_eq!(asked.get(&model, &format!("limit={limit}&last={last}")).ids(), newest(last.min(limit)));

        for id in 0..=2 * head + 1 {
            let page = asked.get(&model, &format!("afterId={id}&limit={limit}"));
            let rest: Vec<_> = truth.iter().copied().filter(|row| *row > id).collect();
            prop_assert_eq!(page.ids(), rest.iter().take(limit).copied().collect::<Vec<_>>());
            prop_assert_eq!(page.link("next").is_some(), rest.len() > limit);
            prop_assert_eq!(page.body["total"].as_u64().unwrap(), truth.len() as u64);
        }
    }

    #[test]
    fn a_walk_by_links_sees_each_half_once_whatever_arrives(
        batches in batches(), compacted in 0usize..6, asked in asked(), limit in 1usize..9, history in history()
    ) {
        let mut model = stored(&batches, compacted);
        let truth = asked.naive(&model);
        let (mut seen, mut pages) = (Vec::new(), Vec::new());
        let mut page = asked.get(&model, &format!("limit={limit}"));
        let mut events = history.iter().cycle();
        loop {
            seen.extend(page.ids());
            pages.push(page.ids());
            let Some(next) = page.link("next") else { break };
            if pages.len() <= 12 {
                events.next().unwrap().happen(&mut model);
            }
            page = get(&model, asked.key, &next);
        }
        prop_assert_eq!(&seen, &truth);
        // and the same pages on the way back
        let mut back = vec![page.ids()];
        while let Some(prev) = page.link("prev") {
            page = get(&model, asked.key, &prev);
            back.push(page.ids());
        }
        back.reverse();
        prop_assert_eq!(back, pages);
    }

    #[test]
    fn pages_of_any_size_by_offset_and_snapshot_are_the_whole(
        batches in batches(), compacted in 0usize..6, asked in asked(), limits in limits(), history in history()
    ) {
        let mut model = stored(&batches, compacted);
        let snapshot = model.catalog.head.unwrap().seq();
        let truth = asked.naive(&model);
        let (mut seen, mut events) = (Vec::new(), history.iter());
        for limit in limits.iter().cycle() {
            let place = format!("snapshot={snapshot}&offset={}&limit={limit}", seen.len());
            let page = asked.get(&model, &place);
            prop_assert_eq!(page.body["total"].as_u64(), Some(truth.len() as u64));
            if page.ids().is_empty() {
                break;
            }
            seen.extend(page.ids());
            events.next().into_iter().for_each(|event| event.happen(&mut model));
        }
        prop_assert_eq!(seen, truth);
    }

    #[test]
    fn following_by_after_id_misses_nothing_that_arrives(
        batches in batches(), compacted in 0usize..6, asked in asked(), limits in limits(), history in history(),
        from in any::<Index>()
    ) {
        let mut model = stored(&batches, compacted);
        let head = model.catalog.head.unwrap().seq().get();
        // also where there is no row, and in the middle of an exchange
        let from = from.index(2 * head as usize + 1) as u64;
        let (mut seen, mut last, mut events) = (Vec::new(), from, history.iter());
        for limit in limits.iter().cycle() {
            let page = asked.get(&model, &format!("afterId={last}&limit={limit}"));
            seen.extend(page.ids());
            last = seen.last().copied().unwrap_or(from);
            match (events.next(), page.link("next")) {
                (Some(event), _) => event.happen(&mut model),
                (None, Some(next)) => {
                    let on = format!("&afterId={last}");
                    prop_assert!(next.ends_with(&on), "{}", next);
                }
                (None, None) => break,
            }
        }
        let truth: Vec<_> = asked.naive(&model).into_iter().filter(|id| *id > from).collect();
        prop_assert_eq!(seen, truth);
    }

    #[test]
    fn every_row_is_json_that_says_what_its_record_says(
        mut records in batch(), durations in proptest::collection::vec(prop::option::of(any::<u64>()), 12),
        attributes in proptest::collection::vec(attributes(), 12)
    ) {
        for (record, (duration, attributes)) in records.iter_mut().zip(durations.into_iter().zip(attributes)) {
            (record.duration, record.attributes) = (duration, attributes.map(|members| Value::Object(members).to_string()));
        }
        let mut model = Model::default();
        model.commit(&records);
        let all = Asked { base: "/_logs", key: "all", kind: None, level: None };
        let page = all.get(&model, "includeRequestBody=true&includeResponseBody=true");
        prop_assert_eq!(page.ids(), all.naive(&model));
        let mut request = 0;
        for entry in page.entries() {
            let id = entry["id"].as_u64().unwrap();
            let record = &records[id.div_ceil(2) as usize - 1];
            let url = record.url();
            prop_assert_eq!(entry["url"].as_str(), url.as_deref());
            prop_assert_eq!(entry["status"].as_u64(), record.status.map(u64::from));
            let time = Timestamp::from_millis(entry["tsMs"].as_i64().unwrap());
            prop_assert_eq!(entry["tsIso"].as_str().unwrap(), time.to_rfc3339_millis());
            let data = &entry["data"];
            if id % 2 == 1 || record.kind == Kind::Response {
                request = record.time.as_millis();
                prop_assert_eq!(time.as_millis(), request);
                kept(record, data)?;
            } else {
                let passed = data["durationMs"].as_u64().unwrap_or(0);
                let after = Timestamp::from_millis(request.saturating_add_unsigned(passed));
                prop_assert_eq!(time.as_millis(), after.as_millis());
            }
            for (name, side, message) in
                [("requestBody", Kind::Request, &record.request), ("responseBody", Kind::Response, &record.response)]
            {
                let own = entry["kind"] == side.name();
                let there = own || record.kind != Kind::Exchange && message.body.is_some();
                prop_assert_eq!(entry.get(name).is_some(), there, "{} of {}", name, entry);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_query_makes_the_server_fail(
        query in "((limit|offset|afterId|last|snapshot)=(0|1|2|7|1000|1001|[0-9]{1,25}|-1|[a-z%+,]{0,3})&\
                 |(kind|level|source|method|serviceName|projectId|containerId)=(request|event|info|edge|alpha|[a-z%,2]{0,4})&\
                 |include(Request|Response)Body=(1|true|no)&|cursor=[A-Za-z0-9%+/=_.-]{0,9}&){0,4}",
        key in prop::sample::select(vec!["all", "alpha", "nobody"]), rows in batch()
    ) {
        let mut model = Model::default();
        if rows.len() > 1 {
            model.commit(&rows);
        }
        let answer = get(&model, key, &format!("/_logs?{query}"));
        match answer.status {
            200 => prop_assert!(answer.ids().is_sorted_by(|a, b| a < b)),
            status => {
                prop_assert!([400, 401, 403].contains(&status), "{}", status);
                prop_assert_eq!(&answer.body["statusCode"], status);
                prop_assert!(answer.body["error"].is_string() && answer.body["message"].is_string());
            }
        }
    }
}

fn attributes() -> impl Strategy<Value = Option<serde_json::Map<String, Value>>> {
    let name = prop_oneof![
        prop::sample::select(vec!["bytesIn", "userAgent", "bytesOut", "durationMs", "message", "attributes", "status"])
            .prop_map(str::to_owned),
        "\\PC{0,3}|[\\x00-\\x20\"]{0,2}",
    ];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "(\\PC|[\\x00-\\x20\"\\\\]){0,6}".prop_map(Value::from),
        Just(serde_json::json!({"deep": [null, true, {}]})),
    ];
    prop::option::of(proptest::collection::vec((name, value), 1..5).prop_map(|members| members.into_iter().collect()))
}

/// Nothing of the attributes is lost, whatever they are called: those named like a member that the row has stand aside.
fn kept(record: &Record, data: &Value) -> Result<(), TestCaseError> {
    let Some(attributes) = &record.attributes else { return Ok(()) };
    let attributes: serde_json::Map<String, Value> = serde_json::from_str(attributes).unwrap();
    let (request, response) = (record.request.body.is_some(), record.response.body.is_some());
    let agent = record.text(Field::UserAgent).is_some();
    let own = |name: &str| match (name, record.kind) {
        ("attributes", _) | ("bytesIn" | "userAgent", Kind::Exchange | Kind::Request) => true,
        ("bytesOut" | "durationMs", Kind::Response) => true,
        ("bytesOut" | "durationMs", Kind::Exchange) => false,
        ("bytesIn", _) => request,
        ("userAgent", _) => agent,
        ("bytesOut", _) => response,
        ("durationMs", _) => record.duration.is_some(),
        ("message", _) => record.text(Field::Message).is_some(),
        _ => false,
    };
    for (name, value) in &attributes {
        let holder = if own(name) { &data["attributes"] } else { data };
        prop_assert_eq!(holder.get(name), Some(value));
    }
    Ok(())
}
