//! The `reqlog` command as a shell sees it: arguments in, exit code, stdout and stderr out.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const LOG: &str = "\
10.0.0.1 - - [17/May/2015:10:05:03 +0000] \"GET /v1/users HTTP/1.1\" 200 120 \"-\" \"curl/8\"\n\
10.0.0.1 - - [17/May/2015:10:05:04 +0000] \"POST /v1/payments HTTP/1.1\" 503 12 \"-\" \"curl/8\"\n\
not an access line\n\
10.0.0.2 - - [17/May/2015:10:05:05 +0000] \"GET /v1/users HTTP/1.1\" 404 9 \"-\" \"curl/8\"\n";

struct Shell {
    dir: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("access.log"), LOG).unwrap();
        Self { dir }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reqlog"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.out.lines().last().unwrap_or_default()).unwrap()
    }
}

/// A serving process, ended by SIGTERM when dropped.
struct Server {
    child: Child,
    url: String,
    key: String,
    _out: BufReader<ChildStdout>,
}

impl Server {
    fn start(shell: &Shell, data: &str) -> Self {
        let mut command = shell.command(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
        command.env("REQLOG_ADMIN_KEY", "an admin key of the test");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url, key: "an admin key of the test".into(), _out: out }
    }

    fn stop(mut self) -> Option<i32> {
        terminate(&self.child);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        terminate(&self.child);
        let _ = self.child.wait();
    }
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status();
}

#[test]
fn an_import_tells_the_truth_by_report_and_exit_code() {
    let shell = Shell::new();
    let ran = shell.run(&["import", "--data", "d", "--json", "access.log"]).expect(1);
    let report = ran.json();
    assert_eq!((report["accepted"].as_u64(), report["rejected"].as_u64()), (Some(3), Some(1)));
    assert_eq!(report["errors"][0]["line"], 3);
    shell.run(&["import", "--data", "e", "--lenient", "access.log"]).expect(0);
    shell.run(&["import", "--data", "f", "missing.log"]).expect(1);
    assert!(!shell.path("f").exists(), "nothing is made for a file that is not there");
    shell.run(&["import"]).expect(2);
    shell.run(&["import", "--format", "xml", "access.log"]).expect(2);
}

#[test]
fn a_file_imported_again_adds_only_what_it_has_grown_by() {
    let shell = Shell::new();
    let import = || {
        let report = shell.run(&["import", "--data", "d", "--json", "--lenient", "access.log"]).expect(0).json();
        (report["accepted"].as_u64(), report["duplicates"].as_u64())
    };
    assert_eq!(import(), (Some(3), Some(0)));
    assert_eq!(import(), (Some(0), Some(3)));
    // the first line again, at the end: a line of its own
    let first = LOG.split_inclusive('\n').next().unwrap();
    std::fs::write(shell.path("access.log"), format!("{LOG}{first}")).unwrap();
    let server = Server::start(&shell, "d");
    assert_eq!(import(), (Some(1), Some(3)));
    drop(server);
    shell.run(&["doctor", "--data", "d"]).expect(0);
}

#[test]
fn a_query_answers_the_same_over_files_a_directory_and_a_server() {
    let shell = Shell::new();
    shell.run(&["import", "--data", "d", "--lenient", "access.log"]).expect(0);
    let query = "status:>=400 path:/v1/*";
    let paths = |ran: Ran| -> Vec<String> {
        let row = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        ran.out.lines().map(|line| row(line)["path"].as_str().unwrap().to_owned()).collect()
    };
    let of_files = paths(shell.run(&["query", query, "access.log", "--json"]).expect(0));
    assert_eq!(of_files, ["/v1/users", "/v1/payments"]);
    assert_eq!(paths(shell.run(&["query", query, "--data", "d", "--json"]).expect(0)), of_files);
    let server = Server::start(&shell, "d");
    assert_eq!(paths(shell.run(&["query", query, "--data", "d", "--json"]).expect(0)), of_files);
    let by_url = ["query", query, "--url", &server.url, "--key", &server.key, "--json", "--asc"];
    assert_eq!(paths(shell.run(&by_url).expect(0)), ["/v1/payments", "/v1/users"]);
    let ran = shell.run(&["query", query, "--url", &server.url, "--key", "wrong"]).expect(1);
    assert!(ran.err.contains("valid key"), "{ran:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_query_that_is_wrong_is_a_usage_error_with_its_place() {
    let shell = Shell::new();
    let ran = shell.run(&["query", "status:many", "access.log"]).expect(2);
    assert!(ran.err.contains('^') && ran.out.is_empty(), "{ran:?}");
}

#[test]
fn what_is_piped_and_compressed_is_read() {
    let shell = Shell::new();
    let piped = |args: &[&str], bytes: &[u8]| -> Ran {
        let mut command = shell.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap().into()
    };
    let packed = zstd::encode_all(LOG.as_bytes(), 1).unwrap();
    let stats = piped(&["stats", "--json", "-"], &packed).expect(0).json();
    assert_eq!(stats["total"], 3);
    assert_eq!(stats["class"]["5xx"], 1);
    let report = piped(&["import", "--data", "d", "--lenient", "--json", "-"], &packed).expect(0).json();
    assert_eq!(report["accepted"], 3);
}

#[test]
fn an_expectation_is_met_by_what_arrives_or_explained() {
    let shell = Shell::new();
    let server = Server::start(&shell, "d");
    let waiting = {
        let mut command = shell.command(&["expect", "status:503", "--data", "d", "--within", "30s"]);
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    shell.run(&["import", "--data", "d", "--lenient", "access.log"]).expect(0);
    Ran::from(waiting.wait_with_output().unwrap()).expect(0);
    shell.run(&["expect", "path:/v1/*", "--count", "=3", "--data", "d"]).expect(0);
    shell.run(&["expect", "path:/v1/*", "--count", "<3", "--data", "d", "--within", "30s"]).expect(1);
    let ran = shell.run(&["expect", "status:500 method:POST", "--data", "d"]).expect(1);
    assert!(ran.err.contains("without status:500: 1") && ran.err.contains("/v1/payments"), "{ran:?}");
    drop(server);
    shell.run(&["expect", "status:503", "--data", "d"]).expect(0);
}

#[test]
fn projects_and_keys_are_administrated_with_and_without_a_server() {
    let shell = Shell::new();
    shell.run(&["projects", "create", "shop", "--environment", "live", "--data", "d"]).expect(0);
    let server = Server::start(&shell, "d");
    let secret = shell.run(&["keys", "create", "ci", "--role", "ingest", "--project", "shop", "--data", "d"]).expect(0);
    let secret = secret.out.trim();
    let import = |project: &str| {
        shell.run(&["import", "--url", &server.url, "--key", secret, "--project", project, "--lenient", "access.log"])
    };
    import("shop").expect(0);
    import("other").expect(1);
    shell.run(&["query", "--url", &server.url, "--key", secret]).expect(1);
    let list = shell.run(&["keys", "list", "--json", "--data", "d"]).expect(0).json();
    let id = list["items"].as_array().unwrap().iter().find(|key| key["name"] == "ci").unwrap()["id"].to_string();
    assert!(!list.to_string().contains(secret));
    shell.run(&["keys", "revoke", &id, "--data", "d"]).expect(0);
    import("shop").expect(1);
    drop(server);
    let projects = shell.run(&["projects", "--json", "--data", "d"]).expect(0).json();
    assert_eq!(projects["items"], serde_json::json!([{"name": "shop", "environments": ["live"]}]));
}

#[test]
fn an_export_can_be_imported_elsewhere() {
    let shell = Shell::new();
    shell.run(&["import", "--data", "d", "--lenient", "--project", "shop", "access.log"]).expect(0);
    shell.run(&["export", "--data", "d", "status:>=400", "-o", "out.ndjson"]).expect(0);
    let report = shell.run(&["import", "--data", "e", "--json", "out.ndjson"]).expect(0).json();
    assert_eq!(report["accepted"], 2);
    let of = |data: &str| shell.run(&["query", "status:>=400", "--data", data]).expect(0).out;
    assert_eq!(of("d"), of("e"));
}

#[test]
fn files_are_served_and_nothing_is_kept() {
    let shell = Shell::new();
    let mut command = shell.command(&["serve", "--listen", "127.0.0.1:0", "access.log"]);
    let scratch = shell.path("tmp");
    std::fs::create_dir(&scratch).unwrap();
    command.env("TMPDIR", &scratch).env("REQLOG_ADMIN_KEY", "k").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    let stats = shell.run(&["stats", "--json", "--url", url, "--key", "k"]).expect(0).json();
    assert_eq!(stats["total"], 3);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let shell = Shell::new();
    let ran = shell.run(&["query"]).expect(1);
    assert!(ran.err.contains("reqlog-data") && !Path::new(&shell.path("reqlog-data")).exists(), "{ran:?}");
    std::fs::write(shell.path("reqlog.toml"), "data = \"elsewhere\"\n").unwrap();
    assert!(shell.run(&["query"]).expect(1).err.contains("elsewhere"));
    std::fs::write(shell.path("reqlog.toml"), "date = \"elsewhere\"\n").unwrap();
    shell.run(&["query"]).expect(2);
}

#[test]
fn the_manual_and_completions_are_generated() {
    let shell = Shell::new();
    assert!(shell.run(&["man"]).expect(0).out.contains(".TH reqlog"));
    for name in ["bash", "zsh", "fish"] {
        assert!(shell.run(&["completions", name]).expect(0).out.contains("reqlog"));
    }
    shell.run(&["no-such-command"]).expect(2);
}
