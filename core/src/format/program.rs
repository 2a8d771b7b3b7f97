//! Which program wrote a record, by fields that only it writes, and what its bare numbers mean.

use super::time::Unit;
use crate::level::Level;

/// A sign of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An access log: a method without a status is still a whole exchange.
    Access = 1,
    /// Traefik's own names.
    Traefik = 2,
    /// Cloudflare Logpush's own names.
    Cloudflare = 4,
    /// `pid`, as pino and bunyan write with `hostname`.
    Node = 8,
    /// `hostname`.
    Hostname = 16,
    /// `caller`, as zap writes.
    Zap = 32,
    /// A `logger` of Caddy's, which logs through zap: `http.log.access`.
    Caddy = 64,
    /// Any `logger`.
    Logger = 128,
    /// A bare number with a fraction as `ts`, zap's default.
    EpochSeconds = 256,
    /// A level in upper case beside `msg` and `time`, as slog writes.
    UpperLevel = 512,
    /// `msg`.
    Msg = 1024,
    /// A numeric level.
    NumericLevel = 2048,
    /// This system's own export.
    Own = 4096,
}

/// The signs seen in one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    pub(super) fn add(&mut self, mark: Mark) {
        self.0 |= mark as u16;
    }

    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & mark as u16 != 0
    }

    fn has_both(self, a: Mark, b: Mark) -> bool {
        self.has(a) && self.has(b)
    }

    /// Whether the record is a line of an access log.
    pub(super) fn is_access(self) -> bool {
        [Mark::Access, Mark::Traefik, Mark::Cloudflare, Mark::Caddy].into_iter().any(|mark| self.has(mark))
    }

    /// Whether pino or bunyan wrote it, whose `name` is the service.
    pub(super) fn is_node(self) -> bool {
        self.has_both(Mark::Node, Mark::Hostname) || self.has_both(Mark::NumericLevel, Mark::Msg)
    }

    /// What a duration without a unit counts: seconds by Caddy and zap (which write fractions), nanoseconds by Traefik
    /// and by slog (which write whole numbers), milliseconds by everybody else.
    pub(super) fn unit(self, number: &str) -> Unit {
        let whole = number.bytes().all(|byte| byte.is_ascii_digit());
        if self.has(Mark::Traefik) || whole && self.has_both(Mark::UpperLevel, Mark::Msg) && !self.has(Mark::Zap) {
            Unit::Nanos
        } else if self.has(Mark::Caddy) || !whole && self.has_both(Mark::Zap, Mark::EpochSeconds) {
            Unit::Seconds
        } else {
            Unit::Millis
        }
    }
}

/// The level of a number as pino and bunyan write it: 10 trace to 60 fatal.
pub(super) fn numeric_level(number: &str) -> Option<Level> {
    Some(match number.parse::<u16>().ok()? {
        10..20 => Level::Trace,
        20..30 => Level::Debug,
        30..40 => Level::Info,
        40..50 => Level::Warn,
        50..60 => Level::Error,
        60..=100 => Level::Fatal,
        _ => return None,
    })
}
