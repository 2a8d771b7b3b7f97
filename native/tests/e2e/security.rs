//! Who may see what: no key, another project's key, a key of a lesser role.

use crate::client::{Answer, Client, escaped};
use crate::server::{ADMIN, Server};
use http::Method;
use reqlog_core::id::EntryId;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Every route that is not public.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/metrics"),
    ("GET", "/api/v1/logs"),
    ("DELETE", "/api/v1/logs?q="),
    ("GET", "/api/v1/logs/{id}"),
    ("GET", "/api/v1/logs/{id}/body?side=response"),
    ("GET", "/api/v1/logs/{id}/export?as=curl"),
    ("GET", "/api/v1/logs/log_{id}/body?side=response"),
    ("GET", "/logs/log_{id}/body?side=response"),
    ("GET", "/sessions/s/logs?project=alpha"),
    ("GET", "/api/v1/sessions/s/logs?project=alpha"),
    ("GET", "/v1/logs"),
    ("GET", "/v1/logs/{uuid}"),
    ("GET", "/_logs"),
    ("GET", "/api/proxy-logs/_logs"),
    ("GET", "/logs"),
    ("GET", "/v2.1/projects/8ed3f6ad685b959ead702251/logs"),
    ("GET", "/v2.0/projects/8ed3f6ad685b959ead702251/logs/tail"),
    ("GET", "/new/v2.1/projects/8ed3f6ad685b959ead702251/logs/{entry}"),
    ("GET", "/api/v1/logs/{id}?context=5"),
    ("GET", "/api/v1/stats"),
    ("GET", "/api/v1/histogram"),
    ("GET", "/api/v1/facets"),
    ("GET", "/api/v1/endpoints"),
    ("GET", "/api/v1/export"),
    ("POST", "/api/v1/ingest"),
    ("GET", "/api/v1/projects"),
    ("POST", "/api/v1/projects"),
    ("DELETE", "/api/v1/projects/alpha"),
    ("GET", "/api/v1/keys"),
    ("POST", "/api/v1/keys"),
    ("DELETE", "/api/v1/keys/1"),
];

/// A server with three rows of each of two projects, and what each project's rows are called.
pub struct Setting {
    pub server: Server,
    pub admin: Client,
    pub alpha: Vec<Value>,
    pub beta: Vec<Value>,
    _data: tempfile::TempDir,
}

impl Setting {
    pub fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path());
        let admin = server.admin();
        let rows = |project: &str| {
            let rows = (1..=3).map(|n| {
                json!({"kind": "exchange", "project": project, "environment": format!("{project}-prod"), "session": "s",
                    "service": format!("{project}-api"), "method": "GET", "path": format!("/{project}/{n}"), "status": 200,
                    "message": format!("word-of-{project}"),
                    "response": {"body": {"size": 9, "content_type": "text/plain", "text": format!("{project}-body")}}})
                .to_string()
                    + "\n"
            });
            let report = admin.post("/api/v1/ingest", rows.collect::<String>()).expect(200).json();
            assert_eq!(report["accepted"], 3, "{report}");
            admin.json(&format!("/api/v1/logs?project={project}"))["items"].as_array().unwrap().clone()
        };
        let (alpha, beta) = (rows("alpha"), rows("beta"));
        Self { server, admin, alpha, beta, _data: data }
    }

    pub fn key(&self, role: &str, project: Option<&str>) -> Client {
        self.admin.with_key(&self.admin.make_key(&json!({"name": "k", "role": role, "project": project})).1)
    }

    /// Everything of beta is still there.
    #[track_caller]
    fn beta_is_whole(&self) {
        assert_eq!(self.admin.json("/api/v1/logs?project=beta")["items"].as_array().unwrap(), &self.beta);
    }
}

/// A route with the ids of a row in it.
fn filled(path: &str, row: &Value) -> String {
    let entry = EntryId::from_text(id(row)).unwrap();
    path.replace("{id}", id(row)).replace("{uuid}", &entry.to_uuid()).replace("{entry}", &entry.to_cognigy())
}

pub fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

#[test]
fn nothing_but_the_public_routes_answers_without_a_key() {
    let setting = Setting::new();
    let stranger = setting.server.stranger();
    for path in ["/", "/healthz", "/readyz"] {
        stranger.get(path).expect(200);
        stranger.send(&Method::HEAD, path, &[], b"").expect(200);
    }
    let basic = "Basic dXNlcjp3cm9uZw==";
    let wrong: [&[(&str, &str)]; 8] = [
        &[],
        &[("authorization", "Bearer wrong")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Token wrong")],
        &[("authorization", "ApiKey wrong")],
        &[("authorization", basic)],
        &[("x-api-key", "wrong")],
        &[("cookie", "key=admin-key-of-the-end-to-end-tests")],
    ];
    for (method, path) in ROUTES {
        let path = filled(path, &setting.alpha[0]);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for headers in wrong {
            let answer = stranger.send(&method, &path, headers, b"").expect(401);
            assert!(answer.header("www-authenticate").is_some(), "{method} {path}");
            assert!(!answer.text().contains("alpha"), "{method} {path}: {}", answer.text());
        }
        // a key in the address is none: addresses are logged
        let sign = if path.contains('?') { '&' } else { '?' };
        let documented = path.contains("/v2.0/");
        let named = format!("{path}{sign}key={ADMIN}{}", if documented { "" } else { "&api_key=" });
        stranger.send(&method, &named.replace("api_key=", &format!("api_key={ADMIN}")), &[], b"").expect(401);
        if method == Method::GET {
            stranger.send(&Method::HEAD, &path, &[], b"").expect(401);
        }
        let options = stranger.send(&Method::OPTIONS, &path, &[], b"").expect(204);
        assert!(options.header("allow").unwrap().contains(method.as_str()), "{method} {path}");
    }
    for path in ["/api/v1/nothing", "/api", "/metrics/", "/api/v1/logs/x/y/z"] {
        assert!([401, 404].contains(&stranger.get(path).status), "{path}");
    }
    setting.beta_is_whole();
}

#[test]
fn a_key_is_accepted_in_every_documented_place() {
    let setting = Setting::new();
    let stranger = setting.server.stranger();
    let bearer = format!("Bearer {ADMIN}");
    let token = format!("Token {ADMIN}");
    let api_key = format!("ApiKey {ADMIN}");
    // user:admin-key-of-the-end-to-end-tests
    let basic = "Basic dXNlcjphZG1pbi1rZXktb2YtdGhlLWVuZC10by1lbmQtdGVzdHM=";
    for field in [
        ("authorization", bearer.as_str()),
        ("authorization", &token),
        ("authorization", &api_key),
        ("authorization", basic),
        ("x-api-key", ADMIN),
    ] {
        stranger.send(&Method::GET, "/api/v1/logs", &[field], b"").expect(200);
    }
}

#[test]
fn a_projects_key_sees_nothing_of_another_project() {
    let setting = Setting::new();
    let reader = setting.key("read", Some("alpha"));
    let nothing_of_beta = |answer: Answer| {
        let text = answer.text();
        let fields = format!("{:?}", answer.headers);
        assert!(!text.contains("beta") && !fields.contains("beta"), "{fields} {text}");
        answer
    };

    // lists
    for sort in ["time", "duration", "status", "size", "arrival"] {
        let page = nothing_of_beta(reader.get(&format!("/api/v1/logs?sort={sort}&total=exact")).expect(200)).json();
        assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (3, &json!(3)));
    }
    // searches that would match; counts
    for q in [
        "project:beta",
        "word-of-beta",
        "path:/beta/*",
        "service:beta-api OR project:beta",
        "-project:alpha",
        "res.body:beta",
    ] {
        let q = escaped(q);
        let page = reader.json(&format!("/api/v1/logs?q={q}&total=exact"));
        assert_eq!((&page["items"], &page["total"]), (&json!([]), &json!(0)), "{q}");
        for aggregate in ["stats", "histogram", "facets", "endpoints"] {
            assert_eq!(reader.json(&format!("/api/v1/{aggregate}?q={q}"))["total"], 0, "{aggregate} {q}");
        }
        assert_eq!(reader.get(&format!("/api/v1/export?q={q}")).expect(200).text(), "", "{q}");
    }
    let stats = nothing_of_beta(reader.get("/api/v1/stats").expect(200)).json();
    assert_eq!((&stats["total"], &stats["project"]), (&json!(3), &json!({"alpha": 3})));
    for aggregate in ["histogram", "facets?fields=project,path,service,session,message&top=1000", "endpoints"] {
        let answer = nothing_of_beta(reader.get(&format!("/api/v1/{aggregate}")).expect(200)).json();
        assert_eq!(answer["total"], 3, "{aggregate}");
    }
    for row in &setting.alpha {
        let path = format!("/api/v1/logs/{}?context=100", id(row));
        let context = nothing_of_beta(reader.get(&path).expect(200)).json();
        let count = |side: &str| context["context"][side].as_array().unwrap().len();
        assert_eq!(count("before") + count("after"), 2, "{context}");
    }
    for format in ["ndjson", "json", "csv", "har"] {
        let export = nothing_of_beta(reader.get(&format!("/api/v1/export?format={format}")).expect(200));
        assert!(export.text().contains("alpha-body"), "{format}: {}", export.text());
    }
    nothing_of_beta(reader.get("/api/v1/projects").expect(200));
    nothing_of_beta(reader.get("/api/v1/sessions/s/logs").expect(200));

    // by name: refused in the same way whether or not it exists
    for path in [
        "/api/v1/logs",
        "/api/v1/stats",
        "/api/v1/histogram",
        "/api/v1/facets",
        "/api/v1/endpoints",
        "/api/v1/export",
        "/sessions/s/logs",
        "/api/v1/sessions/s/logs",
    ] {
        let real = reader.get(&format!("{path}?project=beta")).expect(403).text();
        let invented = reader.get(&format!("{path}?project=zeta")).expect(403).text();
        assert_eq!(real.replace("beta", "zeta"), invented, "{path}");
    }

    // by id: not found, in the same words as one that never was
    let never = "00000000000000000000";
    for row in &setting.beta {
        for path in [
            "/api/v1/logs/{id}",
            "/api/v1/logs/{id}?context=2",
            "/api/v1/logs/{id}/body?side=response",
            "/api/v1/logs/{id}/export?as=curl",
            "/api/v1/logs/{id}/export?as=har",
            "/api/v1/logs/log_{id}/body?side=response",
            "/logs/log_{id}/body?side=response",
        ] {
            setting.admin.get(&path.replace("{id}", id(row))).expect(200);
            let real = reader.get(&path.replace("{id}", id(row))).expect(404).text();
            let invented = reader.get(&path.replace("{id}", never)).expect(404).text();
            assert_eq!(real, invented, "{path}");
        }
    }
    reader.get(&format!("/api/v1/logs/{}/body?side=response", id(&setting.alpha[0]))).expect(200);
    setting.beta_is_whole();
}

#[test]
fn a_cursor_opens_nothing_that_its_bearer_may_not_see() {
    let setting = Setting::new();
    let (alpha, beta) = (setting.key("read", Some("alpha")), setting.key("read", Some("beta")));
    let next = |client: &Client, parameters: &str| {
        escaped(client.json(&format!("/api/v1/logs?limit=1{parameters}"))["next"].as_str().unwrap())
    };
    let foreign = [
        next(&setting.admin, ""),
        next(&setting.admin, "&project=beta"),
        next(&setting.admin, "&q=project%3Abeta"),
        next(&beta, ""),
    ];
    for cursor in &foreign {
        for parameters in ["", "&project=alpha", "&q=project%3Abeta"] {
            alpha.get(&format!("/api/v1/logs?limit=1{parameters}&cursor={cursor}")).expect(400);
        }
        alpha.get(&format!("/api/v1/export?cursor={cursor}")).expect(400);
    }
    let export = setting.admin.get("/api/v1/export").expect(200);
    let resume = format!("{}.{}", export.header("x-reqlog-cursor").unwrap(), id(&setting.beta[0]));
    alpha.get(&format!("/api/v1/export?cursor={}", escaped(&resume))).expect(400);

    // its own, for its own walk only
    let own = next(&alpha, "");
    alpha.get(&format!("/api/v1/logs?limit=2&cursor={own}")).expect(200);
    for other in ["&sort=status", "&dir=asc", "&q=status%3A200", "&q=status%3A200&sort=status"] {
        alpha.get(&format!("/api/v1/logs?cursor={own}{other}")).expect(400);
    }
    // every other spelling of it
    let text = own.as_str();
    for at in 0..text.len() {
        for with in ["", "A", "-", "a"] {
            let mut forged = text.to_owned();
            forged.replace_range(at..=at, with);
            if forged != text {
                alpha.get(&format!("/api/v1/logs?cursor={forged}")).expect(400);
            }
        }
    }

    // FlowMock's cursors are places, not rights: another project's id shows only its bearer's rows
    let place = format!("log_{}", id(&setting.beta[0]));
    for side in ["before", "since"] {
        let answer = alpha.get(&format!("/sessions/s/logs?{side}={place}"));
        assert!([200, 422].contains(&answer.status), "{}", answer.text());
        assert!(!answer.text().contains("/beta/"), "{}", answer.text());
    }
}

#[test]
fn a_projects_key_changes_nothing_of_another_project() {
    let setting = Setting::new();
    let admin = setting.key("admin", Some("alpha"));
    let ingest = setting.key("ingest", Some("alpha"));
    let (beta_key, _) = setting.admin.make_key(&json!({"name": "of beta", "role": "read", "project": "beta"}));
    let (wide_key, _) = setting.admin.make_key(&json!({"name": "of all", "role": "read"}));

    // deletion
    admin.delete("/api/v1/logs?project=beta").expect(403);
    admin.delete("/api/v1/logs?project=beta&q=").expect(403);
    assert_eq!(admin.delete("/api/v1/logs?q=project%3Abeta").expect(200).json()["deleted"], 0);
    assert_eq!(admin.delete("/api/v1/logs?q=-project%3Aalpha").expect(200).json()["deleted"], 0);
    setting.beta_is_whole();
    let refused = admin.delete("/api/v1/projects/beta");
    assert!([403, 404].contains(&refused.status), "{}", refused.text());
    setting.beta_is_whole();

    // keys
    let keys = admin.get("/api/v1/keys").expect(200).text();
    assert!(!keys.contains("of beta") && !keys.contains("of all"), "{keys}");
    for key in [beta_key, wide_key, 1] {
        let real = admin.delete(&format!("/api/v1/keys/{key}"));
        let invented = admin.delete("/api/v1/keys/999999");
        assert!([403, 404].contains(&real.status), "{}", real.text());
        assert_eq!((real.status, real.text()), (invented.status, invented.text()));
    }
    admin.post("/api/v1/keys", json!({"name": "x", "role": "read", "project": "beta"}).to_string()).expect(403);
    let wide = admin.post("/api/v1/keys", json!({"name": "x", "role": "admin"}).to_string());
    if wide.status == 201 {
        assert_eq!(wide.json()["project"], "alpha", "a key is at most as wide as its maker");
    } else {
        wide.expect(403);
    }
    // what concerns the whole store
    admin.get("/metrics").expect(403);
    admin.post("/api/v1/projects", json!({"name": "gamma"}).to_string()).expect(403);

    // ingestion
    ingest.post("/api/v1/ingest?project=beta", "{\"path\":\"/x\"}\n").expect(403);
    let headers = [("x-reqlog-project", "beta")];
    ingest.send(&Method::POST, "/api/v1/ingest", &headers, b"{\"path\":\"/x\"}\n").expect(403);
    let mixed = "{\"path\":\"/mine\"}\n{\"path\":\"/theirs\",\"project\":\"beta\"}\n";
    let report = ingest.post("/api/v1/ingest", mixed).expect(207).json();
    assert_eq!((&report["accepted"], &report["rejected"]), (&json!(1), &json!(1)), "{report}");
    ingest.post("/api/v1/ingest?import=1", "{\"path\":\"/theirs\",\"project\":\"beta\"}\n").expect(422);
    setting.beta_is_whole();
    assert_eq!(setting.admin.json("/api/v1/logs?project=alpha&total=exact")["total"], 4);
}

#[test]
fn a_role_allows_what_it_says() {
    let setting = Setting::new();
    let (read, ingest) = (setting.key("read", None), setting.key("ingest", None));
    for (method, path) in ROUTES {
        let path = filled(path, &setting.alpha[0]);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let takes = path.ends_with("/ingest");
        let reads = method == Method::GET && !path.ends_with("/keys") && path != "/metrics";
        let body: &[u8] = if takes { b"{\"path\":\"/x\"}\n" } else { b"" };
        let expected = |allowed: bool| if allowed { 200 } else { 403 };
        read.send(&method, &path, &[], body).expect(expected(reads));
        ingest.send(&method, &path, &[], body).expect(expected(takes));
    }
    setting.beta_is_whole();
}

#[test]
fn a_key_ends_when_revoked_expired_or_its_project_is_gone() {
    let setting = Setting::new();
    let (number, secret) = setting.admin.make_key(&json!({"name": "k", "role": "read"}));
    let key = setting.admin.with_key(&secret);
    key.get("/api/v1/logs").expect(200);
    setting.admin.delete(&format!("/api/v1/keys/{number}")).expect(204);
    key.get("/api/v1/logs").expect(401);
    setting.admin.delete(&format!("/api/v1/keys/{number}")).expect(404);

    let past = json!({"name": "k", "role": "read", "expires": "2001-01-01T00:00:00Z"}).to_string();
    setting.admin.post("/api/v1/keys", past).expect(400);
    let soon = moment(Duration::from_millis(400));
    let (_, secret) = setting.admin.make_key(&json!({"name": "k", "role": "read", "expires": soon}));
    let (key, began) = (setting.admin.with_key(&secret), Instant::now());
    while key.get("/api/v1/logs").status != 401 {
        assert!(began.elapsed() < Duration::from_secs(10), "a key outlives its end");
    }

    let of_beta = setting.key("read", Some("beta"));
    of_beta.get("/api/v1/logs").expect(200);
    setting.admin.delete("/api/v1/projects/beta").expect(204);
    of_beta.get("/api/v1/logs").expect(401);
    assert_eq!(setting.admin.json("/api/v1/logs?total=exact")["total"], 3);
}

/// RFC 3339 of so long from now.
fn moment(from_now: Duration) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap() + from_now;
    let now = i64::try_from(now.as_nanos()).unwrap();
    reqlog_core::timestamp::Timestamp::from_nanos(now).to_string()
}
