//! The core alone, no store: reading, accepting, encoding, building, scanning, signing, planning.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use reqlog::store::Zstd;
use reqlog_core::accept::Rules;
use reqlog_core::aggregate::{EndpointOrder, EndpointsQuery, FacetKey, FacetsQuery, HistogramQuery, Width};
use reqlog_core::auth::{Key, Keyring, Role, Scope, Secret};
use reqlog_core::batch;
use reqlog_core::catalog::{Catalog, Entry, SourceId};
use reqlog_core::codec::Codec;
use reqlog_core::cursor::{Cursor, Walk};
use reqlog_core::filter::{Filter, Predicate, TextKey, TextMatcher};
use reqlog_core::format::{Format, Head, Parser, Unit};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::plan::{Context, IngestMode, IngestRequest, Operation, Outcome, Projects, Settings, plan};
use reqlog_core::query::{self, Detail, Direction, Order, Page, Position, Query, Start, Total};
use reqlog_core::record::{Record, Stored};
use reqlog_core::redact::Redactor;
use reqlog_core::scan::{Next, Scan, Step};
use reqlog_core::segment::{self, Directory, Part, PartId};
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::{COMMON_WORD, Corpus, RARE_WORD};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

const SEED: u64 = 1;
const ARRIVAL_MS: u64 = 1_782_259_200_000;
const SEGMENTS: usize = 4;
// segments of as many rows as compaction writes first
const SMALL_SEGMENTS: usize = 16;
// as many as one flush of an import encodes
const BATCH: usize = 16 << 10;

fn records(count: usize) -> Vec<Record> {
    let mut corpus = Corpus::new(SEED);
    (0..count).map(|_| corpus.next_entry().record()).collect()
}

fn lines(count: usize) -> Vec<Vec<u8>> {
    let mut corpus = Corpus::new(SEED);
    let line = |_| {
        let mut line = Vec::new();
        corpus.next_entry().write_line(&mut line);
        line.pop();
        line
    };
    (0..count).map(line).collect()
}

fn seq(at: usize) -> Seq {
    Seq::new(at as u64).expect("sequences start at 1")
}

fn stored(records: Vec<Record>) -> Vec<Stored> {
    let id = |at: usize| EntryId::new(ARRIVAL_MS, seq(at + 1));
    let mut rows: Vec<Stored> =
        records.into_iter().enumerate().map(|(at, record)| Stored { id: id(at), record }).collect();
    rows.sort_by_key(|row| (row.record.time, row.id.seq()));
    rows
}

fn intake(c: &mut Criterion) {
    const COUNT: usize = 1000;
    let mut group = c.benchmark_group("intake");
    group.throughput(Throughput::Elements(COUNT as u64));
    let (lines, records) = (lines(COUNT), records(COUNT));

    let parser = Parser::new(Format::Ndjson, &Head::default(), Timestamp::from_millis(ARRIVAL_MS as i64));
    let parse = |(at, line): (usize, &Vec<u8>)| parser.parse(&Unit::new(at as u64 + 1, line)).expect("well formed");
    group.bench_function("parse NDJSON", |b| {
        b.iter(|| lines.iter().enumerate().for_each(|one| drop(black_box(parse(one)))));
    });

    let rules = Rules::new(&[7; 32], &Settings::default(), &request());
    group.bench_function("accept", |b| {
        let accept = |record| drop(black_box(rules.accept(record)));
        b.iter_batched(|| records.clone(), |records| records.into_iter().for_each(accept), BatchSize::LargeInput);
    });
    let redactor = Redactor::new([7; 32]);
    group.bench_function("redact", |b| {
        b.iter_batched_ref(
            || records.clone(),
            |records| records.iter_mut().for_each(|record| redactor.apply(record)),
            BatchSize::LargeInput,
        );
    });
}

fn blocks(c: &mut Criterion) {
    let mut group = c.benchmark_group("blocks");
    group.sample_size(10);
    let records = records(BATCH);
    let codec: &dyn Codec = &Zstd;
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("batch encode", |b| b.iter(|| batch::encode(&records, codec)));
    let encoded = batch::encode(&records, codec).expect("there are records");
    group.bench_function("batch decode", |b| b.iter(|| batch::decode(&encoded.blob, seq(1), ARRIVAL_MS, codec)));
    let rows = stored(records);
    group.bench_function("segment columns", |b| b.iter(|| segment::columns(&rows)));
    group.bench_function("segment build", |b| b.iter(|| segment::build(&rows, codec)));
}

/// Segments with every part decoded, as a warm cache holds them.
struct Memory {
    catalog: Catalog,
    parts: HashMap<(SourceId, PartId), Arc<Part>>,
    absent: Arc<Part>,
}

impl Memory {
    fn new(segments: usize, rows_each: usize) -> Self {
        let rows = stored(records(segments * rows_each));
        let mut memory = Self { catalog: Catalog::default(), parts: HashMap::new(), absent: Arc::new(Part::Absent) };
        memory.catalog.head = rows.iter().map(|row| row.id).max();
        for (number, rows) in (1..).zip(rows.chunks(rows_each)) {
            let built = segment::build(rows, &Zstd).expect("there are rows");
            let size = built.bytes.len() as u64;
            let id = SourceId::Segment(number);
            let trailer = &built.bytes[built.bytes.len() - Directory::TRAILER_LEN as usize..];
            let footer = Directory::footer(trailer, size).expect("just built");
            let directory =
                Directory::read(&built.bytes[footer.start as usize..footer.end as usize]).expect("just built");
            for part in directory.parts() {
                let at = directory.locate(part).expect("the directory lists it");
                let decoded = directory.decode(part, &built.bytes[at.start as usize..at.end as usize], &Zstd);
                memory.parts.insert((id, part), Arc::new(decoded.expect("just built")));
            }
            memory.catalog.entries.push(Entry { id, summary: Arc::new(built.summary) });
        }
        memory
    }

    fn drive(&self, mut scan: Scan) -> Scan {
        while let Next::Run(mut task) = scan.next() {
            loop {
                match task.step().expect("nothing is corrupt") {
                    Step::Done(partial) => break scan.absorb(partial),
                    Step::Need(parts) => {
                        for id in parts {
                            let part = self.parts.get(&(task.source(), id)).unwrap_or(&self.absent);
                            task.supply(id, part.clone());
                        }
                    }
                }
            }
        }
        scan
    }

    fn page(&self, query: Query) -> Page {
        self.drive(Scan::page(query, &self.catalog)).finish()
    }
}

fn predicate(filter: &str) -> Predicate {
    let parsed = Filter::parse(filter).expect("the bench's own queries are well formed");
    parsed.filter.resolve(Timestamp::from_millis(0)).expect("its times ascend")
}

fn query(filter: &str, order: Order) -> Query {
    Query {
        filter: predicate(filter),
        order,
        direction: Direction::Descending,
        start: Start::First,
        bound: Seq::MAX,
        limit: 50,
        detail: Detail::Preview,
        total: Total::Skip,
        unit: query::Unit::Record,
    }
}

// the newest whose shown message contains `text`, counted, so that every row is decided
fn shown(text: &str) -> Query {
    let filter = Predicate::Text(TextKey::Shown, TextMatcher::contains(text));
    Query { filter, total: Total::Exact, ..query("", Order::Time) }
}

fn scans(c: &mut Criterion) {
    let memory = Memory::new(SEGMENTS, segment::MAX_ROWS);
    let mut group = c.benchmark_group("scan");
    let middle = memory.page(Query { start: Start::Offset(200_000), ..query("", Order::Time) });
    let middle = &middle.rows[0];
    let trace = format!("trace:{}", middle.record.text(reqlog_core::record::Field::TraceId).unwrap_or_default());
    let deep = Start::After(Position::of(middle, Order::Time).expect("an order by number"));
    let window = "time:2026-06-23T04:00:00Z..2026-06-23T08:00:00Z";
    let failed = "status:>=500 path:/v1/*";
    let pages = [
        ("newest of a service", query("service:prices-api", Order::Time)),
        ("newest of a service, deep", Query { start: deep, ..query("service:prices-api", Order::Time) }),
        ("5xx with a path prefix", query(failed, Order::Time)),
        ("5xx with a path prefix, exact total", Query { total: Total::Exact, ..query(failed, Order::Time) }),
        ("rare word", query(RARE_WORD, Order::Time)),
        ("common word", query(COMMON_WORD, Order::Time)),
        ("absent word", query("quintessence", Order::Time)),
        ("slowest in a window", query(window, Order::Duration)),
        ("one trace", query(&trace, Order::Time)),
        ("first trace ids", query("", Order::Trace)),
        ("first trace ids of a service", query("service:prices-api", Order::Trace)),
        ("first shown messages", query("", Order::Shown)),
        ("newest of a shown word", shown("/v1/orders")),
        ("newest of shown words", shown("get /v1/orders")),
    ];
    for (name, query) in pages {
        group.bench_function(name, |b| b.iter(|| memory.page(query.clone())));
    }
    for (name, filter) in [("count all", ""), ("count slow", "duration:>50ms")] {
        let filter = predicate(filter);
        group.bench_function(name, |b| {
            b.iter(|| {
                memory.drive(Scan::stats(&filter, Seq::MAX, query::Unit::Record, &memory.catalog)).finish_stats()
            });
        });
    }
}

fn counts(c: &mut Criterion) {
    let memory = Memory::new(SMALL_SEGMENTS, BATCH);
    let mut group = c.benchmark_group("counts");
    group.throughput(Throughput::Elements(SMALL_SEGMENTS as u64));
    // all rows; those of most segments and a part of two; those of a part of every segment
    let window = "time:2026-06-23T04:00:00Z..2026-06-23T08:00:00Z";
    for (name, filter) in [("all", ""), ("of a window", window), ("of a level", "level:>=error")] {
        let filter = predicate(filter);
        group.bench_function(name, |b| {
            b.iter(|| {
                memory.drive(Scan::stats(&filter, Seq::MAX, query::Unit::Record, &memory.catalog)).finish_stats()
            });
        });
    }
}

fn aggregates(c: &mut Criterion) {
    let memory = Memory::new(SEGMENTS, segment::MAX_ROWS);
    let mut group = c.benchmark_group("aggregates");
    // what a store of more rows would have: each segment many times
    let rows = SEGMENTS * segment::MAX_ROWS;
    for (name, wanted) in [("statistics, 1 M", 1_000_000usize), ("statistics, 10 M", 10_000_000)] {
        let mut catalog = memory.catalog.clone();
        catalog.entries = vec![catalog.entries; wanted.div_ceil(rows)].concat();
        group.bench_function(name, |b| {
            b.iter(|| {
                memory.drive(Scan::stats(&Predicate::ALL, Seq::MAX, query::Unit::Record, &catalog)).finish_stats()
            });
        });
    }
    let (filter, bound, catalog) = (predicate("duration:>50ms"), Seq::MAX, &memory.catalog);
    let histogram = HistogramQuery { filter: filter.clone(), bound, width: Width::Buckets(60) };
    group.bench_function("histogram, slow", |b| {
        b.iter(|| memory.drive(Scan::histogram(&histogram, catalog)).finish_histogram());
    });
    let keys = ["level", "status", "method", "service", "route"];
    let keys = keys.into_iter().filter_map(FacetKey::named).collect();
    let facets = FacetsQuery { filter, bound, keys, top: 10 };
    group.bench_function("facets of five fields, slow", |b| {
        b.iter(|| memory.drive(Scan::facets(&facets, catalog)).finish_facets(&facets));
    });
    let endpoints = EndpointsQuery { filter: Predicate::ALL, bound, order: EndpointOrder::P95, limit: 50 };
    group.bench_function("endpoints, all", |b| {
        b.iter(|| memory.drive(Scan::endpoints(&endpoints, catalog)).finish_endpoints(&endpoints));
    });
}

fn edges(c: &mut Criterion) {
    let mut group = c.benchmark_group("edges");
    let written =
        r#"status:5xx,429 method:POST -path:/health* duration:>1.5s res.header.x-cache:MISS time:-1h.. "timed out""#;
    group.bench_function("parse a query", |b| b.iter(|| Filter::parse(black_box(written))));

    let (walk, secret) =
        (Walk { project: None, filter: written.into(), order: Order::Time, direction: Direction::Descending }, [7; 32]);
    let now = Timestamp::from_millis(ARRIVAL_MS as i64);
    let cursor = Cursor { start: Start::After(Position::arrival(seq(9))), bound: seq(10), now };
    group.bench_function("sign a cursor", |b| b.iter(|| cursor.sign(black_box(&walk), &secret)));
    let signed = cursor.sign(&walk, &secret);
    group.bench_function("verify a cursor", |b| b.iter(|| Cursor::read(black_box(&signed), &walk, &secret)));

    let admin = Secret::given("a key of the bench that is long enough".into());
    let key = Key {
        id: 1,
        name: "bench".into(),
        hash: admin.hash(),
        role: Role::Admin,
        scope: Scope::Organisation,
        created: now,
        expires: None,
    };
    let (keyring, mut projects, settings) = (Keyring::new(vec![key]), Projects::default(), Settings::default());
    for project in ["shop", "abcdefghijklmnopqrstuvwx"] {
        projects.declare(project, None);
    }
    let context = Context {
        keyring: &keyring,
        projects: &projects,
        head: Some(EntryId::new(1_782_302_400_000, seq(1_000_000))),
        now,
        secret: &secret,
        settings: &settings,
    };
    let page = Page { rows: stored(records(50)), more_after: true, total: Some(100_000), ..Page::default() };
    let project = "abcdefghijklmnopqrstuvwx";
    let cognigy = format!("/v2.1/projects/{project}/logs?type=error,warn&limit=50");
    let questions = [
        ("own", "/api/v1/logs?q=status:5xx%20path:/v1/*&limit=50", "application/json"),
        ("FlowMock", "/api/v1/sessions/s1/logs?project=shop&limit=50", "application/json"),
        ("Scrip", "/v1/logs?status_min=500&method=post&limit=50", "application/json"),
        ("Hoody", "/_logs?serviceName=users&level=error,warn&limit=50", "application/json"),
        ("generic", "/logs?service=users&level=error&limit=50", "application/json"),
        ("Cognigy", &cognigy, "application/json"),
        ("Cognigy HAL", &cognigy, "application/hal+json"),
        ("Cognigy XML", &cognigy, "application/xml"),
        ("Cognigy CSV", &cognigy, "text/csv"),
    ];
    for (name, target, accept) in questions {
        let head = http::Request::get(target)
            .header("authorization", format!("Bearer {}", admin.expose()))
            .header("accept", accept)
            .body(())
            .expect("a request")
            .into_parts()
            .0;
        let plans = |context: &Context<'_>| {
            let planned = plan(&head, context);
            assert!(matches!(planned.operation(), Operation::Page { .. }), "{target}");
            planned
        };
        group.bench_function(format!("plan a page, {name}"), |b| b.iter(|| plans(black_box(&context))));
        group.bench_function(format!("reply with a page of 50, {name}"), |b| {
            b.iter_batched(
                || (plans(&context), Outcome::Page(page.clone())),
                |(planned, outcome)| planned.reply(outcome),
                BatchSize::SmallInput,
            );
        });
    }
}

fn request() -> IngestRequest {
    IngestRequest {
        scope: Scope::Organisation,
        project: Some("shop".into()),
        environment: None,
        session: None,
        service: None,
        format: None,
        encodings: Vec::new(),
        mode: IngestMode::Import,
        idempotency_key: None,
        limit: u64::MAX,
    }
}

criterion_group!(benches, intake, blocks, scans, counts, aggregates, edges);
criterion_main!(benches);
