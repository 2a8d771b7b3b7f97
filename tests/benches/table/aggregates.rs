//! What is added up over many rows, by reqlog and by SQLite's GROUP BY.

use super::Result;
use super::engine::{Engine, predicate};
use super::questions::{Ask, Question};
use super::sqlite::Sqlite;
use reqlog_core::aggregate::{
    Bucket, EndpointOrder, Endpoints, EndpointsQuery, FacetKey, Facets, FacetsQuery, Histogram, HistogramQuery, Width,
};
use reqlog_core::id::Seq;
use reqlog_core::level::Level;
use reqlog_core::query::{Stats, Unit};
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;

/// Numbers by what they are of; what both engines have to agree on.
pub type Groups = BTreeMap<String, u64>;

/// What reqlog answers.
pub enum Answer {
    Stats(Stats),
    Histogram(Histogram),
    Facets(Facets),
    Endpoints(Endpoints),
}

const FACETS: [&str; 5] = ["level", "status", "method", "service", "route"];

/// Runs one aggregate.
pub fn ask(engine: &Engine, question: &Question) -> Result<Answer> {
    let (filter, bound, store) = (predicate(question)?, Seq::MAX, &engine.store);
    let answer = match question.ask {
        Ask::Histogram => {
            let histogram = store.histogram(&HistogramQuery { filter, bound, width: Width::Buckets(60) });
            let histogram = histogram.map_err(|fault| fault.to_string())?;
            Ok(Answer::Histogram(histogram.map_err(|refused| format!("{refused:?}"))?))
        }
        Ask::Facets => {
            let keys = FACETS.iter().filter_map(|name| FacetKey::named(name)).collect();
            store.facets(&FacetsQuery { filter, bound, keys, top: usize::MAX }).map(Answer::Facets)
        }
        Ask::Endpoints => {
            let query = EndpointsQuery { filter, bound, order: EndpointOrder::Count, limit: usize::MAX };
            store.endpoints(&query).map(Answer::Endpoints)
        }
        _ => store.stats(&filter, bound, Unit::Record).map(Answer::Stats),
    };
    answer.map_err(|fault| fault.to_string().into())
}

impl Answer {
    /// As groups, without percentiles, which are reqlog's alone, and without what is the same of all rows.
    pub fn groups(&self) -> Groups {
        match self {
            Self::Stats(stats) => {
                let by = [
                    ("level", &stats.levels),
                    ("class", &stats.classes),
                    ("method", &stats.methods),
                    ("service", &stats.services),
                    ("container", &stats.containers),
                ];
                by.into_iter()
                    .flat_map(|(name, counts)| counts.iter().map(move |(v, n)| (format!("{name} {v}"), *n)))
                    .collect()
            }
            Self::Histogram(histogram) => {
                let of = |bucket: &Bucket| {
                    let interval = bucket.start.as_nanos() / histogram.interval;
                    let classes = (1..).zip(bucket.classes).filter(|(_, count)| *count > 0);
                    classes
                        .map(move |(class, count): (u8, u64)| (format!("{interval} {class}xx"), count))
                        .collect::<Vec<_>>()
                };
                histogram.buckets.iter().flat_map(of).collect()
            }
            Self::Facets(facets) => {
                let values = facets.facets.iter().flat_map(|(key, facet)| {
                    facet.values.iter().map(|(value, count)| (format!("{} {value}", key.name()), *count))
                });
                values.collect()
            }
            Self::Endpoints(endpoints) => {
                let mut groups = Groups::new();
                for item in &endpoints.items {
                    let [method, route] = [&item.method, &item.route].map(|name| name.as_deref().unwrap_or_default());
                    let bytes = item.request_bytes + item.response_bytes;
                    for (name, number) in [("calls", item.count), ("errors", item.errors), ("bytes", bytes)] {
                        groups.insert(format!("{method} {route} {name}"), number);
                    }
                }
                groups
            }
        }
    }

    /// The statements that ask SQLite the same; each gives a number by the columns before it.
    pub fn statements(&self, question: &Question) -> Vec<String> {
        let (from, condition) = (question.sql[0].from, &question.sql[0].condition);
        let counts = |name: &str, column: &str| {
            format!(
                "SELECT '{name}', {column}, count(*) FROM {from} WHERE {condition} AND {column} IS NOT NULL GROUP BY 2"
            )
        };
        let class = "(status / 100) || 'xx'";
        match self {
            Self::Stats(_) => {
                let by = ["level", "method", "service", "container"].map(|name| counts(name, name));
                by.into_iter().chain([counts("class", class)]).collect()
            }
            Self::Histogram(Histogram { interval, .. }) => {
                vec![format!("SELECT time / {interval}, {class}, count(*) FROM {from} WHERE {condition} GROUP BY 1, 2")]
            }
            Self::Facets(_) => FACETS.map(|name| counts(name, name)).to_vec(),
            Self::Endpoints(_) => {
                let bytes = "ifnull(request_size, 0) + ifnull(response_size, 0)";
                let error = Level::Error as u8;
                vec![format!(
                    "SELECT method, route, count(*), sum(level >= {error}), sum({bytes}) FROM {from} WHERE {condition} \
                     GROUP BY 1, 2"
                )]
            }
        }
    }
}

/// SQLite's groups.
pub fn groups(sqlite: &Sqlite, statements: &[String]) -> Result<Groups> {
    let mut groups = Groups::new();
    for sql in statements {
        let mut statement = sqlite.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let first: String = text(row.get_ref(0)?)?;
            let second = match (first.as_str(), row.get_ref(1)?) {
                ("level", ValueRef::Integer(level)) => {
                    Level::from_stored(level as u8).ok_or("no such level")?.name().to_owned()
                }
                (_, value) => text(value)?,
            };
            let names: &[&str] = if columns > 3 { &[" calls", " errors", " bytes"] } else { &[""] };
            for (at, name) in names.iter().enumerate() {
                groups.insert(format!("{first} {second}{name}"), row.get::<_, i64>(2 + at)? as u64);
            }
        }
    }
    Ok(groups)
}

fn text(value: ValueRef<'_>) -> Result<String> {
    Ok(match value {
        ValueRef::Integer(number) => number.to_string(),
        value => value.as_str_or_null()?.unwrap_or_default().to_owned(),
    })
}
