//! Live tails over real sockets: who may have one, what it says, and when it ends.

use crate::client::Client;
use crate::server::{ADMIN, Server};
use crate::stream::{Ask, Refused, Stream};
use serde_json::json;
use std::time::{Duration, Instant};

const OWN: &str = "/api/v1/tail";
const HOODY: &str = "/api/proxy-logs/_logs/stream";

/// Stores records of these numbers, as paths, with a message of so many bytes.
pub fn write(client: &Client, numbers: impl IntoIterator<Item = usize>, length: usize) {
    let lines = numbers.into_iter().map(|number| {
        let record =
            json!({"method": "GET", "path": format!("/{number}"), "status": 200, "message": "m".repeat(length)});
        record.to_string() + "\n"
    });
    client.post("/api/v1/ingest?project=p", lines.collect::<String>()).expect(200);
}

/// The next record is the one of this number; its id.
#[track_caller]
fn reads(stream: &mut Stream, number: usize) -> u64 {
    let event = stream.message();
    let path = event.json().get("path").or(event.json().get("url")).cloned();
    assert_eq!(path, Some(json!(format!("/{number}"))), "{}", event.data);
    event.id.unwrap().parse().unwrap()
}

#[test]
fn a_stream_is_neither_compressed_nor_buffered_nor_cached_and_flows_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = server.admin();
    for path in [OWN, HOODY, "/_logs/stream"] {
        let mut stream = Ask::new(server.address(), path, ADMIN).open();
        let head = stream.head.to_ascii_lowercase();
        for field in [
            "content-type: text/event-stream\r\n",
            "cache-control: no-cache\r\n",
            "x-accel-buffering: no\r\n",
            "connection: keep-alive\r\n",
            "transfer-encoding: chunked\r\n",
        ] {
            assert!(head.contains(field), "{path}: {field} in {head}");
        }
        assert!(!head.contains("content-encoding") && !head.contains("content-length"), "{path}: {head}");
        let opening = stream.next().unwrap();
        assert_eq!((opening.kind.as_str(), opening.data.as_str()), ("comment", ""), "{path}");
        write(&client, [7], 1000);
        let read = reads(&mut stream, 7);
        // what was committed after a stream that broke off before its first record is not lost either
        let id = opening.id.unwrap();
        assert_eq!(reads(&mut Ask::new(server.address(), path, ADMIN).after(&id).open(), 7), read, "{path}");

        let answer = client.send(&http::Method::HEAD, path, &[], b"").expect(200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert!(answer.body.is_empty());
    }
}

#[test]
fn a_key_has_so_many_streams_and_one_that_ends_gives_its_place_back() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let admin = server.admin();
    let (_, read) = admin.make_key(&json!({"name": "r", "role": "read"}));
    let (_, other) = admin.make_key(&json!({"name": "o", "role": "read", "project": "p"}));
    let ask = |path, key| Ask::new(server.address(), path, key).try_open();
    let mut open: Vec<Stream> = (0..16).map(|at| ask([OWN, HOODY][at % 2], &read).unwrap()).collect();
    for (path, envelope) in [
        (OWN, "\"status\":429"),
        (HOODY, r#"{"statusCode":429,"error":"Too Many Requests","message":"Rate limit exceeded for log stream"}"#),
    ] {
        let Err(Refused::Answer(429)) = ask(path, &read) else { panic!("{path}: a 17th stream") };
        let answer = admin.with_key(&read).get(path).expect(429);
        assert!(answer.text().contains(envelope) && answer.header("retry-after") == Some("5"), "{}", answer.text());
    }
    // another key's are its own, and nobody counts an admin's
    let _others: Vec<Stream> = (0..16).map(|_| ask(OWN, &other).unwrap()).collect();
    let _admins: Vec<Stream> = (0..20).map(|_| ask(OWN, ADMIN).unwrap()).collect();

    // one that goes is noticed without anything being sent to it
    for _ in 0..4 {
        open.pop().unwrap().close();
        let begun = Instant::now();
        let again = loop {
            match ask(HOODY, &read) {
                Ok(stream) => break stream,
                Err(Refused::Answer(429)) => assert!(begun.elapsed() < Duration::from_secs(10), "no place"),
                Err(refused) => panic!("{refused:?}"),
            }
        };
        open.push(again);
        assert!(matches!(ask(HOODY, &read), Err(Refused::Answer(429))));
    }
}

#[test]
fn an_id_that_was_never_issued_is_reset_and_any_other_is_gone_on_from() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    write(&server.admin(), 1..=10, 10);
    let after = |path, id: &str| Ask::new(server.address(), path, ADMIN).after(id).open();
    for (path, wrong) in [(OWN, "11"), (OWN, "x"), (OWN, "-1"), (HOODY, "21"), (HOODY, "99999999999999999999")] {
        let mut stream = after(path, wrong);
        let event = stream.event().unwrap();
        assert_eq!((event.kind.as_str(), event.id.as_deref()), ("reset", Some("")), "{path} after {wrong}");
        assert_eq!(stream.event(), None);
        assert!(stream.ended_well());
    }
    for (path, id, first) in [(OWN, "0", 1), (OWN, "7", 8), (HOODY, "0", 1), (HOODY, "13", 7), (HOODY, "14", 8)] {
        let mut stream = after(path, id);
        assert_eq!(reads(&mut stream, first), if path == OWN { first as u64 } else { id.parse::<u64>().unwrap() + 1 });
    }
}

#[test]
fn a_scope_that_is_destroyed_ends_its_streams_and_a_revoked_key_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let admin = server.admin();
    let (_, project) = admin.make_key(&json!({"name": "p", "role": "read", "project": "gone"}));
    let (revoked, read) = admin.make_key(&json!({"name": "r", "role": "read"}));
    let record = |project: &str, path: &str| {
        let record = json!({"method": "GET", "path": path, "project": project, "container": "c"}).to_string();
        admin.post("/api/v1/ingest", record + "\n").expect(200);
    };
    let open = |path: &str, key: &str| Ask::new(server.address(), path, key).open();
    let mut confined = [
        open(OWN, &project),
        open(HOODY, &project),
        open("/api/v1/tail?project=gone", ADMIN),
        open("/_logs/stream?projectId=gone&containerId=c", &read),
    ];
    let mut wide = [open(OWN, ADMIN), open(HOODY, ADMIN), open("/_logs/stream?containerId=c", ADMIN)];
    let mut of_revoked = [open(OWN, &read), open(HOODY, &read)];
    record("gone", "/1");
    for stream in confined.iter_mut().chain(&mut wide).chain(&mut of_revoked) {
        reads(stream, 1);
    }
    admin.delete("/api/v1/projects/gone").expect(204);
    for (at, stream) in confined.iter_mut().enumerate() {
        // the key of a project that is gone is gone too, and its stream may end of that
        let said = loop {
            match stream.event() {
                Some(event) if event.kind == "message" => {}
                said => break said.map(|event| event.kind),
            }
        };
        assert!(said.as_deref() == Some("scope-destroyed") || (at < 2 && said.is_none()), "{at}: {said:?}");
        assert_eq!(stream.event(), None, "{at}");
        assert!(stream.ended_well(), "{at}");
    }
    admin.delete(&format!("/api/v1/keys/{revoked}")).expect(204);
    for stream in &mut of_revoked {
        while stream.event().is_some() {}
        assert!(stream.ended_well());
    }
    record("kept", "/2");
    for stream in &mut wide {
        let event = std::iter::from_fn(|| stream.event()).find(|event| event.data.contains("\"/2\"")).unwrap();
        assert_eq!(event.kind, "message");
    }
}

#[test]
fn one_that_never_reads_costs_others_nothing_and_a_shutdown_is_quick() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = server.admin();
    let mut stuck = Ask::new(server.address(), OWN, ADMIN).open();
    let _never = Ask::new(server.address(), HOODY, ADMIN).open();
    let mut prompt = Ask::new(server.address(), "/api/v1/tail?q=status:2xx", ADMIN).open();
    let mut rows = Ask::new(server.address(), HOODY, ADMIN).open();
    let (batch, all) = (200, 6000);
    for first in (0..all).step_by(batch) {
        write(&client, first..first + batch, 4000);
        // the next is written only when these were seen
        for number in first..first + batch {
            assert_eq!(reads(&mut prompt, number), number as u64 + 1);
            let half = reads(&mut rows, number);
            assert_eq!([half, reads(&mut rows, number)], [number as u64 * 2 + 1, number as u64 * 2 + 2]);
        }
    }
    for number in 0..all / 2 {
        assert_eq!(reads(&mut stuck, number), number as u64 + 1);
    }
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(prompt.event(), None);
    assert!(prompt.ended_well());
}
