use super::*;
use crate::auth::Keyring;
use crate::plan::{Context, Origins, Outcome, Projects, plan};
use crate::timestamp::Timestamp;
use http::Request;
use std::sync::Arc;

const TABLE: &str = r#"{"files": {
  "/": {"file": "index.html", "type": "text/html; charset=utf-8", "etag": "\"i1\"",
        "headers": {"cache-control": "no-cache", "content-security-policy": "default-src 'none'", "vary": "accept"}},
  "/sw.js": {"file": "sw.js", "type": "text/javascript; charset=utf-8", "etag": "\"s1\"", "headers": {"cache-control": "no-cache"}},
  "/assets/a-1.js": {"file": "assets/a-1.js", "type": "text/javascript; charset=utf-8", "etag": "\"a1\"",
        "headers": {"cache-control": "public, max-age=31536000, immutable"}}
}}"#;

fn content(name: &str) -> Option<Bytes> {
    let known = ["index.html", "sw.js", "assets/a-1.js"];
    known.contains(&name).then(|| Bytes::from(format!("content of {name}")))
}

fn settings(base_path: &str) -> Settings {
    let ui = Ui::read(TABLE, content).unwrap();
    Settings {
        base_path: base_path.to_owned(),
        origins: Origins::Listed(vec!["https://ui.example".into()]),
        ui: Some(Arc::new(ui)),
        ..Settings::default()
    }
}

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn ask(settings: &Settings, method: &str, target: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
    let (keyring, projects) = (Keyring::default(), Projects::default());
    let context = Context {
        keyring: &keyring,
        projects: &projects,
        head: None,
        now: Timestamp::from_millis(0),
        secret: &[0; 32],
        settings,
    };
    plan(&head(method, target, fields), &context).reply(Outcome::Nothing)
}

fn field<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn every_file_is_answered_without_a_key_and_with_its_own_fields() {
    for base in ["", "/logs"] {
        let settings = settings(base);
        for (path, name, cache) in [
            ("/", "index.html", "no-cache"),
            ("/sw.js", "sw.js", "no-cache"),
            ("/assets/a-1.js", "assets/a-1.js", "public, max-age=31536000, immutable"),
        ] {
            let target = format!("{base}{path}");
            let response = ask(&settings, "GET", &target, &[]);
            assert_eq!((response.status(), response.body()), (StatusCode::OK, &content(name).unwrap()), "{target}");
            assert_eq!(field(&response, "cache-control"), Some(cache));
            assert_eq!(field(&response, "x-content-type-options"), Some("nosniff"));
            let (length, tag) = (response.body().len().to_string(), field(&response, "etag").unwrap());
            let alone = ask(&settings, "HEAD", &target, &[]);
            assert_eq!(field(&alone, "content-length"), Some(length.as_str()));
            assert!(alone.body().is_empty());
            // also in the weak form in which a compressed one was sent
            for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}")] {
                let same = ask(&settings, "GET", &target, &[("if-none-match", &known)]);
                assert_eq!((same.status(), same.body().len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
                assert_eq!((field(&same, "etag"), field(&same, "cache-control")), (Some(tag), Some(cache)));
            }
            assert_eq!(ask(&settings, "GET", &target, &[("if-none-match", "\"x\"")]).status(), StatusCode::OK);
        }
        let document = ask(&settings, "GET", &format!("{base}/"), &[]);
        assert_eq!(field(&document, "content-security-policy"), Some("default-src 'none'"));
        let varies: Vec<_> = document.headers().get_all("vary").iter().collect();
        assert_eq!(varies, ["accept", "origin"]);
    }
}

#[test]
fn other_paths_and_methods_find_what_they_found_before() {
    let (settings, without) = (settings(""), Settings { ui: None, ..settings("") });
    for (method, path) in [
        ("GET", "/assets"),
        ("GET", "/assets/"),
        ("GET", "/assets/a-2.js"),
        ("GET", "/Sw.js"),
        ("GET", "/sw.js/"),
        ("GET", "//sw.js"),
        ("GET", "/%73w.js"),
        ("GET", "/index.html"),
        ("GET", "/assets/../sw.js"),
        ("POST", "/sw.js"),
        ("DELETE", "/sw.js"),
        ("OPTIONS", "/sw.js"),
        ("POST", "/"),
        ("OPTIONS", "/"),
        ("GET", "/healthz"),
        ("GET", "/docs"),
        ("GET", "/api/v1/logs"),
        ("GET", "/logs"),
    ] {
        let answers = [&settings, &without].map(|settings| {
            let response = ask(settings, method, path, &[]);
            (response.status(), response.headers().clone(), response.into_body())
        });
        assert_eq!(answers[0], answers[1], "{method} {path}");
        assert!(method != "GET" || path != "/index.html" || answers[0].0 == StatusCode::NOT_FOUND);
    }
}

#[test]
fn the_root_is_the_document_unless_json_alone_is_asked_for() {
    for settings in [settings(""), Settings { ui: None, ..settings("") }] {
        for (accept, json) in [
            ("", false),
            ("*/*", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("text/html, application/json", false),
            ("application/json", true),
            ("application/json, */*", true),
        ] {
            let response = ask(&settings, "GET", "/", &[("accept", accept)]);
            assert_eq!(response.status(), StatusCode::OK);
            let expected = if json { "application/json" } else { "text/html; charset=utf-8" };
            assert_eq!(field(&response, "content-type"), Some(expected), "{accept}");
        }
    }
}

#[test]
fn without_its_slash_the_document_below_a_base_path_is_a_redirect() {
    let settings = settings("/logs");
    let response = ask(&settings, "GET", "/logs", &[]);
    assert_eq!((response.status(), field(&response, "location")), (StatusCode::PERMANENT_REDIRECT, Some("/logs/")));
    let json = ask(&settings, "GET", "/logs", &[("accept", "application/json")]);
    assert_eq!(json.status(), StatusCode::OK);
    assert_eq!(ask(&settings, "GET", "/", &[]).status(), StatusCode::NOT_FOUND);
    assert_eq!(ask(&settings, "GET", "/sw.js", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_shell_that_serves_files_by_itself_is_told_which() {
    for base in ["", "/logs"] {
        let settings = Settings { ui: None, ..settings(base) };
        let file = |method, path: &str, fields: &[(&str, &str)]| {
            ui_file(&head(method, &format!("{base}{path}"), fields), &settings).map(str::to_owned)
        };
        assert_eq!(file("GET", "/", &[]).as_deref(), Some("index.html"));
        assert_eq!(file("HEAD", "/sw.js", &[]).as_deref(), Some("sw.js"));
        assert_eq!(file("GET", "/assets/a-1.js?x=1", &[]).as_deref(), Some("assets/a-1.js"));
        assert_eq!(file("GET", "/", &[("accept", "application/json")]), None);
        for path in
            ["/healthz", "/docs", "/openapi.json", "/metrics", "/logs", "/_logs/stream", "/v1/logs", "/api/v9/x"]
        {
            assert_eq!(file("GET", path, &[]), None, "{path}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            assert_eq!(file(method, "/sw.js", &[]), None, "{method}");
        }
    }
    // the document without its slash is the plan's, and so is what is not below the base path
    let below = Settings { ui: None, ..settings("/logs") };
    for path in ["/logs", "/", "/logsx", "/sw.js"] {
        assert_eq!(ui_file(&head("GET", path, &[]), &below), None, "{path}");
    }
}

#[test]
fn a_table_that_cannot_be_served_is_refused_with_what_is_wrong() {
    let with = |from: &str, to: &str| {
        assert!(TABLE.contains(from), "{from}");
        Ui::read(&TABLE.replacen(from, to, 1), content).unwrap_err()
    };
    assert_eq!(with("\"/\":", "\"/other\":"), UiError::NoIndex);
    assert_eq!(with("/sw.js", "sw.js"), UiError::Path("sw.js".into()));
    assert_eq!(with("/sw.js", "/s w.js"), UiError::Path("/s w.js".into()));
    for taken in ["/healthz", "/docs", "/logs", "/api/x", "/v1/logs/x", "/sessions/x", "/v2.1/x"] {
        assert_eq!(with("/sw.js", taken), UiError::Taken(taken.into()));
    }
    assert_eq!(with("\"file\": \"sw.js\"", "\"file\": \"no.js\""), UiError::Missing("no.js".into()));
    let wrong = |name: &str| UiError::Field { path: "/sw.js".into(), name: name.into() };
    assert_eq!(with("\"\\\"s1\\\"\"", "\"W/\\\"s1\\\"\""), wrong("etag"));
    assert_eq!(
        with("\"s1\\\"\", \"headers\": {\"cache-control\": \"no-cache\"}", "\"s1\\\"\", \"headers\": {\"a b\": \"\"}"),
        wrong("a b")
    );
    assert!(matches!(with("\"headers\": {\"cache-control\": \"no-cache\"}", "\"hdrs\": {}"), UiError::Table(_)));
    for error in [UiError::NoIndex, wrong("x"), UiError::Taken("/docs".into())] {
        assert!(error.to_string().starts_with("assets.json"), "{error}");
    }
}
