//! What must never reach the disk: keys of the store, and secrets in what it captures.

use crate::client::Client;
use crate::server::{ADMIN, Server, run_with};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Every file below a directory.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The files that hold these bytes.
fn holding(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        // a file may be replaced between the listing and now
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    };
    files(folder).into_iter().filter(holds).collect()
}

#[track_caller]
fn nowhere(folder: &Path, secret: &str) {
    assert_eq!(holding(folder, secret), Vec::<PathBuf>::new(), "{secret}");
}

#[test]
fn keys_are_kept_as_hashes_and_shown_once() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let admin = server.admin();
    let mut secrets = vec![ADMIN.to_owned()];
    for role in ["read", "ingest", "admin"] {
        secrets.push(admin.make_key(&json!({"name": "name-of-a-key", "role": role})).1);
    }
    let listed = admin.get("/api/v1/keys").expect(200).text();
    for secret in &secrets {
        assert!(secret.len() >= 32 && !listed.contains(secret));
        nowhere(data.path(), secret);
    }
    // the search finds what is there
    assert_ne!(holding(data.path(), "name-of-a-key"), Vec::<PathBuf>::new());
    let said = server.stop();
    for secret in &secrets {
        nowhere(data.path(), secret);
        assert!(!said.contains(secret), "given by the caller, or told over HTTP: {said}");
    }
    // with the process its own key is gone
    assert!(!data.path().join("run.json").exists());
    // and the hashes still open the store
    let server = Server::start(data.path());
    for secret in &secrets {
        assert_ne!(Client::new(&server.url, Some(secret)).get("/api/v1/projects").status, 401);
    }
}

#[test]
fn the_run_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let mode = std::fs::metadata(data.path().join("run.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
}

/// Secrets in every place that has one; long, so that they are hashed.
const SECRETS: [&str; 14] = [
    "hush-authorization-0001",
    "hush-proxy-authoriz-0002",
    "hush-cookie-value-0003",
    "hush-set-cookie-val-0004",
    "hush-x-api-key-valu-0005",
    "hush-x-auth-token-v-0006",
    "hush-query-token-va-0007",
    "hush-query-api-key-0008",
    "hush-json-password-0009",
    "hush-json-deep-secr-0010",
    "hush-form-password-0011",
    "hush-userinfo-passw-0012",
    "hush-response-token-0013",
    "hush-client-secret-0014",
];

fn exchange() -> String {
    let [
        authorization,
        proxy,
        cookie,
        set_cookie,
        api_key,
        auth_token,
        token,
        query_key,
        password,
        deep,
        form,
        userinfo,
        answer,
        client,
    ] = SECRETS;
    let posted = json!({"user": "visible-user", "password": password, "list": [{"deep": {"secret": deep}}], "next_token": "visible-next"});
    let rows = [
        json!({"kind": "exchange", "method": "POST", "path": "/login", "status": 200,
            "query": format!("visible=yes&token={token}&api_key={query_key}"),
            "request": {"headers": [
                ["authorization", format!("Bearer {authorization}")], ["proxy-authorization", format!("Basic {proxy}")],
                ["cookie", format!("sid={cookie}; visible-cookie-name={cookie}")], ["x-api-key", api_key], ["x-auth-token", auth_token],
                ["x-visible", "visible-header"], ["content-type", "application/json"]],
                "body": {"size": 200, "content_type": "application/json", "text": posted.to_string()}},
            "response": {"headers": [["set-cookie", format!("sid={set_cookie}; Path=/")], ["content-type", "application/json"]],
                "body": {"size": 60, "content_type": "application/json", "text": json!({"access_token": answer}).to_string()}}}),
        json!({"kind": "exchange", "method": "POST", "url": format!("https://user:{userinfo}@host.test/form?client_secret={client}"), "status": 200,
            "request": {"headers": [["content-type", "application/x-www-form-urlencoded"]],
                "body": {"size": 40, "content_type": "application/x-www-form-urlencoded", "text": format!("visible-form=1&password={form}")}}}),
    ];
    rows.map(|row| row.to_string() + "\n").concat()
}

fn har() -> String {
    let [authorization, _, cookie, set_cookie, _, _, token, _, password, ..] = SECRETS;
    let url = format!("https://host.test/login?token={token}&visible=yes");
    json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": [{
        "startedDateTime": "2026-01-01T00:00:00Z", "time": 1,
        "request": {"method": "POST", "url": url, "httpVersion": "HTTP/1.1",
            "queryString": [{"name": "token", "value": token}],
            "cookies": [{"name": "sid", "value": cookie}],
            "headers": [{"name": "Authorization", "value": format!("Bearer {authorization}")}, {"name": "Cookie", "value": format!("sid={cookie}")}],
            "postData": {"mimeType": "application/json", "text": json!({"password": password}).to_string()}},
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1",
            "cookies": [{"name": "sid", "value": set_cookie}],
            "headers": [{"name": "Set-Cookie", "value": format!("sid={set_cookie}")}],
            "content": {"size": 2, "mimeType": "text/plain", "text": "ok"}, "redirectURL": ""},
        "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0}}]}})
    .to_string()
}

#[test]
fn captured_secrets_reach_neither_the_disk_nor_a_reader() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let admin = server.admin();
    let access = format!(
        "192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET /a?token={}&visible=yes HTTP/1.1\" 200 5 \"http://h/?api_key={}\" \"agent\"\n",
        SECRETS[6], SECRETS[7]
    );
    let csv = format!(
        "time,method,path,query,status\n2026-01-01T00:00:00Z,GET,/csv,password={}&visible=yes,200\n",
        SECRETS[8]
    );
    for (format, body) in [("ndjson", exchange()), ("har", har()), ("access", access), ("csv", csv)] {
        for import in ["", "&import=1"] {
            let path = format!("/api/v1/ingest?project=p&format={format}{import}");
            let report = admin.post(&path, &body).expect(200).json();
            assert_eq!(report["rejected"], 0, "{report}");
        }
        // a command on a served directory, and one on a directory of its own
        let arguments: [&dyn AsRef<std::ffi::OsStr>; 6] =
            [&"import", &"--data", &data.path(), &"--session", &"cli", &"-"];
        run_with(body.as_bytes(), &arguments).expect(0);
    }

    let mut read = String::new();
    for format in ["ndjson", "json", "csv", "har"] {
        read += &admin.get(&format!("/api/v1/export?format={format}")).expect(200).text();
    }
    let list = admin.json("/api/v1/logs?limit=100");
    for row in list["items"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        for path in
            ["", "/body?side=request", "/body?side=response", "/export?as=curl", "/export?as=har", "/export?as=http"]
        {
            read += &admin.get(&format!("/api/v1/logs/{id}{path}")).text();
        }
        for side in ["request", "response"] {
            read += &admin.get(&format!("/logs/log_{id}/body?side={side}")).text();
        }
    }
    for visible in
        ["visible-user", "visible-next", "visible-header", "visible-form", "visible-cookie-name", "visible=yes"]
    {
        assert!(read.contains(visible), "{visible}");
    }
    assert!(read.contains("[redacted:"));
    for secret in SECRETS {
        assert!(!read.contains(secret), "{secret} in {}", around(&read, secret));
        nowhere(data.path(), secret);
        // nor can it be searched for
        let found = admin.json(&format!("/api/v1/logs?q={secret}&total=exact"));
        assert_eq!(found["total"], 0, "{secret}");
    }
    let said = server.stop();
    for secret in SECRETS {
        nowhere(data.path(), secret);
        assert!(!said.contains(secret), "{said}");
    }
}

fn around<'t>(text: &'t str, needle: &str) -> &'t str {
    let at = text.find(needle).unwrap_or(0);
    let from = (0..=at.saturating_sub(200)).rev().find(|from| text.is_char_boundary(*from)).unwrap_or(0);
    let to = (at + 100..=text.len()).find(|to| text.is_char_boundary(*to)).unwrap_or(text.len());
    &text[from..to]
}
