//! Ten thousand lines walked to the end through both APIs while another client writes and compaction runs.

use crate::client::{Client, escaped};
use crate::corpus;
use crate::random::Random;
use crate::server::{ADMIN, Server, run};
use reqlog_core::id::EntryId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

const SORTS: [&str; 5] = ["time", "duration", "status", "size", "arrival"];
/// What most walks see: all imported and written rows.
const SELECTION: &str = "project=shop&q=session%3Awalk";
const SESSION: &str = "/api/v1/sessions/walk/logs?project=shop";

/// What rows are sorted by, as an export tells it.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    seq: u64,
    time: String,
    duration: Option<f64>,
    status: Option<u64>,
    size: Option<u64>,
}

impl Row {
    fn of(record: &Value) -> Self {
        let size = |side: &str| record[side]["body"]["size"].as_u64();
        let (request, response) = (size("request"), size("response"));
        Self {
            seq: record["seq"].as_u64().unwrap(),
            time: record["time"].as_str().unwrap().to_owned(),
            duration: record["duration_ms"].as_f64(),
            status: record["status"].as_u64(),
            size: request.or(response).map(|_| request.unwrap_or(0) + response.unwrap_or(0)),
        }
    }

    /// Times here have no fraction, so that text sorts as time does.
    fn compare(&self, other: &Self, sort: &str) -> std::cmp::Ordering {
        let first = match sort {
            "time" => self.time.cmp(&other.time),
            "duration" => self.duration.partial_cmp(&other.duration).unwrap(),
            "status" => self.status.cmp(&other.status),
            "size" => self.size.cmp(&other.size),
            _ => std::cmp::Ordering::Equal,
        };
        first.then(self.seq.cmp(&other.seq))
    }
}

/// A walk through the own API to be made.
#[derive(Clone, Copy)]
struct Walk {
    sort: &'static str,
    direction: &'static str,
    limit: usize,
    /// The lowest status of the rows to see; any with 0, also none.
    status: u64,
}

impl Walk {
    fn path(self) -> String {
        let Self { sort, direction, limit, status } = self;
        let only = if status > 0 { format!("%20status%3A%3E%3D{status}") } else { String::new() };
        format!("/api/v1/logs?{SELECTION}{only}&sort={sort}&dir={direction}&fields=seq&limit={limit}")
    }
}

/// A walk that was made.
struct Walked {
    walk: Walk,
    /// Pages are the first of a longer walk.
    cut: bool,
    /// The head before and after the first page: what was there when it began ends between them.
    bound: RangeInclusive<u64>,
    seqs: Vec<u64>,
}

impl Walked {
    /// Each row exactly once, in order: the naive sort of what was there.
    fn check(&self, all: &[Row]) {
        let Walk { sort, direction, limit, status } = self.walk;
        let mut sorted: Vec<&Row> = all.iter().filter(|row| row.status.unwrap_or(0) >= status).collect();
        sorted.sort_by(|a, b| a.compare(b, sort));
        if direction == "desc" {
            sorted.reverse();
        }
        let wanted = |bound: u64| {
            let there = sorted.iter().map(|row| row.seq).filter(move |seq| *seq <= bound);
            there.take(if self.cut { self.seqs.len() } else { usize::MAX })
        };
        if self.bound.clone().any(|bound| wanted(bound).eq(self.seqs.iter().copied())) {
            return;
        }
        let Self { bound, seqs, .. } = self;
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        seqs.iter().for_each(|seq| *times.entry(*seq).or_default() += 1);
        let repeated: Vec<_> = times.iter().filter(|(_, times)| **times > 1).take(5).collect();
        let missing: Vec<_> = wanted(*bound.start()).filter(|seq| !times.contains_key(seq)).take(5).collect();
        let differs = wanted(*bound.end()).zip(seqs).position(|(wanted, seq)| wanted != *seq);
        panic!(
            "{sort} {direction} by {limit}: {} rows of a store of {bound:?}; repeated {repeated:?}, missing \
             {missing:?}, in another order from {differs:?}",
            seqs.len()
        );
    }
}

/// Another client: some rows at every tick; how many times it wrote.
pub fn write(client: &Client, path: &str, ticks: &Receiver<()>, head: &AtomicU64) -> u64 {
    let random = &mut Random::seeded(1);
    let mut commits = 0;
    for () in ticks {
        let rows = (0..=random.below(3)).map(|_| live(random).to_string() + "\n").collect::<String>();
        let report = client.post(path, &rows).expect(200).json();
        commits += 1;
        head.fetch_add(report["accepted"].as_u64().unwrap(), Ordering::SeqCst);
    }
    commits
}

/// A row among the imported ones: late, tied, with and without everything that is sorted by.
pub fn live(random: &mut Random) -> Value {
    let time = format!("2015-05-{}T{:02}:05:03Z", random.pick(&[16, 18, 20, 21]), random.below(24));
    let mut row = json!({"kind": "exchange", "time": time, "method": "PUT", "path": "/live"});
    if random.below(4) > 0 {
        row["status"] = json!(random.pick(&[200, 404, 503]));
        row["duration_ms"] = json!(random.pick(&[0.5, 3.0, 3.0, 250.25]));
    }
    if random.below(2) > 0 {
        row["response"] = json!({"body": {"size": random.pick(&[0, 13, 5_000])}});
    }
    row
}

/// Walks and the writer's ticks.
struct Walker<'a> {
    client: Client,
    ticks: SyncSender<()>,
    head: &'a AtomicU64,
}

impl Walker<'_> {
    fn page(&self, path: &str) -> (Value, [Option<String>; 2]) {
        // a writer that is behind has enough to do
        let _ = self.ticks.try_send(());
        let answer = self.client.get(path).expect(200);
        let page = answer.json();
        let links = ["next", "prev"].map(|relation| {
            let link = answer.link(relation);
            let cursor = page[relation].as_str().map(escaped);
            assert_eq!(link.is_some(), cursor.is_some(), "{path} {relation}");
            if let (Some(link), Some(cursor)) = (&link, &cursor) {
                assert!(link.ends_with(&format!("cursor={cursor}")), "{link} {cursor}");
            }
            link
        });
        (page, links)
    }

    /// By `next` to the end, by `prev` back to the beginning, in pages of another size.
    fn walk(&self, walk: Walk, back: usize) -> Walked {
        self.go(walk, back, usize::MAX)
    }

    /// By `next` until so many rows are seen, and by `prev` back.
    fn go(&self, walk: Walk, back: usize, rows: usize) -> Walked {
        let Walk { sort, direction, limit, .. } = walk;
        let before = self.head.load(Ordering::SeqCst);
        let (mut page, mut links) = self.page(&walk.path());
        // what is not yet acknowledged may be there too: at most one commit of a few rows
        let bound = before..=self.head.load(Ordering::SeqCst) + 4;
        assert_eq!(links[1], None, "nothing is before the first page");
        let mut seqs = seqs(&page);
        while let Some(next) = links[0].take().filter(|_| seqs.len() < rows) {
            (page, links) = self.page(&next);
            assert!(links[1].is_some(), "something is before every other page");
            seqs.extend(self::seqs(&page));
        }
        let mut returned = self::seqs(&page);
        while let Some(prev) = links[1].take() {
            let prev = prev.replace(&format!("limit={limit}&"), &format!("limit={back}&"));
            let next;
            (page, [next, links[1]]) = self.page(&prev);
            assert!(next.is_some(), "something is after every page before the last");
            let earlier = self::seqs(&page);
            assert!(back != limit || earlier.len() == limit, "{sort} {direction} by {limit}");
            returned.splice(0..0, earlier);
        }
        same(&returned, &seqs, &format!("{sort} {direction} by {limit}, back by {back}"));
        Walked { walk, cut: rows < usize::MAX, bound, seqs }
    }

    fn logs(&self, parameters: &str) -> (Vec<Value>, Option<String>) {
        let _ = self.ticks.try_send(());
        let page = self.client.json(&format!("{SESSION}{parameters}"));
        let next = page["nextCursor"].as_str().map(str::to_owned);
        (page["logs"].as_array().unwrap().clone(), next)
    }

    /// Through `FlowMock`, newest first from now.
    fn back(&self, limit: usize) -> Vec<Value> {
        let (mut rows, mut next) = self.logs(&format!("&limit={limit}"));
        while let Some(before) = next {
            let page;
            (page, next) = self.logs(&format!("&limit={limit}&before={before}"));
            assert!(!page.is_empty(), "nextCursor promises older rows");
            rows.extend(page);
        }
        rows
    }

    /// Through `FlowMock`, oldest first, on from the last of `rows` until nothing is newer.
    fn forward(&self, limit: usize, rows: &mut Vec<Value>) {
        loop {
            let since = rows.last().unwrap()["id"].as_str().unwrap();
            let (page, next) = self.logs(&format!("&limit={limit}&since={since}"));
            assert_eq!(next, None, "since has no nextCursor");
            if page.is_empty() {
                return;
            }
            rows.extend(page);
        }
    }
}

/// Back is the same as forth; else says where it is not.
#[track_caller]
fn same(returned: &[u64], seqs: &[u64], walk: &str) {
    let differs = returned.iter().rev().zip(seqs.iter().rev()).position(|(a, b)| a != b);
    let (back, forth) = (returned.len(), seqs.len());
    assert!(returned == seqs, "{walk}: {back} rows after {forth}; from the end, differs at {differs:?}");
}

fn seqs(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()).collect()
}

fn seq_of(log: &Value) -> u64 {
    EntryId::from_flowmock(log["id"].as_str().unwrap()).unwrap().seq().get()
}

pub fn metric(client: &Client, name: &str) -> u64 {
    let text = client.get("/metrics").expect(200).text();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    value.parse().unwrap()
}

#[test]
fn each_record_once_and_in_order_while_others_write_and_compaction_runs() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let client = server.admin();
    let log = corpus::access_log();
    assert_eq!((log.lines().count(), corpus::repeated(&log)), (10_000, corpus::repeated(&log).max(17)));

    let import = "/api/v1/ingest?import=1&project=shop&session=walk";
    let report = client.post(import, &log).expect(200).json();
    assert_eq!(report, json!({"accepted": 10_000, "duplicates": 0, "rejected": 0, "errors": []}));
    // the same by the command line is the same source
    let file = data.path().with_extension("log");
    std::fs::write(&file, &log).unwrap();
    let arguments = ["import", "--url", &server.url, "--key", ADMIN, "--project", "shop", "--json"];
    let command = |session: &[&str]| {
        let file = file.to_str().unwrap();
        let arguments = arguments.iter().chain(session).chain([&file]);
        run(&arguments.map(|argument| argument as &dyn AsRef<std::ffi::OsStr>).collect::<Vec<_>>()).expect(0).json()
    };
    assert_eq!(command(&["--session", "walk"])["duplicates"], 10_000);
    assert_eq!(command(&["--session", "other"])["accepted"], 10_000);
    std::fs::remove_file(&file).unwrap();
    let other = client.json("/api/v1/logs?project=shop&q=session%3Aother&total=exact&limit=1");
    assert_eq!(other["total"], 10_000);

    let head = &AtomicU64::new(20_000);
    let (ticks, ticked) = sync_channel(8);
    let walker = || Walker { client: server.admin(), ticks: ticks.clone(), head };
    let walks = |sorts: &'static [&'static str]| {
        let walker = walker();
        move || {
            let mut walks = Vec::new();
            for sort in sorts {
                for direction in ["desc", "asc"] {
                    let walk = |limit, status| Walk { sort, direction, limit, status };
                    walks.push(walker.go(walk(1, 0), 1, 300));
                    // of all rows once; elsewhere of those of a filter, to save time
                    walks.push(walker.walk(walk(7, if (*sort, direction) == ("time", "desc") { 0 } else { 300 }), 97));
                    walks.push(walker.walk(walk(97, 0), 97));
                    walks.push(walker.walk(walk(1000, 0), 1000));
                }
            }
            walks
        }
    };
    let (some, others, walker) = (walks(&SORTS[..3]), walks(&SORTS[3..]), walker());
    // the writer ends with the last walk
    drop(ticks);
    let (mut walked, backs, mut forwards, commits) = thread::scope(|scope| {
        let client = client.clone();
        let writer = scope.spawn(move || write(&client, "/api/v1/ingest?project=shop&session=walk", &ticked, head));
        let (some, others) = (scope.spawn(some), scope.spawn(others));
        let flowmock = scope.spawn(move || {
            let backs = [walker.back(100), walker.back(7)];
            let mut forwards = [100, 7].map(|limit| (limit, vec![backs[0].last().unwrap().clone()]));
            forwards.iter_mut().for_each(|(limit, rows)| walker.forward(*limit, rows));
            (backs, forwards)
        });
        let (backs, forwards) = flowmock.join().unwrap();
        let mut walked = some.join().unwrap();
        walked.extend(others.join().unwrap());
        (walked, backs, forwards, writer.join().unwrap())
    });

    // compaction took batches away while pages were read
    let left = metric(&client, "reqlog_batches");
    assert!(
        commits > 512 && left < commits && metric(&client, "reqlog_segments") > 0,
        "{commits} commits, {left} left"
    );

    let export = client.get(&format!("/api/v1/export?{SELECTION}")).expect(200).lines();
    let all: Vec<Row> = export.iter().map(Row::of).collect();
    assert!(all.len() as u64 >= 10_000 + commits);
    for (record, line) in export.iter().zip(log.lines()) {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let essence = (text("client_ip"), text("method"), text("path"), record["status"].as_u64().unwrap());
        assert_eq!(essence, corpus::essence(line));
    }

    walked.drain(..).for_each(|walk| walk.check(&all));

    for back in backs {
        let newest = seq_of(&back[0]);
        let wanted = all.iter().rev().map(|row| row.seq).filter(|seq| *seq <= newest);
        assert!(back.iter().map(seq_of).eq(wanted), "before: {} rows", back.len());
    }
    let (idle, _) = sync_channel(0);
    let walker = Walker { client: client.clone(), ticks: idle, head };
    for (limit, rows) in &mut forwards {
        // what was written while the other walks went on
        walker.forward(*limit, rows);
        assert!(rows.iter().map(seq_of).eq(all.iter().map(|row| row.seq)), "since: {} rows", rows.len());
        for (log, record) in rows.iter().zip(&export) {
            assert_eq!(
                (&log["method"], &log["path"], &log["status"]),
                (&record["method"], &record["path"], &record["status"])
            );
        }
    }
}
