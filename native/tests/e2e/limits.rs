//! Rate limits as an operator sets them. What they mean is said by vectors, over a simulated clock.

use crate::server::{ADMIN, Server, reqlog};
use serde_json::json;
use std::path::Path;
use std::process::Command;

fn serve(data: &Path) -> Command {
    let mut command = reqlog();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).env("REQLOG_ADMIN_KEY", ADMIN);
    command
}

#[test]
fn limits_come_from_flags_the_environment_and_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // so slow that nothing comes back during the test, however long it takes
    std::fs::write(folder.path().join("reqlog.toml"), "flowmock-rate = \"3/1h\"\nscrip-rate = \"off\"\n").unwrap();
    let mut command = serve(&data);
    command.current_dir(folder.path()).args(["--scrip-rate", "2/1h,burst=4"]).env("REQLOG_FLOWMOCK_RATE", "2/1h");
    let server = Server::spawn(command, &data);
    let (_, key) = server.admin().make_key(&json!({"name": "reader", "role": "read", "project": "p"}));
    let reader = server.stranger().with_key(&key);
    for left in ["3", "2", "1", "0"] {
        let answer = reader.get("/v1/logs").expect(200);
        assert_eq!(
            (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")),
            (Some("4"), Some(left))
        );
    }
    let refused = reader.get("/v1/logs").expect(429);
    assert_eq!(refused.json()["code"], "too_many_requests");
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_800).contains(&after), "half an hour after the first at the latest: {after}");
    for status in [200, 200, 429] {
        reader.get("/sessions/s/logs").expect(status);
    }
    for _ in 0..5 {
        server.admin().get("/v1/logs").expect(200);
        server.admin().get("/sessions/s/logs?project=p").expect(200);
    }
}

#[test]
fn without_settings_they_are_those_of_the_contracts() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::spawn(serve(data.path()), data.path());
    let (_, key) = server.admin().make_key(&json!({"name": "reader", "role": "read"}));
    let answer = server.stranger().with_key(&key).get("/v1/logs").expect(200);
    assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), (Some("30"), Some("29")));
}

#[test]
fn what_is_no_limit_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for arguments in [["--scrip-rate", "fast"], ["--flowmock-rate", "120"], ["--streams-per-key", "many"]] {
        let output = serve(&data).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("'{}'", arguments[1])), "{told}");
        assert!(!data.exists());
    }
}
