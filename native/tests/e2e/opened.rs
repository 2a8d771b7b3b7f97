//! `reqlog serve FILE…`: files asked about where they lie.

use crate::client::{Client, escaped};
use crate::corpus;
use crate::server::{ADMIN, Server, reqlog, run};
use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

const PROJECT: &str = "8ed3f6ad685b959ead702251";

/// Calls a second apart, with bodies and a secret; every tenth failed.
fn lines(from: usize, count: usize) -> String {
    let mut text = String::new();
    for n in from..from + count {
        let record = json!({
            "time": format!("2026-01-01T{:02}:{:02}:{:02}Z", n / 3600 % 24, n / 60 % 60, n % 60),
            "kind": "exchange", "project": PROJECT, "environment": "test", "session": "s", "service": "shop",
            "method": if n % 2 == 0 { "GET" } else { "POST" }, "scheme": "https", "host": "shop.example.test",
            "path": format!("/v1/orders/{n}"), "status": if n % 10 == 9 { 500 } else { 200 }, "duration_ms": n % 97,
            "request": {"headers": [["authorization", "Bearer s3cr3t-0123456789"], ["x-number", n.to_string()]]},
            "response": {"headers": [["content-type", "application/json"]],
                "body": format!("{{\"order\":{n}}}")},
        });
        writeln!(text, "{record}").unwrap();
    }
    text
}

fn har(count: usize) -> String {
    let entry = |n: usize| {
        json!({
            "startedDateTime": format!("2026-01-02T00:00:{:02}.000Z", n % 60), "time": 5,
            "request": {"method": "GET", "url": format!("https://har.example.test/page/{n}"), "httpVersion": "HTTP/1.1",
                "headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
            "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [],
                "content": {"size": 5, "mimeType": "text/plain", "text": format!("har {n}")}, "redirectURL": "",
                "headersSize": -1, "bodySize": 5},
            "cache": {}, "timings": {"send": 1, "wait": 3, "receive": 1},
        })
    };
    let entries: Vec<Value> = (0..count).map(entry).collect();
    json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}}).to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command over files, in an empty directory of its own.
    fn command(&self, files: &[&Path]) -> Command {
        let here = self.0.path().join("here");
        std::fs::create_dir_all(&here).unwrap();
        let mut command = reqlog();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(files).current_dir(here);
        command
    }

    /// Serves files; all of them are indexed.
    fn serve(&self, files: &[&Path]) -> Server {
        let server = Server::spawn(self.command(files), self.0.path());
        for file in files {
            server.told(&format!("{}: ", file.display()));
        }
        server
    }
}

fn paths(client: &Client, query: &str) -> Vec<String> {
    let rows = client.get(&format!("/api/v1/export?format=ndjson&q={}", escaped(query))).expect(200).lines();
    rows.iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rows_are_found_and_bodies_are_read_again_from_the_file() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 3000));
    let server = folder.serve(&[&file]);
    assert_eq!(server.told(&format!("{}: ", file.display())), "3000 records, 0 not understood");
    let client = server.stranger();
    let page = client.json("/api/v1/logs?q=status%3A5xx&limit=2&total=exact&sort=time&dir=desc");
    assert_eq!((&page["total"], &page["items"][0]["path"]), (&json!(300), &json!("/v1/orders/2999")));
    let next = page["next"].as_str().unwrap();
    let page = client.json(&format!("/api/v1/logs?q=status%3A5xx&limit=2&sort=time&dir=desc&cursor={}", escaped(next)));
    assert_eq!(page["items"][0]["path"], "/v1/orders/2979");
    let id = page["items"][0]["id"].as_str().unwrap();
    let row = client.json(&format!("/api/v1/logs/{id}"));
    let headers = row["request"]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-number", "2979"])), "{row}");
    assert!(row.to_string().contains("[redacted") && !row.to_string().contains("s3cr3t"), "{row}");
    let body = client.get(&format!("/api/v1/logs/{id}/body?side=response")).expect(200);
    assert_eq!((body.text().as_str(), body.header("content-type")), ("{\"order\":2979}", Some("application/json")));
    let around = client.json(&format!("/api/v1/logs/{id}?context=1"));
    assert!(
        around.to_string().contains("/v1/orders/2978") && around.to_string().contains("/v1/orders/2980"),
        "{around}"
    );
    let curl = client.get(&format!("/api/v1/logs/{id}/export?as=curl")).expect(200);
    assert!(curl.text().contains("https://shop.example.test/v1/orders/2979"), "{}", curl.text());
    // by a header, which only the file has
    assert_eq!(paths(&client, "req.header.x-number:17"), ["/v1/orders/17"]);
    assert_eq!(client.json("/api/v1/stats?q=method%3AGET")["total"], 1500);
    let facets = client.json("/api/v1/facets?fields=method,status");
    assert!(facets.to_string().contains("1500"), "{facets}");
    assert!(client.json("/api/v1/endpoints")["items"][0]["count"].as_u64().unwrap() > 0);
    // the sum of all buckets
    let histogram = client.json("/api/v1/histogram?buckets=10");
    assert!(!histogram["buckets"].as_array().unwrap().is_empty(), "{histogram}");
    assert_eq!(client.json("/readyz"), json!({"status": "ready"}));
    // nothing was written beside the file
    assert_eq!(std::fs::read_dir(folder.0.path().join("here")).unwrap().count(), 0);
    server.stop();
}

#[test]
fn every_dialect_answers() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 30));
    let server = folder.serve(&[&file]);
    let client = server.stranger();
    for path in [
        format!("/sessions/s/logs?project={PROJECT}"),
        format!("/api/v1/sessions/s/logs?project={PROJECT}"),
        "/v1/logs".to_owned(),
        "/_logs".to_owned(),
        "/api/proxy-logs/_logs".to_owned(),
        format!("/logs?project={PROJECT}"),
        format!("/v2.1/projects/{PROJECT}/logs?startDate=2026-01-01&endDate=2026-01-02"),
    ] {
        let answer = client.get(&path).expect(200);
        assert!(answer.text().contains("/v1/orders/29"), "{path}: {}", answer.text());
    }
    for (format, beginning) in [("ndjson", "{"), ("json", "["), ("csv", "id,"), ("har", "{\"log\"")] {
        let answer = client.get(&format!("/api/v1/export?format={format}")).expect(200);
        assert!(answer.text().starts_with(beginning), "{format}: {}", answer.text());
        assert_eq!(answer.text().matches("har.example").count(), 0);
        assert!((0..30).all(|n| answer.text().contains(&format!("/v1/orders/{n}"))), "{format}");
    }
    client.send(&Method::HEAD, "/api/v1/export?format=ndjson", &[], b"").expect(200);
    assert!(client.get("/").expect(200).header("content-type").unwrap().starts_with("text/html"));
}

#[test]
fn nothing_is_written_and_nothing_followed() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 3));
    let server = folder.serve(&[&file]);
    let client = server.stranger();
    let refused = |answer: crate::client::Answer| {
        let problem = answer.expect(501).json();
        assert_eq!(problem["type"], "urn:reqlog:problem:not-offered", "{problem}");
    };
    refused(client.post("/api/v1/ingest", lines(3, 1)));
    refused(client.post("/api/v1/projects", "{\"name\":\"p\"}"));
    refused(client.post("/api/v1/keys", "{\"role\":\"read\"}"));
    refused(client.delete("/api/v1/logs?q=status:500"));
    refused(client.get("/api/v1/tail"));
    refused(client.get("/api/v1/backup"));
    refused(client.get("/metrics"));
    assert_eq!(client.json("/api/v1/stats")["total"], 3);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines(0, 3));
}

#[test]
fn compressed_files_and_pipes_are_read_as_what_is_in_them() {
    let folder = Folder::new();
    let text = lines(0, 2000);
    let log = corpus::generated();
    let plain =
        folder.serve(&[&folder.file("a.ndjson", &text), &folder.file("b.log", &log), &folder.file("c.har", har(70))]);
    let packed = folder.serve(&[
        &folder.file("a.ndjson.gz", gzip(&text)),
        &folder.file("b.log.zst", zstd::encode_all(log.as_bytes(), 1).unwrap()),
        &folder.file("c.har.gz", gzip(&har(70))),
    ]);
    let rows = |server: &Server| {
        let rows = server.stranger().get("/api/v1/export?format=ndjson").expect(200).lines();
        let strip = |mut row: Value| {
            // of the file, which was made a moment later
            row.as_object_mut().unwrap().retain(|name, _| name != "id");
            // each process has its own key of hashes
            row["request"]["headers"].take();
            row
        };
        rows.into_iter().map(strip).collect::<Vec<_>>()
    };
    let (expected, found) = (rows(&plain), rows(&packed));
    assert_eq!(expected.len(), 2000 + 10_000 + 70);
    assert!(expected == found, "they differ");
    // each has a body that is read again out of what was inflated
    let client = packed.stranger();
    for (query, body) in
        [("path:/v1/orders/1234", "{\"order\":1234}"), ("path:/page/69 host:har.example.test", "har 69")]
    {
        let page = client.json(&format!("/api/v1/logs?q={}", escaped(query)));
        let id = page["items"][0]["id"].as_str().unwrap();
        assert_eq!(client.get(&format!("/api/v1/logs/{id}/body?side=response")).expect(200).text(), body);
    }
    // standard input, compressed too
    let input = std::fs::File::open(folder.0.path().join("a.ndjson.gz")).unwrap();
    let server = Server::spawn_with(folder.command(&[Path::new("-")]), folder.0.path(), input);
    assert_eq!(server.told("-: "), "2000 records, 0 not understood");
    assert_eq!(paths(&server.stranger(), "path:/v1/orders/77"), ["/v1/orders/77"]);
}

#[test]
fn several_files_are_one_time_line() {
    let folder = Folder::new();
    // the second begins within the first
    let (a, b) = (folder.file("a.ndjson", lines(0, 20)), folder.file("b.ndjson", lines(10, 20)));
    let server = folder.serve(&[&a, &b]);
    let client = server.stranger();
    let page = client.json("/api/v1/logs?limit=100&sort=time&dir=asc");
    let numbers: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["path"].as_str().unwrap()["/v1/orders/".len()..])
        .collect();
    let mut expected: Vec<usize> = (0..20).chain(10..30).collect();
    expected.sort_unstable();
    assert_eq!(numbers, expected.iter().map(usize::to_string).collect::<Vec<_>>());
    // arrival order is that of the files, and of places in them
    let rows = client.get("/api/v1/export?format=ndjson").expect(200).lines();
    let seqs: Vec<u64> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted() && seqs[0] == 1 && seqs[20] == (1 << 40) + 1, "{seqs:?}");
}

#[test]
fn rows_are_served_while_the_rest_is_still_to_come() {
    let folder = Folder::new();
    let (mine, input) = io::pipe().map(|(read, write)| (write, read)).unwrap();
    let mut mine = mine;
    let server = Server::spawn_with(folder.command(&[Path::new("-")]), folder.0.path(), Stdio::from(input));
    // it listens, and nothing has come yet
    assert_eq!(server.stranger().json("/api/v1/stats")["total"], 0);
    let (first, rest) = (lines(0, 30_000), lines(30_000, 5_000));
    assert!(first.len() > 12 << 20, "{} bytes are no portion", first.len());
    mine.write_all(first.as_bytes()).unwrap();
    let expect = |query: &str, count: &str, within: &str| {
        run(&[&"expect", &query, &"--count", &count, &"--within", &within, &"--url", &server.url])
    };
    expect("path:/v1/orders/*", ">=10000", "60s").expect(0);
    let total = || server.stranger().json("/api/v1/stats")["total"].as_u64().unwrap();
    assert!(total() < 35_000);
    expect("path:/v1/orders/34999", ">=1", "50ms").expect(1);
    mine.write_all(rest.as_bytes()).unwrap();
    drop(mine);
    expect("path:/v1/orders/34999", ">=1", "60s").expect(0);
    assert_eq!(server.told("-: "), "35000 records, 0 not understood");
    assert_eq!(total(), 35_000);
    let rows = run(&[&"query", &"status:5xx", &"--all", &"--format", &"ndjson", &"--url", &server.url]).expect(0);
    assert_eq!(rows.out.lines().count(), 3500);
    server.stop();
}

#[test]
fn it_is_ready_when_every_file_is_read_or_has_failed() {
    let folder = Folder::new();
    let (input, mut mine) = io::pipe().unwrap();
    let (whole, empty) = (folder.file("a.ndjson", lines(0, 3)), folder.file("empty.ndjson", ""));
    let packed = gzip(&lines(0, 20_000));
    let torn = folder.file("torn.ndjson.gz", &packed[..packed.len() / 2]);
    let command = folder.command(&[&whole, Path::new("-"), &torn, &empty]);
    let server = Server::spawn_with(command, folder.0.path(), Stdio::from(input));
    let client = server.stranger();
    server.told(&format!("{}: 3 records", whole.display()));
    assert_eq!(client.json("/api/v1/stats")["total"], 3);
    let unready = client.get("/readyz").expect(503).json();
    assert_eq!(unready, json!({"status": "unavailable", "reason": "3 files are still being read."}));
    client.get("/healthz").expect(200);
    mine.write_all(lines(3, 4).as_bytes()).unwrap();
    drop(mine);
    server.told(&format!("{}: 0 records", empty.display()));
    assert!(server.said().contains("incomplete deflate stream"), "{}", server.said());
    assert_eq!(client.json("/readyz"), json!({"status": "ready"}));
    assert!(client.json("/api/v1/stats")["total"].as_u64().unwrap() > 5_000);
}

/// What is done to a file.
type Change<'a> = &'a dyn Fn(&Path);

/// Writes over a file in its place, at another time.
fn write_over(path: &Path, content: impl AsRef<[u8]>) {
    let mut file = File::create(path).unwrap();
    file.write_all(content.as_ref()).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_mins(1)).unwrap();
}

fn append(path: &Path, content: &str) {
    File::options().append(true).open(path).unwrap().write_all(content.as_bytes()).unwrap();
}

#[test]
fn a_file_that_was_changed_is_not_read_again() {
    let text = lines(0, 200);
    let other = text.replace("x-number", "y-number");
    let changes: [(&str, Change<'_>); 5] = [
        ("written over", &|path| write_over(path, &other)),
        ("written over by more", &|path| write_over(path, other.repeat(2))),
        ("cut off", &|path| File::options().write(true).open(path).unwrap().set_len(text.len() as u64 / 2).unwrap()),
        ("cut off and grown again", &|path| {
            write_over(path, "");
            append(path, &lines(1000, 300));
        }),
        ("grown and written over", &|path| {
            append(path, "{}\n");
            write_over(path, other.clone() + "{}\n{}\n");
        }),
    ];
    for (name, change) in changes {
        let folder = Folder::new();
        let (file, beside) = (folder.file("a.ndjson", &text), folder.file("b.ndjson", lines(500, 1)));
        let server = folder.serve(&[&file, &beside]);
        let client = server.stranger();
        let id = |path: &str| {
            let page = client.json(&format!("/api/v1/logs?fields=id&q={}", escaped(&format!("path:{path}"))));
            page["items"][0]["id"].as_str().unwrap().to_owned()
        };
        let (row, unchanged) = (id("/v1/orders/7"), id("/v1/orders/500"));
        client.get(&format!("/api/v1/logs/{row}")).expect(200);
        change(&file);
        let told = "The opened file 'a.ndjson' is not what it was when it was indexed; open it again.";
        for asked in
            [&format!("/api/v1/logs/{row}"), "/api/v1/logs?q=req.header.x-number:7", "/api/v1/export?format=har"]
        {
            let refused = client.get(asked).expect(500);
            assert_eq!(refused.json()["detail"], told, "{name}: {asked}");
            assert!(!refused.text().contains(folder.0.path().to_str().unwrap()), "{}", refused.text());
        }
        // what is in memory, and other files
        assert_eq!(client.json("/api/v1/stats")["total"], 201, "{name}");
        client.get(&format!("/api/v1/logs/{unchanged}")).expect(200);
    }
}

#[test]
fn a_file_that_grows_or_gives_its_name_away_is_served_as_it_was() {
    let folder = Folder::new();
    // the last line has no end yet
    let text = lines(0, 200);
    let (log, renamed) = (folder.file("a.ndjson", text.trim_end()), folder.file("b.ndjson", lines(200, 100)));
    let packed = folder.file("c.ndjson.gz", gzip(&lines(300, 100)));
    let server = folder.serve(&[&log, &renamed, &packed]);
    let client = server.stranger();
    let export = || client.get("/api/v1/export?format=ndjson").expect(200).text();
    let before = export();
    assert_eq!(before.lines().count(), 400);
    std::fs::rename(folder.file("other", "{\"path\":\"/other\"}\n"), &renamed).unwrap();
    // its plain bytes are kept elsewhere
    write_over(&packed, "");
    for end in [",\n", &lines(1000, 1), &lines(2000, 500)] {
        append(&log, end);
        assert!(export() == before, "after {end:.20}");
    }
    assert_eq!(paths(&client, "req.header.x-number:199"), ["/v1/orders/199"]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named() {
    let folder = Folder::new();
    let (input, mine) = io::pipe().unwrap();
    let (cut, grown) = (folder.file("cut.ndjson", lines(0, 100)), folder.file("grown.ndjson", lines(0, 100)));
    let command = folder.command(&[Path::new("-"), &cut, &grown]);
    let server = Server::spawn_with(command, folder.0.path(), Stdio::from(input));
    // they were looked at, and are read behind standard input
    write_over(&cut, lines(0, 50));
    append(&grown, &lines(100, 50));
    drop(mine);
    assert_eq!(server.told(&format!("{}: 1", grown.display())), "00 records, 0 not understood");
    let told = format!("{}: it changed while it was read; open it again", cut.display());
    assert!(server.said().contains(&told), "{}", server.said());
    server.stranger().get("/readyz").expect(200);
}

#[test]
fn a_file_of_many_portions_is_whole() {
    let folder = Folder::new();
    // what no line is is in the second portion
    let (first, rest) = (lines(0, 40_000), lines(40_000, 20_000));
    let file = folder.file("a.ndjson", format!("{first}this is no record\n{rest}"));
    let server = folder.serve(&[&file]);
    let name = format!("{}: ", file.display());
    assert_eq!(server.told(&name), "60000 records, 1 not understood");
    server.told(&format!("{name}line 40001: "));
    let rows = paths(&server.stranger(), "");
    assert!(rows.iter().enumerate().all(|(n, path)| *path == format!("/v1/orders/{n}")) && rows.len() == 60_000);
    let har_file = folder.file("b.har", har(30_000));
    let server = folder.serve(&[&har_file]);
    let rows = paths(&server.stranger(), "");
    assert!(rows.iter().enumerate().all(|(n, path)| *path == format!("/page/{n}")) && rows.len() == 30_000);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_served() {
    let folder = Folder::new();
    let good = folder.file("good.ndjson", lines(0, 2));
    let empty = folder.file("empty.ndjson", "");
    let strange = folder.file("strange.bin", [0xff, 0xfe, 1, 2, 3]);
    let missing = folder.0.path().join("missing.ndjson");
    let packed = gzip(&lines(0, 20_000));
    let cut = folder.file("cut.ndjson.gz", &packed[..packed.len() / 2]);
    let files: [&Path; 6] = [&strange, &missing, folder.0.path(), &empty, &cut, &good];
    let server = Server::spawn(folder.command(&files), folder.0.path());
    let told = |path: &Path| server.told(&path.display().to_string());
    assert!(told(&strange).contains("ndjson"), "the formats that are read: {}", server.said());
    assert!(told(&missing).contains("No such file"), "{}", server.said());
    assert!(
        server.said().contains(&format!("{} is a directory; name the files in it", folder.0.path().display())),
        "{}",
        server.said()
    );
    assert_eq!(told(&empty), ": 0 records, 0 not understood");
    server.told(&format!("{}: incomplete deflate stream", cut.display()));
    server.told(&format!("{}: 2 records, 0 not understood", good.display()));
    // as far as it could be read, and all of the one behind it
    let rows = paths(&server.stranger(), "");
    assert!(rows.len() > 5_000 && rows.len() < 20_002, "{}", rows.len());
    assert_eq!(rows[rows.len() - 2..], ["/v1/orders/0", "/v1/orders/1"]);
    server.stop();
    for nothing in [[&strange, &missing], [&missing, &strange]] {
        let ended = run(&[&"serve", &"--listen", &"127.0.0.1:0", nothing[0], nothing[1]]).expect(1);
        assert!(ended.err.contains("strange.bin") && ended.err.contains("missing.ndjson") && ended.out.is_empty());
    }
    for wrong in
        [["--data", "d"], ["--retention-age", "3d"], ["--retention-bytes", "1GB"], ["-", "-"], ["--listen", ""]]
    {
        let ended = run(&[&"serve", &good, &wrong[0], &wrong[1]]);
        let code = if wrong[0] == "--listen" { 1 } else { 2 };
        ended.expect(code);
    }
}

#[test]
fn without_a_key_only_this_machine_by_its_own_name_gets_in() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 2));
    let server = folder.serve(&[&file]);
    let client = server.stranger();
    let port = server.address().rsplit(':').next().unwrap();
    for host in
        [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "app.localhost".into()]
    {
        client.send(&Method::GET, "/api/v1/logs", &[("host", &host)], b"").expect(200);
    }
    for host in ["evil.test", "127.0.0.1.evil.test:80", "192.0.2.1"] {
        for path in ["/api/v1/logs", "/", "/healthz", "/nothing"] {
            let refused = client.send(&Method::GET, path, &[("host", host)], b"").expect(421);
            assert!(!refused.text().contains("orders"), "{}", refused.text());
            assert_eq!(refused.header("access-control-allow-origin"), None);
        }
        client.send(&Method::POST, "/api/v1/ingest", &[("host", host)], lines(0, 3).as_bytes()).expect(421);
    }
    // a page of another origin does not read what needs no key
    let answer = client.send(&Method::GET, "/api/v1/logs", &[("origin", "http://evil.test")], b"").expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn beyond_this_machine_a_key_is_needed() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 2));
    let needs = |server: &Server, key: &str| {
        let url = server.url.replace("0.0.0.0", "127.0.0.1");
        let stranger = Client::new(&url, None);
        stranger.get("/api/v1/logs").expect(401);
        stranger.get("/").expect(200);
        stranger.get("/healthz").expect(200);
        Client::new(&url, Some("wrong")).get("/api/v1/logs").expect(401);
        let client = Client::new(&url, Some(key));
        assert_eq!(client.json("/api/v1/stats")["total"], 2);
        // by whatever name it is reached
        client.send(&Method::GET, "/api/v1/logs", &[("host", "logs.example.test")], b"").expect(200);
    };
    let spawn = |arguments: &[&str], key: Option<&str>| {
        let mut command = folder.command(&[&file]);
        command.args(arguments);
        command.envs(key.map(|key| ("REQLOG_ADMIN_KEY", key)));
        let server = Server::spawn(command, folder.0.path());
        server.told(&format!("{}: ", file.display()));
        server
    };
    let server = spawn(&["--origins", "*"], None);
    needs(&server, &server.told("admin key: "));
    let server = spawn(&[], Some(ADMIN));
    assert!(!server.said().contains("admin key"), "{}", server.said());
    needs(&server, ADMIN);
    let mut command = reqlog();
    command.args(["serve", "--listen", "0.0.0.0:0"]).arg(&file);
    let server = Server::spawn(command, folder.0.path());
    server.told(&format!("{}: ", file.display()));
    needs(&server, &server.told("admin key: "));
}

#[test]
fn below_a_path_everything_is_below_it() {
    let folder = Folder::new();
    let file = folder.file("a.ndjson", lines(0, 2));
    let mut command = folder.command(&[&file]);
    command.args(["--base-path", "/logs"]);
    let server = Server::spawn(command, folder.0.path());
    server.told(&format!("{}: ", file.display()));
    let client = server.stranger();
    assert_eq!(client.json("/logs/api/v1/stats")["total"], 2);
    client.get("/logs/").expect(200);
    client.get("/api/v1/stats").expect(404);
}
