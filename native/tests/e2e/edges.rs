//! What stands around every answer: compression, entity tags, other origins.

use crate::server::{ADMIN, Server, reqlog};
use http::Method;
use reqlog_core::id::EntryId;

#[test]
fn a_compressed_answer_has_a_weak_tag_which_is_known_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let client = server.admin();
    let row = format!("{{\"kind\":\"exchange\",\"method\":\"GET\",\"path\":\"/{}\"}}\n", "long".repeat(200));
    client.post("/api/v1/ingest?project=p", &row).expect(200);
    let id = client.json("/api/v1/logs")["items"][0]["id"].as_str().unwrap().to_owned();
    let uuid = EntryId::from_text(&id).unwrap().to_uuid();
    for path in [format!("/api/v1/logs/{id}"), format!("/v1/logs/{uuid}")] {
        let get = |fields: &[(&str, &str)]| client.send(&Method::GET, &path, fields, b"");
        let plain = get(&[("accept-encoding", "identity")]).expect(200);
        let strong = plain.header("etag").unwrap().to_owned();
        assert!(strong.starts_with('"') && plain.header("content-encoding").is_none(), "{strong}");
        for coding in ["gzip", "zstd", "br"] {
            let coded = get(&[("accept-encoding", coding)]).expect(200);
            assert_eq!(coded.header("content-encoding"), Some(coding));
            assert_eq!(coded.header("etag"), Some(format!("W/{strong}").as_str()));
        }
        get(&[("if-none-match", &format!("W/{strong}"))]).expect(304);
    }
}

#[test]
fn pages_of_listed_origins_may_call_and_no_others() {
    let data = tempfile::tempdir().unwrap();
    let mut command = reqlog();
    command.args(["serve", "--listen", "127.0.0.1:0", "--origins", "https://ui.example.test", "--data"]);
    command.arg(data.path()).env("REQLOG_ADMIN_KEY", ADMIN);
    let server = Server::spawn(command, data.path());
    for (origin, allowed) in [("https://ui.example.test", true), ("https://other.example.test", false)] {
        for path in ["/logs", "/v1/logs", "/_logs", "/api/v1/logs", "/v2.1/projects/abcdefghijklmnopqrstuvwx/logs"] {
            let fields = [("origin", origin), ("access-control-request-method", "GET")];
            let preflight = server.stranger().send(&Method::OPTIONS, path, &fields, b"").expect(204);
            assert_eq!(preflight.header("access-control-allow-origin"), allowed.then_some(origin), "{path}");
            assert_eq!(preflight.header("access-control-allow-methods").is_some(), allowed, "{path}");
        }
        let answer = server.admin().send(&Method::GET, "/v1/logs", &[("origin", origin)], b"").expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin));
    }
}
