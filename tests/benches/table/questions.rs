//! What both engines are asked, in the query language and in SQL.

use reqlog_core::query::Order;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::{COMMON_WORD, RARE_WORD};

/// What is known of a record in the middle of the corpus.
#[derive(Clone, Debug, Default)]
pub struct Corner {
    /// Its trace.
    pub trace: String,
    /// Its time in ms since 1970.
    pub time_ms: i64,
}

/// What is wanted of the rows that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Pages, greatest first.
    Page,
    /// How many there are.
    Total,
    /// How many of each level and each service.
    Counts,
    /// How many of every level, status class, method, service and container.
    Stats,
    /// How many by time and status class, in at most 60 buckets.
    Histogram,
    /// How many by the values of five fields.
    Facets,
    /// How many calls, errors and bytes by method and route; reqlog also says percentiles of durations.
    Endpoints,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the table calls it.
    pub name: String,
    /// In the query language.
    pub filter: String,
    /// What pages are sorted by: time or duration.
    pub order: Order,
    /// What is wanted.
    pub ask: Ask,
    /// Equivalent sources and conditions in SQL; for pages the fastest is taken, anew at each depth.
    pub sql: Vec<Sql>,
}

/// One way to say it in SQL.
#[derive(Clone, Debug)]
pub struct Sql {
    /// Table, with an index hint where one is tried.
    pub from: &'static str,
    /// Condition.
    pub condition: String,
}

fn sql(from: &'static str, condition: impl Into<String>) -> Sql {
    Sql { from, condition: condition.into() }
}

/// Every question over a corpus of `rows` records.
pub fn all(corner: &Corner, rows: u64) -> Vec<Question> {
    let question =
        |name: &str, filter: String, order, ask, sql| Question { name: name.into(), filter, order, ask, sql };
    let by_time = |name: &str, filter: String, sql| question(name, filter, Order::Time, Ask::Page, sql);

    let service = "service = 'prices-api'";
    let failed = "status >= 500 AND path LIKE '/v1/%'";
    let walk =
        |word: &str| sql("records INDEXED BY by_time", format!("(message LIKE '%{word}%' OR url LIKE '%{word}%')"));
    let index = |word: &str| sql("records", format!("seq IN (SELECT rowid FROM words WHERE words MATCH '\"{word}\"')"));
    let trace = format!("trace_id = '{}'", corner.trace);
    // four hours of a million records
    let half_ms = 7_200_000 * rows as i64 / 1_000_000;
    let (from, to) = (whole_second(corner.time_ms - half_ms), whole_second(corner.time_ms + half_ms));
    let window = format!("time BETWEEN {from} AND {}", to + 999_999_999);
    let written = |nanos| Timestamp::from_nanos(nanos).to_string();

    vec![
        by_time("newest of one service", "service:prices-api".into(), vec![sql("records", service)]),
        by_time(
            "status >= 500, path prefix",
            "status:>=500 path:/v1/*".into(),
            vec![sql("records", failed), sql("records INDEXED BY by_time", failed)],
        ),
        by_time("rare word", RARE_WORD.into(), vec![index(RARE_WORD), walk(RARE_WORD)]),
        by_time("common word", COMMON_WORD.into(), vec![walk(COMMON_WORD), index(COMMON_WORD)]),
        question(
            "slowest within four hours",
            format!("time:{}..{}", written(from), written(to)),
            Order::Duration,
            Ask::Page,
            vec![sql("records INDEXED BY by_duration", &window), sql("records INDEXED BY by_time", &window)],
        ),
        by_time("one trace", format!("trace:{}", corner.trace), vec![sql("records", trace)]),
        question(
            "exact total of status >= 500, path prefix",
            "status:>=500 path:/v1/*".into(),
            Order::Time,
            Ask::Total,
            vec![sql("records", failed)],
        ),
        question("exact total of a common word", COMMON_WORD.into(), Order::Time, Ask::Total, vec![index(COMMON_WORD)]),
        question(
            "count by level and service, all",
            String::new(),
            Order::Time,
            Ask::Counts,
            vec![sql("records", "true")],
        ),
        question(
            "count by level and service, duration > 50 ms",
            "duration:>50ms".into(),
            Order::Time,
            Ask::Counts,
            vec![sql("records", "duration > 50000000")],
        ),
        question("statistics, all", String::new(), Order::Time, Ask::Stats, vec![sql("records", "true")]),
        question(
            "histogram, status >= 400",
            "status:>=400".into(),
            Order::Time,
            Ask::Histogram,
            vec![sql("records", "status >= 400")],
        ),
        question(
            "histogram, duration > 50 ms",
            "duration:>50ms".into(),
            Order::Time,
            Ask::Histogram,
            vec![sql("records", "duration > 50000000")],
        ),
        question(
            "facets by five fields, duration > 50 ms",
            "duration:>50ms".into(),
            Order::Time,
            Ask::Facets,
            vec![sql("records", "duration > 50000000")],
        ),
        question("endpoints, all", String::new(), Order::Time, Ask::Endpoints, vec![sql("records", "true")]),
    ]
}

fn whole_second(ms: i64) -> i64 {
    ms.div_euclid(1000) * 1_000_000_000
}
