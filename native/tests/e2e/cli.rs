//! The commands as they are typed: over a server, a directory, files; their output and exit codes.

use crate::server::{ADMIN, Ended, Server, reqlog, run, run_with};
use crate::walk::metric;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

/// Four calls and an event.
const ROWS: &str = r#"{"time":"2026-01-01T00:00:00Z","kind":"exchange","session":"ci","service":"shop","method":"POST","path":"/v1/payments","status":201,"duration_ms":12.5}
{"time":"2026-01-01T00:00:01Z","kind":"exchange","session":"ci","service":"shop","method":"GET","path":"/v1/payments/7","status":200,"duration_ms":3}
{"time":"2026-01-01T00:00:02Z","kind":"exchange","session":"ci","service":"mail","method":"POST","path":"/v1/letters","status":503,"duration_ms":900}
{"time":"2026-01-01T00:00:03Z","kind":"exchange","session":"dev","service":"shop","method":"GET","path":"/v1/payments","status":404}
{"time":"2026-01-01T00:00:04Z","kind":"event","service":"mail","message":"queue is full, \"really\""}
"#;

/// A file, a directory and a server that hold the same rows.
struct Places {
    folder: tempfile::TempDir,
    server: Server,
}

impl Places {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.ndjson");
        std::fs::write(&file, ROWS).unwrap();
        let data = folder.path().join("data");
        run(&[&"import", &"--data", &data, &"--project", &"p", &file]).expect(0);
        let server = Server::start(&folder.path().join("served"));
        let arguments: [&dyn AsRef<OsStr>; 8] =
            [&"import", &"--url", &server.url, &"--key", &ADMIN, &"--project", &"p", &file];
        run(&arguments).expect(0);
        Self { folder, server }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("rows.ndjson")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What stands behind a command to name each place.
    fn all(&self) -> [Vec<String>; 4] {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        [
            vec![text(&self.file())],
            words(&["--data", &text(&self.data())]),
            words(&["--data", &text(&self.server.data)]),
            words(&["--url", &self.server.url, "--key", ADMIN]),
        ]
    }
}

/// Runs the command with words of different origin.
#[track_caller]
fn with(words: &[&str], place: &[String]) -> Ended {
    let all: Vec<&dyn AsRef<OsStr>> =
        words.iter().map(|word| word as &dyn AsRef<OsStr>).chain(place.iter().map(|word| word as _)).collect();
    run(&all)
}

fn paths(out: &str) -> Vec<String> {
    let rows = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| row["path"].as_str().or(row["message"].as_str()).unwrap().to_owned()).collect()
}

#[test]
fn a_query_answers_the_same_over_a_file_a_directory_and_a_server() {
    let places = Places::new();
    for place in places.all() {
        let check = |words: &[&str], expected: &[&str]| {
            let words: Vec<&str> = ["query"].iter().chain(words).copied().collect();
            let ended = with(&words, &place).expect(0);
            assert_eq!(paths(&ended.out), expected, "{words:?} {place:?}");
        };
        check(&["path:/v1/payments", "--json"], &["/v1/payments", "/v1/payments"]);
        check(&["status:5xx", "--json"], &["/v1/letters"]);
        check(&["method:GET", "--format", "ndjson"], &["/v1/payments", "/v1/payments/7"]);
        check(&["kind:exchange", "--json", "--limit", "2"], &["/v1/payments", "/v1/letters"]);
        check(&["session:ci", "--json", "--sort", "duration"], &["/v1/letters", "/v1/payments", "/v1/payments/7"]);
        check(
            &["session:ci", "--json", "--sort", "status", "--asc"],
            &["/v1/payments/7", "/v1/payments", "/v1/letters"],
        );
        check(&["really", "--json", "--all"], &["queue is full, \"really\""]);
        check(&["-session:ci", "--json"], &["queue is full, \"really\"", "/v1/payments"]);
        check(&["status:599", "--json"], &[]);
        check(&["duration:>=12.5ms -service:mail", "--json"], &["/v1/payments"]);
    }
}

#[test]
fn rows_are_shown_in_the_format_asked_for() {
    let places = Places::new();
    for place in places.all() {
        let table = with(&["query", "session:ci"], &place).expect(0).out;
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4, "{table}");
        assert!(lines[0].contains("status") && lines[1].contains("/v1/letters") && lines[1].contains("503"), "{table}");
        assert!(!table.contains('\x1b'), "colour is for terminals");

        let array: Value =
            serde_json::from_str(&with(&["query", "session:ci", "--format", "json"], &place).expect(0).out).unwrap();
        assert_eq!(array.as_array().unwrap().len(), 3);

        let csv = with(&["query", "kind:event", "--format", "csv"], &place).expect(0).out;
        assert_eq!(csv.trim_end().lines().count(), 2, "{csv}");
        assert!(csv.contains("\"queue is full, \"\"really\"\"\""), "{csv}");

        let har: Value =
            serde_json::from_str(&with(&["query", "session:ci", "--format", "har"], &place).expect(0).out).unwrap();
        assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 3);
        assert_eq!(har["log"]["entries"][0]["response"]["status"], 503);
    }
}

#[test]
fn standard_input_and_several_files_are_read() {
    let places = Places::new();
    let ended = run_with(ROWS.as_bytes(), &[&"query", &"status:5xx", &"--json", &"-"]).expect(0);
    assert_eq!(paths(&ended.out), ["/v1/letters"]);
    let other = places.folder.path().join("access.log");
    std::fs::write(&other, "192.0.2.1 - - [01/Feb/2026:00:00:00 +0000] \"GET /other HTTP/1.1\" 500 5\nbroken\n")
        .unwrap();
    let ended = run(&[&"query", &"status:5xx", &"--json", &places.file(), &other]).expect(0);
    assert_eq!(paths(&ended.out), ["/other", "/v1/letters"]);
    // what could not be read is told, beside the results
    assert!(ended.err.contains("access.log") && ended.err.contains('2'), "{ended:?}");
}

#[test]
fn an_import_reports_and_its_exit_code_says_whether_all_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let bad = "{\"path\":\"/a\"}\nbroken\n";
    let import = |more: &[&str]| {
        let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&"import", &"-", &"--data", &data];
        arguments.extend(more.iter().map(|word| word as &dyn AsRef<OsStr>));
        run_with(bad.as_bytes(), &arguments)
    };
    let said = import(&["--project", "a"]).expect(1);
    assert_eq!(said.out, "accepted 1, duplicates 0, rejected 1\n");
    assert!(said.err.contains("line 2") && said.err.contains("broken"), "{said:?}");
    assert!(!said.err.contains('\r'), "progress is for terminals");
    import(&["--project", "b", "--lenient"]).expect(0);
    let said = import(&["--project", "c", "--json", "--lenient"]).expect(0);
    assert_eq!(said.out.lines().count(), 1);
    let report = said.json();
    assert_eq!((&report["accepted"], &report["duplicates"], &report["rejected"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!((&report["errors"][0]["line"], &report["errors"][0]["excerpt"]), (&json!(2), &json!("broken")));

    // defaults fill what records lack
    let row = "{\"path\":\"/x\",\"service\":\"own\"}\n";
    let arguments: [&dyn AsRef<OsStr>; 12] = [
        &"import",
        &"-",
        &"--data",
        &data,
        &"--project",
        &"d",
        &"--environment",
        &"e",
        &"--session",
        &"s",
        &"--service",
        &"v",
    ];
    run_with(row.as_bytes(), &arguments).expect(0);
    let query = "project:d environment:e session:s service:own";
    assert_eq!(paths(&run(&[&"query", &query, &"--data", &data, &"--json"]).expect(0).out), ["/x"]);
    let projects = run(&[&"projects", &"--data", &data, &"--json"]).expect(0).out;
    for project in ["\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"e\""] {
        assert!(projects.contains(project), "{projects}");
    }
}

#[test]
fn what_is_expected_holds_or_its_nearest_misses_are_shown() {
    let places = Places::new();
    for place in &places.all()[1..] {
        let expect = |words: &[&str]| {
            let words: Vec<&str> = ["expect"].iter().chain(words).copied().collect();
            with(&words, place)
        };
        expect(&["method:POST path:/v1/payments"]).expect(0);
        expect(&["path:/v1/payments", "--count", "2"]).expect(0);
        expect(&["path:/v1/payments", "--count", "<3"]).expect(0);
        expect(&["path:/v1/nothing", "--count", "0"]).expect(0);
        expect(&["path:/v1/payments", "--count", ">=3"]).expect(1);
        expect(&["path:/v1/payments", "--count", "0"]).expect(1);
        let missed = expect(&["method:POST path:/v1/payments status:500"]).expect(1);
        // all but the status is right
        assert!(missed.err.contains("status:500") && missed.err.contains("201"), "{missed:?}");
        let unfulfilled = expect(&["path:/v1/never", "--within", "300ms"]).expect(1);
        assert!(!unfulfilled.err.is_empty());
    }
}

#[test]
fn an_expectation_waits_for_what_arrives() {
    let places = Places::new();
    let admin = places.server.admin();
    let url = places.server.url.clone();
    let (begun, may_write) = mpsc::channel();
    let waiting = thread::spawn(move || {
        begun.send(()).unwrap();
        run(&[&"expect", &"path:/late", &"--within", &"30s", &"--url", &url, &"--key", &ADMIN])
    });
    may_write.recv().unwrap();
    admin.post("/api/v1/ingest?project=p", "{\"method\":\"GET\",\"path\":\"/late\"}\n").expect(200);
    let began = std::time::Instant::now();
    waiting.join().unwrap().expect(0);
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "it ends when it holds");
}

#[test]
fn an_export_is_a_file_that_can_be_imported_again() {
    let places = Places::new();
    for place in &places.all()[1..] {
        for format in ["ndjson", "json", "csv", "har"] {
            let file = places.folder.path().join(format!("export.{format}"));
            let out = file.to_str().unwrap();
            with(&["export", "session:ci", "--format", format, "-o", out], place).expect(0);
            let streamed = with(&["export", "session:ci", "--format", format], place).expect(0).out;
            assert_eq!(streamed, std::fs::read_to_string(&file).unwrap(), "{format}");
            let data = tempfile::tempdir().unwrap();
            let report =
                run(&[&"import", &"--data", &data.path(), &"--project", &"q", &"--json", &file]).expect(0).json();
            assert_eq!(report["accepted"], 3, "{format}: {report}");
            let query = run(&[&"query", &"status:503", &"--json", &"--data", &data.path()]).expect(0);
            assert_eq!(paths(&query.out), ["/v1/letters"], "{format}");
        }
    }
}

#[test]
fn projects_and_keys_are_managed() {
    let places = Places::new();
    for place in &places.all()[1..] {
        with(&["projects", "create", "made", "--environment", "prod"], place).expect(0);
        let listed = with(&["projects"], place).expect(0).out;
        assert!(listed.contains("made") && listed.contains("prod") && listed.contains('p'), "{listed}");

        let secret = with(&["keys", "create", "ci", "--role", "read", "--project", "made"], place).expect(0).out;
        assert!(secret.trim_end().len() >= 32 && !secret.contains(['{', ' ']), "{secret}");
        let made = with(&["keys", "create", "two", "--json"], place).expect(0).json();
        assert_eq!((&made["name"], &made["role"]), (&json!("two"), &json!("read")), "{made}");
        assert!(made.to_string().len() > 60, "{made}");
        let listed = with(&["keys", "list"], place).expect(0).out;
        assert!(listed.contains("ci") && listed.contains("made") && !listed.contains(secret.trim_end()), "{listed}");
        let keys: Value = serde_json::from_str(&with(&["keys", "list", "--json"], place).expect(0).out).unwrap();
        assert!(keys.to_string().contains("\"ci\""), "{keys}");
        with(&["keys", "revoke", &made["id"].to_string()], place).expect(0);
        let listed = with(&["keys", "list"], place).expect(0).out;
        assert!(!listed.contains("two"), "{listed}");
        assert!(!with(&["keys", "revoke", "999999"], place).expect(1).err.is_empty());

        with(&["projects", "delete", "made"], place).expect(0);
        assert!(!with(&["projects"], place).expect(0).out.contains("made"));
    }
    // a key made by a command on a served directory opens the server
    let data = places.server.data.to_str().unwrap();
    let secret = run(&[&"keys", &"create", &"x", &"--data", &data]).expect(0).out;
    places.server.admin().with_key(secret.trim_end()).get("/api/v1/logs").expect(200);
}

#[test]
fn counts_are_shown() {
    let places = Places::new();
    for place in &places.all() {
        let stats = with(&["stats"], place).expect(0).out;
        assert!(stats.contains("shop") && stats.contains("5xx"), "{stats}");
    }
}

#[test]
fn endpoints_are_the_same_from_every_place() {
    let places = Places::new();
    let expected = "\
method  route              calls  errors  error %  4xx   p50 ms   p95 ms   p99 ms  bytes in  bytes out
POST    /v1/letters            1       1   100.00    0  900.000  900.000  900.000         0          0
POST    /v1/payments           1       0     0.00    0   12.500   12.500   12.500         0          0
GET     /v1/payments/{id}      1       0     0.00    0    3.000    3.000    3.000         0          0
GET     /v1/payments           1       0     0.00    1                                    0          0
";
    let first = json!({
        "method": "POST", "route": "/v1/payments", "count": 1, "errors": 0, "client_errors": 0, "error_rate": 0.0,
        "p50_ms": 12.5, "p95_ms": 12.5, "p99_ms": 12.5, "request_bytes": 0, "response_bytes": 0,
    });
    for place in &places.all() {
        assert_eq!(with(&["endpoints", "", "--sort", "p95"], place).out, expected, "{place:?}");
        let ran = with(&["endpoints", "service:shop", "--sort", "p50", "--limit", "1", "--json"], place).expect(0);
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(found, json!({"total": 3, "items": [first], "distinct": 3, "complete": true}), "{place:?}");
        let ran = with(&["endpoints", "--limit", "1"], place).expect(0);
        assert!(ran.out.lines().count() == 2 && ran.err.contains("1 of 4 endpoints"), "{ran:?}");
    }
    with(&["endpoints", "--limit", "1001"], &places.all()[0]).expect(2);
    with(&["endpoints", "status:many"], &places.all()[0]).expect(2);
}

#[test]
fn the_doctor_finds_a_sound_directory_sound_and_damage_where_it_is() {
    let places = Places::new();
    run(&[&"doctor", &"--data", &places.data()]).expect(0);
    let (segmented, segment) = compacted(places.folder.path());
    run(&[&"doctor", &"--data", &segmented]).expect(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let ill = run(&[&"doctor", &"--data", &segmented]).expect(1);
    let name = segment.file_stem().unwrap().to_str().unwrap();
    assert!((ill.out.clone() + &ill.err).contains(name), "{ill:?}");
    let nowhere = run(&[&"doctor", &"--data", &places.folder.path().join("nowhere")]).expect(1);
    assert!(nowhere.err.contains("nowhere"), "{nowhere:?}");
    assert!(!places.folder.path().join("nowhere").exists(), "looking makes nothing");
    let other = places.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("catalog.db"), "no database of reqlog").unwrap();
    run(&[&"doctor", &"--data", &other]).expect(1);
}

/// A directory with so many rows that they were compacted, and a segment of it.
fn compacted(folder: &Path) -> (PathBuf, PathBuf) {
    let data = folder.join("compacted");
    let server = Server::start(&data);
    let admin = server.admin();
    admin.post("/api/v1/ingest?import=1&project=p", ROWS.repeat(4_000)).expect(200);
    // compaction runs in the background
    while admin.get("/metrics").expect(200).text().lines().any(|line| line == "reqlog_segments 0") {
        thread::yield_now();
    }
    server.stop();
    let mut segments: Vec<PathBuf> =
        std::fs::read_dir(data.join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    (data, segments.pop().unwrap())
}

#[test]
fn wrong_usage_is_2_and_says_what_is_wrong() {
    let places = Places::new();
    let data = places.data();
    let data = data.to_str().unwrap();
    for (words, says) in [
        (&["nothing"][..], "nothing"),
        (&[], "Usage"),
        (&["query", "--limit", "many"], "many"),
        (&["query", "--format", "yaml"], "yaml"),
        (&["query", "--sort", "colour"], "colour"),
        (&["query", "status:abc", "--data", data], "abc"),
        (&["query", "(status:200", "--data", data], "^"),
        (&["expect", "path:/a", "--count", "many", "--data", data], "many"),
        (&["expect", "path:/a", "--within", "soon", "--data", data], "soon"),
        (&["expect"], "QUERY"),
        (&["import"], "FILE"),
        (&["import", "--format", "pdf", "-"], "ndjson"),
        (&["query", "--data", data, "--url", "http://h"], "--url"),
        (&["query", "--url", "ftp://h"], "ftp://h"),
        (&["keys", "create", "--role", "owner", "--data", data], "owner"),
        (&["--config", "/nonexistent/reqlog.toml", "query"], "reqlog.toml"),
    ] {
        let ended = with(words, &[]).expect(2);
        assert!(ended.err.contains(says) && ended.out.is_empty(), "{words:?}: {ended:?}");
    }
    for words in [&["--help"][..], &["--version"], &["query", "--help"], &["help", "serve"]] {
        let ended = with(words, &[]).expect(0);
        assert!(!ended.out.is_empty() && ended.err.is_empty(), "{ended:?}");
    }
}

#[test]
fn a_failure_is_1_and_says_what_to_do() {
    let places = Places::new();
    let nowhere = places.folder.path().join("nowhere");
    let missing = run(&[&"query", &"--data", &nowhere]).expect(1);
    assert!(missing.err.contains("nowhere") && missing.err.contains("does not exist"), "{missing:?}");
    let file = run(&[&"query", &"", &nowhere]).expect(1);
    assert!(file.err.contains("nowhere"), "{file:?}");
    let file = run(&[&"import", &"--data", &nowhere, &places.folder.path().join("no-such-file")]).expect(1);
    assert!(file.err.contains("no-such-file"), "{file:?}");
    assert!(!nowhere.exists(), "nothing is made for a file that is not there");
    // nobody listens on port 1
    let refused = run(&[&"query", &"--url", &"http://127.0.0.1:1", &"--key", &"k"]).expect(1);
    assert!(refused.err.contains("127.0.0.1:1"), "{refused:?}");
    let key = run(&[&"query", &"--url", &places.server.url, &"--key", &"wrong"]).expect(1);
    assert!(key.err.to_lowercase().contains("key"), "{key:?}");
    let none = run(&[&"query", &"--url", &places.server.url]).expect(1);
    assert!(none.err.to_lowercase().contains("key"), "{none:?}");
    let scope = run(&[&"export", &"--data", &places.data(), &"-o", &places.folder.path().join("a/b/c")]).expect(1);
    assert!(scope.err.contains("a/b/c"), "{scope:?}");
}

#[test]
fn a_directory_has_one_process() {
    let places = Places::new();
    let second = run(&[&"serve", &"--listen", &"127.0.0.1:0", &"--data", &places.server.data]).expect(1);
    let named = second.err.contains(places.server.data.to_str().unwrap());
    assert!(named && second.err.contains(&places.server.url), "{second:?}");
    // every other command goes through the server
    let through = run(&[&"query", &"status:5xx", &"--json", &"--data", &places.server.data]).expect(0);
    assert_eq!(paths(&through.out), ["/v1/letters"]);
    let doctor = run(&[&"doctor", &"--data", &places.server.data]);
    assert!(doctor.code != 0 && doctor.err.contains("serve"), "{doctor:?}");

    // held by something that leaves no address behind
    std::fs::remove_file(places.server.data.join("run.json")).unwrap();
    let locked = run(&[&"query", &"--data", &places.server.data]).expect(1);
    assert!(locked.err.contains("in use by another process"), "{locked:?}");
    places.server.admin().get("/readyz").expect(200);
}

#[test]
fn a_directory_of_another_version_is_left_as_it_is() {
    let places = Places::new();
    let catalog = places.data().join("catalog.db");
    let database = rusqlite::Connection::open(&catalog).unwrap();
    database.pragma_update(None, "user_version", 9_999).unwrap();
    database.close().unwrap();
    let before = std::fs::read(&catalog).unwrap();
    for words in [&["query"][..], &["serve", "--listen", "127.0.0.1:0"], &["doctor"], &["export"], &["keys", "list"]] {
        let refused = with(words, &["--data".to_owned(), places.data().to_str().unwrap().to_owned()]).expect(1);
        assert!(refused.err.contains("9999") && refused.err.contains("nothing was changed"), "{words:?}: {refused:?}");
    }
    assert_eq!(std::fs::read(&catalog).unwrap(), before);
}

#[test]
fn a_fresh_directory_gets_one_admin_key_which_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serve = || {
        let mut command = reqlog();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        Server::spawn(command, &data)
    };
    let server = serve();
    let key = server.told("admin key: ");
    assert!(key.len() >= 43, "256 bits need as many characters: {key}");
    server.stranger().with_key(&key).get("/api/v1/keys").expect(200);
    server.stop();
    let server = serve();
    server.stranger().with_key(&key).get("/api/v1/keys").expect(200);
    let said = server.stop();
    assert!(!said.contains("admin key"), "{said}");
}

#[test]
fn a_server_over_files_keeps_nothing() {
    let places = Places::new();
    let mut command = reqlog();
    command.args(["serve", "--listen", "127.0.0.1:0"]).arg(places.file()).env("REQLOG_ADMIN_KEY", ADMIN);
    command.current_dir(places.folder.path());
    let before = std::fs::read_dir(places.folder.path()).unwrap().count();
    let server = Server::spawn(command, places.folder.path());
    // it answers while it reads, so the first answer may come before the first row
    let page = server.admin().json("/api/v1/logs?q=status%3A5xx&sort=arrival&dir=asc&wait=30s");
    assert_eq!((page["items"].as_array().map(Vec::len), &page["items"][0]["path"]), (Some(1), &json!("/v1/letters")));
    server.stop();
    assert_eq!(std::fs::read_dir(places.folder.path()).unwrap().count(), before);
    assert_eq!(std::fs::read_to_string(places.file()).unwrap(), ROWS);
}

#[test]
fn a_stopped_server_has_answered_what_it_had_begun() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let admin = server.admin();
    admin.post("/api/v1/ingest?project=p", ROWS).expect(200);
    let waiting = {
        let admin = admin.clone();
        thread::spawn(move || admin.get("/api/v1/logs?q=path%3A%2Fnever&wait=30s&sort=arrival&dir=asc").status)
    };
    // once it waits, the server answers two requests at a time
    while metric(&server.admin(), "reqlog_http_requests_in_flight") < 2 {
        assert!(!waiting.is_finished(), "it does not wait");
        thread::yield_now();
    }
    let began = std::time::Instant::now();
    server.stop();
    assert_eq!(waiting.join().unwrap(), 200);
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    let rows = run(&[&"query", &"--data", &folder.path(), &"--json"]).expect(0);
    assert_eq!(rows.out.lines().count(), 5);
}

#[test]
fn settings_come_from_flags_then_environment_then_file() {
    let places = Places::new();
    let count = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    let query = || {
        let mut command = reqlog();
        command.args(["query", "--json"]).current_dir(places.folder.path());
        command
    };
    let empty = places.folder.path().join("empty");
    run_with(b"", &[&"import", &"--data", &empty, &"-"]).expect(0);
    std::fs::write(places.folder.path().join("reqlog.toml"), "data = \"data\"\n").unwrap();
    assert_eq!(count(&mut query()), 5);
    assert_eq!(count(query().env("REQLOG_DATA", "empty")), 0);
    assert_eq!(count(query().args(["--data", "data"]).env("REQLOG_DATA", "empty")), 5);
    assert_eq!(count(query().env("REQLOG_URL", &places.server.url).env("REQLOG_KEY", ADMIN)), 5);
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let places = Places::new();
    let mut big = String::new();
    for _ in 0..4000 {
        big += ROWS;
    }
    std::fs::write(places.folder.path().join("big.ndjson"), &big).unwrap();
    let mut child = reqlog()
        .args(["query", "", "--all", "--json"])
        .arg(places.folder.path().join("big.ndjson"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
