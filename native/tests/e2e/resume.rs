//! Every record once and in order: for readers that stall for longer than the ring, and for those that break off at any
//! byte while others write, delete, compact and restart the server.

use crate::client::{Client, escaped};
use crate::local::Local;
use crate::random::Random;
use crate::server::ADMIN;
use crate::stream::{Ask, Event, Stream};
use crate::tail::write;
use reqlog::store::{Compaction, Options};
use reqlog_core::live::Room;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::thread;

fn options(records: usize) -> Options {
    let ring = Room { records, bytes: 1 << 20 };
    Options { ring, compaction: Compaction::Manual, reserve: 0, ..Options::default() }
}

#[test]
fn a_reader_that_stalls_for_longer_than_the_ring_gets_every_record_once_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let server = Local::start(directory.path(), options(50));
    let client = server.admin();
    let mut own = Ask::new(&server.address, "/api/v1/tail?q=path:*", ADMIN).open();
    let mut rows = Ask::new(&server.address, "/_logs/stream", ADMIN).open();
    let read = |own: &mut Stream, rows: &mut Stream, number: usize| {
        let event = own.message();
        assert_eq!((event.id.unwrap().parse(), &event.data.contains(&format!("\"/{number}\""))), (Ok(number), &true));
        for half in [2 * number - 1, 2 * number] {
            assert_eq!(rows.message().id.unwrap().parse(), Ok(half));
        }
    };
    write(&client, [1], 10);
    read(&mut own, &mut rows, 1);
    // more than the socket buffers of both sides hold, a hundred rings of it
    for first in (2..6002).step_by(100) {
        write(&client, first..first + 100, 5000);
        if first % 1000 == 2 {
            server.store.compact_now().unwrap();
        }
    }
    for number in 2..6002 {
        read(&mut own, &mut rows, number);
    }
    // and it is among the prompt ones again
    for number in 6002..6100 {
        write(&client, [number], 10);
        read(&mut own, &mut rows, number);
    }
    let metrics = client.get("/metrics").text();
    let resumed = metrics.lines().find_map(|line| line.strip_prefix("reqlog_stream_resumes_total "));
    assert!(resumed.unwrap().parse::<u64>().unwrap() >= 2, "nobody stalled for long enough: {metrics}");
}

/// A filter in a dialect's words, and what it says of a record: of its method and its status.
struct Wanted {
    path: &'static str,
    matches: fn(&str, u64) -> bool,
}

const WANTED: &[Wanted] = &[
    Wanted { path: "/api/v1/tail", matches: |_, _| true },
    Wanted { path: "/api/v1/tail?q=method:POST", matches: |method, _| method == "POST" },
    Wanted { path: "/api/v1/tail?q=status:%3E%3D400+-path:/nothing", matches: |_, status| status >= 400 },
    Wanted { path: "/_logs/stream", matches: |_, _| true },
    Wanted { path: "/_logs/stream?kind=response", matches: |_, _| true },
    Wanted {
        path: "/_logs/stream?level=error&method=POST",
        matches: |method, status| method == "POST" && status >= 500,
    },
    Wanted { path: "/_logs/stream?serviceName=s&level=error,warn&kind=request", matches: |_, status| status >= 400 },
];

/// The address while there is a server.
#[derive(Default)]
struct Where {
    address: Mutex<Option<String>>,
    changed: Condvar,
}

impl Where {
    fn set(&self, address: Option<String>) {
        *self.address.lock().unwrap() = address;
        self.changed.notify_all();
    }

    fn wait(&self) -> String {
        let address = self.changed.wait_while(self.address.lock().unwrap(), |address| address.is_none());
        address.unwrap().clone().unwrap()
    }
}

const END: &str = "/end";

/// The method and the status of the record with this path.
fn fate(path: &str) -> (&'static str, u64) {
    if path == END {
        return ("POST", 500);
    }
    let number: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
    (["GET", "POST", "PUT"][number as usize % 3], [200, 404, 500, 301, 503][number as usize % 5])
}

fn ingest(client: &Client, paths: impl Iterator<Item = String>) {
    let lines = paths.map(|path| {
        let (method, status) = fate(&path);
        let message = "m".repeat(path.len() * 40);
        let record = json!({"method": method, "path": path, "status": status, "service": "s", "message": message});
        record.to_string() + "\n"
    });
    client.post("/api/v1/ingest?project=p", lines.collect::<String>()).expect(200);
}

fn path_of(data: &Value) -> String {
    data.get("path").or(data.get("url")).unwrap().as_str().unwrap().to_owned()
}

/// Reads until the last record came, on many connections that are cut anywhere; every event in turn.
fn follow(place: &Where, wanted: &Wanted, seed: u64) -> (Vec<Event>, usize) {
    let mut random = Random::seeded(seed);
    let (mut events, mut last, mut connections): (Vec<Event>, _, _) = (Vec::new(), "0".to_owned(), 0);
    loop {
        let address = place.wait();
        connections += 1;
        let most = random.pick(&[1_000, 40_000]);
        let bytes = 100 + random.below(most) as u64;
        let Ok(mut stream) = Ask::new(&address, wanted.path, ADMIN).after(&last).cut_after(bytes).try_open() else {
            continue;
        };
        while let Some(event) = stream.event() {
            assert_eq!(event.kind, "message", "{event:?}");
            last.clone_from(event.id.as_ref().unwrap());
            let ended = event.json()["path"] == END
                || (event.json()["url"] == END
                    && (event.json()["kind"] == "response" || wanted.path.contains("kind=request")));
            events.push(event);
            if ended {
                return (events, connections);
            }
        }
        stream.close();
    }
}

/// What a stream of this kind consists of now, by the list of the same dialect: ids in order.
fn listed(client: &Client, wanted: &Wanted) -> Vec<(u64, String)> {
    let query = wanted.path.split_once('?').map_or("", |(_, query)| query);
    let mut rows = Vec::new();
    if wanted.path.starts_with("/api") {
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/logs?{query}&limit=1000&sort=arrival&dir=asc{cursor}");
            let page = client.json(&path);
            let items = page["items"].as_array().unwrap();
            rows.extend(items.iter().map(|item| (item["seq"].as_u64().unwrap(), path_of(item))));
            let Some(next) = page["next"].as_str() else { return rows };
            cursor = format!("&cursor={}", escaped(next));
        }
    }
    loop {
        let after = rows.last().map_or(0, |(id, _)| *id);
        let page = client.json(&format!("/_logs?{query}&limit=1000&afterId={after}"));
        let entries = page["entries"].as_array().unwrap();
        if entries.is_empty() {
            return rows;
        }
        rows.extend(entries.iter().map(|entry| (entry["id"].as_u64().unwrap(), path_of(entry))));
    }
}

/// Writes, deletes, compacts and restarts; gives the server that is left.
fn disturb(server: Local, data: &std::path::Path, place: &Where, seed: u64) -> Local {
    let mut random = Random::seeded(seed);
    let (mut server, mut client) = (server, None);
    let mut next = 0;
    for step in 0..120 {
        let admin = client.get_or_insert_with(|| server.admin());
        match random.below(20) {
            0 => {
                let digit = random.below(10);
                admin.delete(&format!("/api/v1/logs?q=path:/n/*{digit}")).expect(200);
            }
            1 | 2 => server.store.compact_now().unwrap(),
            3 if step > 10 => {
                place.set(None);
                client = None;
                server.stop();
                server = Local::start(data, options(40));
                place.set(Some(server.address.clone()));
            }
            _ => {
                let count = 1 + random.below(30);
                ingest(admin, (next..next + count).map(|number| format!("/n/{number}")));
                next += count;
            }
        }
    }
    ingest(&server.admin(), std::iter::once(END.to_owned()));
    server
}

#[test]
fn readers_that_break_off_anywhere_get_every_record_once_in_order() {
    for round in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let server = Local::start(directory.path(), options(40));
        let place = Where::default();
        place.set(Some(server.address.clone()));
        let (server, read) = thread::scope(|scope| {
            let follow = |(at, wanted)| {
                scope.spawn({
                    let place = &place;
                    move || follow(place, wanted, round * 100 + at as u64)
                })
            };
            let readers: Vec<_> = WANTED.iter().enumerate().map(follow).collect();
            let server = disturb(server, directory.path(), &place, round);
            (server, readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>())
        });
        let kept: BTreeSet<String> = listed(&server.admin(), &WANTED[0]).into_iter().map(|(_, path)| path).collect();
        for (wanted, (events, connections)) in WANTED.iter().zip(read) {
            let told = format!("round {round}, {}", wanted.path);
            assert!(connections > 5, "{told}: cut {connections} times only");
            let got = events.iter().map(|event| (event.id.as_ref().unwrap().parse().unwrap(), path_of(&event.json())));
            let got: Vec<(u64, String)> = got.collect();
            assert!(got.windows(2).all(|two| two[0].0 < two[1].0), "{told}: once and in order");
            for (id, path) in &got {
                let (method, status) = fate(path);
                assert!((wanted.matches)(method, status), "{told}: {id} {path} does not match");
            }
            // what was deleted was sent, or was not
            let got: Vec<_> = got.into_iter().filter(|(_, path)| kept.contains(path)).collect();
            assert_eq!(got, listed(&server.admin(), wanted), "{told}");
        }
    }
}
