//! The web UI as the built command serves it: with its files, or, built without, with a page that says so.

use crate::server::Server;
use http::Method;

#[test]
fn the_root_is_the_ui_of_this_build_or_says_how_to_get_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let stranger = server.stranger();
    let document = stranger.get("/").expect(200);
    assert_eq!(document.header("content-type"), Some("text/html; charset=utf-8"));
    let Some(ui) = reqlog::ui::embedded().unwrap() else {
        assert!(document.text().contains("make ui"), "{}", document.text());
        stranger.get("/sw.js").expect(404);
        return;
    };
    let policy = document.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for path in ui.paths() {
        let answer = stranger.get(path).expect(200);
        let tag = answer.header("etag").unwrap().to_owned();
        assert!(answer.header("cache-control").is_some(), "{path}");
        let same = stranger.send(&Method::GET, path, &[("if-none-match", &tag)], b"").expect(304);
        assert!(same.body.is_empty(), "{path}");
        // compressed on its way, its bytes are others, and so is its tag
        let coded = stranger.send(&Method::GET, path, &[("accept-encoding", "gzip")], b"").expect(200);
        if coded.header("content-encoding").is_some() {
            assert_eq!(coded.header("etag"), Some(format!("W/{tag}").as_str()), "{path}");
        }
        stranger.send(&Method::HEAD, path, &[], b"").expect(200);
    }
}

#[test]
fn a_directory_that_is_served_below_a_path_is_found_by_commands() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = crate::server::reqlog();
    command.args(["serve", "--listen", "127.0.0.1:0", "--base-path", "/logs", "--data"]).arg(dir.path());
    let server = Server::spawn(command, dir.path());
    let line = br#"{"time":"2026-06-23T12:00:00Z","kind":"event","message":"found"}"#;
    crate::server::run_with(line, &[&"import", &"--data", &dir.path(), &"-"]).expect(0);
    let rows = crate::server::run(&[&"query", &"--format", &"ndjson", &"--data", &dir.path()]).expect(0);
    assert_eq!(rows.json()["message"], "found");
    assert_eq!(server.stranger().get("/logs").expect(308).header("location"), Some("/logs/"));
    server.stranger().get("/").expect(404);
}
