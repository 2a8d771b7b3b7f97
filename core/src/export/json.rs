//! A record as reqlog's own JSON, written byte by byte.
//!
//! The member names are the wire's (`wire/reqlog.md`). Ours beyond it: `redacted` is written when it is true, a body that
//! is not whole says why in `reason`, a whole row's body carries its bytes as `text` (UTF-8) or `base64`, and a list that is
//! asked for it by name has `size`, the bytes of both bodies together, by which lists are sorted.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::body::{Body, Cut};
use crate::headers::Headers;
use crate::json::string;
use crate::query::Detail;
use crate::record::{Field, Message, Record, Stored};

/// How much of a body a row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// Sizes, type and the first characters, as in lists.
    Preview,
    /// Sizes, type and every captured byte; such a row can be imported again without loss.
    Whole,
    /// Sizes and type only, and no header fields, in a row that stands beside them: HAR's `_reqlog`.
    Apart,
}

/// Which top-level members a row has: the `fields` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields(u64);

impl Fields {
    /// Every member but `size`, which the messages say already.
    pub const ALL: Self = Self(u64::MAX ^ 1 << Member::Size as u64);
    /// Everything but the two messages.
    pub const FLAT: Self = Self(Self::ALL.0 ^ 1 << Member::Request as u64 ^ 1 << Member::Response as u64);

    /// Reads member names between commas; blanks around a name are ignored. The error is the first unknown name.
    pub fn parse(names: &str) -> Result<Self, &str> {
        let mut set = 0;
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let place = match Field::ALL.iter().position(|field| field.name() == name) {
                Some(field) => TEXTS + field as u64,
                None => MEMBERS.iter().position(|known| *known == name).ok_or(name)? as u64,
            };
            set |= 1 << place;
        }
        Ok(if set == 0 { Self::ALL } else { Self(set) })
    }

    /// What has to be read of a row to show these members in a list.
    pub fn detail(self) -> Detail {
        let is_cold =
            [Member::Request, Member::Response, Member::Attributes].into_iter().any(|member| self.has(member));
        let texts = Field::ALL.iter().copied().filter(|field| self.has_text(*field));
        if is_cold { Detail::Preview } else { Detail::Columns(texts.collect()) }
    }

    fn has(self, member: Member) -> bool {
        self.0 & 1 << member as u64 != 0
    }

    fn has_text(self, field: Field) -> bool {
        self.0 & 1 << (TEXTS + field as u64) != 0
    }
}

/// What a row looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How much of the bodies.
    pub bodies: Bodies,
    /// Which members.
    pub fields: Fields,
}

impl Shape {
    /// Every member, bodies as previews: a row of a list.
    pub const LIST: Self = Self { bodies: Bodies::Preview, fields: Fields::ALL };
    /// Every member, bodies whole: a row of an export.
    pub const EXPORT: Self = Self { bodies: Bodies::Whole, fields: Fields::ALL };
    /// Every member, without what the exchange beside it says: a HAR entry's `_reqlog`.
    pub const APART: Self = Self { bodies: Bodies::Apart, fields: Fields::ALL };
}

/// Appends `stored` as a list shows it: all members, bodies as previews.
pub fn record(stored: &Stored, out: &mut Vec<u8>) {
    write(stored, Shape::LIST, out);
}

/// Appends `stored` in the given shape: one JSON object on one line, without a line end.
pub fn write(stored: &Stored, shape: Shape, out: &mut Vec<u8>) {
    let record = &stored.record;
    let mut row = Row { start: out.len() + 1, out, fields: shape.fields };
    row.out.push(b'{');
    row.word(Member::Id, &stored.id.to_text());
    if let Some(out) = row.member(Member::Seq) {
        decimal(stored.id.seq().get(), out);
    }
    if let Some(out) = row.member(Member::Time) {
        append(out, format_args!("\"{}\"", record.time));
    }
    row.word(Member::Kind, record.kind.name());
    row.word(Member::Level, record.level.name());
    if let Some(source) = record.source {
        row.word(Member::Source, source.name());
    }
    for &field in Field::ALL {
        row.text(field, record);
        if field == Field::Route {
            row.outcome(record);
        }
    }
    row.flag(Member::Overridden, record.overridden);
    if record.redacted {
        row.flag(Member::Redacted, true);
    }
    for (member, message) in [(Member::Request, &record.request), (Member::Response, &record.response)] {
        if message.is_empty() || shape.bodies == Bodies::Apart && message.body.is_none() {
            continue;
        }
        if let Some(out) = row.member(member) {
            write_message(message, shape.bodies, out);
        }
    }
    if let Some(attributes) = &record.attributes
        && let Some(out) = row.member(Member::Attributes)
    {
        raw(attributes, out);
    }
    if let Some(size) = record.size()
        && let Some(out) = row.member(Member::Size)
    {
        decimal(size, out);
    }
    row.out.push(b'}');
}

/// Appends nanoseconds as exact decimal milliseconds: `102.4`.
pub fn millis(nanos: u64, out: &mut Vec<u8>) {
    decimal(nanos / 1_000_000, out);
    let mut fraction = nanos % 1_000_000;
    if fraction == 0 {
        return;
    }
    let mut digits = *b".000000";
    for digit in digits[1..].iter_mut().rev() {
        *digit += (fraction % 10) as u8;
        fraction /= 10;
    }
    let len = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(&digits[..len]);
}

/// Appends `number` in decimal.
pub fn decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[derive(Clone, Copy)]
enum Member {
    Id,
    Seq,
    Time,
    Kind,
    Level,
    Source,
    Status,
    Duration,
    Overridden,
    Redacted,
    Request,
    Response,
    Attributes,
    Size,
}

// the names of `Member`, in its order
const MEMBERS: [&str; 14] = [
    "id",
    "seq",
    "time",
    "kind",
    "level",
    "source",
    "status",
    "duration_ms",
    "overridden",
    "redacted",
    "request",
    "response",
    "attributes",
    "size",
];
const TEXTS: u64 = 16;
const _: () = assert!(TEXTS + Field::COUNT as u64 <= 64, "a set of members fits one word");

struct Row<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    fields: Fields,
}

impl Row<'_> {
    // Where to write the value of `member`, after its name; none when the row does not show it.
    fn member(&mut self, member: Member) -> Option<&mut Vec<u8>> {
        self.fields.has(member).then(|| self.name(MEMBERS[member as usize]))
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    // A value that needs no escape.
    fn word(&mut self, member: Member, value: &str) {
        if let Some(out) = self.member(member) {
            out.push(b'"');
            out.extend_from_slice(value.as_bytes());
            out.push(b'"');
        }
    }

    fn flag(&mut self, member: Member, value: bool) {
        if let Some(out) = self.member(member) {
            out.extend_from_slice(if value { b"true" } else { b"false" });
        }
    }

    fn text(&mut self, field: Field, record: &Record) {
        if self.fields.has_text(field)
            && let Some(text) = record.text(field)
        {
            string(text, self.name(field.name()));
        }
    }

    fn outcome(&mut self, record: &Record) {
        if let Some(status) = record.status
            && let Some(out) = self.member(Member::Status)
        {
            decimal(status.into(), out);
        }
        if let Some(duration) = record.duration
            && let Some(out) = self.member(Member::Duration)
        {
            millis(duration, out);
        }
    }
}

fn write_message(message: &Message, bodies: Bodies, out: &mut Vec<u8>) {
    out.push(b'{');
    let with_headers = !message.headers.is_empty() && bodies != Bodies::Apart;
    if with_headers {
        out.extend_from_slice(b"\"headers\":");
        headers(&message.headers, out);
    }
    if let Some(content) = &message.body {
        out.extend_from_slice(if with_headers { b",\"body\":" } else { b"\"body\":" });
        body(content, bodies, out);
    }
    out.push(b'}');
}

/// Appends header fields as the wire has them: `[["accept","*/*"]]`.
pub(super) fn headers(headers: &Headers, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, (name, value)) in headers.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"[" } else { b",[" });
        string(name, out);
        out.push(b',');
        string(value, out);
        out.push(b']');
    }
    out.push(b']');
}

/// Appends a body's object.
pub(super) fn body(body: &Body, bodies: Bodies, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"size\":");
    decimal(body.size, out);
    out.extend_from_slice(b",\"captured\":");
    decimal(body.bytes.len() as u64 + body.withheld, out);
    out.extend_from_slice(if body.cut.is_some() { b",\"truncated\":true" } else { b",\"truncated\":false" });
    if let Some(reason) = body.cut.map(Cut::name) {
        append(out, format_args!(",\"reason\":\"{reason}\""));
    }
    if let Some(content_type) = &body.content_type {
        out.extend_from_slice(b",\"content_type\":");
        string(content_type, out);
    }
    match (bodies, std::str::from_utf8(&body.bytes)) {
        (Bodies::Apart, _) => {}
        (Bodies::Preview, _) => {
            if let Some(preview) = body.preview() {
                out.extend_from_slice(b",\"preview\":");
                string(preview, out);
            }
        }
        (Bodies::Whole, Ok(text)) => {
            out.extend_from_slice(b",\"text\":");
            string(text, out);
        }
        (Bodies::Whole, Err(_)) => {
            append(out, format_args!(",\"base64\":\"{}\"", STANDARD.encode(&body.bytes)));
        }
    }
    out.push(b'}');
}

// Attributes are JSON already; a line end between its tokens would split an NDJSON row.
pub(crate) fn raw(json: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    let mut at = start;
    while let Some(next) = memchr::memchr2(b'\n', b'\r', &out[at..]) {
        at += next;
        out[at] = b' ';
    }
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, Seq};
    use crate::record::{Kind, Source};
    use crate::timestamp::Timestamp;
    use serde_json::{Value, json};

    fn sample() -> Stored {
        let mut record = Record::new(Timestamp::from_nanos(1_782_216_000_000_142_000));
        record.kind = Kind::Exchange;
        record.source = Some(Source::Backend);
        record.status = Some(201);
        record.duration = Some(102_400_000);
        record.texts.set(Field::Project, "checkout");
        record.texts.set(Field::Path, "/v1/\"users\"");
        record.texts.set(Field::Message, "a\nb");
        record.request.headers.push("Content-Type", "application/json");
        record.request.body = Some(Body {
            size: 412,
            bytes: b"{\"a\":1}".to_vec(),
            content_type: Some("application/json".into()),
            cut: None,
            withheld: 0,
        });
        record.response.body =
            Some(Body { size: 3, bytes: vec![0xff, 0, 1], content_type: None, cut: Some(Cut::Cap), withheld: 0 });
        record.attributes = Some("{\"free\":\n\"form\"}".into());
        Stored { id: EntryId::new(1_782_216_000_001, Seq::new(84_321).unwrap()), record }
    }

    fn shown(shape: Shape) -> String {
        let mut out = Vec::new();
        write(&sample(), shape, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_row_is_the_wire_shape() {
        assert_eq!(
            shown(Shape::LIST),
            concat!(
                r#"{"id":"01KVT5M0G10000002JB1","seq":84321,"time":"2026-06-23T12:00:00.000142Z","kind":"exchange","level":"info","source":"backend","#,
                r#""project":"checkout","path":"/v1/\"users\"","status":201,"duration_ms":102.4,"message":"a\nb","overridden":false,"#,
                r#""request":{"headers":[["content-type","application/json"]],"body":{"size":412,"captured":7,"truncated":false,"content_type":"application/json","preview":"{\"a\":1}"}},"#,
                r#""response":{"body":{"size":3,"captured":3,"truncated":true,"reason":"cap"}},"attributes":{"free": "form"}}"#
            )
        );
    }

    #[test]
    fn a_whole_row_carries_every_byte() {
        let row: Value = serde_json::from_str(&shown(Shape::EXPORT)).unwrap();
        assert_eq!(row["request"]["body"]["text"], json!("{\"a\":1}"));
        assert_eq!(row["response"]["body"]["base64"], json!("/wAB"));
        assert!(row["request"]["body"].get("preview").is_none());
    }

    #[test]
    fn fields_choose_members() {
        let fields = Fields::parse("status, path,seq").unwrap();
        assert_eq!(
            shown(Shape { bodies: Bodies::Preview, fields }),
            r#"{"seq":84321,"path":"/v1/\"users\"","status":201}"#
        );
        assert_eq!(Fields::parse("status,nope"), Err("nope"));
        assert_eq!(Fields::parse(""), Ok(Fields::ALL));
        let flat: Value =
            serde_json::from_str(&shown(Shape { bodies: Bodies::Preview, fields: Fields::FLAT })).unwrap();
        assert!(flat.get("request").is_none() && flat.get("attributes").is_some());
    }

    #[test]
    fn durations_are_exact() {
        for (nanos, text) in
            [(0, "0"), (1, "0.000001"), (102_400_000, "102.4"), (1_000_000, "1"), (u64::MAX, "18446744073709.551615")]
        {
            let mut out = Vec::new();
            millis(nanos, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
