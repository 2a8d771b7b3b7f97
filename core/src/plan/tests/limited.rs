//! Rate limits on plans.

use super::*;

#[test]
fn every_dialect_says_in_its_own_words_that_the_limit_is_reached() {
    let world = World::new();
    for (path, body) in [
        ("/sessions/s/logs?project=one", r#"{"error":"Too many requests; try again in 3 s.","code":"rate_limited"}"#),
        ("/v1/logs", r#"{"code":"too_many_requests","message":"Too many requests; try again in 3 s."}"#),
        ("/_logs", r#"{"statusCode":429,"error":"Too Many Requests","message":"Rate limit exceeded for log stream"}"#),
        ("/logs", r#"{"status":"error","message":"Too many requests; try again in 3 s."}"#),
        (
            "/v2.1/projects/abcdefghijklmnopqrstuvwx/logs?startDate=2026-01-01&endDate=2026-01-02",
            r#"{"type":"Too Many Requests","title":"Too Many Requests Error","status":429,"#,
        ),
        ("/api/v1/logs", r#"{"type":"urn:reqlog:problem:rate-limited","title":"Too many requests","status":429,"#),
    ] {
        let retry_after = Duration::from_millis(2_001);
        let answer = world.get("read", path).reply(Outcome::Failed(Failure::Limited { retry_after }));
        assert_eq!(answer.status(), 429, "{path}");
        assert_eq!(answer.headers()["retry-after"], "3", "{path}");
        let told = text(answer);
        assert!(told.starts_with(body), "{path}: {told}");
    }
}

#[test]
fn a_limited_request_is_charged_once_its_key_may_make_it() {
    let world = World::new();
    let cost = |key: &str, method: &str, path: &str| {
        let plan = world.plan(method, path, &[("authorization", &format!("Bearer {key}"))]);
        plan.charge().map(|charge| (charge.bucket, charge.cost))
    };
    let read = world.keyring.keys()[0].id;
    let flowmock = Some((BucketId::FlowMock { key: read }, 1));
    for path in ["/sessions/s/logs?project=one", "/api/v1/sessions/s/logs?limit=no", "/logs/log_x/body?side=request"] {
        assert_eq!(cost("read", "GET", path), flowmock, "{path}");
        assert_eq!([cost("admin", "GET", path), cost("ingest", "GET", path), cost("", "GET", path)], [None; 3]);
    }
    assert_eq!(cost("shop-read", "HEAD", "/sessions/s/logs").map(|(_, cost)| cost), Some(1));
    assert_ne!(cost("shop-read", "GET", "/sessions/s/logs"), flowmock, "each key has a bucket of its own");
    assert_eq!(cost("read", "GET", "/sessions/s"), None);
    assert_eq!(cost("read", "POST", "/sessions/s/logs"), None);
    let scrip = |cost| Some((BucketId::Scrip, cost));
    for path in ["/v1/logs", "/v1/logs?cursor=x", "/v1/logs/x"] {
        assert_eq!([cost("read", "GET", path), cost("shop-read", "GET", path)], [scrip(1); 2], "{path}");
        assert_eq!([cost("read", "OPTIONS", path), cost("ingest", "GET", path)], [scrip(0); 2], "{path}");
        assert_eq!([cost("admin", "GET", path), cost("", "GET", path)], [None; 2], "{path}");
    }
    for path in ["/logs", "/_logs", "/api/v1/logs", "/api/v1/logs/x/body?side=request", "/healthz"] {
        assert_eq!(cost("read", "GET", path), None, "{path}");
    }
}

#[test]
fn a_refused_request_runs_nothing_and_is_not_charged_again() {
    let world = World::new();
    let fields = [("authorization", "Bearer read"), ("origin", "https://ui.example")];
    let admit = |admission| {
        let verdict = Verdict { admission, remaining: 7, full_in: Duration::from_millis(1_500) };
        world.plan("GET", "/v1/logs", &fields).admit(verdict)
    };
    let refused = admit(Admission::Refused { retry_after: Duration::from_nanos(1) });
    assert!(matches!(refused.operation(), Operation::Nothing) && refused.charge().is_none());
    let answer = refused.reply(Outcome::Nothing);
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "1");
    let granted = admit(Admission::Granted);
    assert!(matches!(granted.operation(), Operation::Page { .. }) && granted.charge().is_none());
    let granted = granted.reply(Outcome::Failed(Failure::Internal));
    for answer in [answer, granted] {
        let told = ["limit", "remaining", "reset"].map(|name| answer.headers()[format!("x-ratelimit-{name}")].clone());
        assert_eq!(told, ["30", "7", "1800000002"]);
        let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_owned();
        assert!(["retry-after", "x-ratelimit-limit", "x-ratelimit-reset"].iter().all(|name| exposed.contains(name)));
    }
}
