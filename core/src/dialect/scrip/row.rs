//! One call as Scrip's JSON, written byte by byte; members in alphabetical order, as documented.

use crate::body::Body;
use crate::dialect::whole_millis;
use crate::export::json::decimal;
use crate::filter::{Number, Predicate, TextKey, TextMatcher};
use crate::id::EntryId;
use crate::json::{escaped, string};
use crate::record::{Field, Stored};
use std::io::Write as _;

const PREFIX: &str = "req_";

/// Appends a row of the list.
pub(super) fn summary(row: &Stored, out: &mut Vec<u8>) {
    Object { row, out }.write(Members::Listed);
}

/// Appends a row with its client and its bodies.
pub(super) fn detail(row: &Stored, out: &mut Vec<u8>) {
    Object { row, out }.write(Members::All);
}

/// The calls that are shown under a request id, given with or without its prefix.
pub(super) fn of_request(id: &str) -> Predicate {
    let bare = id.strip_prefix(PREFIX).unwrap_or(id);
    let field = |matcher| Predicate::Text(TextKey::Field(Field::RequestId), matcher);
    let prefixed = field(TextMatcher::verbatim(&format!("{PREFIX}{bare}")));
    // what was stored with the prefix is shown as it is, not with two
    let unprefixed = (!bare.starts_with(PREFIX)).then(|| field(TextMatcher::verbatim(bare)));
    let derived = EntryId::from_text(bare).map(|id| {
        let exactly = |number, value: u64| Predicate::between(number, value as i64, value as i64);
        Predicate::all_of([
            exactly(Number::Seq, id.seq().get()),
            exactly(Number::Arrival, id.arrival_ms()),
            field(TextMatcher::present()).negated(),
        ])
    });
    Predicate::any_of([Some(prefixed), unprefixed, derived].into_iter().flatten())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    Listed,
    All,
}

struct Object<'a> {
    row: &'a Stored,
    out: &'a mut Vec<u8>,
}

impl Object<'_> {
    fn write(&mut self, members: Members) {
        let (id, record) = (self.row.id, &self.row.record);
        let whole = members == Members::All;
        self.text("{\"auth_type\":", record.text(Field::AuthType));
        write!(self.out, ",\"created_at\":\"{}\"", record.time).expect("writing to memory does not fail");
        self.number(",\"duration_ms\":", record.duration.map(whole_millis));
        self.text(",\"error_code\":", record.text(Field::ErrorCode));
        self.text(",\"id\":", Some(&id.to_uuid()));
        if whole {
            self.text(",\"ip_address\":", record.text(Field::ClientIp));
        }
        self.text(",\"method\":", record.text(Field::Method));
        self.text(",\"path\":", record.text(Field::Path));
        if whole {
            self.body(",\"request_body\":", record.request.body.as_ref());
        }
        self.request_id(",\"request_id\":\"");
        if whole {
            self.body(",\"response_body\":", record.response.body.as_ref());
        }
        self.text(",\"route_pattern\":", record.text(Field::Route));
        self.number(",\"status_code\":", record.status.map(u64::from));
        if whole {
            self.text(",\"user_agent\":", record.text(Field::UserAgent));
        }
        self.out.push(b'}');
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        self.raw(name);
        match value {
            Some(value) => string(value, self.out),
            None => self.raw("null"),
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        self.raw(name);
        match value {
            Some(value) => decimal(value, self.out),
            None => self.raw("null"),
        }
    }

    fn request_id(&mut self, name: &str) {
        self.raw(name);
        if let Some(id) = self.row.record.text(Field::RequestId) {
            if !id.starts_with(PREFIX) {
                self.raw(PREFIX);
            }
            escaped(id, self.out);
        } else {
            self.raw(PREFIX);
            self.raw(&self.row.id.to_text());
        }
        self.out.push(b'"');
    }

    /// JSON as it is, text as a string, bytes as a string of base64; `null` also for a body of which nothing was kept.
    fn body(&mut self, name: &str, body: Option<&Body>) {
        self.raw(name);
        match body.filter(|body| !body.bytes.is_empty() || body.size == 0) {
            // an escaped byte takes at most six; the rest are quotes and brackets that close what was cut
            Some(body) => self.out.extend_from_slice(&body.embedded(8 * body.bytes.len() + 16)),
            None => self.raw("null"),
        }
    }
}
