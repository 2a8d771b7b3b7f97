//! `reqlog endpoints`: what is called, what of it fails, what is slow.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::files::Files;
use super::settings::Settings;
use super::table::Table;
use super::{Place, Problem, Verdict, import, output, query};
use clap::{Args, ValueEnum};
use reqlog_core::aggregate::{self, EndpointOrder};
use reqlog_core::format::Format;
use serde_json::Number;
use std::path::PathBuf;

/// Counts calls by method and route: errors, durations, bytes
///
/// Calls are exchanges, and requests and responses that have a method. A call without a route counts for its path, with
/// `{id}` in place of segments that are ids. Errors are what `is:error` finds. Percentiles are exact up to 512 durations
/// of an endpoint, within 1 % beyond.
#[derive(Args, Debug)]
pub struct Endpoints {
    /// Which records, in the query language; all without it
    #[arg(default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    query: String,
    /// Files to read instead of a store; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "url"])]
    files: Vec<PathBuf>,
    /// Which come first: those with the greatest of this
    #[arg(long, value_enum, default_value_t = Sort::Count)]
    sort: Sort,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Format of the files; detected without it
    #[arg(long, value_parser = import::format)]
    input: Option<Format>,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What endpoints are sorted by, as the API spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Sort {
    Count,
    Errors,
    ErrorRate,
    P50,
    P95,
    P99,
    Bytes,
}

impl Sort {
    const fn order(self) -> EndpointOrder {
        match self {
            Self::Count => EndpointOrder::Count,
            Self::Errors => EndpointOrder::Errors,
            Self::ErrorRate => EndpointOrder::ErrorRate,
            Self::P50 => EndpointOrder::P50,
            Self::P95 => EndpointOrder::P95,
            Self::P99 => EndpointOrder::P99,
            Self::Bytes => EndpointOrder::Bytes,
        }
    }
}

impl Endpoints {
    pub fn run(mut self, settings: &Settings) -> Result<Verdict, Problem> {
        (self.query, self.files) = query::told_apart(self.query, self.files);
        let filter = query::parse(&self.query)?;
        let endpoints = if self.files.is_empty() {
            let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
            let sort = self.sort.to_possible_value();
            let path = Path::new("endpoints")
                .with("q", &self.query)
                .with_some("project", self.project.as_deref())
                .with_some("sort", sort.as_ref().map(clap::builder::PossibleValue::get_name))
                .with("limit", &self.limit.to_string());
            api::get(&backend, path)?
        } else {
            let files = Files::new(&filter, self.project.as_deref(), self.input, settings)?;
            named(files.endpoints(&self.files)?.finish(self.sort.order(), self.limit.into()))
        };
        if self.json {
            output::json(&endpoints)?;
            return Ok(Verdict::Fine);
        }
        table(&endpoints).print()?;
        let (shown, distinct) = (endpoints.items.len(), endpoints.distinct);
        if (shown as u64) < distinct {
            eprintln!("reqlog: {shown} of {distinct} endpoints; --limit shows more, --sort others");
        }
        if !endpoints.complete {
            eprintln!("reqlog: there are more endpoints than are counted; a narrower query counts all");
        }
        Ok(Verdict::Fine)
    }
}

/// As the server answers it.
fn named(endpoints: aggregate::Endpoints) -> api::Endpoints {
    let item = |endpoint: aggregate::Endpoint| {
        let error_rate = (endpoint.error_rate() * 1e6).round() / 1e6;
        let [p50_ms, p95_ms, p99_ms] = endpoint.percentiles.map(|nanos| nanos.and_then(millis));
        api::Endpoint {
            method: endpoint.method,
            route: endpoint.route,
            count: endpoint.count,
            errors: endpoint.errors,
            client_errors: endpoint.client_errors,
            error_rate,
            p50_ms,
            p95_ms,
            p99_ms,
            request_bytes: endpoint.request_bytes,
            response_bytes: endpoint.response_bytes,
        }
    };
    api::Endpoints {
        total: endpoints.total,
        items: endpoints.items.into_iter().map(item).collect(),
        distinct: endpoints.distinct,
        complete: endpoints.complete,
    }
}

fn millis(nanos: u64) -> Option<Number> {
    match nanos % 1_000_000 {
        0 => Some((nanos / 1_000_000).into()),
        _ => Number::from_f64(nanos as f64 / 1e6),
    }
}

fn table(endpoints: &api::Endpoints) -> Table {
    let heading =
        ["method", "route", "calls", "errors", "error %", "4xx", "p50 ms", "p95 ms", "p99 ms", "bytes in", "bytes out"];
    let mut table = Table::new(&heading);
    for endpoint in &endpoints.items {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
        // three digits after the point are a microsecond
        let ms = |ms: &Option<Number>| {
            ms.as_ref().and_then(Number::as_f64).map_or_else(String::new, |ms| format!("{ms:.3}"))
        };
        table.row(&[
            name(&endpoint.method),
            name(&endpoint.route),
            endpoint.count.to_string(),
            endpoint.errors.to_string(),
            format!("{:.2}", endpoint.error_rate * 100.0),
            endpoint.client_errors.to_string(),
            ms(&endpoint.p50_ms),
            ms(&endpoint.p95_ms),
            ms(&endpoint.p99_ms),
            endpoint.request_bytes.to_string(),
            endpoint.response_bytes.to_string(),
        ]);
    }
    table
}
