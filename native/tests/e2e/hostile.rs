//! Bytes that no client of good will sends: the answer is a 4xx at worst, and the server goes on.

use crate::client::escaped;
use crate::random::Random;
use crate::server::{ADMIN, Server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const REQUESTS: usize = 3000;

/// Paths with places to put something into.
const PATHS: &[&str] = &[
    "/api/v1/logs",
    "/api/v1/logs/%",
    "/api/v1/logs/%/body",
    "/api/v1/logs/%/export",
    "/api/v1/logs/log_%/body",
    "/logs/%/body",
    "/sessions/%/logs",
    "/api/v1/sessions/%/logs",
    "/api/v1/stats",
    "/api/v1/histogram",
    "/api/v1/facets",
    "/api/v1/endpoints",
    "/api/v1/export",
    "/api/v1/ingest",
    "/api/v1/projects",
    "/api/v1/projects/%",
    "/api/v1/keys",
    "/api/v1/keys/%",
    "/metrics",
    "/readyz",
    "/%",
    "//%",
    "/api/v1/%",
];

const PARAMETERS: &[&str] = &[
    "q",
    "project",
    "limit",
    "cursor",
    "sort",
    "dir",
    "fields",
    "total",
    "side",
    "view",
    "as",
    "format",
    "import",
    "session",
    "environment",
    "service",
    "before",
    "since",
    "unknown",
    "",
];

const VALUES: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "1000",
    "18446744073709551616",
    "1e9",
    "NaN",
    "time",
    "desc",
    "exact",
    "ndjson",
    "har",
    "csv",
    "request",
    "hex",
    "p",
    "log_00000000000000000000",
    "00000000000000000000",
    "ZZZZZZZZZZZZZZZZZZZZ",
    "status:5xx",
    "a OR",
    "((((",
    "\"",
    "-",
    "path:~/(a+)+$/",
    "path:~/a{1000}{1000}/",
    "time:-9999999999d..",
    "duration:..",
    "status:99999999999999999999",
    "..",
    "../../etc/passwd",
    "\u{0}",
    "\u{feff}",
    "é",
    "%",
    "%zz",
    "%ff%fe",
    "a\r\nb",
    "req.json.a.b.c:1",
    "attr.*:*",
];

const FIELDS: &[&str] = &[
    "authorization",
    "x-api-key",
    "range",
    "if-range",
    "if-none-match",
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "x-reqlog-project",
    "x-reqlog-session",
    "x-reqlog-environment",
    "x-reqlog-service",
    "origin",
    "cookie",
    "access-control-request-method",
    "expect",
    "x-forwarded-for",
    "te",
];

const FIELD_VALUES: &[&str] = &[
    "",
    "*",
    "bytes=0-",
    "bytes=-0",
    "bytes=5-2",
    "bytes=99999999999999999999-",
    "bytes=0-1,3-4",
    "lines=1-2",
    "gzip",
    "br, zstd",
    "identity;q=0",
    "deflate",
    "text/html;q=nope",
    "Bearer",
    "Basic !!!",
    "Basic OjpWOg==",
    "Digest x",
    "\"",
    "W/\"x\"",
    "100-continue",
    "null",
    "é",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    "[]",
    "null",
    "{",
    "[[[[[[[[",
    "{\"log\":{\"entries\":[",
    "time,status\n\"",
    "\u{0}",
    "{\"name\":7}",
    "{\"name\":\"\"}",
    "{\"name\":\"p\",\"environments\":7}",
    "{\"name\":\"k\",\"role\":\"read\",\"expires\":\"never\"}",
    "{\"time\":1e400}\n",
    "{\"status\":99999}\n",
    "{\"duration_ms\":-1,\"path\":\"\\ud800\"}\n",
    "{\"request\":{\"body\":{\"size\":-1,\"text\":\"x\",\"base64\":\"!\"}}}\n",
    "1.1.1.1 - - [99/Foo/9999:99:99:99 +9999] \"GET / HTTP/1.1\" 200 1\n",
    "(\u{b5}/\u{fd}",
    "\u{1f}\u{8b}",
];

/// Raw bytes, or the same escaped.
fn spell(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    match random.below(3) {
        0 => bytes.to_vec(),
        1 => bytes.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect(),
        _ => escaped(&String::from_utf8_lossy(bytes)).into_bytes(),
    }
}

fn value(random: &mut Random, cursors: &[String]) -> Vec<u8> {
    let mut bytes = match random.below(4) {
        0 => random.bytes(40),
        1 => random.pick(&cursors.iter().map(String::as_str).collect::<Vec<_>>()).as_bytes().to_vec(),
        _ => random.pick(VALUES).as_bytes().to_vec(),
    };
    if random.below(4) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    if random.below(60) == 0 {
        bytes = bytes.repeat(1 + random.below(3000) / bytes.len().max(1));
    }
    spell(random, &bytes)
}

/// A whole request: its body is as long as it says.
fn request(random: &mut Random, cursors: &[String]) -> Vec<u8> {
    let method =
        random.pick(&["GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"]);
    let mut bytes = format!("{method} ").into_bytes();
    let path = random.pick(PATHS);
    for (at, piece) in path.split('%').enumerate() {
        if at > 0 {
            bytes.extend(value(random, cursors));
        }
        bytes.extend(piece.as_bytes());
    }
    for n in 0..random.below(4) {
        bytes.push(if n == 0 { b'?' } else { random.pick(b"&&&;?") });
        let name =
            if random.below(8) == 0 { value(random, cursors) } else { random.pick(PARAMETERS).as_bytes().to_vec() };
        bytes.extend(name);
        if random.below(10) > 0 {
            bytes.push(b'=');
        }
        bytes.extend(value(random, cursors));
    }
    bytes.extend(b" HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    if random.below(8) > 0 {
        bytes.extend(format!("authorization: Bearer {ADMIN}\r\n").as_bytes());
    }
    for _ in 0..random.below(3) {
        bytes.extend(random.pick(FIELDS).as_bytes());
        bytes.extend(b": ");
        if random.below(3) == 0 {
            bytes.extend(random.bytes(40));
        } else {
            bytes.extend(random.pick(FIELD_VALUES).as_bytes());
        }
        bytes.extend(b"\r\n");
    }
    let body = match random.below(3) {
        0 => random.bytes(200),
        _ => random.pick(BODIES).as_bytes().to_vec(),
    };
    if method == "POST" || random.below(6) == 0 {
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend(body);
    } else {
        bytes.extend(b"\r\n");
    }
    bytes
}

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Everything that comes back until the connection is closed.
fn exchange(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // a server that has refused the head may close before it has all of it
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return answer,
            Ok(read) => answer.extend(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset && !answer.is_empty() => return answer,
            Err(error) => panic!("{error} after {answer:?} to {}", request[..request.len().min(500)].escape_ascii()),
        }
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(answer.get(..12)?).into_owned();
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[test]
fn any_bytes_are_refused_at_worst() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let admin = server.admin();
    let rows = "{\"method\":\"GET\",\"path\":\"/a\",\"session\":\"s\",\"response\":{\"body\":{\"size\":5,\"text\":\"hello\"}}}\n".repeat(3);
    admin.post("/api/v1/ingest?project=p", &rows).expect(200);
    let page = admin.json("/api/v1/logs?limit=1");
    let cursor = page["next"].as_str().unwrap().to_owned();
    let export = admin.get("/api/v1/export").expect(200).header("x-reqlog-cursor").unwrap().to_owned();
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let cursors = [cursor, format!("{export}.{id}"), export, format!("log_{id}"), id];

    let random = &mut Random::seeded(4);
    let mut seen = std::collections::BTreeMap::<u16, u32>::new();
    for n in 0..REQUESTS {
        let request = request(random, &cursors);
        let answer = exchange(server.address(), &request);
        let shown = || format!("{n}: {} to {}", answer.escape_ascii(), request.escape_ascii());
        let mut status = status(&answer).unwrap_or_else(|| panic!("no answer: {}", shown()));
        if status == 100 {
            let rest = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
            status = self::status(&answer[rest..]).unwrap_or_else(|| panic!("no answer: {}", shown()));
        }
        assert!((200..500).contains(&status), "{}", shown());
        *seen.entry(status).or_default() += 1;
    }
    // the requests reach what they are made for
    for status in [200, 400, 401, 404, 405, 422] {
        assert!(seen.get(&status).is_some_and(|times| *times > 10), "{seen:?}");
    }
    admin.get("/healthz").expect(200);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn what_is_no_http_is_no_trouble() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let random = &mut Random::seeded(9);
    for n in 0..200 {
        let mut bytes = random.bytes(300);
        match n % 4 {
            0 => bytes.extend(b"\r\n\r\n"),
            1 => bytes.splice(0..0, *b"GET ").for_each(drop),
            2 => bytes.splice(0..0, *b"GET / HTTP/1.1\r\nhost: t\r\n").for_each(drop),
            _ => bytes.splice(0..0, *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").for_each(drop),
        }
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            status(&answer).is_none_or(|status| status < 500),
            "{} to {}",
            answer.escape_ascii(),
            bytes.escape_ascii()
        );
    }
    let long = format!("GET /{} HTTP/1.1\r\nhost: t\r\n\r\n", "a".repeat(300_000));
    let refused = exchange(server.address(), long.as_bytes());
    assert!(status(&refused).is_some_and(|status| (400..500).contains(&status)), "{}", refused.escape_ascii());
    server.stranger().get("/healthz").expect(200);
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn a_body_that_is_too_long_or_no_archive_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let admin = server.admin();
    // a client may see its connection closed before it has sent all, so the answer is read from a plain socket
    let send = |path: &str, encoding: &str, body: &[u8]| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {ADMIN}\r\nconnection: close\r\n");
        let fields = format!("content-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
        status(&exchange(server.address(), &[head.as_bytes(), fields.as_bytes(), body].concat())).unwrap()
    };
    // 65 MiB of one row after another, in a few KB
    let row = b"{\"path\":\"/bomb\"}\n";
    let bomb = zstd::encode_all(&*row.repeat((65 << 20) / row.len() + 1), 1).unwrap();
    assert_eq!(send("/api/v1/ingest", "zstd", &bomb), 413);
    for encoding in ["gzip", "zstd", "deflate", "br", "gzip, zstd", "compress"] {
        let refused = send("/api/v1/ingest", encoding, b"no archive at all");
        assert!((400..500).contains(&refused), "{encoding}: {refused}");
    }
    for path in ["/api/v1/keys", "/api/v1/projects"] {
        assert_eq!(send(path, "identity", " ".repeat(256 << 10).as_bytes()), 413, "{path}");
    }
    // a refusal of a short body leaves the connection as it is
    let stranger = server.stranger();
    for _ in 0..20 {
        stranger.post("/api/v1/ingest", "{}".repeat(2000)).expect(401);
    }
    assert_eq!(admin.json("/api/v1/logs?total=exact")["total"], 0, "a refused request leaves nothing behind");
}
