//! How much a client may ask for: token buckets, pure.
//!
//! A bucket holds up to `burst` tokens, a request takes one, and `tokens` come back every `period`, continuously.
//! A plan says what it costs ([`Charge`]), the shell keeps the buckets and asks them ([`Buckets::take`], or
//! [`TokenBucket::take`] over a store of its own), and the plan turns the [`Verdict`] into an answer.
//!
//! **Nothing is rounded.** Tokens are counted in shares, of which a token has as many as `period` has nanoseconds: each
//! nanosecond brings back `tokens` of them. What is told to clients in whole units errs on the safe side: tokens down,
//! waiting times up.
//!
//! **A clock that goes back** brings nothing back, and what it then counts a second time is not counted again: a bucket
//! goes by the latest time it has seen. One that lies further ahead than the time in which an empty bucket fills is
//! no longer believed, because a clock that was wrong by a day and is put right must not refuse everybody for a day.

use crate::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How fast tokens come back and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    tokens: u32,
    // nanoseconds
    period: u64,
    burst: u32,
}

impl Rate {
    /// The most tokens of a period, and the largest burst.
    pub const MOST: u32 = 1_000_000;
    /// The longest period.
    pub const LONGEST: Duration = Duration::from_hours(1);

    /// `tokens` every `period`, of which `burst` are kept; `None` when a number is 0 or too large.
    pub const fn new(tokens: u32, period: Duration, burst: u32) -> Option<Self> {
        let nanos = period.as_nanos();
        let fits = tokens > 0 && tokens <= Self::MOST && burst > 0 && burst <= Self::MOST;
        if fits && nanos > 0 && nanos <= Self::LONGEST.as_nanos() {
            Some(Self { tokens, period: nanos as u64, burst })
        } else {
            None
        }
    }

    /// Reads a setting: `off` (`None`), `120/60s` (120 every 60 s, and as many at once), or `10/1s,burst=30`. Periods
    /// are in `ms`, `s`, `m` or `h`; their number may be left out (`10/s`).
    pub fn parse(text: &str) -> Result<Option<Self>, RateError> {
        if text == "off" {
            return Ok(None);
        }
        let refuse = || RateError(text.to_owned());
        let (rate, burst) = text.split_once(',').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let (tokens, period) = rate.split_once('/').ok_or_else(refuse)?;
        let tokens = number(tokens).ok_or_else(refuse)?;
        let burst = match burst {
            Some(burst) => burst.trim().strip_prefix("burst=").and_then(number).ok_or_else(refuse)?,
            None => tokens,
        };
        let period = duration(period).ok_or_else(refuse)?;
        Self::new(tokens, period, burst).map(Some).ok_or_else(refuse)
    }

    /// How many requests are answered at once when none was asked for a while.
    pub const fn burst(self) -> u32 {
        self.burst
    }

    // at most MOST * LONGEST, some 2^61.6
    const fn full(self) -> u64 {
        self.burst as u64 * self.period
    }

    // until so many shares have come back
    fn wait(self, shares: u64) -> Duration {
        Duration::from_nanos(shares.div_ceil(u64::from(self.tokens)))
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - unit.len()];
    let count = if digits.is_empty() { 1 } else { number(digits)? };
    match unit {
        "ms" => Some(Duration::from_millis(count.into())),
        "s" => Some(Duration::from_secs(count.into())),
        "m" => Some(Duration::from_mins(count.into())),
        "h" => Some(Duration::from_hours(count.into())),
        _ => None,
    }
}

/// As [`Rate::parse`] reads it, where the period is whole milliseconds.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period / 1_000_000 {
            millis if millis % 1_000 == 0 => write!(f, "{}/{}s", self.tokens, millis / 1_000)?,
            millis => write!(f, "{}/{millis}ms", self.tokens)?,
        }
        if self.burst == self.tokens { Ok(()) } else { write!(f, ",burst={}", self.burst) }
    }
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateError(String);

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no rate; write 120/60s, 10/1s,burst=30 or off (numbers up to {}, periods up to 1h)",
            self.0,
            Rate::MOST
        )
    }
}

impl std::error::Error for RateError {}

/// What an operator allows the keys that are not admin keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests to `FlowMock`'s endpoints, of each key.
    pub flowmock: Option<Rate>,
    /// Requests to Scrip's endpoints, of all keys of the store together.
    pub scrip: Option<Rate>,
    /// Live streams that a key may have open at a time.
    pub streams_per_key: usize,
}

impl Limits {
    /// How a bucket fills.
    pub fn rate(&self, bucket: BucketId) -> Option<Rate> {
        match bucket {
            BucketId::FlowMock { .. } => self.flowmock,
            BucketId::Scrip => self.scrip,
        }
    }
}

/// What the contracts of the dialects say.
impl Default for Limits {
    fn default() -> Self {
        let rate = |tokens, seconds, burst| Rate::new(tokens, Duration::from_secs(seconds), burst);
        Self { flowmock: rate(120, 60, 120), scrip: rate(10, 1, 30), streams_per_key: 16 }
    }
}

/// What a request costs. Plain data, so that it can be asked of a store elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Who pays.
    pub bucket: BucketId,
    /// How the bucket fills.
    pub rate: Rate,
    /// Tokens; with 0, the bucket is only looked at.
    pub cost: u32,
}

/// Which bucket. Its text, as `flowmock/7` or `scrip`, names it where a shell keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BucketId {
    /// `FlowMock`'s of one key.
    FlowMock {
        /// The key's number.
        key: u64,
    },
    /// Scrip's, the only one of a store.
    Scrip,
}

impl fmt::Display for BucketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FlowMock { key } => write!(f, "flowmock/{key}"),
            Self::Scrip => f.write_str("scrip"),
        }
    }
}

impl BucketId {
    /// Reads its text.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None if text == "scrip" => Some(Self::Scrip),
            Some(("flowmock", key)) => key.parse().ok().map(|key| Self::FlowMock { key }),
            _ => None,
        }
    }
}

/// What came of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may go on.
    pub admission: Admission,
    /// Whole tokens that are left.
    pub remaining: u32,
    /// Until the bucket is full, if nobody takes any more.
    pub full_in: Duration,
}

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The tokens were taken.
    Granted,
    /// Nothing was taken.
    Refused {
        /// The earliest time at which as much would be granted, if nobody takes any before.
        retry_after: Duration,
    },
}

impl Verdict {
    /// Of a bucket that nobody has taken from.
    pub const fn untouched(rate: Rate) -> Self {
        Self { admission: Admission::Granted, remaining: rate.burst, full_in: Duration::ZERO }
    }
}

/// The state of one bucket: two numbers, to be kept wherever the shell likes. It goes with one [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    /// Shares that are missing from a full bucket at [`Self::at`]; a token has as many as the rate's period has
    /// nanoseconds.
    pub missing: u64,
    /// The latest time at which it was looked at.
    pub at: Timestamp,
}

impl TokenBucket {
    /// A full one.
    pub const fn full(now: Timestamp) -> Self {
        Self { missing: 0, at: now }
    }

    /// Takes `cost` tokens, all or none. More than the burst is never granted.
    pub fn take(&mut self, rate: Rate, cost: u32, now: Timestamp) -> Verdict {
        self.refill(rate, now);
        let full = rate.full();
        // what this bucket believes to be later than now has to pass as well
        let ahead = Duration::from_nanos(nanos(now, self.at));
        let wanted = u64::from(cost).saturating_mul(rate.period);
        let there = full - self.missing;
        let admission = if wanted <= there {
            self.missing += wanted;
            Admission::Granted
        } else {
            Admission::Refused { retry_after: ahead + rate.wait(wanted.min(full) - there) }
        };
        let remaining = ((full - self.missing) / rate.period) as u32;
        let full_in = if self.missing == 0 { Duration::ZERO } else { ahead + rate.wait(self.missing) };
        Verdict { admission, remaining, full_in }
    }

    /// Whether nothing is missing, so that it need not be kept.
    pub fn is_full(mut self, rate: Rate, now: Timestamp) -> bool {
        self.refill(rate, now);
        self.missing == 0
    }

    fn refill(&mut self, rate: Rate, now: Timestamp) {
        if now >= self.at {
            self.missing = self.missing.saturating_sub(nanos(self.at, now).saturating_mul(rate.tokens.into()));
        } else if nanos(now, self.at) <= rate.wait(rate.full()).as_nanos() as u64 {
            return;
        }
        self.at = now;
        // another rate may have had a larger bucket
        self.missing = self.missing.min(rate.full());
    }
}

fn nanos(from: Timestamp, to: Timestamp) -> u64 {
    to.as_nanos().saturating_sub(from.as_nanos()).max(0) as u64
}

/// The buckets of one process. A full bucket is forgotten, so that there are about as many as keys that asked lately.
#[derive(Debug, Default)]
pub struct Buckets {
    kept: BTreeMap<BucketId, (Rate, TokenBucket)>,
    // how many are kept before the full ones are looked for
    most: usize,
}

// fewer are not worth looking
const LEAST: usize = 64;

impl Buckets {
    /// Charges a request.
    pub fn take(&mut self, charge: Charge, now: Timestamp) -> Verdict {
        let Charge { bucket, rate, cost } = charge;
        if let Some((known, kept)) = self.kept.get_mut(&bucket).filter(|(known, _)| *known == rate) {
            return kept.take(*known, cost, now);
        }
        let mut fresh = TokenBucket::full(now);
        let verdict = fresh.take(rate, cost, now);
        if fresh.missing > 0 {
            self.forget(now);
            self.kept.insert(bucket, (rate, fresh));
        }
        verdict
    }

    // twice as many as were not full may come before the next look, which makes it cheap
    fn forget(&mut self, now: Timestamp) {
        if self.kept.len() >= self.most.max(LEAST) {
            self.kept.retain(|_, (rate, bucket)| !bucket.is_full(*rate, now));
            self.most = 2 * self.kept.len();
        }
    }
}

#[cfg(test)]
mod tests;
