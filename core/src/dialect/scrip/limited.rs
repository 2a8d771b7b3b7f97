//! The limit of Scrip's API: one bucket for all keys of the store that are no admin keys.
//!
//! Every answer carries three header fields. Ours:
//! - `X-RateLimit-Limit` is the burst, so that it equals `X-RateLimit-Remaining` when the bucket is full; both count whole
//!   requests. `X-RateLimit-Reset` and `Retry-After` are rounded up to whole seconds.
//! - A request is charged when its key may use the endpoint, whatever comes of it (a 400, 404 or 304 too). A key that may
//!   not, and a path or method that there is not, are told what is left without being charged; so is who is refused for
//!   the limit.
//! - A request without a valid key is not charged, because strangers could then shut everybody out. It and an admin key
//!   are told a full bucket, whatever is in it.
//! - Without a limit there are no such fields.

use super::ENDPOINTS;
use crate::dialect::{Asked, Limited, endpoint, set};
use crate::error::whole_seconds;
use crate::limit::{BucketId, Charge, Rate, Verdict};
use crate::timestamp::Timestamp;
use http::header::{HeaderMap, HeaderName};
use std::time::Duration;

/// The fields, for the documentation.
pub(super) const FIELDS: [&str; 3] = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

/// What a request costs the store's bucket.
pub(in crate::dialect) fn limited(asked: &Asked<'_>, rate: Rate) -> Limited {
    let met = endpoint::find(ENDPOINTS, asked.path, asked.method);
    let cost = u32::from(asked.is_admitted(&met));
    Limited { rate, charge: asked.limited_key().map(|_| Charge { bucket: BucketId::Scrip, rate, cost }) }
}

/// Writes the header fields.
pub(in crate::dialect) fn tell(rate: Rate, verdict: &Verdict, now: Timestamp, headers: &mut HeaderMap) {
    let since_1970 = Duration::from_nanos(now.as_nanos().max(0) as u64);
    let reset = whole_seconds(since_1970 + verdict.full_in);
    for (name, value) in FIELDS.into_iter().zip([rate.burst().into(), verdict.remaining.into(), reset]) {
        set(headers, HeaderName::from_static(name), &value.to_string());
    }
}
