//! What a client asks for, in the words of each dialect, and which rows that means.

use crate::model::{Kind, LEVELS, METHODS, Row, SERVICES, WORDS};
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::Prng;
use std::fmt::Write;

/// A wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Own,
    FlowMock,
    Scrip,
    Hoody,
    Generic,
    Cognigy,
}

/// A filter; each dialect can say a part of it.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub level: Option<usize>,
    pub service: Option<&'static str>,
    pub method: Option<&'static str>,
    /// Inclusive.
    pub status: Option<(u16, u16)>,
    /// Seconds since 1970, inclusive; the last one is covered whole.
    pub window: Option<(i64, i64)>,
    pub word: Option<&'static str>,
    /// A kind of Hoody's rows.
    pub kind: Option<&'static str>,
    /// What is meant relative to the beginning.
    pub relative: Option<Relative>,
}

/// Times that depend on when they are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Relative {
    /// As the query language has it; Cognigy has such defaults, which need no words.
    pub minutes: u64,
    /// What that means: milliseconds since 1970, inclusive.
    pub from: i64,
    pub to: i64,
}

impl Question {
    /// Often nothing at all, so that walks are long.
    pub fn draw(prng: &mut Prng, now: i64) -> Self {
        fn some<T: Copy>(prng: &mut Prng, values: &[T]) -> Option<T> {
            prng.chance(0.25).then(|| values[prng.below(values.len() as u64) as usize])
        }
        if prng.chance(0.4) {
            return Self::default();
        }
        let from = now / 1_000 - prng.below(3_600) as i64;
        let minutes = 1 + prng.below(30);
        let relative = Relative { minutes, from: now - minutes as i64 * 60_000, to: i64::MAX };
        Self {
            level: some(prng, &[0, 1, 2, 3, 4, 5]),
            service: some(prng, &SERVICES),
            method: some(prng, &METHODS),
            status: some(prng, &[(200, 299), (404, 404), (400, 599), (0, 999)]),
            window: some(prng, &[(from, from), (from, from + 600), (0, from), (from, i64::from(u32::MAX))]),
            word: some(prng, &WORDS),
            kind: some(prng, &["request", "response", "event"]),
            relative: some(prng, &[relative]),
        }
    }

    /// The parameters that say what the dialect can say, each after `&`.
    pub fn words(&self, dialect: Dialect) -> String {
        let mut out = String::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = write!(out, "&{name}={}", escaped(&value));
            }
        };
        let text = |value: Option<&str>| value.map(str::to_owned);
        let [from, to] = match self.window {
            Some((from, to)) => [from, to].map(|at| Some(Timestamp::from_millis(at * 1_000).to_string())),
            None => [None, None],
        };
        match dialect {
            Dialect::Own => put("q", Some(self.own())),
            Dialect::FlowMock => {}
            Dialect::Scrip => {
                put("method", self.method.map(str::to_ascii_lowercase));
                put("status_min", self.status.map(|(low, _)| low.to_string()));
                put("status_max", self.status.map(|(_, high)| high.to_string()));
                put("from", from);
                put("to", to);
            }
            Dialect::Hoody => {
                put("level", self.level.map(|level| four(level).to_owned()));
                put("serviceName", text(self.service));
                put("method", text(self.method));
                put("kind", text(self.kind));
            }
            Dialect::Generic => {
                put("level", self.level.map(|level| five(level).to_owned()));
                put("service", text(self.service));
                put("search", text(self.word));
                put("startDate", from);
                put("endDate", to);
            }
            Dialect::Cognigy => {
                put("type", self.level.map(|level| LEVELS[level].to_owned()));
                put("filter", text(self.word));
                // the defaults leave most of the log out
                if self.relative.is_none() {
                    put("startDate", Some(from.unwrap_or_else(|| "1970-01-01".to_owned())));
                    put("endDate", Some(to.unwrap_or_else(|| "2099-01-01".to_owned())));
                }
            }
        }
        out
    }

    /// In the query language, which ignores case.
    pub fn own(&self) -> String {
        let mut q = String::new();
        if let Some(level) = self.level {
            let _ = write!(q, " level:{}", LEVELS[level]);
        }
        if let Some(service) = self.service {
            let _ = write!(q, " service:{service}");
        }
        if let Some(method) = self.method {
            let _ = write!(q, " method:{method}");
        }
        if let Some((low, high)) = self.status {
            let _ = write!(q, " status:{low}..{high}");
        }
        if let Some((from, to)) = self.window {
            let [from, to] = [from, to].map(|at| Timestamp::from_millis(at * 1_000));
            let _ = write!(q, " time:{from}..{to}");
        }
        if let Some(Relative { minutes, .. }) = self.relative {
            let _ = write!(q, " time:>=-{minutes}m");
        }
        if let Some(word) = self.word {
            let _ = write!(q, " message:*{word}*");
        }
        q.trim_start().to_owned()
    }

    /// Whether the dialect lists a row for this question.
    pub fn sees(&self, row: &Row, dialect: Dialect) -> bool {
        let is = |wanted: Option<&str>, value: Option<&str>| wanted.is_none_or(|wanted| value == Some(wanted));
        let ignoring_case = |wanted: Option<&str>, value: Option<&str>| {
            wanted.is_none_or(|wanted| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
        };
        let contains = |text: Option<&str>| {
            let lower = |text: &str| text.to_ascii_lowercase();
            self.word.is_none_or(|word| text.is_some_and(|text| lower(text).contains(&lower(word))))
        };
        let level = |name: fn(usize) -> &'static str| self.level.is_none_or(|level| name(row.level) == name(level));
        let status =
            || self.status.is_none_or(|(low, high)| row.status.is_some_and(|status| (low..=high).contains(&status)));
        let window = || self.window.is_none_or(|(from, to)| (from * 1_000..(to + 1) * 1_000).contains(&row.time));
        let relative = || self.relative.is_none_or(|Relative { from, to, .. }| (from..=to).contains(&row.time));
        match dialect {
            Dialect::Own => {
                level(|level| LEVELS[level])
                    && ignoring_case(self.service, row.service)
                    && ignoring_case(self.method, row.method)
                    && status()
                    && window()
                    && relative()
                    && contains(row.message)
            }
            Dialect::FlowMock => row.is_call(),
            Dialect::Scrip => row.is_call() && ignoring_case(self.method, row.method) && status() && window(),
            Dialect::Hoody => {
                level(four)
                    && is(self.service, row.service)
                    && is(self.method, row.method)
                    && self.halves(1, row).next().is_some()
            }
            Dialect::Generic => {
                level(five) && is(self.service, row.service) && window() && contains(row.shown().as_deref())
            }
            Dialect::Cognigy => {
                let named = |word: &str| row.trace == Some(word) || LEVELS[row.level] == word;
                level(|level| LEVELS[level])
                    && if self.relative.is_some() { relative() } else { window() }
                    && (contains(row.shown().as_deref()) || self.word.is_some_and(named))
            }
        }
    }

    /// The ids of Hoody's rows of a record that the question means.
    pub fn halves(&self, seq: u64, row: &Row) -> impl Iterator<Item = u64> + use<> {
        let (first, second) = (seq * 2 - 1, seq * 2);
        let halves = match row.kind {
            Kind::Exchange => [Some((first, "request")), Some((second, "response"))],
            Kind::Request => [Some((first, "request")), None],
            Kind::Response => [Some((second, "response")), None],
            Kind::Event => [Some((first, "event")), None],
        };
        let kind = self.kind;
        halves.into_iter().flatten().filter(move |(_, name)| kind.is_none_or(|kind| kind == *name)).map(|(id, _)| id)
    }
}

fn four(level: usize) -> &'static str {
    ["debug", "debug", "info", "warn", "error", "error"][level]
}

fn five(level: usize) -> &'static str {
    ["debug", "debug", "info", "warn", "error", "fatal"][level]
}

/// A value of a query parameter.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = if byte.is_ascii_alphanumeric() { write!(out, "{}", byte as char) } else { write!(out, "%{byte:02X}") };
        out
    })
}
