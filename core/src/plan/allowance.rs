//! Rate limits on a plan: what it costs, and what its answer says of what is left.

use crate::dialect::{Dialect, Limited};
use crate::limit::{Charge, Verdict};
use crate::timestamp::Timestamp;
use http::HeaderMap;

/// A request to a limited dialect, before or after it was charged.
#[derive(Debug)]
pub(super) struct Allowance {
    limited: Limited,
    verdict: Option<Verdict>,
}

impl Allowance {
    pub(super) fn new(limited: Limited) -> Self {
        Self { limited, verdict: None }
    }

    /// What is still to be asked for.
    pub(super) fn charge(&self) -> Option<Charge> {
        self.limited.charge.filter(|_| self.verdict.is_none())
    }

    pub(super) fn settle(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// Tells the client in the dialect's header fields, if it has any.
    pub(super) fn tell(&self, dialect: Dialect, now: Timestamp, headers: &mut HeaderMap) {
        let rate = self.limited.rate;
        dialect.tell(rate, &self.verdict.unwrap_or(Verdict::untouched(rate)), now, headers);
    }
}
