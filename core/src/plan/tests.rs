//! The head of a request against its answer, without a store: routing, authorisation, parameters, refusals.

mod limited;

use super::*;
use crate::auth::{Key, KeyHash, Keyring, Role, Scope};
use crate::catalog::Expired;
use crate::id::EntryId;
use crate::limit::{Admission, BucketId, Verdict};
use crate::query::{Direction, Order, Page, Position, Query, Start, Stats, Total};
use crate::record::{Record, Stored};
use crate::timestamp::Timestamp;
use http::{HeaderValue, Request, StatusCode};
use proptest::prelude::*;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HEAD: u64 = 100;

struct World {
    keyring: Keyring,
    projects: Projects,
    settings: Settings,
    head: Option<EntryId>,
}

impl World {
    fn new() -> Self {
        let keys = ["read", "ingest", "admin"].into_iter().flat_map(|role| {
            [("", Scope::Organisation), ("shop-", Scope::Project("shop".into()))]
                .map(|(prefix, scope)| (format!("{prefix}{role}"), Role::parse(role).unwrap(), scope))
        });
        let keys = keys.zip(1..).map(|((name, role, scope), id)| Key {
            id,
            hash: KeyHash::of(&name),
            name,
            role,
            scope,
            created: NOW,
            expires: None,
        });
        let mut projects = Projects::default();
        projects.declare("shop", Some("prod"));
        projects.declare("shop", Some("test"));
        projects.declare("one", Some("only"));
        projects.declare("none", None);
        let settings = Settings { origins: Origins::Listed(vec!["https://ui.example".into()]), ..Settings::default() };
        Self { keyring: Keyring::new(keys.collect()), projects, settings, head: head(HEAD) }
    }

    fn context(&self) -> Context<'_> {
        Context {
            keyring: &self.keyring,
            projects: &self.projects,
            head: self.head,
            now: NOW,
            secret: &[3; 32],
            settings: &self.settings,
        }
    }

    fn plan(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Plan {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        plan(&request.body(()).unwrap().into_parts().0, &self.context())
    }

    /// The plan of a GET with this key.
    fn get(&self, key: &str, target: &str) -> Plan {
        self.plan("GET", target, &[("authorization", &format!("Bearer {key}"))])
    }

    fn page(&self, key: &str, target: &str) -> Query {
        match self.get(key, target).operation() {
            Operation::Page { query, .. } => query.clone(),
            other => panic!("{target}: {other:?}, {}", text(self.get(key, target).reply(Outcome::Nothing))),
        }
    }
}

fn head(seq: u64) -> Option<EntryId> {
    Seq::new(seq).map(|seq| EntryId::new(1_700_000_000_000, seq))
}

fn text(response: Response<Bytes>) -> String {
    String::from_utf8(response.into_body().into()).unwrap()
}

fn row(seq: u64) -> Stored {
    Stored { id: EntryId::new(1_700_000_000_000, Seq::new(seq).unwrap()), record: Record::new(NOW) }
}

/// What a store without rows would answer.
fn empty(operation: &Operation) -> Outcome {
    match operation {
        Operation::Nothing | Operation::Export(_) | Operation::Backup | Operation::Tail { .. } => Outcome::Nothing,
        Operation::Page { query, .. } => {
            Outcome::Page(Page { total: (query.total == Total::Exact).then_some(0), ..Page::default() })
        }
        Operation::Get { .. } => Outcome::Record(None),
        Operation::Stats { .. } => Outcome::Stats(Stats::default()),
        Operation::Histogram(_) => Outcome::Histogram(Ok(crate::aggregate::Histogram::default())),
        Operation::Facets(_) => Outcome::Facets(crate::aggregate::Facets::default()),
        Operation::Endpoints(_) => Outcome::Endpoints(crate::aggregate::Endpoints::default()),
        Operation::Neighbours { .. } => Outcome::Neighbours(None),
        Operation::Ingest(_) => Outcome::Ingested(Report::default()),
        Operation::Delete { .. } => Outcome::Deleted(0),
        Operation::CreateProject { .. } | Operation::DeleteProject { .. } | Operation::RevokeKey { .. } => {
            Outcome::Done
        }
        Operation::CreateKey(new) => Outcome::Key {
            key: Key {
                id: 9,
                hash: KeyHash([0; 32]),
                name: new.name.clone(),
                role: new.role,
                scope: new.scope.clone(),
                created: NOW,
                expires: new.expires,
            },
            secret: crate::auth::Secret::mint([1; 32]),
        },
        Operation::Ready => Outcome::Ready(Ok(())),
        Operation::Metrics => Outcome::Metrics(String::new()),
    }
}

#[test]
fn each_route_has_its_methods_and_roles() {
    let world = World::new();
    let id = row(5).id;
    let (own, log) = (id.to_text(), id.to_flowmock());
    // who: p everyone, r read, i ingest, a admin, o admin of the organisation
    let routes = [
        ("GET", "/".to_owned(), "p"),
        ("GET", "/healthz".to_owned(), "p"),
        ("GET", "/readyz".to_owned(), "p"),
        ("GET", "/metrics".to_owned(), "o"),
        ("GET", "/api/v1/logs".to_owned(), "r"),
        ("DELETE", "/api/v1/logs?q=".to_owned(), "a"),
        ("GET", format!("/api/v1/logs/{own}"), "r"),
        ("GET", format!("/api/v1/logs/{own}/body?side=request"), "r"),
        ("GET", format!("/api/v1/logs/{log}/body?side=request"), "r"),
        ("GET", format!("/logs/{log}/body?side=request"), "r"),
        ("GET", format!("/api/v1/logs/{own}/export?as=curl"), "r"),
        ("GET", "/api/v1/stats".to_owned(), "r"),
        ("GET", "/api/v1/histogram".to_owned(), "r"),
        ("GET", "/api/v1/facets".to_owned(), "r"),
        ("GET", "/api/v1/endpoints".to_owned(), "r"),
        ("GET", format!("/api/v1/logs/{own}?context=3"), "r"),
        ("GET", "/api/v1/export".to_owned(), "r"),
        ("GET", "/api/v1/tail".to_owned(), "r"),
        ("POST", "/api/v1/ingest".to_owned(), "i"),
        ("GET", "/api/v1/projects".to_owned(), "r"),
        ("POST", "/api/v1/projects".to_owned(), "o"),
        ("DELETE", "/api/v1/projects/one".to_owned(), "o"),
        ("GET", "/api/v1/keys".to_owned(), "a"),
        ("POST", "/api/v1/keys".to_owned(), "a"),
        ("DELETE", "/api/v1/keys/2".to_owned(), "a"),
        ("GET", "/sessions/s/logs?project=shop&environment=prod".to_owned(), "r"),
        ("GET", "/api/v1/sessions/s/logs?project=shop&environment=prod".to_owned(), "r"),
        ("GET", "/_logs".to_owned(), "r"),
        ("GET", "/api/proxy-logs/_logs?last=5".to_owned(), "r"),
        ("GET", "/_logs/stats".to_owned(), "r"),
        ("GET", "/v1/logs".to_owned(), "r"),
        ("GET", format!("/v1/logs/{}", id.to_uuid()), "r"),
        ("GET", "/logs".to_owned(), "r"),
    ];
    for (method, target, who) in routes {
        for key in world.keyring.keys() {
            let planned = world.plan(method, &target, &[("x-api-key", &key.name)]);
            let outcome = match planned.body() {
                BodyUse::Collect { .. } => Outcome::Failed(Failure::TooLarge { limit: 1 }),
                _ => empty(planned.operation()),
            };
            let status = planned.reply(outcome).status();
            let allowed = match who {
                "p" => true,
                "o" => key.name == "admin",
                who => key.role.name().starts_with(who) || key.role == Role::Admin,
            };
            assert_eq!(status == StatusCode::FORBIDDEN, !allowed, "{method} {target} {}: {status}", key.name);
        }
        let refused = world.plan(method, &target, &[]).reply(Outcome::Nothing).status() == StatusCode::UNAUTHORIZED;
        assert_eq!(refused, who != "p", "{method} {target}");
        let other = world.plan("PATCH", &target, &[]).reply(Outcome::Nothing);
        assert_eq!(other.status(), StatusCode::METHOD_NOT_ALLOWED, "{target}");
        assert!(other.headers()["allow"].to_str().unwrap().split(", ").any(|allowed| allowed == method), "{target}");
        let preflight = [("origin", "https://ui.example"), ("access-control-request-method", method)];
        let options = world.plan("OPTIONS", &target, &preflight).reply(Outcome::Nothing);
        assert_eq!(options.status(), StatusCode::NO_CONTENT);
        assert_eq!(options.headers()["access-control-allow-origin"], "https://ui.example");
        assert_eq!(options.headers()["access-control-allow-methods"], other.headers()["allow"]);
    }
}

#[test]
fn refusals_have_the_status_and_the_envelope_of_their_dialect() {
    let world = World::new();
    let check = |key: &str, target: &str, status: u16, part: &str| {
        let response = world.get(key, target).reply(Outcome::Nothing);
        let got = response.status().as_u16();
        let body = text(response);
        assert!(got == status && body.contains(part), "{target}: {got} {body}");
    };
    let logs = "/api/v1/sessions/s/logs";
    let future = EntryId::new(1_700_000_000_000, Seq::new(HEAD + 1).unwrap()).to_flowmock();
    let late = EntryId::new(1_900_000_000_000, Seq::new(5).unwrap()).to_flowmock();
    let known = row(5).id.to_flowmock();
    check("nobody", logs, 401, "\"code\":\"unauthorized\"");
    check("read", logs, 422, "project_required");
    check("read", &format!("{logs}?project=shop"), 422, "environment_required");
    check("shop-read", logs, 422, "environment_required");
    check("shop-read", &format!("{logs}?project=one"), 403, "scope_mismatch");
    check("ingest", logs, 403, "forbidden");
    for (query, code) in [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=x", "invalid_limit"),
        ("limit=", "invalid_limit"),
        ("limit=5&limit=5", "invalid_limit"),
        ("before=log_x", "invalid_cursor"),
        ("since=", "invalid_cursor"),
        (&format!("since={known}&before={known}"), "invalid_cursor"),
        (&format!("since={known}&since={known}"), "invalid_cursor"),
        (&format!("since={future}"), "invalid_cursor"),
        (&format!("before={late}"), "invalid_cursor"),
        (&format!("before={}", row(5).id.to_text()), "invalid_cursor"),
        ("environment=%zz", "invalid_parameter"),
    ] {
        check("read", &format!("{logs}?project=one&{query}"), 422, code);
    }
    check("read", "/api/v1/sessions/%ff/logs?project=one", 422, "invalid_parameter");
    check("read", "/api/v1/sessions//logs?project=one", 404, "\"code\":\"not_found\"");
    check("read", &format!("/logs/{known}/body"), 422, "invalid_side");
    check("read", &format!("/logs/{known}/body?side=both"), 422, "invalid_side");
    check("read", "/logs/log_1/body?side=request", 404, "\"code\":\"not_found\"");
    check("read", "/api/v1/logs/log_1/body?side=request", 404, "\"code\":\"not_found\"");
    check("read", "/api/v1/logs/x/body?side=request", 404, "urn:reqlog:problem:not-found");
    check("read", "/api/v1/logs/x/body", 400, "side is required: one of request, response");

    check("nobody", "/api/v1/logs", 401, "urn:reqlog:problem:unauthorized");
    check("shop-read", "/api/v1/logs?project=one", 403, "urn:reqlog:problem:scope");
    check("read", "/api/v1/logs?project=", 400, "\"parameter\":\"project\"");
    check("read", "/api/v1/logs?limit=1001", 400, "a whole number from 1 to 1000");
    check("read", "/api/v1/logs?sort=latency", 400, "one of time, duration, status, size, arrival");
    check("read", "/api/v1/logs?dir=up", 400, "one of desc, asc");
    check("read", "/api/v1/logs?total=yes", 400, "one of none, exact");
    check("read", "/api/v1/logs?wait=31", 400, "seconds up to 30");
    check("read", "/api/v1/logs?fields=id,nothing", 400, "a comma-separated list of id, seq, time");
    check("read", "/api/v1/logs?q=status:", 400, "\"position\":");
    check("read", "/api/v1/logs?q=status:abc", 400, "\"hint\":");
    check("read", "/api/v1/logs?q=time:2026-02-02..2026-01-01", 400, "urn:reqlog:problem:invalid-query");
    check("read", "/api/v1/logs?cursor=x", 400, "urn:reqlog:problem:invalid-cursor");
    check("read", "/api/v1/logs?q=%f", 400, "urn:reqlog:problem:invalid-parameter");
    check("read", "/api/v1/logs/%ff", 400, "urn:reqlog:problem:invalid-path");
    check("read", "/api/v1/export?cursor=x", 400, "urn:reqlog:problem:invalid-cursor");
    check("read", "/api/v1/export?format=xml", 400, "one of ndjson, csv, har, json");
    check("read", "/api/v1/nothing", 404, "urn:reqlog:problem:no-such-path");
    check("read", "/api/v1/logs/", 404, "urn:reqlog:problem:");
    check("read", &format!("/api/v1/logs/{}/export", row(5).id.to_text()), 400, "as is required");
    let destroy = world.plan("DELETE", "/api/v1/logs", &[("x-api-key", "admin")]).reply(Outcome::Nothing);
    assert_eq!(destroy.status(), StatusCode::BAD_REQUEST);
    let foreign = world.plan("DELETE", "/api/v1/keys/1", &[("x-api-key", "shop-admin")]).reply(Outcome::Nothing);
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
}

#[test]
fn parameters_reach_the_query() {
    let world = World::new();
    let query = world.page("read", "/api/v1/logs");
    assert_eq!((query.order, query.direction, query.limit), (Order::Time, Direction::Descending, 50));
    assert_eq!((query.start, query.bound.get(), query.total), (Start::First, HEAD, Total::Skip));
    let query = world.page("read", "/api/v1/logs?sort=size&dir=asc&limit=7&total=exact");
    assert_eq!((query.order, query.direction, query.limit), (Order::Size, Direction::Ascending, 7));
    assert_eq!(query.total, Total::Exact);

    let known = row(5).id;
    let at = Start::After(Position::arrival(known.seq()));
    let base = "/sessions/s/logs?project=one";
    let query = world.page("read", base);
    assert_eq!((query.order, query.direction, query.start), (Order::Arrival, Direction::Descending, Start::First));
    let query = world.page("read", &format!("{base}&before={}&limit=100", known.to_flowmock()));
    assert_eq!((query.direction, query.start, query.limit), (Direction::Descending, at, 100));
    let query = world.page("read", &format!("{base}&since={}", known.to_flowmock()));
    assert_eq!((query.direction, query.start), (Direction::Ascending, at));
}

#[test]
fn a_project_key_sees_its_project_only() {
    let world = World::new();
    let (mut mine, mut other) = (row(1), row(2));
    mine.record.texts.set(crate::record::Field::Project, "shop");
    other.record.texts.set(crate::record::Field::Project, "Shop");
    let sees = |filter: &crate::filter::Predicate| (filter.matches_stored(&mine), filter.matches_stored(&other));
    for (key, target, seen) in [
        ("shop-read", "/api/v1/logs", (true, false)),
        ("shop-read", "/api/v1/logs?project=shop", (true, false)),
        ("read", "/api/v1/logs?project=shop", (true, false)),
        ("read", "/api/v1/logs?project=Shop", (false, true)),
        ("read", "/api/v1/logs", (true, true)),
        ("shop-read", "/logs", (true, false)),
        ("read", "/logs", (true, true)),
    ] {
        assert_eq!(sees(&world.page(key, target).filter), seen, "{key} {target}");
    }
    let own = row(5).id.to_text();
    for target in [format!("/api/v1/logs/{own}"), format!("/logs/log_{own}/body?side=request")] {
        for (key, seen) in [("read", (true, true)), ("shop-read", (true, false))] {
            let plan = world.get(key, &target);
            let Operation::Get { filter, .. } = plan.operation() else { panic!("{target}") };
            assert_eq!(sees(filter), seen, "{key} {target}");
        }
    }
    let plan = world.plan("DELETE", "/api/v1/logs?q=", &[("x-api-key", "shop-admin")]);
    let Operation::Delete { project, .. } = plan.operation() else { panic!() };
    assert_eq!(project.as_deref(), Some("shop"));
}

#[test]
fn ingestion_takes_its_defaults_from_parameters_then_headers() {
    let world = World::new();
    let fields =
        [("x-api-key", "ingest"), ("x-reqlog-project", "a"), ("x-reqlog-session", "s"), ("idempotency-key", "k")];
    let plan = world.plan("POST", "/api/v1/ingest?project=b&import=1&format=har", &fields);
    assert_eq!(plan.body(), BodyUse::Stream);
    let Operation::Ingest(request) = plan.operation() else { panic!() };
    assert_eq!((request.project.as_deref(), request.session.as_deref()), (Some("b"), Some("s")));
    assert_eq!((request.mode, request.format.as_deref()), (IngestMode::Import, Some("har")));
    assert_eq!(request.idempotency_key.as_deref(), Some("k"));

    let plan = world.plan("POST", "/api/v1/ingest", &[("x-api-key", "shop-ingest")]);
    let Operation::Ingest(request) = plan.operation() else { panic!() };
    assert_eq!(request.project.as_deref(), Some("shop"));
    let check = |fields: &[(&str, &str)], status: u16| {
        let fields = [fields, &[("x-api-key", "shop-ingest")]].concat();
        let response = world.plan("POST", "/api/v1/ingest", &fields).reply(Outcome::Nothing);
        assert_eq!(response.status().as_u16(), status, "{fields:?}");
    };
    check(&[("x-reqlog-project", "other")], 403);
    check(&[("content-encoding", "gzip, snappy")], 415);
    check(&[("idempotency-key", "")], 400);
    check(&[("idempotency-key", "a"), ("idempotency-key", "b")], 400);
    for (report, status) in [((3, 0, 0), 200), ((0, 2, 0), 200), ((1, 0, 1), 207), ((0, 1, 1), 207), ((0, 0, 2), 422)] {
        let (accepted, duplicates, rejected) = report;
        let report = Report { accepted, duplicates, rejected, errors: Vec::new() };
        let plan = world.plan("POST", "/api/v1/ingest", &[("x-api-key", "ingest")]);
        let response = plan.reply(Outcome::Ingested(report));
        assert_eq!(response.status().as_u16(), status);
        assert!(text(response).contains(&format!("\"accepted\":{accepted}")));
    }
}

#[test]
fn pages_link_to_each_other_and_keep_their_snapshot() {
    let mut world = World::new();
    let target = "/api/v1/logs?q=%2Dtime%3A-1h%20level:info&sort=arrival&limit=2";
    let rows = |seqs: &[u64]| seqs.iter().map(|seq| row(*seq)).collect();
    let page = Page { rows: rows(&[90, 89]), more_after: true, more_before: true, ..Page::default() };
    let response = world.get("read", target).reply(Outcome::Page(page));
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    let urls: Vec<_> = link.split('<').skip(1).map(|part| part.split('>').next().unwrap().to_owned()).collect();
    assert_eq!(urls.len(), 2);
    world.head = head(HEAD + 50);
    let at = |seq| Position::arrival(Seq::new(seq).unwrap());
    let (next, prev) = (world.page("read", &urls[0]), world.page("read", &urls[1]));
    assert_eq!((next.start, next.bound.get(), next.limit), (Start::After(at(89)), HEAD, 2));
    assert_eq!((prev.start, prev.bound.get()), (Start::Before(at(90)), HEAD));
    // another page size is the same walk; another query, sort, direction or scope is not
    world.page("read", &urls[0].replace("limit=2", "limit=9"));
    for (from, to) in [("info", "warn"), ("arrival", "time"), ("limit=2", "dir=asc"), ("limit=2", "project=one")] {
        let response = world.get("read", &urls[0].replace(from, to)).reply(Outcome::Nothing);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{to}");
    }
    assert_eq!(world.get("shop-read", &urls[0]).reply(Outcome::Nothing).status(), StatusCode::BAD_REQUEST);
    world.head = head(HEAD - 1);
    assert_eq!(world.get("read", &urls[0]).reply(Outcome::Nothing).status(), StatusCode::BAD_REQUEST);
}

#[test]
fn a_base_path_is_taken_off_and_put_into_links() {
    let mut world = World::new();
    world.settings.base_path = "/x".to_owned();
    for (target, status) in [("/x", 308), ("/x/", 200), ("/x/healthz", 200), ("/healthz", 404), ("/xhealthz", 404)] {
        let response = world.plan("GET", target, &[]).reply(Outcome::Nothing);
        assert_eq!(response.status().as_u16(), status, "{target}");
    }
    let page = Page { rows: vec![row(9)], more_after: true, ..Page::default() };
    let response = world.get("read", "/x/api/v1/logs").reply(Outcome::Page(page));
    assert!(response.headers()["link"].to_str().unwrap().starts_with("</x/api/v1/logs?cursor="));
}

#[test]
fn what_is_not_below_the_base_path_is_not_the_apis() {
    let mut settings = Settings { base_path: "/x".to_owned(), ..Settings::default() };
    for (path, below) in [("/x", Some("/")), ("/x/", Some("/")), ("/x/a", Some("/a")), ("/xa", None), ("/", None)] {
        assert_eq!((settings.below_base(path), settings.is_own(path)), (below, below.is_some()), "{path}");
    }
    settings.base_path.clear();
    assert!(settings.is_own("/") && settings.is_own("/x") && !settings.is_own("*"));
}

#[test]
fn only_allowed_origins_may_read() {
    let world = World::new();
    let allowed = |origin| {
        let response = world.plan("GET", "/healthz", &[("origin", origin)]).reply(Outcome::Nothing);
        response.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed("https://ui.example").as_deref(), Some("https://ui.example"));
    assert_eq!(allowed("https://ui.example.evil"), None);
    assert_eq!(allowed("null"), None);
}

#[test]
fn a_long_poll_in_arrival_order_follows_the_log() {
    let mut world = World::new();
    let target = "/api/v1/logs?sort=arrival&dir=asc&wait=5";
    let mut plan = world.get("read", target);
    let Operation::Page { query, wait } = plan.operation() else { panic!() };
    assert_eq!((query.bound.get(), *wait), (HEAD, Some(Duration::from_secs(5))));
    plan.advance(Seq::new(HEAD + 3));
    let Operation::Page { query, .. } = plan.operation() else { panic!() };
    assert_eq!(query.bound.get(), HEAD + 3);
    world.head = head(HEAD + 9);
    let body: serde_json::Value = serde_json::from_str(&text(plan.reply(Outcome::Page(Page::default())))).unwrap();
    let query = world.page("read", &format!("{target}&cursor={}", body["next"].as_str().unwrap()));
    assert_eq!(query.start, Start::After(Position::arrival(Seq::new(HEAD + 3).unwrap())));
    assert_eq!(query.bound.get(), HEAD + 9);

    world.head = None;
    let body = text(world.get("read", target).reply(Outcome::Page(Page::default())));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    world.head = head(1);
    let query = world.page("read", &format!("{target}&cursor={}", body["next"].as_str().unwrap()));
    assert_eq!(query.start, Start::First);
}

#[test]
fn an_export_resumes_where_it_broke_off() {
    let world = World::new();
    let target = "/api/v1/export?format=ndjson";
    let mut exporter = world.get("read", target).export().unwrap();
    let cursor = exporter.head().headers()["x-reqlog-cursor"].to_str().unwrap().to_owned();
    exporter.supply(Page { rows: vec![row(1), row(7)], more_after: true, ..Page::default() }, NOW, &Expired::default());
    assert_eq!(exporter.chunk().iter().chain(&exporter.chunk()).count(), 1);
    assert_eq!(exporter.next().unwrap().start, Start::After(Position::arrival(Seq::new(7).unwrap())));
    exporter.supply(Page { rows: vec![row(8)], ..Page::default() }, NOW, &Expired::default());
    assert!(exporter.next().is_none());
    let resumed = world.get("read", &format!("{target}&cursor={cursor}.{}", row(7).id.to_text())).export().unwrap();
    assert_eq!(resumed.next().unwrap().start, Start::After(Position::arrival(Seq::new(7).unwrap())));
    assert_eq!(resumed.head().headers()["x-reqlog-cursor"].to_str().unwrap(), cursor);
    for broken in [format!("{cursor}."), format!("{cursor}.x"), format!("{cursor}.{}", row(HEAD + 1).id.to_text())] {
        assert!(world.get("read", &format!("{target}&cursor={broken}")).export().is_err(), "{broken}");
    }
    let head = world.plan("HEAD", target, &[("x-api-key", "read")]).reply(Outcome::Nothing);
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["content-type"], "application/x-ndjson");
}

proptest! {
    #[test]
    fn no_bytes_anywhere_make_the_server_fail(
        method in "GET|HEAD|POST|DELETE|OPTIONS|PUT|[A-Z]{1,5}",
        path in prop::sample::select(vec![
            "", "/api/v1", "/api/v1/logs", "/api/v1/logs/", "/sessions/", "/api/v1/keys", "/api/v1/projects/",
            "/api/v1/ingest", "/api/v1/export", "/api/v1/stats", "/logs/log_", "/metrics", "/v1/logs", "/v1/logs/",
            "/logs",
        ]),
        rest in "[ -~]{0,12}|/logs|/body|%[0-9a-z]{2}/logs|\\PC{0,6}",
        query in "([a-z]{1,8}=[!-~]{0,8}&){0,3}|((q|limit|since|before|cursor|side|view|sort|dir|wait|project|snapshot|offset|from|startDate|request_id|status_min)=[!-~]{0,10}&){0,4}",
        fields in prop::collection::vec((
            prop::sample::select(vec!["authorization", "range", "if-range", "if-none-match", "content-encoding", "origin",
                "idempotency-key", "x-reqlog-project", "accept"]),
            prop::collection::vec(any::<u8>(), 0..12),
        ), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..40),
        key in prop::sample::select(vec!["read", "ingest", "admin", "shop-read", "shop-admin", "nobody"]),
    ) {
        let world = World::new();
        let mut request = Request::builder().method(method.as_str()).uri(format!("{path}{rest}?{query}"));
        request = request.header("x-api-key", key);
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request = request.header(name, value);
            }
        }
        let Ok(request) = request.body(()) else { return Ok(()) };
        let mut planned = plan(&request.into_parts().0, &world.context());
        if let BodyUse::Collect { .. } = planned.body() {
            planned = planned.with_body(&body.into(), &world.context());
        }
        let outcome = empty(planned.operation());
        let status = if matches!(planned.operation(), Operation::Export(_)) {
            planned.export().unwrap().head().status()
        } else if let Some(head) = planned.backup() {
            head.status()
        } else {
            planned.reply(outcome).status()
        };
        prop_assert!(!status.is_server_error(), "{status}");
    }
}

#[test]
fn what_a_deployment_does_not_have_is_refused_with_what_to_use_instead() {
    let mut world = World::new();
    let of = |world: &World, method: &str, key: &str, path: &str| {
        world.plan(method, path, &[("authorization", &format!("Bearer {key}"))])
    };
    assert!(matches!(of(&world, "GET", "admin", "/metrics").operation(), Operation::Metrics));
    assert!(matches!(of(&world, "GET", "admin", "/api/v1/backup").operation(), Operation::Backup));
    world.settings.offers = Offers::EDGE;
    for (path, instead) in [
        ("/metrics", "This deployment has no /metrics; use the platform's own observability."),
        ("/api/v1/backup", "back up with 'GET /api/v1/export?format=ndjson'."),
    ] {
        for method in ["GET", "HEAD"] {
            let planned = of(&world, method, "admin", path);
            assert!(matches!(planned.operation(), Operation::Nothing), "{method} {path}");
            assert_eq!(planned.reply(Outcome::Nothing).status(), 501, "{method} {path}");
        }
        let answer = of(&world, "GET", "admin", path).reply(Outcome::Nothing);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let told: serde_json::Value = serde_json::from_str(&text(answer)).unwrap();
        assert_eq!(told["type"], "urn:reqlog:problem:not-offered");
        assert_eq!(told["status"], 501);
        assert!(told["detail"].as_str().unwrap().ends_with(instead), "{told}");
        // who could not have used it elsewhere either learns nothing of it
        for (key, status) in [("", 401), ("read", 403), ("ingest", 403), ("shop-admin", 403)] {
            assert_eq!(of(&world, "GET", key, path).reply(Outcome::Nothing).status(), status, "{key} {path}");
        }
    }
}
