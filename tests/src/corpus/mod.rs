//! A generated, seeded log of HTTP traffic, shaped like a measured one.
//!
//! About 780 bytes of JSON a record: routes by Zipf's law over 40 services of 8 containers, 90 % of status 2xx, 5 % 4xx,
//! 2 % 5xx, log-normal durations, bodies of 0.2–4 KB of JSON on a fifth, a trace id shared by a few records. Time goes on
//! by about 80 ms a record, four in ten share the timestamp before them, and 2 % arrive up to an hour late.
//!
//! ```
//! use reqlog_tests::corpus::Corpus;
//! let mut lines = Vec::new();
//! let mut corpus = Corpus::new(1);
//! (0..3).for_each(|_| corpus.next_entry().write_line(&mut lines));
//! assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 3);
//! ```

mod entry;
mod population;
mod prng;
mod prose;

pub use entry::Entry;
pub use population::{CONTAINERS, SERVICES};
pub use prng::{Prng, Zipf};
pub use prose::{COMMON_WORD, RARE_WORD};

use population::{Client, Population};
use prose::{RESOURCES, WORDS};
use reqlog_core::timestamp::Timestamp;
use std::fmt::Write as _;

/// Time of the first record, in ms since 1970: 2026-06-23T00:00:00Z.
pub const START_MS: i64 = 1_782_172_800_000;
const HOUR_MS: u64 = 3_600_000;

/// Makes one record after another, without end.
#[derive(Clone, Debug)]
pub struct Corpus {
    prng: Prng,
    population: Population,
    now_ms: f64,
    open: Vec<Trace>,
    day: String,
    entry: Entry,
}

// a trace of which more records are to come
#[derive(Clone, Debug)]
struct Trace {
    id: [u64; 2],
    left: u64,
    client: Client,
}

// how many traces are under way at a time
const OPEN: usize = 12;

impl Corpus {
    /// Equal seeds make equal records.
    pub fn new(seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let population = Population::new(&mut prng);
        Self {
            prng,
            population,
            now_ms: START_MS as f64,
            open: Vec::new(),
            day: String::new(),
            entry: Entry::default(),
        }
    }

    /// The next record, in order of arrival.
    pub fn next_entry(&mut self) -> &Entry {
        self.advance();
        let trace = self.trace();
        let Self { prng, population, entry, day, .. } = self;
        let route = population.draw_route(prng);
        let (resource, fields) = RESOURCES[route.resource];
        entry.status = status(prng, route.method);
        entry.error_code = error_code(entry.status);
        entry.debug = prng.chance(0.03);
        entry.method = route.method;
        entry.agent = trace.client.agent;
        entry.protocol = prng.pick(&["HTTP/1.1", "HTTP/2", "HTTP/2"]);
        let slow = if entry.status >= 500 { 6.0 } else { 1.0 };
        entry.duration_us = (prng.log_normal(route.median_ms * slow, 0.8) * 1000.0).clamp(80.0, 60e6) as u64;
        replace(&mut entry.service, population.service(route.service));
        replace(&mut entry.container, population.container(route.service, prng.below(CONTAINERS as u64) as usize));
        replace(&mut entry.route, &route.template);
        set(&mut entry.host, format_args!("{}.shop.test", &entry.service));
        path(prng, &route.template, &mut entry.path);
        query(prng, &route.template, &mut entry.query);
        let [a, b, c, d] = trace.client.ip;
        set(&mut entry.client_ip, format_args!("{a}.{b}.{c}.{d}"));
        entry.user_id.clear();
        if let Some(user) = trace.client.user {
            set(&mut entry.user_id, format_args!("u{user}"));
        }
        set(&mut entry.trace_id, format_args!("{:016x}{:016x}", trace.id[0], trace.id[1]));
        set(&mut entry.span_id, format_args!("{:016x}", prng.bits()));
        prose::message(prng, entry.status, resource, &mut entry.message);
        headers(prng, entry);
        bodies(prng, fields, day, entry);
        &self.entry
    }

    fn advance(&mut self) {
        let prng = &mut self.prng;
        if !prng.chance(0.4) {
            self.now_ms += prng.exponential(133.0);
        }
        let late = if prng.chance(0.02) { prng.below(HOUR_MS) } else { 0 };
        self.entry.time_ms = (self.now_ms as i64) - late as i64;
        let date = &Timestamp::from_millis(self.entry.time_ms).to_rfc3339_millis()[..10];
        replace(&mut self.day, date);
    }

    fn trace(&mut self) -> Trace {
        let prng = &mut self.prng;
        while self.open.len() < OPEN {
            let client = self.population.draw_client(prng);
            self.open.push(Trace { id: [prng.bits(), prng.bits()], left: 1 + prng.below(6), client });
        }
        let at = prng.below(OPEN as u64) as usize;
        self.open[at].left -= 1;
        if self.open[at].left == 0 { self.open.swap_remove(at) } else { self.open[at].clone() }
    }
}

fn replace(text: &mut String, by: &str) {
    text.clear();
    text.push_str(by);
}

fn set(text: &mut String, to: std::fmt::Arguments<'_>) {
    text.clear();
    // writing to a String cannot fail
    let _ = text.write_fmt(to);
}

fn status(prng: &mut Prng, method: &str) -> u16 {
    match prng.below(100) {
        0..=89 if method == "POST" && prng.chance(0.6) => 201,
        0..=89 if method == "DELETE" => 204,
        0..=89 => 200,
        90..=92 => *prng.pick(&[&304, &304, &302]),
        93..=97 => *prng.pick(&[&404, &404, &400, &401, &403, &409, &422, &429]),
        _ => *prng.pick(&[&500, &500, &502, &503, &504]),
    }
}

fn error_code(status: u16) -> &'static str {
    match status {
        400 => "bad_request",
        401 => "unauthenticated",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        422 => "invalid",
        429 => "rate_limited",
        500 => "internal",
        502 => "bad_gateway",
        503 => "unavailable",
        504 => "timeout",
        _ => "",
    }
}

fn path(prng: &mut Prng, template: &str, out: &mut String) {
    out.clear();
    match template.split_once('{') {
        None => out.push_str(template),
        Some((before, rest)) => {
            let (name, after) = rest.split_once('}').expect("templates close their braces");
            out.push_str(before);
            let _ = match name {
                "id" => write!(out, "{}", 100_000 + prng.log_normal(20_000.0, 1.2) as u64),
                _ => write!(out, "{}-{:06x}", prng.pick(&WORDS), prng.below(1 << 24)),
            };
            out.push_str(after);
        }
    }
}

fn query(prng: &mut Prng, template: &str, out: &mut String) {
    out.clear();
    let _ = match prng.below(10) {
        0 => write!(out, "page={}&per_page=50", prng.below(40)),
        1 if !template.contains('{') => write!(out, "q={}+{}&sort=-created_at", prng.pick(&WORDS), prng.pick(&WORDS)),
        2 => write!(out, "expand=lines&locale={}", prng.pick(&["de-DE", "en-GB", "en-US", "fr-FR"])),
        _ => Ok(()),
    };
}

fn headers(prng: &mut Prng, entry: &mut Entry) {
    entry.request_headers.clear();
    entry.response_headers.clear();
    if prng.chance(0.35) {
        entry.request_headers.push(("accept", "application/json"));
        entry.request_headers.push(("accept-encoding", prng.pick(&["gzip", "gzip, br", "gzip, deflate, br, zstd"])));
        entry.response_headers.push(("cache-control", prng.pick(&["no-store", "private, max-age=60", "max-age=3600"])));
        entry.response_headers.push(("x-cache", prng.pick(&["HIT", "MISS", "MISS", "BYPASS"])));
    }
}

fn bodies(prng: &mut Prng, fields: &[&str], day: &str, entry: &mut Entry) {
    entry.request_body.clear();
    entry.response_body.clear();
    if !prng.chance(0.2) {
        return;
    }
    let size = prng.log_normal(600.0, 0.8).clamp(200.0, 4000.0) as usize;
    if matches!(entry.method, "POST" | "PUT" | "PATCH") {
        prose::body(prng, fields, size, day, &mut entry.request_body);
    } else {
        prose::body(prng, fields, size, day, &mut entry.response_body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // the shape that the measurements assume, over enough records for its shares to settle
    #[test]
    fn has_the_shape_it_claims() {
        const RECORDS: u64 = 40_000;
        let (mut corpus, mut lines) = (Corpus::new(3), Vec::new());
        let (mut good, mut refused, mut failed, mut bodies, mut common, mut late, mut ties) = (0, 0, 0, 0, 0, 0, 0);
        let mut newest = i64::MIN;
        for _ in 0..RECORDS {
            let entry = corpus.next_entry();
            entry.write_line(&mut lines);
            match entry.status {
                200..300 => good += 1,
                400..500 => refused += 1,
                500.. => failed += 1,
                _ => {}
            }
            bodies += u64::from(!entry.request_body.is_empty() || !entry.response_body.is_empty());
            common += u64::from(entry.message.contains(COMMON_WORD));
            late += u64::from(entry.time_ms < newest);
            ties += u64::from(entry.time_ms == newest);
            newest = newest.max(entry.time_ms);
        }
        let check = |what: &str, count: u64, per_mille: std::ops::Range<u64>| {
            let share = count * 1000 / RECORDS;
            assert!(per_mille.contains(&share), "{what}: {share} ‰ is not in {per_mille:?}");
        };
        check("2xx", good, 890..910);
        check("4xx", refused, 45..55);
        check("5xx", failed, 17..23);
        check("with bodies", bodies, 190..210);
        check("common word", common, 60..120);
        check("late", late, 17..23);
        check("equal to the newest time", ties, 350..450);
        let mean = lines.len() as u64 / RECORDS;
        assert!((750..810).contains(&mean), "{mean} bytes a line");
    }

    #[test]
    fn a_line_is_read_as_its_record() {
        use reqlog_core::format::{Format, Head, Parser, Unit};
        let parser = Parser::new(Format::Ndjson, &Head::default(), Timestamp::from_millis(START_MS));
        let (mut corpus, mut line) = (Corpus::new(5), Vec::new());
        for at in 1..=500 {
            let entry = corpus.next_entry();
            line.clear();
            entry.write_line(&mut line);
            let read = parser.parse(&Unit::new(at, &line[..line.len() - 1])).expect("generated lines are well formed");
            assert_eq!(read, entry.record(), "line {at}");
        }
    }
}
