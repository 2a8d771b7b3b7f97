//! Ten thousand lines walked to the end through the dialects while another client writes and compaction runs.
//!
//! What a walk must show comes from one export at the end: the rows that were there when the walk began, sorted naively,
//! as the dialect names them.

use crate::client::{Answer, Client};
use crate::corpus;
use crate::server::Server;
use crate::walk::{live, metric, write};
use reqlog_core::id::{EntryId, Half};
use serde_json::{Value, json};
use std::cell::Cell;
use std::cmp::Ordering as Cmp;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// A name that every dialect can spell.
const PROJECT: &str = "abcdefghijklmnopqrstuvwx";
/// The whole log and what is written beside it.
const MONTH: &str = "startDate=2015-05-01&endDate=2015-05-31";

/// A walk to be made.
#[derive(Clone, Debug)]
struct Walk {
    dialect: Dialect,
    sort: Sort,
    descending: bool,
    limit: usize,
    /// Only rows of this status and above.
    status: u64,
    /// Ends after so many rows.
    most: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Dialect {
    Scrip,
    Hoody,
    Generic,
    /// By cursor.
    Cognigy,
    /// By offset.
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Time,
    Arrival,
    Duration,
    Status,
    Level,
    Trace,
    Message,
}

/// One page: what it shows and where it leads.
struct Page {
    rows: Vec<String>,
    next: Option<String>,
    prev: Option<String>,
}

impl Walk {
    fn path(&self) -> String {
        let Self { limit, status, .. } = self;
        let direction = if self.descending { "desc" } else { "asc" };
        match self.dialect {
            Dialect::Scrip => {
                let sort = match self.sort {
                    Sort::Duration => "duration_ms",
                    Sort::Status => "status_code",
                    _ => "created_at",
                };
                let least = if *status > 0 { format!("&status_min={status}") } else { String::new() };
                format!("/v1/logs?limit={limit}&sort_by={sort}&sort_dir={direction}{least}")
            }
            Dialect::Hoody => format!("/_logs?limit={limit}{}", if *status > 0 { "&level=error" } else { "" }),
            Dialect::Generic => format!("/logs?limit={limit}{}", if *status > 0 { "&level=error" } else { "" }),
            Dialect::Cognigy | Dialect::Skip => {
                let sort = match self.sort {
                    Sort::Arrival => "_id",
                    Sort::Level => "type",
                    Sort::Trace => "traceId",
                    Sort::Message => "msg",
                    _ => "timestamp",
                };
                let only = if *status > 0 { "&type=error" } else { "" };
                format!("/v2.1/projects/{PROJECT}/logs?{MONTH}&limit={limit}&sort={sort}:{direction}{only}")
            }
        }
    }

    /// Whether the filter lets a row of the export through.
    fn sees(&self, row: &Value) -> bool {
        let status = row["status"].as_u64();
        match self.dialect {
            _ if self.status == 0 => true,
            Dialect::Scrip => status >= Some(self.status),
            _ => row["level"] == "error",
        }
    }

    fn compare(&self, a: &Value, b: &Value) -> Cmp {
        let number = |name: &str| a[name].as_f64().partial_cmp(&b[name].as_f64()).unwrap();
        let text = |name: &str| a[name].as_str().cmp(&b[name].as_str());
        let level = |row: &Value| {
            let levels = ["trace", "debug", "info", "warn", "error", "fatal"];
            levels.iter().position(|level| row["level"] == *level)
        };
        let first = match self.sort {
            Sort::Time => text("time"),
            Sort::Arrival => Cmp::Equal,
            Sort::Duration => number("duration_ms"),
            Sort::Status => number("status"),
            Sort::Level => level(a).cmp(&level(b)),
            Sort::Trace => text("trace_id"),
            Sort::Message => message(a).cmp(&message(b)),
        };
        let all = first.then_with(|| a["seq"].as_u64().cmp(&b["seq"].as_u64()));
        if self.descending { all.reverse() } else { all }
    }

    /// A row of the export in the words of the dialect.
    fn shown(&self, row: &Value) -> Vec<String> {
        let id = EntryId::from_text(row["id"].as_str().unwrap()).unwrap();
        match self.dialect {
            Dialect::Scrip => vec![id.to_uuid()],
            Dialect::Hoody => [Half::First, Half::Second].map(|half| id.to_row(half).to_string()).to_vec(),
            // this dialect has no ids
            Dialect::Generic => vec![format!("{} {}", row["time"].as_str().unwrap(), message(row))],
            Dialect::Cognigy | Dialect::Skip => vec![id.to_cognigy()],
        }
    }

    fn read(&self, answer: &Answer) -> Page {
        let page = answer.json();
        let path = self.path();
        let on = |parameter: &str, cursor: &Value| cursor.as_str().map(|cursor| format!("{path}&{parameter}={cursor}"));
        let rows =
            |items: &Value, show: &dyn Fn(&Value) -> String| items.as_array().unwrap().iter().map(show).collect();
        let text = |name: &'static str| move |item: &Value| item[name].as_str().unwrap().to_owned();
        let links = [answer.link("next"), answer.link("prev")];
        match self.dialect {
            Dialect::Scrip => {
                let next = on("cursor", &page["pagination"]["next_cursor"]);
                assert_eq!(page["pagination"]["has_more"], next.is_some());
                Page { rows: rows(&page["data"], &text("id")), next, prev: None }
            }
            Dialect::Hoody => {
                let [next, prev] = links;
                Page { rows: rows(&page["entries"], &|item| item["id"].to_string()), next, prev }
            }
            Dialect::Generic => {
                let [next, prev] = links;
                let data = &page["data"];
                assert_eq!(data["pagination"]["nextOffset"].is_null(), next.is_none());
                let show = |item: &Value| {
                    format!("{} {}", item["timestamp"].as_str().unwrap(), item["message"].as_str().unwrap())
                };
                Page { rows: rows(&data["logs"], &show), next, prev }
            }
            Dialect::Cognigy => {
                let (next, prev) = (on("next", &page["nextCursor"]), on("previous", &page["previousCursor"]));
                Page { rows: rows(&page["items"], &text("_id")), next, prev }
            }
            Dialect::Skip => {
                let [next, prev] = links;
                Page { rows: rows(&page["items"], &text("_id")), next, prev }
            }
        }
    }

    /// The rows that must have been seen, of those up to a sequence.
    fn wanted(&self, all: &[Value], bound: u64) -> Vec<String> {
        let mut rows: Vec<_> = all.iter().filter(|row| row["seq"].as_u64() <= Some(bound) && self.sees(row)).collect();
        rows.sort_by(|a, b| self.compare(a, b));
        rows.into_iter().flat_map(|row| self.shown(row)).collect()
    }
}

/// The message as the dialects derive it.
fn message(row: &Value) -> String {
    let mut text = format!("{} {}", row["method"].as_str().unwrap(), row["path"].as_str().unwrap());
    if let Some(status) = row["status"].as_u64() {
        text += &format!(" {status}");
    }
    if let Some(millis) = row["duration_ms"].as_f64() {
        text += &format!(" in {} ms", (millis + 0.5).floor());
    }
    text
}

struct Walked {
    walk: Walk,
    bound: RangeInclusive<u64>,
    rows: Vec<String>,
}

struct Walker<'a> {
    client: Client,
    ticks: SyncSender<()>,
    head: &'a AtomicU64,
    pages: Cell<u64>,
}

impl Walker<'_> {
    fn page(&self, walk: &Walk, path: &str) -> Page {
        // some pages come between two commits; a writer that is behind has enough to do
        if self.pages.replace(self.pages.get() + 1).is_multiple_of(6) {
            let _ = self.ticks.try_send(());
        }
        walk.read(&self.client.get(path).expect(200))
    }

    /// Forward to the end, and back to the beginning where the dialect can.
    fn walk(&self, walk: Walk) -> Walked {
        let before = self.head.load(Ordering::SeqCst);
        let mut page = self.page(&walk, &walk.path());
        // what is not yet acknowledged may be there too: at most one commit of a few rows
        let bound = before..=self.head.load(Ordering::SeqCst) + 4;
        assert_eq!(page.prev, None, "{walk:?}: nothing is before the first page");
        let (mut rows, mut last) = (page.rows.clone(), page.rows.clone());
        while let Some(next) = page.next.take().filter(|_| rows.len() < walk.most) {
            page = self.page(&walk, &next);
            assert!(!page.rows.is_empty(), "{walk:?}: next promises rows");
            rows.extend(page.rows.iter().cloned());
            last.clone_from(&page.rows);
        }
        if walk.dialect != Dialect::Scrip {
            let mut returned = last;
            while let Some(prev) = page.prev.take() {
                page = self.page(&walk, &prev);
                assert!(page.next.is_some(), "{walk:?}: something is after every page before the last");
                returned.splice(0..0, page.rows.iter().cloned());
            }
            let differs = returned.iter().zip(&rows).position(|(a, b)| a != b);
            let (back, forth) = (returned.len(), rows.len());
            assert!(returned == rows, "{walk:?}: {back} rows after {forth}; differs at {differs:?}");
        }
        Walked { walk, bound, rows }
    }

    /// Hoody's rows after the last of `rows`, until there are none.
    fn follow(&self, limit: usize, rows: &mut Vec<u64>) {
        loop {
            let after = rows.last().copied().unwrap_or(0);
            let _ = self.ticks.try_send(());
            let page = self.client.json(&format!("/api/proxy-logs/_logs?limit={limit}&afterId={after}"));
            let entries = page["entries"].as_array().unwrap();
            if entries.is_empty() {
                return;
            }
            rows.extend(entries.iter().map(|entry| entry["id"].as_u64().unwrap()));
        }
    }
}

impl Walked {
    fn check(&self, all: &[Value]) {
        let Self { walk, bound, rows } = self;
        let fits = |bound: u64| {
            let wanted = walk.wanted(all, bound);
            if rows.len() < walk.most { wanted == *rows } else { wanted.starts_with(rows) }
        };
        if !bound.clone().any(fits) {
            let same = |wanted: &[String]| wanted.iter().zip(rows).take_while(|(a, b)| a == b).count();
            let wanted = bound.clone().map(|bound| walk.wanted(all, bound)).max_by_key(|wanted| same(wanted)).unwrap();
            let at = same(&wanted);
            panic!(
                "{walk:?}: {} rows of {} in a store of {bound:?}; from {at} on {:?} instead of {:?}",
                rows.len(),
                wanted.len(),
                &rows[at..rows.len().min(at + 3)],
                &wanted[at..wanted.len().min(at + 3)],
            );
        }
    }
}

fn walks(dialect: Dialect, sorts: &[Sort], directions: &[bool], most: usize) -> Vec<Walk> {
    let mut walks = Vec::new();
    for &sort in sorts {
        for &descending in directions {
            let walk = |limit, status, most| Walk { dialect, sort, descending, limit, status, most };
            // one by one and in sevens to the end of the failed ones, else as far as time allows; `make soak` has more
            let (ones, sevens) = if soaking() { (usize::MAX, usize::MAX) } else { (100, 700) };
            walks.push(walk(1, 0, ones));
            walks.push(walk(7, 0, sevens));
            walks.push(walk(7, 500, if soaking() { usize::MAX } else { 2_000 }));
            walks.push(walk(97, 0, usize::MAX));
            walks.push(walk(most, 0, usize::MAX));
        }
    }
    walks
}

fn soaking() -> bool {
    std::env::var_os("REQLOG_SOAK").is_some()
}

#[test]
fn each_row_once_and_in_order_through_every_dialect() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let admin = server.admin();
    let import = format!("/api/v1/ingest?import=1&project={PROJECT}&session=walk");
    let report = admin.post(&import, corpus::access_log()).expect(200).json();
    assert_eq!(report["accepted"], 10_000);
    // what a key of the project must never meet
    let foreign: String = (0..500).map(|_| live(&mut crate::random::Random::seeded(3)).to_string() + "\n").collect();
    admin.post("/api/v1/ingest?project=zzzzzzzzzzzzzzzzzzzzzzzz", &foreign).expect(200);
    let (_, key) = admin.make_key(&json!({"name": "walker", "role": "read", "project": PROJECT}));

    let head = &AtomicU64::new(10_500);
    let (ticks, ticked) = sync_channel(8);
    let both = [true, false];
    let cognigy = [Sort::Time, Sort::Arrival, Sort::Level, Sort::Trace, Sort::Message];
    let mut plans = [
        walks(Dialect::Scrip, &[Sort::Time, Sort::Duration, Sort::Status], &both, 100),
        [
            walks(Dialect::Hoody, &[Sort::Arrival], &[false], 1000),
            walks(Dialect::Generic, &[Sort::Time], &[true], 1000),
            walks(Dialect::Skip, &[Sort::Time, Sort::Message], &[true], 100),
        ]
        .concat(),
        walks(Dialect::Cognigy, &cognigy[..3], &both, 100),
        walks(Dialect::Cognigy, &cognigy[3..], &both, 100),
    ];
    let walker =
        || Walker { client: server.stranger().with_key(&key), ticks: ticks.clone(), head, pages: Cell::new(0) };
    let walkers: Vec<_> = plans.iter_mut().map(|plan| (walker(), std::mem::take(plan))).collect();
    let follower = walker();
    // the writer ends with the last walk
    drop(ticks);
    let (walked, mut followed, commits) = thread::scope(|scope| {
        let writing = format!("/api/v1/ingest?project={PROJECT}&session=walk");
        let client = admin.clone();
        let writer = scope.spawn(move || write(&client, &writing, &ticked, head));
        let following = scope.spawn(move || {
            [7, 97, 1000].map(|limit| {
                let mut rows = Vec::new();
                follower.follow(limit, &mut rows);
                (limit, rows)
            })
        });
        let walking: Vec<_> = walkers
            .into_iter()
            .map(|(walker, plan)| {
                scope.spawn(move || plan.into_iter().map(|walk| walker.walk(walk)).collect::<Vec<_>>())
            })
            .collect();
        let walked: Vec<Walked> = walking.into_iter().flat_map(|walking| walking.join().unwrap()).collect();
        (walked, following.join().unwrap(), writer.join().unwrap())
    });
    let left = metric(&admin, "reqlog_batches");
    assert!(left < commits && metric(&admin, "reqlog_segments") > 0, "{commits} commits, {left} batches left");

    let all = admin.get(&format!("/api/v1/export?project={PROJECT}")).expect(200).lines();
    assert!(all.len() as u64 >= 10_000 + commits);
    walked.iter().for_each(|walk| walk.check(&all));

    let (idle, _) = sync_channel(0);
    let walker = Walker { client: server.stranger().with_key(&key), ticks: idle, head, pages: Cell::new(0) };
    let halves: Vec<u64> =
        all.iter().flat_map(|row| [2 * row["seq"].as_u64().unwrap() - 1, 2 * row["seq"].as_u64().unwrap()]).collect();
    for (limit, rows) in &mut followed {
        // what was written while the other walks went on
        walker.follow(*limit, rows);
        assert!(*rows == halves, "afterId by {limit}: {} rows of {}", rows.len(), halves.len());
    }
}
