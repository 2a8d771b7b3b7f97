//! The meaning of everything, without the product's code: rows as they were sent, and what they must look like.

use reqlog_core::id::EntryId;
use reqlog_core::timestamp::Timestamp;
use reqlog_tests::corpus::Prng;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The projects of records; the first two can be named in paths of Cognigy.
pub const PROJECTS: [&str; 3] = ["abcdefghijklmnopqrstuvwx", "a2345678901234567890123z", "doomed"];
pub const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
pub const SERVICES: [&str; 3] = ["users", "pay", "Pay"];
pub const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
pub const SESSIONS: [&str; 2] = ["s1", "s2"];
pub const STATUSES: [u16; 5] = [200, 201, 404, 429, 503];
pub const WORDS: [&str; 5] = ["ship", "PAY", "in", "T1", "warn"];
const PATHS: [&str; 4] = ["/v1/ship", "/V1/x", "/v1/pay/1", "/"];
const MESSAGES: [&str; 4] = ["Shipped", "no", "", "paid in full"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Exchange,
    Request,
    Response,
    Event,
}

/// A record as its source knows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number in the source, which no other has.
    pub serial: u64,
    pub project: &'static str,
    /// Milliseconds since 1970.
    pub time: i64,
    pub kind: Kind,
    /// As stored: an index into [`LEVELS`].
    pub level: usize,
    given: Option<usize>,
    pub session: Option<&'static str>,
    pub service: Option<&'static str>,
    pub method: Option<&'static str>,
    pub path: Option<&'static str>,
    pub status: Option<u16>,
    /// Microseconds.
    pub duration: Option<u64>,
    pub sizes: [Option<u64>; 2],
    pub message: Option<&'static str>,
    pub trace: Option<&'static str>,
}

impl Row {
    pub fn draw(prng: &mut Prng, serial: u64, project: &'static str, time: i64) -> Self {
        fn some<T: Copy>(prng: &mut Prng, share: f64, values: &[T]) -> Option<T> {
            prng.chance(share).then(|| values[prng.below(values.len() as u64) as usize])
        }
        let kind = match prng.below(8) {
            0 => Kind::Request,
            1 => Kind::Response,
            2 | 3 => Kind::Event,
            _ => Kind::Exchange,
        };
        let status = (kind != Kind::Event && kind != Kind::Request).then(|| some(prng, 0.8, &STATUSES)).flatten();
        let given = some(prng, 0.6, &[0, 1, 2, 3, 4, 5]);
        // a failed exchange is an error at least; without a given level a refused one is a warning
        let level = match (given, status) {
            (given, Some(500..)) => given.unwrap_or(4).max(4),
            (None, Some(400..)) => 3,
            (given, _) => given.unwrap_or(2),
        };
        let size = |prng: &mut Prng| some(prng, 0.3, &[0, 13, 5_000]);
        Self {
            serial,
            project,
            time,
            kind,
            level,
            given,
            session: some(prng, 0.8, &SESSIONS),
            service: some(prng, 0.8, &SERVICES),
            method: some(prng, 0.8, &METHODS),
            path: some(prng, 0.9, &PATHS),
            status,
            duration: some(prng, 0.7, &[400, 1_500, 12_000, 100_000]),
            sizes: [size(prng), size(prng)],
            message: some(prng, 0.3, &MESSAGES),
            trace: some(prng, 0.4, &["t1", "T1", "t2"]),
        }
    }

    /// As it is sent, a line of reqlog's own NDJSON.
    pub fn line(&self) -> String {
        let kind = ["exchange", "request", "response", "event"][self.kind as usize];
        let mut line = json!({
            "time": Timestamp::from_millis(self.time).to_string(), "kind": kind, "project": self.project,
            "attributes": {"n": self.serial},
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                line[name] = value;
            }
        };
        set("level", self.given.map(|level| json!(LEVELS[level])));
        for (name, text) in [
            ("session", self.session),
            ("service", self.service),
            ("method", self.method),
            ("path", self.path),
            ("message", self.message),
            ("trace_id", self.trace),
        ] {
            set(name, text.map(Value::from));
        }
        set("status", self.status.map(Value::from));
        set("duration_ms", self.duration.map(|micros| json!(micros as f64 / 1_000.0)));
        for (name, size) in ["request", "response"].into_iter().zip(self.sizes) {
            set(name, size.map(|size| json!({"body": {"size": size}})));
        }
        format!("{line}\n")
    }

    /// Whether it is an exchange, or a half with a method.
    pub fn is_call(&self) -> bool {
        self.kind == Kind::Exchange || self.kind != Kind::Event && self.method.is_some()
    }

    /// The message that dialects show.
    pub fn shown(&self) -> Option<String> {
        if let Some(message) = self.message {
            return Some(message.to_owned());
        }
        let parts = [
            self.method.map(str::to_owned),
            self.path.map(str::to_owned),
            self.status.map(|status| status.to_string()),
            self.duration.map(|micros| format!("in {} ms", (micros + 500) / 1_000)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (self.kind != Kind::Event && !parts.is_empty()).then(|| parts.join(" "))
    }

    fn size(&self) -> Option<u64> {
        let [request, response] = self.sizes;
        request.or(response).map(|_| request.unwrap_or(0) + response.unwrap_or(0))
    }
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Time,
    Arrival,
    Duration,
    Status,
    Size,
    Level,
    Trace,
    Shown,
}

impl Sort {
    /// Ascending: what is absent first, ties by arrival.
    pub fn compare(self, a: (u64, &Row), b: (u64, &Row)) -> Ordering {
        let ((first, a), (second, b)) = (a, b);
        let order = match self {
            Self::Time => a.time.cmp(&b.time),
            Self::Arrival => Ordering::Equal,
            Self::Duration => a.duration.cmp(&b.duration),
            Self::Status => a.status.cmp(&b.status),
            Self::Size => a.size().cmp(&b.size()),
            Self::Level => a.level.cmp(&b.level),
            Self::Trace => a.trace.cmp(&b.trace),
            Self::Shown => a.shown().cmp(&b.shown()),
        };
        order.then(first.cmp(&second))
    }
}

/// A record that was acknowledged.
#[derive(Clone, Debug)]
pub struct Known {
    pub row: Row,
    pub id: EntryId,
    /// Whether or not it had expired before.
    pub deleted: bool,
    /// Not counting what was deleted before.
    pub expired: bool,
    /// Whether it was in memory when it expired, and may be streamed from there.
    kept: bool,
}

impl Known {
    pub fn is_alive(&self) -> bool {
        !self.deleted && !self.expired
    }

    /// Whether it may be streamed from memory, where what expires stays.
    pub fn may_be_in_memory(&self) -> bool {
        !self.deleted && (!self.expired || self.kept)
    }

    /// Whether it arrived before the horizon of its project; those of [`PROJECTS`], in milliseconds since 1970.
    fn is_below(&self, horizons: &[u64; 3]) -> bool {
        PROJECTS.iter().zip(horizons).any(|(name, at)| self.row.project == *name && self.id.arrival_ms() < *at)
    }
}

/// Everything that was ever acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// By sequence.
    pub rows: BTreeMap<u64, Known>,
    /// How often rows ceased to be.
    pub losses: u64,
    /// How often all rows of a project were destroyed, whether or not there were any.
    pub destroyed: BTreeMap<&'static str, u64>,
    /// When rows may have expired, in milliseconds since 1970, and the last that had by then.
    removals: Vec<(i64, u64)>,
}

impl Model {
    /// The rows of one commit, whose ids must be new and later than every other.
    pub fn commit(&mut self, ids: &[EntryId], rows: Vec<Row>) -> Result<(), String> {
        if ids.len() != rows.len() {
            return Err(format!("{} records were acknowledged and {} are there", rows.len(), ids.len()));
        }
        for (id, row) in ids.iter().zip(rows) {
            if let Some((_, last)) = self.rows.last_key_value()
                && (id.seq() <= last.id.seq() || id.arrival_ms() < last.id.arrival_ms())
            {
                return Err(format!("{id:?} was given out after {:?}", last.id));
            }
            self.rows.insert(id.seq().get(), Known { row, id: *id, deleted: false, expired: false, kept: false });
        }
        let one_arrival = ids.windows(2).all(|two| two[0].arrival_ms() == two[1].arrival_ms());
        if one_arrival { Ok(()) } else { Err("a commit has more than one arrival".into()) }
    }

    /// Lets rows cease to be; how many there were.
    pub fn lose(&mut self, which: impl Fn(&Row) -> bool) -> u64 {
        let mut lost = 0;
        for known in self.rows.values_mut().filter(|known| !known.deleted && which(&known.row)) {
            lost += u64::from(known.is_alive());
            known.deleted = true;
        }
        self.losses += u64::from(lost > 0);
        lost
    }

    /// Lets rows expire that arrived before the horizons of their projects; how many there were. Up to `fed` they may be
    /// in memory.
    pub fn expire(&mut self, horizons: &[u64; 3], fed: u64) -> u64 {
        let mut lost = 0;
        for (seq, known) in self.rows.iter_mut().filter(|(_, known)| known.is_alive() && known.is_below(horizons)) {
            (known.expired, known.kept) = (true, *seq <= fed);
            lost += 1;
        }
        self.losses += u64::from(lost > 0);
        lost
    }

    /// Nothing is in memory any more.
    pub fn restart(&mut self) {
        self.rows.values_mut().for_each(|known| known.kept = false);
    }

    /// Takes note that rows may have expired until a moment: those below the horizons, or up to `bound`.
    pub fn removed(&mut self, at: i64, horizons: &[u64; 3], bound: u64) {
        let below = self.rows.iter().rev().find(|(_, known)| known.is_below(horizons));
        self.removals.extend(below.map(|(seq, _)| (at, bound.max(*seq))));
    }

    /// Whether anything after a sequence may have expired since then.
    pub fn may_have_lost(&self, since: i64, position: u64) -> bool {
        self.removals.iter().any(|(at, last)| *at >= since && *last > position)
    }

    /// Sequences of the rows that are there and match, in an order.
    pub fn select(&self, sees: impl Fn(&Row) -> bool, sort: Sort, descending: bool) -> Vec<u64> {
        let mut rows: Vec<(u64, &Row)> =
            self.alive().filter(|known| sees(&known.row)).map(|known| (known.id.seq().get(), &known.row)).collect();
        rows.sort_by(|a, b| sort.compare(*a, *b));
        if descending {
            rows.reverse();
        }
        rows.into_iter().map(|(seq, _)| seq).collect()
    }

    pub fn alive(&self) -> impl Iterator<Item = &Known> {
        self.rows.values().filter(|known| known.is_alive())
    }

    /// The numbers of the rows that are there.
    pub fn serials(&self) -> BTreeSet<u64> {
        self.alive().map(|known| known.row.serial).collect()
    }

    pub fn is_alive(&self, seq: u64) -> bool {
        self.rows.get(&seq).is_some_and(Known::is_alive)
    }
}
